"""Leaves a PyTorch model as it was found: modes, flags, buffers, random state, also when something raises."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import RLock

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from seewhy.models.chance import random_state_kept

_LOCK = RLock()  # one for all: two models may share a backbone, whose flags and hooks are at stake


@contextmanager
def left_as_found(module: nn.Module) -> Iterator[None]:
    """Inside: eval mode, no parameter wants a gradient, nothing compiled runs. After it everything is as it was."""
    with _LOCK, ExitStack() as stack:
        modules = list(module.modules())
        if "torch._dynamo" in sys.modules:  # a module, a method or a function in it may be compiled
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(_random_state(modules))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(_usable_in_autograd(modules))
        stack.enter_context(_buffers(modules))
        # The attribute, not eval(): a user's own train() may do more, such as merging adapters into weights.
        training = [part for part in modules if part.training]
        wanting = [parameter for parameter in _parameters(modules) if parameter.requires_grad]
        try:
            for part in training:
                part.training = False
            for parameter in wanting:
                parameter.requires_grad = False
            yield
        finally:
            for part in training:
                part.training = True
            for parameter in wanting:
                parameter.requires_grad = True


def _parameters(modules: list[nn.Module]) -> Iterator[nn.Parameter]:
    return (parameter for part in modules for parameter in part._parameters.values() if parameter is not None)


@contextmanager
def _random_state(modules: list[nn.Module]) -> Iterator[None]:
    devices = {parameter.device for parameter in _parameters(modules)}
    cuda = sorted(device.index for device in devices if device.type == "cuda" and device.index is not None)
    with random_state_kept(), torch.random.fork_rng(devices=cuda):
        yield


@contextmanager
def _buffers(modules: list[nn.Module]) -> Iterator[None]:
    """Some models count or cache in their forward; what changed is put back."""
    tables = [(part._buffers, dict(part._buffers)) for part in modules if part._buffers]
    copies = {
        id(buffer): (buffer, buffer._version, buffer.detach().clone())
        for _, table in tables
        for buffer in table.values()
        if buffer is not None and not is_lazy(buffer) and not buffer.is_inference()
    }
    try:
        yield
    finally:
        for live, table in tables:
            if live.keys() != table.keys() or any(live[k] is not table[k] for k in table):
                live.clear()
                live.update(table)
        with torch.no_grad():
            for buffer, version, copy in copies.values():
                # what changed through .data has no new version; asking a GPU for each buffer would cost too much
                if buffer._version != version or (buffer.device.type == "cpu" and not torch.equal(buffer, copy)):
                    buffer.copy_(copy)


@contextmanager
def _usable_in_autograd(modules: list[nn.Module]) -> Iterator[None]:
    """Tensors made under inference_mode cannot be saved for a backward pass: copies stand in for them."""
    swapped = []
    for part in modules:
        for table in (part._parameters, part._buffers):
            for name, tensor in table.items():
                if tensor is not None and not is_lazy(tensor) and tensor.is_inference():
                    swapped.append((table, name, tensor))
    copies: dict[int, torch.Tensor] = {}
    try:
        for table, name, tensor in swapped:
            if id(tensor) not in copies:
                copy = tensor.detach().clone()
                is_parameter = isinstance(tensor, nn.Parameter)
                copies[id(tensor)] = nn.Parameter(copy, requires_grad=False) if is_parameter else copy
            table[name] = copies[id(tensor)]  # type: ignore[assignment]
        yield
    finally:
        for table, name, tensor in swapped:
            table[name] = tensor  # type: ignore[assignment]


def callers_autocast(kind: str) -> Callable[[], torch.autocast]:
    """Makes the autocast context that the caller is in, to come back to it where it was switched off."""
    dtype, enabled = torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)
    return partial(torch.autocast, kind, dtype=dtype, enabled=enabled)


def original(module: nn.Module) -> nn.Module:
    """The user's own module under DataParallel, DistributedDataParallel and torch.compile."""
    while True:
        if hasattr(module, "_orig_mod"):
            module = module._orig_mod  # type: ignore[assignment]
        elif isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            module = module.module
        else:
            return module
