"""Which classes are taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Ints, ints
from seewhy.results.tables import aligned, html, percent

if TYPE_CHECKING:
    from seewhy.results.run import Run

_SMALL = 12  # classes of a matrix that is printed whole
_WORST = 20  # pairs that are printed otherwise


@dataclass(frozen=True, eq=False, repr=False)
class Confusion:
    """How often each class was taken for which; only classes that occur.

    Args:
        names: of the classes, in the order of the model's outputs.
        indices: int [classes], their places in the model's outputs.
        true, predicted: int [pairs], places in `names` of classes that occur together.
        pictures: int [pairs], how often.
    """

    names: tuple[str, ...]
    indices: Ints
    true: Ints
    predicted: Ints
    pictures: Ints

    @property
    def counts(self) -> Ints:
        """int64 [true, predicted], made when asked for; of n classes it takes 8 n² bytes."""
        result = np.zeros((len(self.names), len(self.names)), np.int64)
        result[self.true, self.predicted] = self.pictures
        return result

    def worst(self, limit: int | None = None) -> list[dict[str, Any]]:
        """Pairs of classes that were confused, the most frequent first.

        Returns:
            Dictionaries of label, predicted, pictures, and share: of all pictures with that label.
        """
        of_label = np.bincount(self.true, self.pictures, len(self.names))
        wrong = np.flatnonzero(self.true != self.predicted)
        order = wrong[np.lexsort((self.predicted[wrong], self.true[wrong], -self.pictures[wrong]))][:limit]
        return [
            {
                "label": self.names[self.true[k]],
                "predicted": self.names[self.predicted[k]],
                "pictures": int(self.pictures[k]),
                "share": float(self.pictures[k] / of_label[self.true[k]]),
            }
            for k in order
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        pairs = zip(self.true.tolist(), self.predicted.tolist(), self.pictures.tolist(), strict=True)
        return {"classes": list(self.names), "indices": self.indices.tolist(), "pairs": [list(pair) for pair in pairs]}

    def to_pandas(self) -> Any:
        """The counts as a pandas data frame, labels down and predictions across."""
        from importlib import import_module

        return import_module("pandas").DataFrame(self.counts, index=list(self.names), columns=list(self.names))

    def __repr__(self) -> str:
        if not self.names:
            return "no pictures with a label and an answer"
        return f"{self._heading}\n" + aligned(*self._cells())

    def _repr_html_(self) -> str:
        return html(*self._cells(), caption=self._heading) if self.names else f"<p>{self!r}</p>"

    @property
    def _heading(self) -> str:
        total, right = int(self.pictures.sum()), int(self.pictures[self.true == self.predicted].sum())
        what = "labels down, answers across" if len(self.names) <= _SMALL else "classes most often confused"
        return f"{what}: {total - right:,} of {total:,} pictures wrong, {len(self.names):,} classes"

    def _cells(self) -> tuple[list[list[str]], Sequence[int]]:
        if len(self.names) <= _SMALL:
            rows = [
                [name, *(f"{n:,}" if n else "·" for n in row)]
                for name, row in zip(self.names, self.counts, strict=True)
            ]
            return [["", *self.names], *rows], range(1, len(self.names) + 1)
        worst = self.worst(_WORST)
        head = ["label", "predicted", "pictures", "share of the label"]
        return [head, *([w["label"], w["predicted"], f"{w['pictures']:,}", percent(w["share"])] for w in worst)], (2, 3)


def confusion(run: Run) -> Confusion:
    """See `Run.confusion`."""
    held = run.select(["label_index", "predicted_index"], where=pc.field("correct").is_valid())
    return confused(run, ints(held["label_index"]), ints(held["predicted_index"]))


def confused(run: Run, true: Ints, predicted: Ints) -> Confusion:
    """From the classes of each picture: int [n] each."""
    indices = np.union1d(true, predicted).astype(np.int64)
    size = max(1, len(indices))
    codes = np.searchsorted(indices, true) * size + np.searchsorted(indices, predicted)
    pairs, pictures = np.unique(codes, return_counts=True)
    return Confusion(names_of(run, indices.tolist()), indices, pairs // size, pairs % size, pictures)


def names_of(run: Run, indices: Sequence[int]) -> tuple[str, ...]:
    """A name for each class; where several have one name, their places tell them apart."""
    names = [run.name(index) for index in indices]
    often = Counter(run.labels or (run.name(index) for index in set(indices)))
    return tuple(f"{name} ({i})" if often[name] > 1 else name for name, i in zip(names, indices, strict=True))
