"""Labels that are probably wrong: confident learning on the scores of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from seewhy.results.arrays import Floats, Ints, floats, ints, lists, rows_of
from seewhy.results.rows import Rows
from seewhy.results.selecting import LIGHT

if TYPE_CHECKING:
    from seewhy.results.run import Run

SHOWN = ("path", "label", "label_probability", "suggested", "suggested_probability")


def likely_mislabelled(run: Run, n: int | None) -> Rows:
    """See `Run.likely_mislabelled`."""
    run.need_labels("labels to doubt")
    model = run.about["settings"].get("model", {})
    judged = pc.field("correct").is_valid()
    held = run.select(["label_index", "loss"], where=judged)
    usual = self_confidence(ints(held["label_index"]), np.exp(-floats(held["loss"]).astype(np.float64)))
    columns = ["id", "label_index", "predicted_index", "probability", "loss", "scores", "classes"]
    found: list[tuple[Ints, Floats, Ints, Floats]] = []
    for batch in run.batches(columns, where=judged):
        label, own = ints(batch["label_index"]), np.exp(-floats(batch["loss"]).astype(np.float64))
        low = np.flatnonzero(own < usual[label])
        row, named, shares = probabilities(batch, model.get("outputs") == 1, bool(model.get("several")))
        other, most = suggested(row, named, shares, label, usual)
        low = low[other[low] >= 0]
        if len(low):
            found.append((ints(batch["id"])[low], own[low], other[low], most[low]))
    if not found:
        return Rows(
            run, _with(run.select(LIGHT, where=pc.field("id") < 0), [], run, [], []), "likely mislabelled", 0, SHOWN
        )
    ids, own, other, most = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((ids, own - most))[:n]
    rows = run.rows(ids[order].tolist(), LIGHT)
    return Rows(run, _with(rows, own[order], run, other[order], most[order]), "likely mislabelled", len(ids), SHOWN)


def self_confidence(label: Ints, own: Floats) -> Floats:
    """The mean probability of the label over the pictures with that label; infinite where there are none.

    Args:
        label: int [n], classes.
        own: float [n], the probability of each picture's label.
    Returns:
        float64 [classes].
    Paper:
        Northcutt et al. 2021, 'Confident learning', arXiv:1911.00068, eq. 2: t_j = 1/|X_j| sum over X_j of p(j; x).
    """
    size = int(label.max()) + 1 if len(label) else 0
    pictures = np.bincount(label, minlength=size)
    total = np.bincount(label, own, size)
    return np.where(pictures > 0, total / np.maximum(pictures, 1), np.inf)


def suggested(row: Ints, classes: Ints, shares: Floats, label: Ints, usual: Floats) -> tuple[Ints, Floats]:
    """The class that each picture more probably is, and its probability; -1 and 0 where there is none.

    Args:
        row, classes, shares: int, int, float [values]: the picture, the class and its probability.
        label: int [pictures].
        usual: float [classes], `self_confidence`.
    Paper:
        Northcutt et al. 2021, eq. 1: argmax of p(j; x) over the classes j with p(j; x) >= t_j, here without the label.
    """
    inside = classes < len(usual)
    over = np.zeros(len(row), bool)
    over[inside] = shares[inside] >= usual[classes[inside]]
    over &= classes != label[row]
    row, classes, shares = row[over], classes[over], shares[over]
    order = np.lexsort((-classes, shares, row))  # the last of each picture is its highest
    last = order[np.append(row[order][1:] != row[order][:-1], True)[: len(order)]]
    best, most = np.full(len(label), -1), np.zeros(len(label))
    best[row[last]], most[row[last]] = classes[last], shares[last]
    return best, most


def probabilities(batch: Any, single: bool, several: bool) -> tuple[Ints, Ints, Floats]:
    """The probability of each class whose score is kept.

    Of more than 100 classes only the 20 highest scores are kept, and the label's, and yet their probabilities are
    exact: p(j) = p(predicted) exp(s_j - s_predicted), for the sum that softmax divides by is the same. A class that is
    left out has less than 1/20.

    Args:
        batch: predicted_index, probability, scores and classes.
        single: one output for two classes; p(other) = 1 - p(predicted).
        several: sigmoids instead of a softmax.
    Returns:
        The row in the batch, the class and its probability: int, int, float64 [values].
    """
    said, sure = ints(batch["predicted_index"]), floats(batch["probability"]).astype(np.float64)
    if single:
        row: Ints = np.repeat(np.arange(len(said)), 2)
        both = np.tile([0, 1], len(said))
        return row, both, np.where(both == said[row], sure[row], 1 - sure[row])
    scores, starts = lists(batch["scores"])
    row = rows_of(starts)
    classes: Ints = np.arange(len(scores)) - starts[row]  # all classes, in order
    kept, begins = lists(batch["classes"])
    named = np.diff(begins) > 0
    classes[named[row]] = kept
    if several:
        return row, classes, 0.5 * (1 + np.tanh(0.5 * scores.astype(np.float64)))
    top = np.zeros(len(said))
    is_said = classes == said[row]
    top[row[is_said]] = scores[is_said]
    return row, classes, sure[row] * np.exp(scores.astype(np.float64) - top[row])


def _with(rows: pa.Table, own: Any, run: Run, other: Any, most: Any) -> pa.Table:
    names = [run.name(int(index)) for index in other]
    rows = rows.append_column("label_probability", pa.array(own, pa.float32()))
    rows = rows.append_column("suggested", pa.array(names, pa.string()))
    rows = rows.append_column("suggested_index", pa.array(other, pa.int32()))  # two classes may have one name
    return rows.append_column("suggested_probability", pa.array(most, pa.float32()))
