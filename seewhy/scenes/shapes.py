"""Outlines, and how they are filled: what the classes, the clutter and some markers are drawn with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from seewhy.images.resizing import Floats

_FINE = 4  # samples of a pixel in each direction: edges are smooth


def _round(corners: int, radius: float = 1.0, start: float = 0.0) -> Floats:
    """A regular polygon round 0: [corners, 2] as (x, y), the first corner above."""
    turn = 2 * np.pi * (np.arange(corners) / corners) + start
    return radius * np.stack([np.sin(turn), -np.cos(turn)], axis=1)  # [corners, 2]


def _disc() -> list[Floats]:
    return [_round(48, 0.86)]


def _cross(arm: float = 0.3) -> list[Floats]:
    quarter = np.array([[-arm, -1], [arm, -1], [arm, -arm]])
    turns = [np.array([[0, -1], [1, 0]]), np.array([[-1, 0], [0, -1]]), np.array([[0, 1], [-1, 0]])]
    return [np.concatenate([quarter, *(quarter @ turn.T for turn in turns)])]


def _star() -> list[Floats]:
    corners = np.empty((10, 2))
    corners[::2], corners[1::2] = _round(5), _round(5, 0.42, np.pi / 5)
    return [corners]


def _heart() -> list[Floats]:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across = 16 * np.sin(t) ** 3
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) - 2
    return [np.stack([across, down], axis=1) / 17]


def _moon() -> list[Floats]:
    return [_round(48, 0.95), _round(48, 0.74) + np.array([0.42, -0.12])]


# One outline, or an outline and the hole in it; all within the circle of radius 1.
_OUTLINES: dict[str, Callable[[], list[Floats]]] = {
    "triangle": lambda: [_round(3)],
    "disc": _disc,
    "cross": _cross,
    "square": lambda: [_round(4, start=np.pi / 4)],
    "star": _star,
    "ring": lambda: [_round(48, 0.92), _round(48, 0.5)],
    "heart": _heart,
    "moon": _moon,
    "arrow": lambda: [
        np.array([[0, -1], [0.75, -0.15], [0.27, -0.15], [0.27, 0.9], [-0.27, 0.9], [-0.27, -0.15], [-0.75, -0.15]])
    ],
    "bolt": lambda: [np.array([[0.3, -1], [-0.65, 0.12], [-0.08, 0.12], [-0.3, 1], [0.65, -0.22], [0.08, -0.22]])],
}
SHAPES = tuple(_OUTLINES)


def shape(name: str, side: int, centre: tuple[float, float], radius: float, turn: float) -> Floats:
    """How much of each pixel the shape covers.

    Args:
        name: one of `SHAPES`.
        side: of the picture, in pixels.
        centre: x and y, in shares of the side.
        radius: of the circle round it, in shares of the side.
        turn: in radians, clockwise.
    Returns:
        float64 [side, side], 0..1.
    """
    cos, sin = np.cos(turn), np.sin(turn)
    rotation = np.array([[cos, sin], [-sin, cos]])
    return filled([outline @ rotation * radius + np.array(centre) for outline in _OUTLINES[name]()], side)


def filled(outlines: Sequence[Floats], side: int) -> Floats:
    """How much of each pixel lies in the first outline and in none of the others.

    Args:
        outlines: [corners, 2] each, as (x, y) in shares of the side.
        side: of the picture, in pixels.
    Returns:
        float64 [side, side], 0..1.
    """
    sheet = Image.new("L", (side * _FINE, side * _FINE), 0)
    pen = ImageDraw.Draw(sheet)
    for number, outline in enumerate(outlines):
        pen.polygon([(float(x), float(y)) for x, y in outline * (side * _FINE) - 0.5], fill=0 if number else 255)
    return np.asarray(sheet.reduce(_FINE), np.float64) / 255


def disc(side: int, centre: tuple[float, float], radius: float) -> Floats:
    """float64 [side, side], 0..1: a disc, all in shares of the side."""
    return filled([_round(48, radius) + np.array(centre)], side)


def rectangle(side: int, left: float, top: float, right: float, bottom: float) -> Floats:
    """float64 [side, side], 0..1: an upright rectangle, all in shares of the side."""
    return filled([np.array([[left, top], [right, top], [right, bottom], [left, bottom]])], side)
