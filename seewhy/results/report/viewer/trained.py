"""A watched training without scripts: its numbers as a table, and strips drawn here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from seewhy.results.drawn.thumbnails import fitted
from seewhy.results.report.viewer.fallback import PICTURES, WIDE, drawn, embedded_image, url_of
from seewhy.results.tables import line, number, percent

_COLUMNS = (("probability", percent), ("focus", percent), ("border", percent), ("drift", number), ("score", number))
_LOOKS = 5  # of a strip


def tables(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The means at each look; none where the bundle has no training."""
    held = bundle.get("training")
    if held is None:
        return []
    region = held["region"]["words"] if held["region"] else "the region"
    kept = [(name, text) for name, text in _COLUMNS if name in held["curves"]]
    heads = [f"in {region}" if name == "focus" else name for name, _ in kept]
    rows = [[f"{look[held['unit']]:,}", *(text(look[name]) for name, text in kept)] for look in held["looks"]]
    done = held["done"][held["unit"]]
    whole = f" of {held['of']:,}" if held["of"] else ""
    state = "watched to the end" if held["finished"] else "so far"
    caption = f"{held['unit']} {done:,}{whole}, {state}; means over {len(held['pictures']):,} pictures"
    return [{"caption": caption, "heads": [held["unit"], *heads], "rows": rows}]


def overlays(bundle: Mapping[str, Any]) -> list[dict[str, str]]:
    """Six pictures, each at up to five looks in a row, the first and the last among them."""
    held = bundle.get("training")
    if held is None:
        return []
    last = len(held["kept"]) - 1
    places = sorted({round(k * last / (_LOOKS - 1)) for k in range(_LOOKS)})
    result = []
    for one, shots in list(zip(held["pictures"], held["shots"], strict=True))[:PICTURES]:
        if not embedded_image(one["image"]):
            continue
        seen = [drawn(one["image"], shots[k]["map"], one["box"]) for k in places if shots[k]]
        sheet = Image.new("RGB", (sum(each.width for each in seen) + 6 * max(0, len(seen) - 1), one["height"]), "white")
        for k, each in enumerate(seen):
            sheet.paste(each, (k * (each.width + 6), 0))
        when = ", ".join(f"{held['looks'][held['kept'][k]][held['unit']]:,}" for k in places if shots[k])
        result.append({"image": url_of(fitted(sheet, WIDE)), "words": f"{line(one['name'])}: {held['unit']} {when}"})
    return result
