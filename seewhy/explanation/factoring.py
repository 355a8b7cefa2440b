"""Concepts: what a layer sees in a picture, taken apart without asking for a class, and what each part speaks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from seewhy.errors import EvidenceError, InputError
from seewhy.explanation.answer import Explanation, Explanations
from seewhy.explanation.asking import ready
from seewhy.methods.decomposition import factors
from seewhy.models import as_model
from seewhy.targets import Aim, Floats, Scores


def concepts(model: Any, picture: Any, count: int = 5, *, layer: Any = None, seed: int = 0) -> Explanations:
    """The parts that a layer makes out in a picture, each with the class it speaks for most.

    Args:
        model, picture: as in `explain`.
        count: how many concepts.
        layer: as in `explain`, one layer.
        seed: of the search, which is a local one.
    Returns:
        An `Explanations` of one map for each concept, numbered in its target ('concept 2: cat'). Where a global average
        pooling and a linear layer follow, a concept's label is the class whose score it raises most, its score that
        rise, and they are ordered by it; the rises of one class by all concepts add up to its score less the bias, as
        far as the concepts hold the activations. Elsewhere a concept has no class, its score is the sum of its map.
    Raises:
        InputError: several layers, or more concepts than places or channels.
        EvidenceError: the layer is silent: nothing in it is positive.
    Paper:
        Collins et al. 2018, arXiv:1806.10206. Departs: negative activations count as 0, and a note says how much that
        is; the labels are not of the paper.
    """
    wrapped = as_model(model)
    seen = ready(wrapped, picture)
    images = wrapped.batch([seen.image])
    wrapped.layers(images)
    names, several = wrapped.choose(layer, images)
    if several:
        raise InputError(f"concepts of {len(names)} layers", "one layer", "call concepts once for each")
    with wrapped.run(images, names, frozenset({"head"})) as run:
        scores = Scores(run.scores, run.several, wrapped.labels if run.scores.shape[1] else None)
        if not scores.outputs:
            raise EvidenceError(
                f"{wrapped.name} gives nothing that looks like scores",
                "outputs [batch, classes], or a tuple, dictionary or object that holds them ('logits')",
                "tell where they are with wrap(model, outputs=...)",
            )
        ((evidence,),) = run.evidence([[Aim("", "", weights=np.zeros(scores.outputs))]])
        activations = evidence.ops.numpy(evidence.activations)[0]
        weights = None if evidence.head is None else evidence.ops.numpy(evidence.head.weights)
        notes = run.notes
    height, width, channels = activations.shape
    if not 1 <= count <= min(height * width, channels):
        raise InputError(
            f"{count} concepts of a map of {height} × {width} places and {channels} channels",
            f"a number from 1 to {min(height * width, channels)}",
            "ask for fewer, or of a layer with a finer map (layers(model))",
        )
    if not activations.max() > 0:
        raise EvidenceError(
            f"activations of {names[0]!r} that are nowhere positive", "a layer that responds", "choose another layer"
        )
    rows = activations.reshape(-1, channels).astype(float)
    places, parts = factors(rows, count, seed)
    rises = None if weights is None else Scores(places.mean(0)[:, None] * (parts @ weights.T.astype(float)))
    notes = (*notes, *_told(rows, places, parts))
    found = []
    for k in range(count):
        index = None if rises is None else int(rises.of_classes[k].argmax())
        found.append(
            Explanation(
                map=places[:, k].reshape(height, width).astype(np.float32),
                scores=scores.of_classes[0].copy(),
                probabilities=scores.probabilities[0].copy(),
                score=float(places[:, k].sum() if rises is None else rises.of_classes[k].max()),
                probability=None,  # a part of the picture has none
                target="concept",
                label="concept" if index is None else scores.label(index),
                index=index,
                layer=names[0],
                method="dff",
                model=wrapped.name,
                labels=wrapped.labels,
                signed=False,
                notes=notes,
                seen=seen,
            )
        )
    found.sort(key=lambda one: -one.score)
    return Explanations(_numbered(one, number) for number, one in enumerate(found, start=1))


def _numbered(one: Explanation, number: int) -> Explanation:
    """The concept with a name that no other has, also where several speak for one class."""
    name = f"concept {number}"
    return replace(one, target=name, label=name) if one.index is None else replace(one, target=f"{name}: {one.label}")


def _told(rows: Floats, places: Floats, parts: Floats) -> list[str]:
    """How much of the activations the concepts hold, and how much was negative."""
    kept = np.maximum(rows, 0)
    held = 1 - ((kept - places @ parts) ** 2).sum() / (kept**2).sum()
    cut = 1 - (kept**2).sum() / (rows**2).sum()
    told = [f"The concepts hold {held:.0%} of the layer's activations (of their squares)."]
    return told + ([f"{cut:.0%} of them were negative and are left out."] if cut >= 0.005 else [])
