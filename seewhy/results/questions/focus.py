"""Where the model looks for each class on average: right answers beside wrong ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Floats, floats, ints, lists
from seewhy.results.questions.confusion import names_of
from seewhy.results.questions.looking import ANSWERS, PLACES, TITLE, Looked, table
from seewhy.results.tables import aligned, html

if TYPE_CHECKING:
    from seewhy.results.run import Run

GRID, FINEST = (14, 14), 28  # cells: of maps of several sizes; of maps of one size at most
_AT_ONCE = 2_048  # maps


@dataclass(frozen=True, eq=False, repr=False)
class Focus:
    """Where the model looks for each class that it predicts.

    Args:
        looked: by class, right before wrong.
        maps: for each of `looked` float32 [h, w]: the mean of the maps, each as shares that add up to 1, over what the
            model saw.
        empty: pictures with an empty map, which are in no mean.
        grid: rows and columns of the mean maps.
    """

    looked: tuple[Looked, ...]
    maps: tuple[Floats, ...]
    empty: int
    grid: tuple[int, int]

    def __len__(self) -> int:
        return len(self.looked)

    @property
    def names(self) -> list[str]:
        """The classes that were predicted, in the order of the model's outputs."""
        return list(dict.fromkeys(each.name for each in self.looked))

    def map(self, name: str, answers: str) -> Floats | None:
        """The mean map of 'right' or 'wrong' answers `name`; None where there are none."""
        pairs = zip(self.looked, self.maps, strict=True)
        return next((each for one, each in pairs if (one.name, one.answers) == (name, answers)), None)

    def difference(self, name: str) -> Floats | None:
        """The mean map of right answers minus that of wrong ones: float32 [h, w]; it adds up to 0."""
        right, wrong = self.map(name, "right"), self.map(name, "wrong")
        return None if right is None or wrong is None else right - wrong

    def shifted(self) -> list[str]:
        """The classes with right and wrong answers, those first where the two look at the most different places."""
        gaps = {name: gap for name in self.names if (gap := self.difference(name)) is not None}
        return sorted(gaps, key=lambda name: -float(np.abs(gaps[name]).sum()))

    def save(self, path: str | Path, limit: int = 8) -> None:
        """Writes the mean maps as a picture. See `Run.mean_maps`."""
        from seewhy.images import panels
        from seewhy.results.drawn.galleries import mean_maps

        panels.save(mean_maps(self, limit), path)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        looked = [{**asdict(one), "map": each.tolist()} for one, each in zip(self.looked, self.maps, strict=True)]
        return {"grid": list(self.grid), "empty": self.empty, "looked": looked}

    def __repr__(self) -> str:
        return f"{TITLE}\n" + aligned(*table(self.looked)) if self.looked else "no maps"

    def _repr_html_(self) -> str:
        return html(*table(self.looked), caption=TITLE) if self.looked else "<p>no maps</p>"


def focused(run: Run, label: str | int | None = None) -> Focus:
    """See `Run.focus`."""
    chosen = {} if label is None else {"label": label}
    grid, empty = grid_of(run, chosen)
    totals: dict[int, _Total] = {}
    columns = ["correct", "predicted_index", "map", "map_height", "map_width", *PLACES]
    for batch in run.batches(columns, where=pc.field("map_scale") > 0, error=None, **chosen):
        maps = shares(batch, grid)  # [rows, h, w]
        places = np.column_stack([floats(batch[place]) for place in PLACES]).astype(np.float64)  # [rows, 4]
        codes = ints(batch["predicted_index"]).astype(np.int64) * 3 + ints(batch["correct"]) + 1
        for code in np.unique(codes).tolist():
            of_code = codes == code
            totals.setdefault(code, _Total(grid)).add(maps[of_code], places[of_code])
    order = sorted(totals, key=lambda code: (code // 3, -(code % 3)))
    names = names_of(run, [code // 3 for code in order])
    looked = [
        Looked(name, code // 3, ANSWERS[code % 3], totals[code].pictures, *totals[code].places)
        for name, code in zip(names, order, strict=True)
    ]
    return Focus(tuple(looked), tuple(totals[code].map for code in order), empty, grid)


def shares(batch: Any, grid: tuple[int, int]) -> Floats:
    """The maps of a batch on one grid, each adding up to 1: float32 [rows, h, w].

    A cell that lies across several cells of the grid is dealt out by area, so that nothing is lost or made.
    """
    values, starts = lists(batch["map"])
    sizes = np.column_stack([ints(batch["map_height"], 0), ints(batch["map_width"], 0)])
    result = np.zeros((len(sizes), *grid), np.float32)
    for size in np.unique(sizes, axis=0):
        height, width = size.tolist()
        rows = np.flatnonzero((sizes == size).all(axis=1) & (np.diff(starts) == height * width))
        if not len(rows) or not height * width:
            continue
        for some in np.split(rows, range(_AT_ONCE, len(rows), _AT_ONCE)):  # an index of 8 bytes is made for each cell
            cells: Floats = values[starts[some][:, None] + np.arange(height * width)].astype(np.float32)
            cells = cells.reshape(len(some), height, width)
            if (height, width) != grid:
                cells = _dealt(height, grid[0]) @ cells @ _dealt(width, grid[1]).T
            total = cells.sum(axis=(1, 2), keepdims=True)
            result[some] = np.divide(cells, total, out=np.zeros_like(cells), where=total > 0)
    return result


class _Total:
    """Sums of maps and of shares, so that no row need be kept."""

    def __init__(self, grid: tuple[int, int]) -> None:
        self.pictures = 0
        self.sum = np.zeros(grid)
        self.shares, self.known = np.zeros(len(PLACES)), np.zeros(len(PLACES), np.int64)

    def add(self, maps: Floats, places: Floats) -> None:
        self.pictures += len(maps)
        self.sum += maps.sum(axis=0, dtype=np.float64)
        self.shares += np.nansum(places, axis=0)
        self.known += np.isfinite(places).sum(axis=0)

    @property
    def map(self) -> Floats:
        return (self.sum / max(1, self.pictures)).astype(np.float32)

    @property
    def places(self) -> list[float | None]:
        return [float(s / n) if n else None for s, n in zip(self.shares, self.known, strict=True)]


def grid_of(run: Run, chosen: dict[str, Any]) -> tuple[tuple[int, int], int]:
    """Rows and columns that suit the maps of these pictures, and how many maps are empty."""
    found: set[tuple[int, int]] = set()
    empty = 0
    for batch in run.batches(["map_height", "map_width", "map_scale"], error=None, **chosen):
        drawn = floats(batch["map_scale"]) > 0
        empty += int(np.count_nonzero(~drawn))
        codes = np.unique(
            ints(batch["map_height"], 0)[drawn].astype(np.int64) << 16 | ints(batch["map_width"], 0)[drawn]
        )
        found.update((int(code) >> 16, int(code) & 0xFFFF) for code in codes)
    if len(found) != 1:
        return GRID, empty
    ((height, width),) = found
    return (min(FINEST, height), min(FINEST, width)), empty


def _dealt(cells: int, parts: int) -> Floats:
    """How much of each cell of an axis falls into each part of it: float32 [parts, cells]; columns add up to 1."""
    edges = np.arange(cells + 1) / cells * parts
    low, high = np.arange(parts)[:, None], np.arange(1, parts + 1)[:, None]
    overlap = np.clip(np.minimum(high, edges[1:]) - np.maximum(low, edges[:-1]), 0, None)
    return np.asarray(overlap * cells / parts, np.float32)
