"""Tables as text and as HTML, and numbers as people read them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from html import escape

from seewhy.images.lettering import printable

_PATH = 64  # letters of a path in a table


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Columns with two blanks between; wide letters count as two.

    Args:
        rows: cells, headings first; all rows of one length.
        right: the columns that hold numbers.
    """
    from rich.cells import cell_len

    cells = [[line(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        blanks = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        joined = [b + c if i in right else c + b for i, (c, b) in enumerate(zip(row, blanks, strict=True))]
        lines.append("  ".join(joined).rstrip())
    return "\n".join(lines)


def html(rows: Sequence[Sequence[str]], right: Collection[int] = (), caption: str = "") -> str:
    """The same as a table without styles or scripts, so that it shows in every notebook."""
    head, *body = rows
    sides = ['style="text-align:right"' if i in right else 'style="text-align:left"' for i in range(len(head))]
    top = "".join(f"<th {side}>{escape(cell)}</th>" for cell, side in zip(head, sides, strict=True))
    lines = "".join(
        "<tr>"
        + "".join(f"<td {side}>{escape(line(cell))}</td>" for cell, side in zip(row, sides, strict=True))
        + "</tr>"
        for row in body
    )
    words = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{words}<tr>{top}</tr>{lines}</table>"


def line(text: str) -> str:
    """The text in one line that can be printed."""
    return printable(text).replace("\n", " ")


def percent(share: float | None, digits: int = 1) -> str:
    return "–" if share is None or share != share else f"{100 * share:.{digits}f} %"


def percents(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}"


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def short(path: str | None) -> str:
    """The end of a long path, where it differs from others."""
    text = line(path or "")
    return text if len(text) <= _PATH else "…" + text[1 - _PATH :]


def counted(count: int, thing: str, things: str | None = None) -> str:
    """'1 picture', '2,000 pictures'."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"
