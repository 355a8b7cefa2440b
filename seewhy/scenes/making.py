"""One picture by rule, with its truth: the same for the same seed and index, whatever else is made, and when."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.reading import Pixels
from seewhy.images.resizing import Floats
from seewhy.scenes.ground import CLUTTER, NOISE, Random, clutter, colour_unlike, ground, laid
from seewhy.scenes.markers import KINDS, QUALITY, Spot
from seewhy.scenes.shapes import SHAPES, shape

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

SIZE = 0.20, 0.32  # radius of the object's circle, in shares of the side
# Distances in RGB of 0..255 to the ground's mean. Most objects stand out, so that a network soon learns shapes; the
# faint ones are what a shortcut helps with.
CONTRAST, FAINT, CLUTTER_CONTRAST = (130.0, 230.0), (30.0, 80.0), (60.0, 120.0)
FAINT_SHARE = 0.25
SIDES = 32, 1024  # pixels


@dataclass(frozen=True)
class Plant:
    """A shortcut to be planted.

    Args:
        kind: one of `scenes.KINDS`, such as 'logo anywhere', 'border' or 'tint'.
        on: the class whose pictures get it; None: those of all classes.
        rate: the share of these pictures that get it, 0..1. What a lower rate gives it to, a higher one does, too.
        strength: 1 as measured; of a marker with a place its opacity times this, else how far the picture is changed:
            the width of a blur, the share of the way to other colours.
        quality: of 'jpeg' alone, 1 (worst) to 95; None: 8 / strength.
    Raises:
        UnknownNameError: no such kind.
        InputError: a rate, strength or quality out of range, or the quality of another kind.
    """

    kind: str
    on: str | None = None
    rate: float = 0.5
    strength: float = 1.0
    quality: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            listed = ", ".join(map(repr, KINDS))
            remedy = did_you_mean(str(self.kind), KINDS, "take one of these")
            raise UnknownNameError(f"no kind of shortcut {self.kind!r}", f"one of {listed}", remedy)
        if not 0 <= self.rate <= 1:
            remedy = "write rate=0.5 to give it to half of the pictures"
            raise InputError(f"rate={self.rate}", "a share of 0 to 1", remedy)
        if not 0 < self.strength <= 4:
            raise InputError(f"strength={self.strength}", "above 0 and up to 4", "leave it out for 1, as measured")
        if self.quality is not None:
            _check_quality(self)

    @property
    def amount(self) -> float:
        """What a kind is drawn with: the strength, also where it was told as a quality."""
        return self.strength if self.quality is None else QUALITY / self.quality


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and the truth about it.

    Args:
        index: its number in the series.
        label: its class.
        picture: uint8 [side, side, 3], with what was planted.
        plain: uint8 [side, side, 3], the same picture without.
        object_mask: bool [side, side], the object's pixels, also those that a marker hides.
        marker_mask: bool [side, side], where markers were painted; a change of the whole picture has no place in it.
        planted: the kinds that were planted in it.
    """

    index: int
    label: str
    picture: Pixels
    plain: Pixels
    object_mask: Mask
    marker_mask: Mask
    planted: tuple[str, ...]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """The object's box: left, top, right, bottom in pixels, right and bottom behind the last one."""
        rows, columns = (np.flatnonzero(self.object_mask.any(axis=axis)) for axis in (1, 0))
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(frozen=True)
class Rules:
    """What a series of scenes is made by; checked once, so that making one is quick.

    Args:
        seed: 0 or more.
        classes: names of shapes, in the order of the labels.
        side: of the pictures, in pixels.
        plants: what is planted; not the same kind twice for one class.
    Raises:
        UnknownNameError: no such shape, or a plant on a class that is none of these.
        InputError: a number out of range, a class or plant given twice.
    """

    seed: int
    classes: tuple[str, ...]
    side: int
    plants: tuple[Plant, ...] = ()

    def __post_init__(self) -> None:
        _check_seed(self.seed)
        if not SIDES[0] <= self.side <= SIDES[1]:
            raise InputError(f"side={self.side}", f"{SIDES[0]} to {SIDES[1]} pixels", "leave it out for 64")
        _check_plants(self.plants, self.classes)

    def scene(self, index: int, label: str | None = None) -> Scene:
        """The scene of that index; of the class that comes with the index, unless `label` names another."""
        label = self.classes[index % len(self.classes)] if label is None else label
        pixels, cover = _plain(np.random.default_rng([self.seed, index]), label, self.side)
        planted = [plant for plant in self.plants if self._gets(plant, index, label)]
        changed, marked = pixels, np.zeros((self.side, self.side), bool)
        for plant in sorted(planted, key=lambda plant: not KINDS[plant.kind].local):  # what changes all comes last
            changed, where = _planted(changed, plant, Spot(self.side, cover), self._chance(plant, index))
            marked |= where
        return Scene(
            index=index,
            label=label,
            picture=_whole(changed),
            plain=_whole(pixels),
            object_mask=_readonly(cover >= 0.5),
            marker_mask=_readonly(marked),
            planted=tuple(plant.kind for plant in planted),
        )

    def with_plants(self, *plants: Plant) -> Rules:
        """The same pictures with other plants."""
        return replace(self, plants=plants)

    def _gets(self, plant: Plant, index: int, label: str) -> bool:
        return plant.on in (None, label) and self._chance(plant, index).random() < plant.rate

    def _chance(self, plant: Plant, index: int) -> Random:
        """A generator of its own for each kind and picture, so that nothing else that is planted moves it."""
        return np.random.default_rng([self.seed, index, zlib.crc32(plant.kind.encode())])


