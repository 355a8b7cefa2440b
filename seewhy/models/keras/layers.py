"""Which layers a Keras model has, in order of execution, where maps can be taken, and which is taken by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from weakref import ref

import keras
import numpy as np

from seewhy.errors import EvidenceError
from seewhy.evidence import Array, Layer
from seewhy.models.grids import Grid, find_grid
from seewhy.models.keras.engines import engine
from seewhy.models.keras.probing import Ending, Squash, Walk, parts
from seewhy.models.keras.scores import find_scores, host
from seewhy.models.outputs import seen_through

layers = keras.layers
POOLING = (
    *(layers.MaxPooling2D, layers.AveragePooling2D, layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D),
    *(
        (layers.AdaptiveAveragePooling2D, layers.AdaptiveMaxPooling2D)
        if hasattr(layers, "AdaptiveMaxPooling2D")
        else ()
    ),
)
MAPPING = (  # always a map, in the layout that the layer itself tells
    *(layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose),
    *(layers.MaxPooling2D, layers.AveragePooling2D, layers.UpSampling2D, layers.ZeroPadding2D),
)
FINISHING = (  # belong to the layer before them
    *(layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization, layers.Activation),
    *(layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU),
)
PASSIVE = (
    *(layers.Dropout, layers.SpatialDropout2D, layers.ZeroPadding2D, layers.Cropping2D, layers.Rescaling),
    *(layers.Normalization, layers.GaussianNoise, layers.Resizing, layers.Identity),
)


@dataclass
class Call:
    """The last call of a layer in a survey."""

    name: str
    layer: Any
    order: int
    shape: tuple[int, ...]
    dtype: str
    group: int  # calls that give the same array share a group
    grid: Grid | None
    array: Array
    count: int = 1
    reached: bool | None = None  # whether the scores depend on it; None where that is not known
    silent: bool = False  # the gradient is zero at every place


@dataclass(frozen=True, eq=False)
class Survey:
    """What one pass tells about a model, for one size of image.

    Args:
        layers: all layers, in order of execution, those that never ran at the end.
        grids: the grid of each usable layer.
        shapes: what each layer gives for one image, with its dtype.
        counts: how often each layer was called.
        ending: the softmax, log-softmax or sigmoid that the scores are taken before.
        several: it is a sigmoid over several outputs.
        notes: what the user should know about the scores.
    """

    layers: list[Layer]
    grids: dict[str, Grid]
    shapes: dict[str, tuple[tuple[int, ...], str]]
    counts: dict[str, int]
    ending: Ending | None
    several: bool
    notes: tuple[str, ...]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """The names, each once, in order of execution."""
        order = {layer.name: number for number, layer in enumerate(self.layers)}
        return sorted(set(names), key=lambda name: order.get(name, -1))


def survey(
    model: Any,
    forward: Callable[[Any, Any], Any] | None,
    image: Array,
    outputs: Any = None,
    grid: Callable[[tuple[int, ...]], Any] | tuple[int, int] | None = None,
    channels_first: bool = False,
) -> Survey:
    """Walks through the model once with one image and looks at what every layer gives."""
    walk = Walk(ref(model), forward, outputs)
    size = tuple(image.shape[2:4] if channels_first else image.shape[1:3])
    all_layers = parts(model)
    ledger = _Ledger(all_layers, (int(size[0]), int(size[1])), grid, channels_first)
    scores, squashes = ledger.fill(walk, model, image)
    ending = None if scores is None else _ending(walk, model, image, scores, squashes)
    silenced = replace(walk, ending=ending)
    _mark_silent(ledger, silenced, image)
    default = _default(ledger)
    listed = [replace(layer, default=layer.name == default) for layer in _listed(all_layers, ledger)]
    notes, several = ledger.notes, False
    if ending is not None and scores is not None:
        several = ending.kind == "sigmoid" and scores.shape[1] > 1
        notes = (*notes, seen_through(ending.kind))
    return Survey(
        listed,
        {name: call.grid for name, call in ledger.calls.items() if call.grid is not None},
        {name: (call.shape, call.dtype) for name, call in ledger.calls.items()},
        {name: call.count for name, call in ledger.calls.items()},
        ending,
        several,
        notes,
    )


@dataclass
class _Ledger:
    parts: dict[str, Any]
    image: tuple[int, int]
    grid: Any
    channels_first: bool
    calls: dict[str, Call] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    handed: dict[int, tuple[Array, int]] = field(default_factory=dict)  # id → (kept alive, group)
    number: int = 0
    notes: tuple[str, ...] = ()

    def fill(self, walk: Walk, model: Any, image: Array) -> tuple[Array | None, list[Squash]]:
        """Walks once; asks the backend which of the layers' outputs the scores depend on."""
        kept: list[Any] = [None, []]

        def look(values: Any, image: Array, mark: Callable[[Array], Array]) -> tuple[Array | None, list[Array]]:
            self.__init__(self.parts, self.image, self.grid, self.channels_first)  # type: ignore[misc]
            touch = lambda name, array, number: self._note(name, array, number, mark)  # noqa: E731
            scores, leaves, squashes = walk(image, touch, list(self.parts), values)
            self.notes = find_scores(walk.rebuilt(leaves), walk.outputs)[1]
            kept[:] = scores, squashes
            return scores, [call.array for call in self.calls.values() if call.grid is not None]

        reached = engine().look(look, model, image)
        mapped = (call for call in self.calls.values() if call.grid is not None)
        for call, known in zip(mapped, reached, strict=False):
            call.reached = known
        return kept[0], kept[1]

    def _note(self, name: str, array: Array, number: int, mark: Callable[[Array], Array]) -> Array:
        self.number += 1
        layer, shape = self.parts[name], tuple(int(side or 0) for side in array.shape)
        _, group = self.handed.get(id(array), (None, self.number))
        kind = keras.backend.standardize_dtype(array.dtype)
        found = self._grid(shape, layer)
        marked = array if found is None else mark(array)
        call = Call(name, layer, self.number, shape[1:], kind, group, found, marked, number + 1)
        self.calls[name] = call
        self.handed[id(marked)] = marked, group
        if found is not None:
            self.grids.append(found)
        return marked

    def _grid(self, shape: tuple[int, ...], layer: Any) -> Grid | None:
        if not shape or shape[0] != 1:
            return None
        if self.grid is not None:
            told = self.grid(shape) if callable(self.grid) else self.grid
            if told is not None and len(shape) == 3 and shape[1] >= told[0] * told[1]:
                return Grid("tokens", told[0], told[1], shape[1] - told[0] * told[1])
        sure = isinstance(layer, MAPPING)
        first = layer.data_format == "channels_first" if sure else self.channels_first
        return find_grid(shape, self.image, channels_first=first, seen=self.grids, sure=sure)


