"""One question, several methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seewhy.errors import InputError
from seewhy.explanation.answer import Explanations
from seewhy.explanation.asking import explain
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
) -> Explanations:
    """What several methods say of the same picture, each target's maps beside each other.

    Args:
        methods: names from `list_methods()`. Those that explain by the image's own pixels take no layer.
        model, picture, target, layer, signed: as in `explain`; one layer.
    Returns:
        `Explanations`, target by target and method by method: `grid()` has a row for each target.
    Raises:
        InputError: no methods, several layers, or as in `explain`.
        EvidenceError: as in `explain`.
    """
    if isinstance(methods, str) or not methods:
        raise InputError(f"methods={methods!r}", "a list of names", 'write ["gradcam", "hirescam"]')
    if layer == "all" or isinstance(layer, list | tuple):
        raise InputError(f"layer={layer!r} for several methods", "one layer", "ask for one layer at a time")
    entries = [find_method(name) for name in methods]
    wrapped = as_model(model)
    answers = [
        explain(
            wrapped,
            picture,
            target=target,
            method=one.name,
            layer=None if one.on_image else layer,
            signed=signed,
        )
        for one in entries
    ]
    rows = [list(one) if isinstance(one, Explanations) else [one] for one in answers]  # [method][target]
    return Explanations([one for of_target in zip(*rows, strict=True) for one in of_target], len(entries))
