"""What each run says about the pictures that all share, column by column, with classes matched by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.errors import InputError, did_you_mean
from seewhy.results.arrays import Floats, Ints, floats, ints
from seewhy.results.questions.confusion import names_of
from seewhy.results.run import Run
from seewhy.results.tables import counted, line
from seewhy.studies.comparison.sharing import Shared

PLACES = ("inside_box", "inside_mask", "border", "corners")
Truths = np.ndarray[Any, np.dtype[np.bool_]]

_TOLD = 4  # names in a sentence


@dataclass(frozen=True, eq=False)
class Answers:
    """Of each run, for each picture that all of them answered.

    Args:
        names: of the classes: those of the first run, then what others have besides.
        label: int [n], the true class as a place in `names`; -1 without one that all runs know.
        said: int [runs, n], the predicted class.
        probability: float [runs, n], of the predicted class.
        of_label: float [runs, n], of the true class; NaN where not known.
        groups: int [n], of pictures that belong together; None where none do.
        shares: float [runs, n] by column: where the map lies.
        drawn: bool [runs, n], there is a map that is not empty.
    """

    names: tuple[str, ...]
    label: Ints
    said: Ints
    probability: Floats
    of_label: Floats
    groups: Ints | None
    shares: dict[str, Floats]
    drawn: Truths

    @property
    def judged(self) -> Truths:
        """bool [n]: the picture has a label."""
        return self.label >= 0

    @property
    def right(self) -> Truths:
        """bool [runs, n]; False without a label."""
        return np.asarray((self.said == self.label) & self.judged)


def answered(
    runs: Sequence[Run], found: Shared, classes: Mapping[str, str] | None, letters: Sequence[str]
) -> tuple[Shared, Answers, list[str]]:
    """The pictures with an answer in every run, what the answers are, and what to know about them.

    Args:
        classes: for a class of a later run the name that the first has for it.
        letters: what the runs are called.
    Raises:
        InputError: runs have no class in common, `classes` names one that is not there, or no picture has an answer in
            all.
    """
    own = [_names(run, classes if k else None) for k, run in enumerate(runs)]
    names = tuple(dict.fromkeys(name for each in own for name in each.values()))
    notes = _checked(own, classes, letters)
    place = {name: k for k, name in enumerate(names)}
    columns = ["label_index", "predicted_index", "probability", "loss", "map_scale", "group", *PLACES]
    tables = [run.select(columns).take(rows) for run, rows in zip(runs, found.places, strict=True)]

    def matched(column: str) -> Ints:
        return np.stack(
            [
                _matched(ints(table[column]), {i: place[name] for i, name in each.items()})
                for table, each in zip(tables, own, strict=True)
            ]
        )

    said, labels = matched("predicted_index"), matched("label_index")
    kept = np.flatnonzero((said >= 0).all(axis=0))
    for letter, answers in zip(letters, said, strict=True):
        if lost := int(np.count_nonzero(answers < 0)):
            notes.append(f"{counted(lost, 'shared picture')} without an answer in {letter}, left out")
    if not len(kept):
        raise InputError(
            "no picture has an answer in all runs",
            "runs whose models gave answers",
            "run.failures() lists what went wrong",
        )
    label, more = _labels(labels[:, kept], own, names, letters)

    def column(name: str) -> Floats:
        return np.stack([floats(table[name]).astype(np.float64)[kept] for table in tables])

    scale = column("map_scale")
    of_label = np.where(labels[:, kept] == label, np.exp(-column("loss")), np.nan)
    answers = Answers(
        names,
        label,
        said[:, kept],
        column("probability"),
        of_label,
        _groups(tables[0]["group"].take(kept)),
        {name: np.where(scale > 0, column(name), np.nan) for name in PLACES},
        scale > 0,
    )
    if answers.groups is not None:
        many = len(np.unique(answers.groups))
        notes.append(
            f"pictures belong together in {many:,} groups; means are drawn by group, but accuracies, recalls and "
            "McNemar's test take each picture for itself, so they look surer than they are"
        )
    return found.take(kept), answers, notes + more


def _names(run: Run, classes: Mapping[str, str] | None) -> dict[int, str]:
    """The name of each class of a run by its index; where several have one name, their places tell them apart."""
    if run.labels is not None:
        indices = list(range(len(run.labels)))
    else:
        outputs = int(run.settings.get("model", {}).get("outputs") or 0)
        indices = list(range(2 if outputs == 1 else outputs))
    names = [(classes or {}).get(name, name) for name in names_of(run, indices)]
    return dict(zip(indices, names, strict=True))


def _checked(own: Sequence[dict[int, str]], classes: Mapping[str, str] | None, letters: Sequence[str]) -> list[str]:
    """Notes about classes that not all runs have."""
    sets = [set(each.values()) for each in own]
    for given, meant in (classes or {}).items():
        if meant not in sets[0]:
            remedy = did_you_mean(meant, sets[0], f"its classes are {_listed(sorted(sets[0]))}")
            raise InputError(f"classes= takes {given!r} for {meant!r}", f"a class of {letters[0]}", remedy)
    if not set.intersection(*sets):
        which = next(k for k in range(1, len(sets)) if not sets[0] & sets[k] or k == len(sets) - 1)
        ours, theirs = sorted(sets[0]), sorted(sets[which])
        raise InputError(
            f"runs without a class in common: {letters[0]} has {_listed(ours)}, {letters[which]} {_listed(theirs)}",
            "classes of the same names, in any order",
            f"say which is which: classes={{{theirs[0]!r}: {ours[0]!r}, ...}}",
        )
    notes = []
    for letter, names in zip(letters[1:], sets[1:], strict=True):
        only = [(letters[0], sorted(sets[0] - names)), (letter, sorted(names - sets[0]))]
        said = [f"only {who} has {_listed(what)}" for who, what in only if what]
        if said:
            notes.append(f"other classes: {'; '.join(said)}")
    return notes


def _matched(indices: Ints, places: Mapping[int, int]) -> Ints:
    """Places in the common names for a run's own indices; -1 for none."""
    size = max([*places, int(indices.max(initial=0))]) + 1
    table = np.full(size + 1, -1, np.int64)  # the last one is for -1
    for index, place in places.items():
        table[index] = place
    return table[indices]


