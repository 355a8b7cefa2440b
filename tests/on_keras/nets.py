"""Small Keras networks with weights drawn by rule, and the same in NumPy loops, to compare with."""

import keras
import numpy as np
from keras import layers as L


def drawn(model, seed=0):
    """The model with all its weights drawn anew, those of batch norms too."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        if "seed" in weight.path:
            continue
        if "variance" in weight.path:
            weight.assign(random.uniform(0.5, 2, weight.shape))
        else:
            weight.assign(random.normal(0, 0.5, weight.shape))
    return model


def sequential(*layers, side=(10, 9, 3), seed=0):
    return drawn(keras.Sequential([keras.Input(side), *layers]), seed)


def pooled(*layers, classes=3, **more):
    return sequential(*layers, L.GlobalAveragePooling2D(), L.Dense(classes, name="head"), **more)


def backbone(side=(32, 32, 3), name="backbone"):
    x = keras.Input(side)
    y = L.Conv2D(6, 3, strides=2, padding="same", use_bias=False, name="conv1")(x)
    y = L.BatchNormalization(name="norm1")(y)
    y = L.ReLU(name="relu1")(y)
    z = L.Conv2D(6, 3, padding="same", name="conv2")(y)
    y = L.Add(name="add")([y, z])
    y = L.Conv2D(8, 3, strides=2, padding="same", name="conv3")(y)
    y = L.ReLU(name="last")(y)
    return keras.Model(x, y, name=name)


def nested(side=(32, 32, 3), activation=None, seed=0):
    """What every transfer-learning tutorial makes."""
    base = backbone(side)
    x = keras.Input(side)
    y = L.Rescaling(1 / 127.5, offset=-1)(x)
    y = base(y, training=False)
    y = L.GlobalAveragePooling2D()(y)
    y = L.Dropout(0.2)(y)
    return drawn(keras.Model(x, L.Dense(5, activation=activation, name="head")(y), name="nested"), seed)


def flattened(model):
    """The nested model's layers in one graph, sharing its layers."""
    x = keras.Input(model.input_shape[1:])
    y = L.Rescaling(1 / 127.5, offset=-1)(x)
    base = model.get_layer("backbone")
    for name in ("conv1", "norm1", "relu1"):
        y = base.get_layer(name)(y)
    y = base.get_layer("add")([y, base.get_layer("conv2")(y)])
    y = base.get_layer("last")(base.get_layer("conv3")(y))
    y = L.GlobalAveragePooling2D()(y)
    return keras.Model(x, model.get_layer("head")(y))


class Subclassed(keras.Model):
    def __init__(self, activation=None, **more):
        super().__init__(**more)
        self.a = L.Conv2D(6, 3, padding="same", activation="relu")
        self.norm = L.BatchNormalization()
        self.b = L.Conv2D(8, 3, strides=2, padding="same")
        self.relu = L.ReLU()
        self.drop = L.Dropout(0.5)
        self.pool = L.GlobalAveragePooling2D()
        self.out = L.Dense(5)
        self.activation = activation

    def call(self, x, training=None):
        x = self.norm(self.a(x), training=training)
        y = self.relu(self.b(x))
        y = self.relu(y * 1.5 - 0.1)  # a shared layer, called twice
        scores = self.out(self.drop(self.pool(y), training=training))
        return keras.ops.softmax(scores) if self.activation == "softmax" else scores


def image(height=32, width=32, channels=3, seed=1):
    return np.random.default_rng(seed).uniform(0, 1, (height, width, channels)).astype(np.float32)


def by_loops(layers, x):
    """float64 [height, width, channels] or [n] through Keras layers, in NumPy."""
    x = np.asarray(x, float)
    for layer in layers:
        x = _step(layer, [np.asarray(keras.ops.convert_to_numpy(w.value), float) for w in layer.weights], x)
    return x


def _step(layer, weights, x):
    if isinstance(layer, L.DepthwiseConv2D):
        kernel = np.zeros((*weights[0].shape[:2], x.shape[-1], x.shape[-1]))
        for c in range(x.shape[-1]):
            kernel[:, :, c, c] = weights[0][:, :, c, 0]
        return _convolved(x, kernel, weights[1], layer.strides[0], layer.dilation_rate[0])
    if isinstance(layer, L.Conv2D):
        per = weights[0].shape[3] // layer.groups
        size = weights[0].shape[2]
        kernel = np.zeros((*weights[0].shape[:2], x.shape[-1], weights[0].shape[3]))
        for g in range(layer.groups):
            own = slice(g * per, (g + 1) * per)
            kernel[:, :, g * size : (g + 1) * size, own] = weights[0][..., own]
        return _convolved(x, kernel, weights[1], layer.strides[0], layer.dilation_rate[0])
    if isinstance(layer, L.BatchNormalization):
        gamma, beta, mean, variance = weights
        return (x - mean) / np.sqrt(variance + layer.epsilon) * gamma + beta
    if isinstance(layer, L.ReLU):
        return np.maximum(x, 0)
    if isinstance(layer, L.GlobalAveragePooling2D):
        return x.mean((0, 1))
    if isinstance(layer, L.Flatten):
        return x.reshape(-1)
    if isinstance(layer, L.Dense):
        y = x @ weights[0] + weights[1]
        return np.tanh(y) if layer.activation.__name__ == "tanh" else y
    raise AssertionError(layer)


def _convolved(x, kernel, bias, stride, dilation):
    rows, columns = (dilation * (k - 1) + 1 for k in kernel.shape[:2])
    out = np.zeros(((x.shape[0] - rows) // stride + 1, (x.shape[1] - columns) // stride + 1, kernel.shape[3]))
    for i, j in np.ndindex(out.shape[:2]):
        part = x[i * stride : i * stride + rows : dilation, j * stride : j * stride + columns : dilation]
        out[i, j] = np.einsum("hwc,hwcd->d", part, kernel) + bias
    return out
