"""Where height and width are in a layer's output: maps of both layouts, tokens of transformers, and what is neither."""

import numpy as np
import pytest
import torch
from torch import nn

import seewhy as sw
from seewhy.models.grids import Grid, find_grid
from tests.support.nets import Tokens, assert_same, by_hand, image


def grid(shape, side, seen=(), channels_first=True):
    return find_grid(shape, side if isinstance(side, tuple) else (side, side), channels_first, seen)


def first(height, width):
    return Grid("channels first", height, width)


def last(height, width):
    return Grid("channels last", height, width)


def tokens(height, width, prefix=0):
    return Grid("tokens", height, width, prefix)


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [
        ((1, 512, 7, 7), 224, first(7, 7)),
        ((1, 7, 7, 768), 224, last(7, 7)),
        ((1, 64, 56, 56), 224, first(56, 56)),
        ((1, 56, 56, 96), 224, last(56, 56)),
        ((1, 64, 64, 64), 256, first(64, 64)),
        ((1, 512, 7, 10), (224, 320), first(7, 10)),
        ((1, 7, 10, 512), (224, 320), last(7, 10)),
        ((1, 512, 10, 7), (320, 224), first(10, 7)),
        ((1, 8, 8, 12), (33, 47), first(8, 12)),  # odd sizes, rounded down
        ((1, 8, 9, 12), (33, 47), first(9, 12)),  # and up
        ((1, 9, 12, 96), (33, 47), last(9, 12)),
        ((1, 512, 1, 1), 224, first(1, 1)),
        ((1, 1, 1, 512), 224, last(1, 1)),
        ((1, 3, 448, 448), 224, first(448, 448)),  # a decoder that grows the image
        ((2, 512, 7, 7), 224, first(7, 7)),
    ],
)
def test_maps(shape, side, expected):
    assert grid(shape, side) == expected


@pytest.mark.parametrize(("shape", "expected"), [((1, 7, 7, 7), last(7, 7)), ((1, 7, 7, 64), last(7, 7))])
def test_the_frameworks_own_layout_wins_where_both_fit(shape, expected):
    assert grid(shape, 224, channels_first=False) == expected
    assert grid((1, 7, 7, 7), 224, channels_first=True) == first(7, 7)


STEM = [first(14, 14)]


@pytest.mark.parametrize(
    ("count", "prefix"), [(196, 0), (197, 1), (198, 2), (199, 3), (200, 4), (201, 5), (204, 8), (205, 9)]
)
@pytest.mark.parametrize("seen", [STEM, [last(14, 14)]])
@pytest.mark.parametrize("width", [192, 196, 197])  # also as wide as there are patches
def test_tokens_behind_a_patch_embedding(count, prefix, seen, width):
    assert grid((1, count, width), 224, seen) == tokens(14, 14, prefix)


@pytest.mark.parametrize(
    ("count", "side", "expected"),
    [
        (196, 224, tokens(14, 14)),
        (197, 224, tokens(14, 14, 1)),
        (198, 224, tokens(14, 14, 2)),
        (201, 224, tokens(14, 14, 5)),
        (257, 224, tokens(16, 16, 1)),
        (261, 224, tokens(16, 16, 5)),
        (577, 384, tokens(24, 24, 1)),
        (3136, 224, tokens(56, 56)),
        (784, 224, tokens(28, 28)),
        (24, (64, 96), tokens(4, 6)),
        (25, (64, 96), tokens(4, 6, 1)),
        (25, (96, 64), tokens(6, 4, 1)),
        (19 * 13, (300, 208), tokens(19, 13)),
    ],
)
def test_tokens_without_a_patch_embedding_to_go_by(count, side, expected):
    assert grid((1, count, 192), side) == expected


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (2, 12), (3, 8)])
def test_tokens_of_pictures_that_are_not_square_follow_the_patch_embedding(shape):
    side = (shape[0] * 16, shape[1] * 16)
    assert grid((1, 25, 32), side, [first(*shape)]) == tokens(*shape, 1)


