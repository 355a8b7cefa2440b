"""Maps cut at a threshold: masks, the boxes round their parts, and the picture without the rest."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from seewhy.errors import InputError
from seewhy.images.drawing import stands_out
from seewhy.images.resizing import Box, covers, place

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


def mask(map: Any, shape: tuple[int, int], box: Box | None, threshold: float) -> Mask:
    """Which pixels of the picture have at least `threshold` times the highest value of the map.

    Args:
        map: float [h, w], raw; laid on the picture by bicubic interpolation.
        shape: height and width of the picture.
        box: what the model saw of it; None: all.
        threshold: 0..1. With 0 all that the model saw and that does not speak against the target.
    Returns:
        bool [height, width]; False outside the box, and all over where nothing stands out or is above 0.
    Raises:
        InputError: the threshold is not in 0..1, or the map or the box cannot be used.
    """
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold={threshold}", "a share of the highest value, 0..1", "write threshold=0.5")
    values = place(map, shape, box)
    result = np.zeros(shape, bool)
    inside = covers(box, shape)
    seen = values[inside]
    if seen.size and stands_out(map) and seen.max() > 0:
        result[inside] = seen >= threshold * seen.max()
    return result
