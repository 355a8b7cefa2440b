"""Methods that explain by the pixels of the image itself."""

from __future__ import annotations

from seewhy.errors import InputError
from seewhy.evidence import Array, Evidence
from seewhy.methods import method


@method(
    "integrated_gradients",
    family="input",
    paper="Sundararajan et al. 2017, arXiv:1703.01365",
    passes="1 forward and backward a step",
    needs=("again",),
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
