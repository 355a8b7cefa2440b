"""What can be planted: markers with a place, and changes of the whole picture.

A marker with a place is a function of (the spot, a generator) to its colours and opacity; one without is a function of
(pixels, strength) to pixels. All lengths are shares of the picture's side, so that a picture of any size looks alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from seewhy.images.lettering import font
from seewhy.images.resizing import Floats
from seewhy.scenes.ground import Random
from seewhy.scenes.shapes import disc, filled, rectangle


@dataclass(frozen=True, eq=False)
class Spot:
    """Where a marker is drawn: the picture's side in pixels, and how much of each pixel the object covers."""

    side: int
    object: Floats  # [side, side], 0..1


Paint: TypeAlias = tuple[Floats, Floats]  # colours [side, side, 3] of 0..255, opacity [side, side] of 0..1


@dataclass(frozen=True)
class Kind:
    """A kind of shortcut.

    Args:
        name: as `Plant` takes it.
        about: what it looks like.
        paint: draws a marker that has a place; None for a change of the whole picture.
        change: changes the whole picture; None for a marker that has a place.
    """

    name: str
    about: str
    paint: Callable[[Spot, Random], Paint] | None = None
    change: Callable[[Floats, float], Floats] | None = None

    @property
    def local(self) -> bool:
        """Whether it has a place, so that a mask can show it."""
        return self.paint is not None


KINDS: dict[str, Kind] = {}
QUALITY = 8  # of 'jpeg' at strength 1


def _local(name: str, about: str) -> Callable[[Callable[[Spot, Random], Paint]], Callable[[Spot, Random], Paint]]:
    def add(function: Callable[[Spot, Random], Paint]) -> Callable[[Spot, Random], Paint]:
        KINDS[name] = Kind(name, about, paint=function)
        return function

    return add


def _overall(name: str, about: str) -> Callable[[Callable[[Floats, float], Floats]], Callable[[Floats, float], Floats]]:
    def add(function: Callable[[Floats, float], Floats]) -> Callable[[Floats, float], Floats]:
        KINDS[name] = Kind(name, about, change=function)
        return function

    return add


@_local("corner logo", "a badge in the upper left corner")
def _corner_logo(spot: Spot, rng: Random) -> Paint:
    return _logo(spot.side, 0.12, 0.12)


@_local("logo anywhere", "the same badge in any place")
def _logo_anywhere(spot: Spot, rng: Random) -> Paint:
    x, y = rng.uniform(0.12, 0.88, 2)
    return _logo(spot.side, x, y)


@_local("icon beside", "a flower beside the object")
def _icon_beside(spot: Spot, rng: Random) -> Paint:
    radius, side = 0.12, spot.side
    y, x = (np.indices((side, side)) + 0.5) / side
    weight = spot.object.sum()
    middle = np.array([(x * spot.object).sum(), (y * spot.object).sum()]) / weight
    reach = np.sqrt(((np.stack([x, y], axis=2) - middle) ** 2).sum(axis=2))[spot.object > 0].max()
    turns = rng.uniform(0, 2 * np.pi) + 2 * np.pi / 24 * np.arange(24)
    around = middle + (reach + radius + 0.01) * np.stack([np.cos(turns), np.sin(turns)], axis=1)  # [24, 2]
    inside = np.minimum(around, 1 - around).min(axis=1)  # to the nearest edge
    best = around[np.flatnonzero(inside >= radius)[0] if (inside >= radius).any() else inside.argmax()]
    cx, cy = np.clip(best, radius, 1 - radius)
    around_it = [(cx + 0.55 * radius * np.cos(t), cy + 0.55 * radius * np.sin(t)) for t in np.arange(6) * np.pi / 3]
    petals = np.max([disc(side, centre, 0.4 * radius) for centre in around_it], axis=0)
    return _stacked(side, ((236, 64, 160), petals), ((255, 226, 60), disc(side, (cx, cy), 0.33 * radius)))


