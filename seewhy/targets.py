"""What is asked of a model: a direction in the space of its scores.

A target says for each picture what number is to be explained and how that number changes with the scores. The
derivative is the seed of the backward pass, the same NumPy array on every framework.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeAlias, TypeGuard

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model gave for a batch, before softmax or sigmoid.

    Args:
        values: float [batch, outputs]. One output stands for two classes: class 1 is +logit, class 0 is -logit.
        several: True where a picture can have several labels at once (known by a sigmoid over several outputs).
        labels: a name for each class, or None.
    """

    values: Floats
    several: bool = False
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.labels is not None and self.outputs and len(self.labels) != self.classes:
            raise InputError(
                f"{len(self.labels)} labels for a model with {self.classes} classes",
                "one label for each class, in the order of the model's outputs"
                + (" (a model with one output has two classes: class 0 is -logit)" if self.single else ""),
                f"wrap(model, labels=[...]) with {self.classes} names",
            )

    @property
    def outputs(self) -> int:
        return int(self.values.shape[1])

    @property
    def single(self) -> bool:
        return self.outputs == 1

    @property
    def classes(self) -> int:
        return 2 if self.single else self.outputs

    @cached_property
    def of_classes(self) -> Floats:
        """float [batch, classes]: the score of each class; for one output (-logit, +logit)."""
        return np.concatenate([-self.values, self.values], axis=1) if self.single else self.values

    @cached_property
    def probabilities(self) -> Floats:
        """float [batch, classes]: softmax, or sigmoid for one output or several labels."""
        return probabilities(self.values, self.several)

    @cached_property
    def predicted(self) -> np.ndarray[Any, np.dtype[np.intp]]:
        found: np.ndarray[Any, np.dtype[np.intp]] = np.argmax(self.of_classes, axis=1)
        return found

    def label(self, index: int) -> str:
        return self.labels[index] if self.labels is not None else f"class {index}"

    def index(self, wanted: int | str) -> int:
        """The class index for an index or a label.

        Raises:
            InputError: the index is out of range, there are no labels, or the label is that of several classes.
            UnknownNameError: no class has that label; the nearest are named.
        """
        if not isinstance(wanted, str):
            if not 0 <= wanted < self.classes:  # -1 too: in tables of labels it stands for 'none'
                remedy = "check the order of the model's outputs"
                if wanted in (-1, self.classes):
                    remedy = f"count classes from 0; the last is {self.classes - 1}"
                raise InputError(
                    f"class {wanted} of a model with {self.classes} classes",
                    f"an index from 0 to {self.classes - 1}",
                    remedy,
                )
            return int(wanted)
        as_index = f"write {int(wanted)}, without quotes, for the class of that index" if wanted.isdecimal() else ""
        if self.labels is None:
            raise InputError(
                f"target {wanted!r} for a model without labels",
                f"a class index from 0 to {self.classes - 1}, or a model with labels",
                as_index or "wrap(model, labels=[...]) names the classes, in the order of the model's outputs",
            )
        for key in (lambda label: [label], _spellings):
            found = [i for i, label in enumerate(self.labels) if set(key(wanted)) & set(key(label))]
            if len(found) == 1:
                return found[0]
            if found:
                raise InputError(
                    f"{len(found)} classes are called {wanted!r}",
                    "a label that one class has",
                    f"ask for the class by its index: {' or '.join(map(str, found))}",
                )
        raise UnknownNameError(
            f"no class is called {wanted!r}",
            f"one of the model's {self.classes} labels, or a class index",
            as_index
            or did_you_mean(wanted, self.labels, f"the first labels are {', '.join(map(repr, self.labels[:3]))}"),
        )


def probabilities(values: Floats, several: bool) -> Floats:
    """float [batch, classes] from scores [batch, outputs]: softmax, or sigmoid for one output or several labels."""
    if values.shape[1] == 1 or several:
        ones = 0.5 * (1 + np.tanh(0.5 * values))  # never overflows
        return np.concatenate([1 - ones, ones], axis=1) if values.shape[1] == 1 else ones
    shifted = np.exp(values - values.max(axis=1, keepdims=True, initial=-np.inf))
    shares: Floats = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


def margins(values: Floats, index: int, several: bool) -> Floats:
    """float [batch]: by how much the score of a class exceeds those of all others, which is its log odds.

    Args:
        values: float [batch, outputs], before softmax or sigmoid.
        index: the class.
        several: as in Scores.
    """
    if values.shape[1] == 1:
        return values[:, 0] if index else -values[:, 0]
    if several:
        return values[:, index]
    others = np.delete(values, index, axis=1)
    highest = others.max(axis=1)
    found: Floats = values[:, index] - highest - np.log(np.exp(others - highest[:, None]).sum(axis=1))
    return found


def _margin_slopes(values: Floats, index: int, several: bool) -> Floats:
    """float [batch, outputs]: the derivative of `margins` by the scores."""
    if values.shape[1] == 1:
        return np.full(values.shape, 1.0 if index else -1.0)
    found = np.zeros(values.shape)
    found[:, index] = 1
    if not several:
        rest = np.delete(np.arange(values.shape[1]), index)
        found[:, rest] = -probabilities(values[:, rest], False) if len(rest) > 1 else -1
    return found


