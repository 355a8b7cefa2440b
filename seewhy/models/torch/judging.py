"""What the aims say of a PyTorch model's outputs: values on the host, and one number whose gradient is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from seewhy.models.outputs import of_functions
from seewhy.models.torch.ops import host, wide
from seewhy.targets import Aim, Floats, directions, values


def total(row: Sequence[Aim], outputs: Any, scores: torch.Tensor | None) -> torch.Tensor:
    """A number in autograd's graph: the sum of all images' targets; `row` holds one aim for each image."""
    parts = [wide(value).sum() for value in of_functions(row, outputs).values()]
    if scores is not None and any(aim.function is None for aim in row):
        seeds = torch.as_tensor(directions(row, host(scores)), dtype=scores.dtype, device=scores.device)
        parts.append((scores * seeds).sum())
    return torch.stack([wide(part) for part in parts]).sum()


def values_now(row: Sequence[Aim], outputs: Any, scores: Floats) -> Floats:
    """float [m]: each image's target's value."""
    found = values(row, scores)
    for i, value in of_functions(row, outputs).items():
        found[i] = float(value.detach())
    return found


def on_device(array: Floats, like: torch.Tensor) -> torch.Tensor:
    """A host array beside a tensor, in float32 or wider."""
    return torch.as_tensor(np.asarray(array), dtype=wide(like[:0]).dtype, device=like.device)
