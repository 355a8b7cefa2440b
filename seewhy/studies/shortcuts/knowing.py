"""A finding recognised in other pictures: where it is, and how much they show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seewhy.images.reading import read
from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.candidates import telling
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.proving import Candidate
from seewhy.studies.shortcuts.sampling import Reader
from seewhy.studies.shortcuts.things import thing


class Known:
    """What tells a finding's pictures from the rest of their class: Fisher's discriminant of the middle layer.

    Args:
        candidate: the finding.
        reader, looker: as it was found.
    """

    def __init__(self, candidate: Candidate, reader: Reader, looker: Looker) -> None:
        self.index, self.reader, self.looker = candidate.of.index, reader, looker
        values, inside = candidate.of.described.middle.astype(np.float64), candidate.inside
        self.thing = thing(candidate.of.described.attended, inside)
        weights = telling(values, inside)
        along = values @ weights
        one, other = float(along[inside].mean()), float(along[~inside].mean())
        self.weights, self.zero = weights / max(one - other, 1e-12), other / max(one - other, 1e-12)

    def mask(self, picture: Any) -> Masks:
        """bool [height, width] of the image that the model eats."""
        found: Masks = self.thing.masks(self._images([picture]), self.looker)[0]
        return found

    def score(self, pictures: Sequence[Any]) -> Floats:
        """float [n]: about 1 as the finding's pictures, about 0 as the rest of the class."""
        parts = [pictures[start : start + BATCH] for start in range(0, len(pictures), BATCH)]
        return np.concatenate([self.of_images(self._images(part)) for part in parts]) if parts else np.zeros(0)

    def of_images(self, images: Floats) -> Floats:
        """The same of some prepared images, float [n, height, width, channels]."""
        found: Floats = self.looker.looked(images, self.index).middle @ self.weights - self.zero
        return found

    def _images(self, pictures: Sequence[Any]) -> Floats:
        return np.stack([self.reader.prepared(read(each)) for each in pictures])