def _ending(walk: Walk, model: Any, image: Array, scores: Array, squashes: list[Squash]) -> Ending | None:
    """The squash whose result the scores are: the very array, or where it was cast since, the same numbers."""
    for number in reversed(range(len(squashes))):
        if squashes[number].after is scores:
            return Ending(squashes[number].kind, number)
    size = int(np.prod(scores.shape))
    alike = [i for i, squash in enumerate(squashes) if int(np.prod([s or 1 for s in squash.after.shape])) == size]
    if not alike:
        return None
    given, _, again = walk(image, lambda name, array, number: array, [])  # now with numbers, on every backend
    assert given is not None
    own = host(given).ravel()
    for number in reversed(alike):
        if np.allclose(host(again[number].after).ravel(), own, rtol=8e-3, atol=1e-6):
            return Ending(again[number].kind, number)
    return None


def _mark_silent(ledger: _Ledger, walk: Walk, image: Array) -> None:
    """Of transformers' tokens, the grid positions may not matter at the end, but the class token alone."""
    tokens = [c for c in ledger.calls.values() if c.grid is not None and c.grid.layout == "tokens" and c.reached]
    if not tokens:
        return
    walk.counts = {name: call.count for name, call in ledger.calls.items()}
    shapes = {call.name: (call.shape, call.dtype) for call in tokens}
    names = [call.name for call in sorted(tokens, key=lambda call: call.order)]
    run = engine()(walk, names, shapes, True)
    passed = run.forward(image)
    mixed = np.cos(np.arange(passed.scores.shape[1]) + 1.0).astype(np.float32)
    try:
        gradients = run.pull(passed, [mixed[None, None]])
    except EvidenceError:  # what is not reached by a gradient is told when it is asked for
        return
    for call in tokens:
        assert call.grid is not None
        call.silent = not host(gradients[call.name][0])[:, call.grid.prefix :].any()
    if all(call.silent for call in tokens):  # a head that begins at zero tells nothing
        for call in tokens:
            call.silent = False


