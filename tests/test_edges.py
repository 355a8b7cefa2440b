"""Small, even and odd things: maps of one place, images of one channel, activations that are the same everywhere."""

import numpy as np
import pytest
import torch
from torch import nn

import seewhy as sw
from tests.support.nets import image

GRADIENT = [entry.name for entry in sw.list_methods() if "gradients" in entry.needs]
ANY = [entry.name for entry in sw.list_methods()]


def network(channels=3, classes=4, stride=1):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        return nn.Sequential(
            *(nn.Conv2d(channels, 6, 3, stride), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 8, 3, stride), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)),
        ).eval()


def asked(method):
    return {"steps": 3} if method == "integrated_gradients" else {"copies": 2} if "smooth" in method else {}


@pytest.mark.parametrize("method", ANY)
def test_images_of_one_channel_and_odd_sizes(method):
    x = image(13, 17)[:1]
    found = sw.explain(network(1, stride=2), x, method=method, target=2, layer=None, signed=True, **asked(method))
    assert np.isfinite(found.map).all()
    assert found.map.shape in ((2, 3), (13, 17))
    assert found.overlay().size[0] >= 17


@pytest.mark.parametrize("method", ANY)
def test_a_picture_of_one_colour_gives_a_finite_map_or_a_note(method):
    found = sw.explain(network(), torch.full((3, 12, 12), 0.5), method=method, target=2, signed=True, **asked(method))
    assert np.isfinite(found.map).all()


@pytest.mark.parametrize("method", [name for name in GRADIENT if name != "guided_gradcam"])
def test_a_map_of_one_place_is_refused_by_name(method):
    with pytest.raises(sw.InputError, match="1 × 1"):
        sw.explain(network(), image(5, 5), method=method, layer="4")


def test_eigencam_of_activations_that_are_the_same_everywhere():
    model = network()
    with torch.no_grad():
        model[3].weight.zero_()
        model[3].bias.fill_(0.7)
    found = list(sw.explain_many(model, [image(12, 12), image(12, 12, seed=3)], method="eigencam"))
    for one in found:  # 64 places × 8 channels, each .7: O v1 = .7 sqrt(8) at all places
        np.testing.assert_allclose(one.map, 0.7 * 8**0.5, rtol=1e-5)
        assert any("same everywhere" in note for note in one.notes)
    with torch.no_grad():
        model[3].bias.fill_(-0.7)  # all zero behind the ReLU
    for one in sw.explain_many(model, [image(12, 12)] * 2, method="eigencam"):
        assert one.empty


def test_smoothgradcam_without_noise_is_gradcam_plus_plus():
    x, model, early = image(12, 12), network(), {"target": 1, "layer": "0"}
    for seed in (0, 1):
        found = sw.explain(model, x, method="smoothgradcam++", copies=3, noise=0.0, seed=seed, **early)
        wanted = sw.explain(model, x, method="gradcam++", **early)
        np.testing.assert_allclose(found.map, wanted.map, rtol=1e-4, atol=1e-6 * wanted.map.max())
    one, other = (sw.explain(model, x, method="smoothgradcam++", noise=1.0, seed=s, **early).map for s in (0, 1))
    assert not np.allclose(one, other, rtol=1e-3)
