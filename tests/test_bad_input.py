"""Each wrong input gets an error that says what came, what was expected, and what to do."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import seewhy as sw


def network(classes=3):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(8, classes),
    )  # fmt: skip


X = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
LABELS = ("tabby", "tiger cat", "dog")


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return {"boxes": self.trunk(x).flatten(2).transpose(1, 2)}


class Siamese(Detector):
    def forward(self, x, other):
        return self.trunk(x - other).mean((2, 3))


def nan_network():
    model = network()
    nn.init.constant_(model[6].bias, float("nan"))
    return model


def gelu_network():
    return nn.Sequential(*(nn.GELU() if isinstance(part, nn.ReLU) else part for part in network()))


# what is asked → parts of (came, expected, remedy)
WRONG = {
    "no picture": (lambda: sw.explain(labelled(), __file__), "test_bad_input.py", "image", ""),
    "finercam of no class": (
        lambda: sw.explain(network(), X, method="finercam", target=sw.versus(0, 1)),
        "finercam of the target 'class 0 rather than class 1'",
        "the score of one class",
        "gradcam",
    ),
    "finercam of a probability": (
        lambda: sw.explain(network(), X, method="finercam", target=sw.probability(0)),
        "probability of class 0",
        "the score of one class",
        "gradcam",
    ),
    "finercam against more classes than there are": (
        lambda: sw.explain(network(), X, method="finercam", similar=3),
        "similar=3 of a model with 3 classes",
        "from 1 to 2",
        "leave it out for 2",
    ),
    "augment=True": (
        lambda: sw.explain(network(), X, augment=True),
        "augment=True",
        "'flip', 'scale' or both",
        "",
    ),
    "a mask at a word": (
        lambda: sw.explain(network(), X).mask("half"),
        "threshold='half'",
        "0..1",
        "threshold=0.5",
    ),
    "a layer that is nearly all": (
        lambda: sw.explain(network(), X, layer="al"),
        "no layer is called 'al'",
        "",
        "did you mean 'all'",
    ),
    "concepts as a method": (
        lambda: sw.explain(network(), X, method="DFF"),
        "no method is called 'DFF'",
        "one of gradcam",
        "sw.concepts(model, picture)",
    ),
    "Score-CAM of no channel": (
        lambda: sw.explain(network(), X, method="scorecam", channels=0),
        "channels=0",
        "at least one channel",
        "for all",
    ),
    "Smooth Grad-CAM++ of no copy": (
        lambda: sw.explain(network(), X, method="smoothgradcam++", copies=0),
        "copies=0",
        "at least one noisy copy",
        "leave it out",
    ),
    "Smooth Grad-CAM++ with less than no noise": (
        lambda: sw.explain(network(), X, method="smoothgradcam++", noise=-0.1),
        "noise=-0.1",
        "from 0",
        "leave it out",
    ),
    "guided without a ReLU": (
        lambda: sw.explain(gelu_network(), X, method="guided_backprop"),
        "no ReLU runs; it has GELU",
        "a model with ReLUs",
        "integrated_gradients",
    ),
    "FullGrad of what is not piecewise linear": (
        lambda: sw.explain(gelu_network(), X, method="fullgrad"),
        "shares of pixels and biases",
        "ReLU and pooling",
        "integrated_gradients",
    ),
    "Ablation-CAM per something": (
        lambda: sw.explain(network(), X, method="ablationcam", per="channel"),
        "per='channel'",
        "'score' or 'activation'",
        "leave it out",
    ),
    "CAM before the last convolution": (
        lambda: sw.explain(network(), X, method="cam", layer="1"),
        "without a linear head",
        "global average pooling",
        '"gradcam" or "hirescam"',
    ),
    "no such file": (lambda: sw.explain(labelled(), "no-such-cat.jpg"), "no-such-cat.jpg", "", ""),
    "not a picture at all": (lambda: sw.explain(network(), 3.5), "of type float", "a path, PIL image", "its path"),
    "unknown preparation": (
        lambda: sw.explain(network(), Image.new("RGB", (20, 20))),
        "preparation is not known",
        "used in training",
        '"imagenet"',
    ),
    "channels last": (
        lambda: sw.explain(network(), torch.rand(16, 16, 3)),
        "shape [1, 16, 16, 3]",
        "[batch, channels, height, width]",
        "image.permute(2, 0, 1)",
    ),
    "wrong number of channels": (
        lambda: sw.explain(network(), torch.rand(1, 16, 16)),
        "shape [1, 1, 16, 16]",
        "[batch, 3, height, width]",
        "3 channels",
    ),
    "a batch for explain": (lambda: sw.explain(network(), torch.rand(2, 3, 16, 16)), "[2, 3, 16, 16]", "", "explain_many"),
    "an empty batch": (lambda: sw.explain(network(), torch.rand(0, 3, 16, 16)), "[0, 3, 16, 16]", "", ""),
    "too small an image": (lambda: sw.explain(network(), torch.rand(3, 2, 2)), "model raised", "size", "prepare="),
    "class out of range": (lambda: sw.explain(network(), X, target=3), "class 3", "from 0 to 2", "count classes from 0"),
    "unknown label": (lambda: sw.explain(labelled(), X, target="tigercat"), "'tigercat'", "3 labels", "'tiger cat'"),
    "label of a model without": (lambda: sw.explain(network(), X, target="cat"), "without labels", "", "labels=[...]"),
    "unknown layer": (lambda: sw.explain(network(), X, layer="22"), "'22'", "layers(model) lists", "did you mean '2'"),
    "foreign module": (lambda: sw.explain(network(), X, layer=nn.ReLU()), "no part of Sequential", "", ""),
    "layer behind the pooling": (lambda: sw.explain(network(), X, layer="4"), "1 × 1", "height and width", "'3'"),
    "layer index": (lambda: sw.explain(network(), X, layer=9), "layer 9 of 4", "from -4 to 3", "layers(model)"),
    "unknown method": (lambda: sw.explain(network(), X, method="gradcan"), "'gradcan'", "gradcam", "did you mean 'gradcam'"),
    "unknown option": (lambda: sw.explain(network(), X, method="scorecam", score="logit"), "'score'", "scores=", "'scores'"),
    "option as a text": (lambda: ints(steps="few"), "steps='few'", "a whole number", "steps=50"),
    "option as a fraction": (lambda: ints(steps=2.5), "steps=2.5", "a whole number", "steps=50"),
    "option as a truth": (lambda: ints(steps=True), "steps=True", "a whole number", "steps=50"),
    "option that is none": (lambda: ints(baseline=None), "baseline=None", "a number", "baseline=0.0"),
    "option as a number": (lambda: sw.explain(network(), X, method="scorecam", scores=1), "scores=1", "a text", "'logit'"),
    "mistyped argument": (lambda: sw.explain(network(), X, targt=3), "'targt'", "no option", "did you mean 'target'"),
    "layer of an image method": (
        lambda: sw.explain(network(), X, method="integrated_gradients", layer="2"), "layer='2'", "pixels", "leave",
    ),
    "unknown colour map": (lambda: sw.explain(network(), X).overlay("viridys"), "'viridys'", "", "'viridis'"),
    "opacity": (lambda: sw.explain(network(), X).overlay(opacity=40), "40", "from 0", "opacity=0.5"),
    "threshold": (lambda: sw.explain(network(), X).mask(50), "50", "", ""),
    "no scores": (lambda: sw.explain(Detector(), X), "nothing that looks like scores", "outputs", "target=output("),
    "NaN scores": (lambda: sw.explain(nan_network(), X), "NaN", "finite scores", "float32"),
    "a model that is none": (lambda: sw.explain({"weight": 1}, X), "a dictionary", "torch.nn.Module", "load_state_dict"),
    "a class instead of a model": (lambda: sw.explain(Detector, X), "the class Detector", "", "Detector(...)"),
    "an unknown model name": (lambda: sw.explain("torchvison:resnet18", X), "torchvison", "timm:NAME", "'torchvision'"),
    "one picture for many": (lambda: sw.explain_many(network(), "cat.jpg"), "one picture", "several", "explain(model"),
    "targets twice": (lambda: sw.explain_many(network(), [X], target=1, targets=[1]), "target= and targets=", "one", ""),
    "too few targets": (lambda: list(sw.explain_many(network(), [X, X], targets=[1])), "more pictures than", "", "target="),
    "too many targets": (lambda: list(sw.explain_many(network(), [X], targets=[1, 2])), "2 targets for 1 pictures", "one", ""),
    "targets as text": (lambda: sw.explain_many(network(), [X], targets="abc"), "'abc'", "for each picture", "target="),
    "targets that are one": (lambda: sw.explain_many(network(), [X], targets=1), "targets=1", "for each picture", "target="),
    "batch size": (lambda: sw.explain_many(network(), [X], batch_size=0), "batch_size=0", "at least 1", ""),
    "batch size as text": (lambda: sw.explain_many(network(), [X], batch_size="a"), "batch_size='a'", "whole number", ""),
    "no pictures": (lambda: sw.explain_many(network(), None), "of type NoneType", "a list of pictures", "[picture]"),
    "one image for many": (lambda: sw.explain_many(network(), X), "one picture", "several", "explain(model"),
    "an empty batch for many": (lambda: sw.explain_many(network(), X[None][:0]), "an empty batch", "at least one", ""),
    "two inputs": (lambda: sw.explain(Siamese(), X), "Siamese cannot be called with images alone", "one input", "call="),
    "labels as a string": (lambda: sw.wrap(network(), labels="cat"), "labels='cat'", "a list of names", "labels=[...]"),
    "labels with gaps": (lambda: sw.wrap(network(), labels={0: "cat", 3: "dog"}), "[0, 3]", "0 to 3", "name 1, 2 too"),
    "labels below 0": (lambda: sw.wrap(network(), labels={-1: "none", 0: "cat"}), "[-1, 0]", "0 to 0", "count from 0"),
    "labels by name": (lambda: sw.wrap(network(), labels={"cat": 0}), "['cat']", "{index: name}", "0: 'cat'"),
    "call that is none": (lambda: sw.wrap(network(), call=3), "call=3", "a function of (model, images)", "lambda"),
    "grid that is none": (lambda: sw.wrap(network(), grid=7), "grid=7", "(rows, columns)", "grid=(14, 14)"),
    "outputs that are none": (lambda: sw.wrap(network(), outputs=3.5), "outputs=3.5", "a key, an index", "'logits'"),
    "a model without weights": (lambda: sw.explain(network().to("meta"), X), "meta device", "with its weights", "to_empty"),
    "too few labels": (lambda: sw.explain(sw.wrap(network(), labels=["a"]), X), "1 labels for a model with 3 classes", "one label", "3 names"),
    "preset": (lambda: sw.wrap(network(), prepare="imagnet"), "'imagnet'", "", "'imagenet'"),
    "key of outputs": (lambda: sw.explain(sw.wrap(network(), outputs="logits"), X), "outputs='logits'", "", "one image"),
    "function of wrong shape": (
        lambda: sw.explain(network(), X, target=sw.output(lambda scores: scores)), "[1, 3]", "[1]", "reduce",
    ),
    "function of one picture": (lambda: sw.explain(network(), X, target=lambda scores: scores), "[3]", "one number", ""),
}  # fmt: skip


def ints(**options):
    return sw.explain(network(), X, method="integrated_gradients", **options)


def labelled():
    return sw.wrap(network(), labels=LABELS, prepare="0..1@32")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda name: name.replace(" ", "-"))
def test_wrong_input_is_told(wrong):
    ask, *parts = WRONG[wrong]
    with pytest.raises(sw.SeeWhyError) as caught:
        ask()
    for part, said in zip(parts, (caught.value.came, caught.value.expected, caught.value.remedy), strict=True):
        assert part in said, str(caught.value)
    assert len(caught.value.remedy) > 8


def test_numbers_of_numpy_are_numbers():
    assert ints(steps=np.int64(3), baseline=np.float32(0)).method == "integrated_gradients"
    assert ints(steps=3, baseline=1).method == "integrated_gradients"


def test_floats_in_0_255_are_warned_of_where_the_preparation_is_known():
    with pytest.warns(sw.SeeWhyWarning, match="0 .. 1"):
        sw.explain(labelled(), X * 255)


def test_an_empty_map_is_an_answer_with_a_note():
    model = network()
    with torch.no_grad():
        model[6].weight[1] = -model[6].weight[1].abs()
        model[6].weight[1] -= 0.1
    why = sw.explain(model, X, target=1)
    assert why.empty
    assert "all zero" in why.notes[0]
    assert "signed=True" in repr(why)
    assert why.where == "no region stood out"
    assert sw.explain(model, X, target=1, signed=True).map.min() < 0


def test_one_bad_picture_does_not_end_a_run(tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(good)
    bad.write_bytes(good.read_bytes()[:80])
    found = list(sw.explain_many(labelled(), [good, bad, X, torch.full((3, 16, 16), float("nan")), good]))
    assert [bool(one) for one in found] == [True, False, True, False, True]
    assert "bad.png" in str(found[1].error)
    assert "NaN" in found[3].error.came
    with pytest.raises(sw.SeeWhyError, match=r"bad\.png"):
        found[1].map  # noqa: B018
    np.testing.assert_array_equal(found[0].map, found[4].map)


def test_images_of_other_shapes_run_apart_and_keep_their_order():
    shapes = [(16, 16), (20, 12), (16, 16), (2, 2), (20, 12)]
    found = list(sw.explain_many(network(), [torch.rand(3, *shape) for shape in shapes], target=0, signed=True))
    assert [one.map.shape if one else None for one in found] == [(12, 12), (16, 8), (12, 12), None, (16, 8)]
