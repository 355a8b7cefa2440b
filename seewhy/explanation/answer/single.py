"""The answer to one question about one picture, how it is read, drawn and shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.explanation.answer.notebook import html
from seewhy.explanation.answer.seen import Seen
from seewhy.images import drawing, masking, panels
from seewhy.images.resizing import Box, place, upscale
from seewhy.targets import Floats

_NINTHS = np.array(
    [["top left", "top", "top right"], ["left", "centre", "right"], ["bottom left", "bottom", "bottom right"]]
)


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
        notes: what the reader should know.
        seen: the picture, its crop and its name.
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
    notes: tuple[str, ...]
    seen: Seen = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.map, self.scores, self.probabilities):
            array.setflags(write=False)

    @property
    def picture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """uint8 [height, width, 3]: the picture as handed in; a best effort where an image of floats was."""
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
        """The map is zero everywhere."""
        return not bool(np.any(self.map))

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

    def mask(self, threshold: float = 0.5) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """bool [height, width] of the picture: where the map reaches `threshold` of its maximum."""
        return masking.mask(self.map, self.picture.shape[:2], self.box, threshold)

    def overlay(self, colormap: str = "default", opacity: float | None = None, **options: Any) -> Image.Image:
        """The map over the picture; hatched where the model saw nothing.

        Args:
            colormap: any of matplotlib's names ('jet', 'viridis'); the default can be read by the colour-blind.
            opacity: of the map's maximum, 0 to 1.
            options: of `seewhy.images.drawing.overlay`: order, scale, seen_only.
        """
        if opacity is not None:
            options["opacity"] = opacity
        return drawing.overlay(self.picture, self.map, self.box, colormap=colormap, **options)

    def panel(self, **options: Any) -> Image.Image:
        """The picture and the overlay side by side, with what the model says."""
        tiles = [Image.fromarray(self.picture), self.overlay(**options)]
        return panels.panel(tiles, columns=2, captions=[self.seen.caption, self.caption])

    @property
    def caption(self) -> str:
        """Label with probability, or target with score."""
        if self.probability is not None:
            return f"{self.label}  {self.probability:.1%}"
        return f"{self.label}  {self.score:+.2f}"

    def save(self, path: str | Path, **options: Any) -> None:
        """Writes the panel; `overlay().save(path)` writes the overlay alone. Options as in `overlay`."""
        self.panel(**options).save(path)

    def __repr__(self) -> str:
        rows, columns = self.map.shape
        notes = "".join(f"\n  note: {note}" for note in self.notes)
        return (
            f"Explanation({self.name}: {self.caption}, score {self.score:.2f}, "
            f"{self.method} at {self.layer!r} {rows} × {columns}){notes}"
        )

    def _repr_png_(self) -> bytes:
        return panels.png(self.panel())

    def _repr_html_(self) -> str:
        return html([self], self._repr_png_())
