"""Where the maps point: is the peak in the object's box, and how much of the map is inside?

Over the 120 ILSVRC validation pictures of the real folder, with MobileNetV2, target the true class, at `features.18`,
the map brought to the crop of 224 × 224 bilinearly. `published` are numbers of an independent study of the same
pictures (its own code), which Grad-CAM has to meet; the exit status is 1 where it does not.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import keep_memory, real, real_folder, table
from nets import missing as missing_words
from PIL import Image

import seewhy as sw

SIDE, SHORTER, LAYER, TOLERANCE = 224, 256, "features.18", 15
COLUMNS = ("peak in a box", f"within {TOLERANCE} px", "share in the boxes")
PUBLISHED = {
    "gradcam": (0.842, 0.925, 0.734),
    "hirescam": (0.842, 0.925, 0.734),
    "gradcam++": (0.817, 0.917, 0.716),
    "layercam": (0.825, 0.917, 0.716),
}
ALLOWED = (0.01, 0.01, 0.005)

Boxes = list[tuple[float, float, float, float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--methods", nargs="+", help="default: gradcam and those with published numbers that we have")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    folder = real_folder()
    if folder is None or not (folder / "ilsvrc" / "boxes.csv").exists():
        print(missing_words(), file=sys.stderr)
        return 0
    keep_memory()
    ours = {entry.name for entry in sw.list_methods()}
    methods = asked.methods or [name for name in PUBLISHED if name in ours]
    found = {name: measure(folder, name) for name in methods}
    off = departures(found["gradcam"]) if "gradcam" in found else []
    if asked.json:
        rows = {name: dict(zip(COLUMNS, values, strict=True)) for name, values in found.items()}
        published = {name: dict(zip(COLUMNS, values, strict=True)) for name, values in PUBLISHED.items()}
        print(json.dumps({"measured": rows, "published": published, "off": off}, indent=2))
    else:
        print(table(["method", *COLUMNS], [row for name in methods for row in _rows(name, found[name])]))
        print("Grad-CAM is as published" if not off else f"Grad-CAM departs in: {', '.join(off)}")
    return 1 if off else 0


def departures(measured: tuple[float, ...]) -> list[str]:
    """The columns in which Grad-CAM is further from the published numbers than allowed."""
    columns = zip(COLUMNS, measured, PUBLISHED["gradcam"], ALLOWED, strict=True)
    return [column for column, value, published, allowed in columns if abs(value - published) > allowed]


def measure(folder: Path, method: str) -> tuple[float, float, float]:
    """Peak in a box, peak within the tolerance, mean share of the map in the boxes."""
    mobilenet = real()
    pictures = boxes_of(folder)
    model = sw.wrap(mobilenet.torch_model(), name="MobileNetV2")
    images = (torch.from_numpy(mobilenet.prepare(folder / "ilsvrc" / n)).permute(2, 0, 1) for n in pictures)
    classes = [index for index, _ in pictures.values()]
    answers = sw.explain_many(model, images, targets=classes, method=method, layer=LAYER)
    rows = []
    for why, (_, boxes) in zip(answers, pictures.values(), strict=True):
        if not why:
            raise why.error
        rows.append(judge(why.upscaled((SIDE, SIDE), order="bilinear"), boxes))
    peak, near, share = np.mean(rows, axis=0)
    return float(peak), float(near), float(share)


def judge(values: np.ndarray[Any, Any], boxes: Boxes) -> tuple[bool, bool, float]:
    """For one map [224, 224]: the peak in a box, within the tolerance of one, the share in the boxes' union."""
    row, column = np.unravel_index(np.argmax(values), values.shape)
    y, x = np.arange(SIDE)[:, None] + 0.5, np.arange(SIDE)[None] + 0.5  # centres of the pixels
    inside = np.zeros((SIDE, SIDE), bool)
    near = inside.copy()
    for left, top, right, bottom in boxes:
        inside |= (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
        t = TOLERANCE
        near |= (x >= left - t) & (x <= right + t) & (y >= top - t) & (y <= bottom + t)
    return bool(inside[row, column]), bool(near[row, column]), float(values[inside].sum() / max(values.sum(), 1e-30))


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
