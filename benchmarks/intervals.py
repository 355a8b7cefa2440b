"""How sure a difference is: paired bootstrap over the pictures (Efron & Tibshirani 1993, chapter 13)."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]


def paired(ours: Floats, theirs: Floats, draws: int = 10_000, seed: int = 0) -> tuple[float, float, float]:
    """Mean of the differences and the bounds of its interval of 95 %; pictures where one is NaN are left out."""
    differences = ours - theirs
    differences = differences[np.isfinite(differences)]
    chosen = np.random.default_rng(seed).integers(0, len(differences), (draws, len(differences)))
    low, high = np.percentile(differences[chosen].mean(1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


def words(difference: tuple[float, float, float]) -> str:
    middle, low, high = difference
    return f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
