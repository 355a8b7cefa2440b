"""Methods that explain a class against those it is most easily taken for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method
from seewhy.methods.gradient import gradcam
from seewhy.targets import Aim, Scores


def rather_than_similar(aim: Aim, scores: Scores, picture: int, *, similar: int = 3, strength: float = 1.0) -> Aim:
    """The aim y_c - strength * mean(y_d) over the classes d whose scores are nearest to that of class c.

    Args:
        aim: of one class.
        scores: of the batch.
        picture: which of the batch.
        similar: how many other classes.
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
    if not isinstance(similar, int) or not 1 <= similar < scores.classes:
        raise InputError(
            f"similar={similar} of a model with {scores.classes} classes",
            f"a number from 1 to {scores.classes - 1}",
            "leave it out for 3" if scores.classes > 3 else f"write similar={scores.classes - 1}",
        )
    own = scores.of_classes[picture]
    order = np.argsort(abs(own - own[aim.index]), kind="stable")
    others = [int(d) for d in order if d != aim.index][:similar]
    words = f"{aim.asked} rather than {', '.join(scores.label(d) for d in others)}"
    if scores.single:  # both classes are the same logit: their log odds count it once
        return replace(aim, asked=words)
    weights = aim.weights.astype(float)
    weights[others] -= strength / similar
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
        similar classes are those with the nearest scores and count alike; the difference is taken before the ReLU.
    """
    return gradcam(evidence)
