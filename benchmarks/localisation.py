"""Where the maps point: is the peak on the object, do its pixels rank first, and does a box round them fit?

ILSVRC: 120 pictures, the true class asked for; the peak should lie in a box, AUC and AP rank the crop's pixels against
the union of the boxes; 'small' are the pictures whose largest box fills less than a quarter of the crop. Pets: 178
pictures, the best class of the right species asked for; the peak should lie on the head, pixels are ranked against the
animal, its edge left out. 'box' is MaxBoxAcc (Choe et al. 2020, arXiv:2001.07437): in how many pictures the box round
the largest part of the map above a threshold overlaps a true box by half (.5), with each method's best threshold.

What an independent study measured stands below each row (`published.py`); the exit status is 1 where a method is
further from it than allowed there. 'centre' and 'uniform' look at no network. The share inside can be had by squaring a
map; judge by the other columns.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from intervals import paired, words
from nets import NETWORKS, SIDE, Network, missing, network, real_folder, table
from pictures import DATA, Boxes, Floats, Picture, within
from published import ALLOWED, COLUMNS, LOCALISATION, METHODS
from scipy.ndimage import find_objects, label
from sklearn.metrics import average_precision_score, roc_auc_score

import seewhy as sw

TOLERANCE, LEVELS = 15, np.arange(0, 1, 0.01)  # pixels beside a box; thresholds, of the map's maximum
BASELINES = ("centre", "uniform")

_FROM_CENTRE = np.hypot(*np.meshgrid(*2 * [np.arange(SIDE) + 0.5 - SIDE / 2]))
MAPS: dict[str, Floats] = {"centre": np.exp(-((_FROM_CENTRE / (SIDE / 4)) ** 2)), "uniform": np.ones((SIDE, SIDE))}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--data", choices=list(DATA), default="ilsvrc")
    parser.add_argument("--methods", nargs="+", help="default: those with published numbers, and the baselines")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    folder = real_folder()
    if folder is None or not (folder / "ilsvrc" / "boxes.csv").exists():
        print(missing(), file=sys.stderr)
        return 0
    sw.keep_memory()
    methods = asked.methods or [*METHODS, *BASELINES]
    rows = measure(folder, network(asked.network), asked.data, methods)
    published = LOCALISATION[asked.network, asked.data]
    found = {name: tuple(float(np.nanmean(column)) for column in of.T) for name, of in rows.items()}
    off = [f"{name}: {column}" for name in methods for column in departures(asked.data, published, name, found[name])]
    columns = COLUMNS[asked.data]
    if asked.json:
        measured = {name: dict(zip(columns, values, strict=True)) for name, values in found.items()}
        theirs = {name: dict(zip(columns, values, strict=True)) for name, values in published.items()}
        print(json.dumps({"measured": measured, "published": theirs, "off": off}, indent=2))
        return 1 if off else 0
    lines = []
    for name in methods:
        lines.append([name, *(f"{value:.3f}" for value in found[name])])
        if name in published:
            lines.append(["  published", *(f"{value:.3f}" for value in published[name])])
    print(table([f"{asked.network}, {asked.data}", *columns], lines))
    if "gradcam" in rows:
        others = [name for name in methods if name not in ("gradcam", *BASELINES)]
        lines = [
            [name, *(words(paired(a, b)) for a, b in zip(rows[name].T, rows["gradcam"].T, strict=True))]
            for name in others
        ]
        print("\n" + table(["less Grad-CAM's, 95 %", *columns], lines))
    print("all as published" if not off else f"departs from what is published: {'; '.join(off)}")
    return 1 if off else 0


def departures(data: str, published: Any, method: str, measured: tuple[float, ...]) -> list[str]:
    """The columns in which a method is further from the published numbers than allowed."""
    columns = zip(COLUMNS[data], measured, published.get(method, measured), ALLOWED[data], strict=True)
    return [column for column, value, theirs, allowed in columns if abs(value - theirs) > allowed]


def measure(folder: Path, used: Network, data: str, methods: list[str]) -> dict[str, Floats]:
    """method → [pictures, columns]; NaN where a picture does not count for a column."""
    pictures = DATA[data](folder, used)
    images = [used.image(picture.pixels) for picture in pictures]
    targets: list[Any] = [picture.classes[0] for picture in pictures]
    if data == "pets":
        scores = used.scores(images)
        targets = [max(picture.classes, key=row.__getitem__) for picture, row in zip(pictures, scores, strict=True)]
    found = {}
    for name in methods:
        maps = (MAPS[name] for _ in pictures) if name in BASELINES else used.maps(images, targets, name)
        judged = [judge(one, picture) for one, picture in zip(maps, pictures, strict=True)]
        found[name] = columns_of(data, pictures, judged)
        print(name, file=sys.stderr, flush=True)
    return found


def columns_of(data: str, pictures: list[Picture], judged: list[dict[str, Any]]) -> Floats:
    """[pictures, columns], in the order of `published.COLUMNS`."""
    of = {key: np.array([one[key] for one in judged], float) for key in judged[0]}
    boxes = {at: accuracy_by_box(of["overlap"], at) for at in (0.5, 0.7)}
    if data == "pets":
        chosen = [of["peak"], of["on object"], of["share"], of["AUC"], of["AP"], boxes[0.5], boxes[0.7]]
    else:
        small = np.where([picture.small for picture in pictures], 1.0, np.nan)
        chosen = [of["peak"], of["near"], of["share"], of["AUC"], of["AP"], boxes[0.5]]
        chosen += [small * of["peak"], small * of["AP"]]
    return np.stack(chosen, 1)


def judge(values: Floats, picture: Picture) -> dict[str, Any]:
    """One map [224, 224] against the truth; 'overlap' is by threshold."""
    row, column = np.unravel_index(np.argmax(values), values.shape)
    inside, counts = picture.inside, picture.counts
    both = not inside.all()  # else there is nothing to rank
    return {
        "peak": any(within(box)[row, column] for box in picture.aims),
        "near": any(within(box, TOLERANCE)[row, column] for box in picture.aims),
        "on object": inside[row, column],
        "share": values[inside].sum() / max(values.sum(), 1e-30),
        "AUC": roc_auc_score(inside[counts], values[counts]) if both else np.nan,
        "AP": average_precision_score(inside[counts], values[counts]) if both else np.nan,
        "overlap": [max(overlap(box, true) for true in picture.boxes) for box in boxes_of(values)],
    }


def boxes_of(values: Floats) -> Boxes:
    """For each level the box round the largest connected part of the map that is above it."""
    found = []
    for level in LEVELS * values.max():
        parts, _ = label(values > level, structure=np.ones((3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        if not len(sizes):
            found.append((0.0, 0.0, float(SIDE), float(SIDE)))
            continue
        rows, columns = find_objects(parts)[int(np.argmax(sizes))]
        found.append((float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)))
    return found


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes, what is outside the crop left out."""
    (a, b, c, d), (e, f, g, h) = np.clip(one, 0, SIDE), np.clip(other, 0, SIDE)
    shared = max(min(c, g) - max(a, e), 0) * max(min(d, h) - max(b, f), 0)
    return float(shared / max((c - a) * (d - b) + (g - e) * (h - f) - shared, 1e-9))


def accuracy_by_box(overlaps: Floats, at: float) -> Floats:
    """For each picture whether its box is right, at the threshold best over all; `overlaps` is [pictures, levels]."""
    right = overlaps >= at
    return np.asarray(right[:, int(np.argmax(right.mean(0)))], float)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
