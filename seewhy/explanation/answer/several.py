"""Several answers about one picture: side by side, one after the other, or fused into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

from PIL import Image

from seewhy.errors import InputError
from seewhy.explanation.answer.notebook import html
from seewhy.explanation.answer.single import Explanation
from seewhy.images import panels


class Explanations(Sequence[Explanation]):
    """Answers about one picture, for several targets (one after the other) and within each for several layers.

    Args:
        items: target by target, layer by layer.
        columns: how many belong beside each other in a grid.
    """

    def __init__(self, items: Iterable[Explanation], columns: int | None = None) -> None:
        self.items = tuple(items)
        self.columns = columns

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> Explanations: ...
    def __getitem__(self, index: int | slice) -> Explanation | Explanations:
        return Explanations(self.items[index]) if isinstance(index, slice) else self.items[index]

    def grid(self, columns: int | None = None, **options: Any) -> Image.Image:
        """The picture and all overlays, captioned. Options as in `Explanation.overlay`."""
        if not self.items:
            raise InputError("no explanations", "at least one", "ask for a target or layer")
        several_layers = len({one.layer for one in self.items}) > 1
        captions = [f"{one.layer}\n{one.caption}" if several_layers else one.caption for one in self.items]
        tiles = [one.overlay(**options) for one in self.items]
        row = self.columns or len(tiles)
        for start in range(0, len(tiles) + len(tiles) // row - 1, row + 1):  # each row begins with the picture
            tiles.insert(start, Image.fromarray(self.items[0].picture))
            captions.insert(start, self.items[0].seen.caption)
        return panels.panel(tiles, columns=columns or (self.columns and self.columns + 1), captions=captions)

    def save(self, path: str | Path, **options: Any) -> None:
        """Writes the grid. Options as in `grid`."""
        self.grid(**options).save(path)

    def __repr__(self) -> str:
        return "Explanations(\n" + "".join(f"  {one!r},\n" for one in self.items) + ")"

    def _repr_png_(self) -> bytes:
        return panels.png(self.grid())

    def _repr_html_(self) -> str:
        return html(self.items, self._repr_png_())
