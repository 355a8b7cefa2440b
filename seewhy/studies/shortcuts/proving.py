"""The proof of a candidate: its regions covered and pasted, beside the same done with the rest of the class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, above
from seewhy.results.trials import Trial
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Class, Receivers
from seewhy.studies.shortcuts.covering import covered, elsewhere, pasted
from seewhy.studies.shortcuts.heat import Masks, of_node, regions
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.sampling import Reader
from seewhy.studies.shortcuts.scoring import Marks, cells_explained
from seewhy.studies.shortcuts.showing import GIVEN, Given
from seewhy.targets import Scores, margins

TRIED = 64  # pictures of each test
_TELLS = 0.15  # from which gap on a fixed place counts in full
COMPLEMENT = -0.1  # below: the rest of the class holds what is searched, not the group


@dataclass(frozen=True, eq=False)
class Candidate:
    """A group of one class's pictures.

    Args:
        of: the class.
        group: the places of its pictures.
        marks: the parts of its score.
    """

    of: Class
    group: Ints
    marks: Marks

    @property
    def inside(self) -> Masks:
        found = np.zeros(len(self.of.pictures), bool)
        found[self.group] = True
        return found


@dataclass(frozen=True, eq=False)
class Proof:
    """What the tests of a candidate gave.

    Args:
        candidate: which.
        heat: [12, 12], where it has more heat than the rest of the class.
        pixels: [16, 16], V.
        effects: all that was tried.
        parts: f0, covB, vmax and the gaps, by name.
        s2: the score with the proof, as first measured.
        s3: the same with controlled effects alone; it orders the findings.
        given: some images of the tests.
    """

    candidate: Candidate
    heat: Floats
    pixels: Floats
    effects: tuple[Effect, ...]
    parts: dict[str, float]
    s2: float
    s3: float
    given: tuple[Given, ...]

    @property
    def complement(self) -> bool:
        """The group is what is left of the class without the pictures that show the shortcut."""
        return self.parts["gap_pixels"] < COMPLEMENT


def proof(candidate: Candidate, reader: Reader, looker: Looker, others: Receivers, seed: int) -> Proof:
    """Covers and pastes three kinds of regions, in the group and as control in the rest of its class.

    s2 = s + clip(covB, 0, 2) - 2 f0 + 5 sqrt(vmax). In s3 the share of pastes that turn to the class, which a class to
    which nearly everything turns has as well, gives way to that share less its control.
    """
    of, inside = candidate.of, candidate.inside
    rng = np.random.default_rng([seed, of.index, len(candidate.group), int(candidate.group[0])])
    mean = of.described.heat
    heat = of_node(mean[inside].mean(axis=0), mean[~inside].mean(axis=0))
    pixels = cells_explained(of.described.grid, inside)
    tests = _Tests(candidate, reader, looker, others, rng, seed)
    side = others.images.shape[1:3]
    a, b = above(heat, side, 0.3), above(pixels, side, 0.5)
    effects = (
        tests.paste("heat", lambda heats: np.broadcast_to(a, (len(heats), *side))),
        tests.paste("pixels", lambda heats: np.broadcast_to(b, (len(heats), *side))),
        tests.paste("own", lambda heats: regions(heats, side)),
        tests.cover("heat", lambda heats: np.broadcast_to(a, (len(heats), *side))),
        tests.cover("pixels", lambda heats: np.broadcast_to(b, (len(heats), *side))),
        tests.elsewhere(lambda heats: regions(heats, side)),
    )
    spread = float(of.described.margins.std())
    fall = effects[4].margin - effects[4].control_margin
    parts = {
        **{"f0": effects[0].control_effect, "vmax": float(pixels.max())},
        **{"covB": fall / spread if spread > 0 else 0.0},
        **{"gap_heat": effects[0].difference, "gap_pixels": effects[1].difference, "gap_own": effects[2].difference},
    }
    s2 = candidate.marks.score + float(np.clip(parts["covB"], 0, 2)) - 2 * parts["f0"] + 5 * parts["vmax"] ** 0.5
    return Proof(candidate, heat, pixels, effects, parts, s2, controlled(candidate.marks, parts), tuple(tests.given))


def controlled(marks: Marks, parts: dict[str, float]) -> float:
    """s3 = 5 g + 5 L + 2 RC + 3 C + 3 E + 4 SAME + clip(covB, 0, 2) - 2 f0 + 5 sqrt(vmax) clip(gap_B / 0.15, 0, 1).

    g is the largest gap of the three pastes to their controls, 0..1.
    """
    gap = max(parts["gap_own"], parts["gap_pixels"], parts["gap_heat"], 0.0)
    looks = 5 * marks.where + 2 * marks.region + 3 * marks.peak + 3 * marks.early + 4 * marks.same + 4 * marks.outside
    fixed = 5 * parts["vmax"] ** 0.5 * float(np.clip(parts["gap_pixels"] / _TELLS, 0, 1))
    return float(5 * gap + looks + np.clip(parts["covB"], 0, 2) - 2 * parts["f0"] + fixed)


class _Tests:
    """The pictures of a candidate's tests, read once."""

    def __init__(
        self,
        candidate: Candidate,
        reader: Reader,
        looker: Looker,
        others: Receivers,
        rng: np.random.Generator,
        seed: int,
    ) -> None:
        self.of, self.looker, self.others, self.rng, self.seed = candidate.of, looker, others, rng, seed
        inside = candidate.inside
        self.members, self.member_images = self._some(np.flatnonzero(inside), reader)
        self.rest, self.rest_images = self._some(np.flatnonzero(~inside), reader)
        open_to = others.of_others(self.of.index)
        self.receivers = rng.choice(open_to, TRIED, replace=len(open_to) < TRIED)
        self.donors = rng.integers(0, len(self.members), TRIED)
        self.controls = rng.integers(0, len(self.rest), TRIED)
        self.grouped = any(one.group is not None for one in self.of.pictures)
        self.given: list[Given] = []

    def _some(self, places: Ints, reader: Reader) -> tuple[Ints, Floats]:
        drawn = self.rng.choice(places, min(TRIED, len(places)), replace=False)
        kept, images = reader.read([self.of.pictures[i] for i in drawn])
        return drawn[kept], images

    def paste(self, name: str, masks: Callable[[Floats], Masks]) -> Effect:
        """Regions of the group's pictures and of the rest's, pasted into the same receivers."""
        images = self.others.images[self.receivers]
        before = self.others.margins(self.of.index)[self.receivers]
        chances = self.others.chances(self.of.index)[self.receivers]
        ids = [self.others.pictures[i].id for i in self.receivers]
        turned, gains, trials = [], [], []
        for places, own, drawn in (
            (self.members, self.member_images, self.donors),
            (self.rest, self.rest_images, self.controls),
        ):
            changed = pasted(own[drawn], masks(self.of.heat[places[drawn]]), images)
            scores = self.looker.scores(changed)
            trials.append(self._trials(ids, chances, scores, places[drawn]))
            if places is self.members:
                self._give("paste", name, trials[0], images, changed, own[drawn[:GIVEN]])
            turned.append((scores.predicted == self.of.index).astype(float))
            gains.append(margins(scores.values, self.of.index, scores.several) - before)
        counts = [int(each.sum()) for each in turned]
        interval = intervals.gap(counts[0], TRIED, counts[1], TRIED)
        if self.grouped:
            wider = self._interval(turned, [self.members[self.donors], self.rest[self.controls]])
            interval = min(interval[0], wider[0]), max(interval[1], wider[1])
        return self._effect("paste", name, "rest", turned, interval, gains, trials)

    def cover(self, name: str, masks: Callable[[Floats], Masks]) -> Effect:
        """The same region covered in the group's pictures and in the rest's."""
        falls, drops, trials = [], [], []
        for places, images in ((self.members, self.member_images), (self.rest, self.rest_images)):
            changed = covered(images, masks(self.of.heat[places]))
            fall, drop, each = self._fallen(places, changed)
            falls.append(fall)
            drops.append(drop)
            trials.append(each)
            if places is self.members:
                self._give("cover", name, each, images, changed)
        interval = self._interval(falls, [self.members, self.rest])
        return self._effect("cover", name, "rest", falls, interval, drops, trials)

    def elsewhere(self, masks: Callable[[Floats], Masks]) -> Effect:
        """Each picture's own region covered, and one of the same size in another place of the same picture."""
        own = masks(self.of.heat[self.members])
        falls, drops, trials = [], [], []
        for mask in (own, elsewhere(own, self.rng)):
            changed = covered(self.member_images, mask)
            fall, drop, each = self._fallen(self.members, changed)
            falls.append(fall)
            drops.append(drop)
            trials.append(each)
            if mask is own:
                self._give("cover", "own", each, self.member_images, changed)
        groups = intervals.own_group([self.of.pictures[i].group for i in self.members])
        interval = intervals.means([falls[0] - falls[1]], [groups], self.seed)
        return self._effect("cover", "own", "elsewhere", falls, interval, drops, trials)

    def _give(self, test: str, name: str, trials: Sequence[Trial], *images: Floats) -> None:
        """Keeps the first images of a test, which were drawn by chance: before, after, and from where it was pasted."""
        few = [each[:GIVEN].copy() for each in images]  # a part would hold the whole
        self.given += [Given(test, name, *each) for each in zip(trials, zip(*few, strict=True), strict=False)]

    def _trials(self, ids: Sequence[int], before: Floats, scores: Scores, donors: Ints | None = None) -> list[Trial]:
        after, answers = scores.probabilities[:, self.of.index].tolist(), scores.predicted.tolist()
        sources = [None] * len(ids) if donors is None else [self.of.pictures[i].id for i in donors]
        return [Trial(*row) for row in zip(ids, sources, before.tolist(), after, answers, strict=True)]

    def _fallen(self, places: Ints, images: Floats) -> tuple[Floats, Floats, list[Trial]]:
        """By how much the class's probability, and its margin, are lower than before; and the trials."""
        scores = self.looker.scores(images)
        return (
            self.of.chances[places] - scores.probabilities[:, self.of.index],
            self.of.described.margins[places] - margins(scores.values, self.of.index, scores.several),
            self._trials([self.of.pictures[i].id for i in places], self.of.chances[places], scores),
        )

    def _interval(self, samples: Sequence[Floats], places: Sequence[Ints]) -> intervals.Interval:
        groups = [intervals.own_group([self.of.pictures[i].group for i in each]) for each in places]
        return intervals.means(samples, groups, self.seed)

    def _effect(
        self,
        test: str,
        region: str,
        control: str,
        values: Sequence[Floats],
        interval: intervals.Interval,
        inside: Sequence[Floats],
        trials: Sequence[Sequence[Trial]],
    ) -> Effect:
        (one, other), (gain, control_gain) = values, inside
        return Effect(
            *(test, region, control, float(one.mean()), float(other.mean()), len(one), len(other)),
            *(interval, float(gain.mean()), float(control_gain.mean()), tuple(trials[0]), tuple(trials[1])),
        )
