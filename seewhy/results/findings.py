"""Findings: suspected shortcuts of a run with their evidence, as they are kept in its folder and printed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, overload

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seewhy.errors import InputError
from seewhy.images.resizing import Floats, upscale
from seewhy.results.store import write_whole
from seewhy.results.tables import counted, line
from seewhy.results.trials import SCHEMA as TRIAL_COLUMNS
from seewhy.results.trials import Cell, Shot, Trial

FINDINGS, MEMBERS, TRIALS = "findings.json", "findings.parquet", "findings.trials.parquet"
SCHEMA = 1
_MEMBERS = pa.schema(
    [("code", pa.string()), ("id", pa.int64()), ("path", pa.string()), ("map", pa.list_(pa.float16()))]
)
STATES = ("proven", "suspected", "worth a look")  # the worst first
WHOLE = "whole picture"  # the kind of a finding without a place
_WIDTH = 110

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


class Probe(Protocol):
    """What a finding needs the model for."""

    def mask(self, picture: Any) -> Mask: ...
    def score(self, pictures: Sequence[Any]) -> Floats: ...


@dataclass(frozen=True)
class Effect:
    """What happened when something was done to pictures, beside the same done to others as control.

    Args:
        test: 'paste', 'cover' or 'look' (pictures of other classes given the look of the finding's, without a place).
        region: what was pasted or covered: 'own' (what each picture's heat marks), 'heat' or 'pixels' (one region for
            the whole finding, by its mean heat, or by where its pixels differ from the rest of the class), or 'thing'
            (what sets it apart, found in each picture). Of 'look', what was given: 'colour', 'contrast', 'sharpness'
            or 'all'.
        control: what it is held against: 'rest' (the same with other pictures of the class), 'elsewhere' (a region of
            the same size in another place) or 'own class' (the look of another picture of the receiver's class).
        effect, control_effect: shares of receivers that turned to the class (paste, look), or by how much the class's
            probability fell (cover).
        pictures, control_pictures: how many were tried.
        interval: 95 %, of the difference.
        margin, control_margin: the same in units of the score's margin, means.
        trials, control_trials: the pictures one by one.
        fills: of a cover that was tried with several, each by name with its difference; the least one is told.
    """

    test: str
    region: str
    control: str
    effect: float
    control_effect: float
    pictures: int
    control_pictures: int
    interval: tuple[float, float]
    margin: float
    control_margin: float
    trials: tuple[Trial, ...] = field(default=(), repr=False)
    control_trials: tuple[Trial, ...] = field(default=(), repr=False)
    fills: tuple[tuple[str, float], ...] = ()

    @property
    def difference(self) -> float:
        return self.effect - self.control_effect


@dataclass(frozen=True, eq=False, repr=False)
class Finding:
    """A group of pictures of one predicted class that the model seems to answer by something they share.

    Args:
        code: SC01, SC02 ..., the worst first.
        status: 'proven' (above the line, and covering or pasting it has an effect that its control has not),
            'suspected' (above the line alone), 'worth a look' (below the line).
        kind: 'place' or 'whole picture' (a tint, blur ...).
        label, index: the class that was predicted.
        ids: of its pictures that were looked at, the most typical first.
        paths: of the same.
        looked: how many pictures of the class were looked at.
        pictures: how many of the run are predicted as the class.
        wrong: how many of `ids` are not of the class.
        s, s2, s3: the score without the proof, with it, and with controlled effects alone; s3 orders the findings. Of a
            'whole picture' all three are the share of pictures that its look turns, over its control.
        line: above which a finding is raised.
        parts: of the scores, by name.
        place: where it lies, in words.
        maps: float [n, h, w], 0..1, the heat of each of its pictures.
        where: float [12, 12], the mean heat of its pictures, adding up to 1.
        heat: float [12, 12], where they have more heat than the rest of the class.
        pixels: float [16, 16], the share of each cell's variance that belonging to the finding explains.
        effects: all that was tried.
        words: what was found, in one sentence.
        proof: what covering and pasting did, in one sentence.
        remedy: what to do next.
        cells: which labels and answers show it.
        shots: some pictures of the tests, drawn by chance.
        probe: the model at work; None for a finding that was opened from a folder.
        sort: of a 'whole picture', what its look is of: 'colour', 'contrast', 'sharpness' or 'all'.
    """

    code: str
    status: str
    kind: str
    label: str
    index: int
    ids: tuple[int, ...]
    paths: tuple[str, ...]
    looked: int
    pictures: int
    wrong: int
    s: float
    s2: float
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
    cells: tuple[Cell, ...] = ()
    shots: tuple[Shot, ...] = ()
    probe: Probe | None = field(default=None, compare=False)
    sort: str = ""

    @property
    def raised(self) -> bool:
        return self.status != STATES[-1]

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
        by_pixels = bool(self.pixels.size) and float(self.pixels.max()) >= FIXED
        cells = self.pixels if by_pixels else self.heat
        if not cells.size:
            return np.ones(shape, bool)
        return above(cells, shape, 0.5 if by_pixels else 0.3)

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
                "find_shortcuts(run, model) gives it, the same with the same seed",
            )
        return self.probe

    def __repr__(self) -> str:
        head = f"{self.code}  {self.status}  {self.words}"
        below = [self.proof, f"→ {self.remedy}"]
        wrapped = textwrap.wrap(line(head), _WIDTH, subsequent_indent="      ")
        for text in below:
            wrapped += textwrap.wrap(line(text), _WIDTH, initial_indent="      ", subsequent_indent="      ")
        return "\n".join(wrapped)

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it; the ids are in the Parquet file beside it."""
        left_out = ("ids", "paths", "probe", "effects", "maps", "where", "heat", "pixels")
        kept = {key: value for key, value in vars(self).items() if key not in left_out}
        return {
            **kept,
            "examples": list(self.examples),
            "members": len(self.ids),
            "map_shape": list(self.maps.shape[1:]),
            "effects": [_told(each) for each in self.effects],
            "cells": [asdict(each) for each in self.cells],
            "shots": [asdict(each) for each in self.shots],
            **{name: _rounded(getattr(self, name)) for name in ("where", "heat", "pixels")},
        }


VARYING = "in varying places"
FIXED = 0.08  # of the variance of a cell's pixels: above, the finding has a fixed place


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
        """Those above the line."""
        return tuple(each for each in self.items if each.raised)

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

    def __repr__(self) -> str:
        lines = []
        below = [each for each in self.items if not each.raised]
        whole = [each for each in self.raised if each.kind == WHOLE]
        for each in self.raised:
            if each.kind != WHOLE:
                lines += [repr(each), ""]
        if whole:
            lines += ["Without a place, by how whole pictures look:", ""]
        for each in whole:
            lines += [repr(each), ""]
        if not self.raised:
            lines += [*textwrap.wrap(f"Nothing was raised. {self.seen}", _WIDTH), ""]
        if below:
            lines += [
                "Worth a look, but below the line: groups like these are found in models without a shortcut, too.",
                "",
            ]
            for each in below:
                lines += [repr(each), ""]
        tried = self.tried
        lines += textwrap.wrap(
            f"Looked at {counted(tried['pictures'], 'picture')} of {counted(tried['classes'], 'class', 'classes')}: "
            f"{counted(tried['groups'], 'group')} of alike ones, of which {tried['tested']} were tested by covering "
            f"and pasting; a finding is raised above {tried['line']}, the highest score is {tried['best']:.1f}.",
            _WIDTH,
        )
        if "whole" in tried:
            lines += textwrap.wrap(
                "Given the colours, contrast and sharpness of some of a class's pictures, at most "
                f"{counted(round(100 * tried['whole']['best']), 'point')} more of other classes' turn to it than by "
                f"the control; a finding without a place is raised above {100 * tried['whole']['line']:.0f}.",
                _WIDTH,
            )
        if self.raised:
            lines += textwrap.wrap(self.seen, _WIDTH)
        for note in self.notes:
            lines += textwrap.wrap(f"note: {line(note)}", _WIDTH, subsequent_indent="      ")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "schema": SCHEMA,
            "tried": self.tried,
            "notes": list(self.notes),
            "seen": self.seen,
            "findings": [each.as_dict() for each in self.items],
        }

    def save(self, folder: Path) -> None:
        """Writes findings.json, the pictures of each into findings.parquet, and those of its tests beside it."""
        rows = [
            {"code": each.code, "id": id, "path": path, "map": map.ravel().astype(np.float16)}
            for each in self.items
            for id, path, map in zip(each.ids, each.paths, each.maps, strict=True)
        ]
        table = pa.Table.from_pylist(rows, _MEMBERS)
        write_whole(folder / MEMBERS, lambda file: pq.write_table(table, file, compression="zstd"))
        tried = pa.Table.from_pylist([row for each in self.items for row in _tried(each)], TRIAL_COLUMNS)
        write_whole(folder / TRIALS, lambda file: pq.write_table(tried, file, compression="zstd"))
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False)
        write_whole(folder / FINDINGS, lambda file: file.write(text.encode()))


