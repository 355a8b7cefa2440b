"""The same pictures under several models: maps beside each other, or one model after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image

from seewhy.errors import InputError
from seewhy.images import panels
from seewhy.results.drawn.galleries import NEEDED, TILE, Entry, mapped, sheet_of, shown_of
from seewhy.results.drawn.originals import original
from seewhy.results.tables import line, percent, short

if TYPE_CHECKING:
    from seewhy.results.rows import Rows
    from seewhy.results.run import Run


def gallery(
    runs: Sequence[Run],
    names: Sequence[str],
    rows: Rows,
    ids: Sequence[Sequence[int]],
    *,
    columns: int = 2,
    tile: int = TILE,
    **options: Any,
) -> Image.Image:
    """Each picture, and the map of what each model answered, each to its own maximum.

    Args:
        runs, names: and what each is called.
        rows: which pictures, with the columns label, bucket and correlation.
        ids: of these in each run; at most as many as rows.
        columns: pictures beside each other.
        tile: pixels of a picture's longer side.
        options: of `seewhy.images.drawing.overlay`: colormap, opacity, order.
    Returns:
        PIL image of mode RGB.
    Raises:
        InputError: no columns.
    """
    if columns < 1:
        raise InputError(f"columns={columns}", "1 or more", "leave it out for the default")
    entries = _entries(runs, ids)
    cards = []
    for k, row in enumerate(rows[: len(ids[0])]):
        tiles: list[Any] = [shown_of(entries[0][k], tile)]
        captions = [row["path"] or f"picture {row['id']}"]
        for name, own in zip(names, entries, strict=True):
            tiles.append(mapped(own[k], "map", None, tile, options))
            captions.append(f"{name}: {_answer(own[k])}")
        label = "no label" if row["label"] is None else row["label"]
        alike = (
            ""
            if row["correlation"] is None
            else f" · maps correlate {row['correlation']:.2f}".replace("-", "\N{MINUS SIGN}")
        )
        cards.append(
            panels.panel(tiles, len(tiles), list(map(line, captions)), line(f"{label} · {row['bucket']}{alike}"), tile)
        )
    title = f"{rows.title}: {len(cards):,}" + (f" of {rows.found:,}" if len(cards) < rows.found else "")
    foot = [f"{name}: {_about(run)}." for name, run in zip(names, runs, strict=True)]
    return sheet_of(cards, columns, title, " ".join([*foot, "Each map from zero to its own maximum."]))


def frames(
    runs: Sequence[Run], names: Sequence[str], ids: Sequence[Sequence[int]], tile: int = TILE, **options: Any
) -> list[Image.Image]:
    """One sheet for each model, alike but for what it looks at: for an animation.

    Args:
        ids: of the pictures in each run.
        tile: pixels of a picture's longer side.
        options: as in `gallery`.
    """
    sheets = []
    for name, run, entries in zip(names, runs, _entries(runs, ids), strict=True):
        tiles = [mapped(each, "map", None, tile, options) for each in entries]
        words = [line(_verdict(each)) for each in entries]
        across = min(len(tiles), 3 if len(tiles) > 4 else 2)
        sheets.append(panels.panel(tiles, across, words, line(f"{name}: {_about(run)}"), tile))
    return sheets


def _entries(runs: Sequence[Run], ids: Sequence[Sequence[int]]) -> list[list[Entry]]:
    """The rows of each run, with the pictures as the first run that still finds them reads them."""
    rows = [run.rows(own, NEEDED).to_pylist() for run, own in zip(runs, ids, strict=True)]
    pictures = []
    for same in zip(*rows, strict=True):
        found = [original(runs[0], same[0])]
        for run, row in zip(runs[1:], same[1:], strict=True):
            if found[-1][0] is None:
                found.append(original(run, row))
        pictures.append(found[-1] if found[-1][0] is not None else found[0])
    return [[Entry(row, *found) for row, found in zip(own, pictures, strict=True)] for own in rows]


def _answer(entry: Entry) -> str:
    return f"{entry.row['predicted']} {percent(entry.row['probability'])}"


def _verdict(entry: Entry) -> str:
    """The answer, with right or wrong as a sign and not as a colour alone."""
    correct = entry.row["correct"]
    if correct is None:
        return _answer(entry)
    return f"✓ {_answer(entry)}" if correct else f"✗ {_answer(entry)}; is {entry.row['label']}"


def _about(run: Run) -> str:
    model = run.settings.get("model", {}).get("name") or "unnamed"
    return f"{short(str(run.folder))}, {model}, {run.settings.get('method')} at {run.settings.get('layer')}"
