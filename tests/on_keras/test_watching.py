"""A Keras training under watch: the same weights bit for bit, numbers in the logs, maps of the weights of that moment."""

import keras
import numpy as np
import pytest
from keras import layers as L

import seewhy as sw
from tests.on_keras import nets

SIDE = 24


def network():
    layers = [
        L.RandomFlip(),
        L.Conv2D(6, 3),
        L.BatchNormalization(),
        L.ReLU(),
        L.Dropout(0.3),
        L.Conv2D(6, 3),
        L.ReLU(),
    ]
    model = nets.sequential(*layers, L.GlobalAveragePooling2D(), L.Dense(3), side=(SIDE, SIDE, 3))
    model.compile(keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


X = np.stack([nets.image(SIDE, SIDE, seed=n) for n in range(20)])
Y = np.arange(20) % 3


def trained(out=None, epochs=3, model=None, **options):
    """(weights, history, watch) after a training with shuffling, dropout, batch norm and augmentation."""
    keras.utils.set_random_seed(5)
    model = network() if model is None else model()
    watched = None if out is None else sw.watch(model, list(X[:4]), out=out, labels=[0, 1, 2, 0], **options)
    callbacks = [] if watched is None else [watched.keras()]
    history = model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=True, verbose=0, callbacks=callbacks)
    values = [keras.ops.convert_to_numpy(v.value) for v in (*model.variables, *model.optimizer.variables)]
    return values, history.history, watched


def same(one, other):
    return len(one) == len(other) and all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("every", [{"every": 1}, {"every": 2, "unit": "step"}], ids=["epochs", "steps"])
def test_weights_are_the_same_with_and_without(tmp_path, every):
    plain, history, _ = trained()
    seen, logged, watched = trained(tmp_path / "watch", region="middle", **every)
    assert same(plain, seen)
    assert watched.watched.about["epochs"] == 3
    assert logged["loss"] == history["loss"]
    assert not same(plain, trained(epochs=2)[0]), "the comparison can fail"
    steps = [one["step"] for one in watched.watched.means()]
    assert steps == ([0, 3, 6, 9] if every["every"] == 1 else [0, 2, 4, 6, 8])


def unbuilt():
    return keras.Sequential([L.Conv2D(4, 3), L.ReLU(), L.Dropout(0.2), L.GlobalAveragePooling2D(), L.Dense(3)])


def test_a_model_without_weights_is_not_built_by_the_watch(tmp_path):
    def model():
        made = unbuilt()
        made.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return made

    plain, _, _ = trained(model=model)
    seen, _, watched = trained(tmp_path / "watch", model=model)
    assert same(plain, seen)
    assert [one["epoch"] for one in watched.watched.means()] == [1, 2, 3]


def test_each_look_sees_the_weights_of_its_moment(tmp_path):
    """On JAX they are in the training loop alone until it is asked for them."""
    truth = []

    class Truth(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if keras.backend.backend() == "jax":
                self.model.jax_state_sync()
            truth.append(float(keras.ops.convert_to_numpy(self.model(X[:1], training=False))[0, 0]))

    keras.utils.set_random_seed(5)
    model = network()
    watched = sw.watch(model, list(X[:2]), out=tmp_path / "watch", unit="step", target=0)
    model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=[watched.keras(), Truth()])
    table = watched.watched.table().to_pylist()
    scores = [row["score"] for row in table if row["picture"] == 0][1:]
    np.testing.assert_allclose(scores, truth, rtol=1e-4, atol=1e-5)
    assert len({round(score, 4) for score in scores}) == len(scores), "the weights moved"


def test_numbers_are_in_the_logs(tmp_path):
    _, logged, watched = trained(tmp_path / "watch", region="top left")
    means = watched.watched.means()[1:]
    for name in ("probability", "focus", "border", "entropy", "drift"):
        np.testing.assert_allclose(logged[f"watch_{name}"], [one[name] for one in means], rtol=1e-5)


def test_the_alarm_stops_the_training(tmp_path):
    with pytest.warns(sw.SeeWhyWarning, match=r"epoch 1: .* of the heat lies in the middle, below 100 %"):
        _, logged, watched = trained(tmp_path / "watch", region="middle", on_focus_below=1.0, stop=True)
    assert watched.stopped
    assert len(logged["loss"]) == 1


def test_event_files_hold_the_strips(tmp_path):
    pytest.importorskip("tensorboard")
    from tests.support.events import events

    trained(tmp_path / "watch", tensorboard=True)
    images, scalars = events(tmp_path / "watch" / "tensorboard")
    assert set(images) == {f"watch/0{n}-picture-{n}" for n in range(4)}
    assert [step for step, _ in scalars["watch/probability"]] == [0, 1, 2, 3]
