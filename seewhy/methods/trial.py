"""Methods that try: they change activations or the image, run the model again and see what the target does."""

from __future__ import annotations

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method


@method(
    "scorecam",
    family="trial",
    paper="Wang et al. 2020, arXiv:1910.01279",
    passes="1 forward a channel",
    needs=("again",),
)
def scorecam(evidence: Evidence, *, scores: str = "logit", baseline: float = 0.0, channels: int | None = None) -> Array:
    """Weighs each channel by the score of the image seen through it alone.

    Args:
        evidence: activations A [batch, height, width, channels], images X, and new passes over images.
        scores: what f of the equations is: 'logit', the target's value, whose increases go through a softmax over
            channels; or 'probability' of the target's class, whose increases are the weights as they are, since they
            lie in one range already (a softmax over them would weigh all channels nearly alike).
        baseline: the value of the image X_b that confidence is counted from, in the model's own units.
        channels: how many channels to try, those of each image whose mean is highest; None for all. The others weigh
            nothing, so that the cost falls with them, and the map loses what they would have shown.
    Returns:
        float [batch, height, width]; with 'logit' the weights of the channels tried add up to one.
    Paper:
        Wang et al. 2020, arXiv:1910.01279, eq. 6-8 (increase of confidence) and algorithm 1 (softmax over channels);
        its text and its authors' code weigh by the value behind the softmax of the classes instead: 'probability'.
    Departs:
        the paper tries all channels.
    """
    if scores not in ("logit", "probability"):
        raise InputError(f"scores={scores!r}", "'logit' or 'probability'", "leave it out for 'logit'")
    ops, images = evidence.ops, evidence.images
    count, height, width, _ = images.shape
    base = _confidence(evidence, (0 * images + baseline)[None], scores)  # [1, batch]
    maps = ops.moveaxis(_highest(evidence, channels), -1, 0)  # [channels, batch, h, w]
    parts = []
    step = max(1, evidence.room // count)
    for start in range(0, maps.shape[0], step):
        some = maps[start : start + step]
        flat = ops.reshape(some, (-1, *some.shape[2:]))
        grown = ops.reshape(ops.resize(flat, (height, width)), (-1, count, height, width))
        low, high = ops.min(grown, (2, 3), keepdims=True), ops.max(grown, (2, 3), keepdims=True)
        even = high <= low
        masks = ops.where(even, 0 * grown, (grown - low) / ops.where(even, 0 * high + 1, high - low))  # s(Up(A))
        parts.append(_confidence(evidence, images[None] * masks[..., None], scores) - base)
    gains = ops.concatenate(parts, 0)  # [channels, batch]
    weights = ops.softmax(gains, 0) if scores == "logit" else gains
    return ops.einsum("cn,cnhw->nhw", weights, maps)


def _highest(evidence: Evidence, channels: int | None) -> Array:
    """float [batch, height, width, channels]: of each image the channels with the highest mean, in their order."""
    ops, activations = evidence.ops, evidence.activations
    if channels is not None and channels < 1:
        raise InputError(f"channels={channels}", "at least one channel", "leave it out for all")
    if channels is None or channels >= activations.shape[-1]:
        return activations
    means = ops.numpy(ops.mean(activations, (1, 2)))
    chosen = np.sort(np.argsort(-means, axis=1, kind="stable")[:, :channels], axis=1)
    return ops.take_along_axis(activations, chosen[:, None, None, :], -1)


def _confidence(evidence: Evidence, images: Array, scores: str) -> Array:
    assert evidence.again is not None
    trial = evidence.again(images, "")
    if scores == "logit":
        return trial.values
    if trial.probabilities is None:
        raise InputError(
            "scores='probability' for a target that is not one class",
            "a target that is one class",
            "ask for a class or leave scores= out",
        )
    return trial.probabilities


@method(
    "ablationcam",
    family="trial",
    paper="Desai & Ramaswamy 2020, WACV",
    passes="1 forward, and of the rest 1 a channel; none where it is pooling and linear",
    needs=("edited", "head"),
)
def ablationcam(evidence: Evidence, *, per: str = "score") -> Array:
    """Weighs each channel by how much the target's score falls when the channel is set to zero.

    Args:
        evidence: activations A [batch, height, width, channels] and the rest of the network, which gives y.
        per: what the fall y - y_k is divided by: 'score', |y|, or 'activation', the sum of |A_k|: behind pooling and
            linear the latter equals Grad-CAM for A >= 0.
    Returns:
        float [batch, height, width], in units of the activations; of the score for per='activation'.
    Paper:
        Desai & Ramaswamy 2020, 'Ablation-CAM', WACV, eq. 1 (slope) and eq. 2 (map; `explain` applies its ReLU).
    Departs:
        divides by |y|, as a negative score would turn the map upside down. Where the rest of the network is pooling
        and linear, the fall is worked out without running it: y - y_k = w_k mean(A_k).
    """
    if per not in ("score", "activation"):
        raise InputError(f"per={per!r}", "'score' or 'activation'", "leave it out for 'score'")
    ops, A = evidence.ops, evidence.activations
    fall = _fall(evidence)  # [channels, batch]
    size = abs(evidence.values)[None] if per == "score" else ops.moveaxis(ops.sum(abs(A), (1, 2)), -1, 0)
    weights = ops.where(size == 0, 0 * fall, fall / ops.where(size == 0, 1 + size, size))  # eq. 1
    return ops.einsum("cn,nhwc->nhw", weights, A)  # eq. 2


def _fall(evidence: Evidence) -> Array:
    """float [channels, batch]: y - y_k, by how much the target's value falls without channel k."""
    ops, activations = evidence.ops, evidence.activations
    if evidence.head is not None and evidence.linear:
        slopes = ops.einsum("no,oc->cn", evidence.directions, evidence.head.weights)
        return slopes * ops.moveaxis(ops.mean(activations, (1, 2)), -1, 0)
    assert evidence.edited is not None
    count, channels = activations.shape[0], activations.shape[-1]
    units = ops.eye(channels)
    y = evidence.edited(activations[None]).values  # [1, batch], unchanged but run as the edits are
    parts = []
    step = max(1, evidence.room // count)
    for start in range(0, channels, step):
        keep = 1 - units[start : start + step]  # [trials, channels]
        parts.append(evidence.edited(activations[None] * keep[:, None, None, None, :]).values)
    return y - ops.concatenate(parts, 0)
