"""What sets a group of pictures apart from the rest of its class, found again in each picture.

The direction in an early layer's channels that tells the group from the rest, asked of every cell: where the answer is
high, there is the thing. That is sharper than heat, which holds all that the model looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.candidates import Flags, telling
from seewhy.studies.shortcuts.describing import in_region
from seewhy.studies.shortcuts.heat import Masks, regions
from seewhy.studies.shortcuts.looking import Looker

_LEVEL, _MOST = 0.5, 0.12  # of the highest cell, and of the picture
_BLUR = 0.5  # cells


@dataclass(frozen=True, eq=False)
class Thing:
    """What sets a group apart, as a direction in the early layer's channels.

    Args:
        weights: [channels].
        offset: what the class's pictures have of it on average.
    """

    weights: Floats
    offset: float

    def masks(self, images: Floats, looker: Looker) -> Masks:
        """Where it is in images [n, height, width, channels]: bool [n, height, width]; nowhere where there is none."""
        maps = looker.shown(images, self.weights, self.offset)
        smooth = np.stack([gaussian_filter(each, _BLUR, mode="nearest") for each in maps])
        return regions(smooth, images.shape[1:3], _LEVEL, _MOST)


def thing(attended: Floats, inside: Flags) -> Thing:
    """What the attended channels [n, channels] of a group have that those of the rest have not."""
    weights = telling(attended, inside)
    return Thing(weights, float(attended.mean(axis=0, dtype=np.float64) @ weights))


def alike(
    images: Floats, masks: Masks, rest: Floats, rest_masks: Masks, rng: np.random.Generator
) -> tuple[float, float]:
    """How much more alike the masked parts of a group are than those of the rest, and than other parts of the group.

    Args:
        images, masks: of the group.
        rest, rest_masks: of the rest of its class.
        rng: draws the other parts, of the same shape.
    Returns:
        1 less the ratio of the variances of their colours, each: 1 where they are all the same, 0 or less where they
        vary as much as the others.
    """
    shifts = rng.integers(0, masks.shape[1:], (len(masks), 2))
    moved = np.stack([np.roll(one, (int(a), int(b)), (0, 1)) for one, (a, b) in zip(masks, shifts, strict=True)])
    own, others, elsewhere = in_region(images, masks), in_region(rest, rest_masks), in_region(images, moved)
    variance = float(own.var(axis=0).sum())
    by_rest, by_place = (1 - variance / max(float(each.var(axis=0).sum()), 1e-12) for each in (others, elsewhere))
    return by_rest, by_place