def _labels(
    labels: Ints, own: Sequence[dict[int, str]], names: tuple[str, ...], letters: Sequence[str]
) -> tuple[Ints, list[str]]:
    """The label of each picture, the first run's where it has one; -1 where a run does not know the class."""
    label, notes = labels[0].copy(), []
    for other in labels[1:]:
        label = np.where(label < 0, other, label)
    for letter, other in zip(letters[1:], labels[1:], strict=True):
        if differ := int(np.count_nonzero((other >= 0) & (labels[0] >= 0) & (other != labels[0]))):
            notes.append(f"{counted(differ, 'picture')} with another label in {letter}; those of {letters[0]} count")
    sets = [set(each.values()) for each in own]
    known = np.array([all(name in each for each in sets) for name in names])
    lacking = (label >= 0) & ~known[label]
    if lacking.any():
        which = sorted({names[k] for k in np.unique(label[lacking]).tolist()})
        many = counted(int(lacking.sum()), "picture")
        notes.append(f"{many} labelled {_listed(which)} not judged: not all models know the class")
    return np.where(lacking, -1, label), notes


def _groups(column: Any) -> Ints | None:
    """int [n]; a picture without a group is one of its own. None where no two pictures belong together."""
    codes = ints(column.combine_chunks().dictionary_encode().indices).astype(np.int64)
    alone = codes < 0
    if alone.all():
        return None
    codes[alone] = codes.max() + 1 + np.arange(int(alone.sum()))
    return codes if len(np.unique(codes)) < len(codes) else None


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD:,} more" if len(names) > _TOLD else ""
    return ", ".join(repr(line(name)) for name in names[:_TOLD]) + more
