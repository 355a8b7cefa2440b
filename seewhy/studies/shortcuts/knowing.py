"""A finding recognised in other pictures: where it is, and how much they show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seewhy.images.reading import read
from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.candidates import DIMENSIONS
from seewhy.studies.shortcuts.heat import Masks, regions
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.proving import Candidate
from seewhy.studies.shortcuts.sampling import Reader

_SHRUNK = 0.1  # of the pooled covariance, towards its mean variance


class Known:
    """What tells a finding's pictures from the rest of their class: Fisher's discriminant of the middle layer.

    Args:
        candidate: the finding.
        reader, looker: as it was found.
    """

    def __init__(self, candidate: Candidate, reader: Reader, looker: Looker) -> None:
        self.index, self.reader, self.looker = candidate.of.index, reader, looker
        values, inside = candidate.of.described.middle.astype(np.float64), candidate.inside
        self.mean, self.spread = values.mean(axis=0), values.std(axis=0)
        self.spread[self.spread < 1e-9] = np.inf
        scaled = (values - self.mean) / self.spread
        self.axes = np.linalg.svd(scaled, full_matrices=False)[2][:DIMENSIONS]
        points = scaled @ self.axes.T
        one, other = points[inside].mean(axis=0), points[~inside].mean(axis=0)
        within = points - np.where(inside[:, None], one, other)
        spread = within.T @ within / len(within)
        ridge = _SHRUNK * np.trace(spread) / len(spread) * np.eye(len(spread))
        weights = np.linalg.solve(spread + ridge, one - other)
        self.weights = weights / max(float((one - other) @ weights), 1e-12)
        self.zero = float(other @ self.weights)

    def mask(self, picture: Any) -> Masks:
        """bool [height, width] of the image that the model eats."""
        image = self._images([picture])
        found: Masks = regions(self.looker.looked(image, self.index).heat, image.shape[1:3])[0]
        return found

    def score(self, pictures: Sequence[Any]) -> Floats:
        """float [n]: about 1 as the finding's pictures, about 0 as the rest of the class."""
        parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        return np.concatenate([self.of_images(self._images(part)) for part in parts]) if parts else np.zeros(0)

    def of_images(self, images: Floats) -> Floats:
        """The same of some prepared images, float [n, height, width, channels]."""
        middle = self.looker.looked(images, self.index).middle
        found: Floats = (middle - self.mean) / self.spread @ self.axes.T @ self.weights - self.zero
        return found

    def _images(self, pictures: Sequence[Any]) -> Floats:
        return np.stack([self.reader.prepared(read(each)) for each in pictures])
