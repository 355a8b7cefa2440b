"""All measures of a run, as one value that prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Floats, Ints, floats, ints, lists
from seewhy.results.questions import measures
from seewhy.results.questions.confusion import confused, names_of
from seewhy.results.questions.looking import ANSWERS, PLACES, SHOWN, TITLE, Looked, table
from seewhy.results.questions.measures import Bin, ClassMeasures
from seewhy.results.tables import aligned, html, number, percent, percents

if TYPE_CHECKING:
    from seewhy.results.run import Run

_COLUMNS = ("correct", "label_index", "predicted_index", "probability", "loss", "map_scale", "error", *PLACES)


@dataclass(frozen=True, repr=False)
class Measures:
    """How good a run's answers are, and where the model looked. Intervals are Wilson's, 95 %.

    Args:
        pictures, answered, failed: rows, those with an answer, those without.
        labelled: answered pictures with a label that is one of the model's classes; all that follows is of these.
        empty_maps: answered pictures where no region stood out.
        accuracy, accuracy_interval: the share of right answers.
        balanced_accuracy: the mean recall over classes.
        mean_loss: -log of the label's probability, in nats.
        calibration_error: expected calibration error over `reliability` (Guo et al. 2017).
        reliability: 15 bins of probability, of equal width.
        roc_auc: for two classes; None for more.
        classes: precision, recall and F1 of each class that occurs.
        looked: where the model looked, for each predicted class, right and wrong.
        notes: what to know before the numbers are believed.
    """

    pictures: int
    answered: int
    failed: int
    labelled: int
    empty_maps: int
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    balanced_accuracy: float | None
    mean_loss: float | None
    calibration_error: float | None
    reliability: tuple[Bin, ...]
    roc_auc: float | None
    classes: tuple[ClassMeasures, ...]
    looked: tuple[Looked, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where a number has no meaning."""
        return asdict(self)

    def __repr__(self) -> str:
        blocks = [aligned(self._overview())]
        blocks += [title + "\n" + aligned(rows, range(1, len(rows[0]))) for title, rows in self._tables()]
        blocks += [f"note: {note}" for note in self.notes]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        from html import escape

        tables = [html([["measure", "value", ""], *self._overview()])]
        tables += [html(rows, range(1, len(rows[0])), title) for title, rows in self._tables()]
        return "<div>" + "".join(tables) + "".join(f"<p>{escape(note)}</p>" for note in self.notes) + "</div>"

    def _overview(self) -> list[list[str]]:
        failed = f"{self.failed:,} without an answer" if self.failed else ""
        rows = [["pictures", f"{self.pictures:,}", failed]]
        if self.labelled != self.answered:
            rows.append(
                ["with a label", f"{self.labelled:,}", "" if self.labelled else "so nothing to judge answers by"]
            )
        rows.append(["empty maps", f"{self.empty_maps:,}", "no region stood out" if self.empty_maps else ""])
        if self.labelled:
            rows.append(["accuracy", percent(self.accuracy), f"95 %: {percents(self.accuracy_interval)}"])
            rows.append(["balanced accuracy", percent(self.balanced_accuracy), "mean recall of the classes"])
            rows.append(["mean loss", number(self.mean_loss), "nats"])
            rows.append(["calibration error", percent(self.calibration_error), self._leaning])
        if self.roc_auc is not None:
            rows.append(["ROC AUC", number(self.roc_auc), "1 is perfect, 0.5 is chance"])
        return rows

    @property
    def _leaning(self) -> str:
        """Whether the model is surer than it should be."""
        bins = [each for each in self.reliability if each.right is not None and each.said is not None]
        lean = sum(b.pictures * ((b.said or 0) - (b.right or 0)) for b in bins) / max(1, self.labelled)
        if abs(lean) < 0.01:
            return ""
        return f"{100 * abs(lean):.1f} points {'too sure' if lean > 0 else 'not sure enough'} on average"

    def _tables(self) -> list[tuple[str, list[list[str]]]]:
        tables = []
        worst = sorted(self.classes, key=lambda each: -1 if each.f1 is None else each.f1)[:SHOWN]
        if worst:
            kept = self.classes if len(self.classes) <= SHOWN else worst
            title = "classes (intervals 95 %)"
            if len(self.classes) > SHOWN:
                title = f"the {SHOWN} classes with the lowest F1, of {len(self.classes):,} (intervals 95 %)"
            tables.append((title, [_HEAD, *map(_class_row, kept)]))
        if self.labelled:
            rows = [
                [f"{100 * b.low:.0f} to {100 * b.high:.0f} %", f"{b.pictures:,}", percent(b.said), percent(b.right)]
                for b in self.reliability
                if b.pictures
            ]
            tables.append(("how sure, and how often right", [["probability", "pictures", "said", "right"], *rows]))
        rows, _ = table(self.looked, [each.name for each in worst] if len(self.classes) > SHOWN else None)
        return [*tables, (TITLE, rows)] if self.looked else tables


