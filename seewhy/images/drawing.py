"""Maps made visible: the only place where maps are scaled to 0..1 and given colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.lettering import FAINT, INK, PAPER, font
from seewhy.images.reading import Pixels
from seewhy.images.resizing import Box, Map, checked_map, covers, place

NOTHING = "no region stood out"
OPACITY = 0.7  # of the highest value
_UNSEEN = 150  # the grey where the model saw nothing

# Colour-blind safe: each step is lighter than the one before, on the way from violet over red and orange to yellow.
_RISING = ((0.0, "#3a12a0"), (0.25, "#8a10b0"), (0.5, "#d8266e"), (0.75, "#fb8022"), (1.0, "#fff24d"))
# Colour-blind safe, too: blue against orange; what speaks against is blue.
_BOTH_WAYS = (
    (0.0, "#06e0ff"),
    (0.25, "#0a7cf0"),
    (0.499, "#1b2fb0"),
    (0.501, "#b0201b"),
    (0.75, "#f0600a"),
    (1.0, "#ffd21f"),
)


def overlay(
    picture: Any,
    map: Any,
    box: Box | None = None,
    *,
    colormap: str = "default",
    opacity: float = OPACITY,
    order: str = "bicubic",
    scale: float | None = None,
    seen_only: bool = False,
    signed: bool | None = None,
) -> Image.Image:
    """The picture with the map in colours over it; where the map is 0 the picture is unchanged.

    The higher the value, the less transparent its colour. What the model did not see is hatched. A map with values
    below 0 has two kinds of colours, around a transparent 0. Where all values are the same, none is above 0, or one
    is NaN or infinite, nothing is drawn but a badge that says so.

    Args:
        picture: uint8 [height, width, 3], or a PIL image.
        map: float [h, w], raw.
        box: the rectangle of the picture that the model saw (left, top, right, bottom); None: all of it.
        colormap: 'default' (colour-blind safe) or any name that matplotlib knows, such as 'jet' or 'viridis'.
        opacity: of the highest value, 0..1.
        order: 'bicubic', 'bilinear', or 'nearest' to see the cells of the map.
        scale: the value that gets the last colour; None: the largest magnitude in this map.
        seen_only: cut the result to the box.
        signed: draw with two kinds of colours; None: where the map has a value below 0.
    Returns:
        PIL image of mode RGB, of the picture's size, or of the box's with `seen_only`.
    Raises:
        InputError: a picture, map, box, opacity or scale that cannot be used.
        UnknownNameError: no such colour map or order.
    """
    pixels, cells = pixels_of(picture), checked_map(map)
    shape = pixels.shape[0], pixels.shape[1]
    rows, columns = covers(box, shape)
    signed = bool((cells < 0).any()) if signed is None else signed
    table = color_table(colormap, opacity, signed)
    scale = _checked_scale(scale)
    drawn = pixels
    if stands_out(cells):
        values = place(cells, shape, box, order) / np.float32(scale or np.abs(cells).max())
        drawn = _blended(pixels, table[levels(values, signed)])
    result = Image.fromarray(_hatched(drawn, pixels, rows, columns))
    result = cropped(result, box) if seen_only else result
    return result if stands_out(cells) else with_badge(result)


def heatmap(
    shape: tuple[int, int],
    map: Any,
    box: Box | None = None,
    *,
    colormap: str = "default",
    scale: float | None = None,
    order: str = "nearest",
    seen_only: bool = False,
    signed: bool | None = None,
) -> Image.Image:
    """The map alone, in opaque colours; grey where the model saw nothing.

    Args:
        shape: height and width of the picture.
        order: 'nearest' shows the cells of the map, 'bicubic' and 'bilinear' what lies under an overlay.
        map, box, colormap, scale, seen_only, signed: as in `overlay`.
    Returns:
        PIL image of mode RGB, of the picture's size.
    """
    cells = checked_map(map)
    signed = bool((cells < 0).any()) if signed is None else signed
    drawn: Pixels = np.full((*shape, 3), _UNSEEN, np.uint8)
    inside = covers(box, shape)
    values = np.zeros(shape, np.float32)
    if stands_out(cells):
        values = place(cells, shape, box, order) / np.float32(_checked_scale(scale) or np.abs(cells).max())
    drawn[inside] = colored(values[inside], colormap, signed)
    result = Image.fromarray(drawn)
    result = cropped(result, box) if seen_only else result
    return result if stands_out(cells) else with_badge(result)


def cropped(image: Image.Image, box: Box | None) -> Image.Image:
    """What the model saw of a picture; all of it where the box lies outside."""
    rows, columns = covers(box, (image.height, image.width))
    if rows.start < rows.stop and columns.start < columns.stop:
        return image.crop((columns.start, rows.start, columns.stop, rows.stop))
    return image


def colored(values: Map, colormap: str = "default", signed: bool = False) -> Pixels:
    """Values in 0..1 (signed: -1..1) as opaque colours: uint8 [..., 3].

    The default's two-sided colours fade into black at zero; maps of matplotlib are taken as they are.
    """
    table = color_table(colormap, 1.0, signed)
    colours = table[..., :3]
    if signed and colormap == "default":
        colours = _blended(np.zeros_like(colours), table)
    return np.asarray(colours[levels(values, signed)])


def stands_out(map: Any) -> bool:
    """False where there is nothing to draw: all values are the same, none is above or below 0, or one is not finite."""
    cells = checked_map(map)
    if not np.isfinite(cells).all():
        return False
    return bool(float(cells.max()) - float(cells.min()) > 1e-6 * float(np.abs(cells).max()))


def color_table(colormap: str = "default", opacity: float = OPACITY, signed: bool = False) -> Pixels:
    """The colour and opacity of each level that `levels` gives: uint8 [256, 4], red, green, blue, alpha.

    Level 0 (of signed maps: level 128) is transparent, and alpha grows from there in proportion to the value, up to
    `opacity`.

    Raises:
        InputError: the opacity is not in 0..1.
        UnknownNameError: no such colour map.
    """
    if not isinstance(opacity, int | float | np.number) or not 0 <= opacity <= 1:
        raise InputError(f"opacity={opacity!r}", "a number from 0 (no colour) to 1", "write opacity=0.5")
    level = np.arange(256)
    value = (level - 128) / 127 if signed else level / 255  # level 0 of signed maps is never used
    alpha = np.clip(np.abs(value), 0, 1) * opacity
    colours = _colours(colormap, np.clip((value + 1) / 2 if signed else value, 0, 1), signed)
    return np.asarray(np.rint(255 * np.column_stack([colours, alpha])), np.uint8)


def levels(values: Map, signed: bool) -> Pixels:
    """Values in 0..1 (signed: -1..1) as uint8 0..255 (signed: 1..255 with zero at 128); beyond is cut off."""
    if signed:
        return (128 + np.rint(127 * np.clip(values, -1, 1))).astype(np.uint8)
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def pixels_of(picture: Any) -> Pixels:
    """The picture as uint8 [height, width, 3]; InputError where it is none."""
    if isinstance(picture, Image.Image):
        picture = picture.convert("RGB")
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        came = f"a picture as {pixels.dtype} {list(pixels.shape)}"
        raise InputError(came, "uint8 [height, width, 3]", "read it with seewhy.images.reading.read")
    return pixels


def with_badge(image: Image.Image) -> Image.Image:
    """A small label in the lower left corner; a shorter one, or none, where there is no room."""
    largest = int(np.clip(min(image.size) / 18, 11, 40))
    for text, size in ((text, size) for text in (NOTHING, "nothing") for size in range(largest, 7, -1)):
        letters, room, edge = font(size), size // 2, size // 2
        width, height = int(letters.getlength(text)) + 2 * room, int(size * 1.2) + room
        if width + 2 * edge > image.width or height + 2 * edge > image.height:
            continue
        top = image.height - edge - height
        pen = ImageDraw.Draw(image)
        pen.rounded_rectangle((edge, top, edge + width, top + height), size // 3, PAPER, FAINT)
        pen.text((edge + width / 2, top + height / 2), text, INK, letters, anchor="mm")
        break
    return image


def _checked_scale(scale: float | None) -> float | None:
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise InputError(f"scale={scale}", "a value above 0", "give the value that is to have the last colour, or None")
    return scale


def _colours(colormap: str, where: Any, signed: bool) -> Any:
    """float [..., 3] in 0..1 for values in 0..1."""
    if colormap == "default":
        points = _BOTH_WAYS if signed else _RISING
        stops = [stop for stop, _ in points]
        colours = np.array([[int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)] for _, code in points])
        return np.stack([np.interp(where, stops, colours[:, channel]) for channel in range(3)], axis=-1)
    from matplotlib import colormaps  # loaded only where one of its maps is asked for

    if colormap not in colormaps:
        names = ["default", *colormaps]
        remedy = did_you_mean(str(colormap), names, "use 'default', 'viridis' or 'jet'")
        raise UnknownNameError(f"no colour map {colormap!r}", "'default' or a name that matplotlib knows", remedy)
    return np.asarray(colormaps[colormap](where))[..., :3]


def _blended(pixels: Pixels, colours: Pixels) -> Pixels:
    alpha = colours[..., 3:].astype(np.uint16)  # [height, width, 1]; whole numbers: alpha 0 leaves a pixel exact
    return ((pixels * (255 - alpha) + colours[..., :3] * alpha + 127) // 255).astype(np.uint8)


def _hatched(drawn: Pixels, pixels: Pixels, rows: slice, columns: slice) -> Pixels:
    """`drawn` within rows and columns; outside them the picture, pale and with slanting lines."""
    height, width = pixels.shape[:2]
    if (rows.start, rows.stop, columns.start, columns.stop) == (0, height, 0, width):
        return drawn
    period = max(8, min(height, width) // 30)
    stripes = np.add.outer(np.arange(height), np.arange(width)) % period < max(1, period // 7)
    veil = np.where(stripes[..., None], 255, 128).astype(np.uint16)
    strength = np.where(stripes[..., None], 120, 130).astype(np.uint16)
    result = ((pixels * (255 - strength) + veil * strength + 127) // 255).astype(np.uint8)
    result[rows, columns] = drawn[rows, columns]
    return result
