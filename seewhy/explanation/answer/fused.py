"""Several answers about one picture made into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from seewhy.errors import InputError
from seewhy.explanation.answer.seen import Seen
from seewhy.explanation.answer.single import Explanation
from seewhy.images.fusing import fuse

T = TypeVar("T")

_WORDS = {
    "mean": "the mean of {} maps",
    "max": "the highest value of {} maps at each place",
    "product": "the geometric mean (the n-th root of the product) of {} maps",
}
_SCALED = {
    "each": "each divided by its own largest magnitude first, so without unit",
    "none": "not scaled, so in units of the target's score",
}
NOWHERE = "The fused map is all zero: there is no place where all of the maps are above zero. Try the mean."


def fused(items: Sequence[Explanation], how: str, scale: str) -> Explanation:
    """One explanation from several, as `Explanations.fuse` says."""
    _check_pictures(items)
    if how == "product":
        _check_product(items)
    kept = [one for one in items if one.map.any()]
    if not kept:
        raise InputError(
            f"{len(items)} maps that are all zero",
            "at least one with something in it",
            "ask for other layers, for the predicted class, or with signed=True for what speaks against the target",
        )
    first = kept[0]
    shape = max(one.seen.grid for one in kept)
    joined = fuse([one.map for one in kept], shape, how, scale)
    left_out = [one.layer for one in items if not one.map.any()]
    notes = [f"Fused: {_WORDS[how].format(len(kept))}, {_SCALED[scale]}, on {shape[0]} x {shape[1]} cells."]
    if left_out:
        notes.append(f"Left out, as they are all zero: {len(left_out)} maps ({', '.join(dict.fromkeys(left_out))}).")
    if not joined.any():
        notes.append(NOWHERE)
    scores = [one.score for one in kept]
    one_model = all(np.array_equal(one.scores, first.scores) for one in kept)
    label = _common([one.label for one in kept])
    return replace(
        first,
        map=joined,
        scores=first.scores if one_model else np.zeros(0),
        probabilities=first.probabilities if one_model else np.zeros(0),
        score=first.score if len(set(scores)) == 1 else float(np.mean(scores)),
        probability=_common([one.probability for one in kept]) if label else None,
        target=_joined([one.target for one in kept], how, "targets"),
        label=label or " + ".join(dict.fromkeys(one.label for one in kept)),
        index=_common([one.index for one in kept]),
        layer=_joined([one.layer for one in kept], how, "layers"),
        method=_joined([one.method for one in kept], how, "methods"),
        model=" + ".join(dict.fromkeys(one.model for one in kept)),
        signed=any(one.signed for one in kept),
        notes=tuple(dict.fromkeys([*notes, *(note for one in kept for note in one.notes)])),
    )


def _check_pictures(items: Sequence[Explanation]) -> None:
    first = items[0].seen
    for one in items:
        if not _same_picture(one.seen, first):
            raise InputError(
                f"maps of several pictures ({first.name}, {one.name})",
                "maps of one picture",
                "fuse the answers of each picture by themselves",
            )
        if not np.allclose(one.box, items[0].box, atol=1):
            raise InputError(
                f"maps of several crops of {first.name} ({one.model}, {items[0].model})",
                "models that see the same part of the picture",
                "average what `upscaled()` gives, which lies on the picture",
            )


def _check_product(items: Sequence[Explanation]) -> None:
    empty = [one.layer for one in items if not one.map.any()]
    if empty:
        raise InputError(
            f"a product with {len(empty)} maps that are all zero ({', '.join(dict.fromkeys(empty))})",
            "maps with something in them: one zero makes the product zero",
            "leave them out, Explanations(one for one in found if not one.empty).product(), or fuse by mean()",
        )
    for one in items:
        if one.map.min() < 0:
            raise InputError(
                f"values below 0 at {one.layer!r} in a product",
                "maps of what speaks for the target alone: two that speak against it would make one for it",
                "ask without signed=True, or fuse by mean()",
            )


def _same_picture(one: Seen, other: Seen) -> bool:
    return one is other or (one.picture.shape == other.picture.shape and np.array_equal(one.picture, other.picture))


def _common(values: Sequence[T]) -> T | None:
    """The value, where all are the same."""
    return values[0] if all(value == values[0] for value in values) else None


def _joined(values: Sequence[Any], how: str, noun: str) -> str:
    different = len(set(values))
    return str(values[0]) if different == 1 else f"{how} of {different} {noun}"
