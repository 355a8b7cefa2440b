"""A comparison as the page shows it: the key `comparison` of docs/reference/bundle.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from seewhy.results.drawn import thumbnails
from seewhy.results.drawn.originals import original
from seewhy.results.report.bundle import cleaned
from seewhy.results.run import Run
from seewhy.studies.comparison import sorting
from seewhy.studies.comparison.telling import as_dict
from seewhy.studies.comparison.wording import verdict

if TYPE_CHECKING:
    from seewhy.studies.comparison.result import Comparison

# So many of each bucket, of every hundred pictures; what a bucket leaves free goes to the others in this order.
SHARES = {
    "newly broken": 30,
    "fixed": 15,
    "changed answer": 15,
    "different reason": 20,
    "both wrong": 10,
    "both right": 5,
    "same answer": 5,
}
_ROW = ("id", "path", "width", "height", "box", "map", "map_scale", "map_height", "map_width")


def bundle(
    comparison: Comparison, *, images: bool, anonymise: bool, pictures: int, side: int, quality: int
) -> dict[str, Any]:
    """See `Comparison.bundle`."""
    places = chosen(comparison, pictures)
    names: dict[int, int] = {}
    shown = _shown(comparison, places, names, side, quality if images else 0, anonymise)
    told = as_dict(comparison, 0)
    for run in told["runs"]:
        run["folder"] = "" if anonymise else PurePath(run["folder"]).name
    for one, change in zip(told["changes"], comparison.changes, strict=True):
        del one["listed"]
        one["verdict"] = verdict(change).strip() if comparison.judged else ""
    result: dict[str, Any] = cleaned(
        {
            **told,
            "notes": [] if anonymise else told["notes"],
            "labels": [comparison.held.answers.names[index] for index in names],
            "buckets": list(sorting.NAMES),
            "how": _how(comparison, len(places)),
            "shown": shown,
        }
    )
    return result


def chosen(comparison: Comparison, most: int) -> list[int]:
    """Places of the pictures that are shown: of each run and bucket what changed most, the buckets by their shares."""
    held, ranked = comparison.held, []
    for k, codes in enumerate(held.codes, start=1):
        likeness, reasons = held.likeness[k - 1], held.reasons[k - 1]
        for name, share in SHARES.items():
            own = sorting.ranked(name, codes, likeness, reasons, held.answers, k).tolist()
            ranked.append((own, max(1, round(most * share / 100 / len(held.codes)))))
    found: dict[int, None] = {}
    for own, share in ranked:
        found.update(dict.fromkeys(own[:share]))
    for own, share in ranked:
        found.update(dict.fromkeys(own[share : share + most]))
    return list(found)[:most]


def _shown(
    comparison: Comparison, places: Sequence[int], names: dict[int, int], side: int, quality: int, anonymise: bool
) -> list[dict[str, Any]]:
    """An entry for each picture; `names` is filled with the classes that occur."""
    held = comparison.held
    answers = held.answers

    def named(index: int) -> int | None:
        return None if index < 0 else names.setdefault(index, len(names))

    rows = [
        run.rows(own[list(places)].tolist(), _ROW).to_pylist() if places else []
        for run, own in zip(comparison.runs, held.shared.ids, strict=True)
    ]
    shown = []
    for place, same in zip(places, zip(*rows, strict=True), strict=True):
        first = same[0]
        whole = (first["width"], first["height"]) if first["width"] and first["height"] else None
        image, size = _image(comparison.runs, same, whole, side, quality)
        shown.append(
            {
                "path": None if anonymise else first["path"],
                "label": named(int(answers.label[place])),
                "image": image,
                "width": size[0],
                "height": size[1],
                "original": whole,
                "buckets": [sorting.BUCKETS[codes[place]] for codes in held.codes],
                "reasons": [bool(reason[place]) for reason in held.reasons],
                "correlations": [float(likeness[place]) for likeness in held.likeness],
                "answers": [
                    {
                        "predicted": named(int(answers.said[k, place])),
                        "probability": float(answers.probability[k, place]),
                        "label_probability": float(answers.of_label[k, place]),
                        "correct": int(answers.right[k, place]) if answers.judged[place] else None,
                        "box": _box(row),
                        "map": thumbnails.map_of(row, "map"),
                    }
                    for k, row in enumerate(same)
                ],
            }
        )
    return shown


def _image(
    runs: Sequence[Run], same: Sequence[dict[str, Any]], whole: tuple[int, int] | None, side: int, quality: int
) -> tuple[str | None, tuple[int, int]]:
    """The thumbnail from the first run that still finds the picture, and the size to draw it in."""
    for run, row in zip(runs, same, strict=True) if quality else ():
        picture, _ = original(run, row, least=2 * side)
        if picture is not None:
            small = thumbnails.fitted(picture, side)
            return thumbnails.jpeg(small, quality), small.size
    return None, thumbnails.size(whole or (side, side), side)


def _box(row: dict[str, Any]) -> list[float] | None:
    """What the model saw, as parts of the picture."""
    box, width, height = row["box"], row["width"], row["height"]
    if box is None or not width or not height:
        return None
    return [float(each) for each in np.asarray(box) / [width, height, width, height]]


def _how(comparison: Comparison, count: int) -> str:
    if count == comparison.pictures:
        return "All shared pictures."
    return (
        f"{count:,} of {comparison.pictures:,} shared pictures: of each kind those that changed most, the newly broken "
        "ones first."
    )
