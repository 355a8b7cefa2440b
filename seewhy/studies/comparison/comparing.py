"""`compare`: runs over the same pictures, each held against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.results.arrays import Floats, Ints
from seewhy.results.findings import FINDINGS, VARYING, Finding
from seewhy.results.questions.measures import wilson
from seewhy.results.run import Run
from seewhy.results.run import open as opened
from seewhy.results.tables import counted, line
from seewhy.studies.comparison import differences, moving, sorting
from seewhy.studies.comparison.answering import Answers, answered
from seewhy.studies.comparison.inside import Inside, shares_inside
from seewhy.studies.comparison.result import Change, ClassChange, Comparison, Held, Move, Side
from seewhy.studies.comparison.sharing import Shared, shared

LIKE = 0.5  # maps of one picture and one answer that correlate less count as a different reason
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BORDER = 0.36  # of an even map
_SO = {
    "layer": " (maps of different layers differ by themselves)",
    "method": " (maps of different methods differ by themselves)",
}
_REGION = (32, 32)  # cells in which a finding's region is looked up
_WORDS = {
    "inside_box": "inside the object's box",
    "inside_mask": "inside the object's mask",
    "border": "on the outer tenth at each side",
}


def compare(
    *runs: Run | str | Path,
    like: float = LIKE,
    inside: Inside | None = None,
    classes: Mapping[str, str] | None = None,
    seed: int = 0,
) -> Comparison:
    """Holds runs against the first one, on the pictures that all share: what broke, what was mended, where they look.

    Pictures are matched by the hash of their content, classes by their names; models, frameworks, layers and sizes of
    maps may differ. A map is that of what the model answered, laid over the rectangle of the original picture that the
    model saw; two are correlated on one grid, that of the coarser one, over what either model saw.

    Args:
        runs: two or more, each a `Run` or its folder; the first is what the others are held against.
        like: pictures with the same answer whose maps correlate less than this have a different reason. Flat maps are
            not judged. What maps of different pictures correlate by, `by_chance`, is told beside it.
        inside: where models should look, for the share of each map inside: a function from a picture (PIL image) to a
            mask [height, width], a folder of masks with the pictures' paths, or a dictionary of masks, files or boxes
            (left, top, right, bottom in pixels) by path.
        classes: for a class of a later run the name that the first has for it, where names differ.
        seed: of the bootstrap.
    Returns:
        `Comparison`, which prints. Its differences come with 95 % intervals: of accuracies and recalls Newcombe's for
        pairs (1998), of means the bootstrap over pictures, or over groups where the run has them.
    Raises:
        InputError: fewer than two runs, one run twice, no picture or no class in common, no answers.
    """
    asked, letters = _checked(runs, like)
    all_shared = shared(asked)
    found, answers, more = answered(asked, all_shared, classes, letters)
    notes = [*_about_sets(all_shared, letters), *_about_settings(asked, letters), *more]
    known, more = _findings(asked[0])
    notes += more
    given, more = (None, []) if inside is None else shares_inside(asked, found.ids, inside)
    notes += more
    looks, chance, more = _looks(asked, found, answers, letters, known, seed)
    notes += more
    changes, held = [], Held(found, answers, (), (), ())
    for k in range(1, len(asked)):
        code, same = sorting.buckets(answers, k), answers.said[0] == answers.said[k]
        reason = same & (np.nan_to_num(looks[k - 1].likeness, nan=2.0) < like)
        moves = [*_heats(looks[k - 1], known, found, answers, seed), *_moves(answers, k, given, seed)]
        changes.append(_change(letters[k], answers, k, code, looks[k - 1].likeness, reason, moves))
        held = Held(
            found, answers, (*held.codes, code), (*held.likeness, looks[k - 1].likeness), (*held.reasons, reason)
        )
    sides = tuple(_side(letters[k], run, answers, k) for k, run in enumerate(asked))
    judged = int(answers.judged.sum())
    return Comparison(asked, sides, tuple(_corrected(changes)), len(found), judged, like, chance, tuple(notes), held)


@dataclass(frozen=True, eq=False)
class _Look:
    """Where a run looks beside the first.

    Args:
        likeness: float [n], the correlation of the maps; NaN where not judged.
        first, other: float [findings, n], shares of heat.
    """

    likeness: Floats
    first: Floats
    other: Floats


def _looks(
    runs: Sequence[Run], found: Shared, answers: Answers, letters: Sequence[str], known: Sequence[Finding], seed: int
) -> tuple[list[_Look], float | None, list[str]]:
    """Each later run beside the first; what maps of different pictures correlate by; and notes."""
    there = [bool(drawn.any()) for drawn in answers.drawn]
    notes = [
        f"{letter} has no maps: where it looks is not compared"
        for letter, drawn in zip(letters, there, strict=True)
        if not drawn
    ]
    n = len(found)
    nothing = _Look(np.full(n, np.nan, np.float32), np.full((len(known), n), np.nan), np.full((len(known), n), np.nan))
    if not there[0] or not any(there[1:]):
        return [nothing] * (len(runs) - 1), None, notes
    grid = moving.common_grid([run for run, drawn in zip(runs, there, strict=True) if drawn])
    seen, regions = moving.boxes_of(runs[0], found.ids[0]), [each.region(_REGION) for each in known]
    first = moving.laid(runs[0], found.ids[0], grid, regions, seen)
    looks = []
    for run, ids, drawn in zip(runs[1:], found.ids[1:], there[1:], strict=True):
        own = moving.laid(run, ids, grid, regions, seen) if drawn else None
        looks.append(
            nothing if own is None else _Look(moving.likeness(first, own).astype(np.float32), first.heat, own.heat)
        )
    return looks, moving.by_chance(first, seed=seed), notes


def _checked(runs: Sequence[Any], like: float) -> tuple[tuple[Run, ...], list[str]]:
    """The runs, opened, and the letters that they are called by."""
    if len(runs) == 1 and isinstance(runs[0], list | tuple):
        runs = runs[0]
    if not 2 <= len(runs) <= len(_LETTERS):
        raise InputError(
            counted(len(runs), "run"), "two or more, up to 26", "write compare('runs/before', 'runs/after')"
        )
    if not -1 <= like <= 1:
        raise InputError(f"like={like!r}", "a correlation, -1 to 1", f"leave it out for {LIKE}")
    for run in runs:
        if not isinstance(run, Run | str | Path):
            raise InputError(
                f"a run of type {type(run).__name__}",
                "a Run, or the folder of one",
                "audit(model, data, folder) gives one",
            )
    asked = tuple(run if isinstance(run, Run) else opened(run) for run in runs)
    folders = [run.folder.resolve() for run in asked]
    for folder in folders:
        if folders.count(folder) > 1:
            raise InputError(
                f"the run {str(folder.name)!r} twice", "different runs", "name the folder of the other model's run"
            )
    return asked, list(_LETTERS[: len(asked)])


def _about_sets(found: Shared, letters: Sequence[str]) -> list[str]:
    """What of each run the others lack."""
    notes = []
    for letter, rows, unread in zip(letters, found.rows, found.unread, strict=True):
        parts = []
        if dropped := rows - unread - len(found):
            parts.append(f"{counted(dropped, 'picture')} that not all have")
        if unread:
            parts.append(f"{counted(unread, 'picture')} that could not be read")
        if parts:
            notes.append(f"of {letter}'s {rows:,} pictures left out: {' and '.join(parts)}")
    if found.copies:
        are, copies = "is" if found.copies == 1 else "are", counted(found.copies, "shared picture")
        notes.append(f"{copies} {are} there more than once; copies are paired by their paths")
    return notes


def _about_settings(runs: Sequence[Run], letters: Sequence[str]) -> list[str]:
    """In what the questions differ that were asked of the models."""
    notes = []
    for name, value in (
        ("layer", lambda each: each.get("layer")),
        (
            "method",
            lambda each: " ".join([str(each.get("method")), *map(_option, (each.get("options") or {}).items())]),
        ),
        ("preparation", lambda each: (each.get("prepare") or {}).get("name")),
    ):
        values = [str(value(run.settings)) for run in runs]
        if len(set(values)) > 1:
            said = ", ".join(f"{letter} {line(each)}" for letter, each in zip(letters, values, strict=True))
            notes.append(f"the {name} differs: {said}" + _SO.get(name, ""))
    keys = [run.about.get("key") for run in runs]
    for letter, key in zip(letters[1:], keys[1:], strict=True):
        if key is not None and key == keys[0]:
            notes.append(f"{letters[0]} and {letter} asked the same of the same model; only the computer can differ")
    for letter, run in zip(letters, runs, strict=True):
        if not run.complete:
            notes.append(f"{letter} is incomplete: {len(run):,} pictures are done")
    return notes


def _option(pair: tuple[str, Any]) -> str:
    return f"{pair[0]}={pair[1]}"


def _findings(run: Run) -> tuple[list[Finding], list[str]]:
    """The first run's shortcuts that have a place, and what to know."""
    if not (run.folder / FINDINGS).exists():
        return [], []
    try:
        raised = run.findings().raised
    except InputError as error:
        return [], [f"the first run's findings are left out: {error.came}"]
    placed = [each for each in raised if each.kind == "place" and each.place != VARYING]
    left = [each.code for each in raised if each not in placed]
    return placed, [
        f"no share of heat is told for {', '.join(left)} of {run.folder.name!r}: no fixed place"
    ] if left else []


