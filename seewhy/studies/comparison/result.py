"""What a comparison found, as values that print, give pictures by bucket, and are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.results.arrays import Floats, Ints
from seewhy.results.rows import Rows
from seewhy.results.run import Run
from seewhy.studies.comparison import sorting, wording
from seewhy.studies.comparison.answering import Answers
from seewhy.studies.comparison.changes import Change, Side
from seewhy.studies.comparison.sharing import Shared

if TYPE_CHECKING:
    from seewhy.results.report.fitting import Report

LISTED = 20  # pictures of a bucket in `as_dict`


@dataclass(frozen=True, eq=False)
class Held:
    """What each picture's row is made of; arrays of [n], by run where they are lists."""

    shared: Shared
    answers: Answers
    codes: tuple[Ints, ...]
    likeness: tuple[Floats, ...]
    reasons: tuple[Ints, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Models beside each other on the same pictures; `seewhy.compare` gives one. It prints.

    Args:
        runs: as given; the first is what the others are held against.
        sides: the runs on the shared pictures: A, B ...
        changes: B against A, C against A ...
        pictures: how many all runs share and answered.
        judged: how many of them have a label.
        like: maps that correlate less count as a different reason.
        by_chance: the median correlation of A's maps of different pictures; None without maps.
        notes: what to know before the numbers are believed.
        held: what rows are made of.
    """

    runs: tuple[Run, ...]
    sides: tuple[Side, ...]
    changes: tuple[Change, ...]
    pictures: int
    judged: int
    like: float
    by_chance: float | None
    notes: tuple[str, ...]
    held: Held

    @property
    def buckets(self) -> dict[str, int]:
        """Pictures by bucket, B against A; `changes` has those of further runs."""
        return dict(self.changes[0].buckets)

    def bucket(self, name: str, run: str = "B", limit: int | None = None) -> Rows:
        """The pictures of a bucket, what changed most first.

        Args:
            name: 'newly broken', 'fixed', 'both wrong', 'both right', 'different reason'; of pictures without a label
                'changed answer', 'same answer'.
            run: which is held against the first.
            limit: so many at most.
        Returns:
            `Rows` with each run's answer and probability, and the correlation of the maps; by how sure the run is of
            its answer where that changed, else by how unlike the maps are. `id` is that of the first run.
        Raises:
            UnknownNameError: no such bucket or run.
            InputError: a limit below 1.
        """
        if limit is not None and limit < 1:
            raise InputError(f"{limit} rows", "1 or more", "leave it out for all")
        wanted, number = sorting.named(name), self._number(run)
        held = self.held
        codes, likeness, reason = held.codes[number - 1], held.likeness[number - 1], held.reasons[number - 1]
        places = sorting.ranked(wanted, codes, likeness, reason, held.answers, number)
        title = "same answer, different reason" if wanted == sorting.REASON else wanted
        title += f" in {self.sides[number].name}" if len(self.runs) > 2 else ""
        return self._rows(places[:limit], title, len(places), number)

    def newly_broken(self, run: str = "B", limit: int | None = None) -> Rows:
        """Right in the first run, wrong in this one: the surest first. See `bucket`."""
        return self.bucket("newly broken", run, limit)

    def fixed(self, run: str = "B", limit: int | None = None) -> Rows:
        """Wrong in the first run, right in this one: the surest first. See `bucket`."""
        return self.bucket("fixed", run, limit)

    def both_wrong(self, run: str = "B", limit: int | None = None) -> Rows:
        """Wrong in both, though perhaps not alike: the most unlike maps first. See `bucket`."""
        return self.bucket("both wrong", run, limit)

    def both_right(self, run: str = "B", limit: int | None = None) -> Rows:
        """Right in both: the most unlike maps first. See `bucket`."""
        return self.bucket("both right", run, limit)

    def different_reason(self, run: str = "B", limit: int | None = None) -> Rows:
        """The same answer, but maps that hardly correlate: the most unlike first. See `bucket`."""
        return self.bucket("different reason", run, limit)

    def changed_answer(self, run: str = "B", limit: int | None = None) -> Rows:
        """Pictures without a label that are answered otherwise. See `bucket`."""
        return self.bucket("changed answer", run, limit)

    def gallery(self, rows: Rows | str, path: str | Path, limit: int = 12, **options: Any) -> None:
        """Writes pictures with the map of each run beside each other.

        Args:
            rows: of this comparison, or the name of a bucket.
            path: ends in .png, .jpg, .webp, .pdf ...
            limit: so many pictures at most.
            options: columns=2, tile=224 (pixels), colormap, opacity, order. Each map goes to its own maximum: scores of
                different models have no common unit.
        Raises:
            InputError: no rows, or a path that cannot be written.
        """
        from seewhy.images import panels
        from seewhy.results.drawn.beside import gallery

        asked = self._asked(rows)
        panels.save(gallery(self.runs, self._names, asked, self._ids(asked[:limit]), **options), path)

    def gif(
        self, path: str | Path, pictures: Rows | str | Sequence[str] | None = None, limit: int = 6, seconds: float = 1.2
    ) -> None:
        """Writes where the models look, one after the other, on the same pictures.

        Args:
            path: ends in .gif, .webp or .png (APNG).
            pictures: rows of this comparison, the name of a bucket, paths as in the first run, or None for what changed
                most: newly broken, then fixed, then a different reason.
            limit: so many pictures at most.
            seconds: for each model.
        Raises:
            InputError: no pictures, or a path that cannot be written.
        """
        from seewhy.images.animating import animation, kind_of
        from seewhy.images.panels import writing
        from seewhy.results.drawn.beside import frames

        kind, asked = kind_of(path), self._chosen(pictures, limit)
        sheets = frames(self.runs, self._names, self._ids(asked[:limit]))
        data = animation(sheets, kind, seconds)
        with writing(path):
            Path(path).write_bytes(data)

    def report(
        self,
        path: str | Path = "compare.html",
        max_mb: float = 15,
        images: bool = True,
        anonymise: bool = False,
        title: str | None = None,
    ) -> Report:
        """Writes the comparison as one HTML file: numbers, and the pictures of each bucket with each run's map.

        It asks nothing of any network and can be sent. Its large view shows the maps beside each other, in turns
        (blink), under a slider, and their difference.

        Args:
            path: ends in .html.
            max_mb: the most it may weigh; pictures get smaller, then fewer, until it fits.
            images: with the pictures; without them maps are drawn alone.
            anonymise: no paths and no names of folders; classes and pictures stay.
            title: None: the names of the runs' folders.
        Returns:
            `Report`, which prints: how large it is, and what it holds.
        Raises:
            InputError: a path that cannot be written, or a limit that not even the numbers fit in.
        """
        from seewhy.results.report.compared import report
        from seewhy.studies.comparison.handing import handed

        return report(handed(self), path, max_mb, images, anonymise, title)

    def fails(self, *conditions: str) -> list[str]:
        """Which of the conditions are met, each as a sentence; for continuous integration.

        Args:
            conditions: 'newly-broken:10' (10 or more; '2%' of the shared pictures), the same with any bucket;
                'accuracy:-2' (2 points lower, or more); 'worse' (less accurate, by McNemar's exact test at 5 %).
        Returns:
            A sentence for each that is met; an empty list is good.
        Raises:
            InputError: a condition that cannot be read, or one that needs labels without any.
        """
        from seewhy.studies.comparison.failing import met

        return [said for condition in conditions for said in met(self, condition)]

    def as_dict(self, limit: int = LISTED) -> dict[str, Any]:
        """Plain values for JSON.

        Args:
            limit: pictures of each bucket at most, what changed most first.
        """
        from seewhy.studies.comparison.telling import as_dict

        return as_dict(self, limit)

    def __repr__(self) -> str:
        return wording.screen(self)

    def _repr_html_(self) -> str:
        return wording.html_of(self)

    @property
    def _names(self) -> list[str]:
        return [side.name for side in self.sides]

    def _number(self, run: str) -> int:
        """The place of a run that is held against the first."""
        later = self._names[1:]
        if run not in later:
            remedy = did_you_mean(str(run), later, f"write {later[0]!r}")
            raise UnknownNameError(f"no run {run!r} beside A", f"one of {', '.join(map(repr, later))}", remedy)
        return 1 + later.index(run)

    def _rows(self, places: Ints, title: str, found: int, number: int) -> Rows:
        held, first = self.held, self.runs[0]
        answers = held.answers
        names = pa.array(answers.names, pa.string())
        ids = held.shared.ids[0, places]
        label = np.ma.masked_less(answers.label[places], 0)
        columns: dict[str, Any] = {
            "id": pa.array(ids),
            "path": first.rows(ids.tolist(), ["path"])["path"].combine_chunks() if len(ids) else pa.array([], "string"),
            "label": names.take(pa.array(label.filled(0), mask=np.ma.getmaskarray(label))),
        }
        shown = ["path", *(["label"] if self.judged else [])]
        for k, side in enumerate(self.sides):
            columns[side.name] = names.take(pa.array(answers.said[k, places]))
            columns[f"{side.name}_probability"] = pa.array(answers.probability[k, places], pa.float32())
            if k in (0, number):
                shown += [side.name, f"{side.name}_probability"]
        likeness = held.likeness[number - 1][places]
        columns["correlation"] = pa.array(likeness, pa.float32(), mask=np.isnan(likeness))
        buckets = pa.array(sorting.BUCKETS).take(pa.array(held.codes[number - 1][places]))
        columns["bucket"] = buckets
        return Rows(first, pa.table(columns), title, found, (*shown, "correlation"), self.gallery)

    def _asked(self, rows: Rows | str) -> Rows:
        asked = rows if isinstance(rows, Rows) else self.bucket(rows)
        if asked.run is not self.runs[0] or "bucket" not in asked.table.column_names:
            raise InputError(
                f"rows of something else: {asked.title}",
                "rows of this comparison",
                "comparison.newly_broken(), comparison.bucket(...)",
            )
        if not len(asked):
            raise InputError(f"no pictures to draw: {asked.title}: none", "one or more", "ask for another bucket")
        return asked

    def _chosen(self, pictures: Rows | str | Sequence[str] | None, limit: int) -> Rows:
        if isinstance(pictures, Rows | str):
            return self._asked(pictures)
        held = self.held
        if pictures is None:
            names = ("newly broken", "fixed", "changed answer", "different reason", "both wrong", "both right")
            ranked = [
                sorting.ranked(n, held.codes[0], held.likeness[0], held.reasons[0], held.answers, 1) for n in names
            ]
            places = np.array(list(dict.fromkeys(np.concatenate(ranked).tolist())))[:limit]
            return self._rows(places, "what changed most", len(places), 1)
        wanted = [str(each) for each in pictures]
        paths = self.runs[0].select(["path"])["path"].to_pylist()
        place = {paths[row]: k for k, row in enumerate(held.shared.places[0].tolist())}
        for each in wanted:
            if each not in place:
                near = did_you_mean(each, [path for path in place if path], "paths are those below the data's folder")
                raise UnknownNameError(f"no picture {each!r} in all runs", "a path as in the first run", near)
        found = np.array([place[each] for each in wanted], np.int64)
        if not len(found):
            raise InputError("no pictures to draw", "one or more", "leave it out for what changed most")
        return self._rows(found, "chosen pictures", len(found), 1)

    def _ids(self, rows: Rows) -> list[list[int]]:
        """The ids of rows in each run."""
        own = self.held.shared.ids
        ids: list[list[int]] = own[:, np.searchsorted(own[0], rows.ids)].tolist()  # the first run's are in order
        return ids
