"""Findings of a run in the bundle's shape: what is suspected or proven, its tests picture by picture, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.results.drawn import thumbnails
from seewhy.results.findings import FINDINGS, FIXED, VARYING, Effect, Finding, Findings
from seewhy.results.questions.measures import wilson
from seewhy.results.report.provenance import below, has_path
from seewhy.results.report.remedies import Place, todo
from seewhy.results.trials import PICTURES, Shot, Trial

if TYPE_CHECKING:
    from seewhy.results.run import Run

EXAMPLES = 12  # pictures of each finding
_REGION = 48  # cells of a side
_TURNED = ("paste", "look")  # tests whose effect is the share of pictures that turn
_SHOTS = {"raised": 6, "other": 3}
_NAMED = re.compile(r", such as .*")  # a picture, in a note


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search for shortcuts left in a run, read once.

    Args:
        findings: None: nothing was searched, or it cannot be read.
        trouble: why it cannot be read; '' where nothing was searched.
        means: mean pictures of the findings, as data URLs.
        sheets: pictures of the tests, by the files' names.
    """

    findings: Findings | None
    trouble: str
    means: tuple[str | None, ...]
    sheets: dict[str, Image.Image]

    @property
    def items(self) -> Sequence[Finding]:
        return () if self.findings is None else self.findings.items

    def examples(self) -> list[int]:
        """Ids of pictures that show the findings best, the findings in turns."""
        found: dict[int, None] = {}
        for place in range(EXAMPLES):
            for one in self.items:
                found.update(dict.fromkeys(one.ids[place : place + 1]))
        return list(found)

    def classes(self) -> set[int]:
        return {one.index for one in self.items}


def searched(run: Run, images: bool, seed: int) -> Searched:
    """Reads findings, and with `images` their pictures."""
    if not (run.folder / FINDINGS).exists():
        return Searched(None, "", (), {})
    try:
        found = run.findings()
    except InputError as error:
        return Searched(None, error.came, (), {})
    if not images:
        return Searched(found, "", (None,) * len(found), {})
    means = tuple(thumbnails.mean_picture(run, np.asarray(one.ids), seed) for one in found)
    sheets: dict[str, Image.Image] = {}
    for shot in (shot for one in found for shot in one.shots):
        if shot.file not in sheets:
            try:
                with Image.open(run.folder / PICTURES / shot.file) as sheet:
                    sheets[shot.file] = sheet.convert("RGB")
            except (OSError, SyntaxError):
                continue  # whoever removed them wanted them gone
    return Searched(found, "", means, sheets)


@dataclass(frozen=True, eq=False)
class Frame:
    """What of a bundle findings are fitted into.

    Args:
        place: of each class in the bundle's labels.
        row_of: the place of each listed picture.
        shown: ids of the pictures that are shown.
        quality: of JPEGs; 0: no pictures.
        shots: of each test at most; None: as many as were kept.
        trials: with the tests picture by picture.
        anonymous: no paths, and no words of people.
    """

    place: dict[int, int]
    row_of: dict[int, int]
    shown: set[int]
    quality: int
    shots: int | None
    trials: bool
    anonymous: bool


def findings_of(run: Run, held: Searched, frame: Frame, counts: dict[str, int]) -> dict[str, Any]:
    """The bundle's `findings`.

    Args:
        counts: pictures of each label, by its name.
    """
    folder = "RUN" if frame.anonymous else run.folder.name
    root = None if run.root is None else str(run.root)
    found = held.findings
    made: dict[str, Any] = {
        "searched": found is not None,
        "trouble": "" if frame.anonymous or has_path(below(held.trouble, root)) else below(held.trouble, root),
        "damaged": bool(held.trouble),
        "command": f"seewhy shortcuts {folder} --model MODEL",
        "seen": "",
        "tried": {},
        "notes": [],
        "list": [],
    }
    if found is None:
        return made
    made["seen"], made["tried"] = found.seen, _numbers(found.tried)
    made["notes"] = list(_notes(found, root, frame.anonymous))
    if found.tried.get("run") != run.about.get("key"):
        made["notes"].insert(0, "These findings are of an earlier audit in this folder: search again.")
    made["list"] = [
        _entry(run, one, held, frame, Place(folder, counts, mean)) for one, mean in zip(found, held.means, strict=True)
    ]
    return made


