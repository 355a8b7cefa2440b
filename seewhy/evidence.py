"""The wall between models and methods: what a pass through a model gives, and who has to give it.

Models make Evidence and methods read it; neither knows the other. Arrays of Evidence stay on the model's device, in
the framework's own type, channels last, float32 or wider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from seewhy.targets import Aim, Floats

Array: TypeAlias = Any  # an array of the model's framework

Indices: TypeAlias = np.ndarray[Any, np.dtype[np.integer[Any]]]

INPUT = "input"  # the name of the layer of methods that explain by the pixels of the image itself


class Ops(Protocol):
    """The few array functions that methods need, named and behaving as in NumPy, plus relu, einsum and resize."""

    def numpy(self, array: Array) -> Floats: ...
    def asarray(self, array: Floats, like: Array) -> Array:
        """A host array in the type, and on the device, of another."""

    def einsum(self, subscripts: str, *arrays: Array) -> Array: ...
    def relu(self, array: Array) -> Array: ...
    def sum(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array: ...
    def mean(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array: ...
    def max(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array: ...
    def min(self, array: Array, axis: int | tuple[int, ...], keepdims: bool = False) -> Array: ...
    def softmax(self, array: Array, axis: int) -> Array: ...
    def eye(self, size: int) -> Array: ...
    def eigh(self, matrices: Array) -> tuple[Array, Array]:
        """Eigenvalues, rising, and eigenvectors, in columns, of symmetric [..., n, n]; NaN where it is not finite."""

    def where(self, condition: Array, one: Array, other: Array | float) -> Array: ...
    def concatenate(self, arrays: Sequence[Array], axis: int) -> Array: ...
    def reshape(self, array: Array, shape: tuple[int, ...]) -> Array: ...
    def moveaxis(self, array: Array, source: int, destination: int) -> Array: ...
    def take_along_axis(self, array: Array, indices: Indices, axis: int) -> Array:
        """As in NumPy, which the indices are of; they spread over dimensions of size 1."""

    def resize(self, maps: Array, shape: tuple[int, int]) -> Array:
        """[n, h, w] to [n, *shape], bilinear, edge-aligned (half-pixel centres)."""


@dataclass(frozen=True, eq=False)
class Head:
    """The linear layer behind a global average pooling: score = weights @ mean(activations) + bias.

    Args:
        weights: float [outputs, channels].
    """

    weights: Array


@dataclass(frozen=True, eq=False)
class Trial:
    """What the model gave for changed activations or changed images.

    Args:
        values: float [trials, batch], the target's value.
        probabilities: float [trials, batch], the probability of the target's class; None where there is no one class.
        gradients: float [trials, batch, height, width, channels] of the target's value, where asked for.
    """

    values: Array
    probabilities: Array | None
    gradients: Array | None = None


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one pass gives for one layer and one target. What a method did not declare in `needs` is None.

    Args:
        activations: float [batch, height, width, channels], the layer's output A.
        gradients: float [batch, height, width, channels], dy/dA for the target's value y ('gradients').
        values: float [batch], y.
        directions: float [batch, outputs], the derivative of y by the scores.
        ops: the framework's array functions.
        images: float [batch, height, width, channels], what the model ate.
        room: how many images the model takes at a time without straining memory.
        linear: y is linear in the scores, up to a constant: `directions` is its slope everywhere.
        head: the linear weights behind pooling, where the layer has such a head ('head').
        edited: runs the rest of the network on changed activations [trials, batch, height, width, channels] ('edited').
        again: a new pass at new images [trials, batch, height, width, channels] ('again'). Its gradients are none for
            "", by the image for "image", by the layer's output A for "layer", and for "guided" by the image under the
            guided rule: a ReLU hands back what is positive alone.
        biases: a new pass ('biases'): one trial with gradients by the image, and for each step of the network that adds
            a constant, that constant times the gradient there, [batch, h, w, channels], 1 × 1 where there is no map.
            With image * gradient they add up to y; EvidenceError where they do not.
    """

    activations: Array
    gradients: Array | None
    values: Array
    directions: Array
    ops: Ops
    images: Array
    room: int
    linear: bool = False
    head: Head | None = None
    edited: Callable[[Array], Trial] | None = None
    again: Callable[[Array, str], Trial] | None = None
    biases: Callable[[], tuple[Trial, list[Array]]] | None = None


@dataclass(frozen=True)
class Layer:
    """One layer of a model, as a person choosing a layer needs it.

    Args:
        name: how to ask for it.
        kind: its class.
        shape: its output's shape without the batch, in the framework's own order; () where it is no single array.
        parameters: how many numbers it holds, its parts included.
        grid: height and width of its map; None where it has none.
        usable: a map can be taken here.
        why_not: the reason where it is not usable.
        default: a map is taken here unless another layer is asked for.
        block: one of the layers that layer="all" means: usable, and not inside another such layer.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    grid: tuple[int, int] | None
    usable: bool
    why_not: str = ""
    default: bool = False
    block: bool = False


class Run(Protocol):
    """A pass under way: scores first, then evidence for the aims that were settled with them."""

    scores: Floats  # [batch, outputs], before softmax or sigmoid
    several: bool  # a sigmoid over several outputs
    notes: tuple[str, ...]  # what the user should know about these scores

    def evidence(self, aims: Sequence[Sequence[Aim]]) -> list[list[Evidence]]:
        """Evidence [target][layer] for aims [target][picture]; all from the one forward pass."""


class Model(Protocol):
    """A model of any framework, as explain sees it."""

    name: str
    labels: tuple[str, ...] | None
    prepare: Callable[[Any], Any] | None
    told: dict[str, Any]  # what `wrap` was told, to wrap it again
    in_channels: int | None  # of the images that it takes, as far as it tells
    in_size: tuple[int, int] | None  # their height and width

    @property
    def channels_first(self) -> bool: ...

    def fingerprint(self) -> str:
        """The same for the same weights."""

    def batch(self, images: Sequence[Any]) -> Array:
        """One array in the model's layout, dtype and device from single images; errors name what does not fit."""

    def layers(self, images: Array) -> list[Layer]:
        """All layers in order of execution, found by one pass over the first image and remembered weakly."""

    def choose(self, asked: Any, images: Array) -> tuple[list[str], bool]:
        """Names of the layers in `asked` (None, a name, a module, an index, 'all', or a list), and whether several."""

    def run(self, images: Array, layers: Sequence[str], needs: frozenset[str]) -> AbstractContextManager[Run]:
        """Runs the model on a batch; inside the context evidence can be taken, after it the model is as it was."""
