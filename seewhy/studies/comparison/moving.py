"""Maps of different models brought together: onto one grid over the original picture, whatever each model saw of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Floats, Ints, floats, ints, lists
from seewhy.results.questions.focus import grid_of
from seewhy.results.run import Run

LEAST, MOST = 4, 14  # cells of a side of the common grid
_AT_ONCE = 2_048  # maps
_FLAT = 1e-3  # of the maximum: maps are stored in half precision


@dataclass(frozen=True, eq=False)
class Laid:
    """The maps of a run, laid over the original pictures.

    Args:
        cells: float16 [n, h, w] over the whole picture, the highest 1; zeros for no map.
        boxes: float32 [n, 4], what the model saw: left, top, right, bottom as parts of the picture.
        told: bool [n], the map is there, and not the same everywhere.
        heat: float32 [regions, n], the share of the map in each region; NaN without a map.
    """

    cells: Floats
    boxes: Floats
    told: Ints
    heat: Floats


def common_grid(runs: Sequence[Run]) -> tuple[int, int]:
    """Rows and columns that no run's maps are coarser than, from 4 to 14 a side."""
    sizes = np.array([grid_of(run, {})[0] for run in runs]).min(axis=0)
    rows, columns = np.clip(sizes, LEAST, MOST).tolist()
    return rows, columns


def boxes_of(run: Run, ids: Ints) -> Floats:
    """float32 [n, 4]: what a run's model saw of each picture; all of it where that is not known."""
    result = np.tile(np.array([0, 0, 1, 1], np.float32), (len(ids), 1))
    for rows, places in _matched(run, ids, ["box", "width", "height"], None):
        result[places] = _boxes(rows)
    return result


def laid(run: Run, ids: Ints, grid: tuple[int, int], regions: Sequence[Any], seen: Floats) -> Laid:
    """Reads the maps of a run once, in pieces.

    Args:
        ids: int [n], of the pictures.
        grid: rows and columns over the whole picture.
        regions: bool [h, w] each, over `seen`.
        seen: float [n, 4], the part of each picture that the regions lie on: as `boxes_of`.
    """
    n = len(ids)
    boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (n, 1))
    result = Laid(np.zeros((n, *grid), np.float16), boxes, np.zeros(n, bool), np.full((len(regions), n), np.nan, "f4"))
    columns = ["map", "map_height", "map_width", "box", "width", "height"]
    for rows, places in _matched(run, ids, columns, pc.field("map_scale") > 0):
        own = _boxes(rows)
        boxes[places] = own
        for some, cells in _cells(rows):
            where, at = places[some], own[some]
            highest, lowest = cells.max(axis=(1, 2)), cells.min(axis=(1, 2))
            result.told[where] = (highest - lowest) > _FLAT * highest
            down, across = (
                _dealt(cells.shape[1], grid[0], at[:, [1, 3]]),
                _dealt(cells.shape[2], grid[1], at[:, [0, 2]]),
            )
            whole = down @ cells @ across.transpose(0, 2, 1)  # [k, *grid]
            top = whole.max(axis=(1, 2), keepdims=True)
            result.cells[where] = np.divide(whole, top, out=np.zeros_like(whole), where=top > 0)
            total = cells.sum(axis=(1, 2))
            for number, region in enumerate(regions):
                inside = _covered(cells.shape[1:], at, np.asarray(region, np.float32), seen[where])
                with np.errstate(invalid="ignore", divide="ignore"):
                    result.heat[number, where] = (cells * inside).sum(axis=(1, 2)) / total
    return result


