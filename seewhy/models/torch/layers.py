"""Which layers a PyTorch model has, in order of execution, where maps can be taken, and which is taken by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import prod
from typing import Any
from weakref import ref

import torch
from torch import nn

from seewhy.errors import EvidenceError
from seewhy.evidence import Layer
from seewhy.models.grids import Grid, find_grid
from seewhy.models.torch.scores import EndWatch, find_scores, is_squashed

CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
POOLING = (
    *(nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.FractionalMaxPool2d),
    *(nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)
MAPPING = (nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, *POOLING)  # always [n, c, h, w]
Forward = Callable[[torch.Tensor], Any]


@dataclass
class Call:
    """The last call of a module in a survey."""

    name: str
    module: nn.Module
    order: int
    shape: tuple[int, ...] | None
    group: int  # calls that give the same tensor share a group
    grid: Grid | None
    tensor: torch.Tensor | None
    count: int = 1
    reached: bool | None = None  # whether a gradient comes back to it; None where that could not be asked
    silent: bool = False  # the gradient is zero at every place


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass tells about a model.

    Args:
        parts: the modules by name, held weakly, to notice a model that was changed since.
        layers: all layers, in order of execution, those that never ran at the end.
        grids: the grid of each usable layer.
        counts: how often each layer was called.
        ends: the model ends in a softmax, log-softmax or sigmoid.
        squashed: its outputs are between 0 and 1 whatever the image, though no sigmoid was seen.
        sure: the image gave finite scores; of others the end of the model cannot be told.
    """

    parts: tuple[tuple[str, ref[nn.Module]], ...]
    layers: list[Layer]
    grids: dict[str, Grid]
    counts: dict[str, int]
    ends: bool
    squashed: bool
    sure: bool


def is_current(survey: Survey, module: nn.Module) -> bool:
    """Whether the module still has the parts of the survey."""
    now = list(module.named_modules())
    return len(now) == len(survey.parts) and all(
        name == known and part is weak() for (name, part), (known, weak) in zip(now, survey.parts, strict=True)
    )


def survey(
    module: nn.Module,
    forward: Forward,
    image: torch.Tensor,
    outputs: Any = None,
    grid: Callable[[tuple[int, ...]], Any] | tuple[int, int] | None = None,
) -> Survey:
    """Runs the model once, backwards too, on one image [1, c, h, w] and looks at what every module gives."""
    watch, ledger = EndWatch(), _Ledger((image.shape[-2], image.shape[-1]), grid)
    with ledger.hooked(module), torch.enable_grad(), watch:
        given = forward(image.clone())  # some models normalise their input in place
    found = None if given is None else _scores_or_none(given, outputs, watch)
    squashed = found is not None and is_squashed(forward, image, outputs, found, ledger.heads(found.scores.numel()))
    if found is not None:
        _mark_reached(ledger, found.scores)
    layers, default = _listed(module, ledger), _default(ledger)
    layers = [replace(layer, default=layer.name == default) for layer in layers]
    calls = ledger.calls
    return Survey(
        tuple((name, ref(part)) for name, part in module.named_modules()),
        layers,
        {layer.name: call.grid for layer in layers if (call := calls.get(layer.name)) and call.grid},
        {name: call.count for name, call in calls.items()},
        ends=found is not None and found.seen_through,
        squashed=squashed,
        sure=found is None or bool(found.scores.isfinite().all()),
    )


def main_tensor(output: Any) -> torch.Tensor | None:
    """The first floating-point tensor in a module's output (tensor, tuple, list, mapping)."""
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() else None
    values = output.values() if isinstance(output, Mapping) else output if isinstance(output, list | tuple) else ()
    return next((tensor for value in values if (tensor := main_tensor(value)) is not None), None)


