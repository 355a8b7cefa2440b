"""Confusion and mean maps of a whole run, in the bundle's shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from seewhy.results.questions.confusion import Confusion
from seewhy.results.questions.focus import Focus
from seewhy.results.questions.looking import Looked

_PAIRS, _CLASSES = 5_000, 24
_PLACES = ("border", "corners")


def confusion_of(confusion: Confusion, place: dict[int, int]) -> dict[str, Any]:
    """Pairs of classes and how often; of very many the most frequent wrong ones and the right ones of their classes.

    Args:
        place: of each class in the bundle's labels.
    """
    true, said, pictures = confusion.true, confusion.predicted, confusion.pictures
    kept = np.arange(len(true))
    if len(true) > _PAIRS:
        wrong = np.flatnonzero(true != said)
        wrong = wrong[np.argsort(-pictures[wrong], kind="stable")][: _PAIRS // 2]
        named = np.union1d(true[wrong], said[wrong])
        right = np.flatnonzero((true == said) & np.isin(true, named))
        kept = np.sort(np.concatenate([wrong, right]))
    where = [place[int(index)] for index in confusion.indices]
    pairs = [[where[true[k]], where[said[k]], int(pictures[k])] for k in kept]
    return {"pairs": pairs}


def focus_of(focus: Focus, place: dict[int, int]) -> dict[str, Any]:
    """Mean maps over all classes, and of the classes with the most answers."""
    answers: dict[int, int] = {}
    for one in focus.looked:
        answers[one.index] = answers.get(one.index, 0) + one.pictures
    kept = sorted(sorted(answers, key=lambda index: (-answers[index], index))[:_CLASSES])
    kinds = ("right", "wrong", "unknown")
    by_key = {(one.index, one.answers): (one, map) for one, map in zip(focus.looked, focus.maps, strict=True)}

    def of(index: int, kind: str) -> dict[str, Any] | None:
        found = by_key.get((index, kind))
        return None if found is None else _mean([found])

    every: dict[str, Any] = {
        kind: _mean([pair for key, pair in by_key.items() if key[1] == kind] or None) for kind in kinds
    }
    words = "Each map counts the same, whatever its scale; where a class is right and wrong, look at the difference."
    return {
        "how": words,
        "empty": focus.empty,
        "classes_count": len(answers),
        "all": every,
        "classes": [{"class": place[index], **{kind: of(index, kind) for kind in kinds}} for index in kept],
    }


def _mean(pairs: list[tuple[Looked, Any]] | None) -> dict[str, Any] | None:
    """Several mean maps as one, by their pictures."""
    if not pairs:
        return None
    total = sum(one.pictures for one, _ in pairs)
    map = sum(one.pictures * np.asarray(each, np.float64) for one, each in pairs) / total
    inside = "inside_mask" if any(one.inside_mask is not None for one, _ in pairs) else "inside_box"
    shares = {name: _weighted(pairs, name) for name in _PLACES} | {"inside": _weighted(pairs, inside)}
    return {"pictures": total, "map": np.asarray(map).tolist(), **shares}


def _weighted(pairs: list[tuple[Looked, Any]], name: str) -> float | None:
    known = [(one.pictures, value) for one, _ in pairs if (value := getattr(one, name)) is not None]
    total = sum(n for n, _ in known)
    return sum(n * value for n, value in known) / total if total else None
