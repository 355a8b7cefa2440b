"""Methods that change what a ReLU hands back: sharp maps of pixels that hardly depend on the class."""

from __future__ import annotations

from seewhy.evidence import Array, Evidence
from seewhy.methods import method
from seewhy.methods.gradient import gradcam


@method(
    "guided_backprop",
    family="input",
    paper="Springenberg et al. 2014, arXiv:1412.6806",
    passes="2 forward, 1 backward",
    needs=("again",),
    of_model="with gradients, a ReLU in the model",
    on_image=True,
    signed=False,
)
def guided_backprop(evidence: Evidence) -> Array:
    """The gradient by the pixels, where each ReLU hands back only what is positive; hardly depends on the class.

    Args:
        evidence: images [batch, height, width, channels] and new passes over images, under the guided rule.
    Returns:
        float [batch, height, width], never negative, in units of the target's score by unit of the image: the largest
        size of the guided gradient among the image's channels.
    Raises:
        EvidenceError: no ReLU runs in the model.
    Paper:
        Springenberg et al. 2014, arXiv:1412.6806, section 3.4: R_l = (f_l > 0) (R_{l+1} > 0) R_{l+1}.
    Departs:
        the paper draws the gradient in colour; one map is made of it by the largest absolute value among the channels,
        as for plain gradients in Simonyan et al. 2013, arXiv:1312.6034, section 3.1.
    Limits:
        Adebayo et al. 2018, arXiv:1810.03292: the map hardly changes when the class is another or the weights are drawn
        anew. It shows edges that the network sees, not why it answers as it does. ReLU and ReLU6 are changed; one that
        is written as a clamp or a maximum is not known as such, and on Keras only those of Keras itself are.
    """
    assert evidence.again is not None
    gradients: Array = evidence.again(evidence.images[None], "guided").gradients
    return evidence.ops.max(abs(gradients[0]), -1)


@method(
    "guided_gradcam",
    family="gradient",
    paper="Selvaraju et al. 2017, arXiv:1610.02391",
    passes="2 forward, 2 backward",
    needs=("gradients", "again"),
    of_model="a ReLU in the model",
    pixelwise=True,
    signed=False,
)
def guided_gradcam(evidence: Evidence) -> Array:
    """Guided backpropagation seen through Grad-CAM: Grad-CAM says where, the edges there hardly depend on the class.

    Args:
        evidence: activations and gradients of the layer, and new passes over images, under the guided rule.
    Returns:
        float [batch, height, width] of the image, never negative: up(ReLU(Grad-CAM)) times guided backpropagation.
        `up` is bilinear.
    Raises:
        EvidenceError: no ReLU runs in the model.
    Paper:
        Selvaraju et al. 2017, arXiv:1610.02391, section 3.2: the element-wise product.
    Departs:
        the product of each of the image's channels is drawn in colour there; here it is the largest size among them.
    Limits:
        those of `guided_backprop` inside Grad-CAM's region (Adebayo et al. 2018, arXiv:1810.03292): that the edges are
        sharp says nothing of whether the model used them. `layerguided` asks the same of the layers between.
    """
    ops, shape = evidence.ops, evidence.images.shape
    where = ops.resize(ops.relu(gradcam(evidence)), (shape[1], shape[2]))
    return where * guided_backprop(evidence)
