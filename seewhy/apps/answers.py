"""Answers put out: a block of the table, a line of JSON, a panel on the disk."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from seewhy.apps.pictures import plain
from seewhy.apps.terminal import as_options, fitted, say, width
from seewhy.errors import InputError, SeeWhyError
from seewhy.explanation import Explanation, Explanations, Failed
from seewhy.images.panels import png, writing

_NUMBERS = (9, 7)  # columns of score and probability
_WHERE = 34  # columns of the shortened words on where a map lies


def write(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all, so that Ctrl-C leaves no half of one.

    Raises:
        InputError: the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        part.write_bytes(data)
        os.replace(part, path)


def made(folder: Path) -> Path:
    """The folder, made where it is not there yet.

    Raises:
        InputError: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {folder}: {error.strerror}", "a folder that can be made and written", "name another one"
        ) from error
    return folder


@dataclass(frozen=True)
class Written:
    """What was written of one picture."""

    panel: Path
    raws: tuple[Path, ...] = ()
    animation: Path | None = None


def fused(answer: Any, how: str) -> Any:
    """One map for each target; `Failed` where the maps cannot be fused."""
    try:
        found = [group.fuse(how) for group in answer.by_target()]
    except SeeWhyError as error:
        return Failed(answer[0].name, error)
    return Explanations(found)


def keep(
    answer: Explanations,
    name: str,
    out: Path,
    drawing: dict[str, Any],
    raw: bool,
    film: Explanations | None = None,
) -> Written:
    """Writes the panel of an answer as PNG; beside it with `raw` its maps as NumPy files, and `film` as GIF."""
    panel, animation = out / f"{name}.png", None
    write(panel, png(answer.grid(**drawing)))
    if film is not None:
        animation = out / f"{name}.gif"
        write(animation, film.animation(**drawing))
    raws = []
    for number, one in enumerate(answer if raw else (), start=1):
        buffer = BytesIO()
        np.save(buffer, one.map)
        raws.append(out / f"{name}.{number}-{plain(one.label)}.npy")
        write(raws[-1], buffer.getvalue())
    return Written(panel, tuple(raws), animation)


def short_where(one: Explanation) -> str:
    """Where the map lies, without the words that a column's heading makes clear."""
    return one.where.replace(" of the map is", "").replace(" of the picture", "")


def json_line(file: Path, answer: Any, written: Written | None) -> str:
    """One JSON object for one picture, on one line; ASCII, so that it passes any pipe."""
    if written is None:
        error: SeeWhyError = answer.error
        told = {"came": error.came, "expected": error.expected, "to_do": as_options(error.remedy)}
        return json.dumps({"schema": 1, "file": str(file), "error": told})
    rows = []
    for number, one in enumerate(answer):
        row, column = one.peak
        rows.append(
            {
                "target": one.target,
                "label": one.label,
                "index": one.index,
                "score": _number(one.score),
                "probability": _number(one.probability),
                "layer": one.layer,
                "method": one.method,
                "map": list(one.map.shape),
                "highest": _number(float(one.map.max())),
                "peak": None if one.empty else {"row": row, "column": column},
                "where": one.where,
                "raw": str(written.raws[number]) if written.raws else None,
                "notes": [as_options(note) for note in one.notes],
            }
        )
    first = answer[0]
    height, across = first.picture.shape[:2]
    return json.dumps(
        {
            "schema": 1,
            "file": str(file),
            "written": str(written.panel),
            "animation": None if written.animation is None else str(written.animation),
            "model": first.model,
            "width": across,
            "height": height,
            "box": [round(edge, 3) for edge in first.box],
            "rows": rows,
        },
        allow_nan=False,
    )


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


@dataclass
class Blocks:
    """Prints answers picture by picture, in columns that stay the same.

    Args:
        device: where the model runs, in words.
        notes: what was to be noted, and of how many maps; told once at the end.
    """

    device: str
    notes: dict[str, int] = field(default_factory=dict)
    longest: int = 24  # columns of the longest label so far: nothing is cut where no terminal is
    started: bool = False

    def show(self, file: Path, answer: Explanations, written: Written) -> None:
        layers = len({one.layer for one in answer})
        self.longest = max(self.longest, *(cell_len(one.subject) for one in answer))
        if not self.started:
            self._head(answer[0], layers)
        moving = "" if written.animation is None else f", {written.animation.name}"
        say(Text.assemble((str(file), "bold"), " → ", (f"{written.panel}{moving}", "cyan")))
        for one in answer:
            lies = f"{one.layer}: {short_where(one)}" if layers > 1 else short_where(one)
            chance = "" if one.probability is None else f"{one.probability:.1%}"
            self._row(one.subject, f"{one.score:.2f}", chance, lies, "dim" if one.empty else "")
            for note in one.notes:
                self.notes[note] = self.notes.get(note, 0) + 1
        if written.raws:
            say(f"  raw maps: {written.raws[0].name}" + (f" and {n} more" if (n := len(written.raws) - 1) else ""))

    def show_failed(self, file: Path, error: SeeWhyError) -> None:
        say(Text.assemble((str(file), "bold"), " ", ("not explained", "red")))
        say(f"  {as_options(error.came)}")
        say(f"  to do: {as_options(error.remedy)}")

    def end(self) -> None:
        for note, count in self.notes.items():
            say(f"note: {as_options(note)}" + (f" ({count} maps)" if count > 1 else ""), "yellow")

    def _head(self, one: Explanation, layers: int) -> None:
        self.started = True
        classes = len(one.scores)
        rows, columns = one.map.shape
        fused = one.layer.endswith(" layers")
        where = f"{layers} layers" if layers > 1 else f"{'' if fused else 'layer '}{one.layer} ({rows} × {columns})"
        counted = f"{classes:,} classes" if classes else "no scores"
        say(f"{one.model}, {counted}, {self.device}; {one.method} at {where}", "dim")
        self._row("label", "score", "prob.", "the map lies", "dim")

    def _row(self, label: str, score: str, chance: str, where: str, style: str) -> None:
        columns = width()
        numbers = f"{fitted(score, _NUMBERS[0], True)}  {fitted(chance, _NUMBERS[1], True)}"
        room = self.longest if columns is None else min(max(columns - sum(_NUMBERS) - _WHERE - 8, 16), 48)
        say(f"  {fitted(label, room)}  {numbers}  {where}".rstrip(), style)
