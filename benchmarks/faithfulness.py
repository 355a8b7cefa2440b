"""Does the network look where the map says? Pixels are taken away or brought back in the map's order.

The first pictures of ILSVRC that the network gets right, their true class asked for; what counts is its probability:

- deletion (Petsiuk et al. 2018, arXiv:1806.07421): the most important pixels become the picture's mean colour; the area
  under the curve, low is good.
- insertion (the same): they come back into the picture blurred by 12 pixels; high is good.
- ROAD (Rong et al. 2022, arXiv:2202.00449): pixels become the weighted mean of their neighbours and a little noise, so
  that the shape of the hole tells less; the mean, over shares taken away, of least important first less most important
  first. High is good. The neighbours' equations are solved from coarse to fine, nearly (see `filled`).

'chance' is a map of blurred noise. Below each row stands what an independent study measured on 50 pictures, with its
own choice of them, steps and fills (`published.py`). The levels depend on these; what is checked is the difference to
Grad-CAM: the exit status is 1 where our interval of it and the study's do not meet.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from intervals import paired, words
from nets import NETWORKS, SIDE, Network, network, ready_folder, table
from pictures import Picture, ilsvrc
from published import COMPETING, FAITHFULNESS, GUIDED, Rows
from scipy.ndimage import gaussian_filter, zoom

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
Score = Callable[[Floats], Floats]  # pixels [trials, height, width, 3], 0 to 255 → [trials]

COLUMNS = ("deletion", "insertion", "ROAD")
FULL = 50
STUDY = (0.015, 0.016, 0.035)  # half the width of the study's intervals of a difference to Grad-CAM
METHODS = ("gradcam", "gradcam++", "layercam", GUIDED, COMPETING, "chance")
STEPS, BLUR, SHARES, NOISE = 28, 12.0, (0.1, 0.3, 0.5, 0.7, 0.9), 0.01


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--pictures", type=int, default=8, help=f"the study has {FULL}")
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 0
    used = network(asked.network)
    pictures = known(used, ilsvrc(folder, used))[: asked.pictures]
    rows = {name: measure(used, pictures, name) for name in asked.methods}
    published = FAITHFULNESS[asked.network]
    lines = []
    for name, of in rows.items():
        lines.append([name, *(f"{value:.3f}" for value in of.mean(0))])
        if name in published:
            lines.append(["  published", *(f"{value:.3f}" for value in published[name])])
    print(table([f"{asked.network}, {len(pictures)} pictures", *COLUMNS], lines))
    if "gradcam" not in rows:
        return 0
    base = rows["gradcam"].T
    differences = {
        name: [paired(a, b) for a, b in zip(of.T, base, strict=True)] for name, of in rows.items() if name != "gradcam"
    }
    print(
        "\n" + table(["less Grad-CAM's, 95 %", *COLUMNS], [[name, *map(words, of)] for name, of in differences.items()])
    )
    if len(pictures) < FULL:
        print(f"not checked against the study: it has {FULL} pictures")
        return 0
    off = [f"{name}: {column}" for name, of in differences.items() for column in departures(published, name, of)]
    print("differences as published" if not off else f"departs from what is published: {'; '.join(off)}")
    return 1 if off else 0


def departures(published: Rows, method: str, ours: list[tuple[float, float, float]]) -> list[str]:
    """The columns in which our interval of the difference to Grad-CAM does not meet the study's."""
    if method not in published or method == "chance":  # its noise is another
        return []
    theirs = [a - b for a, b in zip(published[method], published["gradcam"], strict=True)]
    columns = zip(COLUMNS, ours, theirs, STUDY, strict=True)
    return [column for column, (_, low, high), middle, half in columns if low > middle + half or high < middle - half]


def known(used: Network, pictures: list[Picture]) -> list[Picture]:
    """Those that the network gets right."""
    guesses = used.scores([used.image(picture.pixels) for picture in pictures]).argmax(1).tolist()
    return [picture for picture, guess in zip(pictures, guesses, strict=True) if guess in picture.classes]


def measure(used: Network, pictures: list[Picture], method: str) -> Floats:
    """[pictures, columns]."""
    rng = np.random.default_rng(0)
    targets = [picture.classes[0] for picture in pictures]
    images = [used.image(picture.pixels) for picture in pictures]
    noise = (gaussian_filter(rng.standard_normal((SIDE, SIDE)), 16.0) for _ in pictures)
    maps = noise if method == "chance" else used.maps(images, targets, method)
    rows = []
    for picture, target, values in zip(pictures, targets, maps, strict=True):

        def score(trials: Floats, target: int = target) -> Floats:
            logits = used.scores([used.image(trial) for trial in trials])
            return np.asarray(logits.softmax(1)[:, target].numpy())

        pixels = picture.pixels.astype(np.float32)
        rows.append([deletion(score, pixels, values), insertion(score, pixels, values), road(score, pixels, values)])
    print(method, file=sys.stderr, flush=True)
    return np.array(rows)