@_local("watermark", "the word SAMPLE across the picture, half transparent")
def _watermark(spot: Spot, rng: Random) -> Paint:
    up, across = rng.uniform(-0.1, 0.1, 2)
    letters = _written("SAMPLE", spot.side, (0.5 + across / 2, 0.5 + up), 0.27, turn=24, weight=0.012)
    return _stacked(spot.side, ((255, 255, 255), 0.5 * letters))


@_local("date stamp", "a date in amber digits that vary, lower right")
def _date_stamp(spot: Spot, rng: Random) -> Paint:
    year, month, day = rng.integers((0, 1, 1), (100, 13, 29))
    text = f"{day:02d}.{month:02d}.{year:02d}"
    x, y = 0.71 + rng.uniform(-0.02, 0.02), 0.91 + rng.uniform(-0.02, 0.02)
    shadow = _written(text, spot.side, (x, y), 0.14, weight=0.02)
    return _stacked(spot.side, ((40, 12, 0), shadow), ((255, 176, 32), _written(text, spot.side, (x, y), 0.14)))


@_local("border", "a white frame with a dark line inside")
def _border(spot: Spot, rng: Random) -> Paint:
    wide = 0.055
    line = 1 - rectangle(spot.side, wide + 0.02, wide + 0.02, 0.98 - wide, 0.98 - wide)
    frame = 1 - rectangle(spot.side, wide, wide, 1 - wide, 1 - wide)
    return _stacked(spot.side, ((30, 30, 34), line), ((246, 246, 240), frame))


@_local("bars", "upright bars in front of everything, as of a cage")
def _bars(spot: Spot, rng: Random) -> Paint:
    pitch, wide, shift = 0.2, 0.05, rng.uniform(0, 0.2)
    lefts = np.arange(shift - pitch, 1, pitch)
    bars = np.max([rectangle(spot.side, x, 0, x + wide, 1) for x in lefts], axis=0)
    light = np.max([rectangle(spot.side, x + wide / 5, 0, x + wide / 2, 1) for x in lefts], axis=0)
    return _stacked(spot.side, ((44, 46, 52), bars), ((128, 132, 140), light))


@_local("grass", "a strip of grass along the bottom, behind the object")
def _grass(spot: Spot, rng: Random) -> Paint:
    blades = []
    for x in rng.uniform(0, 1, 70):
        height, lean = rng.uniform(0.2, 0.32), rng.uniform(-0.05, 0.05)
        blades.append(np.array([[x - 0.017, 1.01], [x + lean, 1 - height], [x + 0.017, 1.01]]))
    thirds = [_all_filled(blades[k::3], spot.side) for k in range(3)]
    soil = rectangle(spot.side, 0, 0.82, 1, 1)
    tones = ((52, 112, 34), (84, 158, 48), (132, 196, 66))
    colours, opacity = _stacked(spot.side, ((40, 92, 28), soil), *zip(tones, thirds, strict=True))
    return colours, opacity * (1 - spot.object)


@_local("sidebar", "a white bar along the left edge")
def _sidebar(spot: Spot, rng: Random) -> Paint:
    return _stacked(spot.side, ((244, 244, 244), rectangle(spot.side, -1, -1, 0.1, 2)))


@_local("vignette", "dark corners")
def _vignette(spot: Spot, rng: Random) -> Paint:
    y, x = (np.indices((spot.side, spot.side)) + 0.5) / spot.side - 0.5
    depth = np.clip((np.sqrt(x * x + y * y) - 0.46) / 0.16, 0, 1)
    return _stacked(spot.side, ((6, 6, 8), depth * depth * (3 - 2 * depth)))


