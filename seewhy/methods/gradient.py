"""Methods that weigh a layer's activations by gradients: one forward and one backward pass."""

from __future__ import annotations

from seewhy.evidence import Array, Evidence
from seewhy.methods import method


@method(
    "gradcam",
    family="gradient",
    paper="Selvaraju et al. 2017, arXiv:1610.02391",
    passes="1 forward, 1 backward",
    needs=("gradients",),
)
def gradcam(evidence: Evidence) -> Array:
    """Weighs each channel by its mean gradient and adds up.

    Args:
        evidence: activations A and gradients dy/dA, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score.
    Paper:
        Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 (weights) and eq. 2 (map; `explain` applies its ReLU).
    """
    ops = evidence.ops
    weights = ops.mean(evidence.gradients, axis=(1, 2))  # [batch, channels]  eq. 1
    return ops.einsum("nc,nhwc->nhw", weights, evidence.activations)  # [batch, height, width]  eq. 2


@method(
    "hirescam",
    family="gradient",
    paper="Draelos & Carin 2020, arXiv:2011.08891",
    passes="1 forward, 1 backward",
    needs=("gradients",),
)
def hirescam(evidence: Evidence) -> Array:
    """Multiplies activations and gradients place by place and adds up the channels.

    Args:
        evidence: activations A and gradients dy/dA, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score; sums to y less the bias where y is linear in A.
    Paper:
        Draelos & Carin 2020, arXiv:2011.08891, section 3.2 (the HiResCAM equation).
    Departs:
        the paper has no ReLU; `explain` applies one unless signed=True.
    """
    return evidence.ops.einsum("nhwc,nhwc->nhw", evidence.gradients, evidence.activations)
