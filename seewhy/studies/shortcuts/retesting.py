"""The tests of known findings with the model of another run: their pictures covered, and pasted into new ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.evidence import Model
from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect, Finding, Showing, above
from seewhy.results.run import Run
from seewhy.results.tables import counted
from seewhy.studies.measuring import mask_on_cells
from seewhy.studies.shortcuts import intervals
from seewhy.studies.shortcuts.classes import Receivers, receivers
from seewhy.studies.shortcuts.covering import covered, elsewhere, pasted
from seewhy.studies.shortcuts.heat import Masks, regions
from seewhy.studies.shortcuts.knowing import SHOWS, known_of
from seewhy.studies.shortcuts.looking import Looker, looker_for
from seewhy.studies.shortcuts.proving import TRIED
from seewhy.studies.shortcuts.sampling import Picture, Reader, pictures_of, receiving, sampled, steady
from seewhy.targets import margins

_FEWEST, _LEAST = 16, 8  # receivers; pictures of the finding, and of the rest of its class
WHOLE = (0.0, 0.0, 1.0, 1.0)

View = tuple[float, float, float, float]  # what one model sees, in shares of what another one sees


def view_of(first: Sequence[float] | None, new: Sequence[float] | None) -> View:
    """What the new model sees, in shares of what the first one saw; all of it where that is not known."""
    if first is None or new is None:
        return WHOLE
    left, top, right, bottom = first
    wide, high = right - left, bottom - top
    return (new[0] - left) / wide, (new[1] - top) / high, (new[2] - left) / wide, (new[3] - top) / high


def at_work(first: Run, run: Run, model: Model) -> tuple[Reader, Looker]:
    """A reader of the first run's pictures for the model of a run, and the model's layers."""
    reader = Reader(first.root or Path(), model, first.settings.get("fast_decode"))
    grey = reader.prepared(Image.new("RGB", (256, 256), (128, 128, 128)))
    return reader, looker_for(run, model, grey)


@dataclass(frozen=True, eq=False)
class _Donors:
    """Pictures of the finding, or of the rest of its class, as this model takes them and answers.

    Args:
        images: float [n, height, width, channels].
        groups: what each belongs to.
        chances, margins: float [n], of the class.
    """

    images: Floats
    groups: list[Any]
    chances: Floats
    margins: Floats


class Retests:
    """The tests of known findings with the model of the new run.

    Args:
        run, known: the new run, and the one with the findings.
        model: of the new run, wrapped.
        per_class: as the findings were found.
        seed: of what is drawn by chance.
    """

    def __init__(self, run: Run, known: Run, model: Model, per_class: int, seed: int) -> None:
        self.run, self.known, self.model, self.per_class, self.seed = run, known, model, per_class, seed
        self.reader, self.looker = at_work(known, run, model)
        self.own = Reader(run.root or Path(), model, run.settings.get("fast_decode"))
        self.same = model.fingerprint() == known.settings["model"].get("fingerprint")
        self.pictures = pictures_of(run)
        right: dict[int, list[Picture]] = {}
        for one in self.pictures:
            if one.label == one.predicted:
                right.setdefault(one.predicted, []).append(one)
        asked = receiving(right, seed) if run.root is not None else []
        self.others = receivers(asked, self.own, self.looker) if asked else None

    def notes(self) -> tuple[str, ...]:
        said = []
        if not self.same:
            said.append(
                "another model than the one in which these were found: their score is not told, as it is made of that "
                "model's features; what is covered and pasted is where that model looked"
            )
        for reader, which in ((self.reader, "first"), (self.own, "new")):
            if reader.gone:
                path, why = next(iter(sorted(reader.gone.items())))
                gone = counted(len(reader.gone), "picture")
                said.append(f"{gone} of the {which} run left out, such as {path}: {why.splitlines()[0]}")
        return tuple(said)

    def index(self, finding: Finding) -> int | None:
        """The finding's class among the outputs of this model; None where it has no such class."""
        labels = self.run.labels
        if labels is None or self.known.labels is None:
            return finding.index
        return labels.index(finding.label) if finding.label in labels else None

    def shown(self, finding: Finding) -> Showing | None:
        """How many of the new run's pictures of the class show the finding; None for another model."""
        if not self.same or not finding.direction.size or finding.false_positives is None:
            return None
        asked = steady([one for one in self.pictures if one.predicted == finding.index], self.per_class, self.seed)
        probe = known_of(finding, self.own, self.looker)
        scores = probe.of_pictures(asked)
        then = finding.false_positives
        return Showing(
            len(scores), int((scores >= SHOWS).sum()), then.pictures + then.right, then.sharing + then.right_sharing
        )

    def effects(self, finding: Finding, first_seed: int) -> tuple[tuple[Effect, ...], str]:
        """What covering and pasting do now; or nothing, and why."""
        index = self.index(finding)
        if index is None:
            return (), f"the model has no class {finding.label!r}"
        open_to = [] if self.others is None else self.others.of_others(index)
        if self.others is None or len(open_to) < _FEWEST:
            return (), f"{counted(len(open_to), 'rightly answered picture')} of other classes; {_FEWEST} are needed"
        rng = np.random.default_rng([self.seed, finding.index, len(finding.ids), finding.ids[0]])
        looked = sampled(self.known, self.per_class, first_seed).classes.get(finding.index, [])
        own = set(finding.ids)
        places = {id: place for place, id in enumerate(finding.ids)}
        kept, members = self._donors([one for one in looked if one.id in own], index, rng)
        _, rest = self._donors([one for one in looked if one.id not in own], index, rng)
        if min(len(members.images), len(rest.images)) < _LEAST:
            few = min(len(members.images), len(rest.images))
            return (), f"only {counted(few, 'picture')} of it, or of the rest of its class, can be read again"
        masks = self._masks(finding, [places[one.id] for one in kept], kept, members.images.shape[1:3])
        if self.same and finding.thing.size:
            masks["thing"] = known_of(finding, self.reader, self.looker).thing.masks(members.images, self.looker)
        chosen = rng.choice(open_to, TRIED, replace=len(open_to) < TRIED)
        pairs = rng.integers(0, len(members.images), TRIED), rng.integers(0, len(rest.images), TRIED)
        tries = _Tries(index, members, rest, masks, self.others, chosen, pairs, self.looker, self.seed)
        return (
            *(tries.paste(name) for name in masks),
            *(tries.cover(name) for name in masks),
            tries.elsewhere(rng),
        ), ""

    def _donors(
        self, pictures: Sequence[Picture], index: int, rng: np.random.Generator
    ) -> tuple[list[Picture], _Donors]:
        picked = sorted(rng.choice(len(pictures), min(TRIED, len(pictures)), replace=False)) if pictures else []
        some = [pictures[i] for i in picked]
        kept, images = self.reader.read(some)
        if not kept:
            return [], _Donors(images, [], np.zeros(0), np.zeros(0))
        scores = self.looker.scores(images)
        groups = intervals.own_group([some[i].group for i in kept])
        answers = scores.probabilities[:, index], margins(scores.values, index, scores.several)
        return [some[i] for i in kept], _Donors(images, groups, *answers)

    def _masks(
        self, finding: Finding, places: Sequence[int], members: Sequence[Picture], side: tuple[int, int]
    ) -> dict[str, Masks]:
        """Of each kind of region, where it is in each member as this model sees it: bool [n, *side]."""
        views = self._views(members)
        whole = {"heat": above(finding.heat, side, 0.3), "pixels": above(finding.pixels, side, 0.5)}
        own = regions(finding.maps[list(places)], side)
        first = {name: np.broadcast_to(each, own.shape) for name, each in whole.items()} | {"own": own}
        return {
            name: np.stack([_seen(m, v, side) for m, v in zip(each, views, strict=True)])
            for name, each in first.items()
        }

    def _views(self, members: Sequence[Picture]) -> list[View]:
        """Of each picture what this model sees of it, in shares of what the first one saw."""
        first = {
            row["hash"]: row["box"] for row in self.known.rows([m.id for m in members], ["hash", "box"]).to_pylist()
        }
        asked = [one.hash for one in members]
        now = {row["hash"]: row["box"] for row in self.run.select(["hash", "box"], hash=asked).to_pylist()}
        return [view_of(first.get(each), now.get(each)) for each in asked]


