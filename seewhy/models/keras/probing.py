"""Looking into one pass of a Keras model: what stands in for layers' `call` while the pass is traced or run.

Only instances are touched, past Keras's own `__setattr__`, and only during the pass; variables are read through a
`StatelessScope`, so that whatever the pass assigns is thrown away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from weakref import ref

import keras
from keras.src.backend import nn  # the one place that all spellings of softmax and sigmoid go through

from seewhy.evidence import Array
from seewhy.models.keras.scores import find_scores, is_float, wide
from seewhy.models.outputs import guided_note, no_relu

_LOCK = threading.RLock()  # one for all: two models may share a backbone
_ENDS = {"softmax": "softmax", "log_softmax": "log-softmax", "sigmoid": "sigmoid"}
_RELUS = {"relu": float("inf"), "relu6": 6.0}  # → where they end
_SMOOTH = {  # what stands in the place of ReLU and keeps its own gradient
    **{"silu": "SiLU", "gelu": "GELU", "elu": "ELU", "selu": "SELU", "softplus": "Softplus"},
    **{"leaky_relu": "LeakyReLU", "hard_silu": "Hardswish"},
}
_PLAIN = (bool, int, float, str, type(None))
Touch = Callable[[str, Any, int], Any]


@dataclass(frozen=True, eq=False)
class Squash:
    """A softmax, log-softmax or sigmoid that ran during a pass."""

    kind: str
    before: Array
    after: Array


class _Place(int):
    """Stands for an array among a model's outputs."""


@dataclass(frozen=True)
class Ending:
    """The step at the end of a model that its scores are taken before: the how-manieth squash of a pass it is."""

    kind: str
    number: int


@dataclass(eq=False)
class Walk:
    """One pass through a model: a function of images that can be traced, differentiated or run.

    Args:
        model: held weakly, since what is compiled from this is remembered by model.
        forward: the user's own way to call the model, or None.
        outputs: `wrap`'s outputs=.
        counts: how often each layer is called; of repeated calls the last is meant.
        ending: the squash that the scores are taken before.
        guided: of a ReLU only what is positive goes back (Springenberg et al. 2014).
        structure: outputs as the last pass returned them, a number in place of each array, which `leaves` holds.
        activations: names of those that a guided pass met.
    """

    model: ref[Any]
    forward: Callable[[Any, Any], Any] | None
    outputs: Any
    counts: Mapping[str, int] = field(default_factory=dict)
    ending: Ending | None = None
    guided: bool = False
    structure: Any = None
    activations: set[str] = field(default_factory=set)

    def __call__(
        self, images: Array, touch: Touch, names: Sequence[str], values: Sequence[tuple[Any, Array]] = ()
    ) -> tuple[Array | None, list[Array], list[Squash]]:
        """Scores (before the ending, float32 or wider), all arrays of the outputs, and every squash that ran.

        Args:
            images: float [batch, ...].
            touch: called as (name, array, number of the call) with what a layer gives; returns what is handed on.
            names: the layers to be touched.
            values: stand-ins for variables' values.
        """
        model = self.model()
        assert model is not None
        all_layers = parts(model)
        probed = _probed(model, {name: all_layers[name] for name in names}, touch)
        ruled = _guided(self.activations) if self.guided else nullcontext()
        with probed as squashes, ruled, _stateless(values):
            outputs = model(images, training=False) if self.forward is None else self.forward(model, images)
        flat = keras.tree.flatten(outputs)
        leaves = [leaf for leaf in flat if keras.ops.is_tensor(leaf)]
        numbers = iter(range(len(leaves)))
        places = [_Place(next(numbers)) if keras.ops.is_tensor(leaf) else leaf for leaf in flat]
        self.structure = keras.tree.pack_sequence_as(outputs, places)
        scores = find_scores(outputs, self.outputs)[0]
        if scores is not None and self.ending is not None:
            scores = keras.ops.reshape(squashes[self.ending.number].before, (-1, *scores.shape[1:]))
        return None if scores is None else wide(scores), leaves, squashes

    def is_last(self, name: str, number: int) -> bool:
        """Whether this call of the layer, counted from 0, is the one that is meant."""
        return number == self.counts.get(name, 1) - 1

    def rebuilt(self, leaves: Sequence[Array]) -> Any:
        """Outputs as the model returns them, from their arrays."""
        return keras.tree.map_structure(lambda x: leaves[x] if type(x) is _Place else x, self.structure)

    def guided_notes(self) -> tuple[str, ...]:
        """What the user should know about a guided pass.

        Raises:
            EvidenceError: there was no ReLU.
        """
        others = {_SMOOTH[name] for name in self.activations & set(_SMOOTH)}
        if not self.activations & set(_RELUS):
            raise no_relu(others)
        return guided_note(others)

    def variables(self) -> list[Any]:
        model = self.model()
        assert model is not None
        return list(model.variables)


