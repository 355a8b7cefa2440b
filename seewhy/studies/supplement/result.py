"""A study as it is asked: the curve over the shares, its noise, and what each model looked at."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.panels import writing
from seewhy.results.questions.measures import holm
from seewhy.results.run import Run
from seewhy.results.run import open as opened
from seewhy.results.tables import aligned, counted, html, line, percent
from seewhy.studies.supplement.keeping import Ended, Folder
from seewhy.studies.supplement.measures import FOCUS, SCORES, Measure, read, shown
from seewhy.studies.supplement.noise import LEVEL, Estimate, estimated

_ACROSS = 6  # columns of a table
_WIDTH = 110
_UNITS = {"entropy"}  # what is no share
HOW = (
    "t interval over held-out pictures and trainings, both as random effects (Hillis 2007), paired by picture and "
    "seed; Holm's correction over the shares and all measures of a kind; level 5 %"
)


@dataclass(frozen=True)
class Point:
    """One measure at one share.

    Args:
        measure: its name.
        kind, of: what it is of: see `Measure`.
        share: of the supplement, 0..1.
        mean: over pictures and trainings, of pictures that have a value (a map that is not empty) under all of them.
        spread: standard deviation over the trainings' means; None of one.
        low, high: 95 %, for other pictures and other trainings; None where it cannot be told.
        seeds: the trainings.
        values: each one's mean, over all pictures that have a value under it.
        pictures: held-out pictures in `mean`.
        change: to the smallest share, on the trainings that both have; None at that share.
        change_low, change_high: 95 %, paired.
        p: that the change is noise, corrected for all comparisons of the kind.
        beyond_noise: p is below 5 %; never of one training alone, whose own noise is not known.
    """

    measure: str
    kind: str
    of: str
    share: float
    mean: float
    spread: float | None
    low: float | None
    high: float | None
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    pictures: int
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    p: float | None = None
    beyond_noise: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class Study(Sequence[Ended]):
    """What a supplement does to score and focus: the trainings that ended, and the curve over the shares.

    A sequence of the trainings, failed ones among them; prints as a table. It names no winner: the curve says which
    changes exceed the noise.

    Args:
        folder: where it lies.
        about: what its study.json holds.
        trainings: by share, then seed.
    """

    folder: Path
    about: dict[str, Any]
    trainings: tuple[Ended, ...]

    def __len__(self) -> int:
        return len(self.trainings)

    def __getitem__(self, index: Any) -> Any:
        return self.trainings[index]

    def __iter__(self) -> Iterator[Ended]:
        return iter(self.trainings)

    @property
    def finished(self) -> tuple[Ended, ...]:
        """The trainings whose model was audited."""
        return tuple(each for each in self.trainings if each.error is None)

    @property
    def failures(self) -> tuple[Ended, ...]:
        """Those that failed, with the reason."""
        return tuple(each for each in self.trainings if each.error is not None)

    @property
    def shares(self) -> tuple[float, ...]:
        """Those with a model."""
        return tuple(sorted({each.share for each in self.finished}))

    @property
    def missing(self) -> int:
        """How many trainings are still to be done; those that failed count."""
        settings = self.about["settings"]
        return len(settings["shares"]) * int(settings["repeats"]) - len(self.finished)

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before the numbers are believed."""
        notes = [str(note) for note in self.about["notes"]]
        for each in self.failures:
            notes.append(f"share {each.share:g}, seed {each.seed} failed: {(each.error or '').splitlines()[0]}")
        for each in self.finished:
            for said in (each.unsaved, each.unmeasured):
                if said is not None:
                    notes.append(f"share {each.share:g}, seed {each.seed}: {said.splitlines()[0]}")
        undone = self.missing - len(self.failures)
        if undone > 0:
            notes.append(f"{counted(undone, 'training')} not done yet; give the same call again to go on")
        if self.finished and max(len(self.seeds(share)) for share in self.shares) < 2:
            notes.append("one training a share: its noise is not known, so no change is said to exceed it")
        return tuple(notes)

    def seeds(self, share: float) -> tuple[int, ...]:
        """Of the trainings of a share."""
        return tuple(each.seed for each in self.finished if each.share == share)

    def run(self, share: float, seed: int | None = None) -> Run:
        """The audit of a model: see `Run`.

        Args:
            share: one of `shares`.
            seed: of the training; None: the first one.
        Raises:
            UnknownNameError: there is no such model.
        """
        seeds = self.seeds(float(share))
        if not seeds or (seed is not None and seed not in seeds):
            known = [f"{one.share:g} with seed {one.seed}" for one in self.finished]
            raise UnknownNameError(
                f"no model of share {share:g}" + ("" if seed is None else f" and seed {seed}"),
                f"one of {', '.join(known[:6])}{' ...' if len(known) > 6 else ''}",
                "see study.finished and study.failures",
            )
        return opened(Folder(self.folder).run(float(share), seeds[0] if seed is None else seed))

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        """A `Point` for each measure and share: accuracy, each class, each group, and what the model looked at.

        Changes are held against the smallest share by a t interval over pictures and trainings, both as random effects
        (Hillis 2007, doi:10.1002/sim.2532), paired by picture and seed; p is corrected by Holm's method over the shares
        and all measures of the kind.
        """
        points = [point for measure in self._measures for point in self._points(measure)]
        found = list(points)
        for kind in dict.fromkeys(point.kind for point in points):
            places = [i for i, point in enumerate(points) if point.kind == kind and point.p is not None]
            for i, p in zip(places, holm([points[i].p or 0.0 for i in places]), strict=True):
                single = len(points[i].seeds) < 2
                beyond = p < 1 - LEVEL and not single
                found[i] = Point(**{**vars(points[i]), "p": p, "beyond_noise": beyond})
        return tuple(found)

    def difference(self, one: float, other: float, measure: str = "accuracy") -> Estimate:
        """By how much a measure is higher at one share than at another, paired by picture and seed.

        Args:
            one, other: shares.
            measure: a name from the curve.
        Returns:
            `Estimate`: mean, interval (95 %) and p, not corrected for other comparisons.
        Raises:
            UnknownNameError: no such measure or share, or no seed that both have.
        """
        names = {each.name: each for each in self._measures}
        if measure not in names:
            raise UnknownNameError(
                f"no measure {measure!r}",
                f"one of {', '.join(map(repr, list(names)[:8]))}",
                did_you_mean(measure, names, "see study.curve"),
            )
        for share in (one, other):
            self.run(share)
        found = self._change(names[measure], float(other), float(one))
        if found is None:
            raise UnknownNameError(
                f"no seed that the shares {one:g} and {other:g} have in common", "one at least", "study both anew"
            )
        return found

    def table(self) -> pa.Table:
        """The curve as a `pyarrow.Table`, a row for each measure and share."""
        return pa.Table.from_pylist([asdict(point) for point in self.curve])

    def save(self, path: str | Path) -> None:
        """Writes the curve.

        Args:
            path: ends in .csv or .parquet.
        """
        ending = Path(path).suffix.lower()
        if ending not in (".csv", ".parquet"):
            raise InputError(f"the path {str(path)!r}", "a file that ends in .csv or .parquet", "write curve.csv")
        with writing(path):
            if ending == ".parquet":
                pq.write_table(self.table(), path)
                return
            text = io.StringIO()
            rows = csv.writer(text)
            names = list(Point.__dataclass_fields__)
            rows.writerow(names)
            for point in self.curve:
                row = vars(point) | {name: " ".join(map(str, getattr(point, name))) for name in ("seeds", "values")}
                rows.writerow(["" if row[name] is None else row[name] for name in names])
            Path(path).write_text(text.getvalue(), "utf-8")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "settings": self.about["settings"],
            "pictures": self.about["pictures"],
            "trainings": [asdict(each) for each in self.trainings],
            "how": HOW,
            "curve": [asdict(point) for point in self.curve],
            "notes": list(self.notes),
        }

    def plot(self, where: str | Path | None = None) -> Any:
        """Draws the curve: scores above, focus below; a dot for each training, a line through the means.

        Args:
            where: a path that ends in .svg, .pdf or .png; None: not written.
        Returns:
            The matplotlib figure.
        """
        from seewhy.studies.supplement.drawing import plot

        return plot(self, where)

    def strip(self, picture: str | int, seed: int | None = None) -> Any:
        """One held-out picture under a model of each share, beside each other: PIL image.

        Args:
            picture: its place among the held-out ones, its path there, or the end of that.
            seed: of the trainings; None: the first one of each share.
        Raises:
            UnknownNameError: no such picture among those held out.
        """
        from seewhy.studies.supplement.drawing import strip

        return strip(self, picture, seed)

    def gif(self, picture: str | int, path: str | Path, seed: int | None = None, seconds: float = 1.0) -> None:
        """Writes one held-out picture under a model of each share, one after the other.

        Args:
            picture, seed: as in `strip`.
            path: ends in .gif, .webp or .apng.
            seconds: how long each is shown.
        """
        from seewhy.studies.supplement.drawing import gif

        gif(self, picture, path, seed, seconds)

    def report(self, path: str | Path = "study.html", pictures: int = 6) -> Path:
        """Writes the study as one HTML file without scripts: no network, no other file.

        Args:
            path: ends in .html.
            pictures: so many held-out pictures are shown over the shares: those whose answers change most.
        """
        from seewhy.studies.supplement.report import report

        return report(self, Path(path), pictures)

    @property
    def measures(self) -> list[str]:
        """The names of all that was measured."""
        return [each.name for each in self._measures]

    def __repr__(self) -> str:
        lines = [self.heading, ""]
        for columns in self._columns():
            lines += [aligned(*self._cells(columns)), ""]
        lines += textwrap.wrap(" ".join(self._legend), _WIDTH)
        for note in self.notes:
            lines += textwrap.wrap(f"note: {line(note)}", _WIDTH, subsequent_indent="      ")
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        tables = [html(*self._cells(columns)) for columns in self._columns()]
        notes = "".join(f"<p>{_escaped(text)}</p>" for text in (*self._legend, *self.notes))
        return f"<p>{_escaped(self.heading)}</p>{''.join(tables)}{notes}"

    @property
    def heading(self) -> str:
        """What was studied, in a line."""
        of, settings = self.about["pictures"], self.about["settings"]
        return (
            f"Study of {settings['supplement']['name']}: {counted(of['supplement'], 'picture')} beside "
            f"{of['training']:,} of {counted(len(self.about['classes']), 'class', 'classes')}; "
            f"{of['held_out']:,} held out; {counted(len(self.finished), 'model')}"
        )

    @property
    def _legend(self) -> list[str]:
        if not self.shares:
            return ["No training has succeeded."]
        what = "▲ ▼ differ" if any(point.beyond_noise for point in self.curve) else "Nothing differs"
        least = shown(self.shares[0])
        return [f"± is the standard deviation over trainings. {what} from {least} beyond the noise: {HOW}."]

    def _columns(self) -> list[list[Measure]]:
        """The measures of each table: scores, then focus; of many classes and groups the first ones."""
        own = self._measures
        parts = [[each for each in own if each.kind in kinds] for kinds in (SCORES[:2], SCORES[2:], FOCUS)]
        return [part[:_ACROSS] for part in parts if part]

    def _cells(self, columns: Sequence[Measure]) -> tuple[list[list[str]], range]:
        rows = [["share", "added", "models", *(line(each.name) for each in columns)]]
        points = {(point.kind, point.of, point.share): point for point in self.curve}
        for share in self.shares:
            added = sorted({each.added for each in self.finished if each.share == share})
            row = [shown(share), f"{added[0]:,}"]
            row.append(str(len(self.seeds(share))))
            rows.append([*row, *(written(points.get((each.kind, each.of, share))) for each in columns)])
        return rows, range(3 + len(columns))

    @cached_property
    def _values(self) -> dict[tuple[float, int], dict[Measure, Any]]:
        found = {}
        for each in self.finished:
            values = read(Folder(self.folder).values(each.share, each.seed))
            if values is not None:
                found[each.share, each.seed] = values
        return found

    @cached_property
    def _measures(self) -> list[Measure]:
        known = dict.fromkeys(measure for values in self._values.values() for measure in values)
        order = [*SCORES, *FOCUS]
        return sorted(known, key=lambda each: order.index(each.kind))

    def _of(self, measure: Measure, share: float) -> dict[int, Any]:
        """The values of each seed's model."""
        return {
            seed: self._values[share, seed][measure]
            for seed in self.seeds(share)
            if measure in self._values.get((share, seed), {})
        }

    def _points(self, measure: Measure) -> list[Point]:
        points = []
        for share in self.shares:
            own = self._of(measure, share)
            found = estimated(np.stack(list(own.values()))) if own else None
            if found is None:
                continue
            means = tuple(float(np.nanmean(values)) for values in own.values())
            spread = float(np.std(means, ddof=1)) if len(means) > 1 else None
            change = self._change(measure, self.shares[0], share) if share != self.shares[0] else None
            points.append(
                Point(
                    *(measure.name, measure.kind, measure.of, share, found.mean, spread, found.low, found.high),
                    *(tuple(own), means, found.pictures),
                    *((change.mean, change.low, change.high, change.p) if change else ()),
                )
            )
        return points

    def _change(self, measure: Measure, before: float, after: float) -> Estimate | None:
        first, second = self._of(measure, before), self._of(measure, after)
        both = [seed for seed in first if seed in second]
        return estimated(np.stack([second[seed] - first[seed] for seed in both])) if both else None


def open_study(folder: str | Path) -> Study:
    """A study that `study` wrote, whole or as far as it is.

    Args:
        folder: of the study.
    Raises:
        InputError: the folder holds no study, a damaged one, or one of a newer seewhy.
    """
    held = Folder(Path(folder))
    about = held.about()
    seeds = range(about["settings"]["seed"], about["settings"]["seed"] + about["settings"]["repeats"])
    asked = {(share, seed) for share in about["settings"]["shares"] for seed in seeds}
    ended = [each for key, each in sorted(held.ended().items()) if key in asked]
    return Study(held.path, about, tuple(ended))


def written(point: Point | None) -> str:
    """A point as people read it: '81.2 % ± 1.0 ▲'."""
    if point is None:
        return "–"
    if point.kind in _UNITS:
        text = f"{point.mean:.3f}" + ("" if point.spread is None else f" ± {point.spread:.3f}")
    else:
        text = percent(point.mean) + ("" if point.spread is None else f" ± {100 * point.spread:.1f}")
    mark = " " if not point.beyond_noise else "▲" if (point.change or 0) > 0 else "▼"
    return f"{text} {mark}"


def _escaped(text: str) -> str:
    from html import escape

    return escape(line(text))
