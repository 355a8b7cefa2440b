"""Which pictures are watched: the ones that were chosen, some at random, or the hardest; each prepared once."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.errors import InputError, SeeWhyError, SeeWhyWarning, UnknownNameError, did_you_mean
from seewhy.evidence import Model
from seewhy.explanation.answer import Seen
from seewhy.explanation.asking import ready
from seewhy.images.reading import is_picture, name_of
from seewhy.models.chance import every_random_state_kept
from seewhy.studies.data import Sample, Stream, as_data

CHOICES = ("first", "random", "hardest")
ALL, SOME = 16, 8  # of up to so many pictures all are watched, of more so many
CANDIDATES = 512  # among which the hardest are looked for


@dataclass(frozen=True, eq=False)
class Picked:
    """A picture that is watched.

    Args:
        name: of it.
        label: its own class, by name or index; None where it is not known.
        seen: the picture and what the model eats of it, prepared once.
    """

    name: str
    label: str | int | None
    seen: Seen


def picked(
    model: Model,
    pictures: Any,
    labels: Sequence[str | int] | None,
    count: int | None,
    choose: str,
    seed: int,
    chances: Callable[[Sequence[Picked]], list[float]],
) -> list[Picked]:
    """Reads and prepares the pictures. Random states are left as they were, also by a data set that draws by chance.

    Args:
        model: wrapped.
        pictures, labels, count, choose, seed: as in `watch`.
        chances: the probability that the model gives to each picture's own label; NaN where it cannot tell.
    Raises:
        InputError: no picture, labels of another number, an unknown choice, or a preparation that is not known.
    """
    if choose not in CHOICES:
        remedy = did_you_mean(str(choose), CHOICES, "leave it out for the first ones")
        raise UnknownNameError(f"choose={choose!r}", f"one of {', '.join(map(repr, CHOICES))}", remedy)
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise InputError(f"count={count!r}", "a whole number, at least 1", f"leave it out for {SOME}")
    if isinstance(pictures, Sequence) and not isinstance(pictures, str) and not len(pictures):
        raise InputError("no pictures to watch", "at least one", f"hand over a list of {SOME}, or a folder")
    with every_random_state_kept():
        samples = _listed(pictures, labels, count, choose, seed)
        most = count or (len(samples) if len(samples) <= ALL else SOME)
        if choose == "hardest":
            samples = _hardest(model, samples, most, chances)
        found: list[Picked] = []
        for sample in samples:
            if len(found) == most:
                break
            if (one := _prepared(model, sample)) is not None:
                found.append(one)
    if not found:
        raise InputError(f"no picture that can be read, of {len(samples)}", "at least one", "see the warnings above")
    return found


def _listed(
    pictures: Any, labels: Sequence[str | int] | None, count: int | None, choose: str, seed: int
) -> list[Sample]:
    """What may be watched, in the order of preference."""
    data = as_data(pictures, labelled=labels is None)
    if isinstance(data, Stream):
        some = list(itertools.islice(data.samples(), CANDIDATES if choose != "first" else max(count or 0, ALL)))
        total, sample = len(some), some.__getitem__
    else:
        total, sample = len(data), data.sample  # type: ignore[assignment]
    if labels is not None and len(labels) != total:
        came = f"{len(labels)} labels for {total} pictures"
        raise InputError(came, "one label for each picture", "labels=[...] in the order of the pictures")
    order = list(range(total))
    if choose != "first":
        order = np.random.default_rng(seed).permutation(len(order)).tolist()
    kept = [sample(number) for number in order[:CANDIDATES]]
    if labels is None:
        return kept
    return [Sample(one.number, one.source, one.path, _label(labels[one.number]), error=one.error) for one in kept]


def _label(label: Any) -> str | int | None:
    return label if label is None or isinstance(label, str) else int(label)


def _prepared(model: Model, sample: Sample) -> Picked | None:
    """The picture ready for the model; one that cannot be is told once and left out."""
    named = name_of(sample.source) if isinstance(sample.path, str) else f"picture {sample.number}"
    try:
        if sample.error is not None:
            raise InputError(sample.error, "a picture", "leave it out")
        seen = ready(model, sample.source)
        _ = seen.box  # found here, while random states are kept: a preparation that draws by chance is asked for it
    except SeeWhyError as error:
        if model.prepare is None and is_picture(sample.source) and "preparation" in error.came:
            raise  # the same for all
        warnings.warn(f"{named} is not watched: {error.came}", SeeWhyWarning, stacklevel=2)
        return None
    return Picked(named, sample.label, seen)


def _hardest(
    model: Model, samples: Sequence[Sample], most: int, chances: Callable[[Sequence[Picked]], list[float]]
) -> list[Sample]:
    """The samples whose own label gets the lowest probability first; read in batches and forgotten again."""
    found: list[tuple[float, Sample]] = []
    labelled = [sample for sample in samples if sample.label is not None]
    if not labelled:
        raise InputError("choose='hardest' of pictures without labels", "a label for each", "write labels=[...]")
    for start in range(0, len(labelled), 32):
        some = [(sample, _prepared(model, sample)) for sample in labelled[start : start + 32]]
        read = [(sample, one) for sample, one in some if one is not None]
        values = chances([one for _, one in read]) if read else []
        found += [(value, sample) for value, (sample, _) in zip(values, read, strict=True) if value == value]
    found.sort(key=lambda pair: pair[0])
    return [sample for _, sample in found[:most]]
