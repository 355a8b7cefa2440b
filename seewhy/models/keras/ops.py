"""NumPy's names for Keras's own array functions, the same on every backend, for methods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from keras import ops

from seewhy.evidence import Array, Indices
from seewhy.models.keras.scores import host
from seewhy.targets import Floats


class KerasOps:
    """NumPy's names for `keras.ops`."""

    def numpy(self, array: Array) -> Floats:
        return host(array)

    def asarray(self, array: Floats, like: Array) -> Array:
        return ops.convert_to_tensor(array, dtype=like.dtype)

    def einsum(self, subscripts: str, *arrays: Array) -> Array:
        return ops.einsum(subscripts, *arrays)

    def relu(self, array: Array) -> Array:
        return ops.relu(array)

    def sum(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
        return ops.sum(array, axis, keepdims=keepdims)

    def mean(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
        return ops.mean(array, axis, keepdims=keepdims)

    def max(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
        return ops.max(array, axis, keepdims=keepdims)

    def min(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array:
        return ops.min(array, axis, keepdims=keepdims)

    def softmax(self, array: Array, axis: int) -> Array:
        raised = ops.exp(array - ops.max(array, axis, keepdims=True))  # Keras's own warns where there is but one
        return raised / ops.sum(raised, axis, keepdims=True)

    def eye(self, size: int) -> Array:
        return ops.eye(size)

    def eigh(self, matrices: Array) -> tuple[Array, Array]:
        finite = ops.all(ops.isfinite(matrices), axis=(-2, -1), keepdims=True)  # one that is not may fail for all
        values, vectors = ops.linalg.eigh(ops.where(finite, matrices, ops.zeros_like(matrices)))
        return values, ops.where(finite, vectors, ops.full_like(vectors, float("nan")))

    def where(self, condition: Array, one: Array, other: Array | float) -> Array:
        return ops.where(condition, one, other)

    def concatenate(self, arrays: Sequence[Array], axis: int) -> Array:
        return ops.concatenate(list(arrays), axis)

    def reshape(self, array: Array, shape: tuple[int, ...]) -> Array:
        return ops.reshape(array, shape)

    def moveaxis(self, array: Array, source: int, destination: int) -> Array:
        return ops.moveaxis(array, source, destination)

    def take_along_axis(self, array: Array, indices: Indices, axis: int) -> Array:
        spread = np.broadcast_to(indices, (*array.shape[:-1], indices.shape[-1]))  # not every backend spreads them
        return ops.take_along_axis(array, ops.convert_to_tensor(spread, "int32"), axis)

    def resize(self, maps: Array, shape: tuple[int, int]) -> Array:
        grown = ops.image.resize(maps[..., None], shape, interpolation="bilinear", data_format="channels_last")
        return grown[..., 0]
