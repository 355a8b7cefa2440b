"""Does a map tell classes apart? Two animals beside each other, four pictures in a square, two classes of one picture.

- pairs: each of 118 cats beside one of 60 dogs, of each the 112 columns round the animal, in turns left and right. The
  best class of each species is asked for: the share of the map in its half, whether both peaks are in theirs, and the
  AUC of this animal's pixels against the other one's.
- squares: four ILSVRC pictures that the network is sure of, of different classes, as one image of 448 × 448 (Fong &
  Vedaldi's grid pointing game; Böhle et al. 2021, arXiv:2104.00032): share and peak in the picture asked for. Chance is
  .25 for both.
- the correlation of the maps of the first and the second class of one picture, and of the first and a class by chance:
  what a map shows whatever is asked is not about the class. Low is good.

A share can be had by squaring a map; judge by peaks and AUC. What an independent study found, with pairs and squares of
its own, stands below (`published.py`); the exit status is 1 where a value is further from it than ALLOWED.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import NETWORKS, SIDE, Network, network, ready_folder, table
from pictures import CATS, DOGS, Picture, ilsvrc, pets
from published import COMPETING, DISCRIMINATION, GUIDED
from sklearn.metrics import roc_auc_score

METHODS = ("gradcam", "gradcam++", "layercam", GUIDED, COMPETING)
COLUMNS = (
    *("pairs: share", "both peaks", "AUC of the animal", "squares: share", "peak"),
    *("correlation: 1st, 2nd", "1st, chance"),
)
ALLOWED = (0.05, 0.1, 0.04, 0.05, 0.1, 0.08, 0.08)  # a share of peaks of 118 pairs or 30 squares is known to ± .1
SURE = 0.8
Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Asked = tuple[list[torch.Tensor], list[list[int]]]  # images, and the classes asked of each


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--count", type=int, help="pairs, squares and pictures each; default 118, 30 and 40")
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 0
    used = network(asked.network)
    beside, animals = pairs(folder, used, asked.count or 118)
    square = squares(folder, used, asked.count or 30)
    twice = classes_of_one(folder, used, asked.count or 40)
    lines, off = [], []
    for name in asked.methods:
        found = (
            *judged_pairs(list(used.maps(*beside, name)), animals),
            *judged_squares(list(used.maps(*square, name))),
            *judged_classes(list(used.maps(*twice, name))),
        )
        lines.append([name, *(f"{value:.3f}" for value in found)])
        published = DISCRIMINATION[asked.network].get(name)
        if published is not None:
            lines.append(["  published", *(f"{value:.3f}" for value in published)])
            columns = zip(COLUMNS, found, published, ALLOWED, strict=True)
            off += [f"{name}: {column}" for column, ours, theirs, allowed in columns if abs(ours - theirs) > allowed]
        print(name, file=sys.stderr, flush=True)
    counts = f"{len(beside[0])} pairs, {len(square[0])} squares, {len(twice[0])} pictures"
    print(table([f"{asked.network}: {counts}", *COLUMNS], lines))
    if asked.count:
        print("not checked against the study: fewer pictures")
        return 0
    print("all as published" if not off else f"departs from what is published: {'; '.join(off)}")
    return 1 if off else 0


# images and questions


def pairs(folder: Path, used: Network, count: int) -> tuple[Asked, list[list[Mask]]]:
    """Cat beside dog, the best class of each asked for, cats first; and where cat and dog are, bool [224, 224] each."""
    of = {species: [p for p in pets(folder, used) if p.classes is species] for species in (CATS, DOGS)}
    images, animals = [], []
    for number, cat in enumerate(of[CATS][:count]):
        turn, which = divmod(number, len(of[DOGS]))
        halves = [_half(cat), _half(of[DOGS][which])]
        left = (number + turn) % 2  # 0: the cat
        both = halves[::-1] if left else halves
        images.append(used.image(np.concatenate([pixels for pixels, _ in both], 1)))
        blank = np.zeros_like(halves[0][1])
        animals.append(
            [
                np.concatenate([inside, blank] if side == left else [blank, inside], 1)
                for side, (_, inside) in enumerate(halves)
            ]
        )
    best = [[max(species, key=row.__getitem__) for species in (CATS, DOGS)] for row in used.scores(images)]
    return (images, best), animals


def _half(picture: Picture) -> tuple[Any, Mask]:
    """The 112 columns round the animal: pixels, and where it is."""
    x_min, _, x_max, _ = picture.boxes[0]
    start = int(np.clip(round((x_min + x_max) / 2) - SIDE // 4, 0, SIDE // 2))
    columns = slice(start, start + SIDE // 2)
    return picture.pixels[:, columns], picture.inside[:, columns]


def squares(folder: Path, used: Network, count: int, seed: int = 0) -> Asked:
    """Four pictures of different classes in a square, in rows; the class of each asked for."""
    pictures = ilsvrc(folder, used)
    classes = [picture.classes[0] for picture in pictures]
    chances = used.scores([used.image(picture.pixels) for picture in pictures]).softmax(1)
    sure = [i for i, known in enumerate(classes) if chances[i, known] > SURE]
    rng = np.random.default_rng(seed)
    images, targets = [], []
    while len(images) < count:
        four = [int(i) for i in rng.choice(sure, 4, replace=False)]
        if len({classes[i] for i in four}) < 4:
            continue
        a, b, c, d = (pictures[i].pixels for i in four)
        images.append(used.image(np.concatenate([np.concatenate([a, b], 1), np.concatenate([c, d], 1)], 0)))
        targets.append([classes[i] for i in four])
    return images, targets


def classes_of_one(folder: Path, used: Network, count: int, seed: int = 0) -> Asked:
    """Of pictures of ILSVRC the first class, the second, and one by chance."""
    images = [used.image(picture.pixels) for picture in ilsvrc(folder, used)[:count]]
    rng = np.random.default_rng(seed)
    first = [row.topk(2).indices.tolist() for row in used.scores(images)]
    return images, [[*two, int(rng.choice(np.setdiff1d(np.arange(1000), two)))] for two in first]


# measures: of maps float [height, width], one for each class asked of an image


def judged_pairs(maps: list[list[Floats]], animals: list[list[Mask]]) -> tuple[float, float, float]:
    """Share in the half of the animal asked for, how often both peaks are there, AUC against the other animal."""
    shares, peaks, areas = [], [], []
    for two, (cat, dog) in zip(maps, animals, strict=True):
        right = []
        for values, own, other in zip(two, (cat, dog), (dog, cat), strict=True):
            middle = values.shape[1] // 2
            half = np.zeros(values.shape, bool)
            half[:, :middle] = True
            half = half == own[:, :middle].any()
            either = own | other
            shares.append(values[half].sum() / max(values.sum(), 1e-30))
            areas.append(roc_auc_score(own[either], values[either]))
            right.append(half.ravel()[np.argmax(values)])
        peaks.append(all(right))
    return float(np.mean(shares)), float(np.mean(peaks)), float(np.mean(areas))


def judged_squares(maps: list[list[Floats]]) -> tuple[float, float]:
    """Share in the picture asked for, how often the peak is in it."""
    shares, peaks = [], []
    for four in maps:
        for number, values in enumerate(four):
            rows, columns = (half * values.shape[0] // 2 for half in divmod(number, 2))
            own = np.zeros(values.shape, bool)
            own[rows : rows + values.shape[0] // 2, columns : columns + values.shape[1] // 2] = True
            shares.append(values[own].sum() / max(values.sum(), 1e-30))
            peaks.append(own.ravel()[np.argmax(values)])
    return float(np.mean(shares)), float(np.mean(peaks))


def judged_classes(maps: list[list[Floats]]) -> tuple[float, float]:
    """Pearson's correlation of the first class's map with the second's, and with that of a class by chance."""

    def alike(one: Floats, other: Floats) -> float:
        return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) if np.ptp(one) and np.ptp(other) else np.nan

    found = [[alike(first, other) for other in others] for first, *others in maps]
    second, chance = np.nanmean(found, 0)
    return float(second), float(chance)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
