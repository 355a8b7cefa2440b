"""How sure an effect is: 95 % intervals of shares, of differences of shares, and of means by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.questions.measures import wilson

_DRAWS = 2_000

Interval = tuple[float, float]


def gap(turned: int, of: int, control: int, of_control: int) -> Interval:
    """Of the difference of two shares, counted on pictures that are independent.

    Source:
        Newcombe 1998, 'Interval estimation for the difference between independent proportions', Statistics in Medicine
        17, method 10.
    """
    one, other = wilson(turned, of), wilson(control, of_control)
    if one is None or other is None:
        return -1.0, 1.0
    p, q = turned / of, control / of_control
    below = np.hypot(p - one[0], other[1] - q)
    over = np.hypot(one[1] - p, q - other[0])
    return max(-1.0, float(p - q - below)), min(1.0, float(p - q + over))


def means(samples: Sequence[Floats], groups: Sequence[Sequence[Any]], seed: int) -> Interval:
    """Of the mean of a sample, less that of a second one where there is one, when whole groups are drawn again.

    Args:
        samples: one or two, float [n] each.
        groups: of each sample, what each picture belongs to (a patient, a video); these stay together.
        seed: of the drawing.
    Source:
        Efron 1979, the bootstrap; percentiles 2.5 and 97.5 of 2,000 draws with replacement.
    """
    rng = np.random.default_rng(seed)
    drawn = [_drawn_means(np.asarray(sample), own, rng) for sample, own in zip(samples, groups, strict=True)]
    low, high = np.quantile(drawn[0] - drawn[1] if len(drawn) > 1 else drawn[0], (0.025, 0.975))
    return float(low), float(high)


def _drawn_means(sample: Floats, groups: Sequence[Any], rng: np.random.Generator) -> Floats:
    """float [draws]: the mean of as many groups as there are, drawn with replacement."""
    places: dict[Any, int] = {}
    own = np.array([places.setdefault(group, len(places)) for group in groups])
    sums, sizes = np.bincount(own, sample), np.bincount(own)
    picked = rng.integers(0, len(sums), (_DRAWS, len(sums)))
    found: Floats = sums[picked].sum(axis=1) / sizes[picked].sum(axis=1)
    return found


def own_group(groups: Sequence[str | None]) -> list[Any]:
    """A picture without a group is one of its own."""
    return [("alone", i) if group is None else group for i, group in enumerate(groups)]
