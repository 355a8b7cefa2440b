"""Methods that explain by the pixels of the image itself."""

from __future__ import annotations

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence, Ops
from seewhy.methods import method


@method(
    "integrated_gradients",
    family="input",
    paper="Sundararajan et al. 2017, arXiv:1703.01365",
    passes="1 forward and backward a step",
    needs=("again",),
    of_model="with gradients",
    on_image=True,
)
def integrated_gradients(evidence: Evidence, *, steps: int = 50, baseline: float = 0.0) -> Array:
    """Adds up the gradients on the straight way from a baseline to the image, times the way.

    Args:
        evidence: images [batch, height, width, channels] and new passes over images, with gradients.
        steps: on the way, at least 1.
        baseline: the value of the image x' to start from, in the model's own units.
    Returns:
        float [batch, height, width]: attributions summed over the image's channels; they add up to the difference of
        the target's value between image and baseline, the better the more steps.
    Paper:
        Sundararajan et al. 2017, arXiv:1703.01365, eq. 3.
    """
    if steps < 1:
        raise InputError(f"steps={steps}", "at least one step", "leave it out for 50")
    ops, images = evidence.ops, evidence.images
    assert evidence.again is not None
    way = images - baseline
    total = 0 * images
    chunk = max(1, evidence.room // images.shape[0])
    for start in range(1, steps + 1, chunk):
        shares = [k / steps for k in range(start, min(start + chunk, steps + 1))]
        trials = ops.concatenate([(baseline + share * way)[None] for share in shares], 0)
        total = total + ops.sum(evidence.again(trials, "image").gradients, 0)
    return ops.sum(way * total / steps, -1)


@method(
    "fullgrad",
    family="input",
    paper="Srinivas & Fleuret 2019, arXiv:1905.00780",
    passes="2 forward, 1 backward",
    needs=("biases",),
    of_model="convolutions, batch norms, ReLU or ReLU6, and pooling alone",
    on_image=True,
    signed=False,
)
def fullgrad(evidence: Evidence) -> Array:
    """Adds to the pixels' share of the score the shares of all biases in the network, each where it was added.

    Args:
        evidence: images [batch, height, width, channels], gradients by them, and each layer's biases times gradients.
    Returns:
        float [batch, height, width], never negative and without unit: psi(image * gradient) + the sum of psi(bias *
        gradient) over all channels of all layers. psi takes the absolute value, scales from minimum..maximum to 0..1
        and resizes to the image, bilinear; the image is scaled with all its channels together, and these are added up.
    Raises:
        EvidenceError: image * gradient and bias * gradient do not add up to the target's value: the network has steps
            that are not piecewise linear (GELU, SiLU, layer norm, attention), constants that are neither biases nor of
            a batch norm, or the target is not linear in the scores.
    Paper:
        Srinivas & Fleuret 2019, arXiv:1905.00780: the decomposition f(x) = grad_x f · x + grad_b f · b, complete for
        piecewise-linear networks only, with the implicit biases of a batch norm and of an activation (f(x) - f'(x) x,
        which is 6 where ReLU6 cuts off, as of Hardtanh and clamp); and the FullGrad saliency made of it.
    Departs:
        each channel is scaled by itself, as the paper writes it; its authors' code scales a layer's channels together.
        Biases of linear layers, which have no place in the image, count for the sum and are not drawn.
    """
    assert evidence.biases is not None
    ops, images = evidence.ops, evidence.images
    trial, terms = evidence.biases()
    own: Array = images * trial.gradients[0]  # type: ignore[index]
    found = ops.sum(_raised(ops, own, (1, 2, 3)), -1)
    sums: dict[tuple[int, int], Array] = {}  # by height and width: resizing is linear, so one for all of a size
    for term in terms:
        size = term.shape[1], term.shape[2]
        drawn = ops.sum(_raised(ops, term, (1, 2)), -1)
        sums[size] = sums[size] + drawn if size in sums else drawn
    return found + sum(ops.resize(drawn, (images.shape[1], images.shape[2])) for drawn in sums.values())


def _raised(ops: Ops, terms: Array, axes: tuple[int, ...]) -> Array:
    """float [batch, height, width, channels]: sizes, scaled from minimum..maximum to 0..1; 0 where all are alike."""
    sizes = abs(terms)
    low, high = ops.min(sizes, axes, keepdims=True), ops.max(sizes, axes, keepdims=True)
    even = high <= low
    return ops.where(even, 0 * sizes, (sizes - low) / ops.where(even, 0 * high + 1, high - low))
