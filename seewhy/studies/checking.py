"""A look before the work: do preparation and order of classes fit the model? On a few pictures, and cheaply."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Model
from seewhy.images.preparing import PRESETS, preset
from seewhy.images.reading import as_numpy
from seewhy.results.tables import percent
from seewhy.studies.data import Data, Sample, Stream, as_data
from seewhy.studies.observing import Plan, Ready, halved, ready
from seewhy.studies.planning import Asked, name_of_preparation, planned
from seewhy.targets import Floats, Scores

PICTURES = 64
_CLASSES = 16  # of more, an order that fits few pictures says nothing
_BETTER = 3.0  # standard errors


@dataclass(frozen=True)
class Check:
    """What a few pictures tell before an audit.

    Args:
        pictures: how many were run, with a label and readable.
        unreadable: how many could not be read.
        accuracy: on them as things are; None without labels.
        chance: the accuracy of always naming one class, the most frequent one.
        others: accuracy with other common preparations and orders of classes, best first.
        warning: what looks wrong and how to say it right; '' where nothing does.
        model, layer, method, prepare: what an audit would use.
        classes: how many the model has.
        seconds: a picture took, the first slow pass included.
        notes: on how labels were matched.
    """

    pictures: int
    unreadable: int
    accuracy: float | None
    chance: float | None
    others: tuple[tuple[str, float], ...]
    warning: str
    model: str
    layer: str
    method: str
    prepare: str
    classes: int
    seconds: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"model    {self.model}, {self.classes:,} classes", f"layer    {self.layer}, {self.method}"]
        counted = f"{self.pictures} pictures" + (f", {self.unreadable} unreadable" if self.unreadable else "")
        if self.accuracy is None:
            lines.append(f"check    {counted}, no labels: nothing to hold the answers against")
        else:
            verdict = "see below" if self.warning else "preparation and order of classes look right"
            lines.append(f"check    {counted}: accuracy {percent(self.accuracy)}, {verdict} ({self.prepare})")
        lines.append(f"speed    {1 / self.seconds:.1f} pictures a second")
        return "\n".join([*lines, *self.notes, *([f"warning: {self.warning}"] if self.warning else [])])


def check(
    model: Any,
    data: Any,
    *,
    pictures: int = PICTURES,
    method: str = "gradcam",
    layer: Any = None,
    classes: Mapping[str, str | int | None] | None = None,
    labelled: bool = True,
    split: str | None = None,
    seed: int = 0,
    **options: Any,
) -> Check:
    """Runs a model on a few pictures, and says if preparation or order of classes look wrong. Nothing is changed.

    Accuracy under the preparation as it is is held against other common ones in the same geometry (0..1, ImageNet's
    mean and deviation, -1..1, 0..255, red and blue exchanged) and against other orders of the classes.

    Args:
        pictures: how many, drawn by chance.
        model, data, method, layer, classes, labelled, split, seed, options: as in `audit`.
    Returns:
        A `Check`, which prints as a few lines.
    Raises:
        SeeWhyError: as `audit` before its first picture.
    """
    listed = as_data(data, labelled=labelled, split=split)
    samples = sampled(listed, pictures, seed)
    plan, _ = planned(
        model, listed, samples, Asked(method, layer, options, classes, labelled=labelled, split=split), False
    )
    return checked(plan, samples)


def sampled(listed: Data, pictures: int, seed: int) -> list[Sample]:
    """A few by chance; of a stream the first."""
    if isinstance(listed, Stream):
        return list(itertools.islice(listed.samples(), pictures))
    numbers = np.random.default_rng(seed).permutation(len(listed))[:pictures]
    return [listed.sample(int(number)) for number in sorted(numbers)]


def checked(plan: Plan, samples: Sequence[Sample]) -> Check:
    """The look itself."""
    started = time.monotonic()
    items = [ready(sample, plan) for sample in samples]
    readable = [item for item in items if item.image is not None]
    if not readable:
        raise InputError(f"{len(items)} pictures of which none can be read", "readable pictures", "check the data")
    common = Counter(tuple(item.image.shape) for item in readable).most_common(1)[0][0]
    seen = [item for item in readable if tuple(item.image.shape) == common]
    known = [item for item in seen if item.truth is not None]
    scores = _scores(plan.model, [item.image for item in known or seen])
    seconds = (time.monotonic() - started) / len(seen)
    others: tuple[tuple[str, float], ...] = ()
    warning, accuracy, chance = "", None, None
    if known:
        truth = np.array([item.truth for item in known])
        accuracy = _accuracy(scores, truth)
        chance = float(np.bincount(truth).max() / len(truth))
        if len(known) >= 8:
            others, warning = _compared(plan, known, scores, truth, accuracy, chance)
    return Check(
        pictures=len(known or seen),
        unreadable=len(items) - len(readable),
        accuracy=accuracy,
        chance=chance,
        others=others,
        warning=warning,
        model=plan.model.name,
        layer=plan.layer,
        method=plan.method.name,
        prepare=name_of_preparation(plan.model),
        classes=scores.classes,
        seconds=seconds,
        notes=plan.matching.notes,
    )


def _compared(
    plan: Plan, known: Sequence[Ready], scores: Scores, truth: Any, accuracy: float, chance: float
) -> tuple[tuple[tuple[str, float], ...], str]:
    """Accuracy under other assumptions, and what to tell of it."""
    found: list[tuple[str, float, str]] = []
    error = max(np.sqrt(accuracy * (1 - accuracy) / len(truth)), 0.5 / len(truth))
    if accuracy < 0.9:
        for name, change in _variants(plan.model).items():
            try:
                given = _scores(plan.model, [change(item.image) for item in known])
            except (SeeWhyError, RuntimeError, ValueError):
                continue
            preset_name = f"{name}{_size(known[0].image)}"
            remedy = (
                "cv2-like channel order (BGR) in prepare=" if name == "BGR" else f'wrap(model, prepare="{preset_name}")'
            )
            found.append((name, _accuracy(given, truth), remedy))
        if 2 <= scores.classes <= _CLASSES:
            order, reached = _best_order(scores.predicted, truth, scores.classes)
            names = [plan.matching.name(index) for index in order]
            found.append(("another order of classes", reached, f"wrap(model, labels={names})"))
    found.sort(key=lambda each: -each[1])
    others = tuple((name, reached) for name, reached, _ in found)
    if not found:
        return others, _no_better_than_chance(accuracy, chance, error)
    name, best, remedy = found[0]
    poor = accuracy < max(2 * chance, chance + 0.1) or accuracy < 0.5 * best
    if best - max(accuracy, chance) > _BETTER * error and (poor or best - accuracy > 0.1):
        what = name if name.startswith("another") else f"the preparation {name}"
        told = f"accuracy is {percent(accuracy)} as things are, and {percent(best)} with {what}"
        return others, f"{told}. If that is right: {remedy}"
    return others, _no_better_than_chance(accuracy, chance, error)


def _no_better_than_chance(accuracy: float, chance: float, error: float) -> str:
    if chance == 1 or accuracy >= chance + error:
        return ""
    return (
        f"accuracy is {percent(accuracy)}, no better than always naming the most frequent class ({percent(chance)}), "
        "and no other common preparation or order of classes helps. Are the weights loaded, and these its labels?"
    )


def _variants(model: Model) -> dict[str, Callable[[Any], Any]]:
    """The same picture, cut and resized as now, with its values in other ranges."""
    if model.prepare is None:
        return {}
    black, white = (_of_colour(model, level) for level in (0, 255))
    span = white - black
    if black.ndim != 3 or not np.all(np.abs(span) > 1e-9) or (model.in_channels or 3) != 3:
        return {}
    axis = 0 if model.channels_first else -1

    def shaped(numbers: Sequence[float]) -> Floats:
        return np.array(numbers, np.float32).reshape((3, 1, 1) if axis == 0 else (1, 1, 3))

    def of_preset(name: str) -> Callable[[Any], Any]:
        one = preset(name)
        return lambda image: ((_plain(image) - shaped(one.mean)) / shaped(one.std)).astype(np.float32)

    def _plain(image: Any) -> Floats:
        values: Floats = (as_numpy(image) - black) / span
        return values

    def swapped(image: Any) -> Any:
        return (np.flip(_plain(image), axis=axis) * span + black).astype(np.float32)

    found: dict[str, Callable[[Any], Any]] = {name: of_preset(name) for name in PRESETS}
    return found | {"BGR": swapped}


def _size(image: Any) -> str:
    """How a preset's name tells its size."""
    sides = sorted(int(side) for side in image.shape)[-2:]
    return "" if sides == [224, 224] else f"@{sides[0]}"


