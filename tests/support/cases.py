"""Models of many shapes to explain, each with what an independent pass by the framework's own tools gives for it."""

import copy

import numpy as np
import torch
from torch import nn

import seewhy as sw
from seewhy.methods.layered import guides
from seewhy.models.plain import PlainModel
from tests import papers
from tests.support.contract import FORMS, Case
from tests.support.nets import Tokens


def plain_case(size=(9, 8), seed=4):
    random = np.random.default_rng(seed)
    kernels, weights = random.normal(size=(3, 3, 2, 5)), random.normal(size=(4, 5))
    model = PlainModel(kernels, weights, random.normal(size=4))
    image = random.normal(size=(*size, 2))
    convolved = model.convolved(image[None])[0].transpose(2, 0, 1)
    seen = np.maximum(convolved, 0)
    scores = seen.mean((1, 2)) @ weights.T + model.bias
    target = int(np.argmax(scores))
    gradients = np.stack([np.broadcast_to(row[:, None, None] / seen[0].size, seen.shape) for row in weights])

    def score(picture):
        return float(model.rest("convolution", model.convolved(picture[None]))[0, target])

    return Case(
        model,
        image,
        "relu",
        target,
        scores=scores,
        activations=seen,
        gradients=gradients,
        blocks=[(seen, gradients[target])],  # of convolution and ReLU in a row the last
        weights=weights,
        rest=lambda A: float(A.mean((1, 2)) @ weights[target] + model.bias[target]),
        score=score,
        slope=lambda picture: by_differences(score, picture),
        image_last=image,
        at_layer=lambda picture: gradients[target],
        steps=[lambda x: model.convolved(x[None])[0], papers.relu, lambda x: x.mean((0, 1)) @ weights[target]],
        terms=[model.bias[target].reshape(1, 1, 1)],
    )


def by_differences(f, x, step=1e-6):
    """The gradient of f at x by central differences: independent of any backward pass."""
    slope = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        slope[place] = (f(up) - f(down)) / (2 * step)
    return slope


class Residual(nn.Module):
    def __init__(self, channels, groups=1, dilation=1):
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=dilation, groups=groups, dilation=dilation)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.norm(self.convolution(x)) + x)


class Flattened(nn.Module):
    """A VGG-like head: Grad-CAM and HiResCAM differ here."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(inplace=True))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(6 * 4 * 3, 8), nn.Tanh(), nn.Linear(8, 4))

    def forward(self, x):
        return self.head(self.trunk(x))


def pooled(*layers, channels):
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 4))


# name: (builder, layer, height and width of the image, where the head's linear layer is if pooling is right before it)
TORCH = {
    "conv": (lambda: pooled(nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), channels=6), "1", (10, 9), "4"),
    "residual": (
        lambda: pooled(nn.Conv2d(3, 6, 3, padding=1), Residual(6), Residual(6), channels=6),
        "2",
        (10, 9),
        "5",
    ),
    "grouped, dilated": (
        lambda: pooled(nn.Conv2d(3, 6, 3), Residual(6, groups=3, dilation=2), channels=6),
        "1",
        (10, 9),
        "4",
    ),
    "one channel": (lambda: pooled(nn.Conv2d(3, 1, 2), nn.ReLU(), channels=1), "1", (10, 9), "4"),
    "one row": (lambda: pooled(nn.Conv2d(3, 6, 3), nn.ReLU(), channels=6), "1", (3, 9), "4"),
    "odd sizes": (
        lambda: pooled(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Conv2d(4, 6, 3, 2, 1), nn.ReLU(), channels=6),
        "3",
        (13, 9),
        "6",
    ),
    "linear layer's own output": (
        lambda: pooled(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Conv2d(5, 6, 1), channels=6),
        "2",
        (10, 9),
        "5",
    ),
    "early layer": (
        lambda: pooled(nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Conv2d(4, 6, 2), nn.ReLU(), channels=6),
        "1",
        (10, 9),
        None,
    ),
    "flattened head": (Flattened, "trunk", (10, 8), None),
    "transformer, class token": (lambda: Tokens(registers=1, width=8), "blocks.1.norm1", (24, 16), None),
    "transformer, mean of tokens": (lambda: Tokens(pooled=True, width=8), "norm", (24, 16), "head"),
}


def torch_case(name, dtype):
    """The first seed whose maps are not all zero: an empty map would agree with anything."""
    cases = (seeded_case(name, dtype, seed) for seed in range(100))
    return next(case for case in cases if all(form.wanted(case).max() > 0 for form in FORMS if form.fits(case)))


def as_map(output, image):
    """[channels, height, width] of the first image's output [n, c, h, w], or of tokens of patches of 8 × 8 pixels."""
    if output.ndim == 4:
        return output[0]
    height, width = image.shape[1] // 8, image.shape[2] // 8
    return output[0, -height * width :].reshape(height, width, -1).permute(2, 0, 1)


