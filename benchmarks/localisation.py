"""Where the maps point: is the peak in the object's box, and how much of the map is inside?

Over the 120 ILSVRC validation pictures of the real folder, with MobileNetV2, target the true class, at `features.18`,
the map brought to the crop of 224 × 224 bilinearly. AUC and AP rank the crop's pixels against the union of the boxes;
'small' are the pictures whose largest box fills less than a quarter of the crop. `published` are numbers of an
independent study of the same pictures (its own code), which every method that has some has to meet; the exit status is
1 where one does not. A method's options follow a colon: `layerguided:compete=True`. 'centre' and 'uniform' look at no
network. The share can be had by squaring a map; judge by the other columns.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import keep_memory, real, real_folder, table
from nets import missing as missing_words
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

import seewhy as sw

SIDE, SHORTER, LAYER, TOLERANCE = 224, 256, "features.18", 15
COLUMNS = (
    "peak in a box",
    f"within {TOLERANCE} px",
    "share in the boxes",
    "AUC",
    "AP",
    "small: peak in a box",
    "small: AP",
)
PUBLISHED = {
    "gradcam": (0.842, 0.925, 0.734, 0.845, 0.801, 0.348, 0.449),
    "hirescam": (0.842, 0.925, 0.734, 0.845, 0.801, 0.348, 0.449),
    "gradcam++": (0.817, 0.917, 0.716, 0.845, 0.789, 0.348, 0.441),
    "layercam": (0.825, 0.917, 0.716, 0.845, 0.790, 0.391, 0.442),
    "layerguided": (0.942, 0.975, 0.797, 0.884, 0.864, 0.826, 0.663),
    "layerguided:compete=True": (0.958, 0.983, 0.788, 0.852, 0.826, 0.826, 0.566),
}
ALLOWED = (0.01, 0.01, 0.005, 0.005, 0.005, 0.05, 0.01)
BASELINES = ("centre", "uniform")

Boxes = list[tuple[float, float, float, float]]
Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

_FROM_CENTRE = np.hypot(*np.meshgrid(*2 * [np.arange(SIDE) + 0.5 - SIDE / 2]))
MAPS: dict[str, Floats] = {"centre": np.exp(-((_FROM_CENTRE / (SIDE / 4)) ** 2)), "uniform": np.ones((SIDE, SIDE))}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", nargs="+", help="default: those with published numbers, and the baselines")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    folder = real_folder()
    if folder is None or not (folder / "ilsvrc" / "boxes.csv").exists():
        print(missing_words(), file=sys.stderr)
        return 0
    keep_memory()
    methods = asked.methods or [*PUBLISHED, *BASELINES]
    found = {name: measure(folder, name) for name in methods}
    off = [f"{name}: {column}" for name in methods for column in departures(name, found[name])]
    if asked.json:
        rows = {name: dict(zip(COLUMNS, values, strict=True)) for name, values in found.items()}
        published = {name: dict(zip(COLUMNS, values, strict=True)) for name, values in PUBLISHED.items()}
        print(json.dumps({"measured": rows, "published": published, "off": off}, indent=2))
    else:
        print(table(["method", *COLUMNS], [row for name in methods for row in _rows(name, found[name])]))
        print("all as published" if not off else f"departs from what is published: {'; '.join(off)}")
    return 1 if off else 0


def departures(method: str, measured: tuple[float, ...]) -> list[str]:
    """The columns in which a method is further from the published numbers than allowed."""
    columns = zip(COLUMNS, measured, PUBLISHED.get(method, measured), ALLOWED, strict=True)
    return [column for column, value, published, allowed in columns if abs(value - published) > allowed]


def measure(folder: Path, method: str) -> tuple[float, ...]:
    """The columns, over all pictures."""
    pictures = boxes_of(folder)
    maps = (MAPS[method] for _ in pictures) if method in BASELINES else maps_of(folder, method, pictures)
    rows = np.array([judge(found, boxes) for found, (_, boxes) in zip(maps, pictures.values(), strict=True)], float)
    small = rows[rows[:, -1] < 0.25]
    return (*map(float, np.nanmean(rows[:, :5], axis=0)), float(small[:, 0].mean()), float(small[:, 4].mean()))


def maps_of(folder: Path, method: str, pictures: dict[str, tuple[int, Boxes]]) -> Iterator[Floats]:
    """A map [224, 224] for each picture, of its true class."""
    mobilenet = real()
    model = sw.wrap(mobilenet.torch_model(), name="MobileNetV2")
    name, _, told = method.partition(":")
    options = {key: ast.literal_eval(value) for key, value in (one.split("=") for one in told.split(",") if one)}
    layer = None if any(entry.name == name and entry.on_image for entry in sw.list_methods()) else LAYER
    images = (torch.from_numpy(mobilenet.prepare(folder / "ilsvrc" / n)).permute(2, 0, 1) for n in pictures)
    classes = [index for index, _ in pictures.values()]
    for why in sw.explain_many(model, images, targets=classes, method=name, layer=layer, **options):
        if not why:
            raise why.error
        yield why.upscaled((SIDE, SIDE), order="bilinear")


def judge(values: Floats, boxes: Boxes) -> tuple[float, ...]:
    """For one map [224, 224]: peak in a box, within the tolerance of one, share in the boxes' union, AUC, AP, and
    which part of the crop the largest box fills."""
    row, column = np.unravel_index(np.argmax(values), values.shape)
    y, x = np.arange(SIDE)[:, None] + 0.5, np.arange(SIDE)[None] + 0.5  # centres of the pixels
    inside = np.zeros((SIDE, SIDE), bool)
    near = inside.copy()
    for left, top, right, bottom in boxes:
        inside |= (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        t = TOLERANCE
        near |= (x >= left - t) & (x <= right + t) & (y >= top - t) & (y <= bottom + t)
    share = values[inside].sum() / max(values.sum(), 1e-30)
    both = not inside.all()  # else there is nothing to rank
    area = roc_auc_score(inside.ravel(), values.ravel()) if both else np.nan
    precision = average_precision_score(inside.ravel(), values.ravel()) if both else np.nan
    sides = [(min(r, SIDE) - max(left, 0), min(b, SIDE) - max(t, 0)) for left, t, r, b in boxes]
    largest = max(max(wide, 0) * max(high, 0) for wide, high in sides) / SIDE**2
    return inside[row, column], near[row, column], share, area, precision, largest


def boxes_of(folder: Path) -> dict[str, tuple[int, Boxes]]:
    """name → (class, boxes) in pixels of the crop that `mobilenet.prepare` takes: shorter side 256, centre 224."""
    found: dict[str, tuple[int, Boxes]] = {}
    lines = defaultdict(list)
    with (folder / "ilsvrc" / "boxes.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            lines[line["image"]].append(line)
    for name, of_image in sorted(lines.items()):
        with Image.open(folder / "ilsvrc" / name) as picture:
            width, height = picture.size
        scale = SHORTER / min(width, height)
        wide, high = round(width * scale), round(height * scale)
        left, top = (wide - SIDE) // 2, (high - SIDE) // 2
        across, down = wide / width, high / height
        boxes = [
            (
                float(line["x_min"]) * across - left,
                float(line["y_min"]) * down - top,
                float(line["x_max"]) * across - left,
                float(line["y_max"]) * down - top,
            )
            for line in of_image
        ]
        found[name] = int(of_image[0]["class_index"]), boxes
    return found


def _rows(method: str, values: tuple[float, ...]) -> list[list[str]]:
    rows = [[method, *(f"{value:.3f}" for value in values)]]
    if method in PUBLISHED:
        rows.append(["  published", *(f"{value:.3f}" for value in PUBLISHED[method])])
    return rows


if __name__ == "__main__":
    sys.exit(main())
