"""Shortcuts without a place: tints, lost colours, darkness, blur, compression. How: docs/explanation/shortcuts.md.

Some pictures of a class may be taken for it by how they look as a whole. Then other pictures turn to the class when
they are given the colours, contrast and sharpness of these, and do not when they are given those of the class's other
pictures, or of other pictures of their own class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seewhy.images.reading import read
from seewhy.images.resizing import Floats
from seewhy.results.findings import WHOLE, Finding
from seewhy.results.run import Run
from seewhy.studies.shortcuts import looks, wording
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Receivers
from seewhy.studies.shortcuts.counting import of_class
from seewhy.studies.shortcuts.heat import CELLS, Masks
from seewhy.studies.shortcuts.lending import Lender
from seewhy.studies.shortcuts.looking import BATCH, Looker
from seewhy.studies.shortcuts.sampling import Picture, Reader
from seewhy.studies.shortcuts.scoring import between
from seewhy.studies.shortcuts.showing import Given
from seewhy.studies.shortcuts.statistics import SORTS
from seewhy.studies.shortcuts.trying import (
    WHOLE_LOOK,
    Donation,
    effect,
    explained,
    parted,
    rises,
    shown,
    trial_of,
    with_sorts,
)

PLACELESS = 0.2  # the line: of the receivers turned, over the control
WIDE = 0.4  # the line where nearly all of a class turn others, so that it may be what the class is
_KNOWN = 6  # receivers by which a single picture is judged
_BESIDE = 0.5  # of the strongest class's effect: what another class needs to be told as well
_TELLING = ("all", "colour", "sharpness")  # contrast follows what is to be seen too closely to part pictures by it


@dataclass(frozen=True, eq=False)
class Whole:
    """What was found of shortcuts without a place.

    Args:
        items: findings above the line, and what whole classes share; `merged` gives them their codes.
        given: of each, some images of the test.
        best: the highest gap, of all classes.
        passes: images that the model saw.
        notes: what is above the line and not told, and why.
    """

    items: tuple[Finding, ...]
    given: tuple[list[Given], ...]
    best: float
    passes: int
    notes: tuple[str, ...]


def placeless(
    classes: Mapping[int, Sequence[Picture]],
    counts: Mapping[int, int],
    run: Run,
    reader: Reader,
    looker: Looker,
    others: Receivers,
    placed: Sequence[Finding] = (),
    seed: int = 0,
) -> Whole:
    """Asks of each class whether some of its pictures turn others by their look alone.

    Some 1,050 forward passes a class, whatever the size of the run; up to 6,200 more for a class above the line.

    Args:
        classes: of each class the pictures that were looked at.
        counts: of each class, how many pictures the run has.
        run, reader, looker, others: as the search has them.
        placed: findings with a place; one of these that is raised may explain what is found.
        seed: of what is drawn by chance.
    """
    lender = Lender(reader, looker, others)
    trials = [trial_of(lender, index, pictures, seed) for index, pictures in classes.items()]
    tried = [
        with_sorts(each, lender, ["contrast"]) if each.strength > PLACELESS else each
        for each in trials
        if each is not None
    ]
    best = max((each.size for each in tried), default=0.0)
    items, given, notes, passes = [], [], [], 0
    for trial in sorted(tried, key=lambda each: -each.size):
        raised = trial.strength > PLACELESS or trial.wide > WIDE
        if not raised or trial.size <= _BESIDE * best:
            continue
        code, more = explained(trial, lender, placed, PLACELESS)
        passes += more
        if code is not None:
            notes.append(
                f"{run.name(trial.index)}: pictures given its colours, contrast and sharpness turn to it; {code} "
                "explains it, as hardly any do where that is covered"
            )
            continue
        given.append(shown(trial, lender))
        items.append(_finding(trial, list(classes[trial.index]), counts[trial.index], run, lender))
    return Whole(tuple(items), tuple(given), best, lender.passes + passes, tuple(notes))


def merged(placed: Sequence[Finding], whole: Whole) -> tuple[Finding, ...]:
    """Findings with a place and without, coded anew: raised ones with a place, raised ones without, then the rest."""
    every = sorted([*placed, *whole.items], key=lambda each: not each.raised)
    return tuple(replace(each, code=f"SC{i:02}") for i, each in enumerate(every, 1))


class Shown:
    """How much a picture shows a finding without a place: by how much its look raises the class's margin in receivers.

    Args:
        lender, index: as it was found.
        asked: receivers.
        sort: what these are given of a picture.
        zero, one: the mean rise of the rest of the class, and of the finding's pictures.
    """

    def __init__(self, lender: Lender, index: int, asked: Ints, sort: str, zero: float, one: float) -> None:
        self.lender, self.index, self.asked, self.sort, self.zero, self.one = lender, index, asked, sort, zero, one

    def mask(self, picture: Any) -> Masks:
        """bool [height, width] of the image that the model eats: all of it."""
        image = self.lender.reader.prepared(read(picture))
        return np.ones(image.shape[:2], bool)

    def score(self, pictures: Sequence[Any]) -> Floats:
        """float [n]: about 1 as the finding's pictures, about 0 as the rest of the class."""
        found = []
        for start in range(0, len(pictures), BATCH):
            some = pictures[start : start + BATCH]
            images = np.stack([self.lender.reader.prepared(read(each)) for each in some])
            own = rises(self.lender, self.asked, self.lender.of(images), self.index, self.sort)
            found.append(own.mean(axis=1))
        each_rise = np.concatenate(found) if found else np.zeros(0)
        return np.asarray((each_rise - self.zero) / max(self.one - self.zero, 1e-9))


