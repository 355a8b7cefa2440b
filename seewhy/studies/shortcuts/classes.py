"""One class's pictures looked at, in numbers that groups are judged by; and those that regions are pasted into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.describing import grid, in_region, round_peak
from seewhy.studies.shortcuts.heat import CELLS, Masks, regions, shares
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.sampling import Picture, Reader
from seewhy.studies.shortcuts.scoring import Described
from seewhy.targets import Scores, margins


@dataclass(frozen=True, eq=False)
class Receivers:
    """Rightly answered pictures, into which regions are pasted.

    Args:
        pictures: [n].
        images: float [n, height, width, channels].
        labels: int [n].
        scores: float [n, outputs].
        several: as in Scores.
    """

    pictures: list[Picture]
    images: Floats
    labels: Floats
    scores: Floats
    several: bool

    def of_others(self, index: int) -> Any:
        """The places of those with another label."""
        return np.flatnonzero(self.labels != index)

    def some(self, places: Any) -> Receivers:
        """Those at some places."""
        pictures = [self.pictures[i] for i in places]
        return Receivers(pictures, self.images[places], self.labels[places], self.scores[places], self.several)

    def margins(self, index: int) -> Floats:
        return margins(self.scores, index, self.several)

    def chances(self, index: int) -> Floats:
        """[n], the probability of a class."""
        return np.asarray(Scores(self.scores, self.several).probabilities[:, index])


@dataclass(frozen=True, eq=False)
class Class:
    """A class's pictures, those that could be read, and what was found of them.

    Args:
        index: the class.
        pictures: [n].
        described: in numbers.
        heat: [n, h, w] at the early layer's resolution.
        dark: bool [n], where nothing speaks for the class.
        chances: [n], the class's probability.
    """

    index: int
    pictures: list[Picture]
    described: Described
    heat: Floats
    dark: Masks
    chances: Floats


def receivers(pictures: Sequence[Picture], reader: Reader, looker: Looker) -> Receivers:
    """Reads them; those that the model now answers otherwise are left out."""
    kept, images = reader.read(pictures)
    scores = looker.scores(images)
    labels = np.array([pictures[i].label for i in kept])
    right = np.flatnonzero(scores.predicted == labels)
    return Receivers([pictures[i] for i in kept], images, labels, scores.values, scores.several).some(right)


def described(
    index: int,
    pictures: Sequence[Picture],
    reader: Reader,
    looker: Looker,
    done: Callable[[int], None],
) -> Class | None:
    """Looks at a class's pictures, one forward and one backward pass each; None where none can be read.

    Args:
        index: the class.
        pictures: of the run.
        reader, looker: at work.
        done: called with the number of pictures after each batch.
    """
    rows: list[dict[str, Any]] = []
    kept: list[Picture] = []
    for start in range(0, len(pictures), BATCH):
        batch = pictures[start : start + BATCH]
        places, images = reader.read(batch)
        done(len(batch))
        if not places:
            continue
        kept += [batch[i] for i in places]
        looked = looker.looked(images, index)
        rows.append(
            {
                "margins": looked.margins,
                "cells": shares(looked.heat, (CELLS, CELLS)),
                "region": in_region(images, regions(looked.heat, images.shape[1:3])),
                "peak": round_peak(images, looked.heat),
                "attended": looked.attended,
                "plain": looked.plain,
                "middle": looked.middle,
                "grid": grid(images),
                "heat": looked.heat,
                "dark": looked.dark,
                "chances": looked.chances,
            }
        )
    if not rows:
        return None
    whole = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    names = ("margins", "region", "peak", "attended", "plain", "middle", "grid")
    return Class(
        index,
        kept,
        Described(heat=whole["cells"], **{name: whole[name] for name in names}),
        *(whole[name] for name in ("heat", "dark", "chances")),
    )
