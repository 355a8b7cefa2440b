"""What every method on every framework must hold: plain functions of (form, case)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pytest

import seewhy as sw
from seewhy.methods import find_method
from tests import papers


@dataclass
class Case:
    """A model to explain, an image in its layout, and what an independent pass gives for it.

    `scores` [classes]; `activations` [channels, height, width] and `gradients` [classes, channels, height, width] at
    `layer`; `blocks`: activations and gradients of class `target` at each block; `weights` [outputs, channels] of the
    head, or None; `rest(A)` and `score(image)` give the class's score, `slope(image)` its gradient by the image
    and `at_layer(image)` that by what the layer gives for it [channels, height, width]; images of these
    functions have channels last. `steps` lead one after the other from the image (channels last) to the class's score,
    ReLUs among them as `papers.relu`; None where there is no ReLU. `terms`: bias times gradient [channels, h, w] of each
    layer that adds something; None where the network is not piecewise linear or this cannot be had.
    """

    model: Any
    image: Any
    layer: str
    target: int
    scores: np.ndarray
    activations: np.ndarray
    gradients: np.ndarray
    blocks: list[tuple[np.ndarray, np.ndarray]]
    weights: np.ndarray | None
    rest: Any
    score: Any
    slope: Any
    image_last: np.ndarray
    at_layer: Any
    steps: Any
    terms: list[np.ndarray] | None
    dtype: str = "float64"
    known: dict[str, np.ndarray] = field(default_factory=dict)  # twins' maps

    @property
    def tolerance(self):
        """Of the map's maximum: float64 loses a few digits in long sums, float32 most of its seven."""
        return 1e-10 if self.dtype == "float64" else 2e-5

    @property
    def slopes(self):
        """[channels, height, width]: the gradients of class `target`."""
        return self.gradients[self.target]

    @cached_property
    def guided(self):
        """[height, width] of guided backpropagation, by its twin."""
        return papers.guided_backprop(self.steps, self.image_last)


@dataclass(frozen=True)
class Form:
    """A method with options, and its slow twin: a function of the case."""

    method: str
    twin: Callable[[Case], np.ndarray]
    options: dict[str, Any] = field(default_factory=dict)

    def wanted(self, case):
        """The twin's map; loops are slow, so it is worked out once for a case."""
        if str(self) not in case.known:
            case.known[str(self)] = self.twin(case)
        return case.known[str(self)]

    def refusal(self, case):
        """What the error says where the method cannot serve this model or layer."""
        if self.method == "cam" and case.weights is None:
            return "linear head"
        if self.method in ("guided_backprop", "guided_gradcam") and case.steps is None:
            return "no ReLU runs"
        if self.method == "fullgrad" and case.terms is None:
            return "shares of pixels and biases|needs the bias of every layer"
        return ""

    def fits(self, case):
        return not self.refusal(case)

    def __str__(self):
        return " ".join([self.method, *(f"{name}={value}" for name, value in self.options.items())])


def by_gradient(name):
    return Form(name, lambda case: getattr(papers, name.replace("++", "_plus_plus"))(case.activations, case.slopes))


def finer(**options):
    def twin(case):
        asked = {"similar": 3, "strength": 1.0, **options}
        return papers.finercam(case.activations, case.gradients, case.scores, case.target, **asked)

    return Form("finercam", twin, options)


def guided(**options):
    def twin(case):
        size = case.image_last.shape[:2]
        return papers.layerguided(case.activations, case.slopes, case.blocks, *size, **options)

    return Form("layerguided", twin, options)


def smoothed(**options):
    def twin(case):
        image, random = case.image_last, np.random.default_rng(options["seed"])
        noise = options["noise"] * (image.max() - image.min())
        noisy = [image + noise * random.standard_normal(image.shape) for _ in range(options["copies"])]
        return papers.smoothgradcam_plus_plus(case.activations, [case.at_layer(copy) for copy in noisy])

    return Form("smoothgradcam++", twin, options)


def score(**options):
    return Form("scorecam", lambda c: papers.scorecam(c.activations, c.image_last, c.score, **options), options)


def ablation(**options):
    return Form("ablationcam", lambda case: papers.ablationcam(case.activations, case.rest, **options), options)


