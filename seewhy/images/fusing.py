"""Several maps of one picture made into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.resizing import Map, checked_map, upscale

WAYS = ("mean", "product", "max")
SCALES = ("each", "none")


def fuse(maps: Sequence[Any], shape: tuple[int, int], how: str = "mean", scale: str = "each") -> Map:
    """Maps of any resolutions, brought to one grid and joined cell by cell.

    Args:
        maps: float [h, w] each, of the same rectangle of one picture.
        shape: height and width of the grid; maps are brought to it as by `upscale`.
        how: 'mean'; 'max', the highest value at each place; or 'product', the geometric mean, that is the n-th root of
            the product of n maps: high only where all are, and in the maps' own unit.
        scale: 'each' divides every map by its own largest magnitude first, so that all count alike: the result is
            within 0..1 (-1..1 for maps with signs) and has no unit. 'none' takes the values as they are.
    Returns:
        float32 [height, width].
    Raises:
        InputError: no maps; one that is not finite; one that is zero everywhere, where it would have to be scaled or
            would make a product zero; negative values in a product.
        UnknownNameError: no such way or scale.
    """
    for given, names in ((how, WAYS), (scale, SCALES)):
        if given not in names:
            remedy = did_you_mean(str(given), names, f"use {names[0]!r}")
            raise UnknownNameError(f"no way to fuse maps by {given!r}", f"one of {', '.join(names)}", remedy)
    if not len(maps):
        raise InputError("no maps to fuse", "one or more", "check what was filtered out before")
    joined = np.full(shape, -np.inf if how == "max" else 0, np.float32)  # [height, width]
    for number, one in enumerate(maps):
        cells = checked_map(one)
        largest = float(np.abs(cells).max())
        if not np.isfinite(largest):
            raise InputError(f"map {number}, which has values that are not finite", "finite maps", "leave it out")
        if not largest and (scale == "each" or how == "product"):
            raise InputError(f"map {number}, which is zero everywhere", "maps with something in them", "leave it out")
        if how == "product" and cells.min() < 0:
            came = f"map {number} with values below 0 in a product"
            raise InputError(came, "maps of what speaks for the target", 'fuse by "mean", or ask without signed=True')
        fine = upscale(cells, shape) / np.float32(largest if scale == "each" else 1)  # [height, width]
        if how == "product":
            with np.errstate(divide="ignore"):
                fine = np.log(fine)  # the product of many small numbers would be 0
        joined = np.maximum(joined, fine) if how == "max" else joined + fine
    if how == "max":
        return joined
    mean = joined / np.float32(len(maps))
    return np.exp(mean) if how == "product" else mean
