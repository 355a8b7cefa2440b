"""Pictures of a run drawn: what the model looked at, beside what it would have looked at for the label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images import drawing, panels
from seewhy.images.lettering import FAINT, PAPER, font, printable, wrapped
from seewhy.images.resizing import Box
from seewhy.results.arrays import Floats
from seewhy.results.drawn.originals import box_of, original, told
from seewhy.results.tables import line, percent

if TYPE_CHECKING:
    from seewhy.results.questions.focus import Focus
    from seewhy.results.rows import Rows
    from seewhy.results.run import Run

TILE = 224  # pixels of a picture's side
SCALES = ("each", "picture", "all")
NEEDED = [
    *("path", "label", "predicted", "correct", "probability", "loss", "box", "width", "height", "error"),
    *("map", "map_scale", "map_height", "map_width", "label_map", "label_map_scale"),
]
_EMPTY = (241, 241, 240)  # of a tile without a picture


@dataclass(frozen=True, eq=False)
class Entry:
    """A picture of the gallery, and what is drawn of it."""

    row: dict[str, Any]
    picture: Image.Image | None
    trouble: str

    @property
    def box(self) -> Box | None:
        return box_of(self.row)


def gallery(
    run: Run, rows: Rows, limit: int = 24, *, columns: int = 2, scale: str = "each", tile: int = TILE, **options: Any
) -> Image.Image:
    """Each picture, the map of the predicted class on it, and that of the label where it differs.

    Args:
        rows: of `run`.
        limit: so many pictures at most.
        columns: pictures beside each other.
        scale: what has the last colour: 'each' map's own maximum, that of the two maps of a 'picture', or of 'all'.
        tile: pixels of a picture's longer side.
        options: of `seewhy.images.drawing.overlay`: colormap, opacity, order.
    Returns:
        PIL image of mode RGB.
    Raises:
        InputError: no rows, or a limit below 1.
        UnknownNameError: no such scale.
    """
    if limit < 1 or columns < 1:
        raise InputError(f"limit={limit}, columns={columns}", "1 or more", "leave them out for the default")
    if scale not in SCALES:
        remedy = did_you_mean(str(scale), SCALES, "write scale='each'")
        raise UnknownNameError(f"no scale {scale!r}", f"one of {', '.join(map(repr, SCALES))}", remedy)
    if not len(rows):
        raise InputError(f"no pictures to draw: {rows.title}: none", "one or more", "ask for others, or drop a filter")
    pairs = "other_id" in rows.table.column_names
    shown = rows[:limit]
    wanted = [i for one in shown for i in (one["id"], one["other_id"])] if pairs else shown.ids
    entries = [Entry(row, *original(run, row)) for row in run.rows(wanted, NEEDED).to_pylist()]
    if pairs:
        by_id = {entry.row["id"]: entry for entry in entries}
        cards = [_pair([by_id[one["id"]], by_id[one["other_id"]]], one, tile) for one in shown]
    else:
        top = max((_most(entry.row) for entry in entries), default=0.0) if scale == "all" else None
        across = 3 if any(entry.row["label_map"] is not None for entry in entries) else 2
        cards = [_card(entry, across, scale, top, tile, options) for entry in entries]
    title = f"{rows.title}: {len(cards):,}" + (f" of {rows.found:,}" if len(cards) < rows.found else "")
    return sheet_of(cards, columns, title, "" if pairs else _footnote(run, entries, scale))


def mean_maps(focus: Focus, limit: int = 8, tile: int = 160) -> Image.Image:
    """A row for each class: the mean map of right answers, that of wrong ones, and the difference.

    Args:
        focus: of a run.
        limit: classes at most: those with the most answers.
        tile: pixels of a map's side.
    """
    if not focus.looked:
        raise InputError("no maps to draw", "a run with answers", "see run.failures()")
    answers = dict.fromkeys(focus.names, 0)
    for one in focus.looked:
        answers[one.name] += one.pictures
    kept = sorted(focus.names, key=lambda name: -answers[name])[:limit]
    judged = any(one.answers != "unknown" for one in focus.looked)
    kinds = ("right", "wrong") if judged else ("unknown",)
    gaps = {name: gap for name in kept if (gap := focus.difference(name)) is not None}
    # Half of the highest mean at least: noise must not be stretched to full colour.
    widest = max([float(np.abs(gap).max()) for gap in gaps.values()] + [float(each.max()) / 2 for each in focus.maps])
    sheets = []
    for name in (name for name in focus.names if name in kept):
        maps = {kind: focus.map(name, kind) for kind in kinds}
        counts = {one.answers: one.pictures for one in focus.looked if one.name == name}
        most = max((float(each.max()) for each in maps.values() if each is not None), default=None)
        tiles, words = [], []
        for kind in kinds:
            tiles.append(_cells(maps[kind], tile, most, f"no {kind} answers"))
            said = f"{kind}: " if judged else ""
            words.append(f"{said}{counts.get(kind, 0):,}\nhighest {percent(_peak(maps[kind]))}")
        if judged:
            gap = gaps.get(name)
            tiles.append(_cells(gap, tile, widest, "nothing to compare"))
            words.append("right − wrong" + ("" if gap is None else f"\nup to {100 * np.abs(gap).max():.1f} points"))
        sheets.append(panels.panel(tiles, len(tiles), words, f"says {line(name)}", tile))
    foot = "Means over what the model sees of a picture."
    if judged:
        foot += " A class's right and wrong maps share their scale, and so do all differences:"
        foot += " orange, more when right; blue, more when wrong."
    if len(kept) < len(answers):
        foot += f" {len(kept)} of {len(answers):,} classes, those with the most answers."
    return sheet_of(sheets, 2 if len(sheets) > 3 else 1, "where the model looks on average", foot)


def _card(entry: Entry, across: int, scale: str, top: float | None, tile: int, options: dict[str, Any]) -> Image.Image:
    """The picture, then its maps, captioned, under a heading."""
    row = entry.row
    most = top if scale == "all" else _most(row) if scale == "picture" else None
    tiles: list[Any] = [shown_of(entry, tile)]
    captions = [row["path"] or f"picture {row['id']}"]
    if row["predicted"] is not None:
        tiles.append(mapped(entry, "map", most, tile, options))
        captions.append(f"why {row['predicted']} ({percent(row['probability'])})")
    if row["label_map"] is not None:
        tiles.append(mapped(entry, "label_map", most, tile, options))
        captions.append(
            f"why {row['label']}" + (f" ({percent(np.exp(-row['loss']))})" if row["loss"] is not None else "")
        )
    while len(tiles) < across:
        tiles.append(Image.new("RGB", (tile, tile), PAPER))
        captions.append("")
    return panels.panel(tiles, across, [line(text) for text in captions], _heading(row), tile)


def _pair(entries: list[Entry], pair: dict[str, Any], tile: int) -> Image.Image:
    same = "the same file" if pair["identical"] else f"{pair['distance']} of 64 bits differ"
    words = [f"{e.row['label'] or 'no label'}\n{e.row['path'] or 'picture ' + str(e.row['id'])}" for e in entries]
    return panels.panel([shown_of(entry, tile) for entry in entries], 2, words, same, tile)


def _heading(row: dict[str, Any]) -> str:
    if row["error"] is not None:
        return f"no answer: {line(row['error'].partition(chr(10))[0])}"
    sure = percent(row["probability"])
    if row["correct"] is None:
        return line(f"{row['predicted']}, {sure}")
    return line(
        f"{row['label']} → {row['predicted']}, {sure}" if not row["correct"] else f"{row['label']}, right, {sure}"
    )


def shown_of(entry: Entry, tile: int) -> Image.Image:
    return entry.picture if entry.picture is not None else _told(told(entry.trouble, entry.row), tile)


def mapped(entry: Entry, which: str, most: float | None, tile: int, options: dict[str, Any]) -> Image.Image:
    row = entry.row
    if row[which] is None:
        return _told("no map", tile)
    shape = row["map_height"], row["map_width"]
    cells = np.asarray(row[which], np.float32).reshape(shape) * np.float32(row[f"{which}_scale"])
    if entry.picture is None:  # the map alone is better than nothing
        size = tile, max(1, round(tile * shape[1] / shape[0]))
        return drawing.heatmap(size, cells, scale=most, **{k: v for k, v in options.items() if k == "colormap"})
    return drawing.overlay(entry.picture, cells, entry.box, scale=most, **options)


def _most(row: dict[str, Any]) -> float:
    return max(row["map_scale"] or 0.0, row["label_map_scale"] or 0.0) or 1.0


def _cells(cells: Floats | None, tile: int, most: float | None, otherwise: str) -> Image.Image:
    if cells is None:
        return _told(otherwise, tile)
    height, width = cells.shape
    share = tile / max(height, width)
    return drawing.heatmap((max(1, round(height * share)), max(1, round(width * share))), cells, scale=most)


def _peak(cells: Floats | None) -> float | None:
    return None if cells is None else float(cells.max())


def _told(words: str, side: int) -> Image.Image:
    """A tile that says why there is no picture."""
    sheet = Image.new("RGB", (side, side), _EMPTY)
    pen, size = ImageDraw.Draw(sheet), max(11, side // 16)
    letters = font(size, words.isascii())
    lines = wrapped(printable(words), letters, side - 2 * size, max(1, side // (2 * size)))
    for number, text in enumerate(lines):
        high = side / 2 + (number - (len(lines) - 1) / 2) * size * 1.35
        pen.text((side / 2, high), text, FAINT, letters, anchor="mm")
    return sheet


def _footnote(run: Run, entries: list[Entry], scale: str) -> str:
    if not any(entry.row["map"] is not None for entry in entries):
        return ""
    words = {
        "each": "Each map from zero to its own maximum.",
        "picture": "Both maps of a picture share their scale.",
        "all": "All maps share their scale.",
    }
    foot = f"{run.settings.get('method', '')} at {run.settings.get('layer', '')}. {words[scale]}"
    if any(entry.row["box"] is None and entry.row["map"] is not None for entry in entries):
        foot += " What the model saw of a picture is not known, so maps are laid on all of it."
    return foot


def sheet_of(cards: list[Image.Image], columns: int, title: str, foot: str) -> Image.Image:
    """Cards in a grid on white, all columns as wide as the widest card, under a title."""
    columns = min(columns, len(cards))
    wide, gap = max(card.width for card in cards), 16
    width = columns * wide + (columns - 1) * gap
    large, small = font(20, plain=False), font(13, plain=False)  # as the arrows in the cards' headings
    heading = wrapped(printable(title), large, width - 24, 2)
    below = wrapped(printable(foot), small, width - 24, 4)
    rows = [cards[start : start + columns] for start in range(0, len(cards), columns)]
    top = 12 + 28 * len(heading)
    heights = [max(card.height for card in row) for row in rows]
    sheet = Image.new("RGB", (width, top + sum(heights) + gap * (len(rows) - 1) + 20 * len(below) + 16), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, text in enumerate(heading):
        pen.text((12, 12 + 28 * number), text, (32, 33, 36), large)
    for row, height in zip(rows, heights, strict=True):
        for place, card in enumerate(row):
            sheet.paste(card, (place * (wide + gap), top))
        top += height + gap
    for number, text in enumerate(below):
        pen.text((12, top - gap + 8 + 20 * number), text, FAINT, small)
    return sheet
