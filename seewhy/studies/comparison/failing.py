"""Conditions for continuous integration: 'newly-broken:10', 'accuracy:-2', 'worse'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from seewhy.errors import InputError
from seewhy.results.tables import counted
from seewhy.studies.comparison.sorting import BUCKETS, CHANGED, NAMES
from seewhy.studies.comparison.wording import points, probability

if TYPE_CHECKING:
    from seewhy.studies.comparison.changes import Change
    from seewhy.studies.comparison.result import Comparison

_LEVEL = 0.05
_FORMS = "'newly-broken:10', 'newly-broken:2%', 'accuracy:-2' (points) or 'worse'"


@dataclass(frozen=True)
class Condition:
    """What must not be.

    Args:
        text: as given.
        what: 'worse', 'accuracy' or a bucket.
        limit: pictures, percent of the shared pictures, or points.
        percent: the limit is a percentage.
    """

    text: str
    what: str
    limit: float
    percent: bool

    @property
    def needs_labels(self) -> bool:
        return self.what in ("worse", "accuracy", *BUCKETS[:CHANGED])


def readable(text: str) -> Condition:
    """A condition as read.

    Raises:
        InputError: it is none.
    """
    what, _, number = str(text).strip().partition(":")
    what, limit = what.replace("-", " ").replace("_", " ").lower(), number.removesuffix("%")
    if what not in ("worse", "accuracy", *NAMES):
        raise InputError(f"the condition {text!r}", f"one like {_FORMS}", f"buckets are {', '.join(NAMES)}")
    if what == "worse":
        if number:
            raise InputError(f"the condition {text!r}", "'worse' alone, without a number", "write --fail-on worse")
        return Condition(text, what, 0.0, False)
    try:
        value = float(limit)
    except ValueError:
        raise InputError(f"the condition {text!r}", f"one like {_FORMS}", "give a number after the ':'") from None
    sound = value < 0 if what == "accuracy" else value > 0
    if not sound or value in (float("inf"), float("-inf")):
        expected = "points below 0, as in accuracy:-2" if what == "accuracy" else "a number above 0 of pictures"
        raise InputError(f"the condition {text!r}", expected, f"write {_FORMS}")
    if number.endswith("%") and value > 100 and what != "accuracy":
        raise InputError(f"the condition {text!r}", "at most 100 % of the pictures", f"write {_FORMS}")
    return Condition(text, what, value, number.endswith("%"))


def met(comparison: Comparison, text: str) -> list[str]:
    """A sentence for each run that meets the condition. See `Comparison.fails`."""
    condition = readable(text)
    if condition.needs_labels and not comparison.judged:
        raise InputError(
            f"the condition {text!r} for runs without labels",
            "'changed-answer:10' or 'different-reason:10'",
            "or audit data with labels",
        )
    said = (_said(comparison, each, condition) for each in comparison.changes)
    return [each for each in said if each]


def _said(comparison: Comparison, change: Change, condition: Condition) -> str:
    difference = change.difference or 0.0
    if condition.what == "worse":
        p = 1.0 if change.p_corrected is None else change.p_corrected
        if difference < 0 and p < _LEVEL:
            return f"{change.name} is less accurate than A by {points(-difference)} points, p {probability(p)}"
        return ""
    if condition.what == "accuracy":
        if 100 * difference <= condition.limit + 1e-9:
            return f"{change.name} {points(difference)} points of accuracy ({condition.text})"
        return ""
    count = change.buckets.get(condition.what, 0)
    least = condition.limit * comparison.pictures / 100 if condition.percent else condition.limit
    if count and count >= least:
        return f"{counted(count, 'picture')} in {condition.what!r} of {change.name} ({condition.text})"
    return ""
