"""One class's pictures tried as donors of their look: which of them turn pictures of other classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, Finding
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Receivers
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.lending import Lender
from seewhy.studies.shortcuts.sampling import Picture
from seewhy.studies.shortcuts.statistics import Statistics

WHOLE_LOOK = "all"  # the sort that is tried first
_ASKED, _TRIED = 12, 108  # receivers that tell which donors turn, and others that are turned by these
_DONORS = 60  # pictures of the class that are tried as donors
_FEWEST = 24  # receivers
_LEAST = 0.1  # share of the donors that are a group


@dataclass(frozen=True, eq=False)
class Trial:
    """One class's donors, tried on receivers of other classes.

    Args:
        index: the class.
        pictures: donors that were tried.
        donors: their statistics.
        upper: bool [n], those that raise the class's margin most.
        asked: by which receivers that was found.
        tried: the other receivers.
        labels: int, of these.
        own: for each of these, another receiver of its own class.
        drawn: for each of these, the donor from `upper` and the one from the rest.
        turned: by sort: whether each turns, given an upper donor's, another donor's and its own class's statistics.
        gains: the same, by how much the class's margin grows.
    """

    index: int
    pictures: list[Picture]
    donors: Statistics
    upper: Masks
    asked: Ints
    tried: Ints
    labels: Ints
    own: Ints
    drawn: tuple[Ints, Ints]
    turned: Mapping[str, tuple[Floats, Floats, Floats]]
    gains: Mapping[str, tuple[Floats, Floats, Floats]]

    def gap(self, sort: str = WHOLE_LOOK) -> float:
        """The share turned by upper donors, over the larger of both controls: -1..1."""
        upper, rest, own = (float(each.mean()) for each in self.turned[sort])
        return upper - max(rest, own)

    @property
    def strength(self) -> float:
        """The gap, less half of that of contrast alone where this was tried: what is to be seen moves contrast, too."""
        return self.gap() - 0.5 * max(0.0, self.gap("contrast") if "contrast" in self.turned else 0.0)

    @property
    def wide(self) -> float:
        """The share turned even by the other donors, over the control: of a look that the whole class has.

        Where there are several other classes, without the one of which most turn: taking the look away from these alone
        turns them as well.
        """
        _, rest, own = self.turned[WHOLE_LOOK]
        names = np.unique(self.labels)
        kept = [self.labels != name for name in names] if len(names) > 1 else [np.ones(len(rest), bool)]
        return min(float(rest[each].mean() - own[each].mean()) for each in kept)

    @property
    def size(self) -> float:
        """The larger of both."""
        return max(self.strength, self.wide)


def trial_of(lender: Lender, index: int, pictures: Sequence[Picture], seed: int) -> Trial | None:
    """All of one class; None where there are too few receivers or donors."""
    rng = np.random.default_rng([seed, index, 7])
    open_to = rng.permutation(lender.others.of_others(index))[: _ASKED + _TRIED]
    drawn = np.sort(rng.choice(len(pictures), min(_DONORS, len(pictures)), replace=False))
    asked, tried = open_to[:_ASKED], open_to[_ASKED:]
    own = [_of_own(lender.others, place, rng) for place in tried]
    tried = tried[[each is not None for each in own]]
    if len(tried) + len(asked) < _FEWEST:
        return None
    kept, donors = lender.of_pictures([pictures[i] for i in drawn])
    if len(kept) < 2 / _LEAST:
        return None
    upper = parted(rises(lender, asked, donors, index).mean(axis=1))
    trial = Trial(
        index=index,
        pictures=[pictures[drawn[i]] for i in kept],
        donors=donors,
        upper=upper,
        asked=asked,
        tried=tried,
        labels=lender.others.labels[tried].astype(np.int64),
        own=np.array([each for each in own if each is not None]),
        drawn=(rng.choice(np.flatnonzero(upper), len(tried)), rng.choice(np.flatnonzero(~upper), len(tried))),
        turned={},
        gains={},
    )
    return with_sorts(trial, lender, [WHOLE_LOOK])


def rises(lender: Lender, asked: Ints, donors: Statistics, index: int, sort: str = WHOLE_LOOK) -> Floats:
    """float [donors, asked]: by how much each donor's look raises the class's margin in each receiver."""
    count = len(donors.mean)
    pairs = np.repeat(np.arange(count), len(asked))
    gains = lender.lent(np.tile(asked, count), donors[pairs], sort, index)[1]
    return gains.reshape(count, len(asked))


def with_sorts(trial: Trial, lender: Lender, sorts: Sequence[str]) -> Trial:
    """The trial, with these sorts given to its receivers."""
    donors = trial.donors
    turned, gains = dict(trial.turned), dict(trial.gains)
    for sort in sorts:
        lent = [
            lender.lent(trial.tried, other, sort, trial.index)
            for other in (donors[trial.drawn[0]], donors[trial.drawn[1]], lender.statistics[trial.own])
        ]
        turned[sort] = (lent[0][0].astype(float), lent[1][0].astype(float), lent[2][0].astype(float))
        gains[sort] = (lent[0][1], lent[1][1], lent[2][1])
    return replace(trial, turned=turned, gains=gains)


def parted(values: Floats) -> Masks:
    """bool [n]: the upper of two groups of numbers, at least a tenth of them each, that lie furthest apart.

    Source:
        Otsu 1979, 'A threshold selection method from gray-level histograms': the largest variance between both.
    """
    count = len(values)
    order = np.argsort(values, kind="stable")
    least = max(2, int(np.ceil(_LEAST * count)))
    sums = np.cumsum(values[order])
    below = np.arange(least, count - least + 1)  # how many are in the lower group
    gap = (sums[-1] - sums[below - 1]) / (count - below) - sums[below - 1] / below
    upper = np.zeros(count, bool)
    upper[order[below[int((below * (count - below) * gap**2).argmax())] :]] = True
    return upper


def _of_own(others: Receivers, place: Any, rng: np.random.Generator) -> int | None:
    """Another receiver of the same class."""
    same = np.flatnonzero(others.labels == others.labels[place])
    same = same[same != place]
    return int(rng.choice(same)) if len(same) else None


def explained(trial: Trial, lender: Lender, placed: Sequence[Finding], line: float) -> tuple[str | None, int]:
    """The code of the raised finding whose region, covered in all pictures, leaves nothing; and the passes of that."""
    passes = 0
    for each in placed:
        if not each.raised:
            continue
        region = each.region((lender.others.images.shape[1], lender.others.images.shape[2]))
        bare = Lender(lender.reader, lender.looker, lender.others, region)
        kept, donors = bare.of_pictures(trial.pictures)
        places = np.flatnonzero(np.isin(trial.tried, _still_right(bare, trial.tried)))
        again = replace(
            trial,
            donors=donors,
            tried=trial.tried[places],
            labels=trial.labels[places],
            own=trial.own[places],
            drawn=(trial.drawn[0][places], trial.drawn[1][places]),
        )
        enough = len(kept) == len(trial.pictures) and len(places) >= _FEWEST / 2
        left = with_sorts(again, bare, [WHOLE_LOOK]).size if enough else trial.size
        passes += bare.passes
        if left <= min(line, trial.size / 2):
            return each.code, passes
    return None, passes


def _still_right(lender: Lender, places: Ints) -> Ints:
    """Those receivers that are answered rightly with the region covered, too."""
    scores = lender.bare(places)
    return np.asarray(places[scores == lender.others.labels[places]])


def effect(trial: Trial, sort: str, control: str) -> Effect:
    turned, gains = trial.turned[sort], trial.gains[sort]
    place = 1 if control == "rest" else 2
    one, other = turned[0], turned[place]
    interval = intervals.gap(int(one.sum()), len(one), int(other.sum()), len(other))
    return Effect(
        *("look", sort, control, float(one.mean()), float(other.mean()), len(one), len(other), interval),
        *(float(gains[0].mean()), float(gains[place].mean())),
    )
