"""Methods that average what gradients say over noisy copies of the image, before they make a map of it."""

from __future__ import annotations

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method


@method(
    "smoothgradcam++",
    family="gradient",
    paper="Omeiza et al. 2019, arXiv:1908.01224",
    passes="1 forward, and 1 forward and backward a copy",
    needs=("again",),
    of_model="with gradients",
)
def smoothgradcam_plus_plus(evidence: Evidence, *, copies: int = 16, noise: float = 0.15, seed: int = 0) -> Array:
    """Grad-CAM++ whose derivatives are means over noisy copies of the image.

    Args:
        evidence: activations A and images [batch, height, width, channels], and new passes with gradients at the layer.
        copies: n, how many noisy copies, at least 1.
        noise: their standard deviation, as share of the image's range from minimum to maximum.
        seed: of the noise, which is the same for all images of a batch.
    Returns:
        float [batch, height, width], in units of the target's score; A is of the image itself. It is Grad-CAM++'s
        map with noise=0, and in front of pooling and one linear layer, where gradients do not depend on the image.
    Raises:
        InputError: no copy, or noise below 0.
    Paper:
        Omeiza et al. 2019, arXiv:1908.01224: with D1, D2 and D3 the means over the copies of the first, second and
        third derivatives, alpha = D2 / (2 D2 + sum(A) D3), weights sum(alpha ReLU(D1)), and Grad-CAM's sum.
    Departs:
        D2 and D3 are the means of g² and g³, as in `gradcam++`: without the factor exp(S) of each copy, by which the
        copy with the highest score would speak alone. The numerator of alpha is Grad-CAM++'s second derivative, where
        the paper has the first, which does not have the unit of what it is divided by. Where the denominator is 0,
        alpha is 0. `gradcam++` with smooth= is another map: the mean of the copies' maps.
    """
    if copies < 1:
        raise InputError(f"copies={copies}", "at least one noisy copy", "leave it out for 16")
    if noise < 0:
        raise InputError(f"noise={noise}", "a share of the image's range, from 0", "leave it out for 0.15")
    assert evidence.again is not None
    ops, A, images = evidence.ops, evidence.activations, evidence.images
    span = ops.max(images, (1, 2, 3), keepdims=True) - ops.min(images, (1, 2, 3), keepdims=True)
    random = np.random.default_rng(seed)
    D1, D2, D3 = 0 * A, 0 * A, 0 * A
    chunk = max(1, evidence.room // images.shape[0])
    for start in range(0, copies, chunk):
        drawn = random.standard_normal((min(chunk, copies - start), 1, *images.shape[1:]))
        g: Array = evidence.again(images + noise * span * ops.asarray(drawn, images), "layer").gradients
        D1, D2, D3 = (D + ops.sum(g**power, 0) / copies for power, D in enumerate((D1, D2, D3), 1))
    bottom = 2 * D2 + ops.sum(A, (1, 2), keepdims=True) * D3
    alpha = ops.where(bottom == 0, 0 * bottom, D2 / ops.where(bottom == 0, 1 + bottom, bottom))
    return ops.einsum("nc,nhwc->nhw", ops.sum(alpha * ops.relu(D1), (1, 2)), A)
