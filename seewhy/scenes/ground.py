"""The ground that a shape lies on: smooth noise, stripes and clutter, so that no pixel tells the class by itself."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from PIL import Image

from seewhy.images.resizing import Floats
from seewhy.scenes.shapes import filled

Random: TypeAlias = np.random.Generator

NOISE = 4.0  # of 255, of each pixel
CLUTTER = 2  # pieces
_CELLS = 5  # of the smooth noise, in each direction


def ground(side: int, rng: Random) -> Floats:
    """A textured ground without clutter.

    Returns:
        float64 [side, side, 3] in 0..255, not rounded.
    """
    base = rng.uniform(60, 195, 3)
    clouds = rng.uniform(-20, 20, (_CELLS, _CELLS, 3))
    turn, period, phase = rng.uniform(0, np.pi), rng.uniform(0.07, 0.2), rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(3, 8)
    grown = [np.asarray(Image.fromarray(np.float32(clouds[..., c])).resize((side, side), 3)) for c in range(3)]
    y, x = (np.indices((side, side)) + 0.5) / side
    stripes = depth * np.sin((x * np.cos(turn) + y * np.sin(turn)) * (2 * np.pi / period) + phase)
    return np.asarray(base + np.stack(grown, axis=2) + stripes[..., None])


def clutter(side: int, rng: Random) -> Floats:
    """How much of each pixel one small piece of clutter covers: a stroke or a crooked scrap, no class's shape.

    Returns:
        float64 [side, side], 0..1.
    """
    centre, turn = rng.uniform(0.06, 0.94, 2), rng.uniform(0, np.pi)
    corners = np.sort(rng.uniform(0, 2 * np.pi, 4)) if rng.random() < 0.5 else None
    if corners is None:
        length, width = rng.uniform(0.06, 0.13), rng.uniform(0.012, 0.025)
        along = np.array([np.cos(turn), np.sin(turn)])
        across = width * np.array([-along[1], along[0]])
        outline = np.array([length * along + across, length * along - across, -length * along - across])
        outline = np.concatenate([outline, [-length * along + across]])
    else:
        outline = rng.uniform(0.04, 0.085) * np.stack([np.cos(corners), np.sin(corners)], axis=1)
    return filled([outline + centre], side)


def colour_unlike(ground: Floats, low: float, high: float, rng: Random) -> Floats:
    """A colour whose distance from the ground's, in RGB of 0..255, lies between `low` and `high`: float64 [3]."""
    tries = rng.uniform(10, 245, (64, 3))
    distance = np.sqrt(((tries - ground) ** 2).sum(axis=1))
    fits = np.flatnonzero((distance >= low) & (distance <= high))
    return np.asarray(tries[fits[0] if len(fits) else np.abs(distance - (low + high) / 2).argmin()])


def laid(pixels: Floats, colour: Floats, opacity: Floats) -> Floats:
    """The colour ([3] or [side, side, 3]) over the pixels, by an opacity [side, side] of 0..1."""
    return np.asarray(pixels + (colour - pixels) * opacity[..., None])