# measures: of a score, an image float [height, width, channels] and its map [height, width]


def deletion(score: Score, image: Floats, values: Floats, *, steps: int = STEPS, seed: int = 0) -> float:
    """Area under the score while the most important pixels become the image's mean; 0 to 1 of a probability."""
    mean = np.broadcast_to(image.mean((0, 1)), image.shape)
    return float(np.trapezoid(exchanged(score, image, mean, values, steps, seed), dx=1 / steps))


def insertion(
    score: Score, image: Floats, values: Floats, *, steps: int = STEPS, blur: float = BLUR, seed: int = 0
) -> float:
    """Area under the score while the most important pixels come back into the blurred image."""
    blurred = gaussian_filter(image, (blur, blur, 0))
    return float(np.trapezoid(exchanged(score, blurred, image, values, steps, seed), dx=1 / steps))


def road(
    score: Score,
    image: Floats,
    values: Floats,
    *,
    shares: tuple[float, ...] = SHARES,
    noise: float = NOISE,
    seed: int = 0,
) -> float:
    """Mean score with the least important shares taken away, less that with the most important; -1 to 1.

    `noise` is a standard deviation, as a share of the image's range of values.
    """
    rng = np.random.default_rng(seed)
    rank = ranks(values, seed)
    gone = np.stack(
        [rank >= (1 - share) * rank.size for share in shares] + [rank < share * rank.size for share in shares]
    )
    trials = np.stack([filled(image, one) for one in gone])
    trials += gone[..., None] * rng.normal(0, noise * np.ptp(image), trials.shape).astype(np.float32)
    least, most = np.split(score(trials), 2)
    return float(least.mean() - most.mean())


def exchanged(score: Score, start: Floats, end: Floats, values: Floats, steps: int, seed: int) -> Floats:
    """[steps + 1]: the scores while the pixels of `start` become those of `end`, the most important first."""
    rank = ranks(values, seed)
    trials = [np.where((rank < step * rank.size / steps)[..., None], end, start) for step in range(steps + 1)]
    return score(np.stack(trials))


def ranks(values: Floats, seed: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """[height, width], 0 for the highest; by chance where values are alike, as where a map is zero."""
    chance = np.random.default_rng(seed).random(values.size)
    rank = np.empty(values.size, np.intp)
    rank[np.lexsort((chance, -values.ravel()))] = np.arange(values.size)
    return rank.reshape(values.shape)


def filled(image: Floats, gone: np.ndarray[Any, np.dtype[np.bool_]], sweeps: int = 12) -> Floats:
    """The image [height, width, channels] with each pixel that is gone as the weighted mean of its eight neighbours.

    The weights are 1/6 beside and 1/12 across, as in ROAD. Their equations are not solved exactly: the image at half
    the size is filled first and gives the start for so many sweeps.
    """
    if gone.all():
        return np.broadcast_to(image.mean((0, 1)), image.shape).copy()
    if not gone.any():
        return image.copy()
    height, width = gone.shape
    found = image.copy()
    if min(height, width) >= 8:
        pad = ((0, height % 2), (0, width % 2))
        there = np.pad(~gone, pad).astype(np.float32)[..., None]
        blocks = (there.shape[0] // 2, 2, there.shape[1] // 2, 2, -1)
        count = there.reshape(blocks).sum((1, 3))
        total = (np.pad(image, (*pad, (0, 0))) * there).reshape(blocks).sum((1, 3))
        coarse = filled(total / np.maximum(count, 1), count[..., 0] == 0, sweeps)
        start = zoom(coarse, (2, 2, 1), order=1, mode="nearest", grid_mode=True)[:height, :width]
    else:
        start = np.broadcast_to(image[~gone].mean(0), image.shape)
    np.copyto(found, start, where=gone[..., None])
    for _ in range(sweeps):
        around = np.pad(found, ((1, 1), (1, 1), (0, 0)), mode="edge")
        rows = around[:-2] + around[2:] + 2 * around[1:-1]  # 1 2 1 down and across, less the middle: 1 beside 2
        means = (rows[:, :-2] + rows[:, 2:] + 2 * rows[:, 1:-1] - 4 * found) / 12
        np.copyto(found, means, where=gone[..., None])
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
