"""A comparison handed over to the report, as plain values that it can show without knowing how they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seewhy.results.report.compared import Compared
from seewhy.studies.comparison import noting, sorting

if TYPE_CHECKING:
    from seewhy.studies.comparison.result import Comparison


def handed(comparison: Comparison) -> Compared:
    """All that the report shows of a comparison."""
    held, shared = comparison.held, comparison.held.shared
    letters = [side.name for side in comparison.sides]
    differ = noting.about_settings(comparison.runs, letters)
    known = {*differ, *noting.about_sets(shared, letters)}  # these are told in a way of their own
    told: dict[str, Any] = {
        **comparison.as_dict(limit=0),
        "sets": {"rows": list(shared.rows), "unread": list(shared.unread), "copies": shared.copies},
        "notes": [note for note in comparison.notes if note not in known],
    }
    buckets = []
    for k, change in enumerate(comparison.changes, start=1):
        codes, likeness, reasons = held.codes[k - 1], held.likeness[k - 1], held.reasons[k - 1]
        ranks = {name: sorting.ranked(name, codes, likeness, reasons, held.answers, k) for name in change.buckets}
        buckets.append(ranks)
    answers = held.answers
    return Compared(
        comparison.runs,
        told,
        differ,
        answers.names,
        shared.ids,
        answers.label,
        answers.said,
        answers.probability,
        held.likeness,
        tuple(buckets),
    )