def rules(
    seed: int = 0, classes: int | Sequence[str] = 3, side: int = 64, plants: Plant | Sequence[Plant] = ()
) -> Rules:
    """Rules from what `make` and `scene` take."""
    single = (plants,) if isinstance(plants, Plant) else tuple(plants)
    return Rules(seed, _classes(classes), side, single)


def scene(
    index: int,
    seed: int = 0,
    *,
    classes: int | Sequence[str] = 3,
    side: int = 64,
    plants: Plant | Sequence[Plant] = (),
) -> Scene:
    """One picture of a series that has no end: where pictures are made as they are needed.

    Args:
        index: which one; the classes take turns.
        seed, classes, side, plants: as in `make`.
    Returns:
        The scene, the same as in `make(count, seed, ...)[index]`.
    Raises:
        UnknownNameError: no such class.
        InputError: a number out of range.
    """
    if index < 0:
        raise InputError(f"index={index}", "0 or more", "count from 0")
    return rules(seed, classes, side, plants).scene(index)


def _plain(rng: Random, label: str, side: int) -> tuple[Floats, Floats]:
    """The picture without markers, [side, side, 3] in 0..255, and how much of each pixel the object covers."""
    pixels = ground(side, rng)
    middle = pixels.mean(axis=(0, 1))
    for _ in range(CLUTTER):
        pixels = laid(pixels, colour_unlike(middle, *CLUTTER_CONTRAST, rng), clutter(side, rng))
    radius = rng.uniform(*SIZE)
    x, y = rng.uniform(radius, 1 - radius, 2)
    cover = shape(label, side, (x, y), radius, rng.uniform(0, 2 * np.pi))
    contrast = FAINT if rng.random() < FAINT_SHARE else CONTRAST
    pixels = laid(pixels, colour_unlike(middle, *contrast, rng), cover)
    return np.clip(pixels + rng.normal(0, NOISE, pixels.shape), 0, 255), cover


def _planted(pixels: Floats, plant: Plant, spot: Spot, rng: Random) -> tuple[Floats, Mask]:
    kind = KINDS[plant.kind]
    rng.random()  # the number that decided whether it is planted
    if kind.change is not None:
        return kind.change(pixels, plant.amount), np.zeros((spot.side, spot.side), bool)
    assert kind.paint is not None
    colours, opacity = kind.paint(spot, rng)
    opacity = np.clip(opacity * plant.strength, 0, 1)
    marked = opacity >= 1 / 32  # less is not seen
    return laid(pixels, colours, opacity * marked), marked


def _whole(pixels: Floats) -> Pixels:
    whole = np.rint(pixels).astype(np.uint8)
    whole.setflags(write=False)
    return whole


def _readonly(mask: Mask) -> Mask:
    mask.setflags(write=False)
    return mask


def _classes(classes: int | Sequence[str]) -> tuple[str, ...]:
    listed = ", ".join(map(repr, SHAPES))
    if isinstance(classes, str):
        raise InputError(f"classes={classes!r}", "a number or a list of shapes", f"write classes=[{classes!r}, ...]")
    if isinstance(classes, int):
        if not 2 <= classes <= len(SHAPES):
            raise InputError(f"classes={classes}", f"2 to {len(SHAPES)}", f"there are the shapes {listed}")
        return SHAPES[:classes]
    for name in classes:
        if name not in SHAPES:
            remedy = did_you_mean(str(name), SHAPES, "take some of these")
            raise UnknownNameError(f"no shape {name!r}", f"some of {listed}", remedy)
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise InputError(f"classes={list(classes)}", "two or more shapes, each once", f"take some of {listed}")
    return tuple(classes)


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed={seed!r}", "a whole number, 0 or more", "write seed=0")


def _check_quality(plant: Plant) -> None:
    if plant.kind != "jpeg":
        came = f"quality={plant.quality!r} of {plant.kind!r}"
        raise InputError(came, "the quality of 'jpeg' alone", f"write Plant({plant.kind!r}, strength=...)")
    if isinstance(plant.quality, bool) or not isinstance(plant.quality, int) or not 1 <= plant.quality <= 95:
        raise InputError(f"quality={plant.quality!r}", "a whole number of 1 (worst) to 95", "leave it out for 8")
    if plant.strength != 1:
        came = f"strength={plant.strength} and quality={plant.quality}"
        raise InputError(came, "one of them: both tell how strong the compression is", "leave one out")


def _check_plants(plants: Sequence[Plant], classes: Sequence[str]) -> None:
    for number, plant in enumerate(plants):
        if plant.on is not None and plant.on not in classes:
            listed = ", ".join(map(repr, classes))
            remedy = did_you_mean(str(plant.on), classes, "take one of these, or None for all")
            raise UnknownNameError(f"no class {plant.on!r} to plant {plant.kind!r} on", f"one of {listed}", remedy)
        for other in plants[:number]:
            if other.kind == plant.kind and (None in (other.on, plant.on) or other.on == plant.on):
                came = f"{plant.kind!r} planted twice on {plant.on or other.on or 'all classes'!r}"
                raise InputError(came, "each kind once for a class", "leave one out, or give them different classes")
