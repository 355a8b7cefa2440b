"""What only some methods need of a PyTorch model: its linear head, the rest run on edits, passes over new images."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch

from seewhy.evidence import Head, Trial
from seewhy.models.torch.judging import on_device, total, values_now
from seewhy.models.torch.ops import host, wide
from seewhy.models.torch.passes import Pass
from seewhy.models.torch.rules import Guided
from seewhy.targets import Aim, Floats, chances


def head_of(run: Pass, name: str) -> Head | None:
    """The weights of the last linear layer, where it reads the mean of this layer's map and gives the scores."""
    if run.linear is None or run.tensor is None:
        return None
    part, given, gave = run.linear
    maps = run.as_map(name, run.seen[name].detach())
    weight = part.weight.detach().flatten(1)  # type: ignore[operator]
    if weight.shape != (run.tensor.shape[1], maps.shape[-1]) or given.numel() != maps.shape[0] * maps.shape[-1]:
        return None
    pooled, scores = maps.mean((1, 2)), run.tensor.detach()
    finite = pooled.isfinite().all(1) & scores.isfinite().all(1)  # a NaN image must not take the others' head away
    if not finite.any():
        return None
    reads = _near(wide(given.reshape(pooled.shape))[finite], pooled[finite], 10 * _slack(given))
    gives = torch.equal(gave.reshape(scores.shape)[finite], scores[finite])
    return Head(wide(weight)) if reads and gives else None


def edited(run: Pass, name: str, row: Sequence[Aim], room: int, edits: torch.Tensor) -> Trial:
    """Runs the rest of the network on edits [trials, batch, height, width, channels] of the layer's map.

    Where the scores depend on the image through this layer alone, the part before it runs for one image only.
    """
    trials, count = edits.shape[:2]
    if name not in run.alone:
        run.alone[name] = _separable(run, name)
    alone = run.alone[name]
    judged = Judged(row, trials, run.images)
    flat = edits.flatten(0, 1)
    for start in range(0, len(flat), room):
        owners = np.arange(start, min(start + room, len(flat))) % count
        swapped = run.as_output(name, flat[start : start + room], run.seen[name].detach()[owners])
        judged.add(*run.trial(run.images[:1] if alone else run.images[owners], len(owners), swap=(name, swapped)))
    return judged.trial()


def again(run: Pass, name: str, row: Sequence[Aim], room: int, images: torch.Tensor, gradients: str) -> Trial:
    """A new pass at images [trials, batch, height, width, channels]; `gradients` as in `Evidence.again`."""
    trials, count = images.shape[:2]
    judged = Judged(row, trials, run.images)
    flat = images.flatten(0, 1).movedim(-1, 1).to(run.images.dtype)
    slopes, rule = [], Guided() if gradients == "guided" else None
    for start in range(0, len(flat), room):
        part = flat[start : start + room].contiguous().requires_grad_(gradients in ("image", "guided"))
        outputs, scores = run.trial(part, len(part), gradients=bool(gradients))
        if gradients:
            with torch.enable_grad():
                value = total([row[i % count] for i in range(start, start + len(part))], outputs, scores)
            if not value.requires_grad:
                raise run.cut_off()
            by = run.tried[name] if gradients == "layer" else part
            with rule or nullcontext():
                (slope,) = torch.autograd.grad(value, by, allow_unused=True)
            if slope is None:
                raise run.cut_off()
            slopes.append(run.as_map(name, slope) if gradients == "layer" else wide(slope).movedim(1, -1))
        judged.add(outputs, scores)
    if rule is not None:
        run.notes = tuple(dict.fromkeys((*run.notes, *rule.notes())))
    if not gradients:
        return judged.trial()
    found = torch.cat(slopes)
    return judged.trial(found.reshape(trials, count, *found.shape[1:]))


class Judged:
    """Collects what the aims say of one chunk of trials after the other."""

    def __init__(self, row: Sequence[Aim], trials: int, like: torch.Tensor) -> None:
        self.row, self.trials, self.like = row, trials, like
        self.values: list[Floats] = []
        self.chances: list[Floats | None] = []
        self.done = 0

    def add(self, outputs: Any, scores: torch.Tensor | None) -> None:
        count = len(self.row)
        left = self.trials * count - self.done
        found = np.zeros((left, 0)) if scores is None else host(scores)
        owners = [self.row[i % count] for i in range(self.done, self.done + len(found))]
        self.values.append(values_now(owners, outputs, found))
        self.chances.append(None if scores is None else chances(owners, found))
        self.done += len(found)

    def trial(self, gradients: torch.Tensor | None = None) -> Trial:
        shape = self.trials, len(self.row)
        known = [one for one in self.chances if one is not None]
        sure = on_device(np.concatenate(known).reshape(shape), self.like) if len(known) == len(self.chances) else None
        return Trial(on_device(np.concatenate(self.values).reshape(shape), self.like), sure, gradients)


def _separable(run: Pass, name: str) -> bool:
    """Whether the scores depend on the image through this layer alone: other images must not change them."""
    if run.tensor is None:
        return False
    seen = run.seen[name].detach()[:1]
    twice = torch.cat([seen, seen])
    wanted = run.tensor.detach()[:1].expand(2, -1)
    for images in (run.images[:1], run.images[:1].flip(-1, -2) * 0.5):
        try:
            scores = run.trial(images, 2, swap=(name, twice))[1]
        except Exception:  # a shape that does not fit: the layer's output is joined with others
            return False
        if scores is None or scores.shape != wanted.shape or not _near(scores, wanted, _slack(wanted)):
            return False
    return True


def _slack(tensor: torch.Tensor) -> float:
    return 1e-5 if tensor.dtype in (torch.float32, torch.float64) else 2e-2


def _near(one: torch.Tensor, other: torch.Tensor, slack: float) -> bool:
    near = partial(torch.allclose, rtol=slack, atol=slack * max(float(other.abs().max()), 1e-6))
    return near(one, other)
