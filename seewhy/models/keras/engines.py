"""Where Keras's backends differ: a pass compiled, its way back for many seeds, and layers' outputs exchanged.

One class a backend, method beside method. On TensorFlow a tape runs inside a compiled function that begins again at
the earliest layer; on JAX a compiled function returns its own vjp, by perturbations of the layers' outputs; on torch
autograd does it, eagerly. Each takes and gives arrays in the layers' own layout, batch first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import keras
import numpy as np

from seewhy.errors import EvidenceError
from seewhy.evidence import INPUT, Array
from seewhy.models.chance import random_state_kept
from seewhy.models.keras.probing import Walk
from seewhy.models.keras.scores import is_float
from seewhy.targets import Floats

BACKEND: str = keras.backend.backend()
_PATIENCE = 8  # smaller batches that are filled up before a program of their own size is compiled for them

if BACKEND == "jax":
    import jax
    import jax.numpy as jnp
elif BACKEND == "torch":
    import torch
elif BACKEND == "tensorflow":
    import tensorflow as tf

Look = Callable[[Sequence[tuple[Any, Array]], Array, Callable[[Array], Array]], tuple[Array | None, list[Array]]]


@dataclass(eq=False)
class Passed:
    """What a forward pass gave: scores, the arrays of the outputs, the layers' outputs, and what the way back needs."""

    images: Array
    scores: Array | None
    leaves: list[Array]
    seen: dict[str, Array]
    handle: Any = None

    @property
    def ends(self) -> list[Array]:
        """What seeds belong to when a user's function is explained: the outputs' arrays."""
        return [leaf for leaf in self.leaves if is_float(leaf)]


@dataclass(eq=False)
class _Engine:
    """A pass of a model with an eye on some layers.

    Args:
        walk: runs the model.
        names: the layers, in order of execution; or INPUT alone.
        shapes: what each of them gives for one image, with its dtype.
        gradients: there will be a way back.
        whole: it starts at the outputs' arrays instead of the scores.
        traces: how often something was traced, by name: for tests.
    """

    walk: Walk
    names: list[str]
    shapes: Mapping[str, tuple[tuple[int, ...], str]]
    gradients: bool
    whole: bool = False
    traces: dict[str, int] = field(default_factory=dict)

    def _run(
        self, images: Array, touch: Callable[[str, Array], Array], values: Sequence[tuple[Any, Array]] = ()
    ) -> tuple[Array | None, list[Array], tuple[Array, ...]]:
        """Scores, outputs' arrays, and the ends that the way back starts from; `touch` meets each layer's last call."""

        def last(name: str, array: Array, number: int) -> Array:
            return touch(name, array) if self.walk.is_last(name, number) else array

        if self.names == [INPUT]:
            images = touch(INPUT, images)
        scores, leaves, _ = self.walk(images, last, [name for name in self.names if name != INPUT], values)
        ends = [leaf for leaf in leaves if is_float(leaf)] if self.whole else [] if scores is None else [scores]
        return scores, leaves, tuple(ends)

    def _ends_of(self, passed: Passed) -> list[Array]:
        return passed.ends if self.whole else [passed.scores]

    def _count(self, what: str) -> None:
        self.traces[what] = self.traces.get(what, 0) + 1

    def _cut_off(self) -> EvidenceError:
        return EvidenceError(
            f"no gradient comes from the scores to layer {self.names[0]!r}",
            "scores that can be followed back to the layer",
            "choose a layer that the scores depend on (layers(model)), and look in the model's call for "
            "stop_gradient or a step through NumPy",
        )


