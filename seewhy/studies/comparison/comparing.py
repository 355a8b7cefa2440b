"""`compare`: runs over the same pictures, each held against the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.results.arrays import Floats, Ints
from seewhy.results.questions.measures import holm, wilson
from seewhy.results.run import Run
from seewhy.results.run import open as opened
from seewhy.results.tables import counted
from seewhy.studies.comparison import differences, sorting
from seewhy.studies.comparison.answering import Answers, answered
from seewhy.studies.comparison.changes import Change, ClassChange, Move, Side
from seewhy.studies.comparison.looking import findings_of, heats, looks_of, moves_of
from seewhy.studies.comparison.noting import about_chance, about_sets, about_settings
from seewhy.studies.comparison.result import Comparison, Held
from seewhy.studies.comparison.sharing import shared
from seewhy.studies.inside import Inside, shares_inside

LIKE = 0.5  # maps of one picture and one answer that correlate less count as a different reason
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


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
    notes = [*about_sets(all_shared, letters), *about_settings(asked, letters), *more]
    known, more = findings_of(asked[0])
    notes += more
    given, more = (None, []) if inside is None else shares_inside(asked, found.ids, inside)
    notes += more
    looks, chance, more = looks_of(asked, found, answers, letters, known, seed)
    notes += [*more, *about_chance(chance, like)]
    changes, held = [], Held(found, answers, (), (), ())
    for k in range(1, len(asked)):
        code, same = sorting.buckets(answers, k), answers.said[0] == answers.said[k]
        reason = same & (np.nan_to_num(looks[k - 1].likeness, nan=2.0) < like)
        moves = [*heats(looks[k - 1], known, found, answers, seed), *moves_of(answers, k, given, seed)]
        changes.append(_change(letters[k], answers, k, code, looks[k - 1].likeness, reason, moves))
        held = Held(
            found, answers, (*held.codes, code), (*held.likeness, looks[k - 1].likeness), (*held.reasons, reason)
        )
    sides = tuple(_side(letters[k], run, answers, k) for k, run in enumerate(asked))
    judged = int(answers.judged.sum())
    return Comparison(asked, sides, tuple(_corrected(changes)), len(found), judged, like, chance, tuple(notes), held)


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
    return [replace(each, p_corrected=own) for each, own in zip(changes, holm(p), strict=True)]


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
