"""A finding drawn: its most typical pictures, each with its heat beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.images import drawing, panels
from seewhy.images.reading import read
from seewhy.results.drawn.originals import box_of
from seewhy.results.findings import WHOLE, Finding
from seewhy.results.tables import line

if TYPE_CHECKING:
    from seewhy.results.run import Run

_TILE = 160


def preview(run: Run, finding: Finding, limit: int = 8) -> Image.Image:
    """Typical pictures in pairs: as they are, and with the heat laid on them; the mean heat comes first.

    Of a finding without a place: typical pictures, and below them others of the class.

    Args:
        run: which the finding is of.
        finding: with a file for each picture; one that is gone is left out.
        limit: so many pictures at most.
    """
    named = f" ({finding.name})" if finding.name else ""
    title = line(f"{finding.code}{named}, {finding.status}: {finding.words}")
    if finding.kind == WHOLE:
        return _whole(run, finding, title, limit)
    tiles = [drawing.heatmap((_TILE, _TILE), finding.where, order="bicubic"), _region(finding)]
    captions = ["mean heat of its pictures", "where they differ from the rest of the class"]
    boxes = {row["id"]: box_of(row) for row in run.rows(finding.ids, ["box"]).to_pylist()}
    for id, path, map in zip(finding.ids, finding.paths, finding.maps, strict=True):
        if len(tiles) >= 2 * (limit + 1) or run.root is None:
            break
        try:
            picture = read(run.root / path)
        except InputError:
            continue
        tiles += [picture, drawing.overlay(picture, map, boxes.get(id))]
        captions += [line(path), ""]
    return panels.panel(tiles, 6, captions, title, _TILE)


def _whole(run: Run, finding: Finding, title: str, limit: int) -> Image.Image:
    """A row of its pictures, and one of others of the class."""
    listed = run.select(["id", "path"], predicted_index=[finding.index], path=True).sort_by("path").to_pylist()
    own = set(finding.ids)
    these = _some(run, finding.paths, limit)
    others = _some(run, [row["path"] for row in listed if row["id"] not in own], len(these))
    captions = [f"{len(own)} like these", *[""] * (len(these) - 1), *["others of the class", *[""] * len(others)]]
    return panels.panel([*these, *others], max(len(these), 1), captions[: len(these) + len(others)], title, _TILE)


def _some(run: Run, paths: Sequence[str], most: int) -> list[Image.Image]:
    """The first ones that can be read."""
    found: list[Image.Image] = []
    for path in paths:
        if run.root is None or len(found) == most:
            break
        try:
            found.append(read(run.root / path))
        except InputError:
            continue
    return found


def _region(finding: Finding) -> Image.Image:
    inside = finding.region((_TILE, _TILE))
    return Image.fromarray(np.where(inside[..., None], (251, 128, 34), (241, 241, 240)).astype(np.uint8))
