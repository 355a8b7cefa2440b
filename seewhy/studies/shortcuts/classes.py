"""One class's pictures looked at, covered and pasted into others: the numbers that groups are judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.covering import covered, pasted
from seewhy.studies.shortcuts.describing import grid, in_region, round_peak
from seewhy.studies.shortcuts.heat import CELLS, Masks, regions, shares
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.sampling import Picture, Reader
from seewhy.studies.shortcuts.scoring import Described
from seewhy.targets import Scores, margins

PASTES = 3  # receivers of each picture's region


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
        covered: [n], the same with the region covered.
    """

    index: int
    pictures: list[Picture]
    described: Described
    heat: Floats
    dark: Masks
    chances: Floats
    covered: Floats


def receivers(pictures: Sequence[Picture], reader: Reader, looker: Looker) -> Receivers:
    """Reads them; those that the model now answers otherwise are left out."""
    kept, images = reader.read(pictures)
    scores = looker.scores(images)
    labels = np.array([pictures[i].label for i in kept])
    right = np.flatnonzero(scores.predicted == labels)
    return Receivers(
        [pictures[kept[i]] for i in right], images[right], labels[right], scores.values[right], scores.several
    )


def described(
    index: int,
    pictures: Sequence[Picture],
    reader: Reader,
    looker: Looker,
    others: Receivers,
    seed: int,
    done: Callable[[int], None],
) -> Class | None:
    """All passes of step 1 to 4 for a class's pictures; None where none can be read.

    Args:
        seed: of the receivers that are drawn.
        done: called with the number of pictures after each batch.
    """
    rng = np.random.default_rng([seed, index, 3])
    open_to = others.of_others(index)
    before = others.margins(index)
    rows: list[dict[str, Any]] = []
    kept: list[Picture] = []
    for start in range(0, len(pictures), BATCH):
        batch = pictures[start : start + BATCH]
        drawn = rng.choice(open_to, (len(batch), PASTES))  # before reading: what vanished must not move the others
        places, images = reader.read(batch)
        done(len(batch))
        if not places:
            continue
        kept += [batch[i] for i in places]
        chosen = drawn[places]
        looked = looker.looked(images, index)
        masks = regions(looked.heat, images.shape[1:3])
        trials = [covered(images, masks)]
        trials += [pasted(images, masks, others.images[chosen[:, j]]) for j in range(PASTES)]
        scores = looker.scores(np.concatenate(trials))
        own = margins(scores.values, index, scores.several).reshape(1 + PASTES, -1)
        turned = (scores.predicted == index).reshape(1 + PASTES, -1)
        rows.append(
            {
                "flips": turned[1:].mean(axis=0),
                "gains": (own[1:] - before[chosen.T]).mean(axis=0),
                "drops": looked.margins - own[0],
                "margins": looked.margins,
                "cells": shares(looked.heat, (CELLS, CELLS)),
                "region": in_region(images, masks),
                "peak": round_peak(images, looked.heat),
                "attended": looked.attended,
                "plain": looked.plain,
                "middle": looked.middle,
                "grid": grid(images),
                "heat": looked.heat,
                "dark": looked.dark,
                "chances": looked.chances,
                "covered": scores.probabilities[: len(images), index],
            }
        )
    if not rows:
        return None
    whole = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    names = ("flips", "gains", "drops", "margins", "region", "peak", "attended", "plain", "middle", "grid")
    return Class(
        index,
        kept,
        Described(heat=whole["cells"], **{name: whole[name] for name in names}),
        *(whole[name] for name in ("heat", "dark", "chances", "covered")),
    )