def read(folder: Path) -> Findings:
    """What `save` wrote.

    Raises:
        InputError: nothing was found out yet, or the files are damaged or of a newer seewhy.
    """
    try:
        held = json.loads((folder / FINDINGS).read_text("utf-8"))
        if held["schema"] > SCHEMA:
            raise ValueError(f"schema {held['schema']}, newer than {SCHEMA}")
        rows, tried = (pq.read_table(folder / name).to_pylist() for name in (MEMBERS, TRIALS))
        items = []
        for each in held["findings"]:
            own = [row for row in rows if row["code"] == each["code"]]
            each["maps"] = np.array([row["map"] for row in own], np.float32).reshape(-1, *each.pop("map_shape"))
            each |= {"ids": tuple(row["id"] for row in own), "paths": tuple(row["path"] for row in own)}
            each["effects"] = tuple(
                _effect(e, [row for row in tried if row["code"] == each["code"]]) for e in each["effects"]
            )
            each["cells"] = tuple(Cell(**cell) for cell in each["cells"])
            each["shots"] = tuple(Shot(**{**shot, "trial": Trial(**shot["trial"])}) for shot in each["shots"])
            each |= {name: np.array(each[name], np.float32) for name in ("where", "heat", "pixels")}
            for name in ("examples", "members"):
                each.pop(name)
            items.append(Finding(**each))
        return Findings(tuple(items), held["tried"], tuple(held["notes"]), held["seen"])
    except FileNotFoundError:
        raise InputError(
            f"no findings in {str(folder)!r}", "a run in which shortcuts were looked for", "find_shortcuts(run, model)"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{str(folder / FINDINGS)!r} cannot be read: {error}",
            "what find_shortcuts wrote",
            "find_shortcuts(run, model) writes it anew",
        ) from error


