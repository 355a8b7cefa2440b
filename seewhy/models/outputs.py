"""What a model returns, of whatever framework: where the scores are in it, and what a user's function makes of it.

An array is anything with a shape and a dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from seewhy.errors import EvidenceError, InputError
from seewhy.evidence import Array
from seewhy.targets import Aim, Floats

KEYS = (
    *("logits", "logit", "scores", "class_logits", "output", "outputs", "out", "y"),
    *("pred", "preds", "prediction", "predictions", "probabilities", "probs", "prob"),
)
LOGARITHMS = "The model gives log p, and the step before was not found: log p is explained."
PROBABILITIES = "The model gives probabilities, and the step before was not found: log p is explained."
ODDS = (
    "The model gives numbers between 0 and 1 whatever the image, as a sigmoid does, and the step before was not found: "
    "log(p / (1 - p)) is explained."
)

_Candidate: TypeAlias = tuple[Array, Array]  # as the model returns it, and as scores


def seen_through(ending: str) -> str:
    """The note on a model that ends in a softmax, log-softmax or sigmoid."""
    return f"The model ends in {ending}; what is explained is the score before it."


def guided_note(others: Collection[str]) -> tuple[str, ...]:
    """The note on a guided way back through activations that are no ReLU."""
    if not others:
        return ()
    return (f"The guided rule changes ReLU alone: in this model {' and '.join(sorted(others))} went back as usual.",)


def no_relu(others: Collection[str]) -> EvidenceError:
    """The guided rule was asked of a model without ReLU."""
    return EvidenceError(
        "guided backpropagation through a model in which no ReLU runs"
        + (f"; it has {' and '.join(sorted(others))}" if others else ""),
        "a model with ReLUs, whose way back the rule changes",
        'take method="integrated_gradients" for the pixels, or "layerguided" for a fine map of the class',
    )


def scores_among(
    outputs: Any, asked: str | int | Callable[[Any], Any] | None, as_scores: Callable[[Any], Array | None]
) -> tuple[Array | None, tuple[str, ...]]:
    """The scores in `outputs`, or None where there is nothing like them, and what the user should know about them.

    Args:
        outputs: what the model returned.
        asked: wrap's outputs=: a key, an index or a function that picks the scores.
        as_scores: makes [batch, outputs] of an array that could be scores; None for others.
    Raises:
        EvidenceError: `asked` picks nothing that could be scores.
    """
    if asked is not None:
        picked = _picked(outputs, asked)
        scores = as_scores(picked)
        if scores is None:
            raise EvidenceError(
                f"outputs={asked!r} picks {describe(picked)}",
                "scores of shape [batch, classes]",
                "pick the scores, as in wrap(model, outputs=lambda out: out['logits'])",
            )
        return scores, ()
    named, others = (_with_a_batch(found) for found in _candidates(outputs, as_scores))
    if not named and not others:
        return None, ()
    note = (
        f"The model returns {describe(outputs)}; the first that could be scores is taken. "
        "wrap(model, outputs=...) picks another."
    )
    return (named or others)[0][1], (note,) if not named and len(others) > 1 else ()


def are_probabilities(scores: Floats, slack: float) -> bool:
    """Whether rows [batch, outputs] are of a softmax; those that are not finite do not count."""
    rows = scores[np.isfinite(scores).all(1)]
    if rows.shape[1] < 2 or not len(rows):
        return False
    return bool(rows.min() >= 0) and bool(np.abs(rows.sum(1) - 1).max() < slack)


def are_logarithms(scores: Floats, slack: float) -> bool:
    """Whether rows [batch, outputs] are of a log-softmax; those that are not finite do not count."""
    rows = scores[np.isfinite(scores).all(1)].astype(float)
    if rows.shape[1] < 2 or not len(rows):
        return False
    return bool(rows.max() <= 0) and bool(np.abs(np.log(np.exp(rows).sum(1))).max() < slack)


def describe(outputs: Any) -> str:
    """A model's outputs in a few words, for errors."""
    if _is_array(outputs):
        return f"an array of shape {list(outputs.shape)}"
    if isinstance(outputs, Mapping):
        return "a dictionary of " + ", ".join(f"{key!r}: {describe(value)}" for key, value in list(outputs.items())[:6])
    if isinstance(outputs, list | tuple):
        return f"a {type(outputs).__name__} of " + ", ".join(describe(value) for value in outputs[:6])
    return f"an object of type {type(outputs).__name__}"


