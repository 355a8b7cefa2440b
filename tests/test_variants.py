"""smooth= and augment=: the mean over variants of the image, each map turned back."""

import numpy as np
import pytest
import torch

import seewhy as sw
from tests.support import nets

X = nets.image(32, 40)


def signed(model, x, **more):
    return sw.explain(model, x, **{"target": 2, "signed": True, **more}).map


def test_flip_is_the_mean_with_the_mirrored_image_turned_back():
    model = nets.Net()
    wanted = (signed(model, X) + signed(model, X.flip(-1))[:, ::-1]) / 2
    nets.assert_same(signed(model, X, augment="flip"), wanted)
    assert not np.allclose(wanted, signed(model, X), rtol=0.05)


def test_scale_brings_maps_of_other_sizes_back_to_the_cells_of_the_image():
    model = nets.Net()
    grow = {"mode": "bilinear", "align_corners": False}

    def at(factor):
        size = (round(32 * factor), round(40 * factor))
        seen = torch.nn.functional.interpolate(X[None], size, antialias=factor < 1, **grow)[0]
        return signed(model, seen)

    own = signed(model, X)
    found = signed(model, X, augment="scale")
    assert found.shape == own.shape
    large, small = at(1.25), at(0.8)
    assert large.shape == (10, 13)
    back = [
        torch.nn.functional.interpolate(torch.tensor(m)[None, None], own.shape, **grow)[0, 0].numpy() for m in (small,)
    ]
    # the enlarged map is averaged down by cells; its mean is nearly kept
    assert abs(found.mean() - (own.mean() + back[0].mean() + large.mean()) / 3) < 0.05 * np.abs(own).max()


def test_smooth_is_the_mean_over_noisy_copies():
    model = nets.Net()
    random = np.random.default_rng(0)
    span = float(X.max() - X.min())
    maps = []
    for _ in range(4):
        noise = 0.15 * span * random.standard_normal((1, *X.shape))
        maps.append(signed(model, (X.numpy() + noise[0]).astype(np.float32)))
    nets.assert_same(signed(model, X, smooth=4), np.mean(maps, 0))


def test_the_score_is_of_the_image_itself_and_a_note_says_what_the_map_is():
    model = nets.Net()
    why = sw.explain(model, X, smooth=3, augment=["flip", "scale"])
    assert why.score == sw.explain(model, X).score
    assert "3 noisy copies" in why.notes[-1]
    assert "mirrored" in why.notes[-1]
    np.testing.assert_array_equal(why.map, sw.explain(model, X, smooth=3, augment=["flip", "scale"]).map)


@pytest.mark.parametrize("method", ["gradcam++", "eigencam", "scorecam", "integrated_gradients", "layerguided"])
def test_any_method_several_targets_and_many_pictures(method):
    model = nets.Net()
    found = list(sw.explain_many(model, [X, X.flip(-1)], method=method, target=[0, 3], augment="flip", signed=True))
    assert [len(one) for one in found] == [2, 2]
    for one, mirrored in zip(*found, strict=True):
        nets.assert_same(one.map, mirrored.map[:, ::-1], 1e-4)


def test_wrong_words():
    with pytest.raises(sw.InputError, match="smooth=-1"):
        sw.explain(nets.Net(), X, smooth=-1)
    with pytest.raises(sw.UnknownNameError, match="flip"):
        sw.explain(nets.Net(), X, augment="flipp")
