"""Several answers about one picture: side by side, one after the other, or fused into one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.explanation.answer.failed import Failed
from seewhy.explanation.answer.fused import fused
from seewhy.explanation.answer.notebook import html
from seewhy.explanation.answer.single import Explanation
from seewhy.images import drawing, panels
from seewhy.images.animating import animation, kind_of

_ACROSS = 6  # pictures beside each other, the first of which is the picture itself
_BLANK = (232, 232, 232)  # in the place of a map that is not to be had
_FRAME = 400  # pixels of an animation's side


class Explanations(Sequence[Explanation]):
    """Answers about one picture, for several targets (one after the other) and within each for several layers.

    Args:
        items: target by target, layer by layer.
        columns: how many of them are of one target; default: told by the targets' names.
        refused: the methods that were asked as well and could not answer.
    """

    def __init__(
        self, items: Iterable[Explanation], columns: int | None = None, refused: Iterable[Failed] = ()
    ) -> None:
        self.items = tuple(items)
        self.columns = columns
        self.refused = tuple(refused)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Explanation: ...
    @overload
    def __getitem__(self, index: slice) -> Explanations: ...
    def __getitem__(self, index: int | slice) -> Explanation | Explanations:
        return Explanations(self.items[index]) if isinstance(index, slice) else self.items[index]

    def by_target(self) -> list[Explanations]:
        """The answers of each target, in the order in which targets first appear."""
        if self.columns:
            starts = range(0, len(self), self.columns)
            return [Explanations(self.items[i : i + self.columns], None, self.refused) for i in starts]
        groups: dict[Any, list[Explanation]] = {}
        for one in self.items:
            groups.setdefault((one.name, one.target, one.label), []).append(one)
        return [Explanations(group, None, self.refused) for group in groups.values()]

    def grid(
        self, columns: int | None = None, colorbar: bool | None = None, width: int = panels.WIDEST, **options: Any
    ) -> Image.Image:
        """The picture and all overlays, captioned; where there are several layers or methods, a block for each target.

        Args:
            columns: pictures in a row; default: as many as can be read side by side.
            colorbar: the colours below, each map from zero to its own maximum; default: where maps have signs.
            width: pixels at most; pictures are not made larger than they are, except small ones.
            options: as in `Explanation.overlay`.
        """
        self._checked()
        groups = self.by_target()
        if all(len(group) == 1 for group in groups) and not self.refused:
            words = ["\n".join(filter(None, (_scored(one), one.scale_words))) for one in self.items]
            across = columns or (len(self) + 1 if len(self) < _ACROSS else None)
            sheets = [self._sheet(self.items, words, across, self._common_place(), width, options)]
        else:
            across = columns or min(max(map(len, groups)) + 1 + len(self.refused), _ACROSS)
            sheets = [
                self._sheet(g.items, [g._place(o) for o in g], across, g._heading(), width, options) for g in groups
            ]
        return self._with_bar(panels.stack(sheets), colorbar, options)

    def gif(self, path: str | Path, seconds: float = 0.8, **options: Any) -> None:
        """Writes an animation from the first to the last layer, each frame with the layer's name and the targets'.

        Several targets are beside each other. Where all maps are of one layer there is a frame for each.

        Args:
            path: ends in .gif, .webp, .png or .apng. GIF is shown everywhere; WebP and APNG have all colours.
            seconds: how long each frame is shown.
            options: colorbar as in `grid`, and those of `Explanation.overlay`.
        Raises:
            InputError: another ending, or a time that cannot be shown.
        """
        film = self.animation(kind_of(path), seconds, **options)
        with panels.writing(path):
            Path(path).write_bytes(film)

    def animation(self, kind: str = "GIF", seconds: float = 0.8, colorbar: bool | None = None, **options: Any) -> bytes:
        """What `gif` writes, as the bytes of a file: 'GIF', 'WEBP' or 'PNG' (an APNG)."""
        self._checked()
        layers: dict[Any, list[Explanation]] = {}
        several = len({one.layer for one in self.items}) > 1
        for number, one in enumerate(self.items):
            layers.setdefault(one.layer if several else number, []).append(one)
        frames = []
        for number, group in enumerate(layers.values(), start=1):
            first = group[0]
            title = f"{first.layer}\n{number} of {len(layers)}: {first.cells}, {first.how}"
            tiles = [one.overlay(**options) for one in group]
            captions = [one.caption for one in group]
            side = _FRAME if len(tiles) == 1 else max(160, 2 * _FRAME // max(2, min(len(tiles), 4)))
            sheet = panels.panel(tiles, min(len(tiles), 4), captions, title, side)
            frames.append(self._with_bar(sheet, colorbar, options))
        return animation(frames, kind, seconds)

    def fuse(self, how: str = "mean", scale: str = "each") -> Explanation:
        """All maps made into one, as fine as the image that the model was given.

        Each map is brought to that grid (bicubic); `upscaled`, `overlay` and `mask` lay the result on the picture.

        Args:
            how: 'mean', 'max', or 'product': the geometric mean, high only where all maps are.
            scale: 'each' divides every map by its own maximum first, so that layers of all magnitudes count alike and
                the result lies in 0..1, without unit; 'none' keeps the values in units of the target's score.
        Returns:
            An `Explanation` whose notes say what was done. Maps that are zero everywhere are left out of mean and max,
            and named in the notes.
        Raises:
            InputError: no map has anything in it; maps of several pictures or of several crops; in a product, a map
                that is zero everywhere or has values below 0.
            UnknownNameError: no such way or scale.
        """
        self._checked()
        return fused(self.items, how, scale)

    def mean(self, scale: str = "each") -> Explanation:
        """`fuse("mean")`: what stands out at the layers on average."""
        return self.fuse("mean", scale)

    def product(self, scale: str = "each") -> Explanation:
        """`fuse("product")`: the geometric mean, where the layers agree."""
        return self.fuse("product", scale)

    def _checked(self) -> None:
        if not self.items:
            raise InputError("no explanations", "at least one", "ask for a target or layer")

    def _sheet(
        self,
        items: Sequence[Explanation],
        captions: Sequence[str],
        columns: int | None,
        title: str | None,
        width: int,
        options: dict[str, Any],
    ) -> Image.Image:
        """Picture and overlays; the picture again where another one's maps begin."""
        tiles, words = [], []
        for number, (one, caption) in enumerate(zip(items, captions, strict=True)):
            if not number or one.name != items[number - 1].name:
                picture = Image.fromarray(one.picture)
                tiles.append(drawing.cropped(picture, one.box) if options.get("seen_only") else picture)
                words.append(one.seen.caption)
            tiles.append(one.overlay(**options))
            words.append(caption)
        for failed in self.refused:
            tiles.append(Image.new("RGB", tiles[0].size, _BLANK))
            words.append(f"{failed.name} refused: {failed.error.came}")
        return panels.panel(tiles, columns, words, title, panels.tile_for(tiles, columns, width))

    def _with_bar(self, sheet: Image.Image, colorbar: bool | None, options: dict[str, Any]) -> Image.Image:
        """The sheet with the bar of colours below, each map from zero to its own maximum unless they have one scale."""
        signed = any(one.signed for one in self.items)
        if not (signed if colorbar is None else colorbar):
            return sheet
        cut = all(one.scale_words for one in self.items)
        most = f"each map's {'99.5th percentile' if cut else 'maximum'}"
        if options.get("scale") is not None:
            most = f"{options['scale']:.3g}"
        marks = ("against", "0", f"for: {most}") if signed else ("0", "", most)
        bar = panels.scale_bar(options.get("colormap", "default"), signed, marks, sheet.width)
        return panels.stack([sheet, bar])

    def _common_place(self) -> str | None:
        """Method, layer and fineness, where all answers have the same."""
        places = {f"{one.how} at {one.layer}, {one.cells}" for one in self.items}
        return places.pop() if len(places) == 1 else None

    def _heading(self) -> str:
        """What is asked, with score and method where all answers have the same."""
        one = self.items[0]
        asked = one.heading if self._of_one_score() else one.subject
        return asked if self._of_several_methods() else f"{asked}, {one.how}"

    def _place(self, one: Explanation) -> str:
        """What tells this answer from the others of its target: layer, method and score."""
        words = [one.how, one.layer] if self._of_several_methods() else [one.layer]
        score = "" if self._of_one_score() else f", score {one.score:.2f}"
        return one.place(words[0] + score, *words[1:])

    def _of_several_methods(self) -> bool:
        return len({one.how for one in self.items}) > 1 or bool(self.refused)

    def _of_one_score(self) -> bool:
        return bool(np.ptp([one.score for one in self.items]) <= 1e-4 * abs(self.items[0].score))

    def save(self, path: str | Path, **options: Any) -> None:
        """Writes the grid, or under a name in .gif the animation of `gif`. Options as in `grid`, or `gif`."""
        if str(path).lower().endswith(".gif") and len(self) > 1:
            return self.gif(path, **options)
        panels.save(self.grid(**options), path)

    def __repr__(self) -> str:
        refused = "".join(f"  {failed.name}: refused: {failed.error.came}\n" for failed in self.refused)
        return "Explanations(\n" + "".join(f"  {one!r},\n" for one in self.items) + refused + ")"

    def _repr_png_(self) -> bytes:
        return panels.png(self.grid(width=panels.NOTEBOOK))

    def _repr_html_(self) -> str:
        return html(self.items, self._repr_png_())


def _scored(one: Explanation) -> str:
    """What is said and how surely, always with the score."""
    return one.caption if one.probability is None else one.heading
