"""Methods that need neither gradients nor trials: the activations, and at most the head's weights."""

from __future__ import annotations

from seewhy.errors import EvidenceError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method


@method(
    "cam",
    family="activation",
    paper="Zhou et al. 2016, arXiv:1512.04150",
    passes="1 forward",
    needs=("head",),
)
def cam(evidence: Evidence) -> Array:
    """Weighs each channel by the linear head's weight for the target; for networks that end in pooling and linear.

    Args:
        evidence: activations float [batch, height, width, channels]; the head's weights and the target's direction.
    Returns:
        float [batch, height, width], in units of the target's score; its mean is the score less the bias.
    Raises:
        EvidenceError: there is no global average pooling and linear layer right behind this layer.
    Paper:
        Zhou et al. 2016, arXiv:1512.04150, eq. 2.
    Departs:
        the paper has no ReLU; `explain` applies one unless signed=True.
    """
    if evidence.head is None:
        raise EvidenceError(
            "CAM of a layer without a linear head",
            "a layer that goes through global average pooling into one linear layer that gives the scores",
            'take method="gradcam" or "hirescam", which equal CAM there and work elsewhere; of a model that ends in '
            "pooling and one linear layer the last layer will do",
        )
    ops = evidence.ops
    weights = ops.einsum("no,oc->nc", evidence.directions, evidence.head.weights)  # w^c_k
    return ops.einsum("nc,nhwc->nhw", weights, evidence.activations)  # eq. 2