class TensorFlow(_Engine):
    @cached_property
    def _forward(self) -> Any:
        return tf.function(self._forwards, autograph=False, reduce_retracing=True)

    @cached_property
    def _pull_one(self) -> Any:
        return tf.function(self._pulls, autograph=False, reduce_retracing=True)

    @cached_property
    def _pull_many(self) -> Any:
        return tf.function(lambda *given: self._pulls(*given, many=True), autograph=False, reduce_retracing=True)

    @cached_property
    def _edited(self) -> Any:
        return tf.function(self._edits, autograph=False, reduce_retracing=True)

    def _spec(self, array: Array) -> Array:
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    def forward(self, images: Array) -> Passed:
        program = self._program("forward", self._forward, self._spec(images))
        scores, leaves, seen = program(images)
        return Passed(images, scores, list(leaves), dict(seen))

    def _program(self, what: str, function: Any, *specs: Any) -> Any:
        """The function traced once for batches of any size."""
        programs = self.__dict__.setdefault("_programs", {})
        if what not in programs:
            programs[what] = function.get_concrete_function(*specs)
        return programs[what]

    def _forwards(self, images: Array) -> Any:
        self._count("forward")
        seen = {}

        def touch(name: str, array: Array) -> Array:
            seen[name] = tf.identity(array)
            return array

        scores, leaves, _ = self._run(images, touch)
        return scores, leaves, seen

    def pull(self, passed: Passed, seeds: Sequence[Floats]) -> dict[str, Array]:
        """seeds [targets, batch, ...], one array for each end → {layer: gradients [targets, batch, ...]}."""
        start = passed.seen[self.names[0]]
        given = [tf.convert_to_tensor(seed, end.dtype) for seed, end in zip(seeds, self._ends_of(passed), strict=True)]
        if len(seeds[0]) == 1:
            ones = [seed[0] for seed in given]
            program = self._program("one", self._pull_one, *map(self._spec, (passed.images, start, *ones)))
            return {name: array[None] for name, array in program(passed.images, start, *ones).items()}
        specs = [tf.TensorSpec((None, None, *seed.shape[2:]), seed.dtype) for seed in given]
        program = self._program("many", self._pull_many, *map(self._spec, (passed.images, start)), *specs)
        return dict(program(passed.images, start, *given))

    def _pulls(self, images: Array, start: Array, *seeds: Array, many: bool = False) -> Any:
        self._count("pull")
        seen = {}
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:

            def touch(name: str, array: Array) -> Array:
                # what comes before the earliest layer is pruned from the graph where nothing else needs it
                seen[name] = tf.identity(start if name == self.names[0] else array)
                tape.watch(seen[name])
                return seen[name]

            _, _, ends = self._run(images, touch)

        def one(each: Any) -> Any:
            found = tape.gradient(list(ends), seen, output_gradients=list(each))
            if any(gradient is None for gradient in found.values()):
                raise self._cut_off()
            return found

        if not many:
            return one(seeds)
        kinds = {name: tf.TensorSpec(array.shape, array.dtype) for name, array in seen.items()}
        return tf.map_fn(one, list(seeds), fn_output_signature=kinds)

    def edited(self, images: Array, changed: Array) -> Passed:
        """The pass with an array in place of the layer's output; what needs the layer alone runs alone."""
        program = self._program("edited", self._edited, self._spec(images), self._spec(changed))
        scores, leaves = program(images, changed)
        return Passed(images, scores, list(leaves), {})

    def _edits(self, images: Array, changed: Array) -> Any:
        self._count("edited")
        return self._run(images, lambda name, array: tf.cast(changed, array.dtype))[:2]

    @staticmethod
    def look(look: Look, model: Any, image: Array) -> list[bool | None]:
        """Runs a survey's pass; whether the scores depend on each array that it gives."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            scores, arrays = look((), image, lambda array: tape.watch(array) or array)
        if scores is None:
            return [None] * len(arrays)
        try:
            return [gradient is not None for gradient in tape.gradient(scores, arrays)]
        except (LookupError, TypeError):  # an operation without a gradient
            return [None] * len(arrays)

    @staticmethod
    def slopes(total: Callable[[list[Array]], Array], leaves: list[Array]) -> list[Array | None]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(leaves)
            value = total(leaves)
        return list(tape.gradient(value, leaves))


class Jax(_Engine):
    @cached_property
    def _forward(self) -> Any:
        return jax.jit(self._forwards)

    @cached_property
    def _pull(self) -> Any:
        return jax.jit(self._pulls)

    @cached_property
    def _edited(self) -> Any:
        return jax.jit(self._edits)

    @cached_property
    def _sizes(self) -> dict[tuple[str, int], int]:
        return {}  # (program, batch size) → how often it was asked for; 0 where it is compiled

    def _values(self, weights: Sequence[Array] | None = None) -> list[Any]:
        variables = self.walk.variables()
        return [v.value for v in variables] if weights is None else list(zip(variables, weights, strict=True))

    def _filled(self, what: str, arrays: Sequence[Array]) -> list[Array]:
        """Batches filled up to a size that is compiled already: a last smaller batch must not compile anew."""
        count = len(arrays[0])
        larger = [size for (program, size), waits in self._sizes.items() if program == what and not waits]
        larger = sorted(size for size in larger if size >= count)
        waits = self._sizes.get((what, count), 0) + 1
        if not larger or (larger[0] > count and waits > _PATIENCE):
            self._sizes[what, count] = 0
            return list(arrays)
        if larger[0] > count:
            self._sizes[what, count] = waits
        return [_padded(array, larger[0] - count) for array in arrays]

    def forward(self, images: Array) -> Passed:
        count = len(images)
        (filled,) = self._filled("forward", [images])
        scores, leaves, seen, handle = self._forward(self._values(), filled)
        scores, leaves, seen = _cut((scores, leaves, seen), len(filled), count)
        return Passed(images, scores, leaves, seen, (len(filled), handle))

    def _forwards(self, weights: Sequence[Array], images: Array) -> Any:
        self._count("forward")

        def run(nudges: Mapping[str, Array]) -> Any:
            seen = {}

            def touch(name: str, array: Array) -> Array:
                seen[name] = array + nudges[name] if nudges else array
                return seen[name]

            scores, leaves, ends = self._run(images, touch, self._values(weights))
            return ends, (scores, leaves, seen)

        if not self.gradients:
            return *run({})[1], None
        nudges = {name: jnp.zeros((len(images), *shape), kind) for name, (shape, kind) in self._nudged(images).items()}
        _, pull, (scores, leaves, seen) = jax.vjp(run, nudges, has_aux=True)
        return scores, leaves, seen, pull

    def _nudged(self, images: Array) -> dict[str, tuple[tuple[int, ...], Any]]:
        known = {**self.shapes, INPUT: (images.shape[1:], images.dtype)}
        return {name: known[name] for name in self.names}

    def pull(self, passed: Passed, seeds: Sequence[Floats]) -> dict[str, Array]:
        count, (size, pull) = len(passed.images), passed.handle
        kinds = [end.dtype for end in self._ends_of(passed)]
        given = [
            np.pad(s, [(0, 0), (0, size - count)] + [(0, 0)] * (s.ndim - 2)) if s.shape[1:2] == (count,) else s
            for s in seeds
        ]
        found = self._pull(pull, tuple(jnp.asarray(s, kind) for s, kind in zip(given, kinds, strict=True)))
        return {name: array[:, :count] for name, array in found.items()}

    def _pulls(self, pull: Any, seeds: tuple[Array, ...]) -> Any:
        self._count("pull")
        return jax.vmap(lambda *each: pull(each)[0])(*seeds)

    def edited(self, images: Array, changed: Array) -> Passed:
        count = len(changed)
        filled = self._filled("edited", [images, changed])
        scores, leaves = _cut(self._edited(self._values(), *filled), len(filled[1]), count)
        return Passed(images, scores, leaves, {})

    def _edits(self, weights: Sequence[Array], images: Array, changed: Array) -> Any:
        self._count("edited")
        return self._run(images, lambda name, array: changed.astype(array.dtype), self._values(weights))[:2]

    @staticmethod
    def look(look: Look, model: Any, image: Array) -> list[bool | None]:
        """Nothing is computed: the program of the way back is only written down, and read from the scores on."""
        variables = list(model.variables)
        marks: list[int] = []

        def run(weights: Sequence[Array], image: Array, nudges: Sequence[Array] | None) -> Any:
            made: list[Array] = []

            def mark(array: Array) -> Array:
                made.append(array if nudges is None else array + nudges[len(made)])
                return made[-1]

            scores, arrays = look(list(zip(variables, weights, strict=True)), image, mark)
            marks[:] = [next(i for i, one in enumerate(made) if one is array) for array in arrays]
            return scores, made

        def back(slope: Array, weights: Sequence[Array], image: Array, nudges: Sequence[Array]) -> Any:
            return jax.vjp(lambda nudges: run(weights, image, nudges)[0], nudges)[1](slope)[0]

        values = [v.value for v in variables]
        scores, made = jax.eval_shape(lambda weights, image: run(weights, image, None), values, image)
        if scores is None:
            return [None] * len(marks)
        program = jax.make_jaxpr(back)(scores, values, image, made).jaxpr
        reached = {program.invars[0]}
        for step in program.eqns:
            if any(not hasattr(used, "val") and used in reached for used in step.invars):  # a literal is no variable
                reached.update(step.outvars)
        known = [not hasattr(array, "val") and array in reached for array in program.outvars]
        return [known[i] for i in marks]

    @staticmethod
    def slopes(total: Callable[[list[Array]], Array], leaves: list[Array]) -> list[Array | None]:
        return list(jax.grad(total)(leaves))


class Torch(_Engine):
    def _detached(self) -> list[tuple[Any, Array]]:
        """Values that want no gradient: the parameters themselves are not touched."""
        return [(variable, variable.value.detach()) for variable in self.walk.variables()]

    def forward(self, images: Array) -> Passed:
        seen = {}

        def touch(name: str, array: Array) -> Array:
            if not self.gradients:
                seen[name] = array.detach()
                return array
            seen[name] = array if array.requires_grad else array.detach().requires_grad_()  # the graph begins here
            return seen[name].clone()

        with torch.inference_mode(False), torch.set_grad_enabled(self.gradients):
            scores, leaves, ends = self._run(images.detach(), touch, self._detached())
        found = {name: array.detach() for name, array in seen.items()}
        first = None if scores is None else scores.detach()
        return Passed(images, first, [leaf.detach() for leaf in leaves], found, (ends, seen))

    def pull(self, passed: Passed, seeds: Sequence[Floats]) -> dict[str, Array]:
        ends, seen = passed.handle
        reached = [(end, seed) for end, seed in zip(ends, seeds, strict=True) if end.requires_grad]
        if not reached:
            raise self._cut_off()
        ends = [end for end, _ in reached]
        given = [torch.as_tensor(np.asarray(seed), dtype=end.dtype, device=end.device) for end, seed in reached]
        arrays = [seen[name] for name in self.names]

        def grad(seeds: Any, **more: Any) -> Any:
            found = torch.autograd.grad(ends, arrays, seeds, retain_graph=True, allow_unused=True, **more)
            if any(gradient is None for gradient in found):
                raise self._cut_off()
            return found

        if len(given[0]) > 1:
            try:
                return dict(zip(self.names, grad(given, is_grads_batched=True), strict=True))
            except (RuntimeError, NotImplementedError):  # an operation without a batching rule
                pass
        each = [grad([seed[target] for seed in given]) for target in range(len(given[0]))]
        return {name: torch.stack([one[i] for one in each]) for i, name in enumerate(self.names)}

    def edited(self, images: Array, changed: Array) -> Passed:
        with torch.inference_mode(False), torch.no_grad():
            scores, leaves, _ = self._run(images, lambda name, array: changed.to(array.dtype), self._detached())
        return Passed(images, scores, leaves, {})

    @staticmethod
    def look(look: Look, model: Any, image: Array) -> list[bool | None]:
        def mark(array: Array) -> Array:
            return (array if array.requires_grad else array.detach().requires_grad_()).clone()

        values = [(variable, variable.value.detach()) for variable in model.variables]
        with torch.inference_mode(False), torch.enable_grad():
            scores, arrays = look(values, image.detach(), mark)
            if scores is None or not scores.requires_grad or not arrays:
                return [None if scores is None else False] * len(arrays)
            asked = [array for array in arrays if array.requires_grad]
            found = torch.autograd.grad(scores.sum(), asked, allow_unused=True)
        reached = {id(array) for array, gradient in zip(asked, found, strict=True) if gradient is not None}
        return [id(array) in reached for array in arrays]

    @staticmethod
    def slopes(total: Callable[[list[Array]], Array], leaves: list[Array]) -> list[Array | None]:
        wanted = [leaf.detach().requires_grad_() for leaf in leaves]
        with torch.enable_grad():
            value = total(wanted)
        if not value.requires_grad:
            return [None] * len(leaves)
        return list(torch.autograd.grad(value, wanted, allow_unused=True))


ENGINES: dict[str, Any] = {"tensorflow": TensorFlow, "jax": Jax, "torch": Torch}
# one image at a time before the chosen layer, where that is all that the scores depend on: see passes.py
RUNS_ALL = BACKEND == "torch"
SHAPE_ERRORS: tuple[type[Exception], ...] = (ValueError, RuntimeError, AssertionError, TypeError)
if BACKEND == "tensorflow":
    SHAPE_ERRORS += (tf.errors.InvalidArgumentError,)


@contextmanager
def left_as_found(model: Any) -> Iterator[None]:
    """Random states, and on torch the training flags of modules wrapped in layers, are what they were after it."""
    with random_state_kept():
        if BACKEND != "torch":
            yield
            return
        training = [(part, part.training) for part in model.modules()]
        with torch.random.fork_rng(devices=[]):
            try:
                yield
            finally:
                for part, was in training:
                    part.training = was


def engine() -> Any:
    """The class of the backend that Keras runs on.

    Raises:
        EvidenceError: it is another than the three.
    """
    if BACKEND not in ENGINES:
        raise EvidenceError(
            f"Keras on the backend {BACKEND!r}",
            "TensorFlow, JAX or torch",
            "set KERAS_BACKEND to one of them before Keras is imported",
        )
    return ENGINES[BACKEND]


def _padded(array: Array, missing: int) -> Array:
    return jnp.concatenate([array, jnp.repeat(array[-1:], missing, 0)]) if missing else array


def _cut(arrays: Any, size: int, count: int) -> Any:
    """What has the size of the filled batch is cut to that of the batch; a model may return other arrays too."""
    return jax.tree.map(lambda array: array[:count] if array.shape[:1] == (size,) else array, arrays)


__all__ = ["BACKEND", "RUNS_ALL", "SHAPE_ERRORS", "Passed", "engine", "left_as_found"]
