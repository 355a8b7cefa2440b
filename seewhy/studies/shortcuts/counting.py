"""Which labels and answers show what a finding is about: the cells that are full, and those that are empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from seewhy.results.run import Run
from seewhy.results.trials import Cell
from seewhy.studies.shortcuts.classes import Receivers
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.knowing import SHOWS, Known
from seewhy.studies.shortcuts.looking import BATCH
from seewhy.studies.shortcuts.proving import Candidate

_TRIED = 128  # pictures of other classes


def cells(candidate: Candidate, probe: Known, others: Receivers, run: Run, scored: bool) -> tuple[Cell, ...]:
    """Of the finding's class by belonging to the finding; of other classes' right answers by the finding's score.

    Args:
        candidate, probe: the finding.
        others: rightly answered pictures, in random order of no meaning.
        run: for names.
        scored: False: of the finding's class alone, which takes no pass.
    """
    index = candidate.of.index
    found = of_class(index, [one.label for one in candidate.of.pictures], candidate.inside, run)
    if not scored:
        return tuple(found)
    places = others.of_others(index)
    if len(places) > _TRIED:  # as they lie, evenly: classes lie one after the other
        places = places[np.linspace(0, len(places) - 1, _TRIED).round().astype(int)]
    parts = [places[start : start + BATCH] for start in range(0, len(places), BATCH)]
    shows = np.concatenate([probe.of_images(others.images[part]) for part in parts]) >= SHOWS
    for other in np.unique(others.labels[places]).tolist():
        own = shows[others.labels[places] == other]
        found.append(Cell(run.name(other), run.name(other), int(own.sum()), int((~own).sum()), True))
    return tuple(found)


def of_class(index: int, labels: Sequence[int | None], inside: Masks, run: Run) -> list[Cell]:
    """Of pictures called the class: how many with each label belong to the finding, and how many do not."""
    said = run.name(index)
    return [
        Cell(None if label is None else run.name(label), said, shows, Counter(labels)[label] - shows, False)
        for label in sorted(set(labels), key=lambda each: (each is None, each != index, each or 0))
        for shows in [sum(bool(own) and each == label for own, each in zip(inside, labels, strict=True))]
    ]