def parts(model: Any) -> dict[str, Any]:
    """Path → layer for all layers, nested ones included; a layer that stands in several places has its first path.

    Inside wrappers and recurrent layers nothing is listed: what runs there runs step by step.
    """
    found: dict[str, Any] = {}
    met = {id(model)}

    def walk(layer: Any, prefix: str) -> None:
        for part in getattr(layer, "_layers", ()):
            if not isinstance(part, keras.layers.Layer) or id(part) in met:
                continue
            met.add(id(part))
            if isinstance(part, keras.layers.InputLayer):
                continue
            name, copies = prefix + part.name, 1
            while name in found:
                copies += 1
                name = f"{prefix}{part.name}:{copies}"
            found[name] = part
            if not isinstance(part, keras.layers.Wrapper | keras.layers.RNN):
                walk(part, name + "/")

    walk(model, "")
    return found


def fingerprint(model: Any) -> tuple[Any, ...]:
    """What a compiled pass depends on beside the variables' values: another one means that the model was changed."""
    return (
        tuple((id(variable), tuple(variable.shape)) for variable in model.variables),
        *(_print(layer) for layer in (model, *parts(model).values())),
    )


def _print(layer: Any) -> tuple[Any, ...]:
    own = vars(layer)
    plain = tuple((k, v) for k, v in own.items() if _is_plain(v) and not k.startswith("_") and k not in _PASSING)
    policy = getattr(getattr(layer, "dtype_policy", None), "name", None)
    return id(layer), id(own.get("activation")), id(own.get("function")), id(own.get("call")), policy, plain


def _is_plain(value: Any) -> bool:
    return type(value) in _PLAIN or (type(value) is tuple and all(type(each) in _PLAIN for each in value))


_PASSING = {
    "train_function",
    "test_function",
    "predict_function",
    "training",
    "built",
    "trainable",
    "stop_training",
    "compiled",
    "jit_compile",
    "run_eagerly",
    "steps_per_execution",
}


@contextmanager
def _probed(model: Any, layers: Mapping[str, Any], touch: Touch) -> Iterator[list[Squash]]:
    """Puts probes in place of the layers' `call`, and notes softmaxes and sigmoids."""
    own, squashes = threading.get_ident(), []  # the user's own calls on other threads are none of our business

    def probe(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        count = 0

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            output = call(*args, **kwargs)
            array = main_array(output)
            if threading.get_ident() != own or array is None:
                return output
            count += 1
            return with_array(output, array, touch(name, array, count - 1))

        return stand_in

    def watch(kind: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(x: Any, *args: Any, **kwargs: Any) -> Any:
            after = function(x, *args, **kwargs)
            if threading.get_ident() == own:
                squashes.append(Squash(_ENDS[kind], x, after))
            return after

        watched.__name__ = kind
        return watched

    with _LOCK:
        whole = (model, *parts(model).values())
        kept = [(vars(thing), dict(vars(thing))) for thing in (*whole, nn)]
        try:
            for name, layer in layers.items():
                vars(layer)["call"] = probe(name, layer.call)
            for (
                layer
            ) in whole:  # rematerialising traces a layer's call apart: what is seen there could not be taken out
                if vars(layer).get("_remat_mode"):
                    vars(layer)["_remat_mode"] = None
            for kind in _ENDS:
                vars(nn)[kind] = watch(kind, getattr(nn, kind))
            yield squashes
        finally:
            for live, before in kept:  # a user's own `call` may have put what it computed into attributes, too
                if live.keys() != before.keys() or any(live[name] is not before[name] for name in before):
                    live.clear()
                    live.update(before)


@contextmanager
def _guided(met: set[str]) -> Iterator[None]:
    """Puts ReLUs with the guided rule in place of Keras's own, inside `_probed`, which puts them back."""
    own = threading.get_ident()

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(x: Any, *args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != own:
                return function(x, *args, **kwargs)
            met.add(name)
            return _guided_relu(function, _RELUS[name], x) if name in _RELUS else function(x, *args, **kwargs)

        noted.__name__ = name
        return noted

    for name in (*_RELUS, *_SMOOTH):
        vars(nn)[name] = noting(name, getattr(nn, name))
    yield


def _guided_relu(relu: Callable[..., Any], end: float, x: Array) -> Array:
    def forward(x: Array) -> Any:
        after = relu(x)

        def back(*args: Array, upstream: Array | None = None) -> Array:
            slope = args[0] if upstream is None else upstream  # the backends call it in two ways
            open_ = keras.ops.logical_and(after > 0, after < end)
            return keras.ops.where(keras.ops.logical_and(open_, slope > 0), slope, keras.ops.zeros_like(slope))

        return after, back

    return keras.ops.custom_gradient(forward)(x)


@contextmanager
def _stateless(values: Sequence[tuple[Any, Array]]) -> Iterator[None]:
    with keras.StatelessScope(state_mapping=list(values)):
        yield


def main_array(output: Any) -> Array | None:
    """The first floating-point array in a layer's output."""
    return next((x for x in keras.tree.flatten(output) if keras.ops.is_tensor(x) and is_float(x)), None)


def with_array(output: Any, old: Array, new: Array) -> Any:
    """The same output with one array exchanged."""
    if output is old or old is new:
        return new if output is old else output
    return keras.tree.map_structure(lambda x: new if x is old else x, output)