def test_stages_of_a_pyramid_of_tokens():
    seen = [first(56, 56)]
    for count, expected in ((3136, tokens(56, 56)), (784, tokens(28, 28)), (784, tokens(28, 28)), (49, tokens(7, 7))):
        found = grid((1, count, 96), 224, seen)
        assert found == expected
        seen.append(found)


@pytest.mark.parametrize(
    ("shape", "side", "seen"),
    [
        ((1, 12, 197, 197), 224, [*STEM, tokens(14, 14, 1)]),  # attention
        ((1, 12, 196, 196), 224, [*STEM, tokens(14, 14)]),
        ((1, 12, 201, 201), 224, [*STEM, tokens(14, 14, 5)]),
        ((1, 3, 49, 49), 224, [first(56, 56), last(7, 7)]),  # attention inside the only window of the last stage
        ((1, 24, 49, 49), 224, [first(56, 56), first(7, 7)]),
        ((1, 3, 65, 64), 64, [first(8, 8), tokens(8, 8, 1)]),  # queries as wide as there are tokens, nearly
        ((1, 3, 64, 64), 64, [first(8, 8), tokens(8, 8)]),
        ((1, 3, 17, 16), 64, [first(4, 4), tokens(4, 4, 1)]),
        ((1, 3, 64, 65), 64, [first(8, 8), tokens(8, 8, 1)]),  # keys, transposed
        ((1, 2, 1, 48), 64, [first(4, 4), tokens(4, 4)]),  # the one query of attention pooling
        ((1, 12, 197, 64), 224, [*STEM, tokens(14, 14, 1)]),
        ((1, 1000), 224, []),
        ((1,), 224, []),
        ((1, 1, 768), 224, STEM),  # the class token alone
        ((1, 1024, 1), 224, [first(7, 7)]),  # pooled channels
        ((1, 32, 1), 64, [first(8, 8)]),
        ((1, 256, 196), 224, [*STEM, tokens(14, 14)]),  # a mixer's [n, channels, tokens]
        ((1, 77, 512), 224, []),  # words
        ((1, 3, 8, 224, 224), 224, []),  # a film
        ((1, 64, 20, 3), 224, []),
        ((1, 512, 7, 7), (224, 800), []),
    ],
)
def test_what_is_no_map(shape, side, seen):
    assert grid(shape, side, seen) is None


def test_a_decoder_behind_a_narrow_waist_is_no_attention():
    seen = [first(64, 64), first(32, 32), first(8, 8)]  # 8 × 8 = 64 positions
    assert grid((1, 16, 64, 64), 64, seen) == first(64, 64)


# the same in networks


def by_tokens(model, x, layer, prefix, shape, target=2):
    """Signed Grad-CAM of tokens by plain autograd."""
    seen = []
    handle = model.get_submodule(layer).register_forward_hook(
        lambda part, inputs, output: seen.append(output) or output.retain_grad()
    )
    model(x[None])[0, target].backward()
    handle.remove()
    A, g = seen[0][0, prefix:].detach(), seen[0].grad[0, prefix:]
    return (A @ g.mean(0)).reshape(shape).numpy()


@pytest.mark.parametrize("registers", [0, 1, 4])
@pytest.mark.parametrize("size", [(32, 32), (32, 56), (48, 24)])
@pytest.mark.parametrize("pooled", [False, True])
def test_transformers(registers, size, pooled):
    model, x = Tokens(registers, pooled), image(*size)
    why = sw.explain(model, x, target=2, signed=True)
    assert why.layer == ("norm" if pooled else "blocks.1.norm1")
    shape = size[0] // 8, size[1] // 8
    assert_same(why.map, by_tokens(Tokens(registers, pooled), x, why.layer, 1 + registers, shape))


def test_where_only_the_class_token_counts_is_told():
    with pytest.raises(sw.InputError, match="class token"):
        sw.explain(Tokens(), image(), layer="blocks.1")
    assert "class token" in {layer.name: layer for layer in sw.layers(Tokens(), image())}["norm"].why_not


