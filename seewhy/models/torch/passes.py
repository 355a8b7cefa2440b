"""A pass of a PyTorch model under way: what the layers gave, and trials of the rest of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from seewhy.errors import EvidenceError
from seewhy.evidence import INPUT
from seewhy.models.torch.layers import Forward, Survey, as_leaf, main_tensor, with_tensor
from seewhy.models.torch.ops import host, wide
from seewhy.models.torch.scores import EndWatch, Found, find_scores
from seewhy.targets import Floats


@dataclass(eq=False)
class Pass:
    """One pass under way, under its hooks."""

    module: nn.Module
    forward: Forward
    asked: Any  # wrap's outputs=
    images: torch.Tensor
    layers: list[str]
    needs: frozenset[str]
    survey: Survey
    autocast: Callable[[], torch.autocast]
    seen: dict[str, torch.Tensor] = field(default_factory=dict)
    tried: dict[str, torch.Tensor] = field(default_factory=dict)  # what the layers gave in the last trial
    linear: tuple[nn.Module, torch.Tensor, torch.Tensor] | None = None
    phase: str = "forward"  # then 'backward', in which checkpoints run parts again, or 'trial'
    counts: dict[str, int] = field(default_factory=dict)
    swap: tuple[str, torch.Tensor] | None = None
    notes: tuple[str, ...] = ()
    several: bool = False
    alone: dict[str, bool] = field(default_factory=dict)  # layers through which alone the scores depend on the image

    def hook(self, stack: ExitStack) -> None:
        """Puts capturing hooks on the chosen layers until the stack closes."""
        if self.layers != [INPUT]:
            for name in dict.fromkeys(self.layers):
                part = self.module.get_submodule(name)
                stack.callback(part.register_forward_hook(partial(self._capture, name)).remove)
        if "head" in self.needs:
            for part in self.module.modules():
                if isinstance(part, nn.Linear | nn.Conv2d):
                    stack.callback(part.register_forward_hook(self._note_linear).remove)

    def start(self) -> None:
        """The forward pass, up to the scores."""
        with torch.set_grad_enabled("gradients" in self.needs):
            self.outputs, found = self._pass(self.images, len(self.images))
            if any(name not in self.seen and self.counts.get(name) for name in self.layers):
                # called less often than for the image of the survey
                self.survey = replace(self.survey, counts={**self.survey.counts, **self.counts})
                self.outputs, found = self._pass(self.images, len(self.images))
        self.tensor = None if found is None else found.scores
        if found is not None:
            self.several, self.notes = found.several, found.notes
        self.scores: Floats = host(self.tensor) if self.tensor is not None else np.zeros((len(self.images), 0))
        self.phase = "backward"
        missing = [name for name in self.layers if name != INPUT and name not in self.seen]
        if missing:
            raise EvidenceError(
                f"layer {missing[0]!r} did not run for this image",
                "a layer that runs in every forward pass",
                "choose another layer; layers(model) lists them",
            )

    def _pass(self, images: torch.Tensor, count: int) -> tuple[Any, Found | None]:
        """Outputs as the model returns them, and the scores in them (None where there are none)."""
        self.counts = {}
        with EndWatch() if self.survey.ends else nullcontext() as watch, self.autocast():
            outputs = self.forward(images.clone())  # some models normalise their input in place
        return outputs, find_scores(outputs, count, self.asked, watch, self.survey.squashed)

    def _capture(self, name: str, part: nn.Module, inputs: Any, output: Any) -> Any:
        tensor = main_tensor(output)
        self.counts[name] = self.counts.get(name, 0) + 1
        if tensor is None:
            return None
        if self.phase == "backward":  # a checkpoint runs its part again: only the call that was seen is cut again
            known = (self.seen[name], self.tried.get(name))
            again = any(k is not None and k.shape == tensor.shape and torch.equal(k, tensor) for k in known)
            return with_tensor(output, tensor, as_leaf(tensor).clone()) if again else None
        if self.counts[name] < self.survey.counts.get(name, 1):
            return None  # of repeated calls the last
        if self.phase == "trial":
            if self.swap and self.swap[0] == name:
                return with_tensor(output, tensor, self.swap[1])
            if not torch.is_grad_enabled():
                return None
            self.tried[name] = as_leaf(tensor)
            return with_tensor(output, tensor, self.tried[name].clone())
        if "gradients" not in self.needs:
            self.seen[name] = tensor.detach().clone()
            return None
        torch.set_grad_enabled(True)  # also inside a no_grad of the user's forward
        seen = as_leaf(tensor)
        self.seen[name] = seen
        return with_tensor(output, tensor, seen.clone())  # what follows may work in place

    def _note_linear(self, part: nn.Module, inputs: Any, output: Any) -> None:
        if self.phase == "forward" and isinstance(output, torch.Tensor):
            self.linear = part, inputs[0].detach(), output.detach()

    def cut_off(self) -> EvidenceError:
        return EvidenceError(
            f"no gradient comes from the scores to layer {self.layers[0]!r}",
            "scores that autograd can follow back to the layer",
            "choose a layer that the scores depend on (layers(model)), and look in the model's forward for no_grad(), "
            "inference_mode(), detach(), reentrant checkpoints or a step through NumPy",
        )

    def as_map(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        """float [batch, height, width, channels] of a layer's output or gradient, float32 or wider."""
        grid = self.survey.grids[name]
        if grid.layout == "channels first":
            tensor = tensor.movedim(1, -1)
        elif grid.layout == "tokens":
            tensor = tensor[:, grid.prefix :]
            tensor = tensor.reshape(len(tensor), *grid.shape, -1)
        return wide(tensor)

    def as_output(self, name: str, maps: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """The layer's output for maps [m, height, width, channels]; tokens before the grid are those of `seen` [m]."""
        grid = self.survey.grids[name]
        if grid.layout == "channels first":
            return maps.movedim(-1, 1).to(seen.dtype).contiguous()
        if grid.layout == "channels last":
            return maps.to(seen.dtype)
        return torch.cat([seen[:, : grid.prefix], maps.flatten(1, 2).to(seen.dtype)], dim=1)

    def trial(
        self, images: torch.Tensor, count: int, swap: tuple[str, torch.Tensor] | None = None, gradients: bool = False
    ) -> tuple[Any, torch.Tensor | None]:
        """Outputs and scores [count, outputs] of another pass; `swap` puts a tensor in place of a layer's output."""
        self.phase, self.swap = "trial", swap
        try:
            with torch.set_grad_enabled(gradients):
                outputs, found = self._pass(images, count)
            return outputs, None if found is None else found.scores
        finally:
            self.phase, self.swap = "backward", None
