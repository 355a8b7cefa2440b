"""What the aims say of a PyTorch model's outputs: values on the host, and one number whose gradient is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from seewhy.errors import InputError
from seewhy.models.torch.ops import host, wide
from seewhy.models.torch.scores import describe
from seewhy.targets import Aim, Floats, directions, values


def total(row: Sequence[Aim], outputs: Any, scores: torch.Tensor | None) -> torch.Tensor:
    """A number in autograd's graph: the sum of all images' targets; `row` holds one aim for each image."""
    parts = [wide(value).sum() for value in _of_functions(row, outputs).values()]
    if scores is not None and any(aim.function is None for aim in row):
        seeds = torch.as_tensor(directions(row, host(scores)), dtype=scores.dtype, device=scores.device)
        parts.append((scores * seeds).sum())
    return torch.stack([wide(part) for part in parts]).sum()


def values_now(row: Sequence[Aim], outputs: Any, scores: Floats) -> Floats:
    """float [m]: each image's target's value."""
    found = values(row, scores)
    for i, value in _of_functions(row, outputs).items():
        found[i] = float(value.detach())
    return found


def _of_functions(row: Sequence[Aim], outputs: Any) -> dict[int, torch.Tensor]:
    """image → its value, for targets that are a user's function; each function of the batch is called once."""
    found: dict[int, torch.Tensor] = {}
    whole: dict[Callable[[Any], Any], torch.Tensor] = {}
    for i, aim in enumerate(row):
        if aim.function is None:
            continue
        if aim.each:
            found[i] = _number(aim.function(_picture_of(outputs, i)))
            continue
        if aim.function not in whole:
            whole[aim.function] = _numbers(aim.function(outputs), len(row))
        found[i] = whole[aim.function][i]
    return found


def _numbers(given: Any, count: int) -> torch.Tensor:
    if not isinstance(given, torch.Tensor) or given.numel() != count:
        raise InputError(
            f"output(function) whose function returns {describe(given)} for {count} images",
            f"a tensor of shape [{count}], one number for each image",
            "reduce all but the batch, as in lambda outputs: outputs['out'][:, 3].sum((1, 2))",
        )
    return given.reshape(count)


def _number(given: Any) -> torch.Tensor:
    if not isinstance(given, torch.Tensor) or given.numel() != 1:
        raise InputError(
            f"a target function that returns {describe(given)} for one picture's outputs",
            "a tensor with one number",
            "as in lambda scores: scores[3]; output(function) is called with the outputs of the whole batch",
        )
    return given.reshape(())


def _picture_of(outputs: Any, index: int) -> Any:
    """One picture's share of a model's outputs."""
    if isinstance(outputs, torch.Tensor):
        return outputs[index]
    if isinstance(outputs, Mapping):
        return {key: _picture_of(value, index) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return [_picture_of(value, index) for value in outputs]
    return outputs


def on_device(array: Floats, like: torch.Tensor) -> torch.Tensor:
    """A host array beside a tensor, in float32 or wider."""
    return torch.as_tensor(np.asarray(array), dtype=wide(like[:0]).dtype, device=like.device)
