"""Shortcuts found and proven: from a run and its model to findings, worst first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Model
from seewhy.models import as_model, wrap
from seewhy.results.findings import WHOLE, Finding, Findings, decided
from seewhy.results.run import Run
from seewhy.results.tables import counted
from seewhy.studies.inside import Inside, files_of
from seewhy.studies.planning import preparation
from seewhy.studies.shortcuts import wording
from seewhy.studies.shortcuts.candidates import groups, reduced, standardised, unlike
from seewhy.studies.shortcuts.classes import Class, Receivers, described, receivers
from seewhy.studies.shortcuts.counting import cells
from seewhy.studies.shortcuts.knowing import learned, told
from seewhy.studies.shortcuts.looking import Looker, looker_for
from seewhy.studies.shortcuts.objects import NEARLY, held, outside, weighed
from seewhy.studies.shortcuts.placeless import PLACELESS, merged, placeless
from seewhy.studies.shortcuts.proving import TRIED, Candidate, Proof, completed, proof
from seewhy.studies.shortcuts.sampling import NEEDED, Reader, Sample, sampled
from seewhy.studies.shortcuts.scoring import Judge
from seewhy.studies.shortcuts.showing import cleared, kept

LINE = 6.1  # of s3: of 76 networks without a shortcut 3 lie above it
TESTS = ("cover", "paste")
TESTED, MOST_TESTED = 2, 12  # groups that are tested, of a class and in all
SHOWN = 3  # below the line

Told = Callable[[int, int], None]


def find_shortcuts(
    run: Run,
    model: Any,
    *,
    seed: int = 0,
    per_class: int = 500,
    save: bool = True,
    decisions: str | Path | None = None,
    masks: Inside | None = None,
    progress: Told | None = None,
) -> Findings:
    """Searches a run for what the model answers by though it should not, and proves it by covering and pasting.

    Neither masks nor names of the shortcut are needed. For each predicted class: where the model looks, groups of
    pictures that look at alike things, a score of each group, and for the best ones the proof. The same seed gives the
    same findings, whatever the order of the pictures.

    Args:
        run: of `audit` or `open`, with labels, and with pictures that can be read again from their files.
        model: the one that was audited; it is left as it was found.
        seed: of what is drawn by chance.
        per_class: pictures looked at of each predicted class, at most.
        save: keep the findings in the run's folder, for `run.findings()`.
        decisions: the file of what was decided; None: `seewhy.toml` here, or in the nearest folder above that has one.
        masks: where the object is: a folder with a mask for each picture, of the same path and name; a function from
            the picture to its mask; masks by path. Groups that are looked at outside it count for more then, if nine
            in ten pictures have one. None: nothing of that; where the run's data have masks or boxes, a finding tells
            all the same how much of its heat lies outside.
        progress: called with pictures done and all pictures, after each batch.
    Returns:
        `Findings`: those above the line, worst first, then up to three below it. About six forward passes and one
        backward pass a picture.
    Raises:
        InputError: another model than the run's, prepared otherwise, or a run without labels or files, or with too few
            pictures of each class, or a folder of masks that is not there.
    """
    if isinstance(per_class, bool) or not isinstance(per_class, int) or per_class < NEEDED:
        raise InputError(f"per_class={per_class!r}", f"{NEEDED} pictures or more", "leave it out for 500")
    run.need_labels("shortcuts")
    files = files_of(masks, "masks")
    wrapped = same_model(run, model)
    sample = sampled(run, per_class, seed)
    assert run.root is not None
    reader = Reader(run.root, wrapped, run.settings.get("fast_decode"))
    looker = _looker(run, wrapped, reader, sample)
    others = receivers(sample.receivers, reader, looker)
    total, count = sum(len(each) for each in sample.classes.values()), 0

    def done(pictures: int) -> None:
        nonlocal count
        count += pictures
        if progress is not None:
            progress(count, total)

    candidates: list[Candidate] = []
    count_of_groups, classes = 0, []
    for index, pictures in sample.classes.items():
        found = described(index, pictures, reader, looker, done)
        if found is None or len(found.pictures) < NEEDED:
            continue
        classes.append(found)
        own = judged(found)
        count_of_groups += len(own)
        candidates += own
    if not classes:
        raise _vanished(reader, total)
    beside = {each.index: outside(run, each, masks, files) for each in classes}
    usable = candidates if masks is None else weighed(candidates, beside)
    proofs = [proof(each, reader, looker, others, seed) for each in best_of(candidates if usable is None else usable)]
    ranked = sorted((each for each in proofs if not each.complement), key=lambda each: -each.s3)
    kept_ones = unlike_ones([each.candidate for each in ranked], len(ranked), len(ranked))
    ranked = [each for each in ranked if each.candidate in kept_ones]
    raised = [each for each in ranked if each.s3 > LINE]
    shown = raised + [each for each in ranked if not each.s3 > LINE][:SHOWN]
    shown = [completed(each, reader, looker, others, seed, each.s3 > LINE) for each in shown]
    items = [_finding(f"SC{i:02}", each, run, sample, others) for i, each in enumerate(shown, 1)]
    looked = {each.index: each.pictures for each in classes}
    whole = placeless(looked, sample.counts, run, reader, looker, others, items, seed)
    items = list(merged(items, whole))
    with_place = [i for i, each in enumerate(items) if each.kind != WHOLE]
    for i, each in zip(with_place, shown, strict=True):
        probe, best = learned(each.candidate, reader, looker), [wording.best(each.effects, test) for test in TESTS]
        shots = kept(run.folder, items[i].code, each.given, best, reader.prepared) if save else ()
        known = replace(told(items[i], each.candidate, probe), outside=held(each.candidate, beside[items[i].index]))
        items[i] = replace(known, cells=cells(each.candidate, probe, others, run, items[i].raised), shots=shots)
    for i, given in zip((i for i, each in enumerate(items) if each.kind == WHOLE), whole.given, strict=True):
        if save:
            shots = kept(run.folder, items[i].code, given, items[i].effects[:1], reader.prepared)
            items[i] = replace(items[i], shots=shots)
    tried = {
        **{"pictures": sum(len(each.pictures) for each in classes), "classes": len(classes), "groups": count_of_groups},
        **{"tested": len(proofs), "line": LINE, "best": max((each.s3 for each in ranked), default=0.0)},
        **{"seed": seed, "per_class": per_class, "layers": [looker.early, looker.middle, looker.last]},
        **{"run": run.about.get("key"), "whole": {"best": whole.best, "line": PLACELESS, "passes": whole.passes}},
    }
    controls = [each.parts["f0"] for each in proofs]
    seen = wording.visible(controls, TRIED, max(len(each.pictures) for each in classes))
    notes = (*_notes(run, sample, classes, reader), *whole.notes)
    if usable is None:
        notes = (
            *notes,
            f"fewer than {NEARLY:.0%} of the pictures have a mask, so masks count for nothing in the score",
        )
    findings = Findings(tuple(items), tried, notes, seen)
    if save:
        findings.save(run.folder)
        cleared(run.folder, {shot.file for each in findings for shot in each.shots})
    reader.forget()
    return decided(findings, decisions)


def judged(found: Class) -> list[Candidate]:
    """All groups of a class, scored."""
    judge = Judge(found.described)
    of = found.described
    return [Candidate(found, group, judge.marks(group)) for group in groups(of.middle, of.attended, of.peak, of.grid)]


def best_of(candidates: Sequence[Candidate], most: int = MOST_TESTED) -> list[Candidate]:
    """Of each class the two most promising groups, and the one that most has a place.

    Args:
        candidates: of all classes.
        most: of each of both kinds, in all; the best of them.
    """
    chosen = [
        each
        for per_class, worth in ((TESTED, _promise), (1, _place))
        for each in unlike_ones(sorted(candidates, key=lambda each: -worth(each)), per_class, most)
    ]
    return list(dict.fromkeys(chosen))


def unlike_ones(ranked: Sequence[Candidate], per_class: int, most: int) -> list[Candidate]:
    """The first ones, without those that are nearly the same as one before them."""
    kept: list[Candidate] = []
    for each in ranked:
        same = [other.group for other in kept if other.of is each.of]
        if len(same) < per_class and len(kept) < most and unlike([each.group], same)[0]:
            kept.append(each)
    return kept


def _promise(each: Candidate) -> float:
    return each.marks.promise


def _place(each: Candidate) -> float:
    return each.marks.place


def same_model(run: Run, model: Any) -> Model:
    """The model wrapped as in the audit.

    Raises:
        InputError: its weights or its preparation are others.
    """
    wrapped, known = as_model(model), run.settings["model"]
    if wrapped.fingerprint() != known.get("fingerprint"):
        raise InputError(
            f"{wrapped.name}, whose weights are not those of the audited {known.get('name')}",
            f"the model of the run, fingerprint {str(known.get('fingerprint'))[:12]}",
            "load the weights of the audit, or audit this model into another folder",
        )
    if wrapped.prepare is None:
        raise InputError(
            "a model whose preparation is not known",
            f"the preparation of the audit, {run.settings['prepare']['name']}",
            "wrap(model, prepare=...)",
        )
    now, then = preparation(wrapped), run.settings["prepare"]
    if now["probe"] != then["probe"]:
        raise InputError(
            f"the preparation {now['name']}, which makes other images than that of the audit",
            f"the preparation of the audit, {then['name']}",
            "wrap(model, prepare=...) as in the audit",
        )
    return wrapped if wrapped.labels is not None or run.labels is None else wrap(wrapped, labels=run.labels)


def _looker(run: Run, model: Model, reader: Reader, sample: Sample) -> Looker:
    """The layers are found with the first picture that is there."""
    for one in [*sample.receivers, *(each for own in sample.classes.values() for each in own)]:
        _, images = reader.read([one])
        if len(images):
            return looker_for(run, model, images[0])
    raise _vanished(reader, sum(len(each) for each in sample.classes.values()))


def _vanished(reader: Reader, total: int) -> InputError:
    path, why = next(iter(reader.gone.items()), ("", "unknown"))
    return InputError(
        f"too few of {counted(total, 'picture')} can be read again; the first: {path}: {why.splitlines()[0]}",
        f"the pictures of the run below {str(reader.root)!r}, {NEEDED} of a class at least",
        "put them back, or open(folder, root=...) where they were moved to",
    )


def _finding(code: str, each: Proof, run: Run, sample: Sample, others: Receivers) -> Finding:
    of, group = each.candidate.of, each.candidate.group
    points = reduced(standardised(of.described.middle))
    typical = group[np.argsort(np.linalg.norm(points[group] - points[group].mean(axis=0), axis=1), kind="stable")]
    pictures = [of.pictures[i] for i in typical]
    label = run.name(of.index)
    wrong = sum(one.label is not None and one.label != of.index for one in pictures)
    where = wording.place(each.pixels, each.heat, _peaks(of.heat[group]))
    names = [run.name(int(k)) for k in np.unique(others.labels) if k != of.index]
    marks = {key: float(value) for key, value in vars(each.candidate.marks).items()}
    verdict = wording.status(each.s3, LINE, each.effects)
    return Finding(
        code=code,
        verdict=verdict,
        kind="place",
        label=label,
        index=of.index,
        ids=tuple(one.id for one in pictures),
        paths=tuple(one.path for one in pictures),
        hashes=tuple(one.hash for one in pictures),
        looked=len(of.pictures),
        pictures=sample.counts[of.index],
        wrong=wrong,
        s=each.candidate.marks.promise,
        s3=each.s3,
        line=LINE,
        parts=marks | each.parts,
        place=where,
        maps=of.heat[typical],
        where=of.described.heat[group].mean(axis=0).astype(np.float32),
        heat=each.heat.astype(np.float32),
        pixels=each.pixels.astype(np.float32),
        effects=each.effects,
        words=wording.found(label, len(group), len(of.pictures), where),
        proof=wording.proven(label, each.effects),
        remedy=wording.remedy(label, names, verdict),
    )


def _peaks(heat: Any) -> Any:
    """float [n, 2]: row and column of the hottest cell, 0..1."""
    highest = heat.reshape(len(heat), -1).argmax(axis=1)
    return np.stack([highest // heat.shape[2] / heat.shape[1], highest % heat.shape[2] / heat.shape[2]], axis=1)


def _notes(run: Run, sample: Sample, classes: Sequence[Class], reader: Reader) -> tuple[str, ...]:
    notes = []
    if reader.gone:
        path, why = next(iter(sorted(reader.gone.items())))
        notes.append(f"{counted(len(reader.gone), 'picture')} left out, such as {path}: {why.splitlines()[0]}")
    if sample.few:
        names = ", ".join(f"{run.name(k)} ({count})" for k, count in list(sample.few.items())[:5])
        more = " ..." if len(sample.few) > 5 else ""
        notes.append(f"not looked at, with fewer than {NEEDED} pictures predicted as them: {names}{more}")
    seen = {each.index for each in classes}
    for k, pictures in sample.classes.items():
        if k not in seen:
            left, all_ = sum(one.path not in reader.gone for one in pictures), counted(len(pictures), "picture")
            notes.append(f"{run.name(k)}: {left} of {all_} can be read again, and {NEEDED} are needed")
    for each in classes:
        if each.dark.mean() > 0.2:
            notes.append(
                f"{run.name(each.index)}: in {each.dark.mean():.0%} of its pictures no place speaks for the class; "
                "they cannot be told apart by where the model looks"
            )
    return tuple(notes)
