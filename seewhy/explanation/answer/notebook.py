"""Answers as HTML, for notebooks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seewhy.explanation.answer.single import Explanation


def html(items: Sequence[Explanation], png: bytes) -> str:
    """A static picture and a table: no script, so that it shows in every notebook."""
    rows = "".join(
        f"<tr><td>{escape(one.target)}</td><td>{escape(one.label)}</td><td>{one.score:.2f}</td>"
        f"<td>{'' if one.probability is None else format(one.probability, '.1%')}</td><td>{escape(one.layer)}</td>"
        f"<td>{escape(one.where)}</td></tr>"
        for one in items
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in dict.fromkeys(n for one in items for n in one.notes))
    words = escape("; ".join(f"{one.caption}: {one.where}" for one in items), quote=True)
    head = "".join(f"<th>{name}</th>" for name in ("target", "label", "score", "probability", "layer", "where"))
    image = f'<img alt="{words}" style="max-width:100%" src="data:image/png;base64,{b64encode(png).decode()}">'
    return f"<div>{image}<table><tr>{head}</tr>{rows}</table>{notes}</div>"
