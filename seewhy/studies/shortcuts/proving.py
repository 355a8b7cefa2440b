"""The proof of a candidate: its regions covered and pasted, beside the same done with the rest of the class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, above
from seewhy.results.trials import Trial
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Class, Receivers
from seewhy.studies.shortcuts.covering import averaged, covered, elsewhere, pasted
from seewhy.studies.shortcuts.heat import Masks, of_node, regions
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.sampling import Reader
from seewhy.studies.shortcuts.scoring import Marks, apart, cells_explained, parting
from seewhy.studies.shortcuts.showing import GIVEN, Given
from seewhy.studies.shortcuts.things import alike, thing
from seewhy.targets import Scores, margins

TRIED = 64  # pictures of each test
_TELLS = 0.15  # from which gap on a fixed place counts in full
FILLS = "surroundings", "mean colour", "another picture"  # of covers
Pair: TypeAlias = tuple[Masks, Masks]  # of the group's pictures, and of the rest's
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
        parts: of the score, by name.
        s3: the score; it orders the findings.
        given: some images of the tests.
    """

    candidate: Candidate
    heat: Floats
    pixels: Floats
    effects: tuple[Effect, ...]
    parts: dict[str, float]
    s3: float
    given: tuple[Given, ...]

    @property
    def complement(self) -> bool:
        """The group is what is left of the class without the pictures that show the shortcut."""
        return self.parts["gap_pixels"] < COMPLEMENT


def proof(candidate: Candidate, reader: Reader, looker: Looker, others: Receivers, seed: int) -> Proof:
    """Pastes four kinds of regions of the group's pictures, and as control of the rest of its class."""
    of, inside = candidate.of, candidate.inside
    mean = of.described.heat
    heat = of_node(mean[inside].mean(axis=0), mean[~inside].mean(axis=0))
    pixels = cells_explained(of.described.grid, inside)
    tests = _Tests(candidate, reader, looker, others, seed)
    side = others.images.shape[1:3]
    things = tests.things()
    effects = (
        tests.paste("heat", tests.everywhere(above(heat, side, 0.3))),
        tests.paste("pixels", tests.everywhere(above(pixels, side, 0.5))),
        tests.paste("own", tests.own()),
        tests.paste("thing", things),
    )
    by_rest, by_place = alike(tests.images[0], things[0], tests.images[1], things[1], tests.rng)
    cells = of.described.grid[:, pixels >= 0.5 * pixels.max()].reshape(len(inside), -1)
    parts = {
        **{"f0": effects[0].control_effect, "vmax": float(pixels.max())},
        **{f"gap_{each.region}": each.difference for each in effects},
        **{"alike": by_rest, "alone": by_place, "apart_pixels": apart(parting(cells), inside)},
    }
    score = controlled(candidate.marks, parts)
    return Proof(candidate, heat, pixels, effects, parts, score, tuple(tests.given))


def completed(found: Proof, reader: Reader, looker: Looker, others: Receivers, seed: int, several: bool) -> Proof:
    """The same with covers beside the pastes, on the same pictures.

    Args:
        found: by `proof`.
        reader, looker, others, seed: as in `proof`.
        several: cover with three fills, and tell the one that does least.
    """
    tests = _Tests(found.candidate, reader, looker, others, seed)
    fills = FILLS if several else FILLS[:1]
    where = tests.everywhere(above(found.pixels, others.images.shape[1:3], 0.5))
    covers = (
        tests.cover("pixels", where, fills),
        tests.cover("thing", tests.things(), fills),
        tests.elsewhere(tests.own()[0]),
    )
    effects, given = found.effects + covers, found.given + tuple(tests.given)
    return replace(found, effects=effects, given=given)


def controlled(marks: Marks, parts: dict[str, float]) -> float:
    """s3: looks and place, and what pasting shows beside its control.

    s3 = 2 L + 2 RC + 3 C + 3 E + 4 SAME + ALIKE + 2 ALONE + 3 g + 5 sqrt(V) clip((APART - 3.5) / 2) clip(gap_B / 0.15)
    + 100 L E h, where g is the largest gap of the four pastes to their controls, and h the least of those that need no
    fixed pixels; all is cut to 0..1.
    """
    gaps = [parts[f"gap_{name}"] for name in ("heat", "own", "thing")]
    gap = max(*gaps, parts["gap_pixels"])
    same = _cut(parts["alike"]) + 2 * _cut(parts["alone"])
    placed = parts["vmax"] ** 0.5 * _cut((parts["apart_pixels"] - 3.5) / 2) * _cut(parts["gap_pixels"] / _TELLS)
    return float(
        2 * marks.where + marks.looks + same + 3 * _cut(gap) + 5 * placed + 100 * marks.place * _cut(min(gaps))
    )


def _cut(value: float) -> float:
    return float(np.clip(value, 0, 1))


