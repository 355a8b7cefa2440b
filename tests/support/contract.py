"""What every method on every framework must hold: plain functions of (method name, case)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import seewhy as sw
from tests import papers


@dataclass
class Case:
    """A model to explain, an image in its layout, and what an independent pass gives for it.

    `activations` and `gradients` [channels, height, width] at `layer` for class `target`; `weights` [outputs, channels]
    of the head, or None; `rest(A)` and `score(image)` give the class's score, `slope(image)` its gradient;
    images of these functions have channels last.
    """

    model: Any
    image: Any
    layer: str
    target: int
    activations: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray | None
    rest: Any
    score: Any
    slope: Any
    image_last: np.ndarray
    dtype: str = "float64"

    @property
    def tolerance(self):
        """Of the map's maximum: float64 loses a few digits in long sums, float32 most of its seven."""
        return 1e-10 if self.dtype == "float64" else 2e-5


OPTIONS = {"integrated_gradients": {"steps": 7}}


def twin(method, case):
    """The map that the paper's equations give."""
    if method == "gradcam":
        return papers.gradcam(case.activations, case.gradients)
    if method == "hirescam":
        return papers.hirescam(case.activations, case.gradients)
    if method == "cam":
        return papers.cam(case.activations, case.weights[case.target])
    if method == "scorecam":
        return papers.scorecam(case.activations, case.image_last, case.score)
    if method == "ablationcam":
        return papers.ablationcam(case.activations, case.rest)
    if method == "integrated_gradients":
        return papers.integrated_gradients(case.image_last, case.slope, steps=7)
    raise AssertionError(f"{method} has no slow twin in tests/papers.py")


def ask(method, case, **more):
    layer = None if method == "integrated_gradients" else case.layer
    return sw.explain(
        case.model, case.image, target=case.target, method=method, layer=layer, **OPTIONS.get(method, {}), **more
    )


def check_equals_its_paper(method, case):
    found, wanted = ask(method, case).map, twin(method, case)
    assert wanted.max() > 0, "a map that is all zero shows nothing"
    # maps are kept as float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=max(case.tolerance, 1e-6) * wanted.max())


def check_shape_and_type(method, case):
    found = ask(method, case)
    assert found.map.dtype == np.float32
    assert found.map.ndim == 2
    assert np.isfinite(found.map).all()
    assert found.map.min() >= 0
    assert found.index == case.target


def check_same_twice(method, case):
    np.testing.assert_array_equal(ask(method, case).map, ask(method, case).map)


def check_signed_is_the_same_above_zero(method, case):
    found = ask(method, case, signed=True)
    np.testing.assert_array_equal(np.maximum(found.map, 0), ask(method, case).map)


def check_against_turns_the_sign(method, case):
    if method in ("scorecam", "ablationcam"):
        return  # their weights are a softmax and a share of |y|: not linear in the target
    own = ask(method, case, signed=True).map
    layer = None if method == "integrated_gradients" else case.layer
    other = sw.explain(
        case.model,
        case.image,
        target=sw.against(case.target),
        method=method,
        layer=layer,
        signed=True,
        **OPTIONS.get(method, {}),
    ).map
    np.testing.assert_allclose(other, -own, rtol=0, atol=case.tolerance * np.abs(own).max() + 1e-12)


CHECKS = [value for name, value in list(globals().items()) if name.startswith("check_")]
