"""Where the scores are in what a PyTorch model returns, and what they were before a softmax or sigmoid at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from seewhy.models.outputs import LOGARITHMS, PROBABILITIES, scores_among, seen_through

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
    scores, notes = scores_among(outputs, asked, partial(_two_dimensional, batch=batch))
    if scores is None:
        return None
    for kind, before, after in reversed(watch.ends if watch is not None else ()):
        if after.numel() == scores.numel() and torch.equal(after.reshape(scores.shape), scores):
            several = kind == "sigmoid" and scores.shape[1] > 1
            return Found(before.reshape(scores.shape), several, True, (*notes, seen_through(kind)))
    if _are_logarithms(scores):
        return Found(scores, False, False, (*notes, LOGARITHMS))
    if _are_probabilities(scores):
        logs = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
        return Found(logs, False, False, (*notes, PROBABILITIES))
    return Found(scores, False, False, notes)


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
