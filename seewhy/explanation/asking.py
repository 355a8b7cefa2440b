"""Asking: from a model, pictures and a question to explanations, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Model
from seewhy.explanation.answer import Failed, Seen
from seewhy.explanation.answering import Question, answers_to
from seewhy.explanation.listing import Layers
from seewhy.explanation.streams import check_several, is_iterable, singles
from seewhy.explanation.variants import Variants, checked_variants
from seewhy.images.probing import warn_of_range
from seewhy.images.reading import is_picture, name_of, read
from seewhy.methods import find_method
from seewhy.models import as_model
from seewhy.targets import TargetLike, as_targets

_ONE_EACH = "one target for each picture"


def explain(
    model: Any,
    picture: Any,
    *,
    target: TargetLike = None,
    method: str = "gradcam",
    layer: Any = None,
    signed: bool = False,
    smooth: int = 0,
    augment: str | Sequence[str] = (),
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
        smooth: how many copies of the image with noise added are explained instead of it; the map is their mean
            (SmoothGrad, Smilkov et al. 2017, arXiv:1706.03825, for any method).
        augment: 'flip', 'scale' or both: the image mirrored and in other sizes is explained too, the maps are turned
            back, and the mean is taken.
        options: of the method, as `list_methods()` shows them.
    Returns:
        An `Explanation`; `Explanations` where several targets or layers were asked for.
    Raises:
        InputError: picture, image, target, layer, method or option cannot be used.
        EvidenceError: the model ran, but what it gave cannot be explained.
    """
    variants = checked_variants(smooth, augment)
    question = _question(target, method, layer, signed, variants, options)
    wrapped = as_model(model)
    (answer,) = answers_to(wrapped, [ready(wrapped, picture)], [question.targets], question)
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
    smooth: int = 0,
    augment: str | Sequence[str] = (),
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
        model, method, layer, signed, smooth, augment, options: as in `explain`.
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
    variants = checked_variants(smooth, augment)
    question, wrapped = _question(target, method, layer, signed, variants, options), as_model(model)
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
        image = ready(wrapped, picture).image
    elif wrapped.prepare is not None:
        image = wrapped.prepare(Image.new("RGB", (256, 256), (128, 128, 128)))
    else:
        sides, channels = wrapped.in_size or (224, 224), wrapped.in_channels or 3
        image = np.zeros((channels, *sides) if wrapped.channels_first else (*sides, channels), np.float32)
    return Layers(wrapped.layers(wrapped.batch([image])))


def _question(
    target: TargetLike, method: str, layer: Any, signed: bool, variants: Variants | None, options: Mapping[str, Any]
) -> Question:
    entry = find_method(method)
    targets, several = as_targets(target)
    if entry.on_image and layer is not None:
        raise InputError(
            f"layer={layer!r} for {entry.name}", "no layer: it explains by the image's own pixels", "leave layer= out"
        )
    return Question(targets, several, entry, layer, signed, variants, entry.checked(options))


def ready(model: Model, source: Any, first: bool = True) -> Seen:
    """A picture prepared, or an image as it is; one that is ready already stays so.

    Raises:
        InputError: it cannot be read, or there is no telling how to prepare it.
    """
    if isinstance(source, Seen):
        return source
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
    model: Model, pictures: Iterable[Any], targets: Iterable[TargetLike] | None, question: Question, size: int
) -> Iterator[Any]:
    """Batches of images of one shape, in order; what cannot be read takes its place as `Failed`."""
    own = None if targets is None else iter(targets)
    waiting: list[tuple[Seen | Failed, Question]] = []
    number = 0
    for number, source in enumerate(singles(pictures), 1):
        try:
            asked = question if own is None else _with_next(own, question, number)
        except SeeWhyError:
            yield from _in_order(model, waiting)  # what was asked before is answered all the same
            raise
        try:
            item: Seen | Failed = ready(model, source, first=number == 1)
        except SeeWhyError as error:
            item = Failed(name_of(source), error)
        waiting.append((item, asked))
        if len(waiting) == size:
            yield from _in_order(model, waiting)
            waiting = []
    yield from _in_order(model, waiting)
    if isinstance(targets, Sized) and len(targets) > number:  # one without an end may serve any number
        raise InputError(f"{len(targets)} targets for {number} pictures", _ONE_EACH, "target= asks the same of all")


def _with_next(targets: Iterator[TargetLike], question: Question, number: int) -> Question:
    """The question with the next target, of picture `number`."""
    for asked in targets:
        found, several = as_targets(asked)
        return replace(question, targets=found, several=several)
    raise InputError(f"more pictures than targets ({number - 1})", _ONE_EACH, "target= asks the same of all")


def _usual_batch(model: Model) -> int:
    """On a CPU the activations of more pictures leave its caches, and each picture takes longer."""
    return 8 if str(getattr(model, "device", "")).startswith("cpu") else 32


def _in_order(model: Model, waiting: Sequence[tuple[Seen | Failed, Question]]) -> Iterator[Any]:
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
        found = answers_to(model, seen, [question.targets for question in questions], questions[0])
        for number, answer in zip(same, found, strict=True):
            answers[number] = answer
    yield from answers
