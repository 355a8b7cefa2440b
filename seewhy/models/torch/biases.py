"""What a PyTorch model adds on its way: the constants of its linear steps, of batch norms, and where ReLU6 cuts off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from seewhy.errors import EvidenceError
from seewhy.evidence import Trial
from seewhy.models.torch.judging import total
from seewhy.models.torch.ops import wide
from seewhy.models.torch.passes import Pass
from seewhy.models.torch.trials import Judged
from seewhy.targets import Aim

_CONVOLUTIONS = {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
_SLACK = {torch.float64: 1e-8, torch.float32: 1e-3}  # of the sum of sizes; ResNet-50 is off by 1e-7, with TF32 more


class BiasWatch(TorchFunctionMode):
    """Keeps the output of each step that adds a constant, and that constant.

    Steps are convolutions, linear layers, batch norms, and what cuts off: f(x) - f'(x) x is the bound there, else 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met: list[tuple[torch.Tensor, torch.Tensor, bool]] = []  # output, constant, whether channels come last

    def __torch_function__(  # type: ignore[no-untyped-def]
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ):
        output = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "")
        if name == "linear" or name in _CONVOLUTIONS:
            added = args[2] if len(args) > 2 else (kwargs or {}).get("bias")
        elif function is F.batch_norm:
            added = _of_norm(*args, **(kwargs or {}))
        elif name in _CUTS:
            added = _beyond(output, *_CUTS[name](*args[1:], **(kwargs or {})))
        else:
            return output
        if added is None or not output.requires_grad:
            return output
        self.met.append((output, added, name == "linear"))
        return output.clone()  # what follows may work in place


_CUTS: dict[str, Callable[..., tuple[Any, Any]]] = {  # of a function's arguments behind the first → its bounds
    **dict.fromkeys(("relu6", "relu6_"), lambda inplace=False: (0.0, 6.0)),
    **dict.fromkeys(
        ("hardtanh", "hardtanh_"), lambda min_val=-1.0, max_val=1.0, inplace=False: (float(min_val), float(max_val))
    ),
    **dict.fromkeys(("clamp", "clamp_", "clip", "clip_"), lambda min=None, max=None: (min, max)),
}


def _beyond(output: torch.Tensor, low: Any, high: Any) -> torch.Tensor | None:
    """The bound where the output lies at it, else 0. None where the bounds are not two numbers, or add nothing."""
    if any(isinstance(bound, torch.Tensor) for bound in (low, high)) or not (low or high):
        return None
    output = output.detach()
    added = torch.zeros_like(output)
    if low is not None:
        added = added.masked_fill(output <= low, low)
    if high is not None:
        added = added.masked_fill(output >= high, high)
    return added


def _of_norm(
    input: torch.Tensor,
    running_mean: torch.Tensor | None,
    running_var: torch.Tensor | None,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> torch.Tensor | None:
    """The constant of a batch norm: what it makes of 0. None of one that takes its statistics from the batch."""
    if training or running_mean is None or running_var is None:
        return None
    added = -running_mean / (running_var + eps).sqrt()
    added = added if weight is None else added * weight
    return added if bias is None else added + bias


def biases(run: Pass, row: Sequence[Aim], room: int) -> tuple[Trial, list[torch.Tensor]]:
    """See `Evidence.biases`."""
    judged = Judged(row, 1, run.images)
    slopes: list[torch.Tensor] = []
    slack = 0.0
    found: list[list[torch.Tensor]] = []
    for start in range(0, len(run.images), room):
        part = run.images[start : start + room].detach().clone().requires_grad_()
        with BiasWatch() as watch:
            outputs, scores = run.trial(part, len(part), gradients=True)
        with torch.enable_grad():
            value = total(row[start : start + room], outputs, scores)
        if not value.requires_grad:
            raise run.cut_off()
        seen = [output for output, _, _ in watch.met]
        slope, *behind = torch.autograd.grad(value, [part, *seen], allow_unused=True)
        if slope is None:
            raise run.cut_off()
        judged.add(outputs, scores)
        slack = max(_SLACK.get(tensor.dtype, 0.02) for tensor in (part, *seen))
        slopes.append(wide(slope).movedim(1, -1))
        found.append(
            [
                _term(wide(gradient), wide(added), last, len(part))
                for gradient, (_, added, last) in zip(behind, watch.met, strict=True)
                if gradient is not None
            ]
        )
    trial, terms = judged.trial(torch.cat(slopes)[None]), [torch.cat(parts) for parts in zip(*found, strict=True)]
    _check_complete(trial, [wide(run.images).movedim(1, -1) * torch.cat(slopes), *terms], slack)
    return trial, terms


def _check_complete(trial: Trial, terms: Sequence[torch.Tensor], slack: float) -> None:
    """That the terms add up to the target's value, up to rounding."""
    shares = torch.stack([term.sum((1, 2, 3)) for term in terms])
    values = trial.values[0]
    far = (values - shares.sum(0)).abs() > slack * (values.abs() + shares.abs().sum(0))
    if far.any():
        worst = int(far.int().argmax())
        raise EvidenceError(
            f"shares of pixels and biases that add up to {float(shares[:, worst].sum()):.5g}, and a target of "
            f"{float(values[worst]):.5g}",
            "a network of convolutions, linear layers, batch norms, ReLU6, ReLU and pooling, without other constants, "
            "and the score of a class: there the shares add up",
            'take method="integrated_gradients", whose shares add up for any network, or "layerguided" for a fine map',
        )


def _term(gradient: torch.Tensor, added: torch.Tensor, last: bool, count: int) -> torch.Tensor:
    """float [count, height, width, channels], constant times gradient; 1 × 1 where there is no map."""
    if not last and gradient.ndim > 2:
        gradient, added = gradient.movedim(1, -1), added.movedim(1, -1) if added.ndim > 1 else added
    term = gradient * added
    if term.ndim == 4 and len(term) == count:
        return term
    return term.reshape(count, -1, term.shape[-1]).sum(1)[:, None, None]
