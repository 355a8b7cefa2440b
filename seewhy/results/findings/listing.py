"""The findings of a run as a whole: raised ones, those below the line, what was tried, what could not be seen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

from seewhy.errors import UnknownNameError, did_you_mean
from seewhy.results.findings.finding import STATES, WHOLE, WIDTH, Finding
from seewhy.results.tables import counted, line

SCHEMA = 1
_PROVEN = (
    "Proven means: covering it, or pasting it elsewhere, changes answers clearly more than the same done with other "
    "pictures of the class. So the model answers by it; whether it should, the pictures show."
)
LEVELS = STATES[:2]  # of what a check can fail on


@dataclass(frozen=True, eq=False, repr=False)
class Findings(Sequence[Finding]):
    """Findings of a run, the worst first; prints as text.

    Args:
        items: raised ones, then up to three below the line.
        tried: what was looked at: numbers by name.
        notes: what to know before it is believed.
        seen: the weakest effect that could have been seen, in words.
    """

    items: tuple[Finding, ...]
    tried: dict[str, Any]
    notes: tuple[str, ...]
    seen: str

    @property
    def raised(self) -> tuple[Finding, ...]:
        """Those above the line, whatever was decided about them."""
        return tuple(each for each in self.items if each.raised)

    def failing(self, level: str = "proven") -> tuple[Finding, ...]:
        """Those that a check of a model should fail on: at or above a level, and neither accepted nor dismissed.

        A finding that a person confirmed counts as proven.

        Args:
            level: 'proven', 'suspected' or 'never'.
        Raises:
            UnknownNameError: another level.
        """
        counting = LEVELS[: need_level(level) + 1]
        return tuple(each for each in self.items if each.status in counting or (counting and confirmed(each)))

    def named(self, code: str) -> Finding:
        """The finding with a code, or with a name that a person gave it.

        Raises:
            UnknownNameError: there is none; the nearest are named.
        """
        for each in self.items:
            if code in (each.code, each.name):
                return each
        known = [name for each in self.items for name in (each.code, each.name) if name]
        raise UnknownNameError(
            f"no finding {code!r}",
            f"one of {', '.join(known)}" if known else "a finding; there is none",
            (did_you_mean(code, known, "print(run.findings()) lists them")),
        )

    def save(self, folder: Path) -> None:
        """Writes what was found into a run's folder, and nothing of what was decided."""
        from seewhy.results.findings.keeping import save

        save(self, folder)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> Findings: ...
    def __getitem__(self, index: int | slice) -> Finding | Findings:
        return replace(self, items=self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def text(self, width: int = WIDTH) -> str:
        """As it is printed.

        Args:
            width: letters of a line.
        """
        return "\n".join(self._lines(width))

    def _lines(self, width: int) -> Iterator[str]:
        tried, raised = self.tried, self.raised
        whole = [each for each in raised if each.kind == WHOLE]
        for each in raised:
            if each.kind != WHOLE:
                yield from (each.text(width), "")
        if whole:
            yield from ("Without a place, by how whole pictures look:", "")
        for each in whole:
            yield from (each.text(width), "")
        if not raised:
            yield from textwrap.wrap(
                f"Nothing was raised: no group of pictures came above the line of {tried['line']}; the highest score "
                f"is {tried['best']:.1f}. That is no proof that there is no shortcut.",
                width,
            )
            yield ""
        elif not any(each.open for each in raised):
            yield from ("Nothing new: all that was raised is accepted or dismissed.", "")
        below = [each for each in self.items if not each.raised]
        if below:
            yield from textwrap.wrap(
                "Worth a look, but below the line: groups like these are found in models without a shortcut, too. "
                "Nothing is to be done about those that show an honest part of their class.",
                width,
            )
            yield ""
        for each in below:
            yield from (each.text(width), "")
        yield from textwrap.wrap(
            f"Tried: {counted(tried['pictures'], 'picture')} of {counted(tried['classes'], 'class', 'classes')}, "
            f"{counted(tried['groups'], 'group')} of alike ones; the {tried['tested']} likeliest were covered and "
            f"pasted, each beside a control. A finding is raised above {tried['line']}.",
            width,
        )
        if "whole" in tried:
            yield from textwrap.wrap(
                "Given the colours, contrast and sharpness of some of a class's pictures, at most "
                f"{counted(round(100 * tried['whole']['best']), 'point')} more of other classes' turn to it than by "
                f"the control; a finding without a place is raised above {100 * tried['whole']['line']:.0f}.",
                width,
            )
        yield from textwrap.wrap(self.seen, width)
        if any(each.verdict == STATES[0] for each in raised):
            yield from textwrap.wrap(_PROVEN, width)
        for note in self.notes:
            yield from textwrap.wrap(f"note: {line(note)}", width, subsequent_indent=6 * " ")

    def __repr__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "schema": SCHEMA,
            "tried": self.tried,
            "notes": list(self.notes),
            "seen": self.seen,
            "findings": [each.as_dict() for each in self.items],
        }


def need_level(level: str) -> int:
    """The place of a level in `LEVELS`; -1 for 'never'.

    Raises:
        UnknownNameError: another level.
    """
    if level not in (*LEVELS, "never"):
        remedy = did_you_mean(level, (*LEVELS, "never"), "leave it out for proven")
        raise UnknownNameError(f"a level {level!r}", f"one of {', '.join(LEVELS)}, never", remedy)
    return -1 if level == "never" else LEVELS.index(level)


def confirmed(finding: Finding) -> bool:
    """A person said that it is a shortcut."""
    return finding.decision is not None and finding.decision.action == "confirm"
