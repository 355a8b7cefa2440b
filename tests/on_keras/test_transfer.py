"""Transfer learning on a Keras network: a new linear head, the same by seed, and the network as it was."""

import keras
import numpy as np
import pytest
from keras import layers as L
from PIL import Image

import seewhy as sw


def body():
    inputs = keras.Input((32, 32, 3))
    x = L.Conv2D(8, 3, strides=2, activation="relu")(inputs)
    x = L.BatchNormalization()(x)
    x = L.Conv2D(16, 3, strides=2, activation="relu", name="last")(x)
    x = L.Dropout(0.3)(x)
    return keras.Model(inputs, L.Dense(7, activation="softmax")(L.GlobalAveragePooling2D()(x)))


def pictures(count=24):
    """Red ones and green ones."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        pixels = rng.integers(0, 120, (40, 40, 3))
        pixels[..., i % 2] += 100
        found.append((Image.fromarray(pixels.astype(np.uint8)), ("red", "green")[i % 2]))
    return found


ON_JAX = keras.backend.backend() == "jax"  # which compiles for half a minute


@pytest.mark.parametrize("tune", [0] if ON_JAX else [0, 1])
def test_a_new_head_by_seed_and_the_network_as_it_was(tune):
    model = sw.wrap(body(), prepare="0..1@32")
    before = [weight.copy() for weight in model.module.get_weights()]
    train, data = sw.transfer(model, epochs=10, tune=tune), pictures()
    one, again, other = train(data, 0), train(data, 0), train(data, 1)
    for weight, was in zip(model.module.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, was)
    assert one.labels == ("green", "red")
    answers = [sw.explain(one, picture) for picture, _ in data]
    assert np.mean([why.label == label for why, (_, label) in zip(answers, data, strict=True)]) == 1
    assert answers[0].map.shape == (7, 7)
    np.testing.assert_allclose(answers[3].scores, sw.explain(again, data[3][0]).scores, rtol=1e-5)
    assert not np.allclose(answers[3].scores, sw.explain(other, data[3][0]).scores, rtol=1e-5)
    layers = {layer.name: layer for layer in one.module.layers}
    changed = not np.array_equal(layers["last"].get_weights()[0], before[6])
    assert changed == bool(tune)
    np.testing.assert_array_equal(one.module.layers[1].get_weights()[0], before[0])


@pytest.mark.skipif(ON_JAX, reason="slow there, and the same code")
def test_a_study_on_keras(tmp_path):
    train = sw.transfer(sw.wrap(body(), prepare="0..1@32"), epochs=3)
    every = pictures(40)
    found = sw.study(
        train, every[:16], (0, 1), supplement=every[16:24], held_out=every[24:], out=tmp_path / "s", repeats=2
    )
    assert found.shares == (0, 1)
    assert [each.pictures for each in found] == [16, 16, 24, 24]
    assert "accuracy" in repr(found)


def test_recipe_keras_layers_as_augmentation(tmp_path):
    pipeline = keras.Sequential([L.RandomFlip("horizontal", seed=0), L.RandomRotation(0.1, seed=0)])
    every = pictures(20)
    train = sw.transfer(sw.wrap(body(), prepare="0..1@32"), epochs=1)
    found = sw.study(
        train,
        every[:10],
        (1,),
        supplement=lambda picture: np.clip(pipeline(np.asarray(picture, "float32"), training=True), 0, 255),
        held_out=every[10:],
        out=tmp_path / "s",
        repeats=1,
    )
    assert [each.pictures for each in found] == [20]
