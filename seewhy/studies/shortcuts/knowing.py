"""A finding recognised in other pictures: where it is, and how much they show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seewhy.images.reading import read
from seewhy.images.resizing import Floats
from seewhy.results.findings import FalsePositives, Finding
from seewhy.studies.shortcuts.candidates import telling
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.proving import Candidate
from seewhy.studies.shortcuts.sampling import Picture, Reader
from seewhy.studies.shortcuts.things import Thing, thing

SHOWS = 0.5  # the score from which on a picture shows a finding: half way between the rest and the finding's own


@dataclass(frozen=True, eq=False)
class Known:
    """What tells a finding's pictures from the rest of their class: a direction of the middle layer.

    Args:
        index: the class.
        direction, offset: float64 [channels], and its value for the rest of the class; 1 more for the finding's.
        thing: what sets the finding's pictures apart, found again in each.
        reader, looker: as it was found.
    """

    index: int
    direction: Floats
    offset: float
    thing: Thing
    reader: Reader
    looker: Looker

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
        return self.of(self.looker.looked(images, self.index).middle)

    def of_pictures(self, pictures: Sequence[Picture]) -> Floats:
        """float [read]: the same of a run's pictures, those that can be read again."""
        found = []
        for start in range(0, len(pictures), BATCH):
            _, images = self.reader.read(pictures[start : start + BATCH])
            if len(images):
                found.append(self.of_images(images))
        return np.concatenate(found) if found else np.zeros(0)

    def of(self, middle: Floats) -> Floats:
        """The same of what the middle layer holds [n, channels] under the heat."""
        return np.asarray(middle.astype(np.float64) @ self.direction - self.offset)

    def _images(self, pictures: Sequence[Any]) -> Floats:
        return np.stack([self.reader.prepared(read(each)) for each in pictures])


def learned(candidate: Candidate, reader: Reader, looker: Looker) -> Known:
    """The direction that tells the finding's pictures from the rest, scaled so that their means score 1 and 0."""
    values, inside = candidate.of.described.middle.astype(np.float64), candidate.inside
    weights = telling(values, inside)
    along = values @ weights
    one, other = float(along[inside].mean()), float(along[~inside].mean())
    apart = max(one - other, 1e-12)
    own = thing(candidate.of.described.attended, inside)
    return Known(candidate.of.index, weights / apart, other / apart, own, reader, looker)


def shared(candidate: Candidate, known: Known) -> FalsePositives | None:
    """How many wrong and right answers of the class show the finding: as its own, or by their score.

    None where the pictures have no labels.
    """
    of = candidate.of
    labels = np.array([-1 if one.label is None else one.label for one in of.pictures])
    shows = candidate.inside | (known.of(of.described.middle) >= SHOWS)
    wrong, right = (labels >= 0) & (labels != of.index), labels == of.index
    if not (wrong | right).any():
        return None
    ids = tuple(sorted(of.pictures[i].id for i in np.flatnonzero(wrong & shows)))
    return FalsePositives(int(wrong.sum()), len(ids), ids, int(right.sum()), int((right & shows).sum()))


def told(finding: Finding, candidate: Candidate, probe: Known) -> Finding:
    """The finding with what recognises it, and with what that tells of the class's wrong answers."""
    wrong = shared(candidate, probe)
    return replace(
        finding,
        probe=probe,
        direction=probe.direction,
        offset=probe.offset,
        thing=probe.thing.weights,
        thing_offset=probe.thing.offset,
        false_positives=wrong,
    )


def known_of(finding: Finding, reader: Reader, looker: Looker) -> Known:
    """What recognises a finding, made again of what is kept of it."""
    own = Thing(finding.thing, finding.thing_offset)
    return Known(finding.index, finding.direction, finding.offset, own, reader, looker)
