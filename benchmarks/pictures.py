"""The real pictures of the benchmarks, as the networks see them, with the truth about where the objects are.

All networks see one geometry: shorter side 256, centre crop 224 × 224; they differ in the interpolation and in what
becomes of the pixels' values, which `nets.Network` knows. Boxes are in pixels of the crop: left, top, right, bottom.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nets import SIDE, Network, geometry
from PIL import Image

Boxes = list[tuple[float, float, float, float]]
Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

CATS, DOGS = range(281, 286), range(151, 269)  # domestic ones, among the classes of ImageNet
ANIMAL, BACKGROUND, EDGE = 1, 2, 3  # in the trimaps of the pets
SMALL = 0.25  # of the crop: below it an object is small


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture with its truth.

    Args:
        name: its file's.
        pixels: uint8 [224, 224, 3], the crop.
        classes: one of these is asked for: the one with the highest score.
        aims: where a peak should lie.
        inside: bool [224, 224], the object's pixels.
        counts: bool [224, 224], pixels that are ranked; the edge of an animal is neither in nor out.
        boxes: round the object, what a map's own box is held against.
    """

    name: str
    pixels: np.ndarray[Any, np.dtype[np.uint8]]
    classes: range
    aims: Boxes
    inside: np.ndarray[Any, np.dtype[np.bool_]]
    counts: np.ndarray[Any, np.dtype[np.bool_]]
    boxes: Boxes

    @property
    def small(self) -> bool:
        sides = [(min(r, SIDE) - max(left, 0), min(b, SIDE) - max(t, 0)) for left, t, r, b in self.boxes]
        return max(max(wide, 0) * max(high, 0) for wide, high in sides) < SMALL * SIDE**2


def ilsvrc(folder: Path, network: Network) -> list[Picture]:
    """120 validation pictures of ILSVRC, each with its true class and the boxes round all objects of it."""
    lines = defaultdict(list)
    with (folder / "ilsvrc" / "boxes.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            lines[line["image"]].append(line)
    found = []
    for name, of_image in sorted(lines.items()):
        with Image.open(folder / "ilsvrc" / name) as picture:
            corners = [[float(line[key]) for key in ("x_min", "y_min", "x_max", "y_max")] for line in of_image]
            boxes = [_in_crop(box, picture.size) for box in corners]
            pixels = network.crop(picture)
        known = int(of_image[0]["class_index"])
        inside = np.logical_or.reduce([within(box) for box in boxes])
        found.append(Picture(name, pixels, range(known, known + 1), boxes, inside, np.ones_like(inside), boxes))
    return found


def pets(folder: Path, network: Network) -> list[Picture]:
    """178 cats and dogs: a peak should lie on the head. Two whose head is outside the crop are left out."""
    found = []
    for path in sorted((folder / "pets").glob("*.jpg")):
        told = (folder / "pets" / "heads" / f"{path.stem}.xml").read_text()
        corners = [float(re.search(rf"<{key}>(\d+)<", told)[1]) for key in ("xmin", "ymin", "xmax", "ymax")]  # type: ignore[index]
        with Image.open(path) as picture:
            head = _in_crop(corners, picture.size)
            pixels = network.crop(picture)
        with Image.open(folder / "pets" / "trimaps" / f"{path.stem}.png") as trimap:
            wide, high, left, top = geometry(trimap.size)
            small = trimap.resize((wide, high), Image.Resampling.NEAREST)
            parts = np.asarray(small.crop((left, top, left + SIDE, top + SIDE)))
        if not within(head).any():
            continue
        inside = parts == ANIMAL
        classes = CATS if path.stem[0].isupper() else DOGS  # cats have a capital letter
        box = _around(parts != BACKGROUND)
        found.append(Picture(path.name, pixels, classes, [head], inside, parts != EDGE, [box]))
    return found


DATA = {"ilsvrc": ilsvrc, "pets": pets}


def within(box: tuple[float, float, float, float], beyond: float = 0.0) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """bool [224, 224]: the pixels whose centres lie in the box, grown on all sides by so many pixels."""
    y, x = np.arange(SIDE)[:, None] + 0.5, np.arange(SIDE)[None] + 0.5
    left, top, right, bottom = box
    across = (x >= left - beyond) & (x <= right + beyond)
    return np.asarray(across & (y >= top - beyond) & (y <= bottom + beyond))


def _in_crop(corners: list[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    wide, high, left, top = geometry(size)
    across, down = wide / size[0], high / size[1]
    x_min, y_min, x_max, y_max = corners
    return x_min * across - left, y_min * down - top, x_max * across - left, y_max * down - top


def _around(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[float, float, float, float]:
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
