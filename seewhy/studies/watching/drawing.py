"""Strips, films and the filmstrip while the training runs: as often as they cost next to nothing, and at the end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from seewhy.errors import SeeWhyWarning
from seewhy.results.watched.filming import MOST, TILE, Shot, Subject, film, filmstrip, strip
from seewhy.results.watched.keeping import FILMS, STRIPS, Keeping

SHARE = 0.005  # of the training's time, that drawing strips may take; films as much again
_FILMS = 20  # times as long as strips, about, before it is known


@dataclass(eq=False)
class Roll:
    """What is shown of one picture: of a long training every second look, then every fourth ..., and the latest."""

    subject: Subject
    shots: list[tuple[Shot, Image.Image]] = field(default_factory=list)
    latest: tuple[Shot, Image.Image] | None = None
    every: int = 1
    looks: int = 0

    def add(self, shot: Shot) -> None:
        self.latest = shot, self.subject.drawn(shot.map, TILE)
        if self.looks % self.every == 0:
            self.shots.append(self.latest)
        if len(self.shots) >= MOST:
            self.shots, self.every = self.shots[::2], 2 * self.every
        self.looks += 1

    @property
    def shown(self) -> list[tuple[Shot, Image.Image]]:
        if self.latest is None or (self.shots and self.shots[-1] is self.latest):
            return self.shots
        return [*self.shots, self.latest]


@dataclass(eq=False)
class Drawing:
    """Draws what was seen so far.

    Args:
        keeping: the folder.
        rolls: one for each picture.
    """

    keeping: Keeping
    rolls: Sequence[Roll]
    spent: dict[str, float] = field(default_factory=lambda: {"strips": 0.0, "films": 0.0})
    last: dict[str, float] = field(default_factory=lambda: {"strips": 0.0, "films": 0.0})
    due: set[str] = field(default_factory=set)

    def add(self, shots: Sequence[tuple[int, Shot]]) -> None:
        """The shots of one look, each with the number of its picture."""
        for number, shot in shots:
            self.rolls[number].add(shot)
        if shots:
            self.due = {"strips", "films", "filmstrip"}

    def now(self, elapsed: float) -> dict[str, Image.Image]:
        """Draws what the training's time so far allows; the strips that were drawn, by the file's name."""
        strips: dict[str, Image.Image] = {}
        if "strips" in self.due and self.spent["strips"] + self.last["strips"] <= SHARE * elapsed:
            self._timed("strips", lambda: strips.update(self.strips()))
        expected = self.last["films"] or _FILMS * self.last["strips"]
        if "films" in self.due and self.spent["films"] + expected <= SHARE * elapsed:
            self._timed("films", self.films)
        return strips

    def first(self) -> dict[str, Image.Image]:
        """The strips, whatever they cost."""
        strips: dict[str, Image.Image] = {}
        self._timed("strips", lambda: strips.update(self.strips()))
        return strips

    def finish(self) -> dict[str, Image.Image]:
        """Draws all that is not drawn yet; also when the program ends without `close`."""
        due, strips = self.due, {}
        self.due = set()
        try:
            if "strips" in due:
                strips = self.strips()
            if "films" in due:
                self.films()
            if "filmstrip" in due:
                rows = [[shot for shot, _ in roll.shown] for roll in self.rolls]
                self.keeping.image("filmstrip.png", filmstrip([roll.subject for roll in self.rolls], rows, 10, 112))
        except Exception as error:  # numbers and maps are kept all the same
            warnings.warn(f"what was watched could not be drawn: {error}", SeeWhyWarning, stacklevel=2)
        return strips

    def strips(self) -> dict[str, Image.Image]:
        found = {}
        for roll in self.rolls:
            if shown := roll.shown:
                image = strip(roll.subject, [shot for shot, _ in shown], [tile for _, tile in shown])
                self.keeping.image(f"{STRIPS}/{roll.subject.file}.png", image)
                found[roll.subject.file] = image
        return found

    def films(self) -> None:
        for roll in self.rolls:
            if shown := roll.shown:
                self.keeping.bytes(f"{FILMS}/{roll.subject.file}.gif", film(roll.subject, [shot for shot, _ in shown]))

    def _timed(self, what: str, work: Callable[[], Any]) -> None:
        began = time.perf_counter()
        work()
        self.last[what] = time.perf_counter() - began
        self.spent[what] += self.last[what]
        self.due.discard(what)