def _spellings(label: str) -> list[str]:
    """ImageNet's labels list synonyms ('tabby, tabby cat') and are written with spaces or underscores."""
    plain = label.lower().replace("_", " ")
    return [plain.strip(), *(part.strip() for part in plain.split(",") if "," in plain)]


@dataclass(frozen=True, eq=False)
class Aim:
    """One target settled for one picture: which number is explained there.

    Args:
        asked: the target in words: 'predicted', 'top 2', 'cat rather than dog'.
        label: what the number stands for: a class's label, or the words of `asked`.
        index: the class, where the target is about one class.
        weights: float [outputs], the direction in the space of scores; None where `function` says it.
        several: as in Scores.
        probability: the value is the probability of class `index`, not its score.
        margin: the value is the margin of class `index`: its score less the log-sum-exp of the others.
        function: a user's function of the framework's outputs, called by the model's adapter.
        each: the function takes one picture's outputs instead of the batch's.
    """

    asked: str
    label: str
    index: int | None = None
    weights: Floats | None = None
    several: bool = False
    probability: bool = False
    margin: bool = False
    function: Callable[[Any], Any] | None = None
    each: bool = False

    def value(self, scores: Floats) -> Floats:
        """float [m] for scores [m, outputs]: the number explained."""
        if self.probability:
            assert self.index is not None
            return probabilities(scores, self.several)[:, self.index]
        if self.margin:
            assert self.index is not None
            return margins(scores, self.index, self.several)
        assert self.weights is not None
        values: Floats = scores @ self.weights
        return values

    def direction(self, scores: Floats) -> Floats:
        """float [m, outputs] for scores [m, outputs]: the derivative of `value` by the scores."""
        if self.margin:
            assert self.index is not None
            return _margin_slopes(scores, self.index, self.several)
        if not self.probability:
            assert self.weights is not None
            return np.broadcast_to(self.weights, scores.shape)
        assert self.index is not None
        p = probabilities(scores, self.several)
        own = p[:, self.index, None]
        if scores.shape[1] == 1:
            found: Floats = (1.0 if self.index else -1.0) * own * (1 - own)
        else:
            unit = np.eye(scores.shape[1])[self.index]
            found = own * (1 - own) * unit if self.several else own * (unit - p)
        return found


def directions(row: Sequence[Aim], scores: Floats) -> Floats:
    """float [m, outputs]: the derivative of each image's target by its scores; zero for a user's function."""
    none = np.zeros(scores.shape[1])
    return np.stack([none if a.function is not None else a.direction(scores[i : i + 1])[0] for i, a in enumerate(row)])


def values(row: Sequence[Aim], scores: Floats) -> Floats:
    """float [m]: each image's target's value; NaN for a user's function."""
    return np.array(
        [np.nan if a.function is not None else a.value(scores[i : i + 1])[0] for i, a in enumerate(row)], float
    )


def chances(row: Sequence[Aim], scores: Floats) -> Floats | None:
    """float [m]: the probability of each image's target's class; None where a target is not about one class."""
    indices = [aim.index for aim in row if aim.index is not None]
    if len(indices) < len(row):
        return None
    found: Floats = probabilities(scores, row[0].several)[np.arange(len(row)), np.array(indices, int)]
    return found


class Target(Protocol):
    """Anything that can settle itself for one picture of a batch."""

    def settle(self, scores: Scores, picture: int) -> list[Aim]: ...


TargetLike: TypeAlias = "int | str | Target | Callable[[Any], Any] | Sequence[TargetLike] | None"


def as_targets(asked: TargetLike) -> tuple[list[Target], bool]:
    """The targets in `asked`, and whether several were meant (so that the answer is a sequence).

    Raises:
        InputError: something in `asked` is no target.
    """
    if isinstance(asked, list | tuple):
        if not asked:
            raise InputError(
                "an empty list of targets", "at least one target", "leave target= out: the predicted class"
            )
        return [target for one in asked for target in as_targets(one)[0]], True
    if isinstance(asked, Top):
        return [asked], True
    if asked is None:
        return [Top(1, "predicted")], False
    if isinstance(asked, bool | float | np.floating):
        raise InputError(f"target {asked!r}", "a class index or a label", "write target=int(...)")
    if isinstance(asked, int | np.integer | str):
        return [Toward(asked if isinstance(asked, str) else int(asked))], False
    if _is_target(asked):
        return [asked], False
    if callable(asked):
        return [Output(asked, each=True)], False
    if getattr(asked, "shape", None) == () and hasattr(asked, "item"):  # an index in an array without dimensions
        return as_targets(asked.item())
    raise InputError(
        f"a target of type {type(asked).__name__}",
        "a class index, a label, top(k), versus(a, b), against(c), probability(c), output(function), or a list of them",
        "one target for each picture is targets=[...] of explain_many",
    )