def _listed(all_layers: dict[str, Any], ledger: _Ledger) -> list[Layer]:
    ran = sorted(ledger.calls.values(), key=lambda call: call.order)
    found = [_layer(call) for call in ran]
    passed_on = {
        one.name for one, then in pairwise(ran) if isinstance(then.layer, FINISHING) and one.shape == then.shape
    }
    usable = {
        layer.name
        for layer, call in zip(found, ran, strict=True)
        if layer.usable and not _bare(call.layer) and call.name not in passed_on and not _passive(call.layer)
    }
    found = [
        replace(layer, block=layer.name in usable and not any(parent in usable for parent in _parents(layer.name)))
        for layer in found
    ]
    return found + [
        Layer(name, type(part).__name__, (), _parameters(part), None, False, "it never ran, or gives no array")
        for name, part in all_layers.items()
        if name not in ledger.calls
    ]


def _layer(call: Call) -> Layer:
    why_not = ""
    if call.grid is None:
        why_not = "its output has no height and width"
    elif call.grid.height * call.grid.width == 1:
        why_not = "its map is 1 × 1: it comes after the pooling"
    elif call.silent:
        why_not = "the scores do not depend on its grid positions, only on its class token"
    elif call.reached is False:
        why_not = "no gradient comes back to it (the scores do not depend on it, or stop_gradient cut it off)"
    return Layer(
        call.name,
        type(call.layer).__name__,
        call.shape,
        _parameters(call.layer),
        call.grid.shape if call.grid else None,
        usable=not why_not,
        why_not=why_not,
    )


def _default(ledger: _Ledger) -> str | None:
    """The last usable layer; of those that give the same array the first that is no bare container or part of another.

    So a block that is one layer stands for its parts, and a Dropout that does nothing never for what it was given.
    """
    calls = [call for call in ledger.calls.values() if not _layer(call).why_not]
    # linear maps of tokens are parts of attention, whose channels are queries and keys rather than features
    dense = layers.Dense | layers.EinsumDense
    calls = [c for c in calls if not (c.grid and c.grid.layout == "tokens" and isinstance(c.layer, dense))]
    pooled = {call.group for call in ledger.calls.values() if isinstance(call.layer, POOLING)}
    calls = [call for call in calls if call.group not in pooled] or calls
    if not calls:
        return None
    last = max(calls, key=lambda call: call.group).group
    same = [call for call in calls if call.group == last]
    same = [call for call in same if not _bare(call.layer)] or same
    names = {call.name for call in same}
    outer = [call for call in same if not any(parent in names for parent in _parents(call.name))]
    return min(outer, key=lambda call: call.order).name


def _passive(layer: Any) -> bool:
    """Shows nothing that the layer before it does not."""
    linear = isinstance(layer, layers.Activation) and layer.activation is keras.activations.linear
    return linear or isinstance(layer, PASSIVE) or type(layer).__name__.startswith("Random")


def _bare(layer: Any) -> bool:
    """A nested Functional or Sequential is a container; a subclass with a `call` of its own is a block."""
    return isinstance(layer, keras.Model) and type(layer).__module__.startswith("keras.")


def _parents(name: str) -> list[str]:
    steps = name.split("/")
    return ["/".join(steps[:end]) for end in range(1, len(steps))]


def _parameters(layer: Any) -> int:
    return sum(int(np.prod(weight.shape, dtype=np.int64)) for weight in layer.weights)
