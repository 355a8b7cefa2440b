"""The answer to one question about one picture, how it is read, drawn and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.evidence import INPUT
from seewhy.explanation.answer.notebook import html
from seewhy.explanation.answer.seen import Seen
from seewhy.images import drawing, masking, panels
from seewhy.images.resizing import Box, place, upscale
from seewhy.methods import is_pixelwise
from seewhy.targets import Floats

_NINTHS = np.array(
    [["top left", "top", "top right"], ["left", "centre", "right"], ["bottom left", "bottom", "bottom right"]]
)


FLAT = (
    "The map has the same value everywhere: it says how much, not where. Try another layer (layers(model)) or method."
)
_TOP = 99.5  # percentile of a map of pixels that gets the last colour: single pixels reach ten times as far


class _Notes:
    """What was noted while the answer was found, and what only looking at map and picture tells, once asked for."""

    def __get__(self, one: Any, owner: Any = None) -> tuple[str, ...]:
        if one is None:
            raise AttributeError("notes")  # so that the field has no default
        flat = (FLAT,) if one.map.any() and one.empty else ()
        return tuple(dict.fromkeys((*vars(one)["_notes"], *flat, *one.seen.notes)))

    def __set__(self, one: Any, notes: tuple[str, ...]) -> None:
        vars(one)["_notes"] = notes


@dataclass(frozen=True, eq=False)
class Explanation:
    """The answer to one question about one picture.

    Args:
        map: float32 [height, width] at the layer's own resolution, unscaled, in units of the target's score.
        scores: float [classes], before softmax or sigmoid; empty where the model has none.
        probabilities: float [classes].
        score: the number explained.
        probability: of the target's class; None where the target is not one class.
        target: what was asked, in words.
        label: the class (or other thing) the score stands for.
        index: the class, or None.
        layer, method, model: where, how, and of which model.
        labels: of all classes, or None.
        signed: the map keeps what speaks against the target.
        seen: the picture, its crop and its name.
        notes: what the reader should know.
        averaged: what the map is the mean over, where it is not of the image alone: '16 noisy copies, flip'.
    """

    map: Floats
    scores: Floats
    probabilities: Floats
    score: float
    probability: float | None
    target: str
    label: str
    index: int | None
    layer: str
    method: str
    model: str
    labels: tuple[str, ...] | None
    signed: bool
    seen: Seen = field(repr=False)
    notes: tuple[str, ...] = _Notes()  # type: ignore[assignment]
    averaged: str = ""

    def __post_init__(self) -> None:
        for array in (self.map, self.scores, self.probabilities):
            array.setflags(write=False)

    @property
    def picture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """uint8 [height, width, 3]: the picture as handed in; a best effort where drawn from what the model ate."""
        return self.seen.picture

    @property
    def box(self) -> Box:
        """(left, top, right, bottom): which rectangle of the picture the model saw, in pixels of the picture."""
        return self.seen.box

    @property
    def name(self) -> str:
        return self.seen.name

    @property
    def empty(self) -> bool:
        """The map has the same value everywhere, mostly 0: no region stood out."""
        return not drawing.stands_out(self.map)

    def top(self, count: int = 5) -> list[tuple[str, float, float]]:
        """(label, score, probability) of the highest-scored classes, best first."""
        order = np.argsort(-self.scores, kind="stable")[:count]
        names = self.labels or [f"class {index}" for index in range(len(self.scores))]
        return [(names[i], float(self.scores[i]), float(self.probabilities[i])) for i in order]

    def upscaled(self, shape: tuple[int, int] | None = None, order: str = "bicubic") -> Floats:
        """The map, unscaled in value, in finer resolution: each cell's centre stays where it belongs.

        Args:
            shape: (height, width) to bring the map to; default: the picture's, with 0 where the model saw nothing.
            order: 'bicubic', 'bilinear' or 'nearest' (the true cells).
        Returns:
            float32 [height, width].
        """
        if shape is not None and not (isinstance(shape, tuple | list) and len(shape) == 2):
            raise InputError(f"shape={shape!r}", "(height, width)", "leave it out for the picture's")
        if shape is None:
            return place(self.map, self.picture.shape[:2], self.box, order)
        return upscale(self.map, shape, order)

    @property
    def peak(self) -> tuple[int, int]:
        """(row, column) of the picture's pixel where the map is highest."""
        placed = self.upscaled()
        row, column = np.unravel_index(np.argmax(placed), placed.shape)
        return int(row), int(column)

    @property
    def where(self) -> str:
        """Where most of the map lies, in words: '58 % of the map is in the top right ninth of the picture'."""
        if self.empty:
            return "no region stood out"
        if self.map.max() <= 0:
            return "all of the map speaks against it"
        placed = np.maximum(self.upscaled(order="bilinear"), 0)
        rows, columns = (np.linspace(0, side, 4).astype(int) for side in placed.shape)
        parts = np.add.reduceat(np.add.reduceat(placed, rows[:3], 0), columns[:3], 1)
        best = np.unravel_index(np.argmax(parts), parts.shape)
        return f"{parts[best] / max(parts.sum(), 1e-30):.0%} of the map is in the {_NINTHS[best]} ninth of the picture"

    def mask(self, threshold: float = 0.5, of: str = "maximum") -> masking.Mask:
        """bool [height, width] of the picture: where the map reaches a share of its maximum, or holds one of its mass.

        Args:
            threshold: 0 to 1. 0.5 is the half of the maximum, or the smallest region with half of the map's sum.
            of: 'maximum' or 'mass'.
        """
        return masking.mask(self.map, self.picture.shape[:2], self.box, threshold, of)

    def bounding_boxes(self, threshold: float = 0.5, of: str = "maximum") -> list[masking.Corners]:
        """(left, top, right, bottom) round each part of the mask, in pixels of the picture, the strongest part first.

        Args:
            threshold, of: as in `mask`.
        """
        return masking.bounding_boxes(self.mask(threshold, of), self.upscaled())

    def cutout(self, threshold: float = 0.5, of: str = "maximum") -> Image.Image:
        """The picture where the mask is; the rest is dark and grey. `threshold` and `of` as in `mask`."""
        return masking.cutout(self.picture, self.mask(threshold, of))

    def segment(self, threshold: float = 0.5, of: str = "maximum") -> Image.Image:
        """The picture where the mask is, transparent elsewhere (mode RGBA): save it as PNG or WebP, or paste it.

        Args:
            threshold, of: as in `mask`.
        """
        return masking.segment(self.picture, self.mask(threshold, of))

    def overlay(self, colormap: str = "default", opacity: float | None = None, **options: Any) -> Image.Image:
        """The map over the picture; hatched where the model saw nothing.

        Args:
            colormap: any of matplotlib's names ('jet', 'viridis'); the default can be read by the colour-blind.
            opacity: of the map's maximum, 0 to 1.
            options: of `seewhy.images.drawing.overlay`: order, scale, seen_only.
        """
        if opacity is not None:
            options["opacity"] = opacity
        self._settle(options, drawing.overlay)
        return drawing.overlay(self.picture, self.map, self.box, colormap=colormap, **options)

    def heatmap(self, colormap: str = "default", **options: Any) -> Image.Image:
        """The map alone, in opaque colours, its cells as they are; grey where the model saw nothing.

        Args:
            colormap: as in `overlay`.
            options: of `seewhy.images.drawing.heatmap`: order, scale, seen_only.
        """
        self._settle(options, drawing.heatmap)
        return drawing.heatmap(self.picture.shape[:2], self.map, self.box, colormap=colormap, **options)

    def _settle(self, options: dict[str, Any], draw: Callable[..., Image.Image]) -> None:
        """Fills in how this map is drawn; raises UnknownNameError for what `draw` does not take."""
        known = [name for name, one in signature(draw).parameters.items() if one.kind is one.KEYWORD_ONLY]
        for name in options:
            if name not in known:
                near = did_you_mean(name, known, "leave it out")
                raise UnknownNameError(f"no option {name!r} of drawing", f"any of {', '.join(known)}", near)
        options.setdefault("signed", self.signed or None)
        if options.get("scale") is None:
            options["scale"] = self.scale

    @property
    def scale(self) -> float | None:
        """The value that is drawn in the last colour: the map's largest, or the 99.5th percentile of a map of pixels.

        None where nothing stands out.
        """
        if self.empty:
            return None
        heights = np.abs(self.map)
        of_pixels = self.layer == INPUT or is_pixelwise(self.method)
        common = float(np.percentile(heights, _TOP)) if of_pixels else 0.0
        return common if common > 0 else float(heights.max())

    @property
    def scale_words(self) -> str:
        """What `scale` is, where it is not the map's largest value."""
        cut = self.scale is not None and self.scale < float(np.abs(self.map).max())
        return f"last colour: the {_TOP}th percentile" if cut else ""

    def panel(
        self,
        show: Sequence[str] = ("picture", "map", "overlay"),
        colorbar: bool | None = None,
        width: int = panels.WIDEST,
        **options: Any,
    ) -> Image.Image:
        """The picture, the map and the overlay side by side, with what the model says.

        Args:
            show: any of 'picture', 'map', 'overlay', 'cutout', in this order.
            colorbar: the colours with their values below; default: where the map has signs.
            width: pixels at most; pictures are not made larger than they are, except small ones.
            options: as in `overlay`.
        """
        seen_only = options.get("seen_only", False)
        shared = {key: options[key] for key in ("colormap", "scale", "seen_only") if key in options}
        makers: dict[str, tuple[Callable[[], Image.Image], str]] = {
            "picture": (lambda: self._cropped(Image.fromarray(self.picture), seen_only), self.seen.caption),
            "map": (lambda: self.heatmap(**shared), self.place(f"{self.how} at {self.layer}")),
            "overlay": (lambda: self.overlay(**options), self.where),
            "cutout": (lambda: self._cropped(self.cutout(), seen_only), "half of the maximum or more"),
        }
        for name in show:
            if name not in makers:
                raise UnknownNameError(
                    f"a panel that shows {name!r}",
                    f"any of {', '.join(makers)}",
                    did_you_mean(str(name), makers, "leave show= out"),
                )
        tiles, captions = [makers[name][0]() for name in show], [makers[name][1] for name in show]
        tile = panels.tile_for(tiles, len(tiles), width)
        sheet = panels.panel(tiles, columns=len(tiles), captions=captions, title=self.heading, tile=tile)
        if not (self.signed if colorbar is None else colorbar):
            return sheet
        highest = f"{options.get('scale') or self.scale or 0:.3g}"
        marks = (f"-{highest}: against", "0", f"for: {highest}") if self.signed else ("0", "", highest)
        return panels.stack(
            [sheet, panels.scale_bar(options.get("colormap", "default"), self.signed, marks, sheet.width)]
        )

    def _cropped(self, image: Image.Image, seen_only: bool) -> Image.Image:
        return drawing.cropped(image, self.box) if seen_only else image

    @property
    def heading(self) -> str:
        """Label, probability and score."""
        chance = "" if self.probability is None else f"  {self.probability:.1%}"
        return f"{self.subject}{chance}, score {self.score:.2f}"

    @property
    def subject(self) -> str:
        """The label, or what is asked of it: 'probability of cat', 'concept 2: cat'."""
        told = self.method == "dff" or self.target == f"probability of {self.label}"
        return self.target if told else self.label

    @property
    def how(self) -> str:
        """The method, and over what its maps were averaged."""
        return f"{self.method} (averaged: {self.averaged})" if self.averaged else self.method

    @property
    def cells(self) -> str:
        """How fine the map is, in words."""
        return "{} x {}".format(*self.map.shape)

    @property
    def caption(self) -> str:
        """Label with probability, or target with score."""
        if self.probability is not None:
            return f"{self.subject}  {self.probability:.1%}"
        return f"{self.subject}  {self.score:+.2f}"

    def place(self, *words: str) -> str:
        """Words on where the map was taken, how fine it is and, where it is cut off, how it is drawn; a line each."""
        return "\n".join(filter(None, (*words, self.cells, self.scale_words)))

    def save(self, path: str | Path, **options: Any) -> None:
        """Writes the panel; `overlay().save(path)` writes the overlay alone. Options as in `overlay`."""
        panels.save(self.panel(**options), path)

    def __repr__(self) -> str:
        rows, columns = self.map.shape
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        return (
            f"Explanation({self.name}: {self.caption}, score {self.score:.2f}, "
            f"{self.how} at {self.layer!r} {rows} × {columns}){notes}"
        )

    def _repr_png_(self) -> bytes:
        return panels.png(self.panel(width=panels.NOTEBOOK))

    def _repr_html_(self) -> str:
        return html([self], self._repr_png_())
