"""A run: what an audit wrote, opened for questions. Nothing is loaded before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from seewhy.errors import InputError
from seewhy.results import selecting
from seewhy.results.parts import Parts, numbers_of
from seewhy.results.record import SCHEMA
from seewhy.results.rows import Rows
from seewhy.results.store import Store
from seewhy.results.tables import counted, percent, percents

if TYPE_CHECKING:
    from datetime import date

    from seewhy.results.drawn.notebook import Shown
    from seewhy.results.findings import Finding, Findings
    from seewhy.results.questions.clusters import Clusters
    from seewhy.results.questions.confusion import Confusion
    from seewhy.results.questions.focus import Focus
    from seewhy.results.questions.summary import Measures
    from seewhy.results.report.fitting import Report


def open(folder: str | Path, *, root: str | Path | None = None) -> Run:
    """A run that an audit wrote.

    Args:
        folder: of the run.
        root: the folder below which the pictures lie, where they were moved since.
    Returns:
        A `Run`: the parts that are there now.
    Raises:
        InputError: the folder holds no run, a damaged one, or one of a newer seewhy.
    """
    store = Store(Path(folder))
    about = store.about()
    try:
        size, pictures = int(about["settings"]["part_size"]), about["settings"]["data"]["pictures"]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{str(store.folder / 'run.json')!r} lacks {error}",
            "what an audit wrote",
            "restore the file, or audit into another folder",
        ) from error
    numbers = numbers_of(store, size, None if pictures is None else int(pictures))
    below = about.get("root") if root is None else str(root)
    return Run(store.folder, about, numbers, None if below is None else Path(below))


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """What an audit found out about each picture of a data set; `seewhy.open` gives one.

    Args:
        folder: where it lies.
        about: what its run.json holds.
        parts: the numbers of the parts that were there when it was opened.
        root: the folder below which the pictures' paths lie; None: they came without files.
    """

    folder: Path
    about: dict[str, Any]
    parts: tuple[int, ...]
    root: Path | None

    @property
    def settings(self) -> dict[str, Any]:
        """What was asked: model, layer, method, preparation, data, sizes."""
        return dict(self.about["settings"])

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The names of the model's classes, in order; None where it has none."""
        labels = self.about["settings"].get("model", {}).get("labels")
        return None if labels is None else tuple(labels)

    @property
    def part_size(self) -> int:
        return int(self.about["settings"]["part_size"])

    @property
    def pictures(self) -> int | None:
        """How many pictures the data has; None for a stream that did not come to its end."""
        pictures = self.about["settings"]["data"]["pictures"]
        return None if pictures is None else int(pictures)

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of parts that are not there; of a stream without end only those between others."""
        total = max(self.parts, default=-1) + 1 if self.pictures is None else -(-self.pictures // self.part_size)
        return tuple(sorted(set(range(total)) - set(self.parts)))

    @property
    def complete(self) -> bool:
        return self.pictures is not None and not self.missing

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before the numbers are believed."""
        notes = [str(note) for note in self.about.get("notes", ())]
        if not self.complete:
            whole = "a stream of unknown length" if self.pictures is None else f"{self.pictures:,}"
            gone = f"; {counted(len(self.missing), 'part')} missing" if self.missing else ""
            notes.append(f"incomplete: {len(self):,} pictures of {whole}{gone}. Give the same audit again to go on.")
        return tuple(notes)

    def __len__(self) -> int:
        """How many rows there are, those of pictures without an answer among them."""
        return self._parts.rows

    def records(self) -> ds.Dataset:
        """All rows as a lazy `pyarrow.dataset.Dataset`: nothing is read before a scan; checksums are verified then."""
        return self._parts.dataset()

    def select(self, columns: Sequence[str] | None = None, *, where: Any = None, **filters: Any) -> pa.Table:
        """The rows that fit, as a table; the others are not kept in memory.

        Args:
            columns: names; None: all of them, maps too.
            where: a `pyarrow.compute` expression that rows must meet, such as `pc.field("border") > 0.5`.
            filters: a column and what it must be: a value, a list of values, None for null, and for columns that hold
                no truth values True for anything but null. `label` and `predicted` take class indices, too.
        Returns:
            `pyarrow.Table`, in the order of the data.
        Raises:
            UnknownNameError: no such column or class; the nearest are named.
            InputError: a filter that cannot be used, or a damaged part.
        """
        return self._parts.table(selecting.columns(columns), selecting.condition(self, where, filters))

    def batches(self, columns: Sequence[str] | None = None, *, where: Any = None, **filters: Any) -> Iterator[Any]:
        """The same rows in pieces of at most 2,048, so that memory stays flat.

        Yields:
            `pyarrow.RecordBatch`, in the order of the data.
        """
        yield from self._parts.batches(selecting.columns(columns), selecting.condition(self, where, filters))

    def rows(self, ids: Sequence[int], columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of these pictures, in the order of `ids`; only their parts are read."""
        names = list(dict.fromkeys(["id", *selecting.columns(columns)]))
        wanted = np.asarray(ids, np.int64)
        parts = [part for part in np.unique(wanted // self.part_size).tolist() if part in set(self.parts)]
        if not len(wanted) or not parts:
            return SCHEMA.empty_table().select(names)
        # A list, not NumPy's memory: Arrow's threads may drop the last hold on that while Python ends, and abort it.
        known = pa.array(wanted.tolist(), pa.int64())
        found = self._parts.table(names, pc.field("id").isin(known), parts)
        place = pc.index_in(pa.array(wanted), value_set=found["id"].combine_chunks())
        return found.take(place.drop_null())

    def mistakes(
        self,
        kind: str | None = None,
        *,
        predicted: str | int | None = None,
        label: str | int | None = None,
        limit: int | None = None,
        **filters: Any,
    ) -> Rows:
        """Pictures whose predicted class is not their label, the most confident first.

        Args:
            kind: None for all; 'false positive' of the class `predicted`; 'false negative' of the class `label` (of two
                classes the second one where none is named); 'confident' (probability of 0.9 or more); 'close' (the
                label's probability less than 0.1 below).
            predicted, label: a class, by name or index.
            limit: so many at most.
            filters: as in `select`.
        Returns:
            `Rows`, by falling probability of the predicted class.
        Raises:
            UnknownNameError: no such kind or class.
            InputError: the run has no labels, or a false positive or negative of no class.
        """
        return selecting.mistakes(self, kind, predicted, label, limit, filters)

    def most_confident_wrong(self, n: int = 20) -> Rows:
        """The mistakes of which the model was surest."""
        return self.mistakes(limit=n)

    def least_confident_right(self, n: int = 20) -> Rows:
        """Right answers that were nearly wrong: the lowest probability first."""
        return selecting.least_confident_right(self, n)

    def confusion(self) -> Confusion:
        """How often each class was taken for which; prints as a table.

        Raises:
            InputError: the run has no labels.
        """
        from seewhy.results.questions.confusion import confusion

        self.need_labels("the confusion")
        return confusion(self)

    def likely_mislabelled(self, n: int | None = 20) -> Rows:
        """Pictures whose label is probably wrong, by the model's own scores; the most probable ones first.

        A class's usual confidence t_j is the mean probability of j over the pictures labelled j. A picture with label i
        is doubted where p(i) < t_i, and p(j) >= t_j for another class j; of several the one with the highest p(j) is
        suggested. The first is that with the highest p(j) - p(i). Best on pictures that the model was not trained on.

        Args:
            n: so many at most; None: all.
        Returns:
            `Rows` with the columns label_probability, suggested, suggested_index and suggested_probability besides.
        Raises:
            InputError: the run has no labels.
        Paper:
            Northcutt et al. 2021, 'Confident learning', arXiv:1911.00068, eq. 1 and 2.
            Departs: asks for p(i) < t_i, too. Of more than 100 classes only the 20 highest can be suggested.
        """
        from seewhy.results.questions.doubts import likely_mislabelled

        return likely_mislabelled(self, n)

    def near_duplicates(self, across_labels: bool = True, limit: int | None = 1_000) -> Rows:
        """Pairs of pictures that are nearly the same: at most 4 of 64 bits of their perceptual hashes differ.

        Args:
            across_labels: only pairs with different labels, of which one must be wrong.
            limit: so many pairs at most, the nearest first; None: all.
        Returns:
            `Rows` of pairs: the columns id, path, label, the same with other_, distance (bits) and identical (the files
            are the same byte by byte). Of more than 64 pictures with one and the same hash (blank ones, say) not all
            pairs are listed, but each picture is in one.
        Raises:
            InputError: `across_labels` in a run without labels.
        """
        from seewhy.results.questions.pairing import near_duplicates

        return near_duplicates(self, across_labels, limit)

    def focus(self, label: str | int | None = None) -> Focus:
        """Where the model looks for each class that it predicts: mean maps of right and of wrong answers.

        Memory is flat: rows are read in pieces and added up.

        Args:
            label: only pictures with this label.
        Returns:
            `Focus`, which prints as a table and holds the maps; `save("focus.png")` draws them.
        """
        from seewhy.results.questions.focus import focused

        return focused(self, label)

    def looked_at(self, seed: int = 0) -> Clusters:
        """What the model looked at, in groups: pictures in which it attended to like things.

        K-means on the column `attended`: for each class that was predicted often, else over all classes. Groups are
        found from 20,000 pictures drawn by chance where there are more, and then every picture is put into its nearest.

        Args:
            seed: of what is drawn by chance.
        Returns:
            `Clusters`, largest first, which prints as a table; of fewer than 30 pictures none, with the reason.
        """
        from seewhy.results.questions.clusters import looked_at

        return looked_at(self, seed)

    def gallery(self, rows: Rows | str | None, path: str | Path, limit: int = 24, **options: Any) -> None:
        """Writes pictures with their maps: the picture, why the predicted class, and why the label where that differs.

        A picture that is no longer there is told in its tile; its maps are drawn all the same.

        Args:
            rows: what a question of this run gave (pairs of near-duplicates, too), or a kind of `mistakes`, or None for
                all mistakes.
            path: ends in .png, .jpg, .webp, .pdf ...
            limit: so many pictures at most.
            options: columns=2, tile=224 (pixels), colormap, opacity, order, and scale: 'each' map to its own maximum,
                or one scale for both maps of a 'picture', or for 'all'.
        Raises:
            InputError: no rows, or a path that cannot be written.
        """
        from seewhy.images import panels
        from seewhy.results.drawn.galleries import gallery

        asked = rows if isinstance(rows, Rows) else self.mistakes(rows, limit=limit)
        panels.save(gallery(self, asked, limit, **options), path)

    def mean_maps(self, path: str | Path, limit: int = 8, label: str | int | None = None) -> None:
        """Writes where the model looks on average: for each class right answers, wrong ones and the difference.

        Args:
            path: ends in .png, .jpg, .webp, .pdf ...
            limit: classes at most: those with the most answers.
            label: only pictures with this label.
        """
        self.focus(label).save(path, limit)

    def findings(self, decisions: str | Path | None = None) -> Findings:
        """What `find_shortcuts` found in this run, the worst first, with what was decided about it; prints as text.

        Args:
            decisions: the file of decisions; None: `seewhy.toml` here, or in the nearest folder above that has one.
        Raises:
            InputError: nothing was searched yet, or its files, or that of decisions, are damaged.
        """
        from seewhy.results.findings import decided, read

        return decided(read(self.folder), decisions)

    def accept(
        self, code: str, *, reason: str, until: str | date, name: str | None = None, decisions: str | Path | None = None
    ) -> Finding:
        """Accepts a finding until a day: till then no check fails on it. As `decide(code, "accept", ...)`."""
        return self.decide(code, "accept", reason=reason, until=until, name=name, decisions=decisions)

    def decide(
        self,
        code: str,
        action: str | None = None,
        *,
        reason: str | None = None,
        until: str | date | None = None,
        name: str | None = None,
        decisions: str | Path | None = None,
    ) -> Finding:
        """Writes into `seewhy.toml` what is thought of a finding, in the place of what was thought before.

        It holds for the finding of the same class with mostly the same pictures, whatever its code, in this run and in
        others: of the same data analysed anew, and of another model on them.

        Args:
            code: such as 'SC01', or the finding's name.
            action: 'accept' (needs a reason and a day), 'dismiss' (no shortcut; needs a reason) or 'confirm' (it is
                one: a check fails on it even where the tests are unsure); None: only give it a name.
            reason: why, for those who read it later.
            until: the last day on which an acceptance holds: a date, or '2027-03-01'.
            name: what to call it from now on.
            decisions: the file; None: `seewhy.toml` here, or in the nearest folder above that has one.
        Returns:
            The finding, with the decision.
        Raises:
            UnknownNameError: no such finding or action.
            InputError: no reason or day where one is needed, or a file that cannot be read or changed.
        """
        from seewhy.results.findings import decide, decided, read

        found = decided(read(self.folder), decisions if decisions is None or Path(decisions).is_file() else None)
        return decide(found.named(code), action, reason=reason, until=until, name=name, path=decisions)

    def failures(self) -> Rows:
        """Pictures without an answer, and why."""
        return selecting.failures(self)

    def measures(self) -> Measures:
        """How good the answers are, and where the model looked when they were right and when they were wrong."""
        from seewhy.results.questions.summary import measured

        return measured(self)

    def report(
        self,
        path: str | Path = "report.html",
        max_mb: float = 15,
        images: bool = True,
        anonymise: bool = False,
        title: str | None = None,
        seed: int = 0,
    ) -> Report:
        """Writes the run as one HTML file that can be sent: no network, no other file, nothing of the folder's path.

        Up to 200 pictures are shown, chosen to tell most, and up to 20,000 predictions are listed; the report says how
        they were chosen. Pictures are read again, made small, and lose what their files say besides (EXIF).

        Args:
            path: ends in .html.
            max_mb: megabytes (1,000,000 bytes) at most, or inf: pictures get smaller, then fewer, until it fits.
            images: False: without pictures; maps are drawn alone.
            anonymise: no paths, and numbers for names of groups. Names of classes and of the model stay, and pictures.
            title: None: the model's name and the data's.
            seed: of what is drawn by chance.
        Returns:
            `Report`: size, how many pictures and how chosen, what was left out; prints as a few lines.
        Raises:
            InputError: a path that cannot be written, or a size that even the numbers alone do not fit.
        """
        from seewhy.results.report.fitting import report

        return report(self, path, max_mb, images, anonymise, title, seed)

    def show(self, height: int = 720, max_mb: float = 8) -> Shown:
        """The report inside a notebook, in a frame without port or server; a static table and six pictures under it.

        Args:
            height: of the frame, in pixels.
            max_mb: megabytes at most; they become a part of the notebook's file.
        """
        from seewhy.results.drawn.notebook import shown

        return shown(self, height, max_mb)

    def plot_reliability(self, where: Any = None) -> Any:
        """Draws how often answers are right by how sure the model is, with intervals (95 %).

        Args:
            where: a path that ends in .svg, .pdf or .png, or matplotlib axes, or None.
        Returns:
            The matplotlib axes.
        Raises:
            InputError: the run has no labels, or the path cannot be written.
        """
        from seewhy.results.drawn.plots import reliability

        return reliability(self, where)

    def plot_confusion(self, where: Any = None, classes: int = 30) -> Any:
        """Draws which classes are taken for which, as shares of the label; of many those with the most errors.

        Args:
            where: as in `plot_reliability`.
            classes: so many at most.
        """
        from seewhy.results.drawn.plots import confusion

        return confusion(self, where, classes)

    def plot_classes(self, where: Any = None, limit: int = 20) -> Any:
        """Draws precision and recall of the classes with the lowest F1, with intervals (95 %).

        Args:
            where: as in `plot_reliability`.
            limit: so many classes at most.
        """
        from seewhy.results.drawn.plots import classes

        return classes(self, where, limit)

    @cached_property
    def has_labels(self) -> bool:
        """At least one picture has a label that is one of the model's classes."""
        return any(batch.num_rows for batch in self._parts.batches(["id"], pc.field("label_index").is_valid()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names of classes: the model's, else those that occur."""
        if self.labels is not None:
            return self.labels
        found: set[str] = set()
        for batch in self.batches(["label", "predicted"]):
            found.update(name for column in batch.columns for name in pc.unique(column).to_pylist() if name is not None)
        return tuple(sorted(found))

    def name(self, index: int) -> str:
        """The name of a class, as in the columns `label` and `predicted`."""
        labels = self.labels
        return labels[index] if labels is not None and 0 <= index < len(labels) else f"class {index}"

    def need_labels(self, what: str) -> None:
        """Raises InputError where no picture has a label."""
        if not self.has_labels:
            raise InputError(
                f"{what} of a run without labels",
                "labels to compare the answers with",
                "audit a folder of folders named by class, or a manifest with a column `label`; "
                "run.select() and run.focus() work without",
            )

    def __repr__(self) -> str:
        settings = self.about["settings"]
        model = settings.get("model", {})
        classes = counted(2 if model.get("outputs") == 1 else int(model.get("outputs") or 0), "class", "classes")
        lines = [f"model     {model.get('name') or 'unnamed'}, {classes}"]
        lines.append(f"layer     {settings.get('layer', '?')}, {settings.get('method', '?')}")
        try:
            lines += self._counts
        except InputError as error:
            lines.append(f"damaged   {error.came}; {error.remedy}")
        lines += [f"note      {note}" for note in self.notes]
        lines.append("Next: run.measures()  run.mistakes()  run.looked_at()  run.report()")
        return f"Run({str(self.folder)!r})\n" + "\n".join(f"  {line}" for line in lines)

    def _repr_html_(self) -> str:
        from seewhy.results.drawn.notebook import static

        try:
            return static(self)
        except InputError as error:  # a damaged part must not hide the rest
            from html import escape

            return f"<pre>{escape(repr(self))}</pre><p>{escape(error.came)}</p>"

    @cached_property
    def _counts(self) -> list[str]:
        from seewhy.results.questions.measures import wilson

        held = self._parts.table(["correct", "error"])
        failed = len(held) - held["error"].null_count
        said = [f"pictures  {len(held):,}" + (f", {failed:,} of them without an answer" if failed else "")]
        right, judged = pc.sum(held["correct"]).as_py() or 0, len(held) - held["correct"].null_count
        if judged:
            said.append(f"accuracy  {percent(right / judged)} (95 %: {percents(wilson(right, judged))})")
        else:
            said.append("accuracy  unknown: no labels")
        return said

    @cached_property
    def _parts(self) -> Parts:
        return Parts(self.folder, self.parts)