def of_functions(row: Sequence[Aim], outputs: Any) -> dict[int, Array]:
    """image → its value, for targets that are a user's function; each function of the batch is called once."""
    found: dict[int, Array] = {}
    whole: dict[Callable[[Any], Any], Array] = {}
    for i, aim in enumerate(row):
        if aim.function is None:
            continue
        if aim.each:
            found[i] = _number(aim.function(_picture_of(outputs, i)))
            continue
        if aim.function not in whole:
            whole[aim.function] = _numbers(aim.function(outputs), len(row))
        found[i] = whole[aim.function][i]
    return found


def _is_array(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _with_a_batch(found: list[_Candidate]) -> list[_Candidate]:
    """Without the single numbers, which are a loss; where there is nothing else, one may be an image's one score."""
    return [one for one in found if len(one[0].shape)] or found


def _candidates(outputs: Any, as_scores: Callable[[Any], Array | None]) -> tuple[list[_Candidate], list[_Candidate]]:
    """What could be scores: under a name that says so, and elsewhere."""
    if _is_array(outputs):
        scores = as_scores(outputs)
        return [], [] if scores is None else [(outputs, scores)]
    if isinstance(outputs, Mapping):
        named, others = [outputs[key] for key in KEYS if key in outputs], list(outputs.values())
    elif isinstance(outputs, list | tuple) and not hasattr(outputs, "logits"):
        named, others = [], list(outputs)
    else:
        named, others = [getattr(outputs, key) for key in KEYS if hasattr(outputs, key)], []
    return [s for v in named for s in _all(v, as_scores)], [s for v in others for s in _all(v, as_scores)]


def _all(value: Any, as_scores: Callable[[Any], Array | None]) -> list[_Candidate]:
    if callable(value) and not _is_array(value):
        return []
    named, others = _candidates(value, as_scores)
    return named + others


def _picked(outputs: Any, asked: str | int | Callable[[Any], Any]) -> Any:
    if callable(asked):
        return asked(outputs)
    try:
        if isinstance(asked, str) and not isinstance(outputs, Mapping):
            return getattr(outputs, asked)
        return outputs[asked]
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise EvidenceError(
            f"outputs={asked!r}, but the model returns {describe(outputs)}",
            "a key, an index or a function that picks the scores",
            "look at what the model returns for one image",
        ) from error


def _numbers(given: Any, count: int) -> Array:
    shape = tuple(given.shape) if _is_array(given) else ()
    if shape[:1] != (count,) or int(np.prod(shape, dtype=int)) != count:
        raise InputError(
            f"output(function) whose function returns {describe(given)} for {count} images",
            f"an array of shape [{count}], one number for each image",
            "reduce all but the batch, as in lambda outputs: outputs['out'][:, 3].mean((1, 2))",
        )
    return given[(slice(None), *(0,) * (len(shape) - 1))]


def _number(given: Any) -> Array:
    if not _is_array(given) or int(np.prod(given.shape, dtype=int)) != 1:
        raise InputError(
            f"a target function that returns {describe(given)} for one picture's outputs",
            "an array with one number",
            "as in lambda scores: scores[3]; output(function) is called with the outputs of the whole batch",
        )
    return given if len(given.shape) == 0 else given[(0,) * len(given.shape)]


def _picture_of(outputs: Any, index: int) -> Any:
    """One picture's share of a model's outputs."""
    if _is_array(outputs):
        return outputs[index]
    if isinstance(outputs, Mapping):
        return {key: _picture_of(value, index) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return [_picture_of(value, index) for value in outputs]
    return outputs
