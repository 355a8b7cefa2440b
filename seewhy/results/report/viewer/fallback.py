"""The part of the page that needs no script: main numbers, the surest mistakes, six pictures drawn here."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from seewhy.images.drawing import overlay
from seewhy.results.tables import line, percent, percents

MISTAKES, PICTURES = 10, 6
WIDE = 640  # pixels of a sheet of several maps


def overview(bundle: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of what a reader asks first."""
    measures, about = bundle["measures"], bundle["about"]
    facts = [("pictures", f"{measures['pictures']:,}"), ("without an answer", f"{measures['failed']:,}")]
    if measures["labelled"]:
        interval = percents(measures["accuracy_interval"])
        facts.append(("accuracy", f"{percent(measures['accuracy'])} (95 %: {interval})"))
        facts.append(("balanced accuracy", percent(measures["balanced_accuracy"])))
    facts.append(("no region stood out", f"{measures['empty_maps']:,}"))
    facts += [("model", about["model"]["name"] or "unnamed"), ("layer", about["layer"]), ("method", about["method"])]
    return [*facts, ("preparation", about["preparation"] or "–"), ("audited", (about["created"] or "")[:10])]


def notes(bundle: Mapping[str, Any]) -> list[str]:
    """What to know before the numbers are believed."""
    partial, sampling = bundle["about"].get("partial"), bundle["sampling"]
    told = list(bundle["about"].get("notes") or ())
    if partial and not any(each.startswith("incomplete") for each in told):
        told.insert(0, f"Not complete: {partial['done']:,} pictures so far.")
    return told + ([sampling["how_rows"]] if sampling["rows"] < sampling["of"] else [])


def mistakes(bundle: Mapping[str, Any]) -> list[dict[str, str]]:
    """The wrong answers of which the model was surest."""
    return [_told(bundle, row) for row in _worst(bundle)[:MISTAKES]]


def findings(bundle: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the model answers by though it should not: a sentence on the search, and the raised findings; or None."""
    held = bundle.get("findings")
    if held is None:
        return None
    if not held["searched"]:
        return {"lead": f"Shortcuts were not searched for in this run. To do it: {held['command']}", "list": []}
    raised = [one for one in held["list"] if one["status"] in ("proven", "suspected", "accepted")]
    lead = held["seen"] if raised else f"Nothing met the bar. {held['seen']}"
    return {"lead": lead, "list": [_finding(one) for one in raised]}


def overlays(bundle: Mapping[str, Any]) -> list[dict[str, str]]:
    """Six pictures with their maps as data: URLs, mistakes first; none where the bundle has no pictures."""
    shown = {entry["row"]: entry for entry in bundle["shown"] if embedded_image(entry.get("image"))}
    rows = [row for row in _worst(bundle) if row in shown]
    rows += [row for row in shown if row not in set(rows)]
    result = []
    for row in rows[:PICTURES]:
        told = _told(bundle, row)
        words = f"{told['name']}: {told['label']} → {told['predicted']}, {told['probability']}"
        result.append(
            {"image": url_of(drawn(shown[row]["image"], shown[row].get("map"), shown[row].get("box"))), "words": words}
        )
    return result


def cells(packed: Mapping[str, Any]) -> Any:
    """A map of the bundle as float32 [height, width], raw."""
    levels = np.frombuffer(base64.b64decode(packed["values"]), np.uint8)
    values = levels.reshape(packed["height"], packed["width"]).astype(np.float32)
    return values / np.float32(255) * np.float32(packed["scale"] or 0)


def picture(url: str) -> Image.Image:
    """The picture inside a data: URL."""
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")


def _finding(one: Mapping[str, Any]) -> dict[str, Any]:
    image = None
    if embedded_image(one.get("mean_picture")) and one.get("mean_map"):
        mean = picture(one["mean_picture"])
        image = url_of(overlay(mean, np.asarray(one["mean_map"], np.float32)))
    named = " ".join(each for each in (one["code"], one.get("name")) if each)
    return {"name": named, "status": one["status"], "words": one["words"], "proof": one["proof"], "image": image}


def drawn(image: str, map: Mapping[str, Any] | None, part: Sequence[float] | None) -> Image.Image:
    """A picture of the bundle with a map over it, where there is one.

    Args:
        image: data: URL.
        map: as the bundle packs it.
        part: left, top, right, bottom of what the model saw, as parts of the picture; None: all of it.
    """
    photo = picture(image)
    if not map:
        return photo
    box = None
    if part:
        box = (part[0] * photo.width, part[1] * photo.height, part[2] * photo.width, part[3] * photo.height)
    return overlay(photo, cells(map), box)


def url_of(photo: Image.Image) -> str:
    """The picture as a data: URL."""
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def embedded_image(image: str | None) -> bool:
    """It is a picture inside the file."""
    return image is not None and image.startswith("data:image/") and ";base64," in image


def _worst(bundle: Mapping[str, Any]) -> list[int]:
    table = bundle["pictures"]
    wrong = [row for row in range(table["n"]) if table["correct"][row] == 0]
    return sorted(wrong, key=lambda row: -table["probability"][row])


def _told(bundle: Mapping[str, Any], row: int) -> dict[str, str]:
    table, labels = bundle["pictures"], bundle["labels"]
    label, path = table["label"][row], table["path"][row]
    return {
        "name": f"picture {table['id'][row]}" if path is None else line(path),
        "label": "–" if label is None else labels[label],
        "predicted": labels[table["predicted"][row]],
        "probability": percent(table["probability"][row]),
    }
