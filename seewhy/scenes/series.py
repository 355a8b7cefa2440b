"""Many scenes at once, as arrays; and the same scenes with something pasted into all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from seewhy.errors import InputError
from seewhy.images.reading import Pixels
from seewhy.scenes.making import Mask, Plant, Rules, Scene, rules
from seewhy.scenes.writing import write

Whole: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, eq=False)
class Scenes:
    """Scenes in arrays that belong together by their first axis.

    Args:
        rules: what they were made by.
        pictures: uint8 [n, side, side, 3], with what was planted.
        plain: uint8 [n, side, side, 3], the same pictures without.
        labels: int64 [n], indexes into `names`.
        object_masks: bool [n, side, side].
        marker_masks: bool [n, side, side], where markers were painted; empty for changes of the whole picture.
        planted: bool [n, plants], which of `rules.plants` are in the picture.
    """

    rules: Rules
    pictures: Pixels
    plain: Pixels
    labels: Whole
    object_masks: Mask
    marker_masks: Mask
    planted: Mask

    @property
    def names(self) -> tuple[str, ...]:
        """The classes, in the order of the labels."""
        return self.rules.classes

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Scene:
        i = range(len(self))[index]
        on = self.names[self.labels[i]]
        kinds = tuple(p.kind for p, there in zip(self.rules.plants, self.planted[i], strict=True) if there)
        return Scene(i, on, self.pictures[i], self.plain[i], self.object_masks[i], self.marker_masks[i], kinds)

    def __iter__(self) -> Iterator[Scene]:
        return (self[i] for i in range(len(self)))

    def pasted(self, plant: Plant) -> Scenes:
        """The same pictures without what was planted, and with this pasted into all of them, whatever their class."""
        everywhere = replace(plant, on=None, rate=1.0)
        return _series(len(self), self.rules.with_plants(everywhere))

    def write(self, folder: str | Path, split: str = "") -> Path:
        """As `scenes.write`: folders of PNG files by label, masks, and a manifest, whose path is returned."""
        return write(self, folder, split)


def make(
    count: int,
    seed: int = 0,
    *,
    classes: int | Sequence[str] = 3,
    side: int = 64,
    plants: Plant | Sequence[Plant] = (),
) -> Scenes:
    """Pictures of shapes on textured ground, and what is true about them.

    A picture depends on the seed and its index alone: more pictures, or other plants, leave it as it is. Training and
    test pictures are those of two seeds.

    Args:
        count: how many. Each takes some 30 KB at 64 pixels; for more than fit in memory see `scene`.
        seed: 0 or more.
        classes: how many of `scenes.SHAPES`, or their names in the order of the labels; they take turns.
        side: of the pictures, in pixels.
        plants: what is planted.
    Returns:
        The scenes.
    Raises:
        UnknownNameError: no such shape, or a plant on a class that is none of these.
        InputError: a number out of range, or the same kind planted twice on one class.
    """
    if count < 1:
        raise InputError(f"count={count}", "1 or more", "say how many pictures to make")
    return _series(count, rules(seed, classes, side, plants))


def _series(count: int, rules: Rules) -> Scenes:
    shape = (count, rules.side, rules.side)
    pictures, plain = np.empty((*shape, 3), np.uint8), np.empty((*shape, 3), np.uint8)
    objects, markers = np.empty(shape, bool), np.empty(shape, bool)
    labels, planted = np.empty(count, np.int64), np.empty((count, len(rules.plants)), bool)
    for i in range(count):
        one = rules.scene(i)
        pictures[i], plain[i], objects[i], markers[i] = one.picture, one.plain, one.object_mask, one.marker_mask
        labels[i] = rules.classes.index(one.label)
        planted[i] = [plant.kind in one.planted and plant.on in (None, one.label) for plant in rules.plants]
    for array in (pictures, plain, labels, objects, markers, planted):
        array.setflags(write=False)
    return Scenes(rules, pictures, plain, labels, objects, markers, planted)
