"""FullGrad's shares of pixels and biases add up to the score, and what it cannot serve is told."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import seewhy as sw
from seewhy.evidence import INPUT
from seewhy.targets import Scores, as_targets
from tests.support.nets import Net, Tokens, image

X = image().double()


class Functional(Net):
    """The same steps, written as functions, in place where that goes."""

    def features(self, x):
        convolution, norm, _ = self.stem
        y = F.conv2d(x, convolution.weight, bias=convolution.bias, stride=2, padding=1)
        x = F.relu(F.batch_norm(y, norm.running_mean, norm.running_var, norm.weight, norm.bias), inplace=True)
        return self.body(x)


class Twice(Net):
    """One module called twice, a way around it, and pooling."""

    def features(self, x):
        x = self.stem(x)
        x = F.max_pool2d(x, 2) + 0.5 * F.avg_pool2d(x, 2)
        return self.body(F.interpolate(self.body(x), scale_factor=4)) + 1.0 * F.adaptive_avg_pool2d(x, 8)


class Upwards(Net):
    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.up = nn.ConvTranspose2d(6, 6, 2, 2)
            self.hidden = nn.Linear(6, 6)

    def classify(self, features):
        return self.head(torch.relu(self.hidden(F.leaky_relu(self.up(features)).mean((2, 3)))))


class Capped(Net):
    """Activations with a constant piece above and below, as modules and functions, in place and not."""

    def features(self, x):
        x = F.hardtanh(30 * self.stem[:2](x), -2.0, 3.0)
        x = nn.ReLU6(inplace=True)(40 * self.body(x))
        return torch.clamp(x + 0.5 * F.relu6(3 * x), 0.25, 4) + (2 * x).clamp_(max=1)

    def classify(self, features):
        return super().classify(nn.Hardtanh()(features))


class WithoutBiases(Net):
    def __init__(self):
        super().__init__()
        self.stem[0].bias = self.body[0].bias = None


NETS = {kind.__name__: kind for kind in (Net, Functional, Twice, Upwards, Capped, WithoutBiases)}


def shares(model, target=2, images=None):
    """The target's value, and what pixels and each layer add to it, for two images."""
    wrapped = sw.wrap(model.double())
    images = torch.stack([X, X.flip(-1)]) if images is None else images
    with wrapped.run(images, [INPUT], frozenset({"biases"})) as run:
        (asked,), _ = as_targets(target)
        aims = [asked.settle(Scores(run.scores, run.several, None), i)[0] for i in range(2)]
        evidence = run.evidence([aims])[0][0]
        trial, terms = evidence.biases()
    return evidence.values.numpy(), (evidence.images * trial.gradients[0]).sum((1, 2, 3)).numpy(), terms


@pytest.mark.parametrize("target", [2, sw.versus(0, 3), sw.against(1)], ids=str)
@pytest.mark.parametrize("kind", NETS)
def test_the_shares_add_up_to_the_score(kind, target):
    values, pixels, terms = shares(NETS[kind](), target)
    of_biases = sum(term.sum((1, 2, 3)).numpy() for term in terms)
    np.testing.assert_allclose(pixels + of_biases, values, rtol=1e-11)
    assert np.abs(of_biases).min() > 1e-3 * np.abs(values).max(), "biases that add nothing show nothing"


def test_what_is_cut_off_is_where_it_was():
    model = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    model.append(nn.Linear(1, 2, bias=False))
    nn.init.ones_(model[0].weight), nn.init.ones_(model[4].weight)
    image = torch.full((3, 2, 2), 1.0)
    image[:, 0, 1], image[:, 1, 1] = 5, -1  # the sum is 15, cut off at 6, and -3, cut off at 0
    ((_, *_), pixels, (term,)) = shares(model, 0, torch.stack([image, image]).double())
    np.testing.assert_allclose(term[0, :, :, 0], [[0, 6 / 4], [0, 0]])
    assert pixels[0] == pytest.approx(3 * 2 / 4)


def test_every_bias_is_where_it_was_added():
    sizes = sorted(tuple(term.shape) for term in shares(Net())[2])
    assert sizes == [(2, 1, 1, 5), *[(2, 8, 8, 6)] * 2, *[(2, 16, 16, 6)] * 2]


@pytest.mark.parametrize("kind", NETS)
def test_the_map_is_of_the_image_and_the_same_for_all_spellings(kind):
    found = sw.explain(NETS[kind]().double(), X, method="fullgrad", target=2).map
    assert found.shape == (32, 32)
    assert found.min() >= 0
    assert found.max() > 0
    if kind == "Functional":
        np.testing.assert_allclose(found, sw.explain(Net().double(), X, method="fullgrad", target=2).map, rtol=1e-5)


class Normed(Net):
    def classify(self, features):
        return self.head(F.layer_norm(features, features.shape[1:]).relu().mean((2, 3)))


class Smooth(Net):
    def classify(self, features):
        return self.head(F.silu(features * 3).mean((2, 3)))


class Shifted(Net):
    """A constant that is no bias."""

    def features(self, x):
        return super().features((x - 0.5) / 0.25)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", [Normed, Smooth, Shifted, Tokens])
def test_a_network_whose_shares_do_not_add_up_is_told(kind, dtype):
    with pytest.raises(sw.EvidenceError, match=r"shares of pixels and biases[\s\S]*integrated_gradients"):
        sw.explain(kind().to(dtype), X.to(dtype), method="fullgrad")


def test_a_target_that_is_not_linear_in_the_scores_is_told():
    with pytest.raises(sw.EvidenceError, match="shares of pixels and biases"):
        sw.explain(Net().double(), X, method="fullgrad", target=sw.probability(2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_rounding_is_no_reason_to_refuse(dtype):
    assert sw.explain(Net().to(dtype), X.to(dtype), method="fullgrad").map.any()