def _heats(look: _Look, known: Sequence[Finding], found: Shared, answers: Answers, seed: int) -> list[Move]:
    """The share of heat on each finding's region: in the finding's pictures, then in all."""
    moves = []
    for finding, one, other in zip(known, look.first, look.other, strict=True):
        own = np.isin(found.ids[0], np.asarray(finding.ids, np.int64))
        even = float(np.asarray(finding.region(_REGION)).mean())
        for what, words, kept in (
            (finding.code, f"heat on {finding.code} ({finding.place}), in its pictures", own),
            (f"{finding.code} in all", f"heat on {finding.code}, in all pictures", np.ones(len(own), bool)),
        ):
            groups = None if answers.groups is None else answers.groups[kept]
            if (mean := differences.mean(one[kept], other[kept], groups, seed)) is not None:
                moves.append(Move(what, words, mean, even))
    return moves


def _moves(answers: Answers, other: int, given: Floats | None, seed: int) -> list[Move]:
    """Shares inside what is known of the object, on the border, and the label's probability."""
    shares = {name: (_WORDS[name], answers.shares[name]) for name in _WORDS}
    if given is not None:
        shares = {"inside": ("inside what was given", given)} | shares
    shares["label_probability"] = ("probability of the label", answers.of_label)
    moves = []
    for what, (words, values) in shares.items():
        mean = differences.mean(values[0], values[other], answers.groups, seed)
        if mean is not None:
            moves.append(Move(what, words, mean, _BORDER if what == "border" else None))
    return moves


