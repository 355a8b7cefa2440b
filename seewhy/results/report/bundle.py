"""A run as one plain value, in the shape that docs/reference/bundle.md describes: what report and page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from seewhy.results.arrays import floats
from seewhy.results.drawn import thumbnails
from seewhy.results.drawn.originals import COLUMNS, told
from seewhy.results.questions.clusters import Clusters
from seewhy.results.questions.confusion import Confusion, names_of
from seewhy.results.questions.focus import Focus
from seewhy.results.questions.summary import Measures
from seewhy.results.report.overview import confusion_of, focus_of
from seewhy.results.report.predictions import LISTED, table_of
from seewhy.results.report.proofs import Frame, Searched, findings_of, searched
from seewhy.results.report.provenance import about_of, error_of, title_of, told_path
from seewhy.results.report.sampling import PICTURES, ROWS, Sample, sampled
from seewhy.results.report.showing import NEEDED, Top, shown_of, top_of
from seewhy.results.report.viewer import SCHEMA
from seewhy.results.rows import Rows
from seewhy.results.tables import counted

if TYPE_CHECKING:
    from seewhy.results.run import Run

_FAILURES, _DOUBTS, _TYPICAL = 200, 40, 8
_MANY = 60  # pictures, from which on tests are shown with all of theirs


@dataclass(frozen=True)
class Cut:
    """How much of a run a bundle holds.

    Args:
        rows: predictions that are listed.
        pictures: that are shown.
        side, quality: of their thumbnails, in pixels and as JPEG names it; 0: none.
    """

    rows: int = ROWS
    pictures: int = PICTURES
    side: int = thumbnails.SIDE
    quality: int = 80


@dataclass(frozen=True, eq=False)
class Material:
    """All that a bundle may hold, read once; `bundled` makes smaller and larger bundles of it.

    Args:
        run, title, images, anonymous: as in `bundle`.
        photos: the thumbnails by id; where one is missing, why.
        means: mean pictures of the groups, as data URLs.
        listed, shown: rows of the predictions, and of the pictures by id.
        largest: the highest maximum of all maps of the run.
        searched: what a search for shortcuts found.
        others: what the run's methods of these names give.
    """

    run: Run
    title: str
    images: bool
    anonymous: bool
    measures: Measures
    focus: Focus
    confusion: Confusion | None
    groups: Clusters
    doubts: Rows | None
    failures: Rows
    sample: Sample
    photos: dict[int, Image.Image]
    troubles: dict[int, str]
    means: tuple[str | None, ...]
    listed: pa.Table
    shown: dict[int, dict[str, Any]]
    largest: float
    searched: Searched


def bundle(
    run: Run,
    *,
    images: bool = True,
    anonymise: bool = False,
    title: str | None = None,
    rows: int = ROWS,
    pictures: int = PICTURES,
    seed: int = 0,
) -> dict[str, Any]:
    """The run in the shape of docs/reference/bundle.md, ready for JSON.

    Args:
        run: complete or not.
        images: with pictures; they are read again from `run.root`.
        anonymise: no paths, no names of groups, no folder. Names of classes and the pictures themselves stay.
        title: None: the model's name and the data's.
        rows, pictures: at most so many predictions and pictures.
        seed: of what is drawn by chance.
    """
    return bundled(gathered(run, images, anonymise, title, rows, pictures, seed), Cut(rows, pictures))


def gathered(
    run: Run,
    images: bool = True,
    anonymise: bool = False,
    title: str | None = None,
    rows: int = ROWS,
    pictures: int = PICTURES,
    seed: int = 0,
) -> Material:
    """Reads what a bundle needs. Arguments as in `bundle`."""
    measures = run.measures()
    groups = run.looked_at(seed)
    judged = measures.labelled > 0
    doubts = run.likely_mislabelled(_DOUBTS) if judged else None
    proofs = searched(run, images, seed)
    doubted = doubts.ids if doubts is not None else []
    sample = sampled(run, groups, doubted, rows, pictures, seed, proofs.examples())
    photos: dict[int, Image.Image] = {}
    troubles: dict[int, str] = {}
    if images:
        chosen = [i for i, _ in sample.pictures]
        for row in run.rows(chosen, COLUMNS).to_pylist():
            photo, trouble = thumbnails.photo(run, row)
            if photo is None:
                troubles[row["id"]] = trouble
            else:
                photos[row["id"]] = photo
    means = [
        thumbnails.mean_picture(run, groups.members(k), seed) if images and photos else None for k in range(len(groups))
    ]
    return Material(
        run,
        title if title is not None else title_of(run, anonymise),
        images,
        anonymise,
        measures,
        run.focus(),
        run.confusion() if judged else None,
        groups,
        doubts,
        run.failures(),
        sample,
        photos,
        troubles,
        tuple(means),
        run.rows(sample.rows.tolist(), LISTED).combine_chunks(),
        {row["id"]: row for row in run.rows([i for i, _ in sample.pictures], NEEDED).to_pylist()},
        _largest(run),
        proofs,
    )


def bundled(material: Material, cut: Cut) -> dict[str, Any]:
    """The bundle of so much of the material."""
    run, sample = material.run, material.sample
    cut = replace(cut, pictures=min(cut.pictures, cut.rows))  # what is shown is listed
    pictures = [i for i, _ in sample.pictures[: cut.pictures]]
    ids = _listed(material, pictures, cut.rows)
    held = [material.shown[i] for i in pictures]
    tops = [top_of(run, row) for row in held]
    classes = _classes(material, tops)
    place = {index: k for k, index in enumerate(classes)}
    row_of = {int(i): k for k, i in enumerate(ids)}
    shown = [
        shown_of(row, material.photos.get(row["id"]), top, place, row_of[row["id"]], cut.side, cut.quality)
        for row, top in zip(held, tops, strict=True)
    ]
    with_image = sum(one["image"] is not None for one in shown)
    about = about_of(run, material.anonymous)
    counts = {one.name: one.labelled for one in material.measures.classes}
    result = {
        "schema": SCHEMA,
        "title": material.title,
        "about": about,
        "measures": material.measures.as_dict() | {"notes": about["notes"]},
        "labels": list(names_of(run, classes)),
        "confusion": None if material.confusion is None else confusion_of(material.confusion, place),
        "focus": focus_of(material.focus, place),
        "sampling": {
            "of": sample.of,
            "rows": len(ids),
            "pictures": with_image,
            "how_rows": sample.how_rows if len(ids) == len(sample.rows) else _fewer(sample, ids, pictures),
            "largest_scale": material.largest,
            "how_pictures": sample.how_pictures(len(pictures), "pictures" if with_image else "maps"),
            "without_pictures": _without(material, pictures, with_image),
        },
        "pictures": table_of(_table(material, ids), place, material.groups, material.anonymous),
        "shown": shown,
        "clusters": _clusters(material, place, row_of, cut),
        "failures": [
            {
                "path": None if material.anonymous else told_path(row["path"]),
                "error": error_of(row["error"], None if run.root is None else str(run.root), material.anonymous),
            }
            for row in material.failures[:_FAILURES]
        ],
        "failures_count": len(material.failures),
        "doubts": _doubts(material, place, row_of),
        "findings": findings_of(run, material.searched, _frame(material, cut, place, row_of, pictures), counts),
    }
    clean: dict[str, Any] = cleaned(result)
    return clean


def cleaned(value: Any) -> Any:
    """The value for JSON: numbers of five digits or five places, None for what is not finite, lists for tuples."""
    if isinstance(value, dict):
        return {str(key): cleaned(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(each) for each in value]
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            return None
        number = float(value)  # a small scale has to keep its digits: places after the point would make it 0
        return float(f"{number:.5g}") if abs(number) < 1 else round(number, 5)
    return value.item() if isinstance(value, np.generic) else value


def _largest(run: Run) -> float:
    found = 0.0
    for batch in run.batches(["map_scale", "label_map_scale"], error=None):
        both = np.concatenate([floats(batch["map_scale"]), floats(batch["label_map_scale"])])
        found = max(found, float(both[np.isfinite(both)].max(initial=0)))
    return found


def _listed(material: Material, pictures: Sequence[int], rows: int) -> Any:
    """The ids of the predictions that are listed: what is shown is among them."""
    ids = material.sample.rows
    if len(ids) <= rows:
        return ids
    others = ids[~np.isin(ids, pictures)]
    drawn = np.random.default_rng(material.sample.seed).choice(others, max(0, rows - len(pictures)), replace=False)
    return np.union1d(np.asarray(pictures, np.int64), drawn)


def _table(material: Material, ids: Any) -> pa.Table:
    """The rows of these predictions, a part of those that were read."""
    return (
        material.listed
        if len(ids) == len(material.listed)
        else material.listed.filter(pc.is_in(material.listed["id"], value_set=pa.array(ids)))
    )


def _fewer(sample: Sample, ids: Any, pictures: Sequence[int]) -> str:
    others = len(ids) - len(pictures)
    source = "" if len(sample.rows) == sample.of else f" of {len(sample.rows):,} that were chosen before"
    return f"{len(ids):,} of {sample.of:,}: what is shown, and {others:,} by chance{source} (seed {sample.seed})."


def _classes(material: Material, tops: Sequence[Top]) -> list[int]:
    """The classes that occur anywhere in the bundle, in the order of the model's outputs."""
    found = {index for top in tops for index, _, _ in top} | {one.index for one in material.focus.looked}
    found |= material.searched.classes()
    if material.confusion is not None:
        found.update(material.confusion.indices.tolist())
    for one in material.groups:
        found.update(index for index, _ in (*one.labels, *one.predicted))
    for name in ("label_index", "predicted_index"):
        found.update(index for index in material.listed[name].unique().to_pylist() if index is not None)
    if material.doubts is not None:
        found.update(row["suggested_index"] for row in material.doubts)
    return sorted(found)


