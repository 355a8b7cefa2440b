"""After any call, and after one that raised anywhere, a Keras model is as it was, and trains and predicts as before."""

import copy

import keras
import numpy as np
import pytest
from keras import layers as L

import seewhy as sw
from tests.on_keras import nets

IMAGE = nets.image()


def parts_of(model):
    found = [model]
    for layer in getattr(model, "layers", []):
        found += parts_of(layer)
    return found


def state(model):
    """Weights bit for bit, flags, and the attributes of each layer by identity."""
    flags = [(id(part), part.trainable, part.built, sorted(vars(part))) for part in parts_of(model)]
    calls = [(vars(part).get("call"), vars(part).get("__call__"), type(part).call) for part in parts_of(model)]
    values = [(v.path, v.trainable, keras.ops.convert_to_numpy(v.value).tobytes()) for v in model.variables]
    policy = keras.config.dtype_policy().name
    return flags, calls, values, model.compiled, policy, dict(vars(keras.src.backend.nn))


def compiled(model):
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def with_dropout():
    layers = [L.RandomFlip(), L.Conv2D(6, 3), L.BatchNormalization(), L.ReLU(), L.Dropout(0.5)]
    return compiled(nets.sequential(*layers, L.GlobalAveragePooling2D(), L.Dense(3), side=(32, 32, 3)))


MODELS = {
    "nested": lambda: compiled(nets.nested()),
    "with dropout and augmentation": with_dropout,
    "never compiled": nets.nested,
}
QUESTIONS = {
    "gradcam": {},
    "two layers, two targets": {"layer": [0, -1], "target": [0, 1]},
    "cam": {"method": "cam"},
    "ablationcam": {"method": "ablationcam"},
    "integrated gradients": {"method": "integrated_gradients", "steps": 3},
    "guided": {"method": "guided_backprop"},
    "a function": {"target": sw.output(lambda outputs: outputs[:, 0])},
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("kind", MODELS)
def test_after_success(kind, question):
    model = MODELS[kind]()
    sw.explain(model, IMAGE, **QUESTIONS[question])  # builds and remembers
    before = state(model)
    sw.explain(model, IMAGE, **QUESTIONS[question])
    sw.layers(model)
    assert state(model) == before


def test_a_first_call_leaves_no_trace_either():
    model = compiled(nets.nested())
    before = state(model)
    sw.explain(model, IMAGE)
    assert state(model) == before


def test_training_and_prediction_go_on_as_before():
    images, labels = np.stack([nets.image(seed=n) for n in range(8)]), np.arange(8) % 5
    after = []
    for explained in (True, False):
        keras.utils.set_random_seed(1)
        model = nets.nested()
        model.compile(keras.optimizers.SGD(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(images, labels, epochs=1, verbose=0, shuffle=False)
        first = model.predict(images, verbose=0)
        if explained:
            sw.explain(model, IMAGE, layer="all")
        model.fit(images, labels, epochs=1, verbose=0, shuffle=False)
        after.append((first, model.predict(images, verbose=0)))
    for one, other in zip(*after, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    assert not np.allclose(*after[0]), "training changed nothing"


def test_after_more_training_the_new_weights_are_explained():
    model = compiled(nets.nested())
    old = sw.explain(model, IMAGE, target=1, signed=True)
    model.get_layer("head").kernel.assign(2 * model.get_layer("head").kernel.value)
    new = sw.explain(model, IMAGE, target=1, signed=True)
    np.testing.assert_allclose(new.map, 2 * old.map, rtol=1e-5, atol=1e-9)


class Bang(Exception):
    pass


class Fuse(L.Layer):
    """Raises when lit."""

    lit = False

    def call(self, x):
        if self.lit:
            raise Bang
        return x


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("surveyed", [True, False])
def test_after_any_layer_raised(place, surveyed):
    fuses = [Fuse(name=f"fuse{n}") for n in range(4)]
    layers = [fuses[0], L.Conv2D(4, 3), fuses[1], L.ReLU(), fuses[2], L.GlobalAveragePooling2D(), L.Dense(3), fuses[3]]
    model = nets.sequential(*layers, side=(32, 32, 3))
    model(IMAGE[None])
    if surveyed:
        sw.explain(model, IMAGE)
    before = state(model)
    fuses[place].lit = True
    image = nets.image(32 if not surveyed else 40, 32)  # another size is surveyed and traced anew
    try:
        with pytest.raises((Bang, sw.SeeWhyError)):
            sw.explain(model, image if not surveyed else IMAGE, layer=None if not surveyed else 0)
    finally:
        fuses[place].lit = False
    after = state(model)
    assert after[1:] == before[1:]
    assert [part[:3] for part in after[0]] == [part[:3] for part in before[0]]
    sw.explain(model, IMAGE)


def test_a_second_call_equals_the_first():
    model = nets.nested()
    one, two = (sw.explain(model, IMAGE, target=1, signed=True) for _ in range(2))
    np.testing.assert_array_equal(one.map, two.map)


def test_what_is_remembered_does_not_keep_the_model():
    import gc
    import weakref

    model = nets.nested()
    sw.explain(model, IMAGE)
    gone = weakref.ref(model)
    del model
    keras.utils.clear_session() if hasattr(keras.utils, "clear_session") else keras.backend.clear_session()
    gc.collect()
    assert gone() is None


def test_a_wrapped_model_can_be_copied():
    wrapped = sw.wrap(nets.nested(), labels=list("abcde"))
    assert copy.copy(wrapped).labels == tuple("abcde")
