"""The buckets that pictures fall into when two models are compared."""

from __future__ import annotations

import numpy as np

from seewhy.errors import UnknownNameError, did_you_mean
from seewhy.results.arrays import Floats, Ints
from seewhy.studies.comparison.answering import Answers

BROKEN, FIXED, BOTH_WRONG, BOTH_RIGHT, CHANGED, SAME = range(6)
BUCKETS = ("newly broken", "fixed", "both wrong", "both right", "changed answer", "same answer")
REASON = "different reason"
NAMES = (*BUCKETS, REASON)
MEANING = {
    "newly broken": "right in {0}, wrong in {1}",
    "fixed": "wrong in {0}, right in {1}",
    "both wrong": "",
    "both right": "",
    "changed answer": "without a label",
    "same answer": "without a label",
}


def buckets(answers: Answers, other: int) -> Ints:
    """int8 [n]: the bucket of each picture, as a place in BUCKETS, when a run is held against the first."""
    first, second = answers.right[0], answers.right[other]
    same = answers.said[0] == answers.said[other]
    judged = np.select([first & ~second, ~first & second, first], [BROKEN, FIXED, BOTH_RIGHT], BOTH_WRONG)
    return np.where(answers.judged, judged, np.where(same, SAME, CHANGED)).astype(np.int8)


def ranked(name: str, codes: Ints, likeness: Floats, reason: Ints, answers: Answers, other: int) -> Ints:
    """The pictures of a bucket, what changed most first: places.

    By how sure the other model is of its answer where that changed, else by how unlike the maps are.

    Args:
        codes: of `buckets`.
        likeness: float [n], the correlation of the maps; NaN where not judged.
        reason: bool [n], the same answer for a different reason.
    """
    places = np.flatnonzero(reason if name == REASON else codes == BUCKETS.index(name))
    by_map = np.where(np.isnan(likeness[places]), np.inf, likeness[places])
    by_answer = -answers.probability[other][places]
    changed = name in ("newly broken", "fixed", "changed answer")
    order = np.lexsort((places, by_map, by_answer) if changed else (places, by_answer, by_map))
    found: Ints = places[order]
    return found


def named(bucket: str) -> str:
    """A bucket's name as it is kept: 'newly-broken' and 'newly_broken' are 'newly broken'.

    Raises:
        UnknownNameError: no such bucket.
    """
    name = str(bucket).replace("-", " ").replace("_", " ").strip().lower()
    name = REASON if name == "same answer, different reason" else name
    if name not in NAMES:
        remedy = did_you_mean(name, NAMES, "write 'newly broken'")
        raise UnknownNameError(f"no bucket {bucket!r}", f"one of {', '.join(map(repr, NAMES))}", remedy)
    return name
