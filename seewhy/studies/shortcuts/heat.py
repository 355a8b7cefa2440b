"""Sharp heat: where evidence found early in the network still counts at its end. And the region that it marks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter, uniform_filter

from seewhy.images.resizing import Floats, upscale

CELLS = 12  # of a side of the heat that is compared between pictures
_LEVEL, _MOST = 0.3, 0.3  # a region is above this share of the highest heat, and at most this share of the picture
_BLUR = 0.5  # cells

Masks = np.ndarray[Any, np.dtype[np.bool_]]


def sharp(early: Floats, late: Floats) -> tuple[Floats, Masks]:
    """Heat from an early layer, weighed by where the last layer looks.

    Args:
        early: float [n, h, w], the sum over channels of ReLU(activation * gradient) at the early layer.
        late: float [n, a, b], Grad-CAM at the last layer, after ReLU.
    Returns:
        float [n, h, w], 0..1, even where one of them is zero everywhere; and bool [n], where that is so.
    """
    smooth = np.stack([uniform_filter(each, 3, mode="nearest") for each in np.asarray(early, np.float64)])
    large = np.stack([upscale(each, smooth.shape[1:], "bilinear") for each in late]).astype(np.float64)
    heat = _over_highest(smooth) * _over_highest(large)
    dark = ~(heat.max(axis=(1, 2)) > 0)
    heat[dark] = 1.0
    return heat, dark


def regions(heat: Floats, side: tuple[int, int], level: float = _LEVEL, most: float = _MOST) -> Masks:
    """Where a picture's heat is high: at most a share of the picture, then widened a little.

    Args:
        heat: float [n, h, w].
        side: height and width of the image.
        level: of its highest.
        most: of the picture, before widening.
    Returns:
        bool [n, *side]; nowhere where there is no heat.
    """
    large = np.stack([upscale(each, side, "bilinear") for each in heat])
    highest = large.max(axis=(1, 2))
    lines = np.maximum(level * highest, np.quantile(large, 1 - most, axis=(1, 2)))
    reach = max(2, round(min(side) / 40))
    wide = 2 * reach + 1
    found = (large >= lines[:, None, None]) & (highest > 0)[:, None, None]
    return np.stack([maximum_filter(each, wide, mode="constant") for each in found])


def shares(heat: Floats, shape: tuple[int, int]) -> Floats:
    """The heat averaged by area into another grid, each picture's adding up to 1: float [n, *shape]."""
    small = np.einsum("ai,nij,bj->nab", _areas(heat.shape[1], shape[0]), heat, _areas(heat.shape[2], shape[1]))
    found: Floats = small / small.sum(axis=(1, 2), keepdims=True)
    return found


def of_node(inside: Floats, outside: Floats) -> Floats:
    """float [h, w]: where a node's pictures have more heat than the rest of the class; of mean heats."""
    return np.asarray(gaussian_filter(np.maximum(0, inside - outside), _BLUR, mode="nearest"))


def _over_highest(maps: Floats) -> Floats:
    highest = maps.max(axis=(1, 2), keepdims=True)
    found: Floats = np.divide(maps, highest, out=np.zeros_like(maps), where=highest > 0)
    return found


@lru_cache(maxsize=64)
def _areas(cells: int, into: int) -> Floats:
    """float [into, cells]: how much of each old cell lies in each new one, in shares of the new one."""
    old, new = np.arange(cells + 1) / cells, np.arange(into + 1) / into
    overlap = np.minimum(old[None, 1:], new[1:, None]) - np.maximum(old[None, :-1], new[:-1, None])
    found: Floats = np.maximum(overlap, 0) * into
    return found
