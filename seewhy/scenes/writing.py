"""Scenes as files: what a data set of one's own would look like, with the truth beside it."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from seewhy.scenes.making import Mask, Scene

COLUMNS = ("path", "label", "box", "mask", "split", "planted", "marker")


def write(scenes: Iterable[Scene], folder: str | Path, split: str = "") -> Path:
    """PNG files in a folder for each label, masks, and a manifest; one scene at a time is in memory.

    `pictures/LABEL/00000.png` are the pictures, so `pictures` is a folder of folders; `masks/LABEL/00000.png` shows the
    object in white, `markers/LABEL/00000.png` what was painted. `manifest.csv` has a row a picture: path, label, box
    (left, top, right, bottom in pixels, apart by blanks), mask, split, planted (kinds, apart by ';') and marker (the
    path of its mask; empty where nothing has a place); paths are relative to the manifest.

    Args:
        scenes: what `make` gave, or any iterable of scenes.
        folder: made where it is not there; files of the same names are replaced.
        split: what stands in the column of that name, such as 'train'.
    Returns:
        The manifest's path.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for each in scenes:
            name = f"{each.label}/{each.index:05d}.png"
            paths = {kind: f"{kind}/{name}" for kind in ("pictures", "masks", "markers")}
            for path in paths.values():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(each.picture).save(folder / paths["pictures"])
            _mask(each.object_mask).save(folder / paths["masks"])
            marked = bool(each.marker_mask.any())
            if marked:
                _mask(each.marker_mask).save(folder / paths["markers"])
            box = " ".join(map(str, each.box))
            marker = paths["markers"] if marked else ""
            rows.writerow([paths["pictures"], each.label, box, paths["masks"], split, ";".join(each.planted), marker])
    return manifest


def _mask(mask: Mask) -> Image.Image:
    return Image.fromarray(mask.astype(np.uint8) * np.uint8(255))
