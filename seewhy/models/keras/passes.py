"""A pass of a Keras model under way: what the layers gave, gradients for many targets at once, the linear head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from seewhy.errors import EvidenceError
from seewhy.evidence import INPUT, Array, Evidence, Head
from seewhy.models.keras.engines import Passed
from seewhy.models.keras.judging import on_device, slopes_of, values_now
from seewhy.models.keras.layers import Survey
from seewhy.models.keras.ops import KerasOps
from seewhy.models.keras.scores import host, is_float, wide
from seewhy.models.keras.trials import again, edited
from seewhy.models.outputs import LOGARITHMS, ODDS, PROBABILITIES, are_logarithms, are_probabilities
from seewhy.targets import Aim, Floats, directions

if TYPE_CHECKING:
    from seewhy.models.keras.adapter import KerasModel

_GRADIENT_ROOM = 2**27  # numbers in the gradients of one vectorised way back: half a gigabyte


@dataclass(eq=False)
class KerasRun:
    """A pass under way; see `seewhy.evidence.Run`."""

    model: KerasModel
    images: Array
    layers: list[str]
    needs: frozenset[str]
    survey: Survey
    alone: dict[str, bool] = field(default_factory=dict)  # layers through which alone the scores depend on the image

    def __post_init__(self) -> None:
        if "biases" in self.needs:
            raise EvidenceError(
                "a method that needs the bias of every layer, and a Keras model",
                "a PyTorch model: behind a Keras layer's own activation its bias cannot be seen",
                'take method="integrated_gradients", whose shares add up for any network, or "layerguided" for details',
            )
        watched = self.survey.in_order(name for name in self.layers if name != INPUT)
        self.engine = self.model.engine(self.images, self.survey, watched, "gradients" in self.needs)
        self.passed = self.engine.forward(self.images)
        self.seen = self.passed.seen
        missing = [name for name in watched if name not in self.seen]
        if missing:
            raise EvidenceError(
                f"layer {missing[0]!r} did not run for this image",
                "a layer that runs in every pass",
                "choose another layer; layers(model) lists them",
            )
        given = np.zeros((len(self.images), 0)) if self.passed.scores is None else host(self.passed.scores)
        self.squash, self.notes, self.several = "", self.survey.notes, self.survey.several
        if self.survey.ending is None and given.shape[1]:
            slack = 1e-3 if self._is_wide else 2e-2
            if are_probabilities(given, slack):
                self.squash, self.notes = "softmax", (*self.notes, PROBABILITIES)
            elif are_logarithms(given, slack):
                self.notes = (*self.notes, LOGARITHMS)
            elif self.model.is_squashed(self.images, given):
                self.squash, self.notes, self.several = "sigmoid", (*self.notes, ODDS), given.shape[1] > 1
        self.scores: Floats = self.explained(given)
        # TensorFlow's ReLU makes 0 of NaN: what was made of such an image is no answer
        self.scores[~np.isfinite(host(ops.sum(self.images, axis=(1, 2, 3))))] = np.nan

    @property
    def _is_wide(self) -> bool:
        return getattr(self.model.module, "compute_dtype", "float32") in ("float32", "float64")

    def explained(self, given: Floats) -> Floats:
        """The scores that are explained, from those that the pass gave."""
        if self.squash == "softmax":
            return np.log(np.maximum(given, np.finfo(given.dtype).tiny))
        if self.squash == "sigmoid":
            kept = np.clip(given, np.finfo(given.dtype).tiny, 1 - np.finfo(given.dtype).epsneg)
            return np.log(kept) - np.log1p(-kept)
        return given

    # evidence

    def evidence(self, aims: Sequence[Sequence[Aim]]) -> list[list[Evidence]]:
        """Evidence [target][layer] for aims [target][picture]; all from the one forward pass."""
        gradients = self._gradients(aims) if "gradients" in self.needs else None
        images = self.as_image(self.images)
        room = int(np.clip(32 * 224**2 / (images.shape[1] * images.shape[2]), 1, 128))
        heads = {name: self._head(name) for name in self.seen} if "head" in self.needs else {}
        maps = {name: self.as_map(name, array) for name, array in self.seen.items()}
        outputs = self.engine.walk.rebuilt(self.passed.leaves)
        rows: list[list[Evidence]] = []
        for t, row in enumerate(aims):
            values = on_device(values_now(row, outputs, self.scores))
            slopes = on_device(directions(row, self.scores))
            rows.append(
                [
                    Evidence(
                        activations=maps.get(name, images),
                        gradients=None if gradients is None else gradients[name][t],
                        values=values,
                        directions=slopes,
                        ops=KerasOps(),
                        images=images,
                        room=room,
                        linear=all(aim.weights is not None for aim in row),
                        head=heads.get(name),
                        edited=partial(edited, self, name, row, room) if "edited" in self.needs else None,
                        again=partial(again, self, name, row, room) if "again" in self.needs else None,
                    )
                    for name in self.layers
                ]
            )
        return rows

    def _gradients(self, aims: Sequence[Sequence[Aim]]) -> dict[str, list[Array]]:
        """Layer → [target] → gradients [batch, h, w, channels] of each target's value by the layer's output."""
        size = sum(int(np.prod(array.shape)) for array in self.seen.values())
        step = max(1, _GRADIENT_ROOM // max(size, 1))
        found: dict[str, list[Array]] = {name: [] for name in self.seen}
        for start in range(0, len(aims), step):
            part = self.way_back(self.engine, self.passed, self.scores, aims[start : start + step])
            for name, each in found.items():
                each += [self.as_map(name, part[name][t]) for t in range(len(part[name]))]
        return found

    def way_back(self, engine: Any, passed: Passed, scores: Floats, aims: Sequence[Sequence[Aim]]) -> dict[str, Array]:
        """Layer → gradients [target, batch, ...] of the targets' values by its output, float32 or wider."""
        functions = [aim.function is not None for row in aims for aim in row]
        parts = []
        if not all(functions):
            slopes = np.stack([directions(row, scores) for row in aims])
            if self.squash == "softmax":
                slopes = slopes / np.exp(scores)  # d log p / dp = 1 / p
            elif self.squash == "sigmoid":
                slopes = slopes * (2 + np.exp(scores) + np.exp(-scores))  # d log(p / (1 - p)) / dp = 1 / (p (1 - p))
            parts.append(_pulled(engine, passed, [slopes]))
        if any(functions):  # pictures do not depend on each other: what functions and classes give adds up
            whole = self.model.engine(passed.images, self.survey, engine.names, True, True, engine.walk.guided)
            again = whole.forward(passed.images)
            by_row = [slopes_of(whole, row, again.leaves) for row in aims]
            kept = [i for i, leaf in enumerate(again.leaves) if is_float(leaf)]
            parts.append(_pulled(whole, again, [np.stack([row[i] for row in by_row]) for i in kept]))
        return parts[0] if len(parts) == 1 else {name: parts[0][name] + parts[1][name] for name in parts[0]}

    def _head(self, name: str) -> Head | None:
        """The weights of the last linear layer, where it makes the scores of the mean of this layer's map."""
        if self.passed.scores is None or self.squash:
            return None
        scores = host(self.passed.scores)
        finite = np.isfinite(scores).all(1)
        scores, pooled = scores[finite], host(self.as_map(name, self.seen[name])).mean((1, 2))[finite]
        all_parts = self.model.parts
        for layer in reversed(self.survey.layers):
            part = all_parts.get(layer.name)
            if not isinstance(part, keras.layers.Dense | keras.layers.Conv2D) or not layer.shape:
                continue
            kernel = host(ops.convert_to_tensor(part.kernel))
            if kernel.shape[-1] != scores.shape[1] or kernel.size != pooled.shape[1] * scores.shape[1]:
                continue
            kernel = kernel.reshape(-1, scores.shape[1])
            bias = 0.0 if part.bias is None else host(ops.convert_to_tensor(part.bias))
            slack = 1e-4 if part.compute_dtype in ("float32", "float64") else 2e-2
            if np.allclose(pooled @ kernel + bias, scores, rtol=0, atol=slack * float(np.abs(scores).max(initial=0))):
                return Head(on_device(kernel.T))
        return None

    # layouts

    def as_image(self, array: Array) -> Array:
        """float [batch, height, width, channels] of images or their gradients."""
        return wide(ops.moveaxis(array, 1, -1) if self.model.channels_first else array)

    def as_map(self, name: str, array: Array) -> Array:
        """float [batch, height, width, channels] of a layer's output or gradient, float32 or wider."""
        grid = self.survey.grids[name]
        if grid.layout == "channels first":
            array = ops.moveaxis(array, 1, -1)
        elif grid.layout == "tokens":
            array = ops.reshape(array[:, grid.prefix :], (array.shape[0], *grid.shape, array.shape[-1]))
        return wide(array)

    def as_output(self, name: str, maps: Array, seen: Array) -> Array:
        """The layer's output for maps [m, height, width, channels]; tokens before the grid are those of `seen` [m]."""
        grid = self.survey.grids[name]
        maps = ops.cast(maps, seen.dtype)
        if grid.layout == "channels first":
            return ops.moveaxis(maps, -1, 1)
        if grid.layout == "channels last":
            return maps
        tokens = ops.reshape(maps, (maps.shape[0], -1, maps.shape[-1]))
        return ops.concatenate([seen[:, : grid.prefix], tokens], 1)


def _pulled(engine: Any, passed: Passed, seeds: Sequence[Floats]) -> dict[str, Array]:
    low = any(keras.backend.standardize_dtype(array.dtype) == "float16" for array in passed.seen.values())
    for scale in (1024.0, 1.0, 1 / 1024) if low else (1.0,):  # float16 would underflow, or overflow
        pulled = engine.pull(passed, [seed * scale for seed in seeds])
        found: dict[str, Array] = {name: wide(array) / scale if low else wide(array) for name, array in pulled.items()}
        if not low or all(np.isfinite(host(array)).all() for array in found.values()):
            break
    return found
