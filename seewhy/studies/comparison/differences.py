"""What differs between two models on the same pictures, and whether chance alone would do it: numbers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from seewhy.results.arrays import Floats, Ints
from seewhy.results.questions.measures import wilson

Interval = tuple[float, float]

_Z = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations
_DRAWS = 2_000
_DRAWN = 2_000  # groups; of more the normal interval is the same to the digits that are printed


@dataclass(frozen=True)
class Mean:
    """The mean of what two models have for each of the same pictures.

    Args:
        first, other: means.
        pictures: of which both are known.
        interval: 95 %, of other - first; None for fewer than two pictures, or groups of pictures.
    """

    first: float
    other: float
    pictures: int
    interval: Interval | None

    @property
    def difference(self) -> float:
        return self.other - self.first

    @property
    def sure(self) -> bool:
        """The interval leaves out zero."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def paired(both: int, first: int, other: int, neither: int) -> Interval | None:
    """The 95 % interval of the difference of two shares that were counted on the same pictures, other - first.

    Args:
        both, first, other, neither: pictures that both have right, only the first, only the other, none.
    Source:
        Newcombe 1998, 'Improved confidence intervals for the difference between binomial proportions based on paired
        data', Statistics in Medicine 17, 2635-2650, method 10.
    """
    total = both + first + other + neither
    one, two = wilson(both + first, total), wilson(both + other, total)
    if one is None or two is None:
        return None
    p, q = (both + first) / total, (both + other) / total
    joint = float(both * neither - first * other)
    if joint > 0:
        joint = max(0.0, joint - total / 2)  # the correction for continuity
    margins = (both + first) * (other + neither) * (both + other) * (first + neither)
    phi = joint / math.sqrt(margins) if margins else 0.0
    low, high = _reach(q - two[0], one[1] - p, phi), _reach(two[1] - q, p - one[0], phi)
    return max(-1.0, q - p - low), min(1.0, q - p + high)


def mcnemar(first: int, other: int) -> float:
    """How probable it is that chance alone parts the pictures so unevenly: the exact test of McNemar.

    Args:
        first, other: pictures that only the first, only the other has right.
    Source:
        McNemar 1947, Psychometrika 12; exact as a binomial test with 1/2 on the pictures where the two differ.
    """
    if not first + other:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(first, first + other, 0.5).pvalue)


def mean(first: Floats, other: Floats, groups: Ints | None = None, seed: int = 0) -> Mean | None:
    """Means over the pictures of which both are known, with the interval of the mean difference; None without any.

    Args:
        first, other: float [n]; NaN where not known.
        groups: int [n], what each picture belongs to (a patient, a video): whole groups are drawn again.
        seed: of the drawing.
    Source:
        Efron 1979, the bootstrap: percentiles 2.5 and 97.5 of 2,000 draws of as many groups, with replacement. For more
        than 2,000 groups the normal interval with the standard error of sums by group.
    """
    known = np.isfinite(first) & np.isfinite(other)
    if not known.any():
        return None
    one, two = first[known].astype(np.float64), other[known].astype(np.float64)
    own = np.arange(len(one)) if groups is None else np.unique(groups[known], return_inverse=True)[1]
    sums, sizes = np.bincount(own, two - one), np.bincount(own)
    middle = float((two - one).mean())
    interval = None
    if len(sums) > _DRAWN:
        error = math.sqrt(float(np.square(sums - middle * sizes).sum())) / len(one)
        interval = (middle - _Z * error, middle + _Z * error)
    elif len(sums) > 1:
        rng = np.random.default_rng(seed)
        drawn = rng.integers(0, len(sums), (_DRAWS, len(sums)))
        low, high = np.quantile(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), (0.025, 0.975))
        interval = (float(low), float(high))
    return Mean(float(one.mean()), float(two.mean()), len(one), interval)


def _reach(one: float, two: float, phi: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * phi * one * two + two**2))