def _change(
    letter: str, answers: Answers, other: int, code: Ints, likeness: Floats, reason: Ints, moves: Sequence[Move]
) -> Change:
    counts = np.bincount(code, minlength=len(sorting.BUCKETS)).tolist()
    same = answers.said[0] == answers.said[other]
    broken, fixed, neither, both = counts[: sorting.CHANGED]
    judged = broken + fixed + neither + both
    kept = same & np.isfinite(likeness)
    return Change(
        letter,
        {name: n for name, n in zip(sorting.BUCKETS, counts, strict=True) if n or _told(name, judged, counts)}
        | {sorting.REASON: int(reason.sum())},
        int(same.sum()),
        (fixed - broken) / judged if judged else None,
        differences.paired(both, broken, fixed, neither),
        differences.mcnemar(broken, fixed) if judged else None,
        None,
        _classes(answers, other),
        tuple(moves),
        float(np.median(likeness[kept])) if kept.any() else None,
        int(kept.sum()),
    )


def _told(name: str, judged: int, counts: Sequence[int]) -> bool:
    """An empty bucket is told where others of its kind are there."""
    unjudged = counts[sorting.CHANGED] + counts[sorting.SAME]
    return bool(judged) if sorting.BUCKETS.index(name) < sorting.CHANGED else bool(unjudged)


def _classes(answers: Answers, other: int) -> tuple[ClassChange, ...]:
    judged = answers.judged
    label, size = answers.label[judged], len(answers.names)
    one, two = answers.right[0][judged], answers.right[other][judged]

    def count(which: Any) -> list[int]:
        found: list[int] = np.bincount(label[which], minlength=size).tolist()
        return found

    both, broken, fixed, neither = count(one & two), count(one & ~two), count(~one & two), count(~one & ~two)
    return tuple(
        ClassChange(name, b + x + y + n, b + x, b + y, x, y, differences.paired(b, x, y, n))
        for name, b, x, y, n in zip(answers.names, both, broken, fixed, neither, strict=True)
        if b + x + y + n
    )


def _corrected(changes: Sequence[Change]) -> list[Change]:
    p = [each.p for each in changes if each.p is not None]
    if len(p) < len(changes):
        return list(changes)
    return [replace(each, p_corrected=own) for each, own in zip(changes, differences.holm(p), strict=True)]


def _side(letter: str, run: Run, answers: Answers, k: int) -> Side:
    settings, judged = run.settings, int(answers.judged.sum())
    model, right = settings.get("model", {}), int(answers.right[k].sum())
    outputs = int(model.get("outputs") or 0)
    return Side(
        letter,
        str(run.folder),
        str(model.get("name") or "unnamed"),
        str(settings.get("layer", "?")),
        str(settings.get("method", "?")),
        str((settings.get("prepare") or {}).get("name") or "?"),
        2 if outputs == 1 else outputs,
        len(run),
        right,
        right / judged if judged else None,
        wilson(right, judged),
    )