def with_tensor(output: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    """The same output with one tensor exchanged."""
    if output is old:
        return new
    if isinstance(output, Mapping):
        changed = {key: with_tensor(value, old, new) for key, value in output.items()}
        return changed if type(output) is dict else type(output)(**changed)
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return type(output)(*(with_tensor(value, old, new) for value in output))
    if isinstance(output, list | tuple):
        return type(output)(with_tensor(value, old, new) for value in output)
    return output


def as_leaf(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself where it is in autograd's graph; else a leaf that begins one, of the same storage."""
    if tensor.requires_grad:
        return tensor
    return tensor.detach().requires_grad_()


@dataclass
class _Ledger:
    image: tuple[int, int]
    grid: Any
    calls: dict[str, Call] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    handed: dict[int, tuple[torch.Tensor, int, int]] = field(default_factory=dict)  # id → (kept alive, version, group)
    number: int = 0

    @contextmanager
    def hooked(self, module: nn.Module) -> Iterator[None]:
        handles = [part.register_forward_hook(self._hook(name, part)) for name, part in module.named_modules() if name]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def heads(self, outputs: int) -> list[nn.Module]:
        """The linear layers and convolutions that give this many numbers."""
        linear = (call for call in self.calls.values() if isinstance(call.module, nn.Linear | nn.Conv2d))
        return [call.module for call in linear if call.shape is not None and prod(call.shape) == outputs]

    def _hook(self, name: str, part: nn.Module) -> Callable[..., Any]:
        def note(_: nn.Module, inputs: Any, output: Any) -> Any:
            self.number += 1
            tensor = main_tensor(output)
            count = self.calls[name].count + 1 if name in self.calls else 1
            call = Call(name, part, self.number, None, self.number, None, None, count)
            self.calls[name] = call
            if tensor is None:
                return None
            call.shape = tuple(tensor.shape[1:])
            call.grid = self._grid(tuple(tensor.shape), isinstance(part, MAPPING))
            if tensor.is_inference():  # autograd cannot see it
                call.reached = False
                return None
            known, version, group = self.handed.get(id(tensor), (None, 0, 0))
            if known is not None and version == tensor._version:  # an operation in place gives the same object
                # cloned again, since the scores may depend on one module's output and not on another's
                call.tensor, call.group = self._hand_on(tensor, group), group
                return with_tensor(output, tensor, call.tensor)
            if call.grid is None:
                return None
            self.grids.append(call.grid)
            torch.set_grad_enabled(True)  # also inside a no_grad of the user's forward
            call.tensor = self._hand_on(as_leaf(tensor), call.group)
            return with_tensor(output, tensor, call.tensor)

        return note

    def _hand_on(self, tensor: torch.Tensor, group: int) -> torch.Tensor:
        """A clone, since an operation in place must not change what was seen; remembered with its group."""
        clone = tensor.clone()
        self.handed[id(clone)] = (clone, clone._version, group)
        return clone

    def _grid(self, shape: tuple[int, ...], sure: bool) -> Grid | None:
        if shape[0] != 1:
            return None
        if self.grid is not None:
            told = self.grid(shape) if callable(self.grid) else self.grid
            if told is not None and len(shape) == 3 and shape[1] >= told[0] * told[1]:
                return Grid("tokens", told[0], told[1], shape[1] - told[0] * told[1])
        return find_grid(shape, self.image, channels_first=True, seen=self.grids, sure=sure)


def _scores_or_none(given: Any, outputs: Any, watch: EndWatch) -> Any:
    try:
        return find_scores(given, 1, outputs, watch)
    except EvidenceError:  # the run itself tells what is wrong with the outputs
        return None


def _mark_reached(ledger: _Ledger, scores: torch.Tensor) -> None:
    """Asks autograd which layers the scores depend on; for tokens, at which positions."""
    asked = [call for call in ledger.calls.values() if call.tensor is not None]
    if not scores.requires_grad or not asked:
        return
    mixed = torch.cos(torch.arange(scores.shape[1], device=scores.device) + 1.0).to(scores.dtype)
    try:
        gradients = torch.autograd.grad(
            (scores * mixed).sum(), [call.tensor for call in asked if call.tensor is not None], allow_unused=True
        )
    except RuntimeError:  # reentrant checkpoints, operations without a backward: it stays unknown
        return
    for call, gradient in zip(asked, gradients, strict=True):
        call.reached = gradient is not None
        if gradient is not None and call.grid is not None:
            call.silent = not bool((gradient[:, call.grid.prefix :] if call.grid.prefix else gradient).any())
    if all(call.silent for call in asked if call.reached):  # a head that begins at zero tells nothing
        for call in asked:
            call.silent = False


def _listed(module: nn.Module, ledger: _Ledger) -> list[Layer]:
    ran = sorted(ledger.calls.values(), key=lambda call: call.order)
    # a module completes after its parts; a person reads the block before what is in it
    layers = [_layer(call) for call in ran]
    usable = {layer.name for layer, call in zip(layers, ran, strict=True) if layer.usable and not _bare(call.module)}
    layers = [
        replace(layer, block=layer.name in usable and not any(parent in usable for parent in _parents(layer.name)))
        for layer in layers
    ]
    # Identity and Dropout hand on the very tensor that the block before them gave
    blocks = [(layer.name, call.group) for layer, call in zip(layers, ran, strict=True) if layer.block]
    again = {name for (_, before), (name, group) in pairwise(blocks) if group == before}
    layers = [replace(layer, block=layer.block and layer.name not in again) for layer in layers]
    never = [(name, part) for name, part in module.named_modules() if name and name not in ledger.calls]
    return layers + [
        Layer(name, type(part).__name__, (), _parameters(part), None, False, "it never ran") for name, part in never
    ]


def _layer(call: Call) -> Layer:
    why_not = ""
    if call.shape is None:
        why_not = "its output is not an array"
    elif call.grid is None:
        why_not = "its output has no height and width"
    elif call.grid.height * call.grid.width == 1:
        why_not = "its map is 1 × 1: it comes after the pooling"
    elif call.reached and call.silent and call.grid.layout == "tokens":
        why_not = "the scores do not depend on its grid positions, only on its class token"
    elif call.reached is False:
        why_not = "no gradient comes back to it (the scores do not depend on it, or no_grad, detach ... cut it off)"
    return Layer(
        call.name,
        type(call.module).__name__,
        call.shape or (),
        _parameters(call.module),
        call.grid.shape if call.grid else None,
        usable=not why_not,
        why_not=why_not,
    )


def _default(ledger: _Ledger) -> str | None:
    """The last usable layer; of modules that give the same tensor the outermost that is no bare container."""
    calls = [call for call in ledger.calls.values() if not _layer(call).why_not]
    # linear maps of tokens are parts of attention, whose channels are queries and keys rather than features
    calls = [c for c in calls if not (c.grid and c.grid.layout == "tokens" and isinstance(c.module, nn.Linear))]
    pooled = {call.group for call in ledger.calls.values() if isinstance(call.module, POOLING)}
    calls = [call for call in calls if call.group not in pooled] or calls
    calls = [call for call in calls if not call.silent] or calls
    if not calls:
        return None
    last = max(calls, key=lambda call: call.group).group
    same = [call for call in calls if call.group == last]
    same = [call for call in same if not _bare(call.module)] or same
    return min(same, key=lambda call: (call.name.count("."), call.order)).name


def _bare(module: nn.Module) -> bool:
    return type(module) in CONTAINERS


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
