"""Maps laid on pictures: interpolation where the centre of each cell stays where it belongs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Map: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom in pixels of the original picture


def upscale(map: Any, shape: tuple[int, int], order: str = "bicubic") -> Map:
    """The map at another resolution, edge to edge: the cells of the map tile the whole of the result.

    Half-pixel centres are used, as in `torch.nn.functional.interpolate(align_corners=False)`, and the outermost cells
    go on to the edge. Where the result is smaller than the map, the cells under a pixel are averaged.

    Args:
        map: float [h, w]. A NaN spreads over the whole result.
        shape: height and width of the result, in pixels.
        order: 'bicubic' (Keys, a = -1/2; never beyond the map's own lowest and highest value), 'bilinear', 'nearest'.
    Returns:
        float32 [height, width].
    Raises:
        InputError: the map is no [h, w], or the shape has no pixels.
        UnknownNameError: no such order.
    """
    return place(map, shape, None, order)


def place(map: Any, shape: tuple[int, int], box: Box | None, order: str = "bicubic") -> Map:
    """The map laid over a picture, on the rectangle of the picture that the model saw.

    Args:
        map: float [h, w].
        shape: height and width of the picture, in pixels.
        box: left, top, right, bottom in pixels of the picture; may reach outside it. None: the whole picture.
        order: as in `upscale`.
    Returns:
        float32 [height, width]; 0 at the pixels whose centres lie outside the box.
    Raises:
        InputError: as in `upscale`, or the box is empty or not finite.
        UnknownNameError: no such order.
    """
    cells = checked_map(map)
    height, width = shape
    if height < 1 or width < 1:
        raise InputError(f"a shape of {height} x {width}", "height and width of 1 or more", "give the picture's shape")
    left, top, right, bottom = checked_box(box, shape)
    rows, down = _axis(cells.shape[0], height, top, bottom, order)
    columns, across = _axis(cells.shape[1], width, left, right, order)
    canvas = np.zeros((height, width), np.float32)  # [height, width]
    if down.size and across.size:
        within = canvas[rows, columns]
        np.matmul(down @ cells, across.T, out=within)
        np.clip(within, cells.min(), cells.max(), out=within)
    return canvas


def covers(box: Box | None, shape: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns of the pixels whose centres lie inside the box."""
    left, top, right, bottom = checked_box(box, shape)
    return _inside(top, bottom, shape[0]), _inside(left, right, shape[1])


def checked_map(map: Any) -> Map:
    """The map as float32 [h, w]; InputError where it is none."""
    cells = np.asarray(map, np.float32)
    if cells.ndim != 2 or not cells.size:
        raise InputError(f"a map of shape {list(cells.shape)}", "one map [h, w] with a cell or more", "pick one map")
    return cells


def checked_box(box: Box | None, shape: tuple[int, int]) -> Box:
    """The box, or for None that of the whole picture; InputError where it is empty or not finite."""
    if box is None:
        return (0.0, 0.0, float(shape[1]), float(shape[0]))
    left, top, right, bottom = box
    if not np.isfinite(box).all() or left >= right or top >= bottom:
        expected = "left < right and top < bottom, in pixels of the picture"
        raise InputError(f"the box {box}", expected, "give (left, top, right, bottom)")
    return (left, top, right, bottom)


def _inside(start: float, stop: float, pixels: int) -> slice:
    first, last = (int(np.clip(np.ceil(edge - 0.5), 0, pixels)) for edge in (start, stop))
    return slice(first, last)


def _axis(cells: int, pixels: int, start: float, stop: float, order: str) -> tuple[slice, Map]:
    """Which pixels of an axis lie in start..stop, and the weight of each cell for each of them: [inside, cells]."""
    inside = _inside(start, stop, pixels)
    centres = np.arange(inside.start, inside.stop) + 0.5
    where = (centres - start) * (cells / (stop - start)) - 0.5  # [inside], in cells
    wide = max(1.0, cells / (stop - start))  # cells under a pixel: above 1 the kernel grows, so that none is left out
    kernel, reach = _kernel(order)
    weights = np.zeros((len(where), cells))
    if order == "nearest":
        weights[np.arange(len(where)), np.clip(np.floor(where + 0.5), 0, cells - 1).astype(int)] = 1
        return inside, weights.astype(np.float32)
    first = np.floor(where - reach * wide).astype(int) + 1
    for step in range(int(np.ceil(2 * reach * wide))):
        cell = first + step
        # Beyond the edge the outermost cell goes on.
        np.add.at(weights, (np.arange(len(where)), np.clip(cell, 0, cells - 1)), kernel((cell - where) / wide))
    weights /= weights.sum(axis=1, keepdims=True)
    return inside, weights.astype(np.float32)


def _kernel(order: str) -> tuple[Callable[[Floats], Floats], int]:
    kernels: dict[str, tuple[Callable[[Floats], Floats], int]] = {
        "nearest": (_linear, 0),
        "bilinear": (_linear, 1),
        "bicubic": (_cubic, 2),
    }
    if order not in kernels:
        remedy = did_you_mean(str(order), kernels, "use 'bicubic'")
        raise UnknownNameError(f"no interpolation {order!r}", f"one of {', '.join(kernels)}", remedy)
    return kernels[order]


def _linear(distance: Floats) -> Floats:
    return np.asarray(np.maximum(0.0, 1 - np.abs(distance)))


def _cubic(distance: Floats) -> Floats:
    """Keys 1981, 'Cubic convolution interpolation for digital image processing', eq. 15: a = -1/2."""
    t = np.abs(distance)
    near = (1.5 * t - 2.5) * t * t + 1
    far = ((-0.5 * t + 2.5) * t - 4) * t + 2
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))
