"""A study: a model trained for each share of a supplement, each audited on the same held-out pictures."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError, SeeWhyError, SeeWhyWarning
from seewhy.results.findings import Finding, Findings
from seewhy.results.run import Run
from seewhy.results.run import open as opened_run
from seewhy.studies.auditing import Progress as Done
from seewhy.studies.auditing import audit as audited
from seewhy.studies.data import Files, Indexed
from seewhy.studies.supplement import dividing, measures
from seewhy.studies.supplement.gathering import Gathered, continued, fresh, gathered
from seewhy.studies.supplement.keeping import MADE, Ended, Folder
from seewhy.studies.supplement.making import Maker, made
from seewhy.studies.supplement.pictures import Item, Pictures
from seewhy.studies.supplement.result import Study, open_study

Train = Callable[[Any, int], Any]
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
HELD_OUT = 0.25


@dataclass(frozen=True)
class Progress:
    """How far a study is.

    Args:
        step: 'reading', 'making', 'training', 'auditing', 'done', 'failed' or 'kept' (of an earlier session).
        done, total: pictures, of reading, making and auditing; else trainings.
        models: trainings that are through, those of earlier sessions and failed ones included.
        of: all trainings.
        share, seed: of the training.
        pictures: it is trained on.
        accuracy: on the held-out pictures, where it is done.
        error: why it failed.
    """

    step: str
    done: int = 0
    total: int = 0
    models: int = 0
    of: int = 0
    share: float = 0.0
    seed: int = 0
    pictures: int = 0
    accuracy: float | None = None
    error: str = ""


def study(
    train: Train,
    data: Any,
    shares: Sequence[float] = SHARES,
    *,
    supplement: Any,
    out: str | Path,
    held_out: Any = HELD_OUT,
    repeats: int = 3,
    seed: int = 0,
    findings: Any = None,
    save: Callable[[Any, Path], Any] | None = None,
    audit: Mapping[str, Any] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Study:
    """Trains a model for each share of a supplement, audits all on the same pictures, and tells what changed.

    Everything is kept in a folder. Called again, a finished training is not repeated; one that was stopped or failed is
    done anew. A training that fails is told, and the others go on.

    Args:
        train: your training: called with the pictures, a list of (picture, label) that also tells its `classes`,
            `labels` and `indices` (see `Pictures`), and a seed; returns the trained model, wrapped where seewhy must be
            told of its preparation. A model without names of its classes is taken to have them in the order of
            `data.classes`. `transfer(...)` is a ready-made one.
        data: a folder of folders, a manifest, a data set with an index, or a list of (picture, label).
        shares: of the supplement that is added to all of the data, 0..1, of each class's pictures. With one seed a
            larger share holds the smaller ones.
        supplement: extra pictures, in the same forms as `data`, with labels of the same names; or a callable from PIL
            image to picture, called once with each training picture (a share of 1 adds a copy of every picture); or
            `cover(finding)`, `transplant(finding)`, `swap_backgrounds(model)`. What is made lies in the folder `made`.
        out: the study's folder.
        held_out: the pictures that every model is audited on: data, or the share of `data` that is split off by `seed`,
            in each class, groups and identical pictures staying together. A picture that is held out is not trained on,
            wherever it comes from: it is left out by the content of its file, and the study tells how many were.
        repeats: trainings of each share, with the seeds `seed`, `seed` + 1 ...: the spread over them is the training's
            noise, the choice of the share's pictures among it. With fewer than 2 no change is said to exceed the noise.
        seed: of the split and of the first training.
        findings: known shortcuts whose share of the heat is measured: a run's folder, a `Run`, or what
            `find_shortcuts` gave, which still has its model and so finds each in single pictures.
        save: called with each model and a path without an ending; models are not kept otherwise.
        audit: options of `audit` such as {"layer": "features.12", "batch_size": 8}.
        progress: called at each step with a `Progress`.
    Returns:
        `Study`, also to be had by `open_study(out)`.
    Raises:
        InputError: data or settings that cannot be used, or a folder with a study of other settings, which are named.
    """
    asked = dividing.checked_shares(shares)
    for name, value, least in (("repeats", repeats, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name}={value!r}", f"a whole number, {least} or more", "leave it out for the default")
    if not callable(train):
        raise InputError(f"train of type {type(train).__name__}", "a function train(data, seed) -> model", "define it")
    folder = Folder(Path(out))
    tell = progress or (lambda _: None)
    with folder.locked():
        before = folder.about() if folder.exists else None
        work = gathered(
            data, supplement, held_out, int(seed), folder, lambda done, total: tell(Progress("reading", done, total))
        )
        settings = work.settings(train, int(seed), audit or {}) | {"shares": list(asked), "repeats": int(repeats)}
        settings = continued(before, settings, folder)
        known = _known(findings, sorted(work.aside, key=lambda item: item.number))
        extra, notes = work.extra, work.notes
        if isinstance(extra, Maker):
            every, more = made(
                extra, work.own, folder.path / MADE, int(seed), lambda d, n: tell(Progress("making", d, n))
            )
            extra, told = fresh(every, work.own, work.aside)
            notes = [*notes, *more, *told]
        counts = {"training": len(work.own), "supplement": len(extra), "held_out": len(work.aside)}
        folder.begin(
            {
                "classes": list(work.classes),
                "pictures": {**counts, "held_out_how": work.how},
                "notes": notes,
                "settings": settings,
            }
        )
        todo = [(share, int(seed) + i) for i in range(int(repeats)) for share in asked]  # a whole curve comes first
        _train_all(folder, train, work, extra, todo, known, save, dict(audit or {}), tell)
    return open_study(folder.path)


def _train_all(
    folder: Folder,
    train: Train,
    work: Gathered,
    extra: Sequence[Item],
    todo: Sequence[tuple[float, int]],
    known: Sequence[measures.Known],
    save: Callable[[Any, Path], Any] | None,
    options: dict[str, Any],
    tell: Callable[[Progress], None],
) -> None:
    ended, looked = folder.ended(), False
    for count, (share, seed) in enumerate(todo):
        added = dividing.part_of(extra, share, seed)
        pictures = Pictures((*work.own, *added), work.classes, share, len(added))
        now = Progress("training", count, len(todo), count, len(todo), share, seed, len(pictures))
        through = replace(now, models=count + 1)
        one = ended.get((share, seed))
        if one is not None and one.error is None and (run := _whole(folder, share, seed)) is not None:
            accuracy, unmeasured = _measured(folder, one, run, work.held, known)
            if unmeasured != one.unmeasured:
                folder.end(replace(one, unmeasured=unmeasured))
            tell(replace(through, step="kept", accuracy=accuracy))
            continue
        folder.forget(share, seed)
        tell(now)
        started = time.monotonic()
        one = Ended(share, seed, len(pictures), len(added), 0.0)
        try:
            model = train(pictures, seed)
            one = replace(one, seconds=round(time.monotonic() - started, 2))
            run = _audited(model, work.held, folder.run(share, seed), {"check": not looked, **options}, now, tell)
            looked = True
        except Exception as error:  # of the user's training: the others go on
            said = _said(error)
            one = replace(one, seconds=round(time.monotonic() - started, 2), error=said)
            folder.forget(share, seed)
            folder.end(one)
            tell(replace(through, step="failed", error=said))
            warnings.warn(f"share {share:g}, seed {seed} failed: {said}", SeeWhyWarning, stacklevel=3)
            continue
        unsaved = None if save is None else _unsaved(save, model, folder, one)
        del model
        accuracy, unmeasured = _measured(folder, one, run, work.held, known)
        one = replace(one, unsaved=unsaved, unmeasured=unmeasured)
        folder.end(one)
        tell(replace(through, step="done", accuracy=accuracy))


def _audited(
    model: Any,
    held: Files | Indexed,
    out: Path,
    options: dict[str, Any],
    now: Progress,
    tell: Callable[[Progress], None],
) -> Run:
    """The run of one model over the held-out pictures."""

    def done(at: Done) -> None:
        tell(replace(now, step="auditing", done=at.done, total=at.total or 0))

    if model is None:
        raise InputError("train returned nothing", "the trained model", "end it with `return model`")
    return audited(model, held, out, progress=done, **options)


def _whole(folder: Folder, share: float, seed: int) -> Run | None:
    """The run of a finished training, if it is all there."""
    try:
        run = opened_run(folder.run(share, seed))
    except InputError:
        return None
    return run if run.complete else None


def _unsaved(save: Callable[[Any, Path], Any], model: Any, folder: Folder, one: Ended) -> str | None:
    """Hands the model to the user's function; why that failed. What was trained and audited stays."""
    try:
        save(model, folder.model(one.share, one.seed))
    except Exception as error:
        said = f"its model is not kept, as save failed: {_said(error)}"
        warnings.warn(f"share {one.share:g}, seed {one.seed}: {said}", SeeWhyWarning, stacklevel=4)
        return said
    return None


