"""Runs beside each other as one plain value, as docs/reference/bundle.md describes it under `comparison`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy import __version__
from seewhy.results.arrays import Floats, Ints
from seewhy.results.drawn import thumbnails
from seewhy.results.drawn.originals import original
from seewhy.results.report.bundle import cleaned
from seewhy.results.report.fitting import Report, Version, fitted, place_of, weight
from seewhy.results.report.provenance import about_of, has_path, told_path
from seewhy.results.report.showing import NEEDED, shown_of
from seewhy.results.report.viewer import SCHEMA
from seewhy.results.run import Run
from seewhy.results.store import write_whole
from seewhy.results.tables import counted

PICTURES = 160  # that are shown
LISTED = 500  # of a bucket at most
_SHARES = {  # of what is shown: what changed most is worth most of the room
    "newly broken": 0.32,
    "changed answer": 0.4,
    "different reason": 0.24,
    "fixed": 0.2,
    "both wrong": 0.12,
    "both right": 0.12,
    "same answer": 0.12,
}
_CUTS = (  # pictures, their longer side in pixels, their quality as JPEG names it, and how many a bucket lists
    *((PICTURES, 384, 80, LISTED), (PICTURES, 320, 80, LISTED), (PICTURES, 256, 75, LISTED)),
    *((PICTURES, 160, 60, LISTED), (80, 160, 60, LISTED), (40, 160, 55, 200), (16, 128, 50, 100)),
    *((8, 96, 40, 40), (0, 96, 0, 0)),
)


@dataclass(frozen=True, eq=False)
class Compared:
    """What a comparison hands over to be shown.

    Args:
        runs: the first is what the others are held against.
        told: plain values: `judged`, `like`, `by_chance`, `runs`, `changes` as `Comparison.as_dict` gives
            them, `sets` and `notes`.
        differ: sentences on what differs in how the runs were made.
        classes: names; `label` and `said` are places in it.
        ids: int [runs, n], the shared pictures' ids in each run.
        label: int [n], -1 without one.
        said: int [runs, n], the predicted class.
        probability: float [runs, n], of the predicted class.
        likeness: float [n] for each later run: the correlation of its maps with the first run's; NaN where not judged.
        buckets: for each later run the places of the pictures by bucket, what changed most first.
    """

    runs: tuple[Run, ...]
    told: Mapping[str, Any]
    differ: Sequence[str]
    classes: tuple[str, ...]
    ids: Ints
    label: Ints
    said: Ints
    probability: Floats
    likeness: tuple[Floats, ...]
    buckets: tuple[Mapping[str, Ints], ...]


@dataclass(frozen=True, eq=False)
class _Material:
    """All that the bundle may hold, read once."""

    found: Compared
    title: str
    images: bool
    anonymous: bool
    chosen: list[int]
    paths: dict[int, str | None]
    rows: dict[int, list[dict[str, Any]]]
    photos: dict[int, Image.Image]
    trouble: str


def report(
    found: Compared,
    path: str | Path = "compare.html",
    max_mb: float = 15,
    images: bool = True,
    anonymise: bool = False,
    title: str | None = None,
) -> Report:
    """Writes the comparison as one HTML file. See `Comparison.report`."""
    place = place_of(path, max_mb)
    html, made = fitted(_versions(_gathered(found, images, anonymise, title)), max_mb)
    write_whole(place, lambda file: file.write(html))
    told = made["comparison"]["sampling"]
    return Report(
        place,
        len(html),
        found.ids.shape[1],
        told["rows"],
        told["pictures"],
        told["how_rows"],
        told["how_pictures"],
        told["without_pictures"],
        tuple(made["size"]["left_out"]),
        made["size"]["parts"],
    )


def bundle(found: Compared, images: bool = True, anonymise: bool = False, title: str | None = None) -> dict[str, Any]:
    """The comparison in the shape of docs/reference/bundle.md, ready for JSON, without a limit to its size."""
    return _bundled(_gathered(found, images, anonymise, title), *_CUTS[0])


def _gathered(found: Compared, images: bool, anonymous: bool, title: str | None) -> _Material:
    chosen = _chosen(found)
    own = [
        dict(zip(chosen, run.rows(ids[chosen].tolist(), NEEDED).to_pylist(), strict=True))
        for run, ids in zip(found.runs, found.ids, strict=True)
    ]
    photos: dict[int, Image.Image] = {}
    trouble = ""
    for place in chosen if images else ():
        photo, why = _photo(found.runs, [rows[place] for rows in own])
        if photo is not None:
            photos[place] = photo
        trouble = trouble or why
    listed = sorted({*chosen, *(int(k) for each in found.buckets for some in each.values() for k in some[:LISTED])})
    paths = found.runs[0].rows(found.ids[0, listed].tolist(), ["path"])["path"].to_pylist() if listed else []
    rows = {place: [each[place] for each in own] for place in chosen}
    named = title if title is not None else _title(found, anonymous)
    return _Material(
        found, named, images, anonymous, chosen, dict(zip(listed, paths, strict=True)), rows, photos, trouble
    )


def _photo(runs: Sequence[Run], rows: Sequence[dict[str, Any]]) -> tuple[Image.Image | None, str]:
    """The picture as the first run that still finds it reads it."""
    first = ""
    for run, row in zip(runs, rows, strict=True):
        picture, trouble = original(run, row, least=2 * thumbnails.SIDE)
        if picture is not None:
            return thumbnails.fitted(picture, thumbnails.SIDE), ""
        first = first or trouble
    return None, first


def _chosen(found: Compared) -> list[int]:
    """Places of what is shown, each bucket in proportion all along, so that fewer are as well mixed."""
    room = PICTURES / len(found.buckets)
    taken: dict[int, float] = {}
    for number, each in enumerate(found.buckets, start=1):
        for name, places in each.items():
            most = max(1, round(_SHARES[name] * room))
            for k, place in enumerate(places[:most].tolist()):
                taken[place] = min(taken.get(place, 2.0), (k + 0.5) / most)
        left = max(0, min(round(number * room), found.ids.shape[1]) - len(taken))
        others = [place for places in each.values() for place in places[:PICTURES].tolist() if place not in taken]
        taken |= dict.fromkeys(list(dict.fromkeys(others))[:left], 1.0)
    return sorted(taken, key=lambda place: (taken[place], place))


def _title(found: Compared, anonymous: bool) -> str:
    names = [side["name"] for side in found.told["runs"]]
    if anonymous or len({run.folder.name for run in found.runs}) < len(found.runs):
        return f"{', '.join(names[:-1])} and {names[-1]} compared"
    folders = [run.folder.name for run in found.runs]
    return f"{', '.join(folders[:-1])} and {folders[-1]} compared"


def _versions(material: _Material) -> Iterator[Version]:
    before = None
    for pictures, side, quality, listed in _CUTS:
        pictures = min(pictures, len(material.chosen))
        if not material.photos:
            side, quality = _CUTS[0][1:3]
        if (pictures, side, quality, listed) == before:
            continue
        before = (pictures, side, quality, listed)
        made = _bundled(material, pictures, side, quality, listed)
        yield made, _parts(made), _left_out(material, pictures, side, quality)


def _left_out(material: _Material, pictures: int, side: int, quality: int) -> list[str]:
    said = []
    if pictures < len(material.chosen):
        said.append(f"{len(material.chosen) - pictures:,} of {len(material.chosen):,} pictures")
    if material.photos and quality and side < _CUTS[0][1]:
        said.append(f"detail: pictures of {side} instead of {_CUTS[0][1]} pixels")
    return said


def _parts(made: Mapping[str, Any]) -> dict[str, int]:
    shown = made["comparison"]["shown"]
    photos = sum(len(one["image"] or "") for one in shown)
    maps = sum(weight(one["runs"]) for one in shown)
    return {"photos": photos, "maps": maps, "table": weight(made) - photos - maps}


def _bundled(material: _Material, pictures: int, side: int, quality: int, most: int) -> dict[str, Any]:
    found, anonymous = material.found, material.anonymous
    shown = material.chosen[:pictures]
    buckets = [{name: places[:most] for name, places in each.items()} for each in found.buckets]
    rows = sorted({*shown, *(int(k) for each in buckets for places in each.values() for k in places)})
    row_of = {place: k for k, place in enumerate(rows)}
    kept = set(shown)
    classes = sorted({int(k) for k in found.said[:, rows].ravel()} | {int(k) for k in found.label[rows] if k >= 0})
    place_of_class = {index: k for k, index in enumerate(classes)}
    abouts = [about_of(run, anonymous) for run in found.runs]
    entries = [_entry(material, place, row_of[place], side, quality) for place in shown]
    changes = []
    for change, own, likeness in zip(found.told["changes"], found.buckets, found.likeness, strict=True):
        listed = []
        for name, count in change["buckets"].items():
            places = own.get(name, np.array([], np.int64)).tolist()
            first = [k for place, k in enumerate(places) if place < most or k in kept]
            listed.append({"name": name, "count": count, "rows": [row_of[k] for k in first]})
        plain = {key: value for key, value in change.items() if key != "listed"}
        column = [None if value != value else round(float(value), 3) for value in likeness[rows]]
        changes.append({**plain, "buckets": listed, "likeness": column})
    with_image = sum(one["image"] is not None for one in entries)
    n = found.ids.shape[1]
    result = {
        "schema": SCHEMA,
        "title": material.title,
        "about": {
            "notes": list(found.differ),
            "anonymous": anonymous,
            "made": {"seewhy": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds")},
        },
        "labels": [found.classes[index] for index in classes],
        "comparison": {
            "shared": n,
            **{key: found.told[key] for key in ("judged", "like", "by_chance", "sets")},
            "runs": [
                _side(side_of, about, run, anonymous)
                for side_of, about, run in zip(found.told["runs"], abouts, found.runs, strict=True)
            ],
            "notes": [each for each in found.told["notes"] if not (has_path(each) or (anonymous and "'" in each))],
            "changes": changes,
            "pictures": {
                "n": len(rows),
                "id": found.ids[0, rows].tolist(),
                "path": [None if anonymous else told_path(material.paths[place]) for place in rows],
                "label": [place_of_class.get(int(k)) for k in found.label[rows]],
                "said": [[place_of_class[int(k)] for k in own] for own in found.said[:, rows]],
                "probability": [[round(float(p), 4) for p in own] for own in found.probability[:, rows]],
            },
            "shown": entries,
            "sampling": {
                "of": n,
                "rows": len(rows),
                "pictures": with_image,
                "how_rows": "All shared pictures." if len(rows) == n else f"{len(rows):,} of {n:,}: what changed most.",
                "how_pictures": f"{counted(len(entries), 'picture')} of {n:,}: of each bucket what changed most.",
                "without_pictures": _without(material, len(entries), with_image),
            },
        },
    }
    clean: dict[str, Any] = cleaned(result)
    return clean


def _side(side: Mapping[str, Any], about: Mapping[str, Any], run: Run, anonymous: bool) -> dict[str, Any]:
    kept = ("name", "outputs", "pictures", "right", "accuracy", "accuracy_interval")
    return {
        **{key: side[key] for key in kept},
        "title": "" if anonymous else run.folder.name,
        "model": about["model"]["name"],
        **{key: about[key] for key in ("layer", "method", "preparation", "created")},
    }


def _entry(material: _Material, place: int, row: int, side: int, quality: int) -> dict[str, Any]:
    rows, photo = material.rows[place], material.photos.get(place)
    each = [shown_of(own, photo if k == 0 else None, [], {}, row, side, quality) for k, own in enumerate(rows)]
    first = {key: each[0][key] for key in ("row", "image", "width", "height", "original")}
    return {**first, "runs": [{"box": one["box"], "map": one["map"]} for one in each]}


def _without(material: _Material, shown: int, with_image: int) -> str:
    if not material.images:
        return "This report was made without pictures (--no-images)."
    if with_image == shown:
        return ""
    if len(material.photos) >= shown:
        return "They did not fit the size limit."
    return (
        f"{counted(shown - with_image, 'picture')} could not be read again ({material.trouble}). Maps are drawn alone."
    )
