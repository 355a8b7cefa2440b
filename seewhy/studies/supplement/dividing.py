"""What is trained on, what is held out, and which part of a supplement a share is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seewhy.errors import InputError
from seewhy.results.tables import counted
from seewhy.studies.supplement.pictures import Item, Label


def held_out(items: Sequence[Item], share: float, seed: int) -> list[Item]:
    """Pictures of each class by chance, the same whatever their order; what belongs together stays together.

    Args:
        items: all pictures.
        share: of each class, at least; identical pictures and those of one group are on one side.
        seed: of what is drawn.
    """
    units = _units(items)
    taken: set[int] = set()
    counts: dict[Label, int] = {}
    for place, label in enumerate(sorted({item.label for item in items}, key=str)):
        own = [i for i, unit in enumerate(units) if any(item.label == label for item in unit)]
        wanted = max(1, round(share * sum(item.label == label for item in items)))
        for number in np.random.default_rng([seed, place]).permutation(len(own)):
            if counts.get(label, 0) >= wanted:
                break
            if own[number] not in taken:
                taken.add(own[number])
                for item in units[own[number]]:
                    counts[item.label] = counts.get(item.label, 0) + 1
    return [item for i in sorted(taken) for item in units[i]]


def without(items: Sequence[Item], others: Sequence[Item]) -> list[Item]:
    """The items whose picture is not among the others, byte by byte."""
    known = {item.hash for item in others}
    return [item for item in items if item.hash not in known]


def part_of(supplement: Sequence[Item], share: float, seed: int) -> list[Item]:
    """So large a share of each class's pictures of a supplement: a larger share of the same seed holds a smaller one.

    Args:
        share: 0..1, rounded to whole pictures in each class.
        seed: of the training.
    """
    kept = []
    for place, label in enumerate(sorted({item.label for item in supplement}, key=str)):
        own = [item for item in _in_order(supplement) if item.label == label]
        order = np.random.default_rng([seed, place, 1]).permutation(len(own))
        kept += [own[i] for i in order[: int(share * len(own) + 0.5)]]
    return kept


def checked_shares(shares: Sequence[float]) -> tuple[float, ...]:
    """Rising, each once.

    Raises:
        InputError: none, or one outside 0..1.
    """
    try:
        found = tuple(sorted({float(share) for share in shares}))
    except (TypeError, ValueError):
        found = ()
    if not found or not all(0 <= share <= 1 for share in found):
        raise InputError(f"shares={shares!r}", "numbers from 0 to 1", "as in shares=(0, .25, .5, .75, 1)")
    return found


def need_training(items: Sequence[Item], classes: Sequence[Label], left_out: int) -> None:
    """Raises an InputError where a class has no picture left to train on."""
    missing = [str(label) for label in classes if not any(item.label == label for item in items)]
    if missing:
        gone = f"; {counted(left_out, 'picture')} were held out, too" if left_out else ""
        raise InputError(
            f"no picture left to train on of {', '.join(missing[:5])}{gone}",
            "pictures of each class beside those that are held out",
            "hold out fewer, or pictures that are not in the data",
        )


def _in_order(items: Sequence[Item]) -> list[Item]:
    return sorted(items, key=lambda item: (item.hash, str(item.label), item.number))


def _units(items: Sequence[Item]) -> list[list[Item]]:
    """What must not be torn apart: pictures of one group, and identical ones."""
    units: dict[int, list[Item]] = {}
    home: dict[tuple[str, str], int] = {}
    for number, item in enumerate(_in_order(items)):
        keys = [("hash", item.hash)] + ([] if item.group is None else [("group", item.group)])
        known = sorted({home[key] for key in keys if key in home})
        units[number] = [item]
        for other in known:
            units[number] = units.pop(other) + units[number]
        for one in units[number] if known else [item]:
            home[("hash", one.hash)] = number
            if one.group is not None:
                home[("group", one.group)] = number
    return list(units.values())
