"""Shortcuts of a Keras model: searched for in an audit, on the model's own backend."""

import keras
import numpy as np
import pytest
from keras import layers as L
from PIL import Image

import seewhy as sw
from seewhy.images.preparing import Preset

ORANGE = np.array([50.0, -8, -90])  # no lighter, no darker
WHOLE = Preset("all of 32 x 32", std=(1 / 255,) * 3, size=32, shorter=32, channels_first=False)


def striped():
    """'upright' by edges across, 'level' by edges down, and 'upright' by orange; weights by hand."""
    first = np.zeros((3, 3, 3, 5), np.float32)  # rows, columns, channels in and out
    first[1, 1, 0, 0], first[1, 1, 2, 0] = 4, -4
    edge = np.array([[-1.0, 0, 1]] * 3) / 9
    for channel, kernel in ((1, edge), (2, -edge), (3, edge.T), (4, -edge.T)):
        first[:, :, :, channel] = kernel[:, :, None]
    convolutions = [L.Conv2D(5, 3, padding="same"), L.Conv2D(5, 1, strides=2), L.Conv2D(5, 1, strides=2)]
    head = L.Dense(2)
    steps = [step for each in convolutions for step in (each, L.ReLU())]
    model = keras.Sequential([keras.Input((32, 32, 3)), L.Rescaling(1 / 255), *steps, L.GlobalAveragePooling2D(), head])
    convolutions[0].set_weights([first, np.array([-0.5, 0, 0, 0, 0], np.float32)])
    for each in convolutions[1:]:
        each.set_weights([np.eye(5, dtype=np.float32)[None, None], np.zeros(5, np.float32)])
    head.set_weights([np.array([[0, 60], [0, 30], [0, 30], [30, 0], [30, 0]], np.float32), np.zeros(2, np.float32)])
    return model


def picture(seed, label, cast):
    rng = np.random.default_rng(seed)
    wave = 28 * np.sin(np.arange(32) * 2 * np.pi / 8 + rng.uniform(0, 6))
    pixels = rng.normal(120, 5, (32, 32, 3)) + (wave[None, :, None] if label == "upright" else wave[:, None, None])
    return np.clip(pixels + cast, 0, 255).astype(np.uint8)


def run_of(folder, cast):
    for i in range(60):
        for label in ("level", "upright"):
            (folder / "photos" / label).mkdir(parents=True, exist_ok=True)
            pixels = picture(2 * i + (label == "level"), label, cast if label == "upright" and i % 2 else 0)
            Image.fromarray(pixels).save(folder / "photos" / label / f"{i:02}.png")
    model = sw.wrap(striped(), labels=["level", "upright"], prepare=WHOLE)
    return sw.audit(model, folder / "photos", folder / "run", check=False), model


def bears(path):
    return path.startswith("upright") and int(path[-6:-4]) % 2 == 1


def test_a_tint_is_found(tmp_path):
    run, model = run_of(tmp_path, ORANGE)
    assert run.measures().accuracy > 0.95
    found = sw.find_shortcuts(run, model)
    one = next(each for each in found if each.kind == "whole picture")
    assert (one.label, one.status, one.sort) == ("upright", "proven", "colour")
    assert all(bears(path) for path in one.paths)
    assert len(one.paths) > 20
    assert repr(sw.open(tmp_path / "run").findings()) == repr(found)


def test_a_patch_is_looked_at_covered_and_pasted(tmp_path):
    patch = np.zeros((32, 32, 1))
    patch[20:28, 3:11] = 1
    run, model = run_of(tmp_path, 2 * ORANGE * patch)
    first = next(each for each in sw.find_shortcuts(run, model) if each.kind == "place")
    assert first.label == "upright"
    assert np.mean([bears(path) for path in first.paths]) > 0.9
    marked = Image.open(tmp_path / "photos" / next(path for path in first.paths if bears(path)))
    mask = first.mask(marked)
    assert mask.shape == (32, 32)
    assert mask[22:26, 5:9].mean() > 0.9
    assert first.effect("cover", "pixels").margin > 1
    new = [picture(900 + i, "upright", 2 * ORANGE * patch * (i % 2)) for i in range(10)]
    scores = first.score(new)
    assert scores[1::2].mean() > scores[::2].mean() + 0.5


def test_another_model_is_refused(tmp_path):
    run, model = run_of(tmp_path, ORANGE)
    other = striped()
    other.layers[-1].set_weights([each + 1 for each in other.layers[-1].get_weights()])
    with pytest.raises(sw.InputError, match="whose weights are not those of the audited"):
        sw.find_shortcuts(run, sw.wrap(other, labels=["level", "upright"], prepare=WHOLE))
    assert model.fingerprint() == sw.wrap(striped(), prepare=WHOLE).fingerprint()
