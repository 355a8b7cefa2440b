"""A small network in NumPy that can be explained: for tests without a framework, and to read how a Model is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.evidence import INPUT, Evidence, Head, Layer, Trial
from seewhy.images.resizing import upscale
from seewhy.targets import Aim, Floats, chances, directions, values

NAMES = ("convolution", "relu")


class PlainModel:
    """Convolution without padding, ReLU, global average pooling, one linear layer; images channels last.

    Args:
        kernels: float [rows, columns, channels in, channels out].
        weights: float [outputs, channels out].
        bias: float [outputs], or None for zero.
        labels, prepare, layer, name: as in `seewhy.wrap`.
    """

    channels_first = False
    in_size = None

    def __init__(
        self,
        kernels: Floats,
        weights: Floats,
        bias: Floats | None = None,
        *,
        labels: tuple[str, ...] | None = None,
        prepare: Callable[[Any], Any] | None = None,
        layer: Any = None,
        name: str = "PlainModel",
    ) -> None:
        self.kernels, self.weights = np.asarray(kernels, float), np.asarray(weights, float)
        self.bias = np.zeros(len(self.weights)) if bias is None else np.asarray(bias, float)
        self.labels, self.prepare, self.layer, self.name = labels, prepare, layer, name
        self.in_channels: int | None = self.kernels.shape[2]
        self.told = {"labels": labels, "prepare": prepare, "layer": layer, "name": name}

    def batch(self, images: Sequence[Any]) -> Floats:
        """float [batch, height, width, channels] from single images."""
        if len(images) == 0:
            raise InputError("an empty batch", "at least one image", "check the list of images")
        return np.stack([np.asarray(image, float).reshape(np.shape(image)[-3:]) for image in images])

    def fingerprint(self) -> str:
        """The same for the same weights."""
        return hashlib.blake2b(
            b"".join(each.tobytes() for each in (self.kernels, self.weights, self.bias))
        ).hexdigest()[:32]

    def layers(self, images: Floats) -> list[Layer]:
        """The convolution and the ReLU behind it, which is the default."""
        rows, columns, _, channels = self.kernels.shape
        grid = images.shape[1] - rows + 1, images.shape[2] - columns + 1
        return [
            Layer(name, name.title(), (*grid, channels), count, grid, True, default=name == "relu", block=True)
            for name, count in zip(NAMES, (self.kernels.size, 0), strict=True)
        ]

    def choose(self, asked: Any, images: Floats) -> tuple[list[str], bool]:
        """Names of the layers in `asked`, and whether several were meant."""
        asked = self.layer if asked is None else asked
        if isinstance(asked, list | tuple):
            return [name for one in asked for name in self.choose(one, images)[0]], True
        if asked == "all":
            return list(NAMES), True
        name = "relu" if asked is None else NAMES[asked] if isinstance(asked, int) else asked
        if name not in NAMES:
            near = did_you_mean(str(name), NAMES, "take 'relu'")
            raise UnknownNameError(f"no layer is called {name!r}", "'convolution' or 'relu'", near)
        return [name], False

    @contextmanager
    def run(self, images: Floats, layers: Sequence[str], needs: frozenset[str]) -> Iterator[PlainRun]:
        """Runs the network; there is nothing to put back."""
        yield PlainRun(self, images, layers)

    def convolved(self, images: Floats) -> Floats:
        """float [batch, h, w, channels out]."""
        rows, columns = self.kernels.shape[:2]
        windows = np.lib.stride_tricks.sliding_window_view(images, (rows, columns), axis=(1, 2))
        found: Floats = np.einsum("nhwcij,ijck->nhwk", windows, self.kernels)
        return found

    def rest(self, name: str, activations: Floats) -> Floats:
        """float [batch, outputs] from the output of a layer."""
        rectified = np.maximum(activations, 0) if name == "convolution" else activations
        scores: Floats = rectified.mean((1, 2)) @ self.weights.T + self.bias
        return scores

    def slope(self, name: str, convolved: Floats, directions: Floats) -> Floats:
        """float [batch, h, w, channels]: gradients of directions · scores by the output of a layer."""
        pooled = directions @ self.weights / (convolved.shape[1] * convolved.shape[2])  # [batch, channels]
        spread = np.broadcast_to(pooled[:, None, None, :], convolved.shape)
        return spread * (convolved > 0) if name != "relu" else spread

    def image_slope(self, images: Floats, directions: Floats, guided: bool) -> Floats:
        """float [batch, height, width, channels in]: gradients of directions · scores by the image."""
        behind = self.slope("convolution", self.convolved(images), directions)
        behind = np.maximum(behind, 0) if guided else behind
        found = np.zeros_like(images)
        for i, j in np.ndindex(*self.kernels.shape[:2]):
            part = np.einsum("nhwk,ck->nhwc", behind, self.kernels[i, j])
            found[:, i : i + behind.shape[1], j : j + behind.shape[2]] += part
        return found


class PlainRun:
    """See `seewhy.evidence.Run`."""

    several = False
    notes: tuple[str, ...] = ()

    def __init__(self, model: PlainModel, images: Floats, layers: Sequence[str]) -> None:
        self.model, self.images, self.layers = model, images, layers
        self.convolved = model.convolved(images)
        self.scores = model.rest("convolution", self.convolved)

    def evidence(self, aims: Sequence[Sequence[Aim]]) -> list[list[Evidence]]:
        """Evidence [target][layer] for aims [target][picture]."""
        return [[self._of(name, row) for name in self.layers] for row in aims]

    def _of(self, name: str, row: Sequence[Aim]) -> Evidence:
        slopes = directions(row, self.scores)
        seen = {"convolution": self.convolved, "relu": np.maximum(self.convolved, 0), INPUT: self.images}[name]

        def edited(edits: Floats) -> Trial:
            return _judged(row, np.stack([self.model.rest(name, edit) for edit in edits]))

        def again(images: Floats, gradients: str) -> Trial:
            scores = np.stack([self.model.rest("convolution", self.model.convolved(part)) for part in images])
            found = _judged(row, scores)
            if not gradients:
                return found
            each = []
            for part, given in zip(images, scores, strict=True):
                if gradients == "layer":
                    each.append(self.model.slope(name, self.model.convolved(part), directions(row, given)))
                else:
                    each.append(self.model.image_slope(part, directions(row, given), gradients == "guided"))
            return Trial(found.values, found.probabilities, np.stack(each))

        def biases() -> tuple[Trial, list[Floats]]:
            return again(self.images[None], "image"), [(slopes * self.model.bias)[:, None, None]]

        return Evidence(
            activations=seen,
            gradients=None if name == INPUT else self.model.slope(name, self.convolved, slopes),
            values=values(row, self.scores),
            directions=slopes,
            ops=NumpyOps(),
            images=self.images,
            room=64,
            linear=all(aim.weights is not None for aim in row),
            head=Head(self.model.weights) if name == "relu" else None,
            edited=edited,
            again=again,
            biases=biases,
        )


class NumpyOps:
    """NumPy itself, with relu, softmax and resize."""

    def numpy(self, array: Floats) -> Floats:
        return np.asarray(array)

    def asarray(self, array: Floats, like: Floats) -> Floats:
        return np.asarray(array, like.dtype)

    def relu(self, array: Floats) -> Floats:
        return np.maximum(array, 0)

    def softmax(self, array: Floats, axis: int) -> Floats:
        powers = np.exp(array - array.max(axis, keepdims=True))
        shares: Floats = powers / powers.sum(axis, keepdims=True)
        return shares

    def eigh(self, matrices: Floats) -> tuple[Floats, Floats]:
        found: tuple[Floats, Floats] = np.linalg.eigh(matrices)
        return found

    def resize(self, maps: Floats, shape: tuple[int, int]) -> Floats:
        return np.stack([upscale(one, shape, "bilinear") for one in maps])

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _judged(row: Sequence[Aim], scores: Floats) -> Trial:
    """What the aims [batch] say of scores [trials, batch, outputs]."""
    sure = [chances(row, trial) for trial in scores]
    known = np.stack([one for one in sure if one is not None]) if sure[0] is not None else None
    return Trial(np.stack([values(row, trial) for trial in scores]), known)
