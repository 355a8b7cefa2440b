"""What a preparation does, found by sending known pictures through it: which part the model sees, and which values."""

from __future__ import annotations

import threading
import types
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyWarning
from seewhy.images.preparing import Prepare, Prepared, Preset, Size, as_prepare, preset
from seewhy.images.reading import as_numpy
from seewhy.images.resizing import Box, Floats

_MIXED = 0.03  # share of the other axis in the ramps that probe a preparation
_REMEMBERED = 64
_boxes: OrderedDict[tuple[int, int, Size], tuple[Callable[[], Any], Box | None]] = OrderedDict()
_lock = threading.Lock()


def box_of(prepare: str | Prepare, size: Size) -> Box | None:
    """Which rectangle of a picture of that (width, height) the model sees, in pixels of the picture.

    A preset is asked. Another callable is tried on a black, a white and some grey pictures of that size whose
    brightness tells where a pixel came from; the answer is right to about a pixel and remembered for the last sizes.

    Returns:
        (left, top, right, bottom); it reaches outside the picture where the preparation pads. None where it cannot
        be told: what is rotated, mirrored, warped, drawn by chance, or not one image.
    """
    if isinstance(prepare, str):
        prepare = preset(prepare)
    if isinstance(prepare, Preset):
        return prepare.box(size)
    asked = prepare.function if isinstance(prepare, Prepared) else prepare
    key = (id(getattr(asked, "__self__", asked)), id(getattr(asked, "__func__", asked)), size)
    with _lock:
        if key in _boxes and _boxes[key][0]() is not None:  # a dead one may have left its id to another
            _boxes.move_to_end(key)
            return _boxes[key][1]
    box = _probed(as_prepare(prepare, True), size)
    with _lock:
        _boxes[key] = (_weakly(asked), box)
        while len(_boxes) > _REMEMBERED:
            _boxes.popitem(last=False)
    return box


def box_rule(prepare: str | Prepare) -> Callable[[Size], Box | None]:
    """`box_of` for pictures of many sizes: a callable is probed at three sizes, and where a simple rule explains them,
    the rule answers from then on.

    The rules: a centred rectangle whose sides are, each for itself, a fixed share of the picture's width, height,
    shorter or longer side, or a fixed number of pixels.

    Returns:
        From (width, height) to what `box_of` gives for it.
    """
    if isinstance(prepare, str):
        prepare = preset(prepare)
    ready = prepare
    if isinstance(ready, Preset):
        return ready.box
    boxes = [box_of(ready, size) for size in _PROBED]
    whole = [box for box in boxes if box is not None]
    if len(whole) == len(_PROBED):
        sides = [[box[2] - box[0] for box in whole], [box[3] - box[1] for box in whole]]
        centred = all(
            abs(box[axis] + box[axis + 2] - size[axis]) < 4
            for box, size in zip(whole, _PROBED, strict=True)
            for axis in (0, 1)
        )
        rules = [next((rule for rule in _RULES if _explains(rule, found)), None) for found in sides]
        across, down = rules
        if centred and across is not None and down is not None:
            shares = [float(np.mean(_ratios(rule, found))) for rule, found in zip((across, down), sides, strict=True)]

            def follow(size: Size) -> Box:
                wide, high = shares[0] * across(size), shares[1] * down(size)
                return ((size[0] - wide) / 2, (size[1] - high) / 2, (size[0] + wide) / 2, (size[1] + high) / 2)

            return follow
    return lambda size: box_of(ready, size)


_PROBED: tuple[Size, ...] = ((480, 360), (360, 480), (300, 300))
_RULES: tuple[Callable[[Size], float], ...] = (
    *(lambda size: float(size[0]), lambda size: float(size[1])),
    *(lambda size: float(min(size)), lambda size: float(max(size)), lambda size: 1.0),
)


def _ratios(rule: Callable[[Size], float], sides: Sequence[float]) -> list[float]:
    return [side / rule(size) for side, size in zip(sides, _PROBED, strict=True)]


def _explains(rule: Callable[[Size], float], sides: Sequence[float]) -> bool:
    found = _ratios(rule, sides)
    return max(found) - min(found) < 0.012 * max(found)


def value_range(prepare: str | Prepare) -> tuple[float, float]:
    """The lowest and the highest value that a preparation gives for black and for white pictures.

    Raises:
        InputError: the preparation fails or gives no float image.
    """
    ready = as_prepare(prepare, True)
    both = [as_numpy(ready(Image.new("RGB", (256, 256), colour))) for colour in ("black", "white")]
    return float(min(image.min() for image in both)), float(max(image.max() for image in both))


