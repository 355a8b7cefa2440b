"""What a finding is: a suspected shortcut with its evidence, and what a person decided about it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Protocol, TypeAlias

import numpy as np

from seewhy.errors import InputError
from seewhy.images.resizing import Floats, upscale
from seewhy.results.findings.effects import Effect, FalsePositives, Outside
from seewhy.results.tables import line, percent
from seewhy.results.trials import Cell, Shot

STATES = ("proven", "suspected", "not supported", "worth a look")  # what the tests say, the worst first
DECIDED = {"accept": "accepted", "dismiss": "dismissed"}  # the status that a decision gives
WHOLE = "whole picture"  # the kind of a finding without a place
WIDTH = 100

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


class Probe(Protocol):
    """What a finding needs the model for."""

    def mask(self, picture: Any) -> Mask: ...
    def score(self, pictures: Sequence[Any]) -> Floats: ...


@dataclass(frozen=True)
class Decision:
    """What a person decided about a finding, as `seewhy.toml` holds it.

    Args:
        action: 'accept', 'dismiss' (it is no shortcut) or 'confirm' (it is one).
        reason: in the person's words.
        until: the last day on which an acceptance holds; None for other decisions.
        expired: that day is over, so that the finding counts again.
    """

    action: str
    reason: str
    until: date | None = None
    expired: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {**vars(self), "until": None if self.until is None else self.until.isoformat()}

    def __str__(self) -> str:
        if self.action == "accept":
            said = f"accepted until {self.until}: {self.reason}"
            return f"{said}. That date is over: it counts again" if self.expired else said
        words = {"dismiss": "dismissed, no shortcut", "confirm": "confirmed as a shortcut"}[self.action]
        return f"{words}: {self.reason}" if self.reason else words


@dataclass(frozen=True, eq=False, repr=False)
class Finding:
    """A group of pictures of one predicted class that the model seems to answer by something they share.

    Args:
        code: SC01, SC02 ..., the worst first.
        verdict: what the tests say: 'proven' (above the line, and covering or pasting it has an effect that its control
            has not), 'suspected' (above the line, and an effect that is small or unsure), 'not supported' (above the
            line, but no test shows an effect beyond its control), 'worth a look' (below the line).
        kind: 'place' or 'whole picture' (a tint, blur ...).
        label, index: the class that was predicted.
        ids: of its pictures that were looked at, the most typical first.
        paths: of the same.
        hashes: of the same's bytes; these tell that a finding of another analysis is the same one.
        looked: how many pictures of the class were looked at.
        pictures: how many of the run are predicted as the class.
        wrong: how many of `ids` are not of the class.
        s, s3: what was known before the proof, and the score with it; s3 orders the findings. Of a 'whole picture' both
            are the share of pictures that its look turns, over its control.
        line: above which a finding is raised.
        parts: of the scores, by name.
        place: where it lies, in words.
        maps: float [n, h, w], 0..1, the heat of each of its pictures.
        where: float [12, 12], the mean heat of its pictures, adding up to 1.
        heat: float [12, 12], where they have more heat than the rest of the class.
        pixels: float [16, 16], the share of each cell's variance that belonging to the finding explains.
        effects: all that was tried.
        words: what was found, in one sentence.
        proof: what covering and pasting did, a line each.
        remedy: what to do next.
        name: what a person calls it; None where nobody named it.
        decision: what a person decided about it; None where nobody did.
        false_positives: how many wrong answers of the class share it; None where the pictures have no labels.
        outside: how much of its heat lies outside the object; None where it is not known where that is.
        cells: which labels and answers show it.
        shots: some pictures of the tests, drawn by chance.
        direction, offset: float64 [channels] of the middle layer, and the value there that scores 0.
        thing, thing_offset: the same of the early layer, which tells in each picture what sets the finding apart.
        sort: of a 'whole picture', what its look is of: 'colour', 'contrast', 'sharpness' or 'all'.
        probe: the model at work; None for a finding that was opened from a folder.
    """

    code: str
    verdict: str
    kind: str
    label: str
    index: int
    ids: tuple[int, ...]
    paths: tuple[str, ...]
    hashes: tuple[str, ...]
    looked: int
    pictures: int
    wrong: int
    s: float
    s3: float
    line: float
    parts: dict[str, float]
    place: str
    maps: Floats
    where: Floats
    heat: Floats
    pixels: Floats
    effects: tuple[Effect, ...]
    words: str
    proof: str
    remedy: str
    name: str | None = None
    decision: Decision | None = None
    false_positives: FalsePositives | None = None
    outside: Outside | None = None
    cells: tuple[Cell, ...] = ()
    shots: tuple[Shot, ...] = ()
    direction: Floats = field(default_factory=lambda: np.zeros(0))
    offset: float = 0.0
    thing: Floats = field(default_factory=lambda: np.zeros(0))
    thing_offset: float = 0.0
    sort: str = ""
    probe: Probe | None = field(default=None, compare=False)

    @property
    def status(self) -> str:
        """'accepted' or 'dismissed' where a person decided so, and the date is not over; else the verdict."""
        if self.decision is None or self.decision.expired:
            return self.verdict
        return DECIDED.get(self.decision.action, self.verdict)

    @property
    def raised(self) -> bool:
        """Above the line, whatever was decided."""
        return self.verdict != STATES[-1]

    @property
    def open(self) -> bool:
        """Raised, and neither accepted nor dismissed."""
        return self.raised and self.status not in DECIDED.values()

    @property
    def fixed(self) -> bool:
        """It lies at the same place in all its pictures."""
        return bool(self.pixels.size) and float(self.pixels.max()) >= FIXED

    @property
    def examples(self) -> tuple[str, ...]:
        """Paths of the twelve most typical pictures."""
        return self.paths[:12]

    def effect(self, test: str, region: str, control: str = "rest") -> Effect | None:
        """One of `effects`."""
        wanted = test, region, control
        return next((each for each in self.effects if (each.test, each.region, each.control) == wanted), None)

    def region(self, shape: tuple[int, int]) -> Mask:
        """Where it lies in all its pictures: bool [*shape], by pixels where these tell it, else by heat."""
        cells = self.pixels if self.fixed else self.heat
        if not cells.size:
            return np.ones(shape, bool)
        return above(cells, shape, 0.5 if self.fixed else 0.3)

    def mask(self, picture: Any) -> Mask:
        """Where it is in a given picture: bool [height, width] of what the model sees of it.

        Args:
            picture: a path, PIL image, uint8 array or bytes.
        Raises:
            InputError: the finding was opened from a folder, without its model.
        """
        return self._asked().mask(picture)

    def score(self, pictures: Sequence[Any]) -> Floats:
        """How much pictures show it: about 1 as the finding's, about 0 as the rest of the class; float [n].

        Args:
            pictures: as in `mask`.
        Raises:
            InputError: as in `mask`.
        """
        return self._asked().score(pictures)

    def _asked(self) -> Probe:
        if self.probe is None:
            raise InputError(
                f"{self.code}, opened without its model",
                "a finding with the model that it was found in",
                f"{'find_shortcuts' if self.kind == WHOLE else 'open_findings'}(run, model) gives it",
            )
        return self.probe

    def text(self, width: int = WIDTH) -> str:
        """As it is printed.

        Args:
            width: letters of a line.
        """
        named = f"{self.name!r}: " if self.name else ""
        return "\n".join(lines(f"{self.code}  {self.status}  {named}{self.words}", self._below(), width))

    def _below(self) -> Iterator[tuple[str, str]]:
        if self.decision is not None:
            yield "decided", str(self.decision)
        if self.status in DECIDED.values():
            return
        yield from proof_lines(self.proof)
        shared = self.false_positives
        if shared is not None and shared.sharing:
            yield "mistakes", shared.words(self.label)
        if self.outside is not None:
            own, rest = (percent(share, 0) for share in (self.outside.share, self.outside.rest))
            yield "object", f"{own} of the heat lies outside it; in the rest of the class {rest}"
        if self.raised:
            yield "next", self.remedy

    def __repr__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it; the ids are in the Parquet file beside it."""
        left_out = (
            "ids",
            "paths",
            "hashes",
            "probe",
            "effects",
            "maps",
            "where",
            "heat",
            "pixels",
            "direction",
            "thing",
        )
        kept = {key: value for key, value in vars(self).items() if key not in (*left_out, "offset", "thing_offset")}
        shared = self.false_positives
        return {
            **kept,
            "status": self.status,
            "decision": None if self.decision is None else self.decision.as_dict(),
            "false_positives": None if shared is None else {**asdict(shared), "ids": list(shared.ids)},
            "outside": None if self.outside is None else asdict(self.outside),
            "examples": list(self.examples),
            "members": len(self.ids),
            "map_shape": list(self.maps.shape[1:]),
            "effects": [each.as_dict() for each in self.effects],
            "cells": [asdict(each) for each in self.cells],
            "shots": [asdict(each) for each in self.shots],
            **{name: _rounded(getattr(self, name)) for name in ("where", "heat", "pixels")},
        }


