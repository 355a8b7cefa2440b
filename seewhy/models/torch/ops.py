"""NumPy's names for PyTorch's functions, for methods, and the two ways out of a tensor's own precision."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from seewhy.evidence import Indices
from seewhy.targets import Floats


class TorchOps:
    """NumPy's names for PyTorch's functions."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def numpy(self, array: torch.Tensor) -> Floats:
        return host(array)

    def asarray(self, array: Floats, like: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(array, dtype=like.dtype, device=like.device)

    def einsum(self, subscripts: str, *arrays: torch.Tensor) -> torch.Tensor:
        return torch.einsum(subscripts, *arrays)

    def relu(self, array: torch.Tensor) -> torch.Tensor:
        return array.clamp_min(0)

    def sum(self, array: torch.Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> torch.Tensor:
        return array.sum(axis, keepdim=keepdims)

    def mean(self, array: torch.Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> torch.Tensor:
        return array.mean(axis, keepdim=keepdims)

    def max(self, array: torch.Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> torch.Tensor:
        return array.amax(axis, keepdim=keepdims)

    def min(self, array: torch.Tensor, axis: int | tuple[int, ...], keepdims: bool = False) -> torch.Tensor:
        return array.amin(axis, keepdim=keepdims)

    def softmax(self, array: torch.Tensor, axis: int) -> torch.Tensor:
        return array.softmax(axis)

    def eye(self, size: int) -> torch.Tensor:
        return torch.eye(size, device=self.device)

    def eigh(self, matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        finite = matrices.isfinite().all(-1).all(-1)[..., None, None]
        values, vectors = torch.linalg.eigh(matrices.where(finite, 0))  # would fail for all where one is not finite
        return values, vectors.where(finite, torch.nan)

    def where(self, condition: torch.Tensor, one: torch.Tensor, other: torch.Tensor | float) -> torch.Tensor:
        return torch.where(condition, one, other)

    def concatenate(self, arrays: Sequence[torch.Tensor], axis: int) -> torch.Tensor:
        return torch.cat(list(arrays), dim=axis)

    def reshape(self, array: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        return array.reshape(shape)

    def moveaxis(self, array: torch.Tensor, source: int, destination: int) -> torch.Tensor:
        return array.movedim(source, destination)

    def take_along_axis(self, array: torch.Tensor, indices: Indices, axis: int) -> torch.Tensor:
        return torch.take_along_dim(array, torch.from_numpy(indices).to(array.device), axis)

    def resize(self, maps: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
        grown = nn.functional.interpolate(maps[:, None], shape, mode="bilinear", align_corners=False)
        return grown[:, 0]


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """float32, or float64 where it was."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def host(tensor: torch.Tensor) -> Floats:
    return wide(tensor.detach()).cpu().numpy()
