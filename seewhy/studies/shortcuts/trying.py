"""One class's pictures tried as donors of their look: which of them turn pictures of other classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, Finding
from seewhy.results.trials import Trial
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Receivers
from seewhy.studies.shortcuts.heat import Masks
from seewhy.studies.shortcuts.lending import Lender, Lent
from seewhy.studies.shortcuts.sampling import Picture
from seewhy.studies.shortcuts.showing import GIVEN, Given
from seewhy.studies.shortcuts.statistics import Statistics

WHOLE_LOOK = "all"  # the sort that is tried first
_ASKED, _TRIED = 12, 108  # receivers that tell which donors turn, and others that are turned by these
_DONORS = 60  # pictures of the class that are tried as donors
_FEWEST = 24  # receivers
_LEAST = 0.1  # share of the donors that are a group


@dataclass(frozen=True, eq=False)
class Donation:
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
        lent: by sort: what became of them, given an upper donor's, another donor's and their own class's look.
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
    lent: Mapping[str, tuple[Lent, Lent, Lent]]

    def gap(self, sort: str = WHOLE_LOOK) -> float:
        """The share turned by upper donors, over the larger of both controls: -1..1."""
        upper, rest, own = (float(each.turned.mean()) for each in self.lent[sort])
        return upper - max(rest, own)

    @property
    def strength(self) -> float:
        """The gap, less half of that of contrast alone where this was tried: what is to be seen moves contrast, too."""
        return self.gap() - 0.5 * max(0.0, self.gap("contrast") if "contrast" in self.lent else 0.0)

    @property
    def wide(self) -> float:
        """The share turned even by the other donors, over the control: of a look that the whole class has.

        Where there are several other classes, without the one of which most turn: taking the look away from these alone
        turns them as well.
        """
        _, rest, own = (each.turned for each in self.lent[WHOLE_LOOK])
        names = np.unique(self.labels)
        kept = [self.labels != name for name in names] if len(names) > 1 else [np.ones(len(rest), bool)]
        return min(float(rest[each].mean() - own[each].mean()) for each in kept)

    @property
    def size(self) -> float:
        """The larger of both."""
        return max(self.strength, self.wide)


def trial_of(lender: Lender, index: int, pictures: Sequence[Picture], seed: int) -> Donation | None:
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
    trial = Donation(
        index=index,
        pictures=[pictures[drawn[i]] for i in kept],
        donors=donors,
        upper=upper,
        asked=asked,
        tried=tried,
        labels=lender.others.labels[tried].astype(np.int64),
        own=np.array([each for each in own if each is not None]),
        drawn=(rng.choice(np.flatnonzero(upper), len(tried)), rng.choice(np.flatnonzero(~upper), len(tried))),
        lent={},
    )
    return with_sorts(trial, lender, [WHOLE_LOOK])


def rises(lender: Lender, asked: Ints, donors: Statistics, index: int, sort: str = WHOLE_LOOK) -> Floats:
    """float [donors, asked]: by how much each donor's look raises the class's margin in each receiver."""
    count = len(donors.mean)
    pairs = np.repeat(np.arange(count), len(asked))
    gains = lender.lent(np.tile(asked, count), donors[pairs], sort, index).gains
    return gains.reshape(count, len(asked))


def with_sorts(trial: Donation, lender: Lender, sorts: Sequence[str]) -> Donation:
    """The trial, with these sorts given to its receivers."""
    donors, found = trial.donors, dict(trial.lent)
    for sort in sorts:
        found[sort] = (
            lender.lent(trial.tried, donors[trial.drawn[0]], sort, trial.index),
            lender.lent(trial.tried, donors[trial.drawn[1]], sort, trial.index),
            lender.lent(trial.tried, lender.statistics[trial.own], sort, trial.index),
        )
    return replace(trial, lent=found)


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


def explained(trial: Donation, lender: Lender, placed: Sequence[Finding], line: float) -> tuple[str | None, int]:
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


def effect(trial: Donation, sort: str, control: str, others: Receivers) -> Effect:
    """Of giving receivers the look of upper donors, beside that of the rest or of the receivers' own class."""
    rest = control == "rest"
    one, other = trial.lent[sort][0], trial.lent[sort][1 if rest else 2]
    sources = [trial.pictures[i].id for i in trial.drawn[0]]
    controls = [trial.pictures[i].id for i in trial.drawn[1]] if rest else [others.pictures[i].id for i in trial.own]
    count, interval = len(trial.tried), intervals.gap(*_counts(one), *_counts(other))
    return Effect(
        *("look", sort, control, float(one.turned.mean()), float(other.turned.mean()), count, count, interval),
        *(float(one.gains.mean()), float(other.gains.mean())),
        trials=tuple(_trials(trial, one, sources, others)),
        control_trials=tuple(_trials(trial, other, controls, others)),
    )


def shown(trial: Donation, lender: Lender) -> list[Given]:
    """Some receivers before and after, and whose look they were given."""
    places, donors = trial.tried[:GIVEN], trial.drawn[0][:GIVEN]
    kept, images = lender.reader.read([trial.pictures[i] for i in donors])
    after = lender.changed(places, trial.donors[donors], WHOLE_LOOK)
    one = trial.lent[WHOLE_LOOK][0]
    trials = _trials(trial, one, [trial.pictures[i].id for i in trial.drawn[0]], lender.others)
    return [
        Given("look", WHOLE_LOOK, trials[i], (lender.others.images[places[i]], after[i], image))
        for i, image in zip(kept, images, strict=True)
    ]


def _counts(lent: Lent) -> tuple[int, int]:
    return int(lent.turned.sum()), len(lent.turned)


def _trials(trial: Donation, lent: Lent, sources: Sequence[int], others: Receivers) -> list[Trial]:
    before = others.chances(trial.index)[trial.tried]
    ids = [others.pictures[i].id for i in trial.tried]
    rows = zip(ids, sources, before.tolist(), lent.chances.tolist(), lent.answers.tolist(), strict=True)
    return [Trial(*row) for row in rows]
