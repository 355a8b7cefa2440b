"""Asking: from a model, pictures and a question to explanations, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import EvidenceError, InputError, SeeWhyError
from seewhy.evidence import INPUT, Evidence, Model
from seewhy.explanation.answer import Explanation, Explanations, Failed, Seen
from seewhy.explanation.listing import Layers
from seewhy.explanation.streams import check_several, is_iterable, singles
from seewhy.images.probing import warn_of_range
from seewhy.images.reading import is_picture, name_of, read
from seewhy.methods import Method, find_method
from seewhy.models import as_model
from seewhy.targets import Aim, Floats, Scores, Target, TargetLike, as_targets

EMPTY = (
    "The map is all zero: nothing at this layer speaks for the target. Try signed=True to see what speaks against it, "
    "another layer (layers(model)), or the predicted class."
)
EVEN = (
    "The map is the same everywhere: at this layer no place stands out. Try another layer (layers(model)), or the "
    "method integrated_gradients, which looks at the pixels."
)
_ONE_EACH = "one target for each picture"


def explain(
    model: Any,
    picture: Any,
    *,
    target: TargetLike = None,
    method: str = "gradcam",
    layer: Any = None,
    signed: bool = False,
    **options: Any,
) -> Any:
    """Why does the model say this of this picture? A map of where it looked.

    Args:
        model: a model, bare or from `wrap` or `load`, or a name that `load` knows. It is left as it was found.
        picture: a path, PIL image, uint8 array [height, width, 3] or the bytes of an image file, prepared as the model
            needs it; or a float array or tensor in the model's own layout, used as it is.
        target: what is asked: a class index or label (default: the predicted class), `top(k)`, `versus(a, b)`,
            `against(c)`, `probability(c)`, `output(function)`, or a list of these.
        method: a name from `list_methods()`.
        layer: a name from `layers(model)`, a module, an index into the usable layers, "all" or a list; default: the
            last layer with height and width before the pooling.
        signed: keep what speaks against the target as negative values.
        options: of the method, as `list_methods()` shows them.
    Returns:
        An `Explanation`; `Explanations` where several targets or layers were asked for.
    Raises:
        InputError: picture, image, target, layer, method or option cannot be used.
        EvidenceError: the model ran, but what it gave cannot be explained.
    """
    question = _question(target, method, layer, signed, options)
    wrapped = as_model(model)
    (answer,) = _answers(wrapped, [_ready(wrapped, picture)], [question.targets], question)
    if isinstance(answer, Failed):
        raise answer.error
    return answer


def explain_many(
    model: Any,
    pictures: Iterable[Any],
    *,
    target: TargetLike = None,
    targets: Iterable[TargetLike] | None = None,
    method: str = "gradcam",
    layer: Any = None,
    signed: bool = False,
    batch_size: int | None = None,
    **options: Any,
) -> Iterator[Any]:
    """Explains any number of pictures, in order, a batch at a time; memory does not grow with their number.

    Args:
        pictures: what `explain` takes, of any length; or a batch of images, or a loader of such batches. What stands
            beside an image, as its label does in (image, label), is passed over.
        target: asked of every picture, as in `explain`.
        targets: instead of `target`, one for each picture.
        batch_size: how many pictures go through the model at a time; default: 8 on the CPU, else 32.
        model, method, layer, signed, options: as in `explain`.
    Yields:
        What `explain` returns, for each picture; `Failed` for one that cannot be read or explained.
    Raises:
        InputError: the question itself (targets, method, layer, option) cannot be used, or `targets` are not as many
            as the pictures; what was answered until then has been given.
    """
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise InputError(f"batch_size={batch_size!r}", "a whole number, at least 1", "leave it out for the default")
    check_several(pictures)
    if target is not None and targets is not None:
        raise InputError("target= and targets=", "one of them", "targets= gives each picture its own")
    if targets is not None and (isinstance(targets, str) or not is_iterable(targets)):
        raise InputError(f"targets={targets!r}", "a target for each picture", "target= asks the same of all")
    question, wrapped = _question(target, method, layer, signed, options), as_model(model)
    return _stream(wrapped, pictures, targets, question, batch_size or _usual_batch(wrapped))


def layers(model: Any, picture: Any = None) -> Layers:
    """The layers of a model in order of execution: name, kind, output shape, parameters, and which gives maps.

    Args:
        model: as in `explain`.
        picture: a picture or image to run the model on; by default a grey one of the size the model is known to take.
    Returns:
        A list of `Layer` that prints as a table. The default layer is marked.
    """
    wrapped = as_model(model)
    if picture is not None:
        image = _ready(wrapped, picture).image
    elif wrapped.prepare is not None:
        image = wrapped.prepare(Image.new("RGB", (256, 256), (128, 128, 128)))
    else:
        sides, channels = wrapped.in_size or (224, 224), wrapped.in_channels or 3
        image = np.zeros((channels, *sides) if wrapped.channels_first else (*sides, channels), np.float32)
    return Layers(wrapped.layers(wrapped.batch([image])))


@dataclass(frozen=True, eq=False)
class _Question:
    targets: list[Target]
    several: bool
    method: Method
    layer: Any
    signed: bool
    options: Mapping[str, Any]


def _question(target: TargetLike, method: str, layer: Any, signed: bool, options: Mapping[str, Any]) -> _Question:
    entry = find_method(method)
    targets, several = as_targets(target)
    if entry.on_image and layer is not None:
        raise InputError(
            f"layer={layer!r} for {entry.name}", "no layer: it explains by the image's own pixels", "leave layer= out"
        )
    return _Question(targets, several, entry, layer, signed, entry.checked(options))


def _ready(model: Model, source: Any, first: bool = True) -> Seen:
    """A picture prepared, or an image as it is.

    Raises:
        InputError: it cannot be read, or there is no telling how to prepare it.
    """
    if not is_picture(source):
        if not hasattr(source, "shape"):
            raise InputError(
                f"a picture of type {type(source).__name__}",
                "a path, PIL image, uint8 array, the bytes of an image file, or a float array or tensor",
                "open it with PIL, or hand over its path",
            )
        if first:  # of a stream: a look at the values costs a trip to the host
            warn_of_range(source, model.prepare)
        return Seen(name_of(source), source, None, None, model.channels_first)
    pil = read(source)
    if model.prepare is None:
        raise InputError(
            f"a picture ({name_of(source)}) for a model whose preparation is not known",
            "the preparation used in training",
            'wrap(model, prepare=...) with a callable from PIL image to array, or one of "imagenet" (resize 256, crop '
            '224, ImageNet mean and deviation), "0..1", "-1..1", "0..255"',
        )
    return Seen(name_of(source), model.prepare(pil), pil, model.prepare, model.channels_first)


def _stream(
    model: Model, pictures: Iterable[Any], targets: Iterable[TargetLike] | None, question: _Question, size: int
) -> Iterator[Any]:
    """Batches of images of one shape, in order; what cannot be read takes its place as `Failed`."""
    own = None if targets is None else iter(targets)
    waiting: list[tuple[Seen | Failed, _Question]] = []
    number = 0
    for number, source in enumerate(singles(pictures), 1):
        try:
            asked = question if own is None else _with_next(own, question, number)
        except SeeWhyError:
            yield from _in_order(model, waiting)  # what was asked before is answered all the same
            raise
        try:
            item: Seen | Failed = _ready(model, source, first=number == 1)
        except SeeWhyError as error:
            item = Failed(name_of(source), error)
        waiting.append((item, asked))
        if len(waiting) == size:
            yield from _in_order(model, waiting)
            waiting = []
    yield from _in_order(model, waiting)
    if isinstance(targets, Sized) and len(targets) > number:  # one without an end may serve any number
        raise InputError(f"{len(targets)} targets for {number} pictures", _ONE_EACH, "target= asks the same of all")


def _with_next(targets: Iterator[TargetLike], question: _Question, number: int) -> _Question:
    """The question with the next target, of picture `number`."""
    for asked in targets:
        found, several = as_targets(asked)
        return replace(question, targets=found, several=several)
    raise InputError(f"more pictures than targets ({number - 1})", _ONE_EACH, "target= asks the same of all")


def _usual_batch(model: Model) -> int:
    """On a CPU the activations of more pictures leave its caches, and each picture takes longer."""
    return 8 if str(getattr(model, "device", "")).startswith("cpu") else 32


def _in_order(model: Model, waiting: Sequence[tuple[Seen | Failed, _Question]]) -> Iterator[Any]:
    """Answers for a batch; other shapes and other questions run apart, failures keep their places."""
    places: dict[Any, list[int]] = {}
    answers: list[Any] = [item for item, _ in waiting]
    for number, (item, question) in enumerate(waiting):
        if isinstance(item, Seen):
            size = [getattr(target, "count", 1) for target in question.targets]
            places.setdefault((tuple(item.image.shape), sum(size), question.several), []).append(number)
    for same in places.values():
        seen = [item for item, _ in (waiting[i] for i in same) if isinstance(item, Seen)]
        questions = [waiting[i][1] for i in same]
        found = _answers(model, seen, [question.targets for question in questions], questions[0])
        for number, answer in zip(same, found, strict=True):
            answers[number] = answer
    yield from answers


def _answers(model: Model, items: Sequence[Seen], asked: Sequence[list[Target]], question: _Question) -> list[Any]:
    """An answer for each picture of a batch of equal shapes; `Failed` where the picture is to blame."""
    entry = question.method
    with ExitStack() as stack:
        try:
            images = model.batch([item.image for item in items])
            if not entry.on_image:
                model.layers(images)
        except SeeWhyError as error:
            return _one_by_one(model, items, asked, question, error)
        names, several_layers = ([INPUT], False) if entry.on_image else model.choose(question.layer, images)
        beside = [] if entry.beside is None else entry.beside(model.layers(images))
        taken = list(dict.fromkeys([*names, *beside]))
        try:
            run = stack.enter_context(model.run(images, taken, entry.needs))
        except SeeWhyError as error:
            return _one_by_one(model, items, asked, question, error)
        scores = Scores(run.scores, run.several, model.labels if run.scores.shape[1] else None)
        finite = [bool(np.isfinite(row).all()) for row in run.scores]
        judged = replace(scores, values=np.nan_to_num(run.scores, posinf=0, neginf=0))
        settled = [_settled(targets, judged, i) for i, targets in enumerate(asked)]
        if not scores.outputs and any(aim.function is None for aims in settled for aim in aims):
            raise _no_scores(model)
        settled = [[entry.aimed(aim, judged, i, question.options) for aim in aims] for i, aims in enumerate(settled)]
        columns = list(zip(*settled, strict=True))  # [target][picture]
        found = [dict(zip(taken, row, strict=True)) for row in run.evidence(columns)]
        cells = [[_judge(row[name], [row[other] for other in beside], question) for name in names] for row in found]
    shown = _Batch(model, question, names, scores, run.notes)
    answers: list[Any] = []
    for i, item in enumerate(items):
        if not finite[i]:
            answers.append(Failed(item.name, _not_finite(item.name)))
            continue
        try:
            given = [
                shown.explanation(item, i, aims[i], name, *cell)
                for aims, row in zip(columns, cells, strict=True)
                for name, cell in zip(names, row, strict=True)
            ]
        except SeeWhyError as error:
            answers.append(Failed(item.name, error))
            continue
        many = several_layers or question.several
        answers.append(
            Explanations(given, len(names) if several_layers and len(columns) > 1 else None) if many else given[0]
        )
    return answers


def _one_by_one(
    model: Model, items: Sequence[Seen], asked: Sequence[list[Target]], question: _Question, error: SeeWhyError
) -> list[Any]:
    """After a batch failed: each picture alone, so that the others do not suffer."""
    if len(items) == 1:
        return [Failed(items[0].name, error)]
    return [a for item, one in zip(items, asked, strict=True) for a in _answers(model, [item], [one], question)]


def _settled(targets: Sequence[Target], scores: Scores, picture: int) -> list[Aim]:
    needs_scores = not all(hasattr(target, "function") for target in targets)
    if needs_scores and not scores.outputs:
        return [Aim("", "")]
    return [aim for target in targets for aim in target.settle(scores, picture)]


def _judge(evidence: Evidence, beside: Sequence[Evidence], question: _Question) -> tuple[Floats, Floats]:
    """Maps [batch, h, w] and the target's values [batch], on the host."""
    ops, entry = evidence.ops, question.method
    maps = entry.map(evidence if entry.beside is None else [evidence, *beside], question.options)
    if not question.signed:
        maps = ops.relu(maps)
    return ops.numpy(maps).astype(np.float32), ops.numpy(evidence.values)


