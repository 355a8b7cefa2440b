"""Covering a part of an image with what surrounds it, and pasting a part into another image.

All of it works on images as the model eats them: a fill is a mean of other pixels and a paste a blend of two images,
and both are the same before and after any scaling of the channels. So no preparation needs to be undone or repeated.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.heat import Masks

_SIGMA = 12  # the fill's Gaussian: the image's side over this
_EDGE = 1.0  # pixels of the Gaussian that softens a pasted edge


def covered(images: Floats, masks: Masks) -> Floats:
    """The images with the masked part filled by the Gaussian mean of the pixels outside it (normalised convolution).

    A plain blur would leak what is covered into the fill.

    Args:
        images: float [n, height, width, channels].
        masks: bool [n, height, width].
    Returns:
        float32 [n, height, width, channels]; an image that is masked everywhere becomes its own mean.
    """
    outside = (~masks).astype(np.float32)
    height, width = masks.shape[1:]
    down, across = _gaussian(height, height / _SIGMA), _gaussian(width, width / _SIGMA)
    known = _blurred(outside[..., None], down, across)
    sums = _blurred(images * outside[..., None], down, across)
    count = outside.sum(axis=(1, 2))[:, None, None, None]
    total = (images * outside[..., None]).sum(axis=(1, 2), keepdims=True)
    mean = np.where(count > 0, total / np.maximum(count, 1), images.mean(axis=(1, 2), keepdims=True))
    fill = np.where(known > 1e-12, sums / np.maximum(known, 1e-12), mean)
    return np.where(masks[..., None], fill, images).astype(np.float32)


def averaged(images: Floats, masks: Masks) -> Floats:
    """The images with the masked part in the image's mean colour."""
    means = images.mean(axis=(1, 2), keepdims=True)
    return np.where(masks[..., None], means, images).astype(np.float32)


def pasted(donors: Floats, masks: Masks, receivers: Floats) -> Floats:
    """The masked part of each donor laid at its own place into a receiver, with a soft edge.

    Args:
        donors, receivers: float [n, height, width, channels].
        masks: bool [n, height, width].
    """
    alpha = softened(masks)[..., None]
    return (alpha * donors + (1 - alpha) * receivers).astype(np.float32)


def softened(masks: Masks) -> Floats:
    """float32 [n, height, width], 0..1: a mask whose edge fades over about a pixel."""
    height, width = masks.shape[1:]
    down, across = _gaussian(height, _EDGE), _gaussian(width, _EDGE)
    blurred = _blurred(masks[..., None].astype(np.float32), down, across)
    even = _blurred(np.ones((1, height, width, 1), np.float32), down, across)
    return np.asarray((blurred / even)[..., 0], np.float32)


def elsewhere(masks: Masks, rng: np.random.Generator) -> Masks:
    """Each mask moved, wrapping round, to where of some tries it overlaps least with itself."""
    height, width = masks.shape[1:]
    found = np.empty_like(masks)
    for i, mask in enumerate(masks):
        shifts = rng.integers(0, (height, width), (12, 2))
        moved = [np.roll(mask, (int(a), int(b)), (0, 1)) for a, b in shifts]
        found[i] = min(moved, key=lambda each: int((each & mask).sum()))
    return found


def _blurred(values: Floats, down: Floats, across: Floats) -> Floats:
    """float [n, height, width, channels] times a matrix along each side."""
    n, height, width, channels = values.shape
    rows = np.matmul(down, values.reshape(n, height, width * channels)).reshape(values.shape)
    return np.asarray(np.matmul(across, rows))  # [width, width] @ [n, height, width, channels]


@lru_cache(maxsize=8)
def _gaussian(side: int, sigma: float) -> Floats:
    """float32 [side, side]: each row the weights of a Gaussian round that pixel, cut off at the edges."""
    distance = np.subtract.outer(np.arange(side), np.arange(side)) / sigma
    weights = np.exp(-0.5 * distance**2)
    return np.asarray(weights / (np.sqrt(2 * np.pi) * sigma), np.float32)
