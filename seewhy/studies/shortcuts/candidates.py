"""Candidates: groups of pictures of one class that look at alike things, at every fineness at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import linkage

from seewhy.images.resizing import Floats

SMALLEST, LEAST, MOST, NODES = 10, 0.05, 0.85, 36
DIMENSIONS = 10
_SHRUNK = 0.1  # of the covariance inside both groups, towards its mean variance

Ints = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def standardised(values: Floats) -> Floats:
    """float [n, d] with mean 0 and deviation 1 in each column; a column that is the same everywhere becomes 0."""
    centred = np.asarray(values, np.float64) - values.mean(axis=0, dtype=np.float64)
    spread = centred.std(axis=0)
    varies = spread > 1e-9 * np.abs(values).max(initial=1e-9)
    found: Floats = np.divide(centred, spread, out=np.zeros_like(centred), where=varies)
    return found


def reduced(values: Floats, dimensions: int = DIMENSIONS) -> Floats:
    """float [n, at most `dimensions`]: principal components of what is centred already."""
    left, sizes, _ = np.linalg.svd(values, full_matrices=False)
    return np.asarray(left[:, :dimensions] * sizes[:dimensions])


def nodes(points: Floats) -> list[Ints]:
    """Groups from Ward's tree of points [n, d], from the root down; at most 36, of fitting size.

    Returns:
        The places of each group's points, rising. No number of groups is to be chosen: a group and its parts are all
        there.
    """
    count = len(points)
    if count < 2:
        return []
    tree = linkage(points, "ward")
    held: list[Ints] = [np.array([i]) for i in range(count)]
    for one, other, _, _ in tree:
        held.append(np.sort(np.concatenate([held[int(one)], held[int(other)]])))
    return [each for each in reversed(held[count:]) if _fits(len(each), count)][:NODES]


def groups(middle: Floats, early: Floats, peak: Floats, grid: Floats) -> list[Ints]:
    """The candidates of a class: groups of a tree, and what each grows to, by what is looked at and by all pixels.

    Args:
        middle, early: [n, channels], what these layers hold where the model looks.
        peak: [n, d], colours where it looks most.
        grid: [n, h, w, d], colours by place.
    Returns:
        The places of each group's pictures, each group once.
    """
    shown = reduced(standardised(middle))
    seeds = nodes(shown)
    looked_at = np.concatenate([standardised(each) for each in (shown, reduced(standardised(early)), peak)], axis=1)
    placed = reduced(standardised(grid.reshape(len(grid), -1)))
    wider = [grown(points, seed) for points in (looked_at, placed) for seed in seeds]
    fitting = [each for each in seeds + wider if _fits(len(each), len(middle))]
    return list({each.tobytes(): each for each in fitting}.values())


def _fits(members: int, count: int) -> bool:
    return max(SMALLEST, LEAST * count) <= members <= MOST * count


def grown(points: Floats, group: Ints, steps: int = 10) -> Ints:
    """A group grown to all that share what sets it apart: a direction that tells it from the rest, cut in two, again.

    A tree often holds but a part of what belongs together, the part that is alike in other ways too.

    Args:
        points: [n, d].
        group: the places of its points.
    Returns:
        The places of the grown group's points, rising; those of the last step at which it was neither empty nor all.
    """
    scaled = standardised(points)
    inside = np.zeros(len(points), bool)
    inside[group] = True
    for _ in range(steps):
        if inside.all() or not inside.any():
            break
        along = scaled @ direction(scaled, inside)
        found = along > halved(along)
        if found.sum() < SMALLEST or (found == inside).all():
            break
        inside = found
    return np.flatnonzero(inside)


def direction(points: Floats, inside: Flags) -> Floats:
    """float [d]: Fisher's discriminant of points [n, d], along which those inside lie highest beside the others."""
    one, other = points[inside].mean(axis=0), points[~inside].mean(axis=0)
    within = points - np.where(inside[:, None], one, other)
    covariance = within.T @ within / len(within)
    ridge = _SHRUNK * max(float(np.trace(covariance)) / len(covariance), 1e-12) * np.eye(len(covariance))
    found: Floats = np.linalg.solve(covariance + ridge, one - other)
    return found


def telling(values: Floats, inside: Flags) -> Floats:
    """float64 [channels]: weights of values [n, channels] that tell a group from the rest, by their main components."""
    spread = values.std(axis=0, dtype=np.float64)
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-9)
    scaled = standardised(values)
    axes = np.linalg.svd(scaled, full_matrices=False)[2][:DIMENSIONS]
    return np.asarray(direction(scaled @ axes.T, inside) @ axes * scale)


def halved(values: Floats) -> float:
    """The line that cuts values [n] into two groups of the largest variance between them (Otsu 1979)."""
    rising = np.sort(values)
    count, below = len(rising), np.cumsum(rising)
    low = np.arange(1, count)
    gap = below[:-1] / low - (below[-1] - below[:-1]) / (count - low)
    best = int((low * (count - low) * gap**2).argmax())
    return float(rising[best] + rising[best + 1]) / 2


def unlike(groups: Sequence[Ints], kept: Sequence[Ints]) -> list[bool]:
    """Of each group, best first, whether it is another than all better ones that are kept.

    The same are two whose Jaccard index is above 0.5, or of which one holds more than 80 % of the other.

    Args:
        groups: best first.
        kept: groups that are there already.
    """
    chosen, found = [set(each.tolist()) for each in kept], []
    for group in groups:
        own = set(group.tolist())
        common = [(len(own & other), len(own | other), min(len(own), len(other))) for other in chosen]
        new = not any(both > 0.5 * either or both > 0.8 * smaller for both, either, smaller in common)
        if new:
            chosen.append(own)
        found.append(new)
    return found
