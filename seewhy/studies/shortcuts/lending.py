"""Pictures that are given the colours, contrast and sharpness of others, and what the model makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Receivers
from seewhy.studies.shortcuts.colours import colours
from seewhy.studies.shortcuts.covering import covered
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.sampling import Picture, Reader
from seewhy.studies.shortcuts.statistics import Statistics, given, planes, statistics, waves
from seewhy.targets import margins

_BATCH = 64


@dataclass(frozen=True, eq=False)
class Lent:
    """What became of n receivers.

    Args:
        turned: bool [n], whether each turns to the class asked about.
        gains: [n], by how much the class's margin grows.
        chances: [n], the class's probability.
        answers: int [n], what is predicted.
    """

    turned: Masks
    gains: Floats
    chances: Floats
    answers: Ints


class Lender:
    """Gives receivers the statistics of other pictures.

    Args:
        reader, looker: as the search has them.
        others: the receivers.
        region: bool [height, width], what is covered beforehand in receivers and donors alike; None: nothing.
    """

    def __init__(self, reader: Reader, looker: Looker, others: Receivers, region: Masks | None = None) -> None:
        self.reader, self.looker, self.others, self.region = reader, looker, others, region
        self.colours = colours(reader.prepared, others.images[:_BATCH])
        self.statistics = joined([self.of(others.images[i : i + _BATCH]) for i in _starts(len(others.images))])
        self.passes = 0  # images that the model has seen

    def only(self, places: Ints) -> Lender:
        """With these receivers alone, in that order, so that what lives on after a search holds no others."""
        small = copy(self)
        small.others, small.statistics = self.others.some(places), self.statistics[places]
        return small

    def of(self, images: Floats) -> Statistics:
        """Of images [n, height, width, channels]."""
        return statistics(waves(self.colours.planes(self._covered(images))))

    def of_pictures(self, pictures: Sequence[Picture]) -> tuple[list[int], Statistics]:
        """Of those pictures of the run that can be read, and which these are."""
        kept: list[int] = []
        found = []
        for start in _starts(len(pictures)):
            places, images = self.reader.read(pictures[start : start + _BATCH])
            kept += [start + i for i in places]
            found.append(self.of(images))
        return kept, joined(found)

    def lent(self, places: Ints, other: Statistics, sort: str, index: int) -> Lent:
        """What becomes of receivers.

        Args:
            places: [n], which receivers; one may come several times.
            other: of n pictures, one for each.
            sort: one of `SORTS`.
            index: the class asked about.
        """
        parts = []
        for start in _starts(len(places)):
            own = places[start : start + _BATCH]
            parts.append(self.looker.scores(self.changed(own, other[np.arange(start, start + len(own))], sort)))
            self.passes += len(own)
        answers = np.concatenate([each.predicted for each in parts])
        now = np.concatenate([margins(each.values, index, each.several) for each in parts])
        chances = np.concatenate([each.probabilities[:, index] for each in parts])
        return Lent(answers == index, now - self.others.margins(index)[places], chances, answers)

    def changed(self, places: Ints, other: Statistics, sort: str) -> Floats:
        """float [n, height, width, channels]: receivers with the look of others."""
        images = self._covered(self.others.images[places])
        seen = waves(self.colours.planes(images))
        return self.colours.images(
            planes(given(seen, self.statistics[places], other, sort), (images.shape[1], images.shape[2]))
        )

    def bare(self, places: Ints) -> Ints:
        """int [n]: what receivers are predicted as, changed in nothing but what is covered."""
        found = [
            self.looker.scores(self._covered(self.others.images[places[i : i + _BATCH]])).predicted
            for i in _starts(len(places))
        ]
        self.passes += len(places)
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    def _covered(self, images: Floats) -> Floats:
        if self.region is None:
            return images
        return covered(images, np.broadcast_to(self.region, images.shape[:3]))


def joined(parts: Sequence[Statistics]) -> Statistics:
    return Statistics(
        *(np.concatenate([getattr(each, name) for each in parts]) for name in ("mean", "spread", "overall"))
    )


def _starts(count: int) -> range:
    return range(0, count, _BATCH)