def above(cells: Floats, shape: tuple[int, int], level: float, quantile: float = 0.6) -> Mask:
    """Where a grid, enlarged, is above a share of its maximum and above a quantile of itself: bool [*shape]."""
    large = upscale(cells, shape, "bilinear")
    line = max(level * float(large.max()), float(np.quantile(large, quantile)))
    return np.asarray((large >= line) & (large > 0))


def _told(effect: Effect) -> dict[str, Any]:
    """An effect for JSON; its trials are in the Parquet file."""
    return {name: value for name, value in vars(effect).items() if name not in ("trials", "control_trials")}


def _tried(finding: Finding) -> Iterator[dict[str, Any]]:
    for each in finding.effects:
        for controls, trials in ((False, each.trials), (True, each.control_trials)):
            of = {"code": finding.code, "test": each.test, "region": each.region, "control": each.control}
            yield from ({**of, "controls": controls, **vars(trial)} for trial in trials)


def _effect(held: dict[str, Any], tried: Sequence[dict[str, Any]]) -> Effect:
    own = [row for row in tried if all(row[name] == held[name] for name in ("test", "region", "control"))]
    one, other = (
        tuple(Trial(*(row[name] for name in Trial.__dataclass_fields__)) for row in own if row["controls"] == controls)
        for controls in (False, True)
    )
    fills = tuple((name, difference) for name, difference in held.get("fills", ()))
    return Effect(**{**held, "interval": tuple(held["interval"]), "fills": fills}, trials=one, control_trials=other)


def _rounded(values: Floats) -> list[Any]:
    found: list[Any] = np.round(np.asarray(values, np.float64), 6).tolist()
    return found
