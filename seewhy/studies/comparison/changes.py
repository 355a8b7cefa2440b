"""What a comparison tells in numbers: the runs, and each of them held against the first."""

from __future__ import annotations

from dataclasses import dataclass

from seewhy.studies.comparison.differences import Interval, Mean


@dataclass(frozen=True)
class Side:
    """One of the runs, on the pictures that all share.

    Args:
        name: 'A' for the first, which the others are held against, then 'B' ...
        folder: of the run.
        model, layer, method, prepare: as its audit says.
        outputs: classes of its model.
        pictures: of the whole run.
        right, accuracy, accuracy_interval: on the shared pictures with a label; Wilson, 95 %. None without labels.
    """

    name: str
    folder: str
    model: str
    layer: str
    method: str
    prepare: str
    outputs: int
    pictures: int
    right: int
    accuracy: float | None
    accuracy_interval: Interval | None


@dataclass(frozen=True)
class ClassChange:
    """How the answers changed for the pictures of one class.

    Args:
        name: of the class.
        pictures: with that label.
        first, other: how many of them each has right.
        broken, fixed: how many were right and are wrong, and the other way round.
        interval: 95 %, of the difference of recalls (Newcombe's, for pairs).
    """

    name: str
    pictures: int
    first: int
    other: int
    broken: int
    fixed: int
    interval: Interval | None

    @property
    def difference(self) -> float:
        """Of the recalls, other - first."""
        return (self.other - self.first) / self.pictures


@dataclass(frozen=True)
class Move:
    """A number of the maps (or of the label's probability), in the first run and in another.

    Args:
        what: 'inside', 'inside_box', 'inside_mask', 'border', 'label_probability', or a finding's code.
        words: the same for people.
        mean: over the pictures, with the interval of the difference.
        even: what a map without any preference has; None where it is not one number.
    """

    what: str
    words: str
    mean: Mean
    even: float | None = None


@dataclass(frozen=True)
class Change:
    """A run held against the first.

    Args:
        name: of the run: 'B' ...
        buckets: pictures by bucket.
        same: pictures with the same answer.
        difference: of the accuracies, other - first; None without labels.
        interval: of the difference, 95 %, Newcombe's for pairs.
        p: of McNemar's exact test; None without labels.
        p_corrected: by Holm, for all runs that were held against the first.
        classes: changes by class, in the order of the first model's outputs.
        moves: where the maps moved.
        correlation: of the maps of pictures with the same answer, the median; None where none could be judged.
        alike: how many pictures with the same answer have maps that could be compared.
    """

    name: str
    buckets: dict[str, int]
    same: int
    difference: float | None
    interval: Interval | None
    p: float | None
    p_corrected: float | None
    classes: tuple[ClassChange, ...]
    moves: tuple[Move, ...]
    correlation: float | None
    alike: int
