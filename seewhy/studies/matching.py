"""Which output of the model a label of the data means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seewhy.errors import InputError, SeeWhyError, closest
from seewhy.targets import Scores

_TOLD = 5


@dataclass(frozen=True, eq=False)
class Matching:
    """From labels of the data to classes of the model.

    Args:
        known: class of each label that was matched before the work; None for labels that count as none.
        classes: how many classes the model has.
        labels: the model's own, or None.
        notes: what the user should know.
    """

    known: Mapping[str, int | None]
    classes: int
    labels: tuple[str, ...] | None
    notes: tuple[str, ...] = ()

    def of(self, label: str | int | None) -> int | None:
        """The class of a label.

        Raises:
            InputError: it is none of the model's.
        """
        if label is None:
            return None
        if str(label) in self.known:
            return self.known[str(label)]
        if isinstance(label, str) and label.isdecimal() and label not in (self.labels or ()):
            label = int(label)
        return _scores(self.classes, self.labels).index(label)

    def name(self, index: int) -> str:
        return self.labels[index] if self.labels is not None else f"class {index}"


def matched(
    found: Sequence[str], classes: int, labels: tuple[str, ...] | None, given: Mapping[str, str | int | None] | None
) -> Matching:
    """Matches the labels of the data to the model's classes by what is given, by name, by index, or by their order.

    Args:
        found: the data's labels, as far as they are known before the work.
        classes: how many classes the model has.
        labels: the model's own, or None.
        given: the class (its label or index) for a label of the data, or None for one that counts as no label.
    Raises:
        InputError: some labels match no class; the nearest are named.
    """
    plain, given = Matching({}, classes, labels), {str(label): wanted for label, wanted in (given or {}).items()}
    unknown = [name for name in given if name not in found] if found else []
    if unknown:
        raise InputError(
            f"classes= names {', '.join(map(repr, unknown[:_TOLD]))}, which no picture has",
            f"labels of the data: {', '.join(map(repr, found[:_TOLD]))}",
            "check the spelling",
        )
    for name, wanted in given.items():
        try:
            plain.of(wanted)
        except SeeWhyError as error:
            raise InputError(
                f"classes= takes {name!r} for {wanted!r}: {error.came}", error.expected, error.remedy
            ) from None
    known: dict[str, int | None] = {}
    wrong: list[str] = []
    for name in dict.fromkeys((*found, *given)):
        try:
            known[name] = plain.of(given[name]) if name in given else plain.of(name)
        except SeeWhyError:
            wrong.append(name)
    if not wrong:
        return Matching(known, classes, labels, _of_digits(found, given, labels))
    if labels is None and not given and len(found) == classes and len(wrong) == len(found):
        note = (
            "The model does not name its classes: the data's labels were taken in alphabetical order, "
            f"{', '.join(f'{i} = {name}' for i, name in enumerate(found[:4]))}"
            f"{' ...' if classes > 4 else ''}. If that is not the order of training, say wrap(model, labels=[...])."
        )
        return Matching({name: i for i, name in enumerate(found)}, classes, tuple(found), (note,))
    raise _unmatched(wrong, found, classes, labels)


def _of_digits(found: Sequence[str], given: Mapping[str, object], labels: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of digits are taken as indices; most trainers take folders in the order of the alphabet."""
    digits = [name for name in found if name.isdecimal() and name not in given and name not in (labels or ())]
    if len(digits) < 3 or digits == sorted(digits, key=int):
        return ()
    odd = next(name for i, name in enumerate(digits) if int(name) != i)
    return (
        f"The labels are digits and were taken as indices: {odd!r} is class {int(odd)}. ImageFolder and Keras sort "
        f"folders as text, where it is number {digits.index(odd)}; if the model was trained so, say so by classes=.",
    )


def _unmatched(wrong: Sequence[str], found: Sequence[str], classes: int, labels: tuple[str, ...] | None) -> InputError:
    shown = ", ".join(map(repr, wrong[:_TOLD])) + (" ..." if len(wrong) > _TOLD else "")
    if labels is None:
        return InputError(
            f"{len(found)} labels in the data ({shown}) for a model with {classes} classes that it does not name",
            "as many labels as classes, or a class for each",
            f"wrap(model, labels=[...]) with {classes} names, or classes={{{wrong[0]!r}: 0, ...}}",
        )
    near = {name: next(iter(closest(name, labels, 1)), None) for name in wrong[:_TOLD]}
    pairs = ", ".join(f"{name!r}: {nearest!r}" for name, nearest in near.items())
    remedy = f"classes={{{pairs}}} with the nearest names, if they are meant; None leaves a label out"
    if set(wrong) <= {"train", "training", "test", "val", "valid", "validation"}:
        remedy = f"name one of these folders as the data, as in .../{wrong[0]}"
    return InputError(
        f"{len(wrong)} of the data's {len(found)} labels match no class of the model: {shown}",
        f"the model's {classes} classes, such as {', '.join(map(repr, labels[:3]))}",
        remedy,
    )


def _scores(classes: int, labels: tuple[str, ...] | None) -> Scores:
    """Knows how a class is named or numbered."""
    return Scores(np.zeros((1, classes)), labels=labels)
