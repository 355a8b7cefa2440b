"""A comparison without scripts: its numbers as tables, and what changed most drawn here, run beside run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from seewhy.results.drawn.thumbnails import fitted
from seewhy.results.report.viewer.fallback import PICTURES, WIDE, drawn, embedded_image, url_of
from seewhy.results.tables import line, percent, percents

_MINUS = "\N{MINUS SIGN}"
_ORDER = ("newly broken", "changed answer", "fixed", "different reason", "both wrong", "both right", "same answer")


def tables(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Runs, buckets, moves and classes; none where the bundle has no comparison."""
    held = bundle.get("comparison")
    if held is None:
        return []
    found = [
        {
            "caption": f"Runs, on {held['shared']:,} pictures that all share",
            "heads": ["run", "model", "layer", "accuracy", "95 %"],
            "rows": [
                [
                    " ".join(each for each in (run["name"], run["title"]) if each),
                    *(run["model"], f"{run['layer']}, {run['method']}"),
                    *(percent(run["accuracy"]), percents(run["accuracy_interval"])),
                ]
                for run in held["runs"]
            ],
        }
    ]
    for change in held["changes"]:
        name = change["name"]
        rows = [[each["name"], f"{each['count']:,}"] for each in change["buckets"]]
        if change["difference"] is not None:
            rows.append([f"{name} less A, in points", _points(change["difference"])])
            rows.append(["McNemar's exact p", f"{change['p']:.2g}"])
        found.append({"caption": f"What changed, {name} beside A", "heads": ["bucket", "pictures"], "rows": rows})
        if change["moves"]:
            found.append(
                {
                    "caption": f"Where they look, {name} beside A",
                    "heads": ["", "A", name, "points"],
                    "rows": [
                        [each["words"], percent(each["first"]), percent(each["other"]), _points(each["difference"])]
                        for each in change["moves"]
                    ],
                }
            )
    return found


def overlays(bundle: Mapping[str, Any]) -> list[dict[str, str]]:
    """Six pictures, each with the maps of all runs in a row; what changed most first."""
    held = bundle.get("comparison")
    if held is None:
        return []
    shown = {entry["row"]: entry for entry in held["shown"] if embedded_image(entry.get("image"))}
    buckets = {each["name"]: each["rows"] for each in held["changes"][0]["buckets"]}
    rows = [row for name in _ORDER for row in buckets.get(name, ()) if row in shown]
    result = []
    for row in list(dict.fromkeys(rows))[:PICTURES]:
        entry = shown[row]
        maps = [drawn(entry["image"], one["map"], one["box"]) for one in entry["runs"]]
        sheet = Image.new("RGB", (sum(each.width for each in maps) + 6 * (len(maps) - 1), maps[0].height), "white")
        for k, each in enumerate(maps):
            sheet.paste(each, (k * (each.width + 6), 0))
        result.append({"image": url_of(fitted(sheet, WIDE)), "words": _words(bundle, row)})
    return result


def _words(bundle: Mapping[str, Any], row: int) -> str:
    held, labels = bundle["comparison"], bundle["labels"]
    table = held["pictures"]
    path, label = table["path"][row], table["label"][row]
    said = [
        f"{run['name']}: {labels[table['said'][k][row]]} {percent(table['probability'][k][row])}"
        for k, run in enumerate(held["runs"])
    ]
    name = f"picture {table['id'][row]}" if path is None else line(path)
    return f"{name}, {'no label' if label is None else labels[label]}; {', '.join(said)}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}".replace("-", _MINUS)