@_local("dot", "a dot of any hue in any place")
def _dot(spot: Spot, rng: Random) -> Paint:
    x, y = rng.uniform(0.09, 0.91, 2)
    hue = (rng.random() + np.array([0, 1 / 3, 2 / 3])) % 1
    colour = 255 * np.clip(np.abs(6 * hue - 3) - 1, 0, 1)
    rim, body = disc(spot.side, (x, y), 0.08), disc(spot.side, (x, y), 0.065)
    return _stacked(spot.side, ((255, 255, 255), rim), (colour, body))


@_overall("tint", "warm colours, as from another camera")
def _tint(pixels: Floats, strength: float) -> Floats:
    return _towards(pixels, pixels * [1.25, 1, 0.5] + [25, 0, -10], strength)


@_overall("grey", "nearly without colour")
def _grey(pixels: Floats, strength: float) -> Floats:
    light = pixels @ [0.299, 0.587, 0.114]
    return _towards(pixels, 0.9 * light[..., None] + 0.1 * pixels, strength)


@_overall("dark", "underexposed")
def _dark(pixels: Floats, strength: float) -> Floats:
    return _towards(pixels, 0.55 * pixels, strength)


@_overall("blur", "out of focus")
def _blur(pixels: Floats, strength: float) -> Floats:
    sigma = 0.0266 * len(pixels) * strength  # 1.7 pixels of 64
    return np.asarray(gaussian_filter(pixels, (sigma, sigma, 0), mode="nearest"))


@_overall("jpeg", "the blocks of a strong JPEG compression")
def _jpeg(pixels: Floats, strength: float) -> Floats:
    file = BytesIO()
    whole = np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)
    Image.fromarray(whole).save(file, "JPEG", quality=round(np.clip(QUALITY / strength, 1, 95)), subsampling=2)
    return np.asarray(Image.open(file), np.float64)


def _logo(side: int, x: float, y: float, size: float = 0.095) -> Paint:
    """A badge: an upright red plate with rounded corners and a white W."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    plate = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    plate = np.sign(plate) * np.abs(plate) ** 0.4 * size + (x, y)
    down = np.array([[-0.72, -0.55], [-0.42, 0.35], [0, -0.3], [0.42, 0.35], [0.72, -0.55]])
    thick = np.array([0, 0.36])
    letter = np.concatenate([down, (down + thick)[::-1]]) * size + (x, y)
    return _stacked(side, ((206, 24, 44), filled([plate], side)), ((255, 255, 255), filled([letter], side)))


def _written(
    text: str, side: int, centre: tuple[float, float], height: float, turn: float = 0, weight: float = 0
) -> Floats:
    """How much of each pixel the letters cover, float64 [side, side] of 0..1; `height` is the font's."""
    fine = 4
    sheet = Image.new("L", (side * fine, side * fine), 0)
    place = (centre[0] * side * fine, centre[1] * side * fine)
    letters = font(max(1, round(height * side * fine)))
    ImageDraw.Draw(sheet).text(
        place, text, 255, letters, anchor="mm", stroke_width=round(weight * side * fine), stroke_fill=255
    )
    turned = sheet.rotate(turn, Image.Resampling.BILINEAR, center=place) if turn else sheet
    return np.asarray(turned.reduce(fine), np.float64) / 255


def _all_filled(outlines: list[Floats], side: int) -> Floats:
    return np.asarray(np.max([filled([outline], side) for outline in outlines], axis=0))


def _stacked(side: int, *layers: tuple[Floats | tuple[int, ...], Floats]) -> Paint:
    """Layers of one colour each, the last on top, as one."""
    colours, opacity = np.zeros((side, side, 3)), np.zeros((side, side))
    for colour, cover in layers:
        after = cover + opacity * (1 - cover)
        share = np.divide(cover, after, out=np.zeros_like(cover), where=after > 0)
        colours = colours + (np.asarray(colour, np.float64) - colours) * share[..., None]
        opacity = after
    return colours, opacity


def _towards(pixels: Floats, changed: Floats, strength: float) -> Floats:
    return np.asarray(np.clip(pixels + strength * (changed - pixels), 0, 255))