def test_a_bright_patch_lands_in_its_own_cell():
    model = nn.Sequential(nn.Conv2d(3, 4, 8, 8, bias=False), nn.Flatten(2), Swapped(), nn.LayerNorm(4), Mean())
    x = torch.zeros(3, 32, 48)
    x[:, 8:16, 32:40] = torch.linspace(0, 1, 64).reshape(8, 8)
    found = sw.explain(model, x, target=1, layer="3", signed=True).map
    assert found.shape == (4, 6)
    assert np.argwhere(np.abs(found) > 1e-6).tolist() == [[1, 4]]


class Swapped(nn.Module):
    def forward(self, x):
        return x.transpose(1, 2)


class Mean(nn.Module):
    def forward(self, x):
        return (x * torch.tensor([1.0, -2.0, 3.0, 0.5])).cumsum(-1).mean(1)


class ChannelsLast(nn.Module):
    """The same network with its maps [n, h, w, c]."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.turned = nn.Identity()

    def forward(self, x):
        x = self.turned(self.inner[1](self.inner[0](x)).permute(0, 2, 3, 1))
        return self.inner[4](x.mean((1, 2)))


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_channels_last_gives_the_map_of_channels_first(size):
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
    x = image(*size)
    why = sw.explain(ChannelsLast(inner), x, target=2, signed=True)
    assert why.layer == "turned"
    assert_same(why.map, by_hand(inner, x, "1", 2))


class Scores(nn.Module):
    """Self-attention that keeps its weights and queries as modules' outputs, like timm's without fused kernels."""

    def __init__(self, side, heads, width):
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, heads * width, 8, 8), nn.LayerNorm(heads * width)
        self.first = nn.Parameter(torch.randn(1, 1, heads * width))
        self.queries, self.keys, self.weights = nn.LayerNorm(width), nn.LayerNorm(width), nn.Softmax(-1)
        self.head, self.shape = nn.Linear(heads * width, 5), (heads, width)

    def forward(self, x):
        t = self.patches(x).flatten(2).transpose(1, 2)
        t = self.norm(torch.cat([self.first.expand(len(t), -1, -1), t], 1))
        v = t.unflatten(-1, self.shape).transpose(1, 2)
        mixed = self.weights(self.queries(v) @ self.keys(v).transpose(-1, -2)) @ v
        return self.head((t + mixed.transpose(1, 2).flatten(2))[:, 0])


@pytest.mark.parametrize(("heads", "width"), [(1, 16), (2, 17), (16, 16), (17, 4)])
def test_attention_is_never_the_default(heads, width):
    torch.manual_seed(0)
    model = Scores(32, heads, width)
    usable = [layer.name for layer in sw.layers(model, image()) if layer.usable]
    assert usable == ["patches", "norm"]
    assert sw.explain(model, image()).layer == "norm"


def test_windows_of_one_picture_are_no_batch():
    class Windows(nn.Module):
        def __init__(self):
            super().__init__()
            self.patches, self.norm, self.head = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8), nn.Linear(8, 5)

        def forward(self, x):
            x = self.patches(x)
            n, c, h, w = x.shape
            windows = x.reshape(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
            return self.head(self.norm(windows).reshape(n, -1, c).mean(1))

    table = {layer.name: layer for layer in sw.layers(Windows(), image())}
    assert not table["norm"].usable
    assert sw.explain(Windows(), image()).layer == "patches"


@pytest.mark.parametrize("told", [(2, 8), lambda shape: (2, 8) if len(shape) == 3 else None])
def test_a_layout_that_is_told(told):
    why = sw.explain(sw.wrap(Tokens(), grid=told), image(), target=2, signed=True)
    assert why.map.shape == (2, 8)
    assert_same(why.map, by_tokens(Tokens(), image(), why.layer, 1, (2, 8)))
