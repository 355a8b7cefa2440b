"""The guided rule reaches every way to write a ReLU, and tells where there is none or not only ReLU."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import seewhy as sw
from tests.support.nets import image

X = image(12, 11)
RELUS = {
    "module": nn.ReLU(),
    "module, in place": nn.ReLU(inplace=True),
    "function": F.relu,
    "function, in place": lambda x: F.relu(x, inplace=True),
    "F.relu_": F.relu_,
    "torch": torch.relu,
    "torch.relu_": torch.relu_,
    "tensor": lambda x: x.relu(),
    "tensor, in place": lambda x: x.relu_(),
    "threshold": lambda x: F.threshold(x, 0, 0),
    "ReLU6": nn.ReLU6(),  # the scores of this net stay below 6
    "relu6, in place": lambda x: F.relu6(x, inplace=True),
}
OTHERS = {"SiLU": nn.SiLU(), "GELU": nn.GELU(), "LeakyReLU": nn.LeakyReLU(), "Hardswish": nn.Hardswish()}


class Net(nn.Module):
    """Two activations between convolutions; the second may be another one."""

    def __init__(self, first, second=None):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.a, self.b, self.c = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 8, 3), nn.Linear(8, 4)
        self.first, self.second = first, second or first

    def forward(self, x):
        return self.c(self.second(self.b(self.first(self.a(x)))).mean((2, 3)))


def guided(first, second=None, x=X, **more):
    return sw.explain(Net(first, second), x, method="guided_backprop", target=1, **more)


def by_hooks(x, relu=None):
    """On a network of modules: what goes back behind each ReLU is cut by a hook."""
    model = Net(nn.ReLU(), relu or nn.ReLU())
    for part in model.modules():
        if isinstance(part, nn.ReLU):
            part.register_full_backward_hook(lambda part, given, got: (given[0].clamp(min=0),))
    x = x[None].clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x)[0, 1], x)
    return slope[0].abs().amax(0).numpy()


@pytest.mark.parametrize("kind", RELUS)
def test_every_spelling_of_relu(kind):
    np.testing.assert_allclose(guided(RELUS[kind]).map, by_hooks(X), rtol=1e-5)


def test_it_is_not_the_plain_gradient():
    x = X[None].clone().requires_grad_()
    (plain,) = torch.autograd.grad(Net(nn.ReLU())(x)[0, 1], x)
    assert not np.allclose(plain[0].abs().amax(0).numpy(), by_hooks(X), rtol=0.1)


def test_beside_another_activation_a_note():
    why = guided(F.relu, nn.SiLU())
    np.testing.assert_allclose(why.map, by_hooks(X, nn.SiLU()), rtol=1e-5)
    assert "SiLU" in why.notes[0]
    assert not guided(F.relu).notes


@pytest.mark.parametrize("method", ["guided_backprop", "guided_gradcam"])
@pytest.mark.parametrize("kind", OTHERS)
def test_without_any_relu_an_error(kind, method):
    with pytest.raises(sw.EvidenceError, match=rf"no ReLU runs; it has {kind}[\s\S]*integrated_gradients"):
        sw.explain(Net(OTHERS[kind]), X, method=method)


def test_a_target_that_is_a_function_and_several_at_once():
    np.testing.assert_allclose(
        sw.explain(Net(F.relu), X, method="guided_backprop", target=lambda scores: scores[1]).map,
        by_hooks(X),
        rtol=1e-5,
    )
    found = sw.explain(Net(F.relu), X, method="guided_backprop", target=[0, 1])
    np.testing.assert_allclose(found[1].map, by_hooks(X), rtol=1e-5)


def test_guided_gradcam_is_of_the_images_size():
    found = sw.explain(Net(F.relu), X, method="guided_gradcam", target=2, layer="b")
    assert found.map.shape == (12, 11)
    assert found.layer == "b"


@pytest.mark.parametrize("method", ["guided_gradcam", "guided_backprop", "fullgrad"])
def test_maps_of_pixels_are_drawn_up_to_their_percentile(method):
    why = sw.explain(Net(F.relu), X, method=method, target=1)
    spike = why.map.copy()
    spike[3, 3] = 50 * spike.max()
    why = replace(why, map=spike)
    assert why.scale == pytest.approx(np.percentile(spike, 99.5))
    assert 0 < why.scale < spike.max()
    assert "99.5th percentile" in why.scale_words
