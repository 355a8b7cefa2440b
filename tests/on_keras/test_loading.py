"""Keras models by name and from files."""

import keras
import numpy as np
import pytest
from keras import layers as L
from PIL import Image

import seewhy as sw
from tests.on_keras import nets

IMAGE = nets.image()


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.filterwarnings("ignore:You are saving")
def test_a_saved_model_gives_the_same_map(tmp_path, ending):
    model = nets.nested()
    model.save(tmp_path / f"model.{ending}")
    found = sw.explain(str(tmp_path / f"model.{ending}"), IMAGE, target=1, signed=True)
    np.testing.assert_allclose(found.map, sw.explain(model, IMAGE, target=1, signed=True).map, rtol=1e-5, atol=1e-8)


def test_code_in_a_file_runs_only_where_it_is_allowed(tmp_path):
    model = nets.pooled(L.Conv2D(4, 3), L.Lambda(lambda x: x * 2), L.ReLU(), side=(32, 32, 3))
    model.save(tmp_path / "model.keras")
    with pytest.raises(sw.InputError, match="safe_mode=False"):
        sw.load(tmp_path / "model.keras")
    assert sw.explain(sw.load(tmp_path / "model.keras", safe_mode=False), IMAGE).map.shape == (30, 30)


def test_files_that_are_no_model(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"nothing")
    nets.nested().save_weights(tmp_path / "some.weights.h5")
    for name, match in {"model.keras": "cannot load", "some.weights.h5": "make_model", "gone.keras": "no file"}.items():
        with pytest.raises(sw.InputError, match=match):
            sw.load(tmp_path / name)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(sw.InputError, match="SavedModel"):
        sw.load(tmp_path / "old")


def test_a_function_and_a_file_of_weights(tmp_path):
    model = nets.nested(seed=5)
    model.save_weights(tmp_path / "some.weights.h5")
    (tmp_path / "mine.py").write_text("from tests.on_keras import nets\nmake_model = nets.nested\n")
    loaded = sw.load(f"{tmp_path / 'mine.py'}:make_model", weights=tmp_path / "some.weights.h5")
    np.testing.assert_allclose(sw.explain(loaded, IMAGE).scores, sw.explain(model, IMAGE).scores, rtol=1e-5)
    with pytest.raises(sw.InputError, match="no file"):
        sw.load(f"{tmp_path / 'mine.py'}:make_model", weights=tmp_path / "gone.weights.h5")


def test_a_network_of_applications_with_its_own_preparation():
    wrapped = sw.load("keras:MobileNetV2", weights=None)
    picture = Image.fromarray((nets.image(300, 400) * 255).astype(np.uint8))
    why = sw.explain(wrapped, picture, layer="out_relu", signed=True)
    assert why.label in wrapped.labels
    np.testing.assert_allclose(why.box, (68.75, 18.75, 331.25, 281.25), atol=1.5)
    pixels = np.asarray(picture.resize((341, 256), Image.Resampling.BILINEAR).crop((58, 16, 282, 240)), np.float32)
    np.testing.assert_allclose(wrapped.prepare(picture), pixels / 127.5 - 1, atol=1e-5)


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(sw.UnknownNameError, match="MobileNetV2"):
        sw.load("keras:MobilNetV2", weights=None)


def test_a_preset_takes_the_size_of_the_model():
    wrapped = sw.wrap(nets.nested(), prepare="0..1")
    picture = Image.fromarray((nets.image(50, 40) * 255).astype(np.uint8))
    assert wrapped.prepare(picture).shape == (32, 32, 3)
    assert keras.ops.shape(wrapped.batch([wrapped.prepare(picture)])) == (1, 32, 32, 3)
