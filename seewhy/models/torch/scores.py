"""Where the scores are in what a PyTorch model returns, and what they were before a softmax or sigmoid at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from seewhy.errors import EvidenceError

KEYS = (
    *("logits", "logit", "scores", "class_logits", "output", "outputs", "out", "y"),
    *("pred", "preds", "prediction", "predictions", "probabilities", "probs", "prob"),
)
_KEPT = 8  # of the last softmaxes and sigmoids; attention has many
ENDS = {
    **dict.fromkeys(("softmax", "special_softmax"), "softmax"),
    **dict.fromkeys(("log_softmax", "special_log_softmax"), "log-softmax"),
    **dict.fromkeys(("sigmoid", "sigmoid_", "special_expit"), "sigmoid"),
}


class EndWatch(TorchFunctionMode):
    """Remembers the last softmaxes, log-softmaxes and sigmoids: (kind, input, output)."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: deque[tuple[str, torch.Tensor, torch.Tensor]] = deque(maxlen=_KEPT)

    def __torch_function__(  # type: ignore[no-untyped-def]
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ):
        name = getattr(function, "__name__", "")
        if name not in ENDS:
            return function(*args, **(kwargs or {}))
        before = args[0] if args else (kwargs or {})["input"]
        before = before.clone() if name.endswith("_") else before
        after = function(*args, **(kwargs or {}))
        if isinstance(before, torch.Tensor):
            self.ends.append((ENDS[name], before, after))
        return after


@dataclass(frozen=True, eq=False)
class Found:
    """Scores found in a model's outputs.

    Args:
        scores: float [batch, outputs] in autograd's graph, before softmax or sigmoid where that could be found.
        several: a sigmoid over several outputs.
        seen_through: a softmax, log-softmax or sigmoid stands behind these scores.
        notes: what the user should know about them.
    """

    scores: torch.Tensor
    several: bool
    seen_through: bool
    notes: tuple[str, ...]


def find_scores(
    outputs: Any, batch: int, asked: str | int | Callable[[Any], Any] | None, watch: EndWatch | None
) -> Found | None:
    """The scores in `outputs`, or None where there is nothing like them.

    Args:
        outputs: what the model returned.
        batch: how many images went in.
        asked: wrap's outputs=: a key, an index or a function that picks the scores.
        watch: the end watch under which the model ran.
    Raises:
        EvidenceError: `asked` picks nothing that could be scores.
    """
    notes: tuple[str, ...] = ()
    if asked is not None:
        picked = _picked(outputs, asked)
        scores = _two_dimensional(picked, batch)
        if scores is None:
            raise EvidenceError(
                f"outputs={asked!r} picks {describe(picked)}",
                f"scores of shape [{batch}, classes]",
                "pick the scores, as in wrap(model, outputs=lambda out: out['logits'])",
            )
    else:
        named, others = _candidates(outputs, batch)
        if not named and not others:
            return None
        scores = (named or others)[0]
        if not named and len(others) > 1:
            notes = (
                f"The model returns {describe(outputs)}; the first that could be scores is taken. "
                "wrap(model, outputs=...) picks another.",
            )
    for kind, before, after in reversed(watch.ends if watch is not None else ()):
        if after.numel() == scores.numel() and torch.equal(after.reshape(scores.shape), scores):
            note = f"The model ends in {kind}; what is explained is the score before it."
            return Found(before.reshape(scores.shape), kind == "sigmoid" and scores.shape[1] > 1, True, (*notes, note))
    if _are_logarithms(scores):
        note = "The model gives log p, and the step before was not found: log p is explained."
        return Found(scores, False, False, (*notes, note))
    if _are_probabilities(scores):
        note = "The model gives probabilities, and the step before was not found: log p is explained."
        logs = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
        return Found(logs, False, False, (*notes, note))
    return Found(scores, False, False, notes)


def describe(outputs: Any) -> str:
    """A model's outputs in a few words, for errors."""
    if isinstance(outputs, torch.Tensor):
        return f"a tensor of shape {list(outputs.shape)}"
    if isinstance(outputs, Mapping):
        return "a dictionary of " + ", ".join(f"{key!r}: {describe(value)}" for key, value in list(outputs.items())[:6])
    if isinstance(outputs, list | tuple):
        return f"a {type(outputs).__name__} of " + ", ".join(describe(value) for value in outputs[:6])
    return f"an object of type {type(outputs).__name__}"


def _candidates(outputs: Any, batch: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """What could be scores: under a name that says so, and elsewhere."""
    if isinstance(outputs, torch.Tensor):
        scores = _two_dimensional(outputs, batch)
        return [], [] if scores is None else [scores]
    if isinstance(outputs, Mapping):
        named, others = {key: outputs[key] for key in KEYS if key in outputs}, list(outputs.values())
    elif isinstance(outputs, list | tuple) and not hasattr(outputs, "logits"):
        named, others = {}, list(outputs)
    else:
        named, others = {key: getattr(outputs, key) for key in KEYS if hasattr(outputs, key)}, []
    return [s for value in named.values() for s in _all(value, batch)], [s for v in others for s in _all(v, batch)]


def _all(value: Any, batch: int) -> list[torch.Tensor]:
    if callable(value) and not isinstance(value, torch.Tensor):
        return []
    named, others = _candidates(value, batch)
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


def _two_dimensional(tensor: Any, batch: int) -> torch.Tensor | None:
    """[n, classes] from [n], [n, classes] or [n, classes, 1, 1], for one image also squeezed; None for others."""
    if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
        return None
    if batch == 1 and (tensor.ndim == 0 or (tensor.ndim == 1 and tensor.numel() > 1)):
        return tensor.reshape(1, -1)
    if tensor.ndim == 0:
        return None
    if tensor.shape[0] != batch or tensor.numel() == 0 or tensor.ndim == 3:
        return None
    if tensor.ndim == 1:
        return tensor[:, None]
    if tensor.ndim > 2 and any(side != 1 for side in tensor.shape[2:]):
        return None
    return tensor.flatten(1)


def _are_probabilities(scores: torch.Tensor) -> bool:
    values = scores.detach().float()
    return scores.shape[1] > 1 and bool((values.min() >= 0) & ((values.sum(1) - 1).abs().max() < _slack(scores)))


def _are_logarithms(scores: torch.Tensor) -> bool:
    values = scores.detach().float()
    return scores.shape[1] > 1 and bool((values.max() <= 0) & (values.logsumexp(1).abs().max() < _slack(scores)))


def _slack(scores: torch.Tensor) -> float:
    return 1e-3 if scores.dtype in (torch.float32, torch.float64) else 2e-2
