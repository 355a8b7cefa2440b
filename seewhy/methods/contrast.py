"""Methods that explain a class against those it is most easily taken for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method
from seewhy.methods.gradient import gradcam
from seewhy.targets import Aim, Scores

_SIMILAR = 3  # classes, unless another number is asked for


def rather_than_similar(
    aim: Aim, scores: Scores, picture: int, *, similar: int | None = None, strength: float = 1.0
) -> Aim:
    """The aim y_c - strength * mean(y_d) over the classes d whose scores are nearest to that of class c.

    Args:
        aim: of one class.
        scores: of the batch.
        picture: which of the batch.
        similar: how many other classes; None for 3, or all where there are fewer.
        strength: what part of their mean is taken off; at 1 a number added to all scores changes no map.
    Raises:
        InputError: the target is not the score of one class, or there are not so many other classes.
    """
    if aim.index is None or aim.weights is None:
        raise InputError(
            f"finercam of the target {aim.asked!r}",
            "the score of one class, to be held against the classes most like it",
            "ask for a class, or take the method gradcam, which explains this target as it is",
        )
    usual = min(_SIMILAR, scores.classes - 1)
    count = usual if similar is None else similar
    if not isinstance(count, int) or not 1 <= count < scores.classes:
        raise InputError(
            f"similar={similar} of a model with {scores.classes} classes",
            f"a number from 1 to {scores.classes - 1}",
            f"leave it out for {usual}",
        )
    own = scores.of_classes[picture]
    order = np.argsort(abs(own - own[aim.index]), kind="stable")
    others = [int(d) for d in order if d != aim.index][:count]
    words = f"{aim.asked} rather than {', '.join(scores.label(d) for d in others)}"
    if scores.single:  # both classes are the same logit: their log odds count it once
        return replace(aim, asked=words)
    weights = aim.weights.astype(float)
    weights[others] -= strength / count
    return replace(aim, asked=words, weights=weights)


@method(
    "finercam",
    family="gradient",
    paper="Zhang et al. 2025, arXiv:2501.11309",
    passes="1 forward, 1 backward",
    needs=("gradients",),
    aims=rather_than_similar,
)
def finercam(evidence: Evidence) -> Array:
    """Grad-CAM of the class's score less the mean score of the classes most like it: what tells them apart.

    Args:
        evidence: activations and gradients of y_c - strength * mean(y_d), float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the score. The explanation's score is that difference.
    Paper:
        Zhang et al. 2025, 'Finer-CAM', arXiv:2501.11309: Grad-CAM's weights from y_c - gamma y_d, gamma = `strength`.
    Departs:
        similar classes are those with the nearest scores and count alike, at most 3 unless `similar` says otherwise;
        the difference is taken before the ReLU. Behind a single logit it is Grad-CAM: the logit is the difference.
    """
    return gradcam(evidence)