def _frame(
    material: Material, cut: Cut, place: dict[int, int], row_of: dict[int, int], pictures: Sequence[int]
) -> Frame:
    """Pictures of tests give way with the others: first they are fewer, then none."""
    shots = None if cut.pictures >= _MANY or cut.pictures == len(material.sample.pictures) else 2
    quality = cut.quality if material.images else 0
    return Frame(place, row_of, set(pictures), quality, shots, cut.rows > 0, material.anonymous)


def _clusters(material: Material, place: dict[int, int], row_of: dict[int, int], cut: Cut) -> dict[str, Any]:
    shown = {i for i, _ in material.sample.pictures[: cut.pictures]}

    def rows(ids: Sequence[int]) -> list[int]:
        """Those with a picture; where none has one, those that are listed."""
        kept = [i for i in ids if i in shown] or [i for i in ids if i in row_of]
        return [row_of[i] for i in kept[:_TYPICAL]]

    groups = material.groups
    made = [
        {
            "id": k,
            "name": one.name,
            "size": one.pictures,
            "accuracy": one.accuracy,
            "labels": [[place[index], count] for index, count in one.labels[:6]],
            "predicted": [[place[index], count] for index, count in one.predicted[:6]],
            "border": one.border,
            "corners": one.corners,
            "inside": one.inside_mask if one.inside_mask is not None else one.inside_box,
            "mean_map": one.map.tolist(),
            "mean_picture": material.means[k] if cut.quality else None,
            "typical": rows(one.typical),
            "odd": rows(one.odd),
        }
        for k, one in enumerate(groups)
    ]
    return {"how": groups.how, "reason": groups.reason, "list": made}


