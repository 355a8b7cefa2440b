"""What to know before the numbers of a comparison are believed: what was left out, and in what the questions differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seewhy.results.run import Run
from seewhy.results.tables import counted, line
from seewhy.studies.comparison.sharing import Shared

_SO = {
    "layer": " (maps of different layers differ by themselves)",
    "method": " (maps of different methods differ by themselves)",
}


def about_sets(found: Shared, letters: Sequence[str]) -> list[str]:
    """What of each run the others lack."""
    notes = []
    for letter, rows, unread in zip(letters, found.rows, found.unread, strict=True):
        parts = []
        if dropped := rows - unread - len(found):
            parts.append(f"{counted(dropped, 'picture')} that not all have")
        if unread:
            parts.append(f"{counted(unread, 'picture')} that could not be read")
        if parts:
            notes.append(f"of {letter}'s {rows:,} pictures left out: {' and '.join(parts)}")
    if found.copies:
        are, copies = "is" if found.copies == 1 else "are", counted(found.copies, "shared picture")
        notes.append(f"{copies} {are} there more than once; copies are paired by their paths")
    return notes


def about_settings(runs: Sequence[Run], letters: Sequence[str]) -> list[str]:
    """In what the questions differ that were asked of the models."""
    notes = []
    for name, value in (
        ("layer", lambda each: each.get("layer")),
        (
            "method",
            lambda each: " ".join([str(each.get("method")), *map(_option, (each.get("options") or {}).items())]),
        ),
        ("preparation", lambda each: (each.get("prepare") or {}).get("name")),
    ):
        values = [str(value(run.settings)) for run in runs]
        if len(set(values)) > 1:
            said = ", ".join(f"{letter} {line(each)}" for letter, each in zip(letters, values, strict=True))
            notes.append(f"the {name} differs: {said}" + _SO.get(name, ""))
    keys = [run.about.get("key") for run in runs]
    for letter, key in zip(letters[1:], keys[1:], strict=True):
        if key is not None and key == keys[0]:
            notes.append(f"{letters[0]} and {letter} asked the same of the same model; only the computer can differ")
    for letter, run in zip(letters, runs, strict=True):
        if not run.complete:
            notes.append(f"{letter} is incomplete: {len(run):,} pictures are done")
    return notes


def about_chance(chance: float | None, like: float) -> list[str]:
    """What to know where maps are alike without a common reason, as with objects that are all in the middle."""
    if chance is None or chance <= like:
        return []
    return [
        f"even A's maps of different pictures correlate by {chance:.2f}, so below {like:g} only clear cases count as a "
        f"different reason; with like={chance:.2f} those do that are less alike than different pictures"
    ]


def _option(pair: tuple[str, Any]) -> str:
    return f"{pair[0]}={pair[1]}"