def _measured(
    folder: Folder, one: Ended, run: Run, held: Files | Indexed, known: Sequence[measures.Known]
) -> tuple[float | None, str | None]:
    """Keeps the values of each held-out picture; the accuracy, and why something could not be measured.

    The run stays whatever happens: to train again costs more than to measure again.
    """
    path = folder.values(one.share, one.seed)
    values, unmeasured = measures.read(path), None
    if values is None or not _all_there(values, len(held), known):
        values = {}
        for findings in (known, ()) if known else ((),):  # a finding that fails takes nothing else with it
            try:
                values = measures.values_of(run, len(held), findings)
                measures.write(path, values)
                break
            except Exception as error:
                what = "heat on the findings" if findings else "run"
                unmeasured = f"its {what} could not be measured: {_said(error)}"
                warnings.warn(f"share {one.share:g}, seed {one.seed}: {unmeasured}", SeeWhyWarning, stacklevel=4)
    right = values.get(measures.Measure("accuracy"), np.full(len(held), np.nan))
    if silent := int(np.isnan(right).sum()):
        told = f"{silent} of {len(right)} held-out pictures have no answer of it (not a number?), and count for nothing"
        if unmeasured is None and told != one.unmeasured:
            warnings.warn(f"share {one.share:g}, seed {one.seed}: {told}", SeeWhyWarning, stacklevel=4)
        unmeasured = unmeasured or told
    return None if silent == len(right) else float(np.nanmean(right)), unmeasured


def _all_there(values: Mapping[measures.Measure, Any], pictures: int, known: Sequence[measures.Known]) -> bool:
    """Whether what was kept is of these pictures, and of all findings."""
    whole = all(len(each) == pictures for each in values.values())
    return whole and all(measures.Measure("heat on", each.finding.code) in values for each in known)


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, SeeWhyError) else f"{type(error).__name__}: {error}"


def _known(findings: Any, aside: Sequence[Item]) -> list[measures.Known]:
    if findings is None:
        return []
    if isinstance(findings, str | Path):
        findings = opened_run(findings)
    if isinstance(findings, Run):
        findings = findings.findings()
    chosen = list(findings) if isinstance(findings, Sequence) else [findings]
    if not all(isinstance(each, Finding) for each in chosen):
        raise InputError(
            f"findings of type {type(findings).__name__}",
            "a run's folder, a Run or what find_shortcuts gave",
            "as in findings=sw.find_shortcuts(run, model)",
        )
    if isinstance(findings, Findings):
        chosen = [each for each in findings.raised if each.status != "dismissed"] or chosen
    return measures.knowns(chosen, aside)