def _entry(run: Run, one: Finding, held: Searched, frame: Frame, place: Place) -> dict[str, Any]:
    decision = _plain(one.decision)
    if decision and frame.anonymous:
        decision = {**decision, "reason": ""}
    shares = _plain(one.false_positives)
    local = one.kind == "place" and bool(one.where.size)
    return {
        "code": one.code,
        "name": "" if frame.anonymous else one.name or "",
        "status": one.status,
        "raised": one.raised,
        "kind": one.kind,
        "decision": decision,
        "class": frame.place[one.index],
        "words": one.words,
        "proof": "; ".join(one.proof.splitlines()),
        "place": one.place,
        "members": len(one.ids),
        "looked": one.looked,
        "pictures": one.pictures,
        "wrong": one.wrong,
        "false_positives": shares if isinstance(shares, dict) else None,
        "score": one.s3,
        "line": one.line,
        "mean_map": one.where.tolist() if local else None,
        "mean_picture": place.mean if frame.quality else None,
        "region": _region(one) if local else None,
        "rows": [frame.row_of[i] for i in one.ids if i in frame.row_of],
        "shown": _shown(one, frame, local),
        "cells": [[cell.label, cell.predicted, cell.shows, cell.lacks, int(cell.scored)] for cell in one.cells],
        "effects": [_effect(each, one.index, frame) for each in one.effects],
        "shots": _shots(run, one, held, frame),
        "todo": todo(one, place),
    }


def _shown(one: Finding, frame: Frame, local: bool) -> list[dict[str, Any]]:
    """The most typical pictures, with their heat where it has a place; those with a picture, else those listed."""
    pairs = list(zip(one.ids, one.maps if local else [None] * len(one.ids), strict=True))[: 4 * EXAMPLES]
    kept = [(i, map) for i, map in pairs if i in frame.shown] or [(i, map) for i, map in pairs if i in frame.row_of]
    return [
        {"row": frame.row_of[i], "map": None if map is None else thumbnails.packed(map, float(map.max(initial=0)))}
        for i, map in kept[:EXAMPLES]
    ]


def _region(one: Finding) -> dict[str, Any] | None:
    """Where it lies in all its pictures, and what tells that; None where it lies anywhere."""
    if one.place == VARYING:
        return None
    inside = one.region((_REGION, _REGION))
    by = "pixels" if one.pixels.size and float(one.pixels.max()) >= FIXED else "heat"
    return {"by": by, "height": _REGION, "width": _REGION, "values": thumbnails.base64(inside.astype(np.uint8))}


def _effect(each: Effect, index: int, frame: Frame) -> dict[str, Any]:
    told = {name: value for name, value in vars(each).items() if name not in ("trials", "control_trials")}
    if each.test in _TURNED:
        for side in ("", "control_"):
            share, of = told[f"{side}effect"], told[f"{side}pictures"]
            told[f"{side}share_interval"] = wilson(round(share * of), of)
    if frame.trials:
        told["trials"], told["control_trials"] = (
            _columns(trials, index, frame.row_of) for trials in (each.trials, each.control_trials)
        )
    return told


def _columns(trials: Sequence[Trial], index: int, row_of: dict[int, int]) -> dict[str, list[Any]]:
    return {
        "row": [row_of.get(one.id) for one in trials],
        "before": [round(one.before, 3) for one in trials],
        "after": [round(one.after, 3) for one in trials],
        "is_class": [int(one.answer == index) for one in trials],
    }


def _shots(run: Run, one: Finding, held: Searched, frame: Frame) -> list[dict[str, Any]]:
    most = min(_SHOTS["raised" if one.raised else "other"], EXAMPLES if frame.shots is None else frame.shots)
    if not frame.quality:
        return []
    return [
        {
            "test": shot.test,
            "region": shot.region,
            "row": frame.row_of.get(shot.trial.id),
            "before": shot.trial.before,
            "after": shot.trial.after,
            "answer": run.name(shot.trial.answer),
            "is_class": shot.trial.answer == one.index,
            "images": _cut(held.sheets[shot.file], shot, frame.quality),
        }
        for shot in one.shots
        if shot.file in held.sheets and shot.row < most
    ]


def _cut(sheet: Image.Image, shot: Shot, quality: int) -> dict[str, str]:
    width, height = sheet.width // shot.columns, sheet.height // shot.rows
    images = {}
    for column, name in enumerate(("before", "after", "from")[: shot.columns]):
        box = column * width, shot.row * height, (column + 1) * width, (shot.row + 1) * height
        images[name] = thumbnails.jpeg(sheet.crop(box), quality)
    return images


def _notes(found: Findings, root: str | None, anonymous: bool) -> list[str]:
    told: Callable[[str], str] = (lambda text: _NAMED.sub("", text)) if anonymous else (lambda text: below(text, root))
    return [text for text in map(told, found.notes) if not has_path(text)]


def _numbers(tried: dict[str, Any]) -> dict[str, Any]:
    """What was tried, without names."""
    kept = {name: _numbers(each) if isinstance(each, dict) else each for name, each in tried.items()}
    return {name: each for name, each in kept.items() if isinstance(each, dict | int | float)}


def _plain(value: Any) -> Any:
    """A value with `as_dict`, or of fields, as plain values; dates as text."""
    if value is None or isinstance(value, str | int | float):
        return value
    held = value.as_dict() if hasattr(value, "as_dict") else dict(value) if isinstance(value, dict) else vars(value)
    return {k: v if v is None or isinstance(v, bool | int | float | str) else str(v) for k, v in held.items()}