def with_map(output, A):
    """The output [1, ...] with its map replaced by A."""
    if output.ndim == 4:
        return A[None]
    tokens = A.permute(1, 2, 0).flatten(0, 1)
    return torch.cat([output[:, : output.shape[1] - len(tokens)], tokens[None]], dim=1)


def steps_of(model, target):
    """What a network in a row does, step by step, in float64."""
    if isinstance(model, Tokens):
        return None

    def in_a_row(part):
        if isinstance(part, nn.ReLU):
            return [papers.relu]
        if isinstance(part, Residual):
            return [step(lambda x: part.norm(part.convolution(x)) + x), papers.relu]
        parts = list(part.children())
        return [one for inner in parts for one in in_a_row(inner)] if parts else [step(part)]

    def step(function):
        def stepped(x):
            with torch.no_grad():
                return function(torch.from_numpy(np.array(x)[None]))[0].numpy()

        return stepped

    return [lambda x: x.transpose(2, 0, 1), *in_a_row(model), lambda scores: scores[target]]


def terms_of(model, image, target):
    """Bias times gradient at each layer that makes something of nothing: what it gives for zeros is its bias."""
    if isinstance(model, Tokens | Flattened):
        return None
    adding = [part for part in model.modules() if isinstance(part, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    met = []

    def hook(part, inputs, output):
        output.retain_grad()
        met.append((part, inputs[0], output))
        return output.clone()

    handles = [part.register_forward_hook(hook) for part in adding]
    model(image[None])[0, target].backward()
    for handle in handles:
        handle.remove()
    with torch.no_grad():
        terms = [(part(torch.zeros_like(given)) * output.grad)[0] for part, given, output in met]
    return [term.double().numpy().reshape(-1, *(term.shape[1:] or (1, 1))) for term in terms]


def seeded_case(name, dtype, seed):
    make, layer, size, head = TORCH[name]
    torch.manual_seed(seed)
    model = make().to(dtype).eval()
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2)
                part.weight.normal_()
                part.bias.normal_()
            if isinstance(part, nn.Linear) and isinstance(model, Tokens):
                part.weight.normal_()  # else class tokens hardly see the picture
    image = torch.randn(3, *size, dtype=dtype)
    blocks = guides(sw.layers(model, image))

    def run(picture, names=(), replaced=None):
        """Scores, and outputs by name with their gradients retained: torch's own tools, on a plain model."""
        kept, handles = {}, []

        def hook(part, inputs, output, name):
            kept[name] = output.clone() if replaced is None else with_map(output, replaced)
            if kept[name].requires_grad:
                kept[name].retain_grad()
            return kept[name].clone()

        for one in names:
            part = model.get_submodule(one)
            handles.append(part.register_forward_hook(lambda *seen, one=one: hook(*seen, one)))
        try:
            return model(picture[None])[0], kept
        finally:
            for handle in handles:
                handle.remove()

    def numbers(tensor):
        return as_map(tensor.detach(), image).double().numpy()

    gradients = []
    for index in range(len(run(image)[0])):
        scores, kept = run(image, {layer, *blocks})
        scores[index].backward()
        gradients.append(numbers(kept[layer].grad))
        if index == int(scores.argmax()):
            target, of_target = index, kept
    model.zero_grad()

    def first(picture):
        return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).to(dtype)

    def score(picture):
        with torch.no_grad():
            return float(run(first(picture))[0][target])

    def slope(picture):
        x = first(picture).requires_grad_()
        return torch.autograd.grad(model(x[None])[0, target], x)[0].permute(1, 2, 0).double().numpy()

    def at_layer(picture):
        scores, kept = run(first(picture), [layer])
        scores[target].backward()
        return numbers(kept[layer].grad)

    def rest(A):
        with torch.no_grad():
            return float(run(image, [layer], torch.from_numpy(A).to(dtype))[0][target])

    return Case(
        model,
        image,
        layer,
        target,
        scores=scores.detach().double().numpy(),
        activations=numbers(of_target[layer]),
        gradients=np.stack(gradients),
        blocks=[(numbers(of_target[one]), numbers(of_target[one].grad)) for one in blocks],
        weights=None if head is None else model.get_submodule(head).weight.detach().double().numpy(),
        rest=rest,
        score=score,
        slope=slope,
        image_last=image.permute(1, 2, 0).double().numpy(),
        at_layer=at_layer,
        terms=terms_of(copy.deepcopy(model), image, target),
        steps=steps_of(copy.deepcopy(model).double(), target),
        dtype=str(dtype).removeprefix("torch."),
    )


CASES = {"plain": plain_case, "plain, one place": lambda: plain_case((3, 3), 8)} | {
    f"torch {name} {str(dtype)[6:]}": lambda name=name, dtype=dtype: torch_case(name, dtype)
    for name in TORCH
    for dtype in (torch.float64, torch.float32)
}
