"""Pictures made against a shortcut: the finding covered, laid into other classes, or backgrounds exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.explanation import explain
from seewhy.images.probing import box_of
from seewhy.images.reading import read
from seewhy.images.resizing import Floats, place
from seewhy.models import as_model
from seewhy.results.findings import WHOLE, Finding
from seewhy.results.store import key_of
from seewhy.studies.shortcuts.covering import covered, pasted
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.knowing import SHOWS, Known
from seewhy.studies.supplement.making import Maker, Random
from seewhy.studies.supplement.measures import scored
from seewhy.studies.supplement.pictures import Item

SIDE = 512  # pixels of the longer side of what is made, at most


def cover(finding: Finding) -> Maker:
    """A supplement for `study`: the pictures that show a finding, with it covered by what surrounds it.

    They keep their class, which the model must then know by something else.

    Args:
        finding: of `find_shortcuts`, with its model.
    Raises:
        InputError: the finding was opened from a folder, without its model, or has no place (a tint, blur).
    """
    return _Cover(_usable(finding))


def transplant(finding: Finding) -> Maker:
    """A supplement for `study`: pictures of all other classes, with the finding laid into them.

    They keep their class, so that the finding tells nothing any more. Where and what it is comes from a picture that
    shows it, drawn by chance for each, at its own place.

    Args:
        finding: as in `cover`.
    Raises:
        InputError: the finding was opened from a folder, without its model, or has no place (a tint, blur).
    """
    return _Transplant(_usable(finding))


def swap_backgrounds(model: Any, threshold: float = 0.3) -> Maker:
    """A supplement for `study`: what speaks for a picture's class, before the background of another.

    By the map of the label: where it reaches a share of its maximum is kept, and the rest is taken from a picture of
    another class, drawn by chance, with that one's own object covered. It is only as good as the maps: look at what was
    made, in the study's folder `made`.

    Args:
        model: as in `explain`, one that knows the classes by name.
        threshold: of the map's maximum, 0..1.
    Raises:
        InputError: a threshold outside 0..1.
    """
    if not 0 < threshold < 1:
        raise InputError(f"threshold={threshold}", "a share between 0 and 1", "leave it out for 0.3")
    return _Swap(as_model(model), threshold)


class _Cover:
    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        self.name, self.key = f"cover {finding.code}", _key(finding)

    def chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        return _showing(self.finding, items)

    def made(self, item: Item, items: Sequence[Item], rng: Random) -> Any:
        picture = _small(item)
        mask = _mask(self.finding, picture)
        return _picture(covered(_values(picture), mask[None])[0])


class _Transplant:
    def __init__(self, finding: Finding) -> None:
        self.finding, self.donors = finding, list[Item]()
        self.name, self.key = f"transplant {finding.code}", _key(finding)

    def chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        self.donors = _showing(self.finding, items)
        return [item for item in items if str(item.label) != self.finding.label] if self.donors else []

    def made(self, item: Item, items: Sequence[Item], rng: Random) -> Any:
        picture, donor = _small(item), _small(self.donors[rng.integers(len(self.donors))])
        mask = Image.fromarray(_mask(self.finding, donor)).resize(picture.size, Image.Resampling.NEAREST)
        laid = donor.resize(picture.size, Image.Resampling.BILINEAR)
        return _picture(pasted(_values(laid), np.asarray(mask)[None], _values(picture))[0])


class _Swap:
    def __init__(self, model: Any, threshold: float) -> None:
        self.model, self.threshold = model, threshold
        self.name = f"swap backgrounds by {model.name}"
        self.key = key_of({"model": model.fingerprint(), "threshold": threshold})

    def chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        return items

    def made(self, item: Item, items: Sequence[Item], rng: Random) -> Any:
        others = [other for other in items if other.label != item.label]
        behind = others[rng.integers(len(others))]
        picture, ground = _small(item), _small(behind)
        own, theirs = self._object(picture, item), self._object(ground, behind)
        empty = _picture(covered(_values(ground), theirs[None])[0]).resize(picture.size, Image.Resampling.BILINEAR)
        return _picture(pasted(_values(picture), own[None], _values(empty))[0])

    def _object(self, picture: Image.Image, item: Item) -> Masks:
        found: Masks = explain(self.model, picture, target=item.label).mask(self.threshold)
        return found


def _usable(finding: Finding) -> Finding:
    if not isinstance(finding, Finding):
        raise InputError(f"a finding of type {type(finding).__name__}", "one of find_shortcuts", "write findings[0]")
    if finding.kind == WHOLE:
        raise InputError(
            f"{finding.code}, which has no place that could be covered or laid elsewhere",
            "a finding with a place",
            "hand over an augmentation as supplement=; the finding's remedy says of what",
        )
    if finding.probe is None:
        finding.score([])  # says what to do
    return finding


def _key(finding: Finding) -> str:
    """The same for the same finding, which a code alone is not."""
    model = finding.probe.reader.model.fingerprint() if isinstance(finding.probe, Known) else None
    return key_of({"model": model, "label": finding.label, "pictures": sorted(finding.hashes)})


def _showing(finding: Finding, items: Sequence[Item]) -> list[Item]:
    """The pictures of the finding's class that show it."""
    own = [item for item in items if str(item.label) == finding.label]
    scores = scored(finding, [item.source for item in own]) if own else np.zeros(0)
    return [item for item, score in zip(own, scores, strict=True) if score >= SHOWS]


def _mask(finding: Finding, picture: Image.Image) -> Masks:
    """bool [height, width] of the picture: where the finding is in it."""
    seen = finding.mask(picture).astype(np.float32)
    prepare = finding.probe.reader.model.prepare if isinstance(finding.probe, Known) else None
    box = None if prepare is None else box_of(prepare, picture.size)
    return np.asarray(place(seen, (picture.height, picture.width), box, "nearest") > 0.5)


def _small(item: Item) -> Image.Image:
    """Covering takes time with the third power of a side."""
    picture = read(item.source)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return picture


def _values(picture: Image.Image) -> Floats:
    return np.asarray(picture, np.float32)[None]


def _picture(values: Floats) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))
