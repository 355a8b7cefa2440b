"""Networks small enough to work out by hand, and laws that hold on every network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import seewhy as sw
from tests import papers


def network(kernel, weights):
    """One convolution without padding, ReLU, global average pooling, one linear layer; float64."""
    channels = len(kernel)
    model = nn.Sequential(
        nn.Conv2d(1, channels, 2, bias=False),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(channels, len(weights)),
    ).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor(kernel, dtype=torch.float64)[:, None])
        model[4].weight.copy_(torch.tensor(weights, dtype=torch.float64))
        model[4].bias.zero_()
    return model


SQUARE = torch.arange(16, dtype=torch.float64).reshape(1, 4, 4)
# The image is            0  1  2  3
#                         4  5  6  7
#                         8  9 10 11
#                        12 13 14 15
# Kernel a = [[1, 0], [0, 0]] gives the upper left number of each 2 × 2 window: 0 1 2 / 4 5 6 / 8 9 10.
# Kernel b = [[0, 0], [0, -1]] gives minus the lower right number: all negative, 0 after ReLU.
# Kernel c = [[-1, 1], [0, 0]] gives right less left: 1 everywhere.
A = [[1, 0], [0, 0]]
B = [[0, 0], [0, -1]]
C = [[-1, 1], [0, 0]]
UPPER_LEFT = np.array([[0, 1, 2], [4, 5, 6], [8, 9, 10]])


def test_one_channel_by_hand():
    # y1 = 3 · mean(A): gradient 3 / 9 at each of the 9 places, so the map is A / 3
    why = sw.explain(network([A], [[0], [3]]), SQUARE, target=1)
    np.testing.assert_allclose(why.map, UPPER_LEFT / 3, rtol=1e-6)
    assert why.score == pytest.approx(3 * 5)  # the mean of 0 … 10 as above is 45 / 9 = 5


def test_channels_that_are_silent_or_against():
    # weights 3 (upper left), 9 (silent: its output is 0 after ReLU), -9 (ones): map = (3 A + 9 · 0 - 9 · 1) / 9, ReLU
    wanted = np.array([[0, 0, 0], [1 / 3, 2 / 3, 1], [5 / 3, 2, 7 / 3]])  # (A - 3) / 3 where positive
    why = sw.explain(network([A, B, C], [[0, 0, 0], [3, 9, -9]]), SQUARE, target=1)
    np.testing.assert_allclose(why.map, wanted, rtol=1e-6)
    signed = sw.explain(network([A, B, C], [[0, 0, 0], [3, 9, -9]]), SQUARE, target=1, signed=True)
    np.testing.assert_allclose(signed.map, (UPPER_LEFT - 3) / 3, rtol=1e-6)


def test_before_the_relu_gradients_stop_at_what_it_cuts():
    # at the convolution's output: B is -5 -6 -7 / -9 -10 -11 / -13 -14 -15, cut by the ReLU, so its gradient is 0;
    # A's first place is 0, where the gradient of ReLU is 0 too: alpha_A = 3 · 8 / 9 / 9 = 8 / 27
    why = sw.explain(network([A, B], [[0, 0], [3, 9]]), SQUARE, target=1, layer="0")
    np.testing.assert_allclose(why.map, UPPER_LEFT * 8 / 27, rtol=1e-6)


def test_versus_and_against_by_hand():
    model = network([A, C], [[1, 0], [3, 9]])
    # 'class 1 rather than class 0' has the weights 2 and 9: (2 A + 9) / 9
    why = sw.explain(model, SQUARE, target=sw.versus(1, 0))
    np.testing.assert_allclose(why.map, (2 * UPPER_LEFT + 9) / 9, rtol=1e-6)
    assert why.score == pytest.approx((3 * 5 + 9) - 5)
    empty = sw.explain(model, SQUARE, target=sw.against(1))
    assert empty.empty
    assert "all zero" in empty.notes[0]


def test_probability_by_hand():
    # p1 = softmax(5, 15)[1]; dp1/dy = p1 (1 - p1) (-1, 1): the map of 'versus' times p1 (1 - p1)
    model = network([A], [[1], [3]])
    p = 1 / (1 + np.exp(-10))
    why = sw.explain(model, SQUARE, target=sw.probability(1))
    np.testing.assert_allclose(why.map, p * (1 - p) * 2 * UPPER_LEFT / 9, rtol=1e-5)
    assert why.score == pytest.approx(p)


def test_one_logit_has_two_classes():
    model = network([A, C], [[1, -9]])
    yes, no = sw.explain(model, SQUARE, target=[1, 0], signed=True)
    np.testing.assert_allclose(yes.map, (UPPER_LEFT - 9) / 9, rtol=1e-6)
    np.testing.assert_allclose(no.map, -yes.map)
    assert yes.score == pytest.approx(-no.score) == pytest.approx(5 - 9)
    assert yes.probability + no.probability == pytest.approx(1)
    assert sw.explain(model, SQUARE).index == 0  # the logit is negative


def test_integrated_gradients_of_a_linear_network_is_exact():
    # without anything cut, y = w · x: the attribution of a pixel is its share, whatever the number of steps
    why = sw.explain(network([A], [[0], [9]]), SQUARE, target=1, method="integrated_gradients", steps=3)
    wanted = np.zeros((4, 4))
    wanted[:3, :3] = UPPER_LEFT
    np.testing.assert_allclose(why.map, wanted, rtol=1e-5)
    assert why.map.sum() == pytest.approx(why.score)


def by_place(channels, weights):
    """Convolution and ReLU as in `network`, then one linear layer with a weight for each place of each channel."""
    model = network(channels, [[0] * len(channels)])
    linear = nn.Linear(9 * len(channels), 2, bias=False).double()
    with torch.no_grad():
        linear.weight.copy_(torch.tensor(np.stack([0 * np.ravel(weights), np.ravel(weights)])))
    return nn.Sequential(model[0], model[1], nn.Flatten(), linear)


def test_layercam_by_hand():
    # A is 0 1 2 / 4 5 6 / 8 9 10, C is 1 everywhere. Gradients g are the weights.
    of_a = [[1, -1, 0], [0, 2, -2], [3, 0, -3]]  # ReLU(g) A:  0 0 0 /  0 10 0 / 24 0 0
    of_c = [[1, 0, 0], [0, -20, 1], [-4, 0, 1]]  # ReLU(g) C:  1 0 0 /  0  0 1 /  0 0 1
    model = by_place([A, C], [of_a, of_c])
    why = sw.explain(model, SQUARE, target=1, method="layercam")
    np.testing.assert_allclose(why.map, [[1, 0, 0], [0, 10, 1], [24, 0, 1]])
    # HiResCAM lets the channels cancel: g A + g C is 1 -1 0 / 0 10-20 -12+1 / 24-4 0 -30+1
    why = sw.explain(model, SQUARE, target=1, method="hirescam", signed=True)
    np.testing.assert_allclose(why.map, [[1, -1, 0], [0, -10, -11], [20, 0, -29]])
    # element by element: ReLU(g A) + ReLU(g C), here the same as LayerCAM, as A and C are not negative
    why = sw.explain(model, SQUARE, target=1, method="elementwise")
    np.testing.assert_allclose(why.map, [[1, 0, 0], [0, 10, 1], [24, 0, 1]])


def test_gradcam_plus_plus_by_hand():
    # The activations add up to 45, so eq. 19 with g = 1/45 is g² / (2 g² + 45 g³) = 1 / (2 + 1) = 1/3, and with
    # g = 2/45 it is 1 / (2 + 2) = 1/4; negative gradients do not count.
    gradients = np.array([[1, 1, 1], [2, 2, 0], [-1, -3, -5]]) / 45
    # weight = 3 · 1/3 · 1/45 + 2 · 1/4 · 2/45 = 2/45
    why = sw.explain(by_place([A], [gradients]), SQUARE, target=1, method="gradcam++")
    np.testing.assert_allclose(why.map, 2 / 45 * UPPER_LEFT, rtol=1e-6)


def test_gradcam_plus_plus_at_a_denominator_of_zero():
    # a convolution alone gives -A, which adds up to -45: with g = 2/45, 2 g² - 45 g³ = 0, and alpha is 0
    convolution, _, *rest = by_place([[[-1, 0], [0, 0]]], [np.full((3, 3), 2 / 45)])
    model = nn.Sequential(convolution, *rest)
    why = sw.explain(model, SQUARE, target=1, layer="0", method="gradcam++", signed=True)
    assert why.empty


def test_scorecam_by_hand():
    # image 1 2 / 3 4; channels x and ReLU(4 - x) = 3 2 / 1 0; the score is four times the mean of the first channel
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    ).double()
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)), model[0].bias.copy_(torch.tensor([0, 4]))
        model[4].weight.copy_(torch.tensor([[0, 0], [4, 0]])), model[4].bias.zero_()
    x = np.array([[1.0, 2], [3, 4]])
    # masks: (x - 1) / 3 = 0 1/3 / 2/3 1 and (3 2 / 1 0) / 3 = 1 2/3 / 1/3 0
    # seen through the first:  0 2/3 / 2 4, score 20/3; through the second: 1 4/3 / 1 0, score 10/3; black: 0
    share = 1 / (1 + np.exp(-10 / 3))  # softmax of (20/3, 10/3)
    why = sw.explain(model, torch.tensor(x)[None], target=1, method="scorecam")
    np.testing.assert_allclose(why.map, share * x + (1 - share) * (4 - x), rtol=1e-6)


def test_finercam_by_hand():
    # scores 0, 5, 15, 1: nearest to class 1 are class 3, 4 away, and class 0, 5 away; 0.5 times their mean direction
    # (0.2 + 0) / 2 · 0.5 is taken off: (1 - 0.05) A / 9
    model = network([A], [[0], [1], [3], [0.2]])
    why = sw.explain(model, SQUARE, target=1, method="finercam", similar=2, strength=0.5)
    np.testing.assert_allclose(why.map, 0.95 * UPPER_LEFT / 9, rtol=1e-6)
    assert why.target == "class 1 rather than class 3, class 0"
    assert why.score == pytest.approx(5 - 0.5 * (1 + 0) / 2)


def test_finercam_takes_as_many_similar_classes_as_there_are_and_at_most_three():
    # of three classes with the scores 0, 5, 15 both others: (1 - (0 + 3) / 2) A / 9, which is against class 1
    why = sw.explain(network([A], [[0], [1], [3]]), SQUARE, target=1, method="finercam", signed=True)
    np.testing.assert_allclose(why.map, -0.5 * UPPER_LEFT / 9, rtol=1e-6)
    assert why.target == "class 1 rather than class 0, class 2"
    why = sw.explain(network([A], [[0], [1]]), SQUARE, method="finercam")  # two classes: the one against the other
    np.testing.assert_allclose(why.map, UPPER_LEFT / 9, rtol=1e-6)
    many = sw.explain(network([A], [[0], [1], [3], [4], [5]]), SQUARE, method="finercam")
    assert many.target == "predicted rather than class 3, class 2, class 1"
    # one logit: the classes are its two signs, and their log odds count it once
    one = sw.explain(network([A], [[1]]), SQUARE, method="finercam")
    np.testing.assert_allclose(one.map, UPPER_LEFT / 9, rtol=1e-6)
    assert one.target == "predicted rather than class 0"


def test_eigencam_by_hand():
    # one channel: O v1 is the channel itself, whichever sign the solver gives v1; C beside it is not parallel to it
    why = sw.explain(network([A], [[0], [3]]), SQUARE, target=1, method="eigencam")
    np.testing.assert_allclose(why.map, UPPER_LEFT, rtol=1e-6)
    # two channels A and 3 A: v1 = (1, 3) / sqrt(10), O v1 = sqrt(10) A
    model = network([A, [[3, 0], [0, 0]]], [[0, 0], [3, 3]])
    np.testing.assert_allclose(
        sw.explain(model, SQUARE, method="eigencam").map, np.sqrt(10) * UPPER_LEFT, rtol=1e-6, atol=1e-6
    )
    # minus A: the map's sum is made positive
    why = sw.explain(network([[[-1, 0], [0, 0]]], [[0], [3]]), SQUARE, method="eigencam", layer="0")
    np.testing.assert_allclose(why.map, UPPER_LEFT, rtol=1e-6)


class Pooled(nn.Module):
    """Any convolutional trunk, mean, linear: where the CAM family coincides."""

    def __init__(self, seed, channels=7, classes=4, last=()):
        super().__init__()
        torch.manual_seed(seed)
        convolutions = nn.Conv2d(3, channels, 3), nn.Tanh(), nn.Conv2d(channels, channels, 3, stride=2)
        self.trunk = nn.Sequential(*convolutions, *last)
        self.head = nn.Linear(channels, classes)

    def forward(self, x):
        return self.head(self.trunk(x).mean((2, 3)))


@given(seed=st.integers(0, 2**20), target=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_the_cam_family_coincides_behind_pooling(seed, target):
    model = Pooled(seed).double()
    x = torch.randn(3, 11, 13, dtype=torch.float64)
    gradcam, hirescam, xgradcam, cam = (
        sw.explain(model, x, target=target, method=m, signed=True).map
        for m in ("gradcam", "hirescam", "xgradcam", "cam")
    )
    assert np.abs(gradcam).max() > 0
    # computed in float64; kept as float32
    np.testing.assert_allclose(hirescam, gradcam, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(xgradcam, gradcam, rtol=1e-6, atol=1e-10)
    np.testing.assert_allclose(cam / gradcam.size, gradcam, rtol=1e-6, atol=1e-8)


@given(seed=st.integers(0, 2**20), target=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_ablationcam_is_gradcam_in_other_units_behind_pooling(seed, target):
    model = Pooled(seed, last=[nn.ReLU()]).double()
    x = torch.randn(3, 11, 13, dtype=torch.float64)
    gradcam, per_score, per_activation = (
        sw.explain(model, x, target=target, signed=True, **asked)
        for asked in ({}, {"method": "ablationcam"}, {"method": "ablationcam", "per": "activation"})
    )
    # for A >= 0: (y - y_k) / sum(A_k) = w_k mean(A_k) / sum(A_k) = w_k / (h · w), Grad-CAM's weight
    np.testing.assert_allclose(per_activation.map, gradcam.map, rtol=1e-6, atol=1e-10)
    # (y - y_k) / |y| = w_k mean(A_k) / |y|
    A = model.trunk(x[None])[0].detach().numpy()
    weights = model.head.weight[target].detach().numpy() * A.mean((1, 2)) / abs(gradcam.score)
    np.testing.assert_allclose(per_score.map, np.einsum("k,khw->hw", weights, A), rtol=1e-6, atol=1e-8)


def test_ablationcam_behind_pooling_takes_one_pass():
    model, x, passes = Pooled(3, last=[nn.ReLU()]), torch.randn(3, 11, 13), []
    sw.explain(model, x)  # the survey of the layers is remembered
    model.register_forward_hook(lambda *_: passes.append(1))
    closed = sw.explain(model, x, target=1, method="ablationcam")
    assert len(passes) == 1
    run = sw.explain(model, x, target=sw.probability(1), method="ablationcam")  # not linear in the scores
    assert len(passes) > 2
    assert not np.allclose(run.map, closed.map)


def test_coincidence_in_float64_to_ten_digits():
    """Through the methods themselves, before maps are kept as float32."""
    from seewhy.methods import find_method
    from seewhy.models import wrap
    from seewhy.targets import Scores, as_targets

    model = wrap(Pooled(5).double())
    images = model.batch([torch.randn(3, 11, 13, dtype=torch.float64)])
    (layer,), _ = model.choose(None, images)
    with model.run(images, [layer], frozenset({"gradients", "head"})) as run:
        aims = [[as_targets(2)[0][0].settle(Scores(run.scores), 0)[0]]]
        ((evidence,),) = run.evidence(aims)
        maps = {
            name: find_method(name).map(evidence, {}).clamp_min(0).numpy()
            for name in ("gradcam", "hirescam", "xgradcam", "cam")
        }
    assert maps["gradcam"].max() > 0
    area = maps["cam"].size
    np.testing.assert_allclose(maps["hirescam"], maps["gradcam"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(maps["cam"] / area, maps["gradcam"], rtol=0, atol=1e-10)


@given(seed=st.integers(0, 2**20))
@settings(max_examples=10, deadline=None)
def test_permuting_channels_changes_no_map_and_scaling_the_score_scales_it(seed):
    model = Pooled(seed)
    x = torch.randn(3, 11, 13)
    before = sw.explain(model, x, target=1, signed=True).map
    order = torch.randperm(7)
    with torch.no_grad():
        last = model.trunk[2]
        last.weight.copy_(last.weight[order]), last.bias.copy_(last.bias[order])
        model.head.weight.copy_(3 * model.head.weight[:, order])
    after = sw.explain(model, x, target=1, signed=True).map
    np.testing.assert_allclose(after, 3 * before, rtol=0, atol=3e-5 * np.abs(before).max())


def test_a_logit_shift_and_batch_mates_change_nothing():
    model, x = Pooled(8), torch.randn(5, 3, 11, 13)
    alone = sw.explain(model, x[2], target=1, signed=True).map
    among = list(sw.explain_many(model, x, target=1, signed=True))[2].map
    with torch.no_grad():
        model.head.bias += 100
    shifted = sw.explain(model, x[2], target=1, signed=True).map
    assert np.abs(alone).max() > 0
    for other in (among, shifted):
        np.testing.assert_allclose(other, alone, rtol=0, atol=1e-5 * np.abs(alone).max())


def test_scorecam_by_probability_weighs_by_its_increases():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 3)
    ).double()
    x = torch.randn(2, 9, 8, dtype=torch.float64)
    target = int(model(x[None]).argmax())

    def probability(image):
        with torch.no_grad():
            return float(model(torch.from_numpy(image.transpose(2, 0, 1))[None]).softmax(1)[0, target])

    with torch.no_grad():
        A = model[1](model[0](x[None]))[0].numpy()
    wanted = papers.scorecam(A, x.numpy().transpose(1, 2, 0), probability, softmax=False)
    assert wanted.max() > 0
    found = sw.explain(model, x, target=target, method="scorecam", layer="1", scores="probability").map
    np.testing.assert_allclose(found, wanted, atol=1e-6 * wanted.max())
