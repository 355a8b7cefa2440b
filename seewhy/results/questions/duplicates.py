"""Pictures that are nearly the same: pairs of 64-bit hashes that differ in few bits."""

from __future__ import annotations

from itertools import combinations
from typing import Any, TypeAlias

import numpy as np

from seewhy.results.arrays import Ints

Hashes: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]
FAR = 4  # bits: at most so many of 64 differ between near-duplicates
CLIQUE = 64  # of more pictures with one and the same hash not all pairs are listed
_CUTS = (0, 11, 22, 33, 44, 54, 64)  # the six bands
_SHARED = 2  # of six bands, at least two hold none of four bits


def near_pairs(hashes: Hashes, far: int = FAR) -> tuple[Ints, Ints, Ints]:
    """All pairs of different hashes at most `far` bits apart.

    The bits are cut into six bands. Where at most four bits differ, at least two bands are equal, so it is enough to
    compare what shares two bands: 15 sorted lists with keys of 20 to 22 bits. For hashes drawn evenly that is about
    n² / 280,000 comparisons instead of n² / 2.

    Args:
        hashes: uint64 [n], all different.
        far: 0 to 4.
    Returns:
        Two places in `hashes`, the first below the second, and the bits between them: int [pairs] each, by place.
    """
    found: list[Ints] = []
    n = len(hashes)
    for one, two in combinations(range(len(_CUTS) - 1), _SHARED):
        key = (_band(hashes, one) << np.uint64(11)) | _band(hashes, two)
        order = np.argsort(key, kind="stable")
        key = key[order]
        left = np.arange(n - 1)
        for step in range(1, n):
            left = left[left + step < n]
            left = left[key[left] == key[left + step]]
            if not len(left):
                break
            a, b = order[left], order[left + step]
            near = bits_between(hashes[a], hashes[b]) <= far
            found.append(np.minimum(a, b)[near] * n + np.maximum(a, b)[near])
    codes = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    first, second = codes // max(1, n), codes % max(1, n)
    return first, second, bits_between(hashes[first], hashes[second])


def duplicates(hashes: Hashes, classes: Ints | None, far: int = FAR) -> tuple[Ints, Ints, Ints]:
    """Pairs of pictures at most `far` bits apart, of different classes where these are given.

    Where more than 64 pictures have one and the same hash (blank ones, say), each is paired only with the first, and
    with the first of another class: all pairs would be millions.

    Args:
        hashes: uint64 [n].
        classes: int [n], below 0 where not known; such pictures are in no pair. None: whatever the class.
    Returns:
        Two places and the bits between them: int [pairs] each; the nearest first, then by place.
    """
    values, group = np.unique(hashes, return_inverse=True)
    by_group = np.argsort(group, kind="stable")
    ends = np.cumsum(np.bincount(group, minlength=len(values)))
    members = np.split(by_group, ends[:-1]) if len(values) else []
    pairs = [_within(each, classes) for each in members if len(each) > 1]
    a, b, _ = near_pairs(values, far)
    pairs += [_between(members[i], members[j], classes) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    both = np.concatenate(pairs) if pairs else np.empty((0, 2), np.int64)
    both = np.sort(both, axis=1)
    if classes is not None:
        label = classes[both]
        both = both[(label[:, 0] != label[:, 1]) & (label >= 0).all(axis=1)]
    bits = bits_between(hashes[both[:, 0]], hashes[both[:, 1]])
    order = np.lexsort((both[:, 1], both[:, 0], bits))
    return both[order, 0], both[order, 1], bits[order]


def bits_between(one: Hashes, two: Hashes) -> Ints:
    """How many bits differ: int [n]."""
    x = one ^ two
    ones, twos, fours = (np.uint64(mask) for mask in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F))
    x = x - ((x >> np.uint64(1)) & ones)
    x = (x & twos) + ((x >> np.uint64(2)) & twos)
    x = (x + (x >> np.uint64(4))) & fours
    return ((x * np.uint64(0x0101010101010101)) >> np.uint64(56)).astype(np.int64)


def _band(hashes: Hashes, number: int) -> Hashes:
    low, high = _CUTS[number], _CUTS[number + 1]
    return (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)


def _within(members: Ints, classes: Ints | None) -> Ints:
    if len(members) <= CLIQUE:
        first, second = np.triu_indices(len(members), 1)
        return np.column_stack([members[first], members[second]])
    return _star(members, members, classes)


def _between(left: Ints, right: Ints, classes: Ints | None) -> Ints:
    if len(left) * len(right) <= CLIQUE**2 // 2:
        return np.column_stack([np.repeat(left, len(right)), np.tile(right, len(left))])
    return np.concatenate([_star(left, right, classes), _star(right, left, classes)])


def _star(members: Ints, others: Ints, classes: Ints | None) -> Ints:
    """Each member with the first of the others, and with the first one of another class than that."""
    hubs = [int(others[0])]
    if classes is not None:
        known = others[classes[others] >= 0]
        _, firsts = np.unique(classes[known], return_index=True)
        hubs = known[np.sort(firsts)[:2]].tolist()
    kept = [np.column_stack([members[members != hub], np.full((members != hub).sum(), hub)]) for hub in hubs]
    return np.unique(np.sort(np.concatenate(kept), axis=1), axis=0) if kept else np.empty((0, 2), np.int64)
