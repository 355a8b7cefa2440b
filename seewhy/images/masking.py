"""Maps cut at a threshold: masks, the boxes round their parts, and the picture without the rest."""

from __future__ import annotations

from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.drawing import pixels_of, stands_out, with_badge
from seewhy.images.resizing import Box, Map, covers, place

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Corners: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom just outside, as in PIL

SHARES = ("maximum", "mass")
_DIMMED = 0.35  # of the brightness
_LINE = (255, 255, 255)


def mask(map: Any, shape: tuple[int, int], box: Box | None, threshold: float, of: str = "maximum") -> Mask:
    """Which pixels of the picture count, by a share of the map's maximum or of its mass.

    Args:
        map: float [h, w], raw; laid on the picture by bicubic interpolation.
        shape: height and width of the picture.
        box: what the model saw of it; None: all.
        threshold: 0..1. A share of the maximum: pixels of at least so many times the highest value; with 0 all that the
            model saw and that does not speak against the target. A share of the mass: the fewest pixels that hold so
            much of the sum of what speaks for the target.
        of: 'maximum' or 'mass'.
    Returns:
        bool [height, width]; False outside the box, and all over where nothing stands out or is above 0.
    Raises:
        InputError: the threshold is not in 0..1, or the map or the box cannot be used.
        UnknownNameError: a share of something else.
    """
    if of not in SHARES:
        remedy = did_you_mean(str(of), SHARES, "use 'maximum'")
        raise UnknownNameError(f"a share of {of!r}", f"one of {', '.join(SHARES)}", remedy)
    if not isinstance(threshold, Real) or not 0 <= threshold <= 1:
        words = "the highest value" if of == "maximum" else "the map's sum"
        raise InputError(f"threshold={threshold!r}", f"a share of {words}, 0..1", "write threshold=0.5")
    values = place(map, shape, box)
    result = np.zeros(shape, bool)
    inside = covers(box, shape)
    seen = values[inside]
    if seen.size and stands_out(map) and seen.max() > 0:
        result[inside] = seen >= (threshold * seen.max() if of == "maximum" else _level_that_holds(seen, threshold))
    return result


def bounding_boxes(kept: Mask, weights: Map) -> list[Corners]:
    """The boxes round the parts of a mask; pixels that touch, be it by a corner, are of one part.

    Args:
        kept: bool [height, width].
        weights: float [height, width]; the part that holds most of them comes first.
    Returns:
        (left, top, right, bottom) in pixels; right and bottom just outside, as `PIL.Image.crop` takes them.
    """
    from scipy.ndimage import find_objects, label, sum_labels  # half a second; only here

    parts, count = label(kept, np.ones((3, 3)))
    held = sum_labels(np.asarray(weights, np.float64), parts, np.arange(1, count + 1))
    found = find_objects(parts)
    order = np.argsort(-np.asarray(held), kind="stable")
    return [
        (columns.start, rows.start, columns.stop, rows.stop) for rows, columns in (found[number] for number in order)
    ]


def cutout(picture: Any, kept: Mask) -> Image.Image:
    """The picture where the mask is, with a line round it; the rest dark and grey; a badge where the mask is empty."""
    pixels = pixels_of(picture)
    grey = pixels @ np.array([0.299, 0.587, 0.114])  # as PIL's mode L
    rest = np.rint(grey * _DIMMED).astype(np.uint8)[..., None].repeat(3, axis=2)
    drawn = np.where(kept[..., None], pixels, rest)
    drawn[_grown(kept, max(1, min(kept.shape) // 200)) & ~kept] = _LINE
    result = Image.fromarray(drawn)
    return result if kept.any() else with_badge(result)


def segment(picture: Any, kept: Mask) -> Image.Image:
    """The picture where the mask is and nothing elsewhere: mode RGBA, of the picture's size."""
    pixels = pixels_of(picture)
    opaque = kept[..., None]
    return Image.fromarray(np.concatenate([pixels * opaque, opaque * np.uint8(255)], axis=2))


def _level_that_holds(values: Map, share: float) -> float:
    """The value from which upwards lies at least so much of the sum of all that is above 0."""
    falling = np.sort(values[values > 0].astype(np.float64))[::-1]
    held = np.cumsum(falling)
    return float(falling[min(int(np.searchsorted(held, share * held[-1] * (1 - 1e-12))), len(falling) - 1)])


def _grown(kept: Mask, by: int) -> Mask:
    """The mask and all pixels so near to it, along rows and columns."""
    grown = kept.copy()
    for axis in (0, 1):
        wide = grown.copy()
        for step in range(1, by + 1):
            ahead, behind = (
                (slice(step, None), slice(None, -step)) if axis == 0 else (np.s_[:, step:], np.s_[:, :-step])
            )
            wide[ahead] |= grown[behind]
            wide[behind] |= grown[ahead]
        grown = wide
    return grown
