"""A region of interest: a word, a box, a mask or a finding, as shares of a map's cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.resizing import Box, Floats, covers
from seewhy.results.findings import Finding
from seewhy.studies.measuring import BORDER, Mask, boxes_on_cells, mask_on_cells

_T = 1 / 3
_B = BORDER
WORDS: dict[
    str, tuple[tuple[float, float, float, float], ...]
] = {  # left, top, right, bottom in shares of what is seen
    "middle": ((0.25, 0.25, 0.75, 0.75),),
    "border": ((0, 0, 1, _B), (0, 1 - _B, 1, 1), (0, 0, _B, 1), (1 - _B, 0, 1, 1)),
    "corners": ((0, 0, _T, _T), (1 - _T, 0, 1, _T), (0, 1 - _T, _T, 1), (1 - _T, 1 - _T, 1, 1)),
    "top left": ((0, 0, _T, _T),),
    "top right": ((1 - _T, 0, 1, _T),),
    "bottom left": ((0, 1 - _T, _T, 1),),
    "bottom right": ((1 - _T, 1 - _T, 1, 1),),
    "top": ((0, 0, 1, _T),),
    "bottom": ((0, 1 - _T, 1, 1),),
    "left": ((0, 0, _T, 1),),
    "right": ((1 - _T, 0, 1, 1),),
}
_EXPECTED = "a word ('middle', 'border', 'top right' ...), a box (left, top, right, bottom), a mask or a Finding"


@dataclass(frozen=True, eq=False)
class Region:
    """Where the heat should be, or should not, in one picture.

    Args:
        words: what it is called.
        boxes: left, top, right, bottom in pixels of the picture; or
        mask: bool [rows, columns] of the whole picture, in any resolution.
        size: width and height of the picture.
    """

    words: str
    boxes: tuple[Box, ...] | None
    mask: Mask | None
    size: tuple[int, int]

    def on_cells(self, seen: Box, shape: tuple[int, int]) -> Floats:
        """How much of each cell of a map lies in it: float [h, w], 0..1.

        Args:
            seen: what the map is of, in pixels of the picture.
            shape: of the map.
        """
        if self.boxes is not None:
            return boxes_on_cells(self.boxes, seen, shape)
        assert self.mask is not None
        return mask_on_cells(self.mask, self.size, seen, shape)

    def outline(self, shape: tuple[int, int]) -> Mask:
        """bool [height, width] of the whole picture in that resolution."""
        inside: Mask = self.on_cells((0, 0, *self.size), shape) >= 0.5
        return inside


def regions(given: Any, names: Sequence[str], sizes: Sequence[tuple[int, int]], seen: Sequence[Box]) -> list[Region]:
    """The region in each picture.

    Args:
        given: a word, a box in pixels, a mask of the picture's size, a finding; or a list with one for each picture.
        names: of the pictures.
        sizes: their widths and heights.
        seen: what the model sees of each.
    Raises:
        UnknownNameError: no such word.
        InputError: it is none of these, as many as the pictures are not, or lies outside what the model sees.
    """
    several = isinstance(given, list | tuple) and not _is_box(given) and not _is_mask(given)
    if several and len(given) != len(names):
        came = f"{len(given)} regions for {len(names)} pictures"
        raise InputError(came, "one for all, or one for each picture", "a box is (left, top, right, bottom)")
    each = list(given) if several else [given] * len(names)
    found = [_region(*one) for one in zip(each, names, sizes, seen, strict=True)]
    for one, name, box in zip(found, names, seen, strict=True):
        if not one.on_cells(box, (16, 16)).any():
            raise InputError(
                f"the region {one.words}, outside of what the model sees of {name}",
                "one that meets the rectangle {} of its {} x {} pixels".format(tuple(map(round, box)), *one.size),
                "boxes are (left, top, right, bottom) in pixels of the picture",
            )
    return found


def _region(given: Any, name: str, size: tuple[int, int], seen: Box) -> Region:
    if isinstance(given, str):
        return Region(f"the {_word(given)}", _placed(WORDS[_word(given)], seen), None, size)
    if isinstance(given, Finding):
        mask = np.zeros((min(size[1], 448), min(size[0], 448)), bool)
        across, down = mask.shape[1] / size[0], mask.shape[0] / size[1]
        rows, columns = covers((seen[0] * across, seen[1] * down, seen[2] * across, seen[3] * down), mask.shape)
        mask[rows, columns] = given.region((rows.stop - rows.start, columns.stop - columns.start))
        return Region(f"the region of {given.code}", None, mask, size)
    if _is_box(given):
        left, top, right, bottom = (float(edge) for edge in given)
        if not np.isfinite([left, top, right, bottom]).all() or left >= right or top >= bottom:
            expected = "left < right and top < bottom, in pixels of the picture"
            raise InputError(f"the box {tuple(given)}", expected, "write (left, top, right, bottom)")
        if right - left < 1 or bottom - top < 1:
            raise InputError(
                f"the box {tuple(given)}, smaller than a pixel of {name}",
                "left, top, right, bottom in pixels of the picture",
                f"for shares of it, multiply by its width of {size[0]} and its height of {size[1]}",
            )
        return Region(
            f"the box {tuple(map(round, (left, top, right, bottom)))}", ((left, top, right, bottom),), None, size
        )
    if _is_mask(given):
        mask = np.asarray(given) > 0
        if mask.shape != size[::-1]:
            came = f"a mask of {mask.shape[0]} x {mask.shape[1]} for {name}, of {size[1]} x {size[0]} (height x width)"
            raise InputError(came, "a mask as large as the picture", "give each picture its own: region=[mask, ...]")
        return Region("the mask", None, mask, size)
    raise InputError(f"a region of type {type(given).__name__}", _EXPECTED, "or a list with one for each picture")


def _word(given: str) -> str:
    plain = given.lower().replace("-", " ").replace("_", " ").removesuffix(" corner").strip()
    plain = {"centre": "middle", "center": "middle"}.get(plain, plain)
    if plain not in WORDS:
        listed = ", ".join(map(repr, WORDS))
        raise UnknownNameError(f"no region {given!r}", f"one of {listed}", did_you_mean(plain, WORDS, _EXPECTED))
    return plain


def _placed(shares: Sequence[Sequence[float]], seen: Box) -> tuple[Box, ...]:
    left, top, right, bottom = seen
    across, down = right - left, bottom - top
    return tuple((left + a * across, top + b * down, left + c * across, top + d * down) for a, b, c, d in shares)


def _is_box(given: Any) -> bool:
    sized = isinstance(given, list | tuple) or (isinstance(given, np.ndarray) and given.ndim == 1)
    return sized and len(given) == 4 and all(isinstance(edge, Real | np.number) for edge in given)


def _is_mask(given: Any) -> bool:
    shape = getattr(given, "shape", None) or getattr(given, "size", None)
    return not isinstance(given, str | Finding) and isinstance(shape, tuple) and len(shape) == 2
