"""What the aims say of a Keras model's outputs: values on the host, and their derivative by the outputs' arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from seewhy.evidence import Array
from seewhy.models.keras.scores import host, is_float
from seewhy.models.outputs import of_functions
from seewhy.targets import Aim, Floats, values


def values_now(row: Sequence[Aim], outputs: Any, scores: Floats) -> Floats:
    """float [m]: each image's target's value."""
    found = values(row, scores)
    for i, value in of_functions(row, outputs).items():
        found[i] = float(host(value))
    return found


def slopes_of(engine: Any, row: Sequence[Aim], leaves: Sequence[Array]) -> list[Floats]:
    """The derivative of the sum of all targets that are functions by each array of the outputs."""
    wanted = [i for i, leaf in enumerate(leaves) if is_float(leaf)]

    def total(floats: Sequence[Array]) -> Array:
        whole = list(leaves)
        for i, leaf in zip(wanted, floats, strict=True):
            whole[i] = leaf
        return sum(ops.cast(value, "float32") for value in of_functions(row, engine.walk.rebuilt(whole)).values())

    found = dict(zip(wanted, engine.slopes(total, [leaves[i] for i in wanted]), strict=True))
    return [
        np.zeros(leaf.shape, np.float32) if found.get(i) is None else host(found[i]) for i, leaf in enumerate(leaves)
    ]


def on_device(array: Floats) -> Array:
    """A host array as the backend's, in float32 or wider."""
    kind = "float64" if keras.config.floatx() == "float64" else "float32"
    return ops.convert_to_tensor(np.asarray(array, kind))
