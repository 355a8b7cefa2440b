"""Where a map lies, in numbers, whatever its resolution."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from seewhy.images.resizing import Box

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

BORDER, CORNER = 0.1, 0.25  # of each side
_FINE = 224  # points of a side, about, at which boxes and masks are looked up


def measured(maps: Floats) -> dict[str, Floats]:
    """Peak, centre of mass, spread, entropy, and shares on border and corners.

    Args:
        maps: float [n, h, w], not negative.
    Returns:
        float [n] by the name of the column of a run; NaN where the map is all zero.
    """
    n, h, w = maps.shape
    total = maps.sum(axis=(1, 2), dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = maps / total[:, None, None]
        highest = maps.reshape(n, -1).argmax(axis=1)
        rows, columns = (np.arange(h) + 0.5) / h, (np.arange(w) + 0.5) / w
        down, across = shares.sum(axis=2) @ rows, shares.sum(axis=1) @ columns
        square = shares.sum(axis=2) @ rows**2 + shares.sum(axis=1) @ columns**2 - down**2 - across**2
        logs = np.log(np.where(shares > 0, shares, 1))
        found = {
            "peak_row": np.where(total > 0, rows[highest // w], np.nan),
            "peak_column": np.where(total > 0, columns[highest % w], np.nan),
            "centre_row": down,
            "centre_column": across,
            "spread": np.sqrt(np.maximum(square, 0)),
            "entropy": -(shares * logs).sum(axis=(1, 2)) / np.log(h * w) if h * w > 1 else 0 * total,
            "border": (shares * _border(h, w)).sum(axis=(1, 2)),
            "corners": (shares * _corners(h, w)).sum(axis=(1, 2)),
        }
    return found


def share_inside(map: Floats, inside: Floats) -> float:
    """Share of a map [h, w] where `inside` [h, w] says how much of each cell counts; NaN for a map of zeros."""
    total = float(map.sum())
    return float((map * inside).sum() / total) if total > 0 else float("nan")


def boxes_on_cells(boxes: Sequence[Sequence[float]], seen: Box, shape: tuple[int, int]) -> Floats:
    """How much of each cell of a map lies in any of the boxes.

    Args:
        boxes: left, top, right, bottom in pixels of the picture.
        seen: what the model saw of the picture, in the same pixels.
        shape: of the map.
    Returns:
        float [h, w], 0..1.
    """
    y, x = _points(seen, shape)
    inside = np.zeros((len(y), len(x)), bool)
    for left, top, right, bottom in boxes:
        inside |= np.outer((y >= top) & (y < bottom), (x >= left) & (x < right))
    return _per_cell(inside, shape)


def mask_on_cells(mask: Mask, size: tuple[int, int], seen: Box, shape: tuple[int, int]) -> Floats:
    """How much of each cell of a map lies in a mask.

    Args:
        mask: bool [rows, columns] of the whole picture, in any resolution.
        size: width and height of the picture.
        seen: what the model saw of it, in its pixels.
        shape: of the map.
    Returns:
        float [h, w], 0..1.
    """
    y, x = _points(seen, shape)
    rows = np.floor(y * mask.shape[0] / size[1]).astype(int)
    columns = np.floor(x * mask.shape[1] / size[0]).astype(int)
    known = np.outer((rows >= 0) & (rows < mask.shape[0]), (columns >= 0) & (columns < mask.shape[1]))
    found = mask[np.clip(rows, 0, mask.shape[0] - 1)][:, np.clip(columns, 0, mask.shape[1] - 1)]
    return _per_cell(found & known, shape)


def _points(seen: Box, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """Centres of a fine grid over what was seen, each cell divided alike, in pixels of the picture: y and x."""
    left, top, right, bottom = seen
    across, down = (side * max(1, round(_FINE / side)) for side in (shape[1], shape[0]))
    return top + (np.arange(down) + 0.5) / down * (bottom - top), left + (np.arange(across) + 0.5) / across * (
        right - left
    )


def _per_cell(fine: Mask, shape: tuple[int, int]) -> Floats:
    h, w = shape
    means: Floats = fine.reshape(h, fine.shape[0] // h, w, fine.shape[1] // w).mean(axis=(1, 3))
    return means


@lru_cache(maxsize=64)
def _border(h: int, w: int) -> Floats:
    """float [h, w]: how much of each cell lies in the outer tenth at a side."""
    outer: Floats = 1 - np.outer(_within(h, BORDER, 1 - BORDER), _within(w, BORDER, 1 - BORDER))
    return outer


@lru_cache(maxsize=64)
def _corners(h: int, w: int) -> Floats:
    """float [h, w]: how much of each cell lies in a corner."""
    outer: Floats = np.outer(1 - _within(h, CORNER, 1 - CORNER), 1 - _within(w, CORNER, 1 - CORNER))
    return outer


def _within(cells: int, start: float, end: float) -> Floats:
    """float [cells]: how much of each of the cells of a line 0..1 lies between start and end."""
    edges = np.arange(cells + 1) / cells
    within: Floats = np.maximum(np.minimum(edges[1:], end) - np.maximum(edges[:-1], start), 0) * cells
    return within
