"""A watched training as one plain value, as docs/reference/bundle.md describes it under `training`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seewhy import __version__
from seewhy.errors import InputError
from seewhy.results.arrays import Floats
from seewhy.results.drawn import thumbnails
from seewhy.results.report.bundle import cleaned
from seewhy.results.report.fitting import Report, Version, fitted, place_of, weight
from seewhy.results.report.viewer import SCHEMA
from seewhy.results.store import write_whole
from seewhy.results.tables import counted

if TYPE_CHECKING:
    from seewhy.results.watched.filming import Subject
    from seewhy.results.watched.reading import Watched

NUMBERS = ("focus", "border", "entropy", "drift", "probability", "score")
_ZERO = 1e-6
_REGION = 48  # cells of a region's side
_CUTS = ((60, 320, 85), (60, 240, 75), (40, 240, 75), (24, 160, 60), (12, 128, 50), (6, 96, 40))  # looks, side, quality


@dataclass(frozen=True, eq=False)
class _Material:
    """All that the bundle may hold, read once: the folder may still be written to."""

    title: str
    images: bool
    anonymous: bool
    about: Mapping[str, Any]
    subjects: Sequence[Subject]
    rows: list[dict[str, Any]]
    means: list[dict[str, Any]]


def report(
    watched: Watched,
    path: str | Path = "watch.html",
    max_mb: float = 15,
    images: bool = True,
    anonymise: bool = False,
    title: str | None = None,
) -> Report:
    """Writes the training as one HTML file. See `Watched.report`."""
    place = place_of(path, max_mb)
    html, made = fitted(_versions(_gathered(watched, images, anonymise, title)), max_mb)
    write_whole(place, lambda file: file.write(html))
    held = made["training"]
    count = len(held["pictures"])
    return Report(
        place,
        len(html),
        count,
        len(held["looks"]),
        count if images else 0,
        held["how"],
        f"{counted(count, 'watched picture')}.",
        "" if images else "This report was made without pictures (--no-images).",
        tuple(made["size"]["left_out"]),
        made["size"]["parts"],
    )


def bundle(watched: Watched, images: bool = True, anonymise: bool = False, title: str | None = None) -> dict[str, Any]:
    """The training in the shape of docs/reference/bundle.md, ready for JSON, without a limit to its size."""
    return _bundled(_gathered(watched, images, anonymise, title), *_CUTS[0])


def _gathered(watched: Watched, images: bool, anonymous: bool, title: str | None) -> _Material:
    rows = watched.table(maps=True).to_pylist()
    if not rows:
        raise InputError(
            f"no look yet in {str(watched.folder)!r}",
            "a training that was looked at at least once",
            "wait for the first look",
        )
    model = str(watched.about.get("model") or "A network")
    named = f"{model} in training" + ("" if anonymous else f": {watched.folder.name}")
    told = title if title is not None else named
    return _Material(told, images, anonymous, watched.about, watched.subjects, rows, watched.means())


def _versions(material: _Material) -> Iterator[Version]:
    before = None
    for looks, side, quality in _CUTS:
        looks = min(looks, len(material.means))
        if (looks, side, quality) == before:
            continue
        before = (looks, side, quality)
        made = _bundled(material, looks, side, quality)
        held = made["training"]
        photos = sum(len(one["image"] or "") for one in held["pictures"])
        maps = weight([[shot and shot["map"] for shot in line] for line in held["shots"]])
        said = [] if side == _CUTS[0][1] else [f"detail: pictures of {side} instead of {_CUTS[0][1]} pixels"]
        if looks < min(_CUTS[0][0], len(material.means)):
            said.append(f"maps of {len(material.means) - looks:,} of {len(material.means):,} looks")
        yield made, {"photos": photos, "maps": maps, "table": weight(made) - photos - maps}, said


def _bundled(material: _Material, most: int, side: int, quality: int) -> dict[str, Any]:
    about, means = material.about, material.means
    every = [one["look"] for one in means]
    kept = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(most, len(every))).round().astype(int))]
    place = {look: k for k, look in enumerate(kept)}
    shots: list[list[Any]] = [[None] * len(kept) for _ in material.subjects]
    curves: dict[str, list[list[float | None]]] = {
        name: [[None] * len(every) for _ in material.subjects] for name in NUMBERS
    }
    at = {look: k for k, look in enumerate(every)}
    for row in material.rows:
        if row["look"] not in at:  # it came while this was read
            continue
        for name in NUMBERS:
            curves[name][row["picture"]][at[row["look"]]] = _number(row[name])
        if row["look"] in place:
            shots[row["picture"]][place[row["look"]]] = _shot(row)
    last = means[-1]
    region = about.get("region")
    result = {
        "schema": SCHEMA,
        "title": material.title,
        "about": {
            "notes": list(about.get("alarms") or ()),
            "anonymous": material.anonymous,
            "made": {"seewhy": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds")},
        },
        "labels": [],
        "training": {
            "unit": "step" if about.get("unit") == "step" else "epoch",
            "finished": "cost" in about,
            "done": {"epoch": last["epoch"], "step": last["step"]},
            "of": about.get("epochs"),
            "model": str(about.get("model") or ""),
            "layer": str(about.get("layer") or ""),
            "method": str(about.get("method") or ""),
            "region": None if not region else {"words": region.get("words", ""), "even": region.get("even")},
            "alarm": {name: (about.get("alarm") or {}).get(name) for name in ("below", "above")},
            "cost": about.get("cost"),
            "how": f"All {len(every):,} looks."
            if len(kept) == len(every)
            else f"Maps of {len(kept):,} of {len(every):,} looks, evenly spread; numbers of all.",
            "looks": [
                {name: one[name] for name in ("look", "epoch", "step")} | {name: _number(one[name]) for name in NUMBERS}
                for one in means
            ],
            "kept": [at[look] for look in kept],
            "curves": {
                name: lines for name, lines in curves.items() if any(v is not None for each in lines for v in each)
            },
            "pictures": [
                _picture(one, number, side, quality if material.images else 0, material.anonymous)
                for number, one in enumerate(material.subjects)
            ],
            "shots": shots,
        },
    }
    clean: dict[str, Any] = cleaned(result)
    return clean


def _picture(subject: Subject, number: int, side: int, quality: int, anonymous: bool) -> dict[str, Any]:
    photo = thumbnails.fitted(Image.fromarray(subject.pixels), side)
    height, width = subject.pixels.shape[:2]
    left, top, right, bottom = subject.box
    return {
        "name": f"picture {number + 1}" if anonymous else subject.name,
        "label": subject.label,
        "image": thumbnails.jpeg(photo, quality) if quality else None,
        "width": photo.width,
        "height": photo.height,
        "box": [left / width, top / height, right / width, bottom / height],
        "region": _cells(subject.outline),
    }


def _number(value: float | None) -> float | None:
    """Without what rounding leaves of a zero, which would be shown as -0 %."""
    return 0.0 if value is not None and abs(value) < _ZERO else value


def _cells(region: Any) -> dict[str, Any] | None:
    """Where the region lies, over the whole picture, coarse enough to be outlined cell by cell."""
    if region is None or not np.any(region):
        return None
    height, width = (min(_REGION, side) for side in region.shape)
    rows = ((np.arange(height) + 0.5) * region.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * region.shape[1] / width).astype(int)
    inside = region[np.ix_(rows, columns)].astype(np.uint8)
    return {"height": height, "width": width, "values": thumbnails.base64(inside)}


def _shot(row: Mapping[str, Any]) -> dict[str, Any]:
    cells: Floats = np.asarray(row["map"], np.float32).reshape(row["map_height"], row["map_width"])
    drawn = row["map_scale"] is not None and np.isfinite(row["map_scale"])
    return {
        "map": thumbnails.packed(cells, row["map_scale"]) if drawn else None,
        "class": row["class"],
        "predicted": row["predicted"],
    }