class _Tests:
    """The pictures of a candidate's tests, read once: of the group, and of the rest of its class."""

    def __init__(
        self,
        candidate: Candidate,
        reader: Reader,
        looker: Looker,
        others: Receivers,
        seed: int,
    ) -> None:
        self.of, self.looker, self.others, self.seed = candidate.of, looker, others, seed
        self.candidate = candidate
        rng = np.random.default_rng([seed, self.of.index, len(candidate.group), int(candidate.group[0])])
        self.rng = rng
        inside = candidate.inside
        (members, images), (rest, rest_images) = (
            self._some(np.flatnonzero(each), reader) for each in (inside, ~inside)
        )
        self.places, self.images = (members, rest), (images, rest_images)
        open_to = others.of_others(self.of.index)
        self.receivers = rng.choice(open_to, TRIED, replace=len(open_to) < TRIED)
        self.drawn = tuple(rng.integers(0, len(each), TRIED) for each in self.places)
        self.grouped = any(one.group is not None for one in self.of.pictures)
        self.given: list[Given] = []

    def _some(self, places: Ints, reader: Reader) -> tuple[Ints, Floats]:
        drawn = self.rng.choice(places, min(TRIED, len(places)), replace=False)
        kept, images = reader.read([self.of.pictures[i] for i in drawn])
        return drawn[kept], images

    def each(self, masks: Callable[[Ints, Floats], Masks]) -> Pair:
        """Masks of both kinds of pictures, from their places in the class and the pictures."""
        one, other = (masks(places, images) for places, images in zip(self.places, self.images, strict=True))
        return one, other

    def everywhere(self, mask: Masks) -> Pair:
        """The same mask for all."""
        return self.each(lambda places, images: np.broadcast_to(mask, (len(places), *mask.shape)))

    def own(self) -> Pair:
        """What each picture's heat marks."""
        side = self.others.images.shape[1:3]
        return self.each(lambda places, images: regions(self.of.heat[places], side))

    def things(self) -> Pair:
        """What sets the group apart, where it is in each picture."""
        what = thing(self.of.described.attended, self.candidate.inside)
        return self.each(lambda places, images: what.masks(images, self.looker))

    def paste(self, name: str, masks: Pair) -> Effect:
        """Regions of the group's pictures and of the rest's, pasted into the same receivers."""
        images = self.others.images[self.receivers]
        before = self.others.margins(self.of.index)[self.receivers]
        chances = self.others.chances(self.of.index)[self.receivers]
        ids = [self.others.pictures[i].id for i in self.receivers]
        turned, gains, trials = [], [], []
        for places, own, mask, drawn in zip(self.places, self.images, masks, self.drawn, strict=True):
            changed = pasted(own[drawn], mask[drawn], images)
            scores = self.looker.scores(changed)
            trials.append(self._trials(ids, chances, scores, places[drawn]))
            if own is self.images[0]:
                self.given += self._few("paste", name, trials[0], images, changed, own[drawn[:GIVEN]])
            turned.append((scores.predicted == self.of.index).astype(float))
            gains.append(margins(scores.values, self.of.index, scores.several) - before)
        counts = [int(each.sum()) for each in turned]
        interval = intervals.gap(counts[0], TRIED, counts[1], TRIED)
        if self.grouped:
            wider = self._interval(turned, [p[d] for p, d in zip(self.places, self.drawn, strict=True)])
            interval = min(interval[0], wider[0]), max(interval[1], wider[1])
        return self._effect("paste", name, "rest", turned, interval, gains, trials)

    def cover(self, name: str, masks: Pair, fills: Sequence[str]) -> Effect:
        """The same region covered in the group's pictures and in the rest's; of several fills that which does least."""
        found = [self._covered(name, masks, fill) for fill in fills]
        least, given = min(found, key=lambda each: each[0].difference)
        self.given += given
        told = tuple((fill, each.difference) for fill, (each, _) in zip(fills, found, strict=True))
        return replace(least, fills=told if len(fills) > 1 else ())

    def _covered(self, name: str, masks: Pair, fill: str) -> tuple[Effect, list[Given]]:
        falls, drops, trials, given = [], [], [], []
        for places, images, mask in zip(self.places, self.images, masks, strict=True):
            changed = self._filled(images, mask, fill)
            fall, drop, each = self._fallen(places, changed)
            falls.append(fall)
            drops.append(drop)
            trials.append(each)
            if images is self.images[0]:
                given = self._few("cover", name, each, images, changed)
        return self._effect("cover", name, "rest", falls, self._interval(falls, self.places), drops, trials), given

    def _filled(self, images: Floats, masks: Masks, fill: str) -> Floats:
        if fill == "another picture":
            return pasted(self.others.images[np.resize(self.receivers, len(images))], masks, images)
        return (covered if fill == "surroundings" else averaged)(images, masks)

    def elsewhere(self, own: Masks) -> Effect:
        """Each picture's own region covered, and one of the same size in another place of the same picture."""
        falls, drops, trials = [], [], []
        members, images = self.places[0], self.images[0]
        for mask in (own, elsewhere(own, self.rng)):
            changed = covered(images, mask)
            fall, drop, each = self._fallen(members, changed)
            falls.append(fall)
            drops.append(drop)
            trials.append(each)
            if mask is own:
                self.given += self._few("cover", "own", each, images, changed)
        groups = intervals.own_group([self.of.pictures[i].group for i in members])
        interval = intervals.means([falls[0] - falls[1]], [groups], self.seed)
        return self._effect("cover", "own", "elsewhere", falls, interval, drops, trials)

    def _few(self, test: str, name: str, trials: Sequence[Trial], *images: Floats) -> list[Given]:
        """The first images of a test, which were drawn by chance: before, after, and from where it was pasted."""
        few = [each[:GIVEN].copy() for each in images]  # a part would hold the whole
        return [Given(test, name, *each) for each in zip(trials, zip(*few, strict=True), strict=False)]

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
