"""A run in a notebook: plain HTML with pictures as it is; the page in a frame when asked for. No port, no widget."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seewhy.images import drawing, panels
from seewhy.results.drawn.originals import box_of, told
from seewhy.results.drawn.thumbnails import photo
from seewhy.results.questions.measures import wilson
from seewhy.results.rows import Rows
from seewhy.results.tables import html, line, number, percent, percents, short

if TYPE_CHECKING:
    from seewhy.results.run import Run

_PICTURES, _SIDE = 6, 160
_NEEDED = (
    *("id", "path", "label", "predicted", "correct", "probability", "width", "height", "box"),
    *("map", "map_scale", "map_height", "map_width"),
)


@dataclass(frozen=True, repr=False)
class Shown:
    """The page of a run as a notebook shows it: a frame, and what is in its place where frames are taken out.

    Args:
        page: HTML of the whole page.
        static: HTML without script, under the frame.
        height: of the frame, in pixels.
    """

    page: str
    static: str
    height: int

    def __repr__(self) -> str:
        return f"the page of a run, {len(self.page) / 1e6:.1f} MB, to be shown by a notebook"

    def _repr_html_(self) -> str:
        frame = (
            f'<iframe title="seewhy: the page of a run" sandbox="allow-scripts allow-downloads" '
            f'srcdoc="{escape(self.page, quote=True)}" '
            'style="position:absolute;top:0;left:0;width:100%;height:100%;border:1px solid #8884;background:#fff">'
            "</iframe>"
        )
        return f'<div style="position:relative;height:{self.height}px;overflow:auto">{self.static}{frame}</div>'


def shown(run: Run, height: int, max_mb: float) -> Shown:
    """See `Run.show`."""
    from seewhy.results.report.fitting import html_of

    return Shown(html_of(run, max_mb), static(run), height)


def static(run: Run) -> str:
    """The main numbers and six pictures with their maps: HTML without styles of its own, script or links."""
    rows, title = _telling(run)
    figures = "".join(_figure(run, row) for row in run.rows(rows.ids, _NEEDED).to_pylist())
    notes = "".join(f"<p>{escape(note)}</p>" for note in run.notes)
    heads = f"<p><b>{escape(line(title))}</b></p>" if figures else ""
    return f"<div>{html(_numbers(run), (), str(run.folder))}{notes}{heads}<div>{figures}</div></div>"


def _numbers(run: Run) -> list[list[str]]:
    measures, settings = run.measures(), run.settings
    model = settings.get("model", {})
    rows = [
        ["", "", ""],
        ["model", str(model.get("name") or "unnamed"), f"{settings.get('method')} at {settings.get('layer')}"],
        ["pictures", f"{measures.pictures:,}", f"{measures.failed:,} without an answer" if measures.failed else ""],
    ]
    if measures.labelled:
        wrong = measures.labelled - round((measures.accuracy or 0) * measures.labelled)
        worst = run.confusion().worst(1)
        most = "".join(f"most often {w['label']} taken for {w['predicted']}: {w['pictures']:,}" for w in worst)
        span = percents(wilson(measures.labelled - wrong, measures.labelled))
        rows += [
            ["accuracy", percent(measures.accuracy), f"95 %: {span}"],
            ["wrong", f"{wrong:,}", most],
            ["calibration error", percent(measures.calibration_error), f"mean loss {number(measures.mean_loss)}"],
        ]
    else:
        rows.append(["accuracy", "unknown", "no labels"])
    if measures.empty_maps:
        rows.append(["empty maps", f"{measures.empty_maps:,}", drawing.NOTHING])
    return rows


def _telling(run: Run) -> tuple[Rows, str]:
    """Six pictures that tell most: confident mistakes, else unsure answers."""
    if run.has_labels:
        wrong = run.most_confident_wrong(_PICTURES)
        if len(wrong):
            return wrong, f"the most confident of {wrong.found:,} mistakes"
        return run.least_confident_right(_PICTURES), "no mistakes; right answers, the least confident first"
    held = run.select(["id", "probability"], error=None)
    order = np.argsort(held["probability"].to_numpy(), kind="stable")[:_PICTURES]
    found = run.rows(held["id"].take(order).to_pylist(), ["path"])
    return Rows(run, found, "unsure", len(held)), "the least confident answers"


def _figure(run: Run, row: dict[str, Any]) -> str:
    said = f"{row['predicted']}, {percent(row['probability'])}"
    words = said if row["correct"] is not False else f"{row['label']} → {said}"
    picture, trouble = photo(run, row, _SIDE)
    words = line(words).replace(" %", "\N{NO-BREAK SPACE}%")
    name = short(row["path"]) if row["path"] else f"picture {row['id']}"
    image = _drawn(picture, row)
    if image is None:
        shown = f"<i>{escape(line(told(trouble, row) or 'no map'))}</i>"
    else:
        alt = escape(f"{name}: {words}", quote=True)
        code = b64encode(panels.png(image)).decode()
        shown = f'<img alt="{alt}" src="data:image/png;base64,{code}">'
    caption = f"{escape(words)}<br><small>{escape(name)}</small>"
    return f'<div style="display:inline-block;vertical-align:top;width:{_SIDE + 16}px">{shown}<br>{caption}</div>'


def _drawn(picture: Image.Image | None, row: dict[str, Any]) -> Image.Image | None:
    """The picture with its map on it; the map alone where the picture is gone; None without either."""
    if row["map"] is None or not row["map_scale"]:
        return None if picture is None else drawing.with_badge(picture.copy())
    cells = np.asarray(row["map"], np.float32).reshape(row["map_height"], row["map_width"])
    if picture is None:
        return drawing.heatmap((_SIDE, max(1, round(_SIDE * cells.shape[1] / cells.shape[0]))), cells)
    box = box_of(row)
    if box is not None:
        across, down = picture.width / row["width"], picture.height / row["height"]
        box = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
    return drawing.overlay(picture, cells, box)