def _finding(trial: Donation, pictures: Sequence[Picture], count: int, run: Run, lender: Lender) -> Finding:
    """All pictures of the class judged by a few receivers, and the sorts told apart."""
    index, asked = trial.index, trial.asked[:_KNOWN]
    wide = not trial.strength > PLACELESS
    tellings = [WHOLE_LOOK] if wide else _TELLING
    sort = max(tellings, key=lambda each: telling(rises(lender, trial.asked, trial.donors, index, each)))
    kept, donors = lender.of_pictures(pictures)
    rise = rises(lender, asked, donors, index, sort).mean(axis=1)
    upper = np.ones(len(rise), bool) if wide else parted(rise)
    order = np.flatnonzero(upper)[np.argsort(-rise[upper], kind="stable")]
    members = [pictures[kept[i]] for i in order]
    trial = with_sorts(trial, lender, [each for each in SORTS if each not in trial.lent])
    sorts = (WHOLE_LOOK, *(each for each in SORTS if each != WHOLE_LOOK))
    controls = ("own class",) if wide else ("rest", "own class")
    effects = tuple(effect(trial, each, control, lender.others) for each in sorts for control in controls)
    others = lender.statistics[lender.others.of_others(index)] if wide else donors[~upper]
    seen = looks.look(donors[upper], others, sort, lender.colours.coloured)
    zero = float(trial.lent[WHOLE_LOOK][2].gains.mean()) if wide else float(rise[~upper].mean())
    label, gap = run.name(index), trial.wide if wide else trial.strength
    wrong = sum(one.label is not None and one.label != index for one in members)
    names = [run.name(int(k)) for k in np.unique(lender.others.labels) if k != index]
    verdict = wording.clearly(min(each.interval[0] for each in effects if each.region == WHOLE_LOOK), wide)
    return Finding(
        code="",
        verdict=verdict,
        kind=WHOLE,
        label=label,
        index=index,
        ids=tuple(one.id for one in members),
        paths=tuple(one.path for one in members),
        hashes=tuple(one.hash for one in members),
        looked=len(kept),
        pictures=count,
        wrong=wrong,
        s=gap,
        s3=gap,
        line=WIDE if wide else PLACELESS,
        parts={f"gap_{each}": trial.gap(each) for each in SORTS},
        place=f"over the whole picture: {seen.words}",
        maps=np.ones((len(members), 1, 1), np.float32),
        where=np.full((CELLS, CELLS), 1 / CELLS**2, np.float32),
        heat=np.zeros((0, 0), np.float32),
        pixels=np.zeros((0, 0), np.float32),
        effects=effects,
        words=looks.found(label, len(members), len(kept), seen.words, wrong, wide),
        proof=looks.proven(label, effects),
        remedy=f"{wording.remedy(label, names, verdict)}; or {seen.remedy}",
        probe=Shown(lender.only(asked), index, np.arange(len(asked)), sort, zero, float(rise[upper].mean())),
        cells=tuple(of_class(index, [pictures[i].label for i in kept], upper, run)),
        sort=seen.sort,
    )


def telling(gains: Floats) -> float:
    """How clearly gains part donors: how far apart both groups lie, times how well half of the receivers agree.

    Args:
        gains: float [donors, receivers].
    Returns:
        0..1: the share of the variance of the donors' means that lies between the groups, times the correlation of the
        means over every second receiver with those over the others.
    """
    means = gains.mean(axis=1)
    halves = gains[:, ::2].mean(axis=1), gains[:, 1::2].mean(axis=1)
    agree = float(np.corrcoef(*halves)[0, 1]) if min(each.std() for each in halves) > 0 else 0.0
    return between(means[:, None], parted(means)) * max(0.0, agree)
