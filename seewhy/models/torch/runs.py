"""Evidence out of a pass: gradients for many targets at once, and what methods may try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from seewhy.errors import EvidenceError
from seewhy.evidence import Evidence
from seewhy.models.torch.biases import biases
from seewhy.models.torch.judging import on_device, total, values_now
from seewhy.models.torch.ops import TorchOps, wide
from seewhy.models.torch.passes import Pass
from seewhy.models.torch.trials import again, edited, head_of
from seewhy.targets import Aim, Floats, directions

_GRADIENT_ROOM = 2**27  # numbers in the gradients of one vectorised backward pass: half a gigabyte


@dataclass(frozen=True, eq=False)
class TorchRun:
    """See `seewhy.evidence.Run`."""

    done: Pass

    @property
    def scores(self) -> Floats:
        return self.done.scores

    @property
    def several(self) -> bool:
        return self.done.several

    @property
    def notes(self) -> tuple[str, ...]:
        return self.done.notes

    def evidence(self, aims: Sequence[Sequence[Aim]]) -> list[list[Evidence]]:
        """Evidence [target][layer] for aims [target][picture]; all from the one forward pass."""
        gradients = self._gradients(aims) if "gradients" in self.done.needs else None
        images = wide(self.done.images).movedim(1, -1)
        room = int(np.clip(32 * 224**2 / (images.shape[1] * images.shape[2]), 1, 128))
        heads = [head_of(self.done, name) if "head" in self.done.needs else None for name in self.done.layers]
        rows: list[list[Evidence]] = []
        for t, row in enumerate(aims):
            values = on_device(values_now(row, self.done.outputs, self.done.scores), images)
            slopes = on_device(directions(row, self.done.scores), images)
            rows.append([])
            for number, name in enumerate(self.done.layers):
                seen = self.done.seen.get(name)
                rows[-1].append(
                    Evidence(
                        activations=images if seen is None else self.done.as_map(name, seen.detach()),
                        gradients=None if gradients is None else self.done.as_map(name, gradients[number][t]),
                        values=values,
                        directions=slopes,
                        ops=TorchOps(images.device),
                        images=images,
                        room=room,
                        linear=all(aim.weights is not None for aim in row),
                        head=heads[number],
                        edited=partial(edited, self.done, name, row, room) if "edited" in self.done.needs else None,
                        again=partial(again, self.done, name, row, room) if "again" in self.done.needs else None,
                        biases=partial(biases, self.done, row, room) if "biases" in self.done.needs else None,
                    )
                )
        return rows

    def _gradients(self, aims: Sequence[Sequence[Aim]]) -> list[list[torch.Tensor]]:
        """Gradients [layer][target] of each target's value by each layer's output.

        Half precision would underflow, or overflow behind a high temperature: there the seeds are scaled meanwhile.
        """
        half = any(self.done.seen[name].dtype == torch.float16 for name in self.done.layers)
        for scale in (1024.0, 1.0, 1 / 1024) if half else (1.0,):
            found = [[wide(g) / scale if half else g for g in layer] for layer in self._scaled(aims, scale)]
            if not half or all(bool(g.isfinite().all()) for layer in found for g in layer):
                break
        return found

    def _scaled(self, aims: Sequence[Sequence[Aim]], scale: float) -> list[list[torch.Tensor]]:
        seen = [self.done.seen[name] for name in self.done.layers]
        if self.done.tensor is not None and all(aim.function is None for row in aims for aim in row):
            if not self.done.tensor.requires_grad:
                raise self.done.cut_off()
            seeds = self._seeds(aims) * scale
            parts = max(1, _GRADIENT_ROOM // max(sum(tensor.numel() for tensor in seen), 1))
            pieces = [self._vectorised(seen, seeds[i : i + parts]) for i in range(0, len(seeds), parts)]
            return [[g for piece in pieces for g in piece[number]] for number in range(len(seen))]
        totals = [total(row, self.done.outputs, self.done.tensor) * scale for row in aims]
        if not all(one.requires_grad for one in totals):
            raise self.done.cut_off()
        each = [torch.autograd.grad(one, seen, retain_graph=True, allow_unused=True) for one in totals]
        return [[self._present(g) for g in of_layer] for of_layer in zip(*each, strict=True)]

    def _seeds(self, aims: Sequence[Sequence[Aim]]) -> torch.Tensor:
        """float [target, batch, outputs]: where each backward pass starts."""
        assert self.done.tensor is not None
        rows = np.stack([directions(row, self.done.scores) for row in aims])
        return torch.as_tensor(rows, dtype=self.done.tensor.dtype, device=self.done.tensor.device)

    def _vectorised(self, seen: list[torch.Tensor], seeds: torch.Tensor) -> list[list[torch.Tensor]]:
        """One batched backward pass for all seeds [target, batch, outputs]; one by one where vmap cannot."""
        grad = partial(torch.autograd.grad, self.done.tensor, seen, retain_graph=True, allow_unused=True)
        try:
            if len(seeds) > 1:
                try:
                    batched = grad(grad_outputs=seeds, is_grads_batched=True)
                    return [list(self._present(g)) for g in batched]
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
        return [[self._present(g) for g in of_layer] for of_layer in zip(*each, strict=True)]

    def _present(self, gradient: torch.Tensor | None) -> torch.Tensor:
        if gradient is None:
            raise self.done.cut_off()
        return gradient