def _of_colour(model: Model, level: int) -> Floats:
    assert model.prepare is not None
    image = as_numpy(model.prepare(Image.new("RGB", (256, 256), (level, level, level)))).astype(np.float32)
    if image.ndim != 3:
        return image
    middle = [side // 2 for side in image.shape]
    kept: Floats = image[:, middle[1], middle[2]] if model.channels_first else image[middle[0], middle[1]]
    return kept.reshape((-1, 1, 1) if model.channels_first else (1, 1, -1))


def _scores(model: Model, images: Sequence[Any]) -> Scores:
    """Of all images, which are of one shape."""
    several = False

    def some(part: Sequence[Any]) -> list[Floats]:
        nonlocal several
        batch = model.batch(part)
        names, _ = model.choose(None, batch)
        with model.run(batch, names[:1], frozenset()) as run:
            several = run.several
            return list(run.scores)

    found = [row for start in range(0, len(images), 16) for row in halved(some, images[start : start + 16])]
    return Scores(np.stack(found), several, model.labels)


def _accuracy(scores: Scores, truth: Any) -> float:
    return float(np.mean(scores.predicted == truth))


def _best_order(predicted: Any, truth: Any, classes: int) -> tuple[list[int], float]:
    """Which class each output should stand for so that most answers are right, and how many are."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (predicted, truth), 1)
    outputs, stands_for = linear_sum_assignment(-counts - 1e-6 * np.eye(classes))
    return [int(index) for index in stands_for], float(counts[outputs, stands_for].sum() / len(truth))