def likeness(one: Laid, other: Laid) -> Floats:
    """float [n]: the correlation of two runs' maps over what either model saw; NaN where one is flat or missing."""
    n, height, width = one.cells.shape
    result = np.full(n, np.nan)
    for start in range(0, n, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        seen = np.maximum(_seen(one.boxes[part], (height, width)), _seen(other.boxes[part], (height, width)))
        found = _correlation(one.cells[part], other.cells[part], seen)
        result[part] = np.where(one.told[part] & other.told[part], found, np.nan)
    return result


def by_chance(one: Laid, pictures: int = 2_000, seed: int = 0) -> float | None:
    """The median correlation of a run's maps of different pictures: what is alike without a common reason."""
    known = np.flatnonzero(one.told)
    if len(known) < 2:
        return None
    drawn = np.random.default_rng(seed).permutation(known)[:pictures]
    first, second = one.cells[drawn], one.cells[np.roll(drawn, 1)]
    found = _correlation(first, second, np.ones(first.shape, np.float32))
    return float(np.nanmedian(found)) if np.isfinite(found).any() else None


def _correlation(one: Floats, other: Floats, weight: Floats) -> Floats:
    """Pearson's, weighted: float [n]."""
    w = weight.reshape(len(weight), -1).astype(np.float64)
    x, y = (each.reshape(len(each), -1).astype(np.float64) for each in (one, other))
    total = w.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = (each - (w * each).sum(axis=1, keepdims=True) / total for each in (x, y))
        spread = np.sqrt((w * x * x).sum(axis=1) * (w * y * y).sum(axis=1))
        found: Floats = np.where(spread > 1e-12, (w * x * y).sum(axis=1) / spread, np.nan)
    return found


def _matched(run: Run, ids: Ints, columns: list[str], where: Any) -> Iterator[tuple[Any, Ints]]:
    """Pieces of the run with the places in `ids` of their rows; rows of other pictures are left out."""
    order = np.argsort(ids, kind="stable")
    ranked = ids[order]
    for batch in run.batches(["id", *columns], where=where, error=None):
        own = ints(batch["id"])
        at = np.minimum(np.searchsorted(ranked, own), len(ranked) - 1)
        kept = np.flatnonzero(ranked[at] == own)
        if len(kept):
            yield batch if len(kept) == len(own) else batch.take(kept), order[at[kept]]


def _boxes(rows: Any) -> Floats:
    """float32 [k, 4] as parts of the pictures."""
    values, starts = lists(rows["box"])
    result = np.tile(np.array([0, 0, 1, 1], np.float32), (len(starts) - 1, 1))
    whole = np.diff(starts) == 4
    if whole.any():
        sides = np.column_stack([floats(rows["width"]), floats(rows["height"])]).astype(np.float64)[whole]
        found = values[starts[:-1][whole][:, None] + np.arange(4)] / np.tile(sides, 2)
        sound = np.isfinite(found).all(axis=1) & (found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])
        result[np.flatnonzero(whole)[sound]] = found[sound]
    return result


def _cells(rows: Any) -> Iterator[tuple[Ints, Floats]]:
    """The rows of each size of map with their maps: int [k], float32 [k, h, w]."""
    values, starts = lists(rows["map"])
    sizes = np.column_stack([ints(rows["map_height"], 0), ints(rows["map_width"], 0)])
    for height, width in np.unique(sizes, axis=0).tolist():
        same = np.flatnonzero((sizes == (height, width)).all(axis=1) & (np.diff(starts) == height * width))
        if len(same) and height * width:
            cells = values[starts[same][:, None] + np.arange(height * width)].astype(np.float32)
            cells = np.nan_to_num(cells, posinf=0, neginf=0)
            yield same, cells.reshape(len(same), height, width)


def _dealt(cells: int, parts: int, span: Floats) -> Floats:
    """How much of each cell of a map's axis falls into each part of the picture's: float32 [k, parts, cells].

    Args:
        span: float [k, 2], where the map begins and ends, as parts of the picture.
    """
    edges = span[:, :1] + (span[:, 1:] - span[:, :1]) * np.arange(cells + 1) / cells  # [k, cells + 1]
    return _overlap(edges, np.tile(np.arange(parts + 1) / parts, (len(span), 1)))


def _covered(shape: tuple[int, ...], at: Floats, region: Floats, seen: Floats) -> Floats:
    """How much of each cell of a map that lies on `at` is in a region that lies on `seen`: float32 [k, h, w]."""
    sides = []
    for axis, ends in ((0, [1, 3]), (1, [0, 2])):
        cells, parts = shape[axis], region.shape[axis]
        own = at[:, ends[:1]] + (at[:, ends[1:]] - at[:, ends[:1]]) * np.arange(cells + 1) / cells
        theirs = seen[:, ends[:1]] + (seen[:, ends[1:]] - seen[:, ends[:1]]) * np.arange(parts + 1) / parts
        sides.append(_overlap(own, theirs))  # [k, parts, cells]
    return np.asarray(sides[0].transpose(0, 2, 1) @ region @ sides[1])


def _overlap(cells: Floats, parts: Floats) -> Floats:
    """The share of each cell that lies in each part, both by their edges: float32 [k, parts, cells]."""
    high = np.minimum(cells[:, None, 1:], parts[:, 1:, None])
    low = np.maximum(cells[:, None, :-1], parts[:, :-1, None])
    return np.asarray(np.clip(high - low, 0, None) / np.diff(cells, axis=1)[:, None], np.float32)


def _seen(boxes: Floats, grid: tuple[int, int]) -> Floats:
    """How much of each cell of a grid over the picture a model saw: float32 [k, h, w]."""
    sides = []
    for parts, ends in ((grid[0], [1, 3]), (grid[1], [0, 2])):
        edges = np.tile(np.arange(parts + 1) / parts, (len(boxes), 1))
        sides.append(_overlap(edges, boxes[:, ends])[:, 0])  # [k, parts]
    found: Floats = sides[0][:, :, None] * sides[1][:, None]
    return found
