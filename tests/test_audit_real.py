"""Audits of real pictures with a real network: accuracies equal a plain loop's, Keras and PyTorch say the same."""

import csv
import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw
from tests.test_keras import process

pytestmark = pytest.mark.slow
SIDE = 160


@pytest.fixture(scope="module")
def mobilenet(real):
    spec = importlib.util.spec_from_file_location("mobilenet", real / "mobilenet.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def images(paths, side=SIDE):
    prepare = sw.wrap(nn.Identity(), prepare=f"-1..1@{side}").prepare
    for start in range(0, len(paths), 32):
        yield torch.from_numpy(np.stack([prepare(Image.open(p).convert("RGB")) for p in paths[start : start + 32]]))


def headed(network, paths, labels):
    """The network's features with a linear head for two classes, trained in seconds."""
    from sklearn.linear_model import LogisticRegression

    with torch.no_grad():
        features = torch.cat([network.features(batch).mean((2, 3)) for batch in images(paths)]).numpy()
    fitted = LogisticRegression(max_iter=2000, C=0.05).fit(features, labels)
    head = nn.Linear(features.shape[1], 1)
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(fitted.coef_))
        head.bias.copy_(torch.from_numpy(fitted.intercept_))
    return nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head).eval()


def plain_loop(network, paths, side=SIDE):
    with torch.no_grad():
        scores = torch.cat([network(batch) for batch in images(paths, side)]).numpy()
    return (scores[:, 0] > 0).astype(int) if scores.shape[1] == 1 else scores.argmax(1)


def agrees(run, root, network, side=SIDE):
    """Every prediction is that of the loop."""
    rows = run.select(["path", "label_index", "predicted_index", "correct", "error"]).to_pylist()
    assert all(row["error"] is None for row in rows)
    found = plain_loop(network, [root / row["path"] for row in rows], side)
    np.testing.assert_array_equal([row["predicted_index"] for row in rows], found)
    assert run.measures().accuracy == np.mean([row["label_index"] == own for row, own in zip(rows, found, strict=True)])


def test_cats_and_dogs(real, mobilenet, tmp_path):
    data = real / "catsdogs"
    train = [
        (path, y) for y, name in enumerate(("cat", "dog")) for path in sorted((data / "train" / name).glob("*"))[::3]
    ]
    network = headed(mobilenet.torch_model().eval(), [path for path, _ in train], [y for _, y in train])
    model = sw.wrap(network, labels=["cat", "dog"], prepare=f"-1..1@{SIDE}")
    run = sw.audit(model, data / "test", tmp_path / "run")
    agrees(run, data / "test", network)
    assert run.measures().accuracy > 0.9


def test_skin_lesions(real, mobilenet, tmp_path):
    data = real / "isic"
    with (data / "artefacts.csv").open() as file:
        rows = list(csv.DictReader(file))[::3]
    network = headed(
        mobilenet.torch_model().eval(),
        [data / row["image"] for row in rows],
        [row["label"] == "malignant" for row in rows],
    )
    model = sw.wrap(network, labels=["benign", "malignant"], prepare=f"-1..1@{SIDE}")
    run = sw.audit(model, data / "artefacts.csv", tmp_path / "run", limit=200)
    agrees(run, data, network)


@pytest.fixture(scope="module")
def of_imagenet(real, mobilenet, tmp_path_factory):
    """The run in PyTorch."""
    out = tmp_path_factory.mktemp("torch") / "run"
    model = sw.wrap(mobilenet.torch_model().eval(), prepare="-1..1", layer="features.18")
    return sw.audit(model, real / "ilsvrc" / "boxes.csv", out)


def test_imagenet(real, mobilenet, of_imagenet):
    agrees(of_imagenet, real / "ilsvrc", mobilenet.torch_model().eval(), 224)
    assert of_imagenet.measures().accuracy == pytest.approx(0.725, abs=0.009)  # README: 71.2 % of 1,000


ON_KERAS = """
import sys; sys.path.insert(0, sys.argv[1])
import mobilenet, seewhy as sw
model = sw.wrap(mobilenet.keras_model(), prepare="-1..1", layer="out_relu")
sw.audit(model, sys.argv[1] + "/ilsvrc/boxes.csv", sys.argv[2])
"""


def test_keras_and_pytorch_agree_on_every_picture(real, of_imagenet, tmp_path):
    out = tmp_path / "run"
    done = process("tensorflow", "-c", ON_KERAS, str(real), str(out))
    assert done.returncode == 0, done.stderr[-3000:]
    columns = ["path", "predicted_index", "map", "map_scale"]
    ours, theirs = (run.select(columns).to_pylist() for run in (of_imagenet, sw.open(out)))
    for one, other in zip(ours, theirs, strict=True):
        assert (one["path"], one["predicted_index"]) == (other["path"], other["predicted_index"])
        np.testing.assert_allclose(np.array(one["map"], float), np.array(other["map"], float), atol=2e-3)
        assert one["map_scale"] == pytest.approx(other["map_scale"], rel=1e-3)