@dataclass(frozen=True, eq=False)
class _Tries:
    """One finding's tests: its regions, from its own pictures and, as control, the same places of the rest's."""

    index: int
    members: _Donors
    rest: _Donors
    masks: dict[str, Masks]
    others: Receivers
    chosen: Any
    pairs: tuple[Any, Any]
    looker: Looker
    seed: int

    def paste(self, name: str) -> Effect:
        images, before = self.others.images[self.chosen], self.others.margins(self.index)[self.chosen]
        masks = self.masks[name][self.pairs[0]]
        turned, gains = [], []
        for donors, places in zip((self.members, self.rest), self.pairs, strict=True):
            scores = self.looker.scores(pasted(donors.images[places], masks, images))
            turned.append((scores.predicted == self.index).astype(float))
            gains.append(margins(scores.values, self.index, scores.several) - before)
        counts = [int(each.sum()) for each in turned]
        interval = intervals.gap(counts[0], TRIED, counts[1], TRIED)
        groups = [
            [each.groups[i] for i in places] for each, places in zip((self.members, self.rest), self.pairs, strict=True)
        ]
        wider = intervals.means(turned, groups, self.seed)
        interval = min(interval[0], wider[0]), max(interval[1], wider[1])
        return _effect("paste", name, "rest", turned, interval, gains)

    def cover(self, name: str) -> Effect:
        masks = self.masks[name]
        falls, drops = zip(
            self._fallen(self.members, masks),
            self._fallen(self.rest, masks[np.arange(len(self.rest.images)) % len(masks)]),
            strict=True,
        )
        interval = intervals.means(falls, [self.members.groups, self.rest.groups], self.seed)
        return _effect("cover", name, "rest", falls, interval, drops)

    def elsewhere(self, rng: np.random.Generator) -> Effect:
        masks = self.masks["own"]
        falls, drops = zip(
            self._fallen(self.members, masks), self._fallen(self.members, elsewhere(masks, rng)), strict=True
        )
        interval = intervals.means([falls[0] - falls[1]], [self.members.groups], self.seed)
        return _effect("cover", "own", "elsewhere", falls, interval, drops)

    def _fallen(self, donors: _Donors, masks: Masks) -> tuple[Floats, Floats]:
        scores = self.looker.scores(covered(donors.images, masks))
        return (
            donors.chances - scores.probabilities[:, self.index],
            donors.margins - margins(scores.values, self.index, scores.several),
        )


def _seen(mask: Masks, view: View, side: tuple[int, int]) -> Masks:
    return mask if view == WHOLE else np.asarray(mask_on_cells(mask, (1, 1), view, side) >= 0.5)


def _effect(
    test: str,
    region: str,
    control: str,
    values: Sequence[Floats],
    interval: intervals.Interval,
    inside: Sequence[Floats],
) -> Effect:
    return Effect(
        *(test, region, control, float(values[0].mean()), float(values[1].mean()), len(values[0]), len(values[1])),
        *(interval, float(inside[0].mean()), float(inside[1].mean())),
    )
