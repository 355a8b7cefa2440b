"""What is measured of each model: for every held-out picture a value, whose mean is what people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seewhy.errors import InputError
from seewhy.images.resizing import Floats
from seewhy.results.arrays import floats
from seewhy.results.findings import Finding
from seewhy.results.questions.focus import grid_of, shares
from seewhy.results.run import Run
from seewhy.results.store import write_whole
from seewhy.results.tables import percent
from seewhy.studies.shortcuts.knowing import SHOWS
from seewhy.studies.supplement.pictures import Item

GROUPS, LEAST = 12, 5  # groups of pictures that are measured at most; pictures of one at least
SCORES = ("accuracy", "class", "group")
FOCUS = ("inside box", "inside mask", "heat on", "border", "corners", "entropy")
_NAMES = {
    **{"inside box": "heat inside box", "inside mask": "heat inside mask"},
    **{"border": "heat on border", "corners": "heat in corners"},
}
_COLUMNS = {
    **{"inside box": "inside_box", "inside mask": "inside_mask"},
    **{"border": "border", "corners": "corners", "entropy": "entropy"},
}


@dataclass(frozen=True)
class Measure:
    """Something that is measured.

    Args:
        kind: one of SCORES or FOCUS.
        of: the class, the group or the finding; '' where it is of all pictures.
    """

    kind: str
    of: str = ""

    @property
    def name(self) -> str:
        """As people read it."""
        if self.kind == "class":
            return f"right on {self.of}"
        if self.kind == "group":
            return f"right in {self.of}"
        return _NAMES.get(self.kind, f"{self.kind} {self.of}".strip())


@dataclass(frozen=True, eq=False)
class Known:
    """A finding and which held-out pictures its share of the heat is measured in.

    Args:
        finding: with a place.
        pictures: bool [pictures].
        masks: of single pictures by their place, in the coordinates of what the model sees; the finding's own region
            where there is none.
    """

    finding: Finding
    pictures: Any
    masks: dict[int, Any]


def values_of(run: Run, pictures: int, known: Sequence[Known] = ()) -> dict[Measure, Floats]:
    """A value of each held-out picture for each measure; NaN where it has none.

    Args:
        run: of the model.
        pictures: how many were held out.
    Returns:
        float [pictures] for each measure: 1 or 0 for a right or wrong answer, shares of the map for what it looked at.
    """
    table = run.select(["id", "label", "correct", "group", "map_scale", *_COLUMNS.values()])
    ids = table["id"].to_numpy()
    right = np.array([np.nan if each is None else float(each) for each in table["correct"].to_pylist()])
    found: dict[Measure, Floats] = {}

    def keep(measure: Measure, values: Floats) -> None:
        if np.isfinite(values).any():
            found[measure] = np.full(pictures, np.nan)
            found[measure][ids] = values

    keep(Measure("accuracy"), right)
    for kind, column in (("class", "label"), ("group", "group")):
        of = np.array(table[column].to_pylist(), object)
        names, counts = np.unique(of[[each is not None for each in of]].astype(str), return_counts=True)
        if kind == "group":  # patients and videos are groups, too, and too many to be told apart
            kept = counts >= LEAST
            names = names[kept] if kept.sum() <= GROUPS else names[:0]
        for name in names.tolist():
            keep(Measure(kind, name), np.where(of == name, right, np.nan))
    for kind, column in _COLUMNS.items():
        keep(Measure(kind), floats(table[column]).astype(np.float64))
    for one in known:
        heat = on_finding(run, one)
        if heat:
            values = np.full(pictures, np.nan)
            values[list(heat)] = list(heat.values())
            found[Measure("heat on", one.finding.code)] = values
    return found


def on_finding(run: Run, known: Known) -> dict[int, float]:
    """The share of each picture's map that lies on a finding, by the picture's place."""
    grid, _ = grid_of(run, {})
    region = _on_cells(known.finding.region((8 * grid[0], 8 * grid[1])), grid)
    found = {}
    for batch in run.batches(["id", "map", "map_scale", "map_height", "map_width"], error=None):
        maps = shares(batch, grid)
        for number, map, scale in zip(batch["id"].to_pylist(), maps, batch["map_scale"].to_pylist(), strict=True):
            if scale and known.pictures[number]:
                mask = known.masks.get(number)
                found[number] = float((map * (region if mask is None else _on_cells(mask, grid))).sum())
    return found


def knowns(findings: Sequence[Finding], items: Sequence[Item]) -> list[Known]:
    """Each finding with the held-out pictures that show it.

    With its model it tells by itself which pictures show it, and where in each. Opened from a folder it is looked for
    at its own place: in those of its pictures that are held out, else in all pictures.

    Args:
        items: the held-out pictures, in their order.
    """
    result = []
    sources = [item.source for item in items]
    for finding in findings:
        if finding.kind != "place":
            continue
        masks: dict[int, Any] = {}
        if finding.probe is not None:
            shown = scored(finding, sources) >= SHOWS
            for i in np.flatnonzero(shown).tolist():
                try:
                    masks[i] = finding.mask(sources[i])
                except InputError:  # of one picture: it is not known where in it
                    shown[i] = False
        else:
            own = set(finding.hashes)
            shown = np.array([item.hash in own for item in items], bool)
        if shown.sum() < LEAST:
            shown, masks = np.ones(len(sources), bool), {}
        result.append(Known(finding, shown, masks))
    return result


def scored(finding: Finding, sources: Sequence[Any]) -> Floats:
    """How much pictures show a finding, float [n]; NaN where one cannot be read.

    Raises:
        InputError: none can.
    """
    try:
        return finding.score(sources)
    except InputError as error:
        found = np.full(len(sources), np.nan)
        for i, source in enumerate(sources):
            try:
                found[i] = finding.score([source])[0]
            except InputError:
                continue
        if np.isnan(found).all():
            raise error
        return found


def shown(share: float) -> str:
    """'25 %', '12.5 %'."""
    return percent(share, 0 if abs(100 * share - round(100 * share)) < 1e-9 else 1)


def _on_cells(mask: Any, grid: tuple[int, int]) -> Floats:
    """How much of each cell a mask covers, 0..1: float [*grid]."""
    values = np.asarray(mask, np.float64)
    rows = np.linspace(0, values.shape[0], grid[0] + 1)
    columns = np.linspace(0, values.shape[1], grid[1] + 1)
    summed = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    r, c = np.rint(rows).astype(int), np.rint(columns).astype(int)
    sums = np.diff(np.diff(summed[r][:, c], axis=0), axis=1)
    return np.asarray(sums / np.maximum(np.outer(np.diff(r), np.diff(c)), 1))


def write(path: Path, values: dict[Measure, Floats]) -> None:
    """A Parquet file with a column for each measure and a row for each held-out picture."""
    columns = {f"{each.kind}|{each.of}": pa.array(value, from_pandas=True) for each, value in values.items()}
    write_whole(path, lambda file: pq.write_table(pa.table(columns), file, compression="zstd"))


def read(path: Path) -> dict[Measure, Floats] | None:
    """What `write` wrote; None where it is not there or damaged."""
    try:
        table = pq.read_table(path)
        return {Measure(*name.split("|", 1)): floats(table[name]).astype(np.float64) for name in table.column_names}
    except (OSError, ValueError, TypeError, pa.ArrowException):
        return None
