"""Pictures over time: tiles, strips, films and the filmstrip of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from PIL import Image, ImageDraw

from seewhy.images.animating import animation
from seewhy.images.drawing import overlay
from seewhy.images.lettering import FAINT, INK, PAPER, font, printable, wrapped
from seewhy.images.panels import panel
from seewhy.images.reading import Pixels
from seewhy.images.resizing import Box, Floats
from seewhy.results.tables import percent

TILE, FRAME = 128, 256  # pixels of the side of a strip's tile, and of a film's
MOST = 24  # tiles of a strip, frames of a film
_SAMPLE = 40_000  # of a film: a tenth of the time, and hardly worse to look at
_LINES = ((0, 0, 0), (255, 255, 255))  # of a region's outline: one of them is seen on any ground

Thing = TypeVar("Thing")


@dataclass(frozen=True, eq=False)
class Subject:
    """A watched picture, as it is drawn.

    Args:
        name: of it.
        label: its own, or None.
        file: what its files are called.
        pixels: uint8 [height, width, 3], a small copy.
        box: what the model sees, in pixels of the copy.
        outline: bool [height, width], where the region is; None without one.
    """

    name: str
    label: str | None
    file: str
    pixels: Pixels
    box: Box
    outline: Any = None

    @property
    def title(self) -> str:
        return self.name if self.label is None else f"{self.name} ({self.label})"

    @cached_property
    def marked(self) -> Image.Image:
        """The picture, the region in it outlined."""
        return self._sized(Image.fromarray(self.pixels), TILE, outlined=True)

    def drawn(self, map: Floats, side: int) -> Image.Image:
        """The map over the picture, scaled to its own maximum, `side` pixels wide or high."""
        share = side / max(self.pixels.shape[:2])
        picture = self._sized(Image.fromarray(self.pixels), side)
        left, top, right, bottom = (share * edge for edge in self.box)
        return overlay(picture, map, (left, top, right, bottom))

    def _sized(self, image: Image.Image, side: int, outlined: bool = False) -> Image.Image:
        share = side / max(image.size)
        size = max(1, round(image.width * share)), max(1, round(image.height * share))
        sized = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
        if not outlined or self.outline is None:
            return sized
        inside = np.asarray(Image.fromarray(self.outline).resize(size, Image.Resampling.NEAREST), bool)
        pixels, core = np.array(sized), _eroded(inside)
        pixels[inside & ~core], pixels[core & ~_eroded(core)] = _LINES
        return Image.fromarray(pixels)


def _eroded(inside: Any) -> Any:
    """Without the outermost pixels; outside the picture is outside the region."""
    (h, w), padded = inside.shape, np.pad(inside, 1)
    return np.logical_and.reduce([padded[y : y + h, x : x + w] for y in range(3) for x in range(3)])


@dataclass(frozen=True, eq=False)
class Shot:
    """What one look gave for one picture.

    Args:
        epoch, step: that were done.
        map: float [h, w].
        row: the numbers, by column.
        by_step: looks are told apart by steps.
    """

    epoch: int
    step: int
    map: Floats
    row: dict[str, Any] = field(repr=False)
    by_step: bool = False

    @property
    def when(self) -> str:
        if not self.step and not self.epoch:
            return "before"
        return f"step {self.step:,}" if self.by_step else f"epoch {self.epoch}"

    @property
    def said(self) -> str:
        """The class with its probability, and the share of the map in the region."""
        chance, focus = self.row.get("probability"), self.row.get("focus")
        said = f"{self.row['class']} {percent(chance, 0) if chance is not None else ''}".strip()
        return said if focus is None else f"{said}\nin region {percent(focus, 0)}"

    @property
    def caption(self) -> str:
        return f"{self.when}\n{self.said}"


def strip(subject: Subject, shots: Sequence[Shot], tiles: Sequence[Image.Image] | None = None) -> Image.Image:
    """The picture, then its maps over time, at most `MOST`.

    Args:
        subject: the picture.
        shots: in order of time, at least one.
        tiles: of the shots, where they are drawn already.
    """
    if tiles is None:
        shots = spread(shots, MOST)
        tiles = [subject.drawn(one.map, TILE) for one in shots]
    captions = [subject.title, *(one.caption for one in shots)]
    return panel([subject.marked, *tiles], len(tiles) + 1, captions, tile=TILE)


def film(subject: Subject, shots: Sequence[Shot], kind: str = "GIF", seconds: float = 0.6) -> bytes:
    """The maps one after the other, at most `MOST`, as the bytes of a file. See `images.animating.animation`."""
    chosen = spread(shots, MOST)
    frames = [
        panel([subject.drawn(one.map, FRAME)], 1, [one.said], f"{subject.title}\n{one.when}", FRAME) for one in chosen
    ]
    return animation(frames, kind, seconds, _SAMPLE)


def filmstrip(subjects: Sequence[Subject], shots: Sequence[Sequence[Shot]], columns: int, tile: int) -> Image.Image:
    """Rows are pictures, columns are looks; a look that has no map of a picture leaves its place empty.

    Args:
        subjects: the pictures.
        shots: of each picture, in order of time.
        columns: looks at most, spread over all there are.
        tile: pixels of a side.
    """
    times = sorted({(one.epoch, one.step): one.when for row in shots for one in row}.items())
    chosen = spread(times, columns)
    letters, gap, line = font(max(11, tile // 10)), max(4, tile // 24), int(tile / 6.5)
    left, step = tile, tile + gap
    rows = [_within(one.marked.size, tile)[1] for one in subjects]  # their heights
    wide, top = left + step * (len(chosen) + 1) + gap, 2 * gap + line
    sheet = Image.new("RGB", (wide, top + sum(rows) + len(rows) * (2 * gap + line)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, when in enumerate(["", *(when for _, when in chosen)]):
        pen.text((left + column * step + tile / 2, gap), when, INK, letters, anchor="ma")
    for subject, row, high in zip(subjects, shots, rows, strict=True):
        for at, text in enumerate(wrapped(printable(subject.title), letters, left - 2 * gap, 4)):
            pen.text((gap, top + at * line), text, INK, letters)
        found = {(one.epoch, one.step): one for one in row}
        marked = subject.marked.resize(_within(subject.marked.size, tile))
        sheet.paste(marked, (left + (tile - marked.width) // 2, top))
        for column, (time, _) in enumerate(chosen, 1):
            if (one := found.get(time)) is None:
                continue
            drawn = subject.drawn(one.map, tile)
            sheet.paste(drawn, (left + column * step + (tile - drawn.width) // 2, top))
            words = _short(one)
            pen.text((left + column * step + tile / 2, top + high + gap // 2), words, FAINT, letters, anchor="ma")
        top += high + 2 * gap + line
    return sheet


def spread(things: Sequence[Thing], most: int) -> list[Thing]:
    """At most so many, evenly spread, the first and the last among them."""
    if len(things) <= most:
        return list(things)
    return [things[i] for i in np.unique(np.linspace(0, len(things) - 1, most).round().astype(int))]


def _short(one: Shot) -> str:
    chance, focus = one.row.get("probability"), one.row.get("focus")
    told = "" if chance is None else percent(chance, 0)
    return told if focus is None else f"{told} · in {percent(focus, 0)}"


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    share = side / max(size)
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))