VARYING = "in varying places"
FIXED = 0.08  # of the variance of a cell's pixels: above, the finding has a fixed place


def proof_lines(proof: str) -> Iterator[tuple[str, str]]:
    """The lines of a proof, each with the test that it begins with."""
    for said in proof.splitlines():
        first, _, rest = said.partition(", ")
        test = first.split(" ", 1)[0]
        known = test in ("covered", "pasted", "given")
        yield (test, (first.removeprefix(test).strip() + ", " + rest).lstrip(", ")) if known else ("tested", said)


def above(cells: Floats, shape: tuple[int, int], level: float, quantile: float = 0.6) -> Mask:
    """Where a grid, enlarged, is above a share of its maximum and above a quantile of itself: bool [*shape]."""
    large = upscale(cells, shape, "bilinear")
    lowest = max(level * float(large.max()), float(np.quantile(large, quantile)))
    return np.asarray((large >= lowest) & (large > 0))


def lines(head: str, below: Iterator[tuple[str, str]], width: int) -> Iterator[str]:
    """A finding as it is printed: what it is, and below it what is to be said, each with a word before it."""
    yield from textwrap.wrap(line(head), width, subsequent_indent=6 * " ")
    for name, said in below:
        yield from textwrap.wrap(
            line(said), width, initial_indent=f"      {name:<9} ", subsequent_indent=16 * " ", break_on_hyphens=False
        )


def _rounded(values: Floats) -> list[Any]:
    found: list[Any] = np.round(np.asarray(values, np.float64), 6).tolist()
    return found
