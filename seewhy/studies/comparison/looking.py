"""Where runs look beside the first: how alike the maps are, and the share of heat on what is known of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seewhy.errors import InputError
from seewhy.results.arrays import Floats
from seewhy.results.findings import FINDINGS, VARYING, Finding
from seewhy.results.run import Run
from seewhy.studies.comparison import differences, moving
from seewhy.studies.comparison.answering import Answers
from seewhy.studies.comparison.changes import Move
from seewhy.studies.comparison.sharing import Shared

_REGION = (32, 32)  # cells in which a finding's region is looked up
_BORDER = 0.36  # of an even map
_WORDS = {
    "inside_box": "inside the object's box",
    "inside_mask": "inside the object's mask",
    "border": "on the outer tenth at each side",
}


@dataclass(frozen=True, eq=False)
class Look:
    """Where a run looks beside the first.

    Args:
        likeness: float [n], the correlation of the maps; NaN where not judged.
        first, other: float [findings, n], shares of heat.
    """

    likeness: Floats
    first: Floats
    other: Floats


def looks_of(
    runs: Sequence[Run], found: Shared, answers: Answers, letters: Sequence[str], known: Sequence[Finding], seed: int
) -> tuple[list[Look], float | None, list[str]]:
    """Each later run beside the first; what maps of different pictures correlate by; and notes."""
    there = [bool(drawn.any()) for drawn in answers.drawn]
    notes = [
        f"{letter} has no maps: where it looks is not compared"
        for letter, drawn in zip(letters, there, strict=True)
        if not drawn
    ]
    n = len(found)
    nothing = Look(np.full(n, np.nan, np.float32), np.full((len(known), n), np.nan), np.full((len(known), n), np.nan))
    if not there[0] or not any(there[1:]):
        return [nothing] * (len(runs) - 1), None, notes
    grid = moving.common_grid([run for run, drawn in zip(runs, there, strict=True) if drawn])
    seen, regions = moving.boxes_of(runs[0], found.ids[0]), [each.region(_REGION) for each in known]
    first = moving.laid(runs[0], found.ids[0], grid, regions, seen)
    looks = []
    for run, ids, drawn in zip(runs[1:], found.ids[1:], there[1:], strict=True):
        own = moving.laid(run, ids, grid, regions, seen) if drawn else None
        looks.append(
            nothing if own is None else Look(moving.likeness(first, own).astype(np.float32), first.heat, own.heat)
        )
    return looks, moving.by_chance(first, seed=seed), notes


def findings_of(run: Run) -> tuple[list[Finding], list[str]]:
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


def heats(look: Look, known: Sequence[Finding], found: Shared, answers: Answers, seed: int) -> list[Move]:
    """The share of heat on each finding's region: in the finding's pictures, then in all."""
    found_moves = []
    for finding, one, other in zip(known, look.first, look.other, strict=True):
        own = np.isin(found.ids[0], np.asarray(finding.ids, np.int64))
        even = float(np.asarray(finding.region(_REGION)).mean())
        for what, words, kept in (
            (finding.code, f"heat on {finding.code} ({finding.place}), in its pictures", own),
            (f"{finding.code} in all", f"heat on {finding.code}, in all pictures", np.ones(len(own), bool)),
        ):
            groups = None if answers.groups is None else answers.groups[kept]
            if (mean := differences.mean(one[kept], other[kept], groups, seed)) is not None:
                found_moves.append(Move(what, words, mean, even))
    return found_moves


def moves_of(answers: Answers, other: int, given: Floats | None, seed: int) -> list[Move]:
    """Shares inside what is known of the object, on the border, and the label's probability."""
    shares = {name: (_WORDS[name], answers.shares[name]) for name in _WORDS}
    if given is not None:
        shares = {"inside": ("inside what was given", given)} | shares
    shares["label_probability"] = ("probability of the label", answers.of_label)
    found_moves = []
    for what, (words, values) in shares.items():
        mean = differences.mean(values[0], values[other], answers.groups, seed)
        if mean is not None:
            found_moves.append(Move(what, words, mean, _BORDER if what == "border" else None))
    return found_moves
