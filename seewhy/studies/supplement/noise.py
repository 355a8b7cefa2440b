"""Which differences between models are more than noise: that of the pictures and that of the training together.

Each model of a share is one training (a seed), and all are asked the same pictures. The mean over both has an error
from the pictures that happened to be held out and one from the training. Both are estimated from the table of
values [seeds, pictures] by a two-way analysis of variance with both as random effects, as in studies where several
readers judge the same cases.

Paper:
    Obuchowski and Rockette 1995, doi:10.1080/03610919508813243; Hillis 2007, doi:10.1002/sim.2532, for the degrees of
    freedom of the t interval, which stay sound with few readers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from seewhy.images.resizing import Floats

LEVEL = 0.95
_DIGITS = 1e-12  # below this a variance is rounding


@dataclass(frozen=True)
class Estimate:
    """A mean over pictures and trainings.

    Args:
        mean: of all values.
        low, high: the interval of 95 %; None where it cannot be told: fewer than two pictures.
        p: of the mean being 0, two-sided; None as before.
        seeds, pictures: how many.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    seeds: int
    pictures: int


def estimated(values: Floats) -> Estimate | None:
    """The mean of a table of values, with the interval that both pictures and trainings leave.

    Args:
        values: float [seeds, pictures]; of one training the interval holds the noise of the pictures alone. Pictures
            without a value (NaN) under any training are left out.
    Returns:
        None where no picture has a value.
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    seeds, pictures = values.shape
    if not pictures or not seeds:
        return None
    mean = float(values.mean())
    if pictures < 2:
        return Estimate(mean, None, None, None, seeds, pictures)
    by_picture = seeds * float(values.mean(axis=0).var(ddof=1))  # mean square of pictures
    if seeds == 1:
        variance, freedom = by_picture / pictures, pictures - 1.0
    else:
        by_seed = pictures * float(values.mean(axis=1).var(ddof=1))
        rest = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + mean
        both = float((rest**2).sum()) / ((seeds - 1) * (pictures - 1))
        total = by_seed + max(by_picture - both, 0.0)
        variance = total / (seeds * pictures)
        freedom = total**2 / (by_seed**2 / (seeds - 1)) if by_seed > _DIGITS else np.inf
    if variance <= _DIGITS**2:
        return Estimate(mean, mean, mean, 1.0 if mean == 0 else 0.0, seeds, pictures)
    error = float(np.sqrt(variance))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Estimate(
        mean, mean - reach, mean + reach, float(2 * stats.t.sf(abs(mean) / error, freedom)), seeds, pictures
    )