def _is_target(asked: object) -> TypeGuard[Target]:
    return hasattr(asked, "settle")


@dataclass(frozen=True)
class Top:
    """The `count` highest-scored classes of each picture."""

    count: int
    word: str = "top"

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        if not 1 <= self.count <= scores.classes:
            raise InputError(
                f"top({self.count}) of a model with {scores.classes} classes",
                f"a count from 1 to {scores.classes}",
                f"write top({min(max(self.count, 1), scores.classes)})",
            )
        order = np.argsort(-scores.of_classes[picture], kind="stable")[: self.count]
        words = (f"{self.word} {rank}" if self.word == "top" else self.word for rank in range(1, self.count + 1))
        return [_toward(scores, int(index), word) for index, word in zip(order, words, strict=True)]


@dataclass(frozen=True)
class Toward:
    """The score of one class."""

    wanted: int | str

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        index = scores.index(self.wanted)
        return [_toward(scores, index, scores.label(index))]


@dataclass(frozen=True)
class Versus:
    """The score of one class less that of another: what speaks for `wanted` rather than `other`."""

    wanted: int | str
    other: int | str

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        one, two = scores.index(self.wanted), scores.index(self.other)
        if one == two:
            raise InputError(f"versus({self.wanted!r}, {self.other!r})", "two different classes", "name another class")
        words = f"{scores.label(one)} rather than {scores.label(two)}"
        # One output is the log odds of its two classes already; the difference of +z and -z would count it twice.
        weights = _unit(scores, one) if scores.single else _unit(scores, one) - _unit(scores, two)
        return [Aim(words, words, weights=weights)]


@dataclass(frozen=True)
class Against:
    """The negative score of a class: what would lower it."""

    wanted: int | str

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        index = scores.index(self.wanted)
        words = f"against {scores.label(index)}"
        return [Aim(words, words, weights=-_unit(scores, index))]


@dataclass(frozen=True)
class Probability:
    """The probability of a class: its score with those of its rivals taken into account."""

    wanted: int | str

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        index = scores.index(self.wanted)
        label = scores.label(index)
        return [Aim(f"probability of {label}", label, index, several=scores.several, probability=True)]


@dataclass(frozen=True)
class Output:
    """A number that a user's function computes from the framework's outputs."""

    function: Callable[[Any], Any]
    each: bool = False

    def settle(self, scores: Scores, picture: int) -> list[Aim]:
        words = getattr(self.function, "__name__", type(self.function).__name__)
        return [Aim(words, words, function=self.function, each=self.each)]


def top(count: int) -> Top:
    """The `count` highest-scored classes of each picture, best first.

    Args:
        count: how many classes, at least 1 and at most the number of the model's classes.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer):
        raise InputError(f"top({count!r})", "how many classes, a whole number", "write top(3)")
    return Top(int(count))


def versus(wanted: int | str, other: int | str) -> Versus:
    """'Why this class rather than that one?': the difference of their scores.

    That is the log odds of the two classes. Of a model with one output it is the output itself, which is their log odds
    already, or its negative.

    Args:
        wanted: class index or label that the map speaks for.
        other: class index or label that it is held against.
    """
    return Versus(_class("versus", wanted), _class("versus", other))


def against(wanted: int | str) -> Against:
    """What speaks against a class: the negative of its score.

    Args:
        wanted: class index or label.
    Source:
        Selvaraju et al. 2017, arXiv:1610.02391, section 3.3, the counterfactual explanation.
    """
    return Against(_class("against", wanted))


def probability(wanted: int | str) -> Probability:
    """The probability of a class instead of its score: what its rivals lose counts too.

    Args:
        wanted: class index or label.
    """
    return Probability(_class("probability", wanted))


def output(function: Callable[[Any], Any]) -> Output:
    """A number of your own, computed from the model's outputs with the framework's own operations.

    Args:
        function: takes the outputs of the whole batch as the model returns them and returns a tensor [batch]. (A bare
            function as `target` is called with the outputs of one picture at a time and returns one number.)
    """
    if not callable(function):
        raise InputError(
            f"output({function!r})", "a function of the model's outputs", "as in output(lambda outputs: outputs[:, 3])"
        )
    return Output(function)


def _class(word: str, wanted: Any) -> int | str:
    """A class index or label as given; an index in an array without dimensions as a number."""
    if getattr(wanted, "shape", None) == () and hasattr(wanted, "item"):
        wanted = wanted.item()
    if isinstance(wanted, bool) or not isinstance(wanted, int | str):
        raise InputError(
            f"{wanted!r} as a class for {word}()", "a class index or a label", "write a whole number from 0, or a label"
        )
    return wanted


def _unit(scores: Scores, index: int) -> Floats:
    """float [outputs]: the direction in which the score of a class grows."""
    if scores.single:
        return np.array([1.0 if index else -1.0])
    unit = np.zeros(scores.outputs)
    unit[index] = 1.0
    return unit


def _toward(scores: Scores, index: int, words: str) -> Aim:
    return Aim(words, scores.label(index), index, _unit(scores, index), scores.several)
