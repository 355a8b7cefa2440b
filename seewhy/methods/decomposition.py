"""Methods that take a layer's map apart and show its strongest component."""

from __future__ import annotations

import warnings

import numpy as np

from seewhy.evidence import Array, Evidence, Ops
from seewhy.methods import method
from seewhy.targets import Floats


@method(
    "eigencam",
    family="activation",
    paper="Muhammad & Yeasin 2020, arXiv:2008.00299",
    passes="1 forward",
)
def eigencam(evidence: Evidence) -> Array:
    """Projects the activations on their first principal direction; shows what stands out, whatever the target.

    Args:
        evidence: activations A float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the activations; its sum is not negative.
    Paper:
        Muhammad & Yeasin 2020, arXiv:2008.00299: A as a matrix O [places, channels] = U S V', map O v1. Not centred.
    Departs:
        the sign of v1, which the paper leaves open, is such that the map's sum is positive.
        The paper has no ReLU; `explain` applies one unless signed=True.
    """
    return _strongest(evidence.ops, evidence.activations)


@method(
    "eigengradcam",
    family="gradient",
    paper="Gildenblat 2021, pytorch-grad-cam; no paper",
    passes="1 forward, 1 backward",
    needs=("gradients",),
)
def eigengradcam(evidence: Evidence) -> Array:
    """Projects the products of activation and gradient on their first principal direction.

    Args:
        evidence: activations A and gradients g, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score; its sum is not negative, also for a target that
        everything speaks against: the sign of a principal direction means nothing.
    Paper:
        none; known as EigenGradCAM in pytorch-grad-cam (Gildenblat 2021): EigenCAM of g A.
    Departs:
        not centred, as EigenCAM in its paper; pytorch-grad-cam subtracts the mean over the places first.
    """
    return _strongest(evidence.ops, evidence.gradients * evidence.activations)


def factors(rows: Floats, count: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Deep Feature Factorization: activations as places × concepts times concepts × channels, nothing negative.

    Args:
        rows: float [places, channels], activations; what is negative counts as 0.
        count: how many concepts, at most the number of places and of channels.
        seed: of the singular vectors that the search begins with.
    Returns:
        float [places, count], how much of each concept is in each place, in units of the activations; and float
        [count, channels], the concepts, of length 1. Concepts that stay empty are 0.
    Paper:
        Collins et al. 2018, 'Deep Feature Factorization for Concept Discovery', arXiv:1806.10206: non-negative matrix
        factorization with the squared error.
    """
    from sklearn.decomposition import NMF  # takes a second to import
    from sklearn.exceptions import ConvergenceWarning

    search = NMF(count, init="nndsvda", max_iter=2000, tol=1e-6, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        places = search.fit_transform(np.maximum(rows, 0))
    lengths = np.linalg.norm(search.components_, axis=1)
    return places * lengths, search.components_ / np.where(lengths > 0, lengths, 1)[:, None]


def _strongest(ops: Ops, maps: Array) -> Array:
    """float [batch, height, width]: O v1 for maps [batch, height, width, channels] as matrices O = U S V'.

    From the smaller of O O' and O' O, in units of the largest entry, so that squares neither over- nor underflow.
    """
    count, height, width, channels = maps.shape
    size = ops.max(abs(maps), (1, 2, 3), keepdims=True)
    rows = ops.reshape(maps / ops.where(size == 0, 1 + size, size), (count, height * width, channels))
    if height * width <= channels:
        squares, vectors = ops.eigh(ops.einsum("npc,nqc->npq", rows, rows))  # O O' = U S² U', rising
        found = vectors[..., -1] * ops.relu(squares[..., -1:]) ** 0.5  # O v1 = s1 u1
    else:
        _, vectors = ops.eigh(ops.einsum("npc,npd->ncd", rows, rows))  # O' O = V S² V'
        found = ops.einsum("npc,nc->np", rows, vectors[..., -1])
    found = ops.where(ops.sum(found, -1, keepdims=True) < 0, -found, found)
    return ops.reshape(found, (count, height, width)) * size[..., 0]
