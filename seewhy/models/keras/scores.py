"""Where the scores are in what a Keras model returns; on shapes alone, as the pass may only be traced."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from seewhy.evidence import Array
from seewhy.models.outputs import scores_among
from seewhy.targets import Floats


def find_scores(outputs: Any, asked: Any = None) -> tuple[Array | None, tuple[str, ...]]:
    """The scores [batch, outputs] among a model's outputs, or None, and what the user should know about them."""
    return scores_among(outputs, asked, _two_dimensional)


def is_float(array: Array) -> bool:
    return "float" in keras.backend.standardize_dtype(array.dtype)


def wide(array: Array) -> Array:
    """float32, or float64 where it was."""
    kind = keras.backend.standardize_dtype(array.dtype)
    return array if kind in ("float32", "float64") else keras.ops.cast(array, "float32")


def host(array: Array) -> Floats:
    found: Floats = np.asarray(keras.ops.convert_to_numpy(wide(array)))
    return found


def _two_dimensional(array: Any) -> Array | None:
    """[n, classes] from [n], [n, classes] or [n, 1, 1, classes]; None for others."""
    if not keras.ops.is_tensor(array) or not is_float(array) or len(array.shape) in (0, 3):
        return None
    shape = list(array.shape[1:])
    if len(shape) > 1 and sum(side != 1 for side in shape) > 1:
        return None
    return array if len(shape) == 1 else keras.ops.reshape(array, (-1, int(np.prod(shape, dtype=int))))
