"""One question, several methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seewhy.errors import EvidenceError, InputError, UnknownNameError, did_you_mean
from seewhy.explanation.answer import Explanations, Failed
from seewhy.explanation.asking import explain
from seewhy.explanation.variants import checked_variants
from seewhy.methods import find_method
from seewhy.models import as_model
from seewhy.targets import TargetLike


def compare_methods(
    model: Any,
    picture: Any,
    methods: Sequence[str],
    *,
    target: TargetLike = None,
    layer: Any = None,
    signed: bool = False,
    smooth: int = 0,
    augment: str | Sequence[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Explanations:
    """What several methods say of the same picture, each target's maps beside each other.

    Args:
        methods: names from `list_methods()`. Those that explain by the image's own pixels take no layer.
        model, picture, target, layer, signed, smooth, augment: as in `explain`; one layer.
        options: of single methods, by name: {"scorecam": {"channels": 16}}.
    Returns:
        `Explanations`, target by target and method by method: `grid()` has a row for each target. A method that cannot
        serve this model, layer or target stands in `refused` with its error, and in the grid as a column that says so.
    Raises:
        InputError: no methods, several layers, or as in `explain`, where no method could answer.
        EvidenceError: as in `explain`, where no method could answer.
    """
    if isinstance(methods, str) or not methods:
        raise InputError(f"methods={methods!r}", "a list of names", 'write ["gradcam", "hirescam"]')
    if layer == "all" or isinstance(layer, list | tuple):
        raise InputError(f"layer={layer!r} for several methods", "one layer", "ask for one layer at a time")
    entries = [find_method(name) for name in methods]
    wrapped = as_model(model)
    own = {find_method(name).name: find_method(name).checked(given) for name, given in (options or {}).items()}
    for name in own:
        if name not in [one.name for one in entries]:
            near = did_you_mean(name, [one.name for one in entries], "add it to the methods, or leave its options out")
            raise UnknownNameError(f"options of {name!r}", f"of one of {', '.join(one.name for one in entries)}", near)
    checked_variants(smooth, augment)
    rows, refused = [], []  # [method][target]
    for one in entries:
        try:
            answer = explain(
                wrapped,
                picture,
                target=target,
                method=one.name,
                layer=None if one.on_image else layer,
                signed=signed,
                smooth=smooth,
                augment=augment,
                **own.get(one.name, {}),
            )
        except (InputError, EvidenceError) as error:
            if isinstance(error, UnknownNameError):
                raise
            refused.append(Failed(one.name, error))
        else:
            rows.append(list(answer) if isinstance(answer, Explanations) else [answer])
    if not rows:
        raise refused[0].error
    return Explanations([one for of_target in zip(*rows, strict=True) for one in of_target], len(rows), refused)
