"""How good answers are: arrays in, plain numbers out; None where a number has no meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.results.arrays import Floats, Ints

_Z = 1.959963984540054  # 95 % of a normal distribution lie within so many standard deviations
BINS = 15


def wilson(right: int, total: int) -> tuple[float, float] | None:
    """The 95 % interval of a share; None where nothing was counted.

    Args:
        right, total: counts.
    Source:
        Wilson 1927, 'Probable inference, the law of succession, and statistical inference', J. Am. Stat. Assoc. 22.
    """
    if not total:
        return None
    share = right / total
    middle = share + _Z**2 / (2 * total)
    reach = _Z * math.sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    low, high = ((middle + sign * reach) / (1 + _Z**2 / total) for sign in (-1, 1))
    return (0.0 if right == 0 else low, 1.0 if right == total else high)  # exact where rounding is not


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """P-values corrected for their number.

    Source:
        Holm 1979, 'A simple sequentially rejective multiple test procedure', Scandinavian Journal of Statistics 6.
    """
    order = sorted(range(len(p)), key=lambda k: p[k])
    corrected, least = [0.0] * len(p), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = least
    return tuple(corrected)


@dataclass(frozen=True)
class Bin:
    """Answers of about the same probability.

    Args:
        low, high: probabilities in (low, high].
        pictures: how many.
        said: their mean probability; None where there are none.
        right: the share that was right.
    """

    low: float
    high: float
    pictures: int
    said: float | None
    right: float | None


def reliability(probability: Floats, correct: Any, bins: int = BINS) -> tuple[Bin, ...]:
    """How often answers were right, by how sure the model was; bins of equal width.

    Args:
        probability: float [n], of the predicted class.
        correct: bool [n].
    Source:
        Guo et al. 2017, 'On calibration of modern neural networks', arXiv:1706.04599, section 2; 15 bins as there.
    """
    sure = np.asarray(probability, np.float64)
    place = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    said = np.bincount(place, sure, bins)
    right = np.bincount(place, np.asarray(correct, np.float64), bins)
    return tuple(
        Bin(k / bins, (k + 1) / bins, int(n), said[k] / n if n else None, right[k] / n if n else None)
        for k, n in enumerate(counts)
    )


def calibration_error(table: tuple[Bin, ...]) -> float | None:
    """Expected calibration error: the mean of |right - said| over bins, weighed by their pictures.

    Source:
        Guo et al. 2017, arXiv:1706.04599, eq. 3.
    """
    total = sum(each.pictures for each in table)
    if not total:
        return None
    gaps = (
        each.pictures * abs(each.right - each.said)
        for each in table
        if each.right is not None and each.said is not None
    )
    return sum(gaps) / total


@dataclass(frozen=True)
class ClassMeasures:
    """How good the answers are for one class.

    Args:
        name: of the class.
        labelled, predicted, right: pictures with that label, with that answer, with both.
        precision, recall: None where nothing was predicted, or nothing labelled.
        precision_interval, recall_interval: Wilson, 95 %.
        f1: 2 right / (labelled + predicted); it is no share of independent trials, so no interval is given.
    """

    name: str
    labelled: int
    predicted: int
    right: int
    precision: float | None
    precision_interval: tuple[float, float] | None
    recall: float | None
    recall_interval: tuple[float, float] | None
    f1: float | None


def of_classes(true: Ints, predicted: Ints, counts: Ints, names: dict[int, str]) -> tuple[ClassMeasures, ...]:
    """Precision, recall and F1 of each class that occurs, in the order of the model's outputs.

    Args:
        true, predicted: int [pairs], classes that were labelled and predicted together.
        counts: int [pairs], how often.
        names: of the classes.
    """
    if not len(counts):
        return ()
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.union1d(true, predicted)
    precision, recall, f1, _ = precision_recall_fscore_support(
        true, predicted, labels=classes, sample_weight=counts, zero_division=np.nan
    )
    result = []
    for k, index in enumerate(classes.tolist()):
        labelled, answered = int(counts[true == index].sum()), int(counts[predicted == index].sum())
        right = int(counts[(true == index) & (predicted == index)].sum())
        numbers = (
            _known(precision[k]),
            wilson(right, answered),
            _known(recall[k]),
            wilson(right, labelled),
            _known(f1[k]),
        )
        result.append(ClassMeasures(names[index], labelled, answered, right, *numbers))
    return tuple(result)


def balanced_accuracy(classes: tuple[ClassMeasures, ...]) -> float | None:
    """The mean recall over the classes that are labelled; None without labels.

    Source:
        Brodersen et al. 2010, 'The balanced accuracy and its posterior distribution', for two classes; for more as in
        scikit-learn.
    """
    recalls = [each.recall for each in classes if each.recall is not None]
    return sum(recalls) / len(recalls) if recalls else None


def roc_auc(positive: Any, margin: Floats) -> float | None:
    """How often a picture of the second class has the higher margin than one of the first; None where one is missing.

    Args:
        positive: bool [n], the label is the second class.
        margin: float [n], the score of the second class minus that of the first.
    """
    if not 0 < np.count_nonzero(positive) < len(positive):
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, margin))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