FORMS = [
    *map(by_gradient, ("gradcam", "hirescam", "gradcam++", "xgradcam", "layercam", "elementwise", "eigengradcam")),
    finer(),
    finer(similar=2, strength=0.6),
    guided(),
    guided(compete=True),
    Form("fullgrad", lambda c: papers.fullgrad(c.image_last, c.slope(c.image_last), c.terms)),
    Form("guided_backprop", lambda case: case.guided),
    Form("guided_gradcam", lambda case: papers.guided_gradcam(case.activations, case.slopes, case.guided)),
    smoothed(copies=3, noise=0.3, seed=2),
    Form("cam", lambda case: papers.cam(case.activations, case.weights[case.target])),
    Form("eigencam", lambda case: papers.eigencam(case.activations)),
    score(),
    score(channels=2),
    ablation(),
    ablation(per="activation"),
    Form(
        "integrated_gradients",
        lambda case: papers.integrated_gradients(case.image_last, case.slope, steps=7),
        {"steps": 7},
    ),
]

NOT_LINEAR = {  # in the target, so that 'against' is not the map with its sign turned
    "gradcam++": "positive gradients only",
    "layercam": "positive gradients only",
    "smoothgradcam++": "positive gradients only",
    "elementwise": "positive products only",
    "eigencam": "does not look at the target",
    "eigengradcam": "the sign is chosen",
    "finercam": "explains one class",
    "layerguided": "never negative",
    "guided_backprop": "never negative",
    "fullgrad": "never negative",
    "guided_gradcam": "never negative",
    "scorecam": "weights are a softmax",
}


def ask(form, case, **more):
    layer = None if find_method(form.method).on_image else case.layer
    asked = {"target": case.target, "method": form.method, "layer": layer, **form.options, **more}
    return sw.explain(case.model, case.image, **asked)


def check_equals_its_paper(form, case):
    found, wanted = ask(form, case).map, form.wanted(case)
    assert wanted.max() > 0, "a map that is all zero shows nothing"
    # maps are kept as float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=max(case.tolerance, 1e-6) * wanted.max())


def check_shape_and_type(form, case):
    found = ask(form, case)
    assert found.map.dtype == np.float32
    assert found.map.ndim == 2
    assert np.isfinite(found.map).all()
    assert found.map.min() >= 0
    assert found.index == case.target


def check_same_twice(form, case):
    np.testing.assert_array_equal(ask(form, case).map, ask(form, case).map)


def check_signed_is_the_same_above_zero(form, case):
    found = ask(form, case, signed=True)
    np.testing.assert_array_equal(np.maximum(found.map, 0), ask(form, case).map)


def check_what_has_no_sign_is_never_negative(form, case):
    entry = find_method(form.method)
    if entry.signed or (not entry.on_image and case.activations.min() < 0):
        return
    found = ask(form, case, signed=True)
    assert found.map.min() >= 0
    assert any("never below zero" in note for note in found.notes)


def check_against_turns_the_sign(form, case):
    if form.method in NOT_LINEAR:
        return
    own = ask(form, case, signed=True).map
    other = ask(form, case, signed=True, target=sw.against(case.target)).map
    np.testing.assert_allclose(other, -own, rtol=0, atol=case.tolerance * np.abs(own).max() + 1e-12)


def check_batch_mates_change_nothing(form, case):
    image = case.image
    other = image.flip(-1) if hasattr(image, "flip") else image[:, ::-1]
    layer = None if find_method(form.method).on_image else case.layer
    asked = {"target": case.target, "method": form.method, "layer": layer, **form.options}
    found = list(sw.explain_many(case.model, [other, image], **asked))[1].map
    alone = ask(form, case).map
    np.testing.assert_allclose(found, alone, rtol=0, atol=case.tolerance * alone.max() + 1e-12)


def held(check, form, case):
    """The check holds, or the method says why it cannot serve this case and what can."""
    if form.fits(case):
        return check(form, case)
    with pytest.raises(sw.EvidenceError, match=form.refusal(case)) as caught:
        ask(form, case)
    assert any(entry.name in caught.value.remedy for entry in sw.list_methods())


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]
