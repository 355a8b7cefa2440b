"""Answering: one batch of images of one shape and a question, run through the model, to explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seewhy.errors import EvidenceError, SeeWhyError
from seewhy.evidence import INPUT, Array, Evidence, Model, Run
from seewhy.explanation.answer import Explanation, Explanations, Failed, Seen
from seewhy.explanation.variants import Variants, as_before
from seewhy.methods import Method
from seewhy.targets import Aim, Floats, Scores, Target

EMPTY = (
    "The map is all zero: nothing at this layer speaks for the target. Try {}another layer (layers(model)), or the "
    "predicted class."
)
SIGNS = "signed=True to see what speaks against it, "
SILENT = "The map is all zero: the layer responds nowhere. Try another layer (layers(model)), or look at the picture."
NO_SHARE = "The map is all zero: no pixel{} has a share in what speaks for the target. Try {}the predicted class."
EVEN = (
    "The map is the same everywhere: at this layer no place stands out. Try another layer (layers(model)), or the "
    "method integrated_gradients, which looks at the pixels."
)
SIGNLESS = (
    "{} is never below zero: nothing in this map speaks against the target, also where much of the picture does. To "
    "see what does, take gradcam, hirescam or cam."
)


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of every picture of a batch, checked."""

    targets: list[Target]
    several: bool
    method: Method
    layer: Any
    signed: bool
    variants: Variants | None
    options: Mapping[str, Any]


def answers_to(model: Model, items: Sequence[Seen], asked: Sequence[list[Target]], question: Question) -> list[Any]:
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
        asked_of = _Asked(question, names, beside, columns)
        cells, values = asked_of.maps(run)
    if question.variants is not None:
        cells = _mean_of_variants(model, images, asked_of, cells, question.variants)
    if not question.signed:
        cells = [[np.maximum(maps, 0) for maps in row] for row in cells]
    notes = run.notes if question.variants is None else (*run.notes, question.variants.note)
    shown = _Batch(model, question, names, scores, notes)
    answers: list[Any] = []
    for i, item in enumerate(items):
        if not finite[i]:
            answers.append(Failed(item.name, _not_finite(item.name)))
            continue
        try:
            given = [
                shown.explanation(item, i, aims[i], name, maps, value)
                for aims, row, value in zip(columns, cells, values, strict=True)
                for name, maps in zip(names, row, strict=True)
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
    model: Model, items: Sequence[Seen], asked: Sequence[list[Target]], question: Question, error: SeeWhyError
) -> list[Any]:
    """After a batch failed: each picture alone, so that the others do not suffer."""
    if len(items) == 1:
        return [Failed(items[0].name, error)]
    return [a for item, one in zip(items, asked, strict=True) for a in answers_to(model, [item], [one], question)]


def _settled(targets: Sequence[Target], scores: Scores, picture: int) -> list[Aim]:
    needs_scores = not all(hasattr(target, "function") for target in targets)
    if needs_scores and not scores.outputs:
        return [Aim("", "")]
    return [aim for target in targets for aim in target.settle(scores, picture)]


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is taken from a run: maps for aims [target][picture] at layers, with the evidence of others beside."""

    question: Question
    layers: Sequence[str]
    beside: Sequence[str]
    aims: Sequence[Sequence[Aim]]

    @property
    def taken(self) -> list[str]:
        return list(dict.fromkeys([*self.layers, *self.beside]))

    def maps(self, run: Run) -> tuple[list[list[Floats]], list[Floats]]:
        """Signed maps [target][layer][batch, h, w] and the targets' values [target][batch], on the host."""
        found = [dict(zip(self.taken, row, strict=True)) for row in run.evidence(self.aims)]
        maps = [[self._map(row, row[name]) for name in self.layers] for row in found]
        return maps, [row[self.layers[0]].ops.numpy(row[self.layers[0]].values) for row in found]

    def _map(self, row: Mapping[str, Evidence], chosen: Evidence) -> Floats:
        entry = self.question.method
        given = chosen if entry.beside is None else [chosen, *(row[name] for name in self.beside)]
        return chosen.ops.numpy(entry.map(given, self.question.options)).astype(np.float32)


def _mean_of_variants(
    model: Model, images: Array, asked: _Asked, own: list[list[Floats]], variants: Variants
) -> list[list[Floats]]:
    """The mean of the variants' maps, each turned back; `own` are those of the images themselves."""
    totals = [[np.zeros_like(maps) for maps in row] for row in own]
    made = variants.of(images, model.channels_first)
    for image, view in made:
        with model.run(model.batch(list(image)), asked.taken, asked.question.method.needs) as run:
            for row, found in zip(totals, asked.maps(run)[0], strict=True):
                for total, maps in zip(row, found, strict=True):
                    total += as_before(maps, view, total.shape[1:]) / len(made)
    return totals


@dataclass(frozen=True, eq=False)
class _Batch:
    """What all explanations of a batch have in common."""

    model: Model
    question: Question
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
            notes=(*self.notes, *_told(own, self.question)),
            seen=item,
            averaged="" if self.question.variants is None else self.question.variants.words,
        )


def _told(values: Floats, question: Question) -> list[str]:
    """What the reader of a map should know of its values."""
    entry = question.method
    signless = question.signed and not entry.signed and values.min() >= 0
    told = [SIGNLESS.format(entry.name)] if signless else []
    if not values.any():
        return [*told, _empty(question)]
    even = values.size > 1 and np.ptp(values) <= 1e-6 * np.abs(values).max()
    return [*told, EVEN] if even else told


def _empty(question: Question) -> str:
    entry = question.method
    if not entry.needs:  # the activations alone: no target is asked
        return SILENT
    signs = SIGNS if entry.signed and not question.signed else ""
    if entry.on_image:
        return NO_SHARE.format(" and no bias" if "biases" in entry.needs else "", signs)
    return EMPTY.format(signs)


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
