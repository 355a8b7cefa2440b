"""Where the model looked when it gave an answer, in numbers: shares of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seewhy.results.tables import percent

PLACES = ("border", "corners", "inside_box", "inside_mask")
EVEN = {"border": 0.36, "corners": 0.25}  # of a map that is the same everywhere
TITLE = "where it looked: mean share of the map"
ANSWERS = ("unknown", "wrong", "right")  # by `correct` + 1, where null is -1
SHOWN = 20  # classes that are printed


@dataclass(frozen=True)
class Looked:
    """Where the model looked when it gave one answer.

    Args:
        name, index: the class that was predicted.
        answers: 'right', 'wrong', or 'unknown' where there is no label.
        pictures: how many; those with an empty map are not counted.
        border, corners, inside_box, inside_mask: mean shares of the map; None where not known for any picture.
    """

    name: str
    index: int
    answers: str
    pictures: int
    border: float | None
    corners: float | None
    inside_box: float | None
    inside_mask: float | None


def table(looked: Sequence[Looked], names: Sequence[str] | None = None) -> tuple[list[list[str]], range]:
    """A row for each predicted class, right and wrong beside each other; and which columns hold numbers.

    Args:
        names: the classes that are shown; None: the first twenty.
    """
    shown = [place for place in PLACES if any(getattr(each, place) is not None for each in looked)]
    kinds = [kind for kind in ("right", "wrong") if any(each.answers == kind for each in looked)] or ["unknown"]
    words = {"right": " right", "wrong": " wrong", "unknown": ""}
    heads = ["predicted", *(f"pictures{words[kind]}" for kind in kinds)]
    heads += [f"{place.replace('_', ' ')}{words[kind]}" for place in shown for kind in kinds]
    by_key = {(each.name, each.answers): each for each in looked}
    rows = []
    for name in list(dict.fromkeys(each.name for each in looked))[:SHOWN] if names is None else names:
        ones = [by_key.get((name, kind)) for kind in kinds]
        counts = [f"{one.pictures:,}" if one else "0" for one in ones]
        rows.append([name, *counts, *(percent(getattr(one, place, None)) for place in shown for one in ones)])
    even = [percent(EVEN.get(place), 0) if place in EVEN else "" for place in shown for _ in kinds]
    return [heads, *rows, ["an even map", *("" for _ in kinds), *even]], range(1, len(heads))
