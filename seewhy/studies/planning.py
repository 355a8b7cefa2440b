"""What is settled before the first part: layer, classes, preparation, the layout of images, the settings to keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import INPUT, Array, Model
from seewhy.images.preparing import Preset
from seewhy.images.probing import box_rule
from seewhy.images.reading import as_numpy, is_picture
from seewhy.images.resizing import Box
from seewhy.methods import find_method
from seewhy.models import as_model, wrap
from seewhy.studies.data import Data, Sample, Stream
from seewhy.studies.matching import Matching, matched
from seewhy.studies.observing import Plan, Ready, explained, ready, unprepared
from seewhy.targets import Scores

TARGET = "the predicted class, and the label where it is another"


@dataclass(frozen=True)
class Asked:
    """What was asked of an audit; the names are those of `audit`."""

    method: str
    layer: Any
    options: Mapping[str, Any]
    classes: Mapping[str, str | int | None] | None = None
    pooled: bool = True
    fast_decode: int | None = None
    batch_size: int = 32
    part_size: int | None = None
    limit: int | None = None
    seed: int = 0
    labelled: bool = True
    split: str | None = None


def planned(
    model: Any, data: Data, first: Iterable[Sample], asked: Asked, channels_last: bool | None
) -> tuple[Plan, Scores]:
    """How the pictures will be looked at, and the scores of one of them, which tell what the model gives.

    Args:
        first: some pictures, of which at least one must be readable.
        channels_last: the layout of the images; None: channels last where the model can.
    Raises:
        SeeWhyError: no picture can be read or explained, labels match no class, layer or method cannot be used.
    """
    wrapped = as_model(model)
    method = find_method(asked.method)
    options = {name: _plain(value) for name, value in {**method.options, **method.checked(asked.options)}.items()}
    none = Matching({}, 0, None)  # nothing is known yet
    plan = Plan(
        wrapped, method, options, INPUT, none, _no_box, asked.pooled, asked.fast_decode, data.root, refit=_as_it_is
    )
    item = _readable(first, plan)
    images = wrapped.batch([item.image])
    if method.on_image:
        if asked.layer is not None:
            raise InputError(
                f"layer={asked.layer!r} for {method.name}", "no layer: it explains by pixels", "leave it out"
            )
        name = INPUT
    else:
        names, several = wrapped.choose(asked.layer, images)
        if several and len(names) != 1:
            raise InputError(f"layer={asked.layer!r}", "one layer for a run", "audit into a folder for each layer")
        name = names[0]
    scores = _scores(wrapped, images, name)
    matching = matched(data.labels, scores.classes, wrapped.labels, asked.classes)
    if wrapped.labels is None and matching.labels is not None:
        wrapped = wrap(wrapped, labels=matching.labels)
    plan = replace(plan, model=wrapped, layer=name, matching=matching)
    if wrapped.prepare is not None:
        plan = replace(plan, box_of=box_rule(wrapped.prepare))
    last = _can_channels_last(plan, images) if channels_last is None else channels_last
    if last:
        plan = replace(plan, refit=getattr(wrapped, "channels_last", _as_it_is))
    explained([item], plan)  # what cannot serve this model is told now, not picture by picture
    return plan, scores


def settings_of(plan: Plan, scores: Scores, data: Data, asked: Asked) -> dict[str, Any]:
    """What decides over a run's rows, as its run.json keeps it.

    Args:
        plan, scores: as `planned` gives them.
        asked: with the part size that was chosen.
    """
    model = plan.model
    return {
        "model": {
            **{"name": model.name, "fingerprint": model.fingerprint(), "outputs": scores.outputs},
            **{"several": scores.several, "labels": None if model.labels is None else list(model.labels)},
        },
        **{"layer": plan.layer, "method": plan.method.name, "options": dict(plan.options), "target": TARGET},
        "prepare": preparation(model),
        "data": {
            **{"kind": data.kind, "listing": data.key, "classes": dict(plan.matching.known)},
            **{"labelled": asked.labelled, "split": asked.split},
            "pictures": None if isinstance(data, Stream) else len(data),
        },
        **{"limit": asked.limit, "seed": asked.seed if asked.limit else None},
        **{"batch_size": asked.batch_size, "part_size": asked.part_size},
        **{"channels_last": plan.refit is not _as_it_is},
        **{"fast_decode": asked.fast_decode, "pooled": asked.pooled},
    }


def _can_channels_last(plan: Plan, images: Array) -> bool:
    """Whether the model gives the same with the channels of a pixel side by side in memory.

    Convolutions on a CPU are 1.2 to 1.6 times as fast then. It is not timed: a choice that differs from run to run
    would change the last bits of the maps.
    """
    relaid: Callable[[Array], Array] | None = getattr(plan.model, "channels_last", None)
    if relaid is None or str(getattr(plan.model, "device", "")) != "cpu":
        return False
    given = []
    try:
        for several in (images, relaid(images)):
            with plan.model.run(several, [plan.layer], plan.method.needs) as run:
                given.append(run.scores)
    except (SeeWhyError, RuntimeError):  # view() of a tensor that does not lie in a row
        return False
    return bool(np.allclose(given[1], given[0], rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(given[0]).max()))))


def _readable(first: Iterable[Sample], plan: Plan) -> Ready:
    """The first picture that can be read."""
    errors = []
    for sample in first:
        if plan.model.prepare is None and sample.source is not None and is_picture(sample.source):
            raise unprepared("pictures")
        item = ready(replace(sample, label=None), plan)
        if item.image is not None:
            return item
        errors.append(str(item.row["error"]))
    reason = errors[0].splitlines()
    raise InputError(
        f"none of the first {len(errors):,} pictures can be read; the first: {reason[0]}",
        reason[1].partition(": ")[2] if len(reason) > 1 else "pictures",
        reason[2].partition(": ")[2] if len(reason) > 2 else "check the data",
    )


def _scores(model: Model, images: Array, layer: str) -> Scores:
    with model.run(images, [layer], frozenset()) as run:
        scores = Scores(run.scores, run.several, model.labels if run.scores.shape[1] else None)
    if not scores.outputs:
        raise InputError(
            f"{model.name} gives nothing that looks like scores",
            "outputs [batch, classes]",
            "tell where they are with wrap(model, outputs=...)",
        )
    return scores


def preparation(model: Model) -> dict[str, Any]:
    """What the pictures are prepared with, and the hash of what it makes of a known picture."""
    if model.prepare is None:
        return {"name": name_of_preparation(model), "probe": None}
    y, x = np.mgrid[0:300, 0:400]
    probe = Image.fromarray(np.stack([x * 255 // 400, y * 255 // 300, (x + y) % 256], axis=2).astype(np.uint8))
    made = [np.ascontiguousarray(as_numpy(model.prepare(probe))) for _ in range(2)]
    hashes = [hashlib.blake2b(each.tobytes(), digest_size=8).hexdigest() for each in made]
    return {"name": name_of_preparation(model), "probe": hashes[0] if hashes[0] == hashes[1] else "drawn by chance"}


def name_of_preparation(model: Model) -> str:
    """A preset's name, or that of the user's function."""
    if model.prepare is None:
        return "images are used as they are"
    if isinstance(model.prepare, Preset):
        return model.prepare.name
    function = getattr(model.prepare, "function", model.prepare)
    return str(getattr(function, "__qualname__", type(function).__name__))


def _plain(value: Any) -> Any:
    """A number of NumPy as Python's, which JSON knows."""
    return value.item() if isinstance(value, np.generic) else value


def _no_box(size: tuple[int, int]) -> Box | None:
    return None


def _as_it_is(images: Array) -> Array:
    return images
