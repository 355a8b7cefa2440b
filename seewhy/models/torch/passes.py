"""A pass of a PyTorch model under way: what the layers gave, gradients for many targets at once, and trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from seewhy.errors import EvidenceError
from seewhy.evidence import INPUT, Evidence
from seewhy.models.torch.judging import on_device, total, values_now
from seewhy.models.torch.layers import Survey, as_leaf, main_tensor, with_tensor
from seewhy.models.torch.ops import TorchOps, host, wide
from seewhy.models.torch.scores import EndWatch, Found, find_scores
from seewhy.models.torch.trials import again, edited, head_of
from seewhy.targets import Aim, Floats, directions

if TYPE_CHECKING:
    from seewhy.models.torch.adapter import TorchModel

_GRADIENT_ROOM = 2**27  # numbers in the gradients of one vectorised backward pass: half a gigabyte


@dataclass(eq=False)
class TorchRun:
    """A pass under way; see `seewhy.evidence.Run`."""

    model: TorchModel
    images: torch.Tensor
    layers: list[str]
    needs: frozenset[str]
    survey: Survey
    autocast: Callable[[], torch.autocast]
    seen: dict[str, torch.Tensor] = field(default_factory=dict)
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
                part = self.model.module.get_submodule(name)
                stack.callback(part.register_forward_hook(partial(self._capture, name)).remove)
        if "head" in self.needs:
            for part in self.model.module.modules():
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
            outputs = self.model.forward(images.clone())  # some models normalise their input in place
        return outputs, find_scores(outputs, count, self.model.outputs, watch, self.survey.squashed)

    def _capture(self, name: str, part: nn.Module, inputs: Any, output: Any) -> Any:
        tensor = main_tensor(output)
        self.counts[name] = self.counts.get(name, 0) + 1
        if tensor is None:
            return None
        if self.phase == "backward":  # a checkpoint runs its part again: only the call that was seen is cut again
            again = tensor.shape == self.seen[name].shape and torch.equal(tensor, self.seen[name])
            return with_tensor(output, tensor, as_leaf(tensor).clone()) if again else None
        if self.counts[name] < self.survey.counts.get(name, 1):
            return None  # of repeated calls the last
        if self.phase == "trial":
            return with_tensor(output, tensor, self.swap[1]) if self.swap and self.swap[0] == name else None
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

    # evidence

    def evidence(self, aims: Sequence[Sequence[Aim]]) -> list[list[Evidence]]:
        """Evidence [target][layer] for aims [target][picture]; all from the one forward pass."""
        gradients = self._gradients(aims) if "gradients" in self.needs else None
        images = wide(self.images).movedim(1, -1)
        room = int(np.clip(32 * 224**2 / (images.shape[1] * images.shape[2]), 1, 128))
        rows: list[list[Evidence]] = []
        for t, row in enumerate(aims):
            values = on_device(values_now(row, self.outputs, self.scores), images)
            slopes = on_device(directions(row, self.scores), images)
            rows.append([])
            for number, name in enumerate(self.layers):
                seen = self.seen.get(name)
                rows[-1].append(
                    Evidence(
                        activations=images if seen is None else self.as_map(name, seen.detach()),
                        gradients=None if gradients is None else self.as_map(name, gradients[number][t]),
                        values=values,
                        directions=slopes,
                        ops=TorchOps(images.device),
                        images=images,
                        room=room,
                        linear=all(aim.weights is not None for aim in row),
                        head=head_of(self, name) if "head" in self.needs else None,
                        edited=partial(edited, self, name, row, room) if "edited" in self.needs else None,
                        again=partial(again, self, row, room) if "again" in self.needs else None,
                    )
                )
        return rows

    def _gradients(self, aims: Sequence[Sequence[Aim]]) -> list[list[torch.Tensor]]:
        """Gradients [layer][target] of each target's value by each layer's output.

        Half precision would underflow, or overflow behind a high temperature: there the seeds are scaled meanwhile.
        """
        half = any(self.seen[name].dtype == torch.float16 for name in self.layers)
        for scale in (1024.0, 1.0, 1 / 1024) if half else (1.0,):
            found = [[wide(g) / scale if half else g for g in layer] for layer in self._scaled(aims, scale)]
            if not half or all(bool(g.isfinite().all()) for layer in found for g in layer):
                break
        return found

    def _scaled(self, aims: Sequence[Sequence[Aim]], scale: float) -> list[list[torch.Tensor]]:
        seen = [self.seen[name] for name in self.layers]
        if self.tensor is not None and all(aim.function is None for row in aims for aim in row):
            if not self.tensor.requires_grad:
                raise self.cut_off()
            seeds = self._seeds(aims) * scale
            parts = max(1, _GRADIENT_ROOM // max(sum(tensor.numel() for tensor in seen), 1))
            pieces = [self._vectorised(seen, seeds[i : i + parts]) for i in range(0, len(seeds), parts)]
            return [[g for piece in pieces for g in piece[number]] for number in range(len(seen))]
        totals = [total(row, self.outputs, self.tensor) * scale for row in aims]
        if not all(one.requires_grad for one in totals):
            raise self.cut_off()
        each = [torch.autograd.grad(one, seen, retain_graph=True, allow_unused=True) for one in totals]
        return [[self._given(g) for g in of_layer] for of_layer in zip(*each, strict=True)]

    def _seeds(self, aims: Sequence[Sequence[Aim]]) -> torch.Tensor:
        """float [target, batch, outputs]: where each backward pass starts."""
        assert self.tensor is not None
        rows = np.stack([directions(row, self.scores) for row in aims])
        return torch.as_tensor(rows, dtype=self.tensor.dtype, device=self.tensor.device)

    def _vectorised(self, seen: list[torch.Tensor], seeds: torch.Tensor) -> list[list[torch.Tensor]]:
        """One batched backward pass for all seeds [target, batch, outputs]; one by one where vmap cannot."""
        grad = partial(torch.autograd.grad, self.tensor, seen, retain_graph=True, allow_unused=True)
        try:
            if len(seeds) > 1:
                try:
                    batched = grad(grad_outputs=seeds, is_grads_batched=True)
                    return [list(self._given(g)) for g in batched]
                except (RuntimeError, NotImplementedError):
                    pass  # an operation without a batching rule
            each = [grad(grad_outputs=seed) for seed in seeds]
        except RuntimeError as error:
            if "checkpoint" not in str(error).lower():
                raise
            raise EvidenceError(
                "a reentrant checkpoint between the layer and the scores",
                "checkpoints that autograd can look into",
                "checkpoint(..., use_reentrant=False), or switch checkpointing off, or choose a layer after it",
            ) from error
        return [[self._given(g) for g in of_layer] for of_layer in zip(*each, strict=True)]

    def _given(self, gradient: torch.Tensor | None) -> torch.Tensor:
        if gradient is None:
            raise self.cut_off()
        return gradient

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
