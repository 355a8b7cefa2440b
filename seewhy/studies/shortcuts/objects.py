"""Where it is known what is the object: how much of the heat lies outside of it, in a finding and in the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.drawn.originals import box_of
from seewhy.results.findings import Outside
from seewhy.results.run import Run
from seewhy.studies.inside import Inside, mask_of, opened
from seewhy.studies.measuring import boxes_on_cells, mask_on_cells, share_inside
from seewhy.studies.shortcuts.classes import Class
from seewhy.studies.shortcuts.proving import Candidate

NEARLY = 0.9  # share of the pictures whose object must be known before it counts in the score
_FEWEST = 5  # pictures of a finding, and of the rest
_COLUMNS = ["id", "path", "width", "height", "box", "mask", "object_boxes"]


def outside(run: Run, of: Class, masks: Inside | None, files: Mapping[str, Path]) -> Floats:
    """float [n]: the share of each picture's heat that lies outside its object; NaN where that is not known.

    Args:
        run: of the class.
        of: whose pictures.
        masks: where the objects are; None: as the run's data say, by mask or else by boxes.
        files: of `files_of(masks)`.
    """
    rows = {row["id"]: row for row in run.rows([one.id for one in of.pictures], _COLUMNS).to_pylist()}
    inside = [
        _inside(run, rows[one.id], masks, files, heat.shape) for one, heat in zip(of.pictures, of.heat, strict=True)
    ]
    shares = [
        np.nan if cells is None else 1 - share_inside(heat, cells) for heat, cells in zip(of.heat, inside, strict=True)
    ]
    return np.array(shares, np.float64)


def held(candidate: Candidate, shares: Floats) -> Outside | None:
    """The finding's mean beside that of the rest of its class; None where too few objects are known."""
    known, inside = ~np.isnan(shares), candidate.inside
    if (known & inside).sum() < _FEWEST or (known & ~inside).sum() < _FEWEST:
        return None
    return Outside(
        int((known & inside).sum()), float(shares[known & inside].mean()), float(shares[known & ~inside].mean())
    )


def weighed(candidates: Sequence[Candidate], shares: Mapping[int, Floats]) -> list[Candidate] | None:
    """The groups with what their heat outside the object adds to the score; None where too few objects are known.

    Each has its mean share less the median of all groups.
    """
    known = np.concatenate([~np.isnan(each) for each in shares.values()])
    if known.mean() < NEARLY:
        return None
    usual = float(np.nanmean(np.concatenate(list(shares.values()))))
    filled = {index: np.where(np.isnan(each), usual, each) for index, each in shares.items()}
    own = np.array([float(filled[each.of.index][each.group].mean()) for each in candidates])
    over = own - np.median(own)
    return [
        replace(each, marks=replace(each.marks, outside=float(more)))
        for each, more in zip(candidates, over, strict=True)
    ]


def _inside(
    run: Run, row: dict[str, Any], masks: Inside | None, files: Mapping[str, Path], shape: tuple[int, ...]
) -> Floats | None:
    """float [h, w]: how much of each cell of the heat lies in the object."""
    size, cells = (row["width"], row["height"]), (shape[0], shape[1])
    seen = box_of(row) or (0.0, 0.0, float(size[0]), float(size[1]))
    if masks is not None:
        mask = mask_of(run, row, masks, files)
    elif row["mask"] is not None and run.root is not None:
        mask = opened(run.root / row["mask"])
    else:
        return boxes_on_cells(row["object_boxes"], seen, cells) if row["object_boxes"] else None
    return None if mask is None else mask_on_cells(mask, size, seen, cells)
