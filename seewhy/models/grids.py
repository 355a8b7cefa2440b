"""Where the height and width are in a layer's output: maps of either layout, and tokens of transformers.

Pure arithmetic on shapes, shared by all frameworks. A layer's output becomes a map when its positions fit the image:
both strides (image side / map side) must be nearly equal, which tells channels from rows and attention from pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Literal

PREFIXES = (0, 1, 2, 5, 4, 3, 6, 7, 8, 9)  # class token; and distillation; and registers: the usual ones first


@dataclass(frozen=True)
class Grid:
    """How an output [batch, ...] is read as a map [batch, height, width, channels].

    Args:
        layout: 'channels first' [n, c, h, w], 'channels last' [n, h, w, c] or 'tokens' [n, prefix + h * w, c].
        height, width: of the map.
        prefix: how many tokens come before those of the grid (class token, registers).
    """

    layout: Literal["channels first", "channels last", "tokens"]
    height: int
    width: int
    prefix: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width


def find_grid(
    shape: Sequence[int], image: tuple[int, int], channels_first: bool, seen: Sequence[Grid] = (), sure: bool = False
) -> Grid | None:
    """The grid of an output, or None where its positions do not fit the image.

    Args:
        shape: of the output, with the batch.
        image: height and width of the image.
        channels_first: the framework's usual layout, which wins where both would fit.
        seen: grids of earlier layers, in order of execution: tokens are folded into the last one that fits.
        sure: the layer (a convolution, say) gives maps in the usual layout by its nature.
    """
    if len(shape) == 4:
        return _of_map(shape, image, channels_first, seen, sure)
    if len(shape) == 3 and shape[1] > 1 and shape[2] > 1:
        return _of_tokens(shape, image, seen)
    return None


def _of_map(
    shape: Sequence[int], image: tuple[int, int], channels_first: bool, seen: Sequence[Grid], sure: bool
) -> Grid | None:
    first = Grid("channels first", shape[2], shape[3])
    last = Grid("channels last", shape[1], shape[2])
    order = (first, last) if channels_first else (last, first)
    if sure:
        return order[0]
    maps = {grid for grid in seen if grid.layout != "tokens"}
    fitting = [grid for grid in order if grid in maps or _fits(grid.shape, image)]
    # attention [n, heads, tokens, tokens] and its queries [n, heads, tokens, width] can have a map's proportions
    tokens = {grid.height * grid.width + grid.prefix for grid in seen}
    fitting = [grid for grid in fitting if grid.height not in tokens or grid.shape in {m.shape for m in maps}]
    if len(fitting) == 2 and {1} & set(fitting[0].shape) and not {1} & set(fitting[1].shape):
        return fitting[1]
    return fitting[0] if fitting else None


def _fits(grid: tuple[int, int], image: tuple[int, int]) -> bool:
    """Whether the map's proportions are the image's, to less than one cell (padding and odd sizes)."""
    if grid[0] > 4 * image[0] or grid[1] > 4 * image[1]:
        return False
    return abs(grid[0] * image[1] - grid[1] * image[0]) < max(image)


def _of_tokens(shape: Sequence[int], image: tuple[int, int], seen: Sequence[Grid]) -> Grid | None:
    _, count, width = shape
    places = {grid.height * grid.width for grid in seen}
    if width in places and not any(count - prefix in places for prefix in PREFIXES):
        return None  # [n, channels, tokens], inside a mixer
    for grid in reversed(seen):  # the patch embedding, or the tokens of the layer before
        prefix = count - grid.height * grid.width
        if grid.layout == "tokens" and prefix == grid.prefix:
            return grid
        if grid.layout != "tokens" and prefix in PREFIXES and grid.height * grid.width > 1:
            return Grid("tokens", grid.height, grid.width, prefix)
    for prefix in PREFIXES:
        positions = count - prefix
        if positions < 4:
            continue
        height = isqrt(round(positions * image[0] / image[1]))
        for rows in (height, height + 1):
            if rows and positions % rows == 0 and _fits((rows, positions // rows), image):
                return Grid("tokens", rows, positions // rows, prefix)
    return None
