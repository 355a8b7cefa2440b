"""A PyTorch network whose last linear layer is taken for a new one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from seewhy.errors import InputError
from seewhy.models.heads import DECAY, Floats
from seewhy.models.torch.adapter import TorchModel
from seewhy.models.torch.state import left_as_found

Batches = Callable[[Sequence[Any], Any], Iterator[tuple[list[Any], Any]]]


class Backbone:
    """A network up to its last linear layer.

    Args:
        model: wrapped.
    """

    def __init__(self, model: TorchModel) -> None:
        self.model, self._head = model, ""

    def features(self, images: Sequence[Any]) -> Floats:
        """float32 [n, d]: what the last linear layer is given."""
        batch = self.model.batch(images)
        module = self.model.module
        with left_as_found(module):
            module.eval()
            if not self._head:
                self._head = _last_linear(module, lambda: self.model.forward(batch[:1]), self.model.name)
            given: list[torch.Tensor] = []
            hook = module.get_submodule(self._head).register_forward_pre_hook(
                lambda _, inputs: given.append(inputs[0].detach())
            )
            try:
                with torch.inference_mode():
                    self.model.forward(batch)
            finally:
                hook.remove()
        return np.asarray(given[-1].flatten(1).float().cpu().numpy())

    def headed(self, weights: Floats, bias: Floats) -> nn.Module:
        """A copy of the network with a new last layer, in eval mode."""
        module: nn.Module = copy.deepcopy(self.model.module)
        old = module.get_submodule(self._head)
        first = next(old.parameters())
        # to draw weights would move the caller's random numbers
        new: nn.Linear = nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Linear, weights.shape[0], weights.shape[1], device=first.device, dtype=first.dtype
        )
        with torch.no_grad():
            new.weight.copy_(torch.from_numpy(weights.T.copy()))
            assert new.bias is not None
            new.bias.copy_(torch.from_numpy(bias))
        module.set_submodule(self._head, new)
        return module.eval()

    def tune(
        self, module: nn.Module, batches: Batches, sources: Sequence[Any], labels: Any, seed: int, epochs: int
    ) -> None:
        """Trains the last block and the head; all else, and the statistics of norms, stay."""
        from seewhy.models.transferring import RATE

        wanted = _last_block(module, self._head)
        before = {name: parameter.requires_grad for name, parameter in module.named_parameters()}
        learning = [(name, each.requires_grad_(name in wanted)) for name, each in module.named_parameters()]
        optimizer = torch.optim.AdamW([each for name, each in learning if name in wanted], RATE, weight_decay=DECAY)
        rng = np.random.default_rng(seed)
        forward = TorchModel(module, **self.model.told | {"labels": None}).forward
        scores: list[torch.Tensor] = []
        hook = module.get_submodule(self._head).register_forward_hook(lambda _, __, output: scores.append(output))
        try:
            for _ in range(epochs):
                for images, rows in batches(sources, rng.permutation(len(sources))):
                    forward(self.model.batch(images))
                    given = scores.pop().flatten(1)
                    loss = F.cross_entropy(given, torch.as_tensor(labels[rows], device=given.device))
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
        finally:
            hook.remove()
            for name, parameter in module.named_parameters():
                parameter.requires_grad_(before[name])
                parameter.grad = None


def _last_linear(module: nn.Module, forward: Callable[[], Any], name: str) -> str:
    """The name of the linear layer that is called last.

    Raises:
        InputError: the network has none.
    """
    called: list[str] = []
    hooks = [
        part.register_forward_hook(lambda _, __, ___, key=key: called.append(key))
        for key, part in module.named_modules()
        if isinstance(part, nn.Linear) and key
    ]
    try:
        with torch.inference_mode():
            forward()
    finally:
        for hook in hooks:
            hook.remove()
    if not called:
        raise InputError(
            f"{name}, which has no linear layer at its end",
            "a network that ends in one, such as torchvision:mobilenet_v3_small or torchvision:resnet18",
            "write train(data, seed) -> model yourself for this one, and call seewhy.study(train, ...)",
        )
    return called[-1]


def _last_block(module: nn.Module, head: str) -> set[str]:
    """The names of the parameters of the head, and of the last convolution with what stands in one block with it.

    Of a transformer, whose one convolution cuts the patches, it is the last linear layer's block.
    """
    named = [(key, part) for key, part in module.named_modules() if key != head]
    layers = [key for key, part in named if isinstance(part, nn.Conv2d)]
    if len(layers) < 2:
        layers = [key for key, part in named if isinstance(part, nn.Linear)]
    block = (layers[-1].rpartition(".")[0] or layers[-1]) if layers else head
    return {key for key, _ in module.named_parameters() if key.startswith((f"{block}.", f"{head}."))}