def warn_of_range(image: Any, prepare: str | Prepare | None) -> None:
    """Warn where a float image can hardly have gone through the model's own preparation.

    Args:
        image: float array or tensor, of any layout.
        prepare: what makes an image of a picture for this model; None or a failing one: no warning.
    Warns:
        SeeWhyWarning: the largest magnitude is more than 3 times, or less than a hundredth of, what `prepare` gives.
    """
    values = as_numpy(image)
    finite = values[np.isfinite(values)]
    if prepare is None or not finite.size:
        return
    try:
        low, high = value_range(prepare)
    except InputError:
        return
    usual, peak = max(abs(low), abs(high)), float(np.abs(finite).max())
    if peak > 3 * usual or 0 < 100 * peak < usual:
        warnings.warn(
            f"an image with values in {finite.min():.3g} .. {finite.max():.3g}"
            f"\n  expected: about {low:.3g} .. {high:.3g}, as this model's own preparation gives"
            "\n  to do: hand in the picture itself (path, PIL or uint8), or prepare the image as in training",
            SeeWhyWarning,
            stacklevel=3,
        )


def _weakly(prepare: Any) -> Callable[[], Any]:
    try:
        return weakref.WeakMethod(prepare) if isinstance(prepare, types.MethodType) else weakref.ref(prepare)
    except TypeError:
        return lambda: prepare


def _probed(ready: Preset | Prepared, size: Size) -> Box | None:
    """Where pixels of the result come from, by the brightness of grey probes; None where that makes no plane."""
    try:
        black, white = (_sampled(ready(Image.new("RGB", size, level))) for level in ("black", "white"))
        # A little of the other axis is mixed in, so that rows differ and rounding to 256 levels averages out.
        ramps = [_sampled(ready(_ramp(size, share))) for share in (1 - _MIXED, _MIXED, 0.5, 0.5, 0.5, 0.5)]
    except InputError:
        return None
    height, width = black.shape
    if any(each.shape != black.shape or not np.isfinite(each.values).all() for each in (black, white, *ramps)):
        return None
    signal = white.values - black.values
    power = (signal**2).sum(2)  # [height, width]: 0 where the result does not depend on the picture
    seen = power > 0.25 * power.max()
    if seen.sum() < 16:
        return None
    shares = [
        ((each.values - black.values) * signal).sum(2)[seen] / power[seen] for each in ramps
    ]  # 0 black .. 1 white
    mostly_x, mostly_y, *evenly = shares
    if any(_rms(each - (mostly_x + mostly_y) / 2) > 1.2 / 255 for each in evenly):
        return None  # drawn by chance, or not in proportion to brightness
    x = ((1 - _MIXED) * mostly_x - _MIXED * mostly_y) / (1 - 2 * _MIXED)  # [seen], 0 left edge .. 1 right edge
    y = ((1 - _MIXED) * mostly_y - _MIXED * mostly_x) / (1 - 2 * _MIXED)
    rows, columns = np.nonzero(seen)
    down, across = (rows * black.step + 0.5) / height, (columns * black.step + 0.5) / width  # of the whole result
    horizontal = _edges(x, across, down, size[0], width)
    vertical = _edges(y, down, across, size[1], height)
    if horizontal is None or vertical is None:
        return None
    return (horizontal[0], vertical[0], horizontal[1], vertical[1])


def _ramp(size: Size, share: float) -> Image.Image:
    """Grey that grows from the left by `share` and from the top by the rest; black to white in all."""
    x, y = ((np.arange(side) + 0.5) / side for side in size)
    return Image.fromarray(np.rint(255 * np.add.outer((1 - share) * y, share * x)).astype(np.uint8)).convert("RGB")


@dataclass(frozen=True, eq=False)
class _Sampled:
    """Every `step`-th row and column of an image of that shape (height, width): float64 [rows, columns, channels]."""

    values: Floats
    shape: tuple[int, int]
    step: int


def _sampled(image: Any) -> _Sampled:
    values = as_numpy(image)
    if values.ndim == 2:
        values = values[..., None]
    elif values.shape[2] >= values.shape[0]:
        values = values.transpose(1, 2, 0)
    height, width = values.shape[:2]
    step = max(1, min(height, width) // 192)  # more would cost time and tell no more
    return _Sampled(values[::step, ::step].astype(np.float64), (height, width), step)


def _edges(source: Floats, along: Floats, other: Floats, pixels: int, result: int) -> tuple[float, float] | None:
    """Both ends of one axis of the result, in pixels of the picture, by a plane through where its pixels came from.

    Args:
        source: float [seen], where in the picture along this axis, 0..1.
        along: float [seen], where in the result along the same axis, 0..1.
        other: float [seen], where in the result along the other axis, 0..1.
        pixels: the picture's length along this axis.
        result: the result's length along this axis.
    """
    inner = np.ones(len(source), bool)
    plane = np.zeros(3)
    for _ in range(2):  # again without the picture's border, where interpolation flattens the ramp
        terms = np.stack([np.ones(inner.sum()), along[inner], other[inner]], axis=1)
        if inner.sum() < 16 or np.ptp(terms[:, 1]) * result < 3:
            return None
        plane = np.linalg.lstsq(terms, source[inner], rcond=None)[0]
        line = plane[0] + plane[1] * along + plane[2] * other
        margin = 2 * max(1 / pixels, abs(plane[1]) / result)
        if _rms((line - source)[inner]) > 0.004 + 0.3 / pixels or abs(plane[2]) > 0.004 or plane[1] <= 0:
            return None
        inner = (line > margin) & (line < 1 - margin)
    start = plane[0] + plane[2] / 2
    return (float(start * pixels), float((start + plane[1]) * pixels))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
