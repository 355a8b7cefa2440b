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


@method(
    "gradcam++",
    family="gradient",
    paper="Chattopadhay et al. 2018, arXiv:1710.11063",
    passes="1 forward, 1 backward",
    needs=("gradients",),
    signed=False,
)
def gradcam_plus_plus(evidence: Evidence) -> Array:
    """Weighs each channel by its positive gradients, each by how little it would be needed twice.

    Args:
        evidence: activations A and gradients g = dS/dA of the score S, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score.
    Paper:
        Chattopadhay et al. 2018, arXiv:1710.11063, eq. 19 (alpha for Y = exp(S)) and eq. 5 (weights).
    Departs:
        dY/dA = exp(S) g: the positive factor exp(S), the same at all places, is dropped, as it overflows and changes
        no map but in scale. Eq. 19 is divided through by g² (only g > 0 counts), which leaves no 0/0; where its
        denominator is 0, alpha is 0.
    """
    ops, A, g = evidence.ops, evidence.activations, evidence.gradients
    bottom = 2 + ops.sum(A, axis=(1, 2), keepdims=True) * g
    alpha = ops.where(bottom == 0, 0 * bottom, 1 / ops.where(bottom == 0, 1 + bottom, bottom))  # eq. 19
    weights = ops.sum(alpha * ops.relu(g), axis=(1, 2))  # [batch, channels]  eq. 5
    return ops.einsum("nc,nhwc->nhw", weights, A)


@method(
    "xgradcam",
    family="gradient",
    paper="Fu et al. 2020, arXiv:2008.02312",
    passes="1 forward, 1 backward",
    needs=("gradients",),
)
def xgradcam(evidence: Evidence) -> Array:
    """Weighs each channel by its gradients, averaged with the activations as weights.

    Args:
        evidence: activations A and gradients g, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score; its sum is that of HiResCAM's map.
    Paper:
        Fu et al. 2020, arXiv:2008.02312, the closed form of the XGrad-CAM weights: sum(A g) / sum(A).
    Departs:
        a channel whose activations add up to 0 weighs 0; where they have both signs the quotient can be large.
    """
    ops, A = evidence.ops, evidence.activations
    total = ops.sum(A, axis=(1, 2))  # [batch, channels]
    shared = ops.einsum("nhwc,nhwc->nc", A, evidence.gradients)
    weights = ops.where(total == 0, 0 * total, shared / ops.where(total == 0, 1 + total, total))
    return ops.einsum("nc,nhwc->nhw", weights, A)


@method(
    "layercam",
    family="gradient",
    paper="Jiang et al. 2021, IEEE TIP 30:5875",
    passes="1 forward, 1 backward",
    needs=("gradients",),
    signed=False,
)
def layercam(evidence: Evidence) -> Array:
    """Weighs each place of each channel by its positive gradient; meant for shallower layers too.

    Args:
        evidence: activations A and gradients g, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], in units of the target's score.
    Paper:
        Jiang et al. 2021, 'LayerCAM', IEEE Transactions on Image Processing 30: weights ReLU(g), map sum(ReLU(g) A).
    Departs:
        shows one layer, without the paper's scaling of shallow layers by tanh for fusing several.
    """
    ops = evidence.ops
    return ops.einsum("nhwc,nhwc->nhw", ops.relu(evidence.gradients), evidence.activations)


@method(
    "elementwise",
    family="gradient",
    paper="Gildenblat 2021, pytorch-grad-cam; no paper",
    passes="1 forward, 1 backward",
    needs=("gradients",),
    signed=False,
)
def elementwise(evidence: Evidence) -> Array:
    """Multiplies activations and gradients place by place, keeps the positive products and adds up the channels.

    Args:
        evidence: activations A and gradients g, both float [batch, height, width, channels].
    Returns:
        float [batch, height, width], never negative, in units of the target's score: sum(ReLU(g A)).
    Paper:
        none; known as GradCAMElementWise in pytorch-grad-cam (Gildenblat 2021). For A >= 0 it is LayerCAM.
    """
    ops = evidence.ops
    return ops.sum(ops.relu(evidence.gradients * evidence.activations), axis=-1)
