"""A study as one HTML file: static, with the look of a run's report, and nothing from any network."""

from __future__ import annotations

import base64
import io
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from seewhy import __version__
from seewhy.errors import InputError
from seewhy.images.panels import writing
from seewhy.results.tables import counted, line, percent
from seewhy.studies.supplement import drawing
from seewhy.studies.supplement.measures import FOCUS, SCORES, shown

if TYPE_CHECKING:
    from seewhy.studies.supplement.result import Point, Study

_OWN = """
.plot img, .strips img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
.card { margin-bottom: .9rem; }
.plot img { max-width: 780px; width: 100%; }
.beyond { font-weight: 700; }
"""


def report(study: Study, path: Path, pictures: int) -> Path:
    """See `Study.report`."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"the path {str(path)!r}", "a file that ends in .html", f"write {path.stem or 'study'}.html")
    if not study.curve:
        raise InputError("a study without a model", "one training that succeeded", "see study.failures")
    name = line(study.about["settings"]["supplement"]["name"])
    style = files("seewhy.results.report.viewer").joinpath("page.css").read_text("utf-8") + _OWN
    parts = [
        _card("What changed", _changes(study)),
        _card("The curve", _plot(study)),
        *(_card(title, _table(study, kinds)) for title, kinds in _tables(study)),
        _card("The same pictures, model after model", _strips(study, pictures)),
        _card("Trainings", _trainings(study)),
        _card("How it was done", _how(study)),
    ]
    text = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        f'img-src data:"><title>Supplement study: {escape(name)}</title><style>{style}</style></head><body>'
        f'<header class="top"><div class="title"><strong>What adding {escape(name)} does to the model</strong>'
        f"<small>{escape(study.heading)}</small></div></header><main>{''.join(part for part in parts if part)}</main>"
        f"<footer>seewhy {__version__}</footer></body></html>\n"
    )
    with writing(path):
        path.write_text(text, "utf-8")
    return path


def _card(title: str, body: str) -> str:
    return f'<section class="card"><h2>{escape(title)}</h2>{body}</section>' if body else ""


def _changes(study: Study) -> str:
    beyond = [point for point in study.curve if point.beyond_noise and point.share == study.shares[-1]]
    least, most = shown(study.shares[0]), shown(study.shares[-1])
    if len(study.shares) < 2:
        return "<p>One share alone: nothing to compare.</p>"
    if not beyond:
        return f"<p>Nothing differs between {least} and {most} of the supplement beyond the noise.</p>"
    items = "".join(f"<li>{escape(_sentence(point))}</li>" for point in beyond)
    return f"<p>From {least} to {most} of the supplement, beyond the noise:</p><ul>{items}</ul>"


def _sentence(point: Point) -> str:
    change, low, high = point.change or 0.0, point.change_low, point.change_high
    way = "up" if change > 0 else "down"
    if point.kind == "entropy":
        return f"{point.measure} {way} by {abs(change):.3f} to {point.mean:.3f} (95 %: {low:+.3f} to {high:+.3f})"
    span = "" if low is None or high is None else f" (95 %: {100 * low:+.1f} to {100 * high:+.1f})"
    return f"{line(point.measure)} {way} by {100 * abs(change):.1f} points{span} to {percent(point.mean)}"


def _plot(study: Study) -> str:
    held = io.BytesIO()
    drawing.plot(study).savefig(held, format="png", dpi=150)
    return f'<p class="plot">{_image(held.getvalue(), "png", "The curve, whose numbers are in the tables below")}</p>'


def _tables(study: Study) -> list[tuple[str, tuple[str, ...]]]:
    kinds: list[tuple[str, tuple[str, ...]]] = [("Score", SCORES), ("Focus", FOCUS)]
    return [(title, own) for title, own in kinds if any(point.kind in own for point in study.curve)]


def _table(study: Study, kinds: tuple[str, ...]) -> str:
    from seewhy.studies.supplement.result import written

    points = [point for point in study.curve if point.kind in kinds]
    names = list(dict.fromkeys(point.measure for point in points))
    head = "".join(f'<th class="number">{shown(share)}</th>' for share in study.shares)
    rows = ""
    for name in names:
        own = {point.share: point for point in points if point.measure == name}
        cells = ""
        for share in study.shares:
            point = own.get(share)
            title = "" if point is None or point.p is None else f' title="p {point.p:.3g}"'
            mark = "" if point is None or not point.beyond_noise else "beyond"
            cells += f'<td class="number"{title}><span class="{mark}">{escape(written(point))}</span></td>'
        rows += f"<tr><th>{escape(line(name))}</th>{cells}</tr>"
    return f'<div class="scroll"><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _strips(study: Study, count: int) -> str:
    found = ""
    for number in drawing.telling(study, count):
        held = io.BytesIO()
        image = study.strip(number)
        image.save(held, "JPEG", quality=86)
        found += (
            f'<p class="strips">{_image(held.getvalue(), "jpeg", f"held-out picture {number} under each share")}</p>'
        )
    if not found:
        return ""
    return f"<p class='small'>Those whose answers changed most, under the first model of each share.</p>{found}"


def _trainings(study: Study) -> str:
    rows = ""
    for each in study.trainings:
        state = "done" if each.error is None else f"failed: {escape(line(each.error))}"
        rows += (
            f'<tr><td class="number">{shown(each.share)}</td><td class="number">{each.seed}</td>'
            f'<td class="number">{each.pictures:,}</td><td class="number">{each.added:,}</td>'
            f'<td class="number">{each.seconds:,.1f} s</td><td>{state}</td></tr>'
        )
    names = ("share", "seed", "pictures", "of them added", "training")
    head = "".join(f'<th class="number">{name}</th>' for name in names) + "<th></th>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _how(study: Study) -> str:
    from seewhy.studies.supplement.result import HOW

    of, settings = study.about["pictures"], study.about["settings"]
    lines = [
        f"{counted(of['training'], 'picture')} to train on, {of['supplement']:,} in the supplement, "
        f"{of['held_out']:,} held out ({of['held_out_how']}); train: {settings['train']['name']}.",
        f"▲ ▼: {HOW}.",
        *study.notes,
    ]
    return "".join(f"<p>{escape(line(text))}</p>" for text in lines)


def _image(data: bytes, kind: str, words: str) -> str:
    return f'<img alt="{escape(words)}" src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
