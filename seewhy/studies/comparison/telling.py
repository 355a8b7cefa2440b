"""A comparison as plain values, for JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from seewhy.studies.comparison.changes import Change, ClassChange, Move

if TYPE_CHECKING:
    from seewhy.studies.comparison.result import Comparison


def as_dict(comparison: Comparison, limit: int) -> dict[str, Any]:
    """See `Comparison.as_dict`."""
    return {
        "pictures": comparison.pictures,
        "judged": comparison.judged,
        "like": comparison.like,
        "by_chance": comparison.by_chance,
        "runs": [asdict(side) for side in comparison.sides],
        "changes": [_change(comparison, each, limit) for each in comparison.changes],
        "notes": list(comparison.notes),
    }


def _change(comparison: Comparison, change: Change, limit: int) -> dict[str, Any]:
    listed = {}
    for name in change.buckets:
        rows = comparison.bucket(name, change.name, limit) if limit else ()
        kept = ("id", "path", "label", "A", "A_probability", change.name, f"{change.name}_probability", "correlation")
        listed[name] = [{key: row[key] for key in kept} for row in rows]
    return {
        **{name: getattr(change, name) for name in ("name", "buckets", "same", "difference", "interval")},
        **{name: getattr(change, name) for name in ("p", "p_corrected", "correlation", "alike")},
        "classes": [_class(each) for each in change.classes],
        "moves": [_move(each) for each in change.moves],
        "listed": listed,
    }


def _class(one: ClassChange) -> dict[str, Any]:
    return {**asdict(one), "difference": one.difference}


def _move(one: Move) -> dict[str, Any]:
    mean = {**asdict(one.mean), "difference": one.mean.difference}
    return {"what": one.what, "words": one.words, "even": one.even, **mean}
