"""The proof of a candidate: its regions covered and pasted, beside the same done with the rest of the class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, above
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.candidates import Ints
from seewhy.studies.shortcuts.classes import Class, Receivers
from seewhy.studies.shortcuts.covering import covered, elsewhere, pasted
from seewhy.studies.shortcuts.heat import Masks, of_node, regions
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.sampling import Reader
from seewhy.studies.shortcuts.scoring import Marks, apart, cells_explained, parting
from seewhy.studies.shortcuts.things import alike, thing
from seewhy.targets import margins

TRIED = 64  # pictures of each test
_TELLS = 0.15  # from which gap on a fixed place counts in full
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
        parts: f0, covB, vmax and the gaps, by name.
        s2: the score with the proof, as first measured.
        s3: the same with controlled effects alone; it orders the findings.
    """

    candidate: Candidate
    heat: Floats
    pixels: Floats
    effects: tuple[Effect, ...]
    parts: dict[str, float]
    s2: float
    s3: float

    @property
    def complement(self) -> bool:
        """The group is what is left of the class without the pictures that show the shortcut."""
        return self.parts["gap_pixels"] < COMPLEMENT


def proof(candidate: Candidate, reader: Reader, looker: Looker, others: Receivers, seed: int) -> Proof:
    """Covers and pastes four kinds of regions, in the group and as control in the rest of its class."""
    of, inside = candidate.of, candidate.inside
    rng = np.random.default_rng([seed, of.index, len(candidate.group), int(candidate.group[0])])
    mean = of.described.heat
    heat = of_node(mean[inside].mean(axis=0), mean[~inside].mean(axis=0))
    pixels = cells_explained(of.described.grid, inside)
    tests = _Tests(candidate, reader, looker, others, rng, seed)
    side = others.images.shape[1:3]
    a, b = tests.everywhere(above(heat, side, 0.3)), tests.everywhere(above(pixels, side, 0.5))
    own = tests.each(lambda places, images: regions(of.heat[places], side))
    what = thing(of.described.attended, inside)
    things = tests.each(lambda places, images: what.masks(images, looker))
    effects = (
        tests.paste("heat", a),
        tests.paste("pixels", b),
        tests.paste("own", own),
        tests.paste("thing", things),
        tests.cover("heat", a),
        tests.cover("pixels", b),
        tests.elsewhere(own[0]),
    )
    by_rest, by_place = alike(tests.images[0], things[0], tests.images[1], things[1], rng)
    cells = of.described.grid[:, pixels >= 0.5 * pixels.max()].reshape(len(inside), -1)
    spread = float(of.described.margins.std())
    fall = effects[5].margin - effects[5].control_margin
    parts = {
        **{"f0": effects[0].control_effect, "vmax": float(pixels.max())},
        **{"covB": fall / spread if spread > 0 else 0.0},
        **{f"gap_{each.region}": each.difference for each in effects[:4]},
        **{"alike": by_rest, "alone": by_place, "apart_pixels": apart(parting(cells), inside)},
    }
    s2 = candidate.marks.score + float(np.clip(parts["covB"], 0, 2)) - 2 * parts["f0"] + 5 * parts["vmax"] ** 0.5
    return Proof(candidate, heat, pixels, effects, parts, s2, controlled(candidate.marks, parts))


def controlled(marks: Marks, parts: dict[str, float]) -> float:
    """s3: looks and place, and what pasting shows beside its control.

    s3 = 2 L + 2 RC + 3 C + 3 E + 4 SAME + 2 ALIKE + 3 ALONE + 5 g + 5 sqrt(V) clip((APART - 3.5) / 2) clip(gap_B / .15)
    where g is the largest gap of the four pastes to their controls; all is cut to 0..1.
    """
    gap = max(parts[f"gap_{name}"] for name in ("heat", "pixels", "own", "thing"))
    same = 2 * _cut(parts["alike"]) + 3 * _cut(parts["alone"])
    placed = parts["vmax"] ** 0.5 * _cut((parts["apart_pixels"] - 3.5) / 2) * _cut(parts["gap_pixels"] / _TELLS)
    return 2 * marks.where + marks.looks + same + 5 * _cut(gap) + 5 * placed


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
        rng: np.random.Generator,
        seed: int,
    ) -> None:
        self.of, self.looker, self.others, self.rng, self.seed = candidate.of, looker, others, rng, seed
        inside = candidate.inside
        (members, images), (rest, rest_images) = (
            self._some(np.flatnonzero(each), reader) for each in (inside, ~inside)
        )
        self.places, self.images = (members, rest), (images, rest_images)
        open_to = others.of_others(self.of.index)
        self.receivers = rng.choice(open_to, TRIED, replace=len(open_to) < TRIED)
        self.drawn = tuple(rng.integers(0, len(each), TRIED) for each in self.places)
        self.grouped = any(one.group is not None for one in self.of.pictures)

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

    def paste(self, name: str, masks: Pair) -> Effect:
        """Regions of the group's pictures and of the rest's, pasted into the same receivers."""
        images = self.others.images[self.receivers]
        before = self.others.margins(self.of.index)[self.receivers]
        turned, gains = [], []
        for own, mask, drawn in zip(self.images, masks, self.drawn, strict=True):
            scores = self.looker.scores(pasted(own[drawn], mask[drawn], images))
            turned.append((scores.predicted == self.of.index).astype(float))
            gains.append(margins(scores.values, self.of.index, scores.several) - before)
        counts = [int(each.sum()) for each in turned]
        interval = intervals.gap(counts[0], TRIED, counts[1], TRIED)
        if self.grouped:
            wider = self._interval(turned, [p[d] for p, d in zip(self.places, self.drawn, strict=True)])
            interval = min(interval[0], wider[0]), max(interval[1], wider[1])
        return self._effect("paste", name, "rest", turned, interval, gains)

    def cover(self, name: str, masks: Pair) -> Effect:
        """The same region covered in the group's pictures and in the rest's."""
        falls, drops = [], []
        for places, images, mask in zip(self.places, self.images, masks, strict=True):
            fall, drop = self._fallen(places, covered(images, mask))
            falls.append(fall)
            drops.append(drop)
        return self._effect("cover", name, "rest", falls, self._interval(falls, self.places), drops)

    def elsewhere(self, own: Masks) -> Effect:
        """Each picture's own region covered, and one of the same size in another place of the same picture."""
        falls, drops = [], []
        members, images = self.places[0], self.images[0]
        for each in (own, elsewhere(own, self.rng)):
            fall, drop = self._fallen(members, covered(images, each))
            falls.append(fall)
            drops.append(drop)
        groups = intervals.own_group([self.of.pictures[i].group for i in members])
        interval = intervals.means([falls[0] - falls[1]], [groups], self.seed)
        return self._effect("cover", "own", "elsewhere", falls, interval, drops)

    def _fallen(self, places: Ints, images: Floats) -> tuple[Floats, Floats]:
        """By how much the class's probability, and its margin, are lower than in the pictures as they are."""
        scores = self.looker.scores(images)
        return (
            self.of.chances[places] - scores.probabilities[:, self.of.index],
            self.of.described.margins[places] - margins(scores.values, self.of.index, scores.several),
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
    ) -> Effect:
        (one, other), (gain, control_gain) = values, inside
        return Effect(
            *(test, region, control, float(one.mean()), float(other.mean()), len(one), len(other)),
            *(interval, float(gain.mean()), float(control_gain.mean())),
        )
