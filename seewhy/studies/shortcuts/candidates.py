"""Candidates: groups of pictures of one class that look at alike things, at every fineness at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import linkage

from seewhy.images.resizing import Floats

SMALLEST, LEAST, MOST, NODES = 10, 0.05, 0.85, 36
DIMENSIONS = 10

Ints = np.ndarray[Any, np.dtype[np.int64]]


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
    least, most = max(SMALLEST, LEAST * count), MOST * count
    return [each for each in reversed(held[count:]) if least <= len(each) <= most][:NODES]


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