def _doubts(material: Material, place: dict[int, int], row_of: dict[int, int]) -> list[dict[str, Any]] | None:
    if material.doubts is None:
        return None
    return [
        {
            "row": row_of[row["id"]],
            "suggested": place[row["suggested_index"]],
            "probability": row["label_probability"],
            "suggested_probability": row["suggested_probability"],
        }
        for row in material.doubts
        if row["id"] in row_of
    ]


def _without(material: Material, pictures: Sequence[int], with_image: int) -> str:
    """Why pictures are missing, as a sentence; '' where none is."""
    if not material.images:
        return "This report was made without pictures (--no-images)."
    missing = [i for i in pictures if i in material.troubles]
    if missing:
        first = missing[0]
        gone = material.troubles[first]
        why = (
            gone
            if material.anonymous
            else told(gone, material.shown[first] | {"path": told_path(material.shown[first]["path"])})
        )
        which = f"{counted(len(missing), 'picture')} of {len(pictures):,}" if with_image else "No picture"
        could = "could not" if with_image else "could"
        moved = " Were they moved? Open the run with root=, their folder now." if gone == "not found" else ""
        return f"{which} {could} be read again (the first: {why}). Maps are drawn alone.{moved}"
    return "" if with_image or not pictures else "They did not fit the size limit."
