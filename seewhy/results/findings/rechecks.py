"""Known findings asked again of another run or model: what is still there of each."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from seewhy.results.findings.effects import Effect
from seewhy.results.findings.finding import DECIDED, STATES, WIDTH, Finding, lines, proof_lines
from seewhy.results.findings.listing import LEVELS, confirmed, need_level
from seewhy.results.tables import line, percent

UNTESTED = "not tested"
_WORDS = {STATES[0]: "still proven", STATES[1]: "perhaps still there", STATES[2]: "no effect left", UNTESTED: UNTESTED}


@dataclass(frozen=True)
class HeatShare:
    """How much of the heat of the runs' maps lies on a finding, in the same pictures before and now.

    Args:
        pictures: of the finding, with a map in both runs.
        before, now: share of the map, means.
        interval: 95 %, of now less before.
        area: share of the picture that is the finding's; what an even map would hold.
    """

    pictures: int
    before: float
    now: float
    interval: tuple[float, float]
    area: float


@dataclass(frozen=True)
class Showing:
    """How many pictures called the class show a finding, by its score; told for the same model alone.

    Args:
        pictures: of the new run that were looked at.
        showing: of these, those that score 0.5 or more.
        before, before_showing: the same of the first run.
    """

    pictures: int
    showing: int
    before: int
    before_showing: int


@dataclass(frozen=True, eq=False, repr=False)
class Recheck:
    """What is still there of a known finding.

    Args:
        finding: as it was found, with what was decided about it.
        verdict: 'proven', 'suspected' or 'not supported' by the tests with this model, or 'not tested'.
        heat: how much of the heat lies on it; None where the runs share fewer than ten of its pictures.
        shown: how many pictures show it; None for another model than the one it was found in.
        effects: the tests, as `Finding.effects`.
        proof: what they gave, a line each.
        before: the same tests when it was found, in words.
        why: why it was not tested; '' where it was.
    """

    finding: Finding
    verdict: str
    heat: HeatShare | None
    shown: Showing | None
    effects: tuple[Effect, ...]
    proof: str
    before: str
    why: str

    @property
    def status(self) -> str:
        """'accepted' where a person decided so and the date is not over; else the verdict."""
        held = self.finding.status
        return held if held in DECIDED.values() else self.verdict

    def text(self, width: int = WIDTH) -> str:
        """As it is printed.

        Args:
            width: letters of a line.
        """
        one = self.finding
        said = _WORDS[self.verdict] + (f", {self.status}" if self.status != self.verdict else "")
        named = f"{one.name!r}: " if one.name else ""
        return "\n".join(lines(f"{one.code}  {said}  {named}{one.words}", self._below(), width))

    def _below(self) -> Iterator[tuple[str, str]]:
        if self.finding.decision is not None:
            yield "decided", str(self.finding.decision)
        if self.heat is not None:
            one = self.heat
            now, before, even = (percent(share, 0) for share in (one.now, one.before, one.area))
            low, high = (round(100 * each) for each in one.interval)
            yield (
                "heat",
                f"{now} of it lies there, {before} when it was found (in {one.pictures} of its pictures; change, 95 %: "
                f"{low} to {high} points; of even heat {even})",
            )
        if self.shown is not None:
            showing = self.shown
            yield (
                "shown",
                f"by {showing.showing} of {showing.pictures} pictures called {self.finding.label!r}; when it was found "
                f"by {showing.before_showing} of {showing.before}",
            )
        yield from proof_lines(self.proof)
        if self.before:
            yield "before", self.before
        if self.why:
            yield "untested", self.why

    def __repr__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        one = self.finding
        return {
            **{"code": one.code, "name": one.name, "label": one.label, "words": one.words, "status": self.status},
            **{"verdict": self.verdict, "found_verdict": one.verdict},
            "decision": None if one.decision is None else one.decision.as_dict(),
            "heat": None if self.heat is None else asdict(self.heat),
            "shown": None if self.shown is None else asdict(self.shown),
            "effects": [each.as_dict() for each in self.effects],
            **{"proof": self.proof, "before": self.before, "why": self.why},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Rechecks(Sequence[Recheck]):
    """Known findings asked again, in the order in which they were found; prints as text.

    Args:
        items: one for each finding that was raised and not dismissed.
        notes: what to know before it is believed.
    """

    items: tuple[Recheck, ...]
    notes: tuple[str, ...]

    def failing(self, level: str = "proven") -> tuple[Recheck, ...]:
        """Those that a check should fail on: still at or above a level, and not accepted.

        A finding that a person confirmed counts where a test shows any effect of it.

        Args:
            level: 'proven', 'suspected' or 'never'.
        """
        counting = LEVELS[: need_level(level) + 1]
        return tuple(
            each
            for each in self.items
            if each.status in counting or (counting and confirmed(each.finding) and each.verdict in LEVELS)
        )

    @overload
    def __getitem__(self, index: int) -> Recheck: ...
    @overload
    def __getitem__(self, index: slice) -> Rechecks: ...
    def __getitem__(self, index: int | slice) -> Recheck | Rechecks:
        return Rechecks(self.items[index], self.notes) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Recheck]:
        return iter(self.items)

    def text(self, width: int = WIDTH) -> str:
        """As it is printed.

        Args:
            width: letters of a line.
        """
        said = [f"{each.text(width)}\n" for each in self.items] or ["No finding was raised in the first run."]
        said += [textwrap.fill(f"note: {line(note)}", width, subsequent_indent=6 * " ") for note in self.notes]
        return "\n".join(said)

    def __repr__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"schema": 1, "notes": list(self.notes), "known": [each.as_dict() for each in self.items]}
