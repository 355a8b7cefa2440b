"""Small networks with weights drawn by rule, and Grad-CAM by hand on an untouched copy, to compare with."""

import copy

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    """stem → body → mean → head: 3 × 32 × 32 to five scores, the body 8 × 8. Variants change `forward` alone."""

    def __init__(self, classes=5, seed=0, channels=6):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, 2, 1), nn.BatchNorm2d(channels), nn.ReLU())
            self.body = nn.Sequential(nn.Conv2d(channels, channels, 3, 2, 1), nn.BatchNorm2d(channels), nn.ReLU())
            self.head = nn.Linear(channels, classes)
            for part in self.modules():
                if isinstance(part, nn.BatchNorm2d):
                    part.running_mean.normal_(std=0.1)
                    part.running_var.uniform_(0.5, 2)

    def features(self, x):
        return self.body(self.stem(x))

    def classify(self, features):
        return self.head(features.mean((2, 3)))

    def forward(self, x):
        return self.classify(self.features(x))


class Tokens(nn.Module):
    """A vision transformer for any image size: class token, `registers`, patches of 8 × 8 pixels."""

    def __init__(self, registers=0, pooled=False, depth=2, width=16, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.patches = nn.Conv2d(3, width, 8, 8)
            self.prefix = nn.Parameter(torch.randn(1, 1 + registers, width))
            self.blocks = nn.ModuleList(Block(width) for _ in range(depth))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, 5)
        self.pooled = pooled

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.prefix.expand(len(x), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        return self.head(tokens[:, self.prefix.shape[1] :].mean(1) if self.pooled else tokens[:, 0])


class Block(nn.Module):
    """Attention and a perceptron, each behind a norm, both with a way around."""

    def __init__(self, width):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attention(y, y, y)[0]
        return x + self.perceptron(self.norm2(x))


def image(height=32, width=32, seed=1):
    """float [3, height, width] between 0 and 1."""
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def by_hand(model, x, layer, target, call=None):
    """Signed Grad-CAM [h, w] of a layer that gives [n, c, h, w], by plain autograd on a copy of the model.

    The layer's last call counts. `target` is a class of the outputs, or a function of them.
    """
    model = copy.deepcopy(model).eval()
    seen = []

    def keep(part, inputs, output):
        if not output.requires_grad:
            output.requires_grad_()
        output.retain_grad()
        seen.append(output)

    model.get_submodule(layer).register_forward_hook(keep)
    with torch.enable_grad():
        outputs = model(x[None]) if call is None else call(model, x[None])
        (target(outputs) if callable(target) else outputs[0, target]).backward()
    A, g = seen[-1].detach().double(), seen[-1].grad.double()
    return (g.mean((2, 3), keepdim=True) * A).sum(1)[0].float().numpy()


def assert_same(map_, wanted, tolerance=1e-5):
    """Equal up to `tolerance` of the largest value, and no empty maps."""
    largest = np.abs(wanted).max()
    assert largest > 0, "the expected map is empty: the test tests nothing"
    np.testing.assert_allclose(map_, wanted, rtol=0, atol=tolerance * largest)