@dataclass(frozen=True, eq=False)
class _Batch:
    """What all explanations of a batch have in common."""

    model: Model
    question: _Question
    layers: Sequence[str]
    scores: Scores
    notes: tuple[str, ...]

    def explanation(self, item: Seen, i: int, aim: Aim, layer: str, maps: Floats, values: Floats) -> Explanation:
        own = maps[i].copy()
        if not np.isfinite(own).all():
            raise EvidenceError(
                f"a map of {item.name} at {layer!r} that is not finite",
                "finite activations and gradients",
                "try float32 instead of half precision, or look for NaN in the model's weights",
            )
        several = self.scores.outputs > 0
        return Explanation(
            map=own,
            scores=self.scores.of_classes[i].copy() if several else np.zeros(0),
            probabilities=self.scores.probabilities[i].copy() if several else np.zeros(0),
            score=float(values[i]),
            probability=None if aim.index is None else float(self.scores.probabilities[i, aim.index]),
            target=aim.asked,
            label=aim.label,
            index=aim.index,
            layer=layer,
            method=self.question.method.name,
            model=self.model.name,
            labels=self.model.labels,
            signed=self.question.signed,
            notes=(*self.notes, *_told(own)),
            seen=item,
        )


def _told(values: Floats) -> list[str]:
    """What the reader of a map should know of its values."""
    if not values.any():
        return [EMPTY]
    return [EVEN] if values.size > 1 and np.ptp(values) <= 1e-6 * np.abs(values).max() else []


def _no_scores(model: Model) -> EvidenceError:
    return EvidenceError(
        f"{model.name} gives nothing that looks like scores",
        "outputs [batch, classes], or a tuple, dictionary or object that holds them ('logits')",
        "tell where they are with wrap(model, outputs=...), or ask for a number of your own with "
        "target=output(lambda outputs: ...)",
    )


def _not_finite(name: str) -> EvidenceError:
    return EvidenceError(
        f"scores of {name} that are NaN or infinite",
        "finite scores",
        "look for NaN in the image and the weights; half precision overflows, try float32",
    )
