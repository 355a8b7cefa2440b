"""Methods that see several layers at once: what one backward pass leaves at all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from seewhy.evidence import Array, Evidence, Layer, Ops
from seewhy.methods import method
from seewhy.methods.gradient import elementwise, gradcam, hirescam

_FINISHING = re.compile("norm|elu|silu|swish|tanh|sigmoid|activation", re.IGNORECASE)  # kinds of layers
_ROUNDING = 1e-4  # of the sum of sizes: what is left of a sum below that says nothing in float32


def _parent(layer: Layer) -> str:
    """The name of the part that the layer is in, of PyTorch ('a.b') or Keras ('a/b')."""
    return layer.name[: max(layer.name.rfind("."), layer.name.rfind("/"), 0)]


def guides(layers: Sequence[Layer]) -> list[str]:
    """Names of the blocks; of convolution, norm and activation in a row, which are no module of their own, the last."""
    blocks = [layer for layer in layers if layer.block]
    inner = {_parent(layer) for layer in layers if layer.parameters}  # not of a convolution with its padding inside

    def one_step(one: Layer, following: Layer) -> bool:
        apart = one.name in inner or following.name in inner  # a module with parts is a step by itself
        beside = _parent(one) == _parent(following)
        finishes = _FINISHING.search(following.kind) is not None
        return not apart and beside and finishes and one.shape == following.shape

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
    signed=False,
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
    sums: dict[tuple[int, int], Array] = {}  # by height and width: `up` is linear, so one for all blocks of a size
    for block in blocks:
        found = _scaled(ops, _competing(block) if compete else elementwise(block))
        size = found.shape[1], found.shape[2]
        sums[size] = sums[size] + found if size in sums else found
    shape = chosen.images.shape[1], chosen.images.shape[2]
    guide = sum(ops.resize(found, shape) for found in sums.values())  # the mean but for a factor, which goes below
    where = ops.resize(ops.relu(gradcam(chosen)), shape)
    return _scaled(ops, where) * _scaled(ops, guide)


def _competing(block: Evidence) -> Array:
    """float [batch, height, width]: HiResCAM after ReLU, all zero where the channels cancel down to rounding."""
    ops = block.ops
    found = ops.relu(hirescam(block))
    least = _ROUNDING * ops.max(ops.sum(abs(block.gradients * block.activations), -1), (1, 2), keepdims=True)
    return ops.where(ops.max(found, (1, 2), keepdims=True) <= least, 0 * found, found)


def _scaled(ops: Ops, maps: Array) -> Array:
    """float [batch, height, width], divided by the maximum of each picture; zero where all is zero."""
    most = ops.max(maps, (1, 2), keepdims=True)
    return maps / ops.where(most == 0, 1 + most, most)
