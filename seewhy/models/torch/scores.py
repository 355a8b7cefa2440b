"""Where the scores are in what a PyTorch model returns, and what they were before a softmax or sigmoid at its end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from seewhy.models.outputs import (
    LOGARITHMS,
    ODDS,
    PROBABILITIES,
    are_logarithms,
    are_probabilities,
    scores_among,
    seen_through,
)
from seewhy.models.torch.ops import host, wide

_KEPT = 8  # of the last softmaxes and sigmoids; attention has many
_FAR = 50  # times an ordinary score
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
    outputs: Any,
    batch: int,
    asked: str | int | Callable[[Any], Any] | None,
    watch: EndWatch | None,
    squashed: bool = False,
) -> Found | None:
    """The scores in `outputs`, or None where there is nothing like them.

    Args:
        outputs: what the model returned.
        batch: how many images went in.
        asked: wrap's outputs=: a key, an index or a function that picks the scores.
        watch: the end watch under which the model ran.
        squashed: the outputs are known to be between 0 and 1 for every image.
    Raises:
        EvidenceError: `asked` picks nothing that could be scores.
    """
    scores, notes = scores_among(outputs, asked, partial(_two_dimensional, batch=batch))
    if scores is None:
        return None
    for kind, before, after in reversed(watch.ends if watch is not None else ()):
        # nearly: what comes after may keep away from 0 and 1, as clamp(1e-6, 1 - 1e-6)
        if after.numel() == scores.numel() and bool(((after.reshape(scores.shape) - scores).abs() < 1e-4).all()):
            several = kind == "sigmoid" and scores.shape[1] > 1
            return Found(before.reshape(scores.shape), several, True, (*notes, seen_through(kind)))
    if squashed:
        return Found(_log_odds(scores), scores.shape[1] > 1, False, (*notes, ODDS))
    if are_logarithms(host(scores), _slack(scores)):
        return Found(scores, False, False, (*notes, LOGARITHMS))
    if are_probabilities(host(scores), _slack(scores)):
        logs = scores.clamp_min(torch.finfo(scores.dtype).tiny).log()
        return Found(logs, False, False, (*notes, PROBABILITIES))
    return Found(scores, False, False, notes)


def is_squashed(
    forward: Callable[[torch.Tensor], Any], image: torch.Tensor, asked: Any, found: Found, heads: Sequence[nn.Module]
) -> bool:
    """Whether scores between 0 and 1 come from a sigmoid that was not seen: nothing brings them out of there.

    A score may lie there by chance. So the layers that could give the scores are pushed up and down, and then the
    image is made extreme, for those whose last step is no layer. Other models never run more often for this.

    Args:
        forward: the model.
        image: [1, channels, height, width].
        asked: wrap's outputs=.
        found: the scores of that image.
        heads: layers that give as many numbers as there are scores.
    """
    if found.seen_through or not _within(found.scores):
        return False
    for push, factor in ((_FAR, 1), (-_FAR, 1), (0, _FAR), (0, -_FAR)):
        hooks = [part.register_forward_hook(lambda _, __, output, push=push: output + push) for part in heads]
        try:
            with torch.no_grad():
                tried = find_scores(forward(image * factor), 1, asked, None)
        except Exception:  # the model does not take such an image: nothing is known
            return False
        finally:
            for hook in hooks:
                hook.remove()
        if tried is None or not _within(tried.scores):
            return False
    return True


def _within(scores: torch.Tensor) -> bool:
    """Between 0 and 1; some may be NaN, as exp(z) / (1 + exp(z)) is far out."""
    known = scores[~scores.isnan()]
    return bool(known.numel()) and bool(((known >= 0) & (known <= 1)).all())


def _log_odds(p: torch.Tensor) -> torch.Tensor:
    """log(p / (1 - p)); the gradient goes on also where p is rounded to 0 or 1."""
    p = wide(p)
    least = torch.finfo(p.dtype).eps / 2
    p = p + (p.clamp(least, 1 - least) - p).detach()
    return p.log() - (-p).log1p()


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


def _slack(scores: torch.Tensor) -> float:
    return 1e-3 if scores.dtype in (torch.float32, torch.float64) else 2e-2
