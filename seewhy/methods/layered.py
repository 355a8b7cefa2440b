"""Methods that see several layers at once: what one backward pass leaves at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from seewhy.evidence import Array, Evidence, Layer
from seewhy.methods import method
from seewhy.methods.gradient import gradcam

_ROUNDING = 1e-4  # of the sum of sizes: what is left of a sum below that says nothing in float32


def guides(layers: Sequence[Layer]) -> list[str]:
    """Names of the blocks; of convolution, norm and activation in a row, which are no module of their own, the last."""
    blocks = [layer for layer in layers if layer.block]
    inner = {layer.name.rpartition(".")[0] for layer in layers}

    def one_step(one: Layer, following: Layer) -> bool:
        apart = one.name in inner or following.name in inner  # a module with parts is a step by itself
        beside = one.name.rpartition(".")[0] == following.name.rpartition(".")[0]
        return not apart and beside and one.shape == following.shape

    return [one.name for one, following in pairwise(blocks) if not one_step(one, following)] + [
        layer.name for layer in blocks[-1:]
    ]


@method(
    "layerguided",
    family="gradient",
    paper="seewhy 2026, after arXiv:1610.02391; no paper",
    passes="1 forward, 1 backward through all blocks",
    needs=("gradients",),
    beside=guides,
)
def layerguided(layers: Sequence[Evidence], *, compete: bool = False) -> Array:
    """Layer-guided Grad-CAM: Grad-CAM of one layer, sharpened by where all blocks of the network found evidence.

    Args:
        layers: Evidence of the layer chosen, then of all blocks in order of execution; activations a and gradients g.
        compete: for several classes in one picture: channels may cancel before the ReLU of the guide (HiResCAM of
            each block), which tells classes apart better and draws more bluntly.
    Returns:
        float [batch, height, width] of the image, 0 to 1 and without unit, never negative: G * A, where
        G = up(ReLU(Grad-CAM)) and A = mean over blocks of up(q / max q) with q = sum over channels of ReLU(g a), each
        divided by its maximum. `up` is bilinear.
    Paper:
        none: a heuristic product without completeness or an axiomatic base, in the manner of Guided Grad-CAM
        (Selvaraju et al. 2017, arXiv:1610.02391, section 3.2) with a guide like LayerCAM's. A block whose channels
        cancel down to rounding (before a layer norm they always do) is left out of the guide with compete=True.
    Limits:
        relative: a class that is absent gets a bright map too. What Grad-CAM misses, this misses. The guide alone is
        nearly blind to the class and to a randomised classifier, and is not offered.
    """
    chosen, *blocks = layers
    ops = chosen.ops
    shape = chosen.images.shape[1], chosen.images.shape[2]
    total = 0.0
    for block in blocks:
        products = block.gradients * block.activations
        found = ops.relu(ops.sum(products, -1)) if compete else ops.sum(ops.relu(products), -1)
        least = _ROUNDING * ops.max(ops.sum(abs(products), -1), (1, 2), keepdims=True)
        found = ops.where(ops.max(found, (1, 2), keepdims=True) <= least, 0 * found, found)
        total = total + ops.resize(_scaled(chosen, found), shape)  # the mean but for a factor, which goes below
    where = ops.resize(ops.relu(gradcam(chosen)), shape)
    return _scaled(chosen, where) * _scaled(chosen, total)


def _scaled(evidence: Evidence, maps: Array) -> Array:
    """float [batch, height, width], divided by the maximum of each picture; zero where all is zero."""
    ops = evidence.ops
    most = ops.max(maps, (1, 2), keepdims=True)
    return maps / ops.where(most == 0, 1 + most, most)
