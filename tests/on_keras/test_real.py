"""The real MobileNetV2: the same answers in Keras as in PyTorch, from weights and pictures of ../shared/real."""

import importlib.util

import numpy as np
import pytest

import seewhy as sw


@pytest.fixture(scope="module")
def mobilenet(real):
    spec = importlib.util.spec_from_file_location("mobilenet", real / "mobilenet.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_same_logits_and_maps_as_pytorch(real, mobilenet):
    torch = pytest.importorskip("torch")
    images = [mobilenet.prepare(path) for path in sorted((real / "ilsvrc").glob("*.JPEG"))[:20]]
    first = [np.ascontiguousarray(image.transpose(2, 0, 1)) for image in images]
    ours = list(
        sw.explain_many(mobilenet.keras_model(), images, target=285, layer="out_relu", signed=True, batch_size=8)
    )
    model = mobilenet.torch_model()
    theirs = list(sw.explain_many(model, map(torch.from_numpy, first), target=285, layer="features.18", signed=True))
    assert len(ours) == len(theirs) == 20
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, rtol=0, atol=1e-4 * np.abs(other.scores).max())
        np.testing.assert_allclose(one.map, other.map, rtol=0, atol=1e-4 * np.abs(other.map).max())
