"""A Keras network up to its last maps, their mean, and a new linear layer behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from seewhy.errors import InputError
from seewhy.models.heads import Floats
from seewhy.models.keras.adapter import KerasModel
from seewhy.models.keras.scores import host

Batches = Callable[[Sequence[Any], Any], Iterator[tuple[list[Any], Any]]]


class Backbone:
    """A network up to the last layer that has maps, and the mean over these.

    Args:
        model: wrapped; Functional or Sequential.
    """

    def __init__(self, model: KerasModel) -> None:
        self.model = model
        layers = getattr(model.module, "layers", [])
        maps = [layer for layer in layers if _has_maps(layer)]
        if not maps or not getattr(model.module, "inputs", None):
            raise InputError(
                f"{model.name}, of which no layer with maps can be found",
                "a Functional or Sequential network of convolutions, such as keras:MobileNetV2",
                "write train(data, seed) -> model yourself for this one, and call seewhy.study(train, ...)",
            )
        self._last = maps[-1].name
        self._body = self._pooled(model.module)

    def features(self, images: Sequence[Any]) -> Floats:
        """float32 [n, d]: the last maps, averaged."""
        return np.asarray(host(self._body(self.model.batch(images), training=False)), np.float32)

    def headed(self, weights: Floats, bias: Floats) -> Any:
        """A copy of the network with a new linear layer behind the mean of its last maps."""
        copied = keras.models.clone_model(self.model.module)
        copied.set_weights(self.model.module.get_weights())
        body = self._pooled(copied)
        head = keras.layers.Dense(weights.shape[1], dtype="float32", name="head")
        module = keras.Model(body.inputs, head(body.outputs[0]), name=f"{self.model.module.name}_headed")
        head.set_weights([weights, bias])
        return module

    def tune(self, module: Any, batches: Batches, sources: Sequence[Any], labels: Any, seed: int, epochs: int) -> None:
        """Trains the last convolution, what follows it, and the head; nothing drops out, norms stay."""
        from seewhy.models.transferring import RATE

        layers = [layer for layer in module.layers if layer.weights]
        kernels = [i for i, layer in enumerate(layers) if hasattr(layer, "kernel") and layer.name != "head"]
        start = kernels[-1] if kernels else len(layers) - 1
        for number, layer in enumerate(layers):
            layer.trainable = number >= start and not isinstance(layer, keras.layers.BatchNormalization)
        # Not by a seed: on torch's backend Keras draws what drops out from the global random state.
        dropping = {layer: layer.rate for layer in module.layers if isinstance(layer, keras.layers.Dropout)}
        for layer in dropping:
            layer.rate = 0.0
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        module.compile(keras.optimizers.AdamW(RATE), loss)
        rng = np.random.default_rng(seed)
        for _ in range(epochs):
            for images, rows in batches(sources, rng.permutation(len(sources))):
                module.train_on_batch(self.model.batch(images), labels[rows])
        for layer, rate in dropping.items():
            layer.rate = rate

    def _pooled(self, module: Any) -> Any:
        maps = module.get_layer(self._last).output
        return keras.Model(module.inputs, keras.layers.GlobalAveragePooling2D()(maps))


def _has_maps(layer: Any) -> bool:
    """Its output is [batch, height, width, channels] with more than one cell, as far as the sizes are known."""
    if isinstance(layer, keras.layers.InputLayer):
        return False
    try:
        shape = tuple(layer.output.shape)
    except (AttributeError, ValueError):
        return False
    first = keras.config.image_data_format() == "channels_first"
    return len(shape) == 4 and tuple(shape[2:] if first else shape[1:3]) != (1, 1)
