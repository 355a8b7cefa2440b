"""Which pictures of a run are looked at again, in an order that is theirs alone; and reading them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Model
from seewhy.images.hashing import content_hash
from seewhy.images.reading import as_numpy, contents, decode
from seewhy.images.resizing import Floats
from seewhy.results.run import Run
from seewhy.results.tables import counted

NEEDED = 30  # pictures of a class
RECEIVERS = 384  # pictures, rightly answered, that regions are pasted into
_ROOM = 2**29  # bytes of prepared images that are kept


@dataclass(frozen=True)
class Picture:
    """A row of the run, as far as shortcuts need it."""

    id: int
    path: str
    hash: str
    predicted: int
    label: int | None
    group: str | None


@dataclass(frozen=True)
class Sample:
    """The pictures to look at.

    Args:
        classes: of each class with enough of them the pictures predicted as it.
        counts: of each of these classes, how many there are in the run.
        receivers: rightly answered pictures of all labels.
        few: classes with too few, and how many they have.
    """

    classes: dict[int, list[Picture]]
    counts: dict[int, int]
    receivers: list[Picture]
    few: dict[int, int]


def sampled(run: Run, per_class: int, seed: int) -> Sample:
    """Draws by chance, the same whatever the order of pictures and of parts.

    Raises:
        InputError: the run has no files, right answers of one class alone, or no class with enough pictures.
    """
    pictures = pictures_of(run)
    if not pictures or run.root is None:
        raise InputError(
            "a run whose pictures came without files",
            "pictures that can be read again: a folder or a manifest",
            "write the pictures to a folder and audit that",
        )
    predicted: dict[int, list[Picture]] = {}
    right: dict[int, list[Picture]] = {}
    for one in pictures:
        predicted.setdefault(one.predicted, []).append(one)
        if one.label == one.predicted:
            right.setdefault(one.predicted, []).append(one)
    enough = {k: each for k, each in sorted(predicted.items()) if len(each) >= NEEDED}
    few = {k: len(each) for k, each in sorted(predicted.items()) if len(each) < NEEDED}
    if not enough:
        most = max(few, key=lambda k: few[k])
        raise InputError(
            f"{counted(few[most], 'picture')} predicted as {run.name(most)!r}, and no class with more",
            f"{NEEDED} of a class at least, better 100, of which a group of 10 can be told apart",
            "audit more pictures",
        )
    if len(right) < 2:
        raise InputError(
            "right answers of fewer than two classes",
            "rightly answered pictures of other classes, into which what was looked at is pasted",
            "check the labels and the order of classes: seewhy check",
        )
    classes = {k: steady(each, per_class, seed) for k, each in enough.items()}
    return Sample(classes, {k: len(each) for k, each in enough.items()}, receiving(right, seed), few)


def receiving(right: Mapping[int, list[Picture]], seed: int) -> list[Picture]:
    """Draws receivers from rightly answered pictures, about as many of each class."""
    share = max(2, -(-RECEIVERS // max(len(right), 1)))
    found = [one for k, each in sorted(right.items()) for one in _drawn(each, share, [seed, k, 1])]
    return _drawn(found, 2 * RECEIVERS, [seed, 2])


def steady(pictures: Sequence[Picture], most: int, seed: int) -> list[Picture]:
    """At most so many pictures by chance, which stay nearly the same when a few come or go.

    So the findings of two models, which call other pictures a class, can be told to be the same ones.
    """
    if len(pictures) <= most:
        return list(pictures)
    keys = [content_hash(f"{seed} {one.hash}".encode()) for one in pictures]
    return [pictures[i] for i in sorted(sorted(range(len(pictures)), key=lambda i: keys[i])[:most])]


def pictures_of(run: Run) -> list[Picture]:
    """The run's pictures that have a file and an answer, in an order that is theirs alone."""
    table = run.select(
        ["id", "path", "hash", "predicted_index", "label_index", "group"], predicted_index=True, path=True
    )
    columns = [table[name].to_pylist() for name in table.column_names]
    return sorted((Picture(*row) for row in zip(*columns, strict=True)), key=lambda each: (each.hash, each.path))


def _drawn(pictures: list[Picture], most: int, seed: list[int]) -> list[Picture]:
    if len(pictures) <= most:
        return pictures
    places = np.random.default_rng(seed).choice(len(pictures), most, replace=False)
    return [pictures[i] for i in np.sort(places)]


@dataclass(eq=False)
class Reader:
    """Reads pictures of a run again and prepares them; what cannot be had is remembered, not fatal.

    Args:
        root: the folder below which the paths lie.
        model: wrapped, with its preparation.
        fast_decode: as in the audit.
    """

    root: Path
    model: Model
    fast_decode: int | None = None
    gone: dict[str, str] = field(default_factory=dict)  # path: why
    shape: tuple[int, ...] | None = None
    _kept: dict[str, Floats] = field(default_factory=dict)
    _bytes: int = 0

    def read(self, pictures: Sequence[Picture]) -> tuple[list[int], Floats]:
        """The places of those that could be read, and float32 [read, height, width, channels]."""
        with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "seewhy") as pool:
            found = list(pool.map(self._one, pictures))
        for one, image in zip(pictures, found, strict=True):
            if isinstance(image, str):
                self.gone[one.path] = image
                continue
            if self.shape is None:
                self.shape = image.shape
            if image.shape != self.shape:
                raise InputError(
                    f"images of {list(image.shape[:2])} and of {list(self.shape[:2])}",
                    "one size of all prepared images, so that a part of one can be pasted into another",
                    "wrap(model, prepare=...) with a preparation that gives one size",
                )
            if one.path not in self._kept and self._bytes + image.nbytes <= _ROOM:
                self._kept[one.path] = image
                self._bytes += image.nbytes
        kept = [i for i, image in enumerate(found) if not isinstance(image, str)]
        height, width, channels = self.shape or (1, 1, 3)
        images = [found[i] for i in kept]
        return kept, np.stack(images) if images else np.zeros((0, height, width, channels), np.float32)

    def forget(self) -> None:
        """Lets go of the images: findings hold on to their reader, and are kept for long."""
        self._kept, self._bytes = {}, 0

    def _one(self, picture: Picture) -> Floats | str:
        if picture.path in self._kept:
            return self._kept[picture.path]
        path = self.root / picture.path
        try:
            data = contents(path)
            if content_hash(data) != picture.hash:
                return "changed since the audit"
            return self.prepared(decode(data, f"the file {str(path)!r}", self.fast_decode)[0])
        except SeeWhyError as error:
            return error.came

    def prepared(self, picture: Any) -> Floats:
        """float32 [height, width, channels] of a PIL image."""
        assert self.model.prepare is not None
        image = as_numpy(self.model.prepare(picture)).astype(np.float32)
        if image.ndim == 2:
            image = image[..., None]
        elif self.model.channels_first:
            image = np.moveaxis(image, 0, -1)
        return np.ascontiguousarray(image)
