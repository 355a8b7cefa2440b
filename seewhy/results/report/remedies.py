"""What to do about a finding: each way with what it costs, and a command to copy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from math import ceil
from typing import Any

from seewhy.results.findings import Finding
from seewhy.results.tables import counted

_REMOVED = {
    "place": "crop, paint over, or record them anew",
    "whole picture": "one light, colour and sharpness for all classes, evened out by script or recorded anew",
}


@dataclass(frozen=True)
class Place:
    """What the words are about.

    Args:
        folder: the run, as commands name it.
        counts: pictures of each label in the run, by its name.
        mean: the finding's mean picture.
    """

    folder: str
    counts: dict[str, int]
    mean: str | None = None


@dataclass(frozen=True)
class Missing:
    """Pictures to collect, so that a class shows it as often as the finding's class.

    Args:
        label: of the pictures.
        shows, tried: how many of the tried ones show it.
        needed: how many more.
    """

    label: str
    shows: int
    tried: int
    needed: int


def todo(finding: Finding, place: Place) -> list[dict[str, Any]]:
    """The ways, the surest first: what, why, cost, and a command or null."""
    run, code, label = shlex.quote(place.folder), finding.code, finding.label
    removed = _REMOVED.get(finding.kind, "record them anew")
    ways = [
        _way(
            "Remove it",
            f"Where it is no part of what {label!r} means, take it out of the pictures: {removed}. Both in "
            "training and in use, else the model meets what it never saw.",
            "One pass over the pictures by hand or script, and one training.",
        ),
        _way("Collect what is missing", _collect(finding, place), "The pictures, their labels, and one training."),
        _way(
            "Augment",
            "Make pictures that break the tie: put it on other classes, or cover it. Train with 0, 25, 50, 75 and "
            "100 % of them, and see which share mends it without loss.",
            "A training for each share, three times each, to tell a difference from chance.",
            f"seewhy study TRAINING_PICTURES --extra MADE_PICTURES --backbone NETWORK --findings {run}",
        ),
        _way(
            "Accept it",
            f"Where it belongs to {label!r}, or no mending is possible now: with a reason and a last day, after "
            "which it counts again.",
            "Nothing; the risk stays.",
            f'seewhy accept {run} {code} --reason "WHY" --until YYYY-MM-DD',
        ),
        _way(
            "Check again",
            "After any change: is it still there in the new model, or in next month's pictures?",
            "An audit, and a few passes a picture.",
            f"seewhy shortcuts NEW_RUN --model NEW_MODEL --known {run}",
        ),
    ]
    return ways


def missing(finding: Finding, counts: dict[str, int]) -> list[Missing]:
    """By the finding's cells: for each other class, how many pictures that show it would make up for it.

    With a share s of the class's answers in the finding, n pictures of another class of which h show it, k more are
    needed for (h + k) / (n + k) = s.
    """
    own = [cell for cell in finding.cells if not cell.scored]
    of = sum(cell.shows + cell.lacks for cell in own)
    share = sum(cell.shows for cell in own) / of if of else 0.0
    found = []
    for cell in finding.cells:
        tried, count = cell.shows + cell.lacks, counts.get(cell.label or "", 0)
        if not cell.scored or cell.label is None or not tried or share >= 1:
            continue
        needed = ceil(count * (share - cell.shows / tried) / (1 - share) - 1e-9)
        found.append(Missing(cell.label, cell.shows, tried, max(0, needed)))
    return found


def _collect(finding: Finding, place: Place) -> str:
    label = finding.label
    lacking = [each for each in missing(finding, place.counts) if each.needed]
    scored = any(cell.scored for cell in finding.cells)
    if not scored:
        return f"{finding.remedy}."
    if not lacking:
        return (
            f"By its score other classes show it about as often as {label!r}, so that more pictures of them may not "
            f"help: collect {label!r} without it."
        )
    said = [
        f"about {counted(each.needed, 'picture')} of {each.label!r} that show it (now {each.shows} of {each.tried})"
        for each in lacking[:4]
    ]
    return (
        f"{'; '.join(said)}. Then it is as frequent there as in {label!r}. The numbers are for the "
        f"{sum(place.counts.values()):,} labelled pictures of this run; training data need them in proportion."
    )


def _way(what: str, why: str, cost: str, command: str | None = None) -> dict[str, Any]:
    return {"what": what, "why": f"{why[0].upper()}{why[1:]}", "cost": cost, "command": command}
