"""A finding drawn: its most typical pictures, each with its heat beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.images import drawing, panels
from seewhy.images.reading import read
from seewhy.results.drawn.originals import box_of
from seewhy.results.findings import Finding
from seewhy.results.tables import line

if TYPE_CHECKING:
    from seewhy.results.run import Run

_TILE = 160


def preview(run: Run, finding: Finding, limit: int = 8) -> Image.Image:
    """Typical pictures in pairs: as they are, and with the heat laid on them; the mean heat comes first.

    Args:
        run: which the finding is of.
        finding: with a file for each picture; one that is gone is left out.
        limit: so many pictures at most.
    """
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
    named = f" ({finding.name})" if finding.name else ""
    title = line(f"{finding.code}{named}, {finding.status}: {finding.words}")
    return panels.panel(tiles, 6, captions, title, _TILE)


def _region(finding: Finding) -> Image.Image:
    inside = finding.region((_TILE, _TILE))
    return Image.fromarray(np.where(inside[..., None], (251, 128, 34), (241, 241, 240)).astype(np.uint8))