_HEAD = ["class", "labelled", "predicted", "precision", "", "recall", "", "F1"]


def _class_row(one: ClassMeasures) -> list[str]:
    shares = [
        percent(one.precision),
        percents(one.precision_interval),
        percent(one.recall),
        percents(one.recall_interval),
    ]
    return [one.name, f"{one.labelled:,}", f"{one.predicted:,}", *shares, percent(one.f1)]


def measured(run: Run) -> Measures:
    """See `Run.measures`. About 60 bytes of memory a picture."""
    held = run.select(_COLUMNS)
    failed = len(held) - held["error"].null_count
    correct, predicted = ints(held["correct"]), ints(held["predicted_index"])
    known = correct >= 0
    right = correct[known] == 1
    true = ints(held["label_index"])[known]
    table = measures.reliability(floats(held["probability"])[known], right)
    pairs = confused(run, true, predicted[known])
    names = dict(enumerate(pairs.names))
    classes = measures.of_classes(pairs.true, pairs.predicted, pairs.pictures, names)
    loss = floats(held["loss"])[known]
    scale = floats(held["map_scale"])
    count = len(right)
    return Measures(
        pictures=len(held),
        answered=len(held) - failed,
        failed=failed,
        labelled=count,
        empty_maps=int(np.count_nonzero(scale == 0)),
        accuracy=float(right.mean()) if count else None,
        accuracy_interval=measures.wilson(int(right.sum()), count),
        balanced_accuracy=measures.balanced_accuracy(classes),
        mean_loss=float(loss.mean(dtype=np.float64)) if count else None,
        calibration_error=measures.calibration_error(table),
        reliability=table if count else (),
        roc_auc=_auc(run),
        classes=classes,
        looked=_looked(run, predicted, correct, [floats(held[place]) for place in PLACES], scale > 0),
        notes=run.notes,
    )


def _looked(run: Run, predicted: Ints, correct: Ints, shares: list[Floats], drawn: Any) -> tuple[Looked, ...]:
    kept = drawn & (predicted >= 0)
    groups, place = np.unique(predicted[kept].astype(np.int64) * 3 + correct[kept] + 1, return_inverse=True)
    pictures = np.bincount(place, minlength=len(groups))
    means = []
    for values in shares:
        share = values[kept].astype(np.float64)
        there = np.isfinite(share)
        n = np.bincount(place[there], minlength=len(groups))
        total = np.bincount(place[there], share[there], len(groups))
        means.append([total[k] / n[k] if n[k] else None for k in range(len(groups))])
    names = names_of(run, [int(code) // 3 for code in groups])
    order = sorted(range(len(groups)), key=lambda k: (groups[k] // 3, -(groups[k] % 3)))  # right before wrong
    return tuple(
        Looked(names[k], int(groups[k]) // 3, ANSWERS[groups[k] % 3], int(pictures[k]), *(mean[k] for mean in means))
        for k in order
    )


def _auc(run: Run) -> float | None:
    outputs = run.about["settings"].get("model", {}).get("outputs")
    if outputs not in (1, 2):
        return None
    held = run.select(["label_index", "scores"], where=pc.field("correct").is_valid())
    scores, starts = lists(held["scores"])
    whole = np.diff(starts) == (scores.size // max(1, len(held)))
    if not len(held) or not whole.all():
        return None
    each = scores.reshape(len(held), -1)
    return measures.roc_auc(ints(held["label_index"]) == 1, each[:, -1] - (each[:, 0] if each.shape[1] > 1 else 0))
