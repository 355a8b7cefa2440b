"""Keras models as explain sees them: images into batches, layers by path, and a run that leaves no trace."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary, ref

import keras
import numpy as np

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import INPUT, Array, Layer
from seewhy.images.reading import as_numpy
from seewhy.models.choosing import chosen
from seewhy.models.keras.engines import SHAPE_ERRORS, engine, left_as_found
from seewhy.models.keras.layers import Survey, survey
from seewhy.models.keras.passes import KerasRun
from seewhy.models.keras.probing import Walk, fingerprint, parts
from seewhy.models.keras.scores import host
from seewhy.targets import Floats

_FAR = 50.0  # how much brighter an extreme image is
_LINEAR = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Conv2D)
_REMEMBERED = 16  # image sizes, and compiled passes, of each model


@dataclass(eq=False)
class _Known:
    """What was found out and compiled for a model, while it is as its fingerprint says."""

    fingerprint: tuple[Any, ...] = ()
    surveys: dict[Any, Survey] = field(default_factory=dict)
    engines: dict[Any, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


_KNOWN: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()


class KerasModel:
    """A `keras.Model` as explain sees it; the model itself is never changed.

    Args:
        module: maps images [batch, height, width, channels] to scores.
        labels, prepare, outputs, layer, grid, name, call: as in `seewhy.wrap`.
    """

    def __init__(
        self,
        module: Any,
        *,
        labels: tuple[str, ...] | None = None,
        prepare: Callable[[Any], Any] | None = None,
        outputs: str | int | Callable[[Any], Any] | None = None,
        layer: Any = None,
        grid: Any = None,
        name: str | None = None,
        call: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        engine()  # tells of a backend that cannot be used
        self.module = module
        self.told = {
            "labels": labels,
            "prepare": prepare,
            "outputs": outputs,
            "layer": layer,
            "grid": grid,
            "name": name,
            "call": call,
        }
        self.labels, self.prepare, self.layer, self.grid = labels, prepare, layer, grid
        self.outputs, self.call = _place_of(module, outputs), call
        self.name = name or module.name
        # What is told changes what is seen; without it, bare and wrapped models share what is known.
        bare = outputs is None and grid is None and call is None
        self._known = _KNOWN.setdefault(module, _Known()) if bare else _Known()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.module, self.told)  # what is known of its layers stays behind

    @property
    def parts(self) -> dict[str, Any]:
        """Path → layer."""
        return parts(self.module)

    @property
    def device(self) -> str:
        """Where Keras's backend has placed the weights: 'cpu', 'gpu:0', 'cuda:0'."""
        first = next((weight.value for weight in self.module.weights), None)
        placed = str(getattr(first, "device", "cpu")).lower().rpartition("device:")[2]
        return "cpu" if placed.startswith("cpu") else placed

    def to(self, device: str) -> None:
        """Leaves the model where it is.

        Raises:
            InputError: a device other than 'auto' is asked for.
        """
        if device != "auto":
            raise InputError(
                f"the device {device!r} for a Keras model",
                "'auto': Keras places its arrays by its backend",
                "leave it out; CUDA_VISIBLE_DEVICES='' in the environment keeps the backend on the CPU",
            )

    @property
    def dtype(self) -> str:
        if "dtype" not in self._known.facts:
            kinds = [(len(v.shape) < 2, str(v.dtype)) for v in self.module.weights if "float" in str(v.dtype)]
            self._known.facts["dtype"] = min(kinds, key=lambda kind: kind[0])[1] if kinds else "float32"
        return str(self._known.facts["dtype"])

    @property
    def _convolution(self) -> Any:
        if "convolution" not in self._known.facts:
            kinds = keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D
            found = next((part for part in self.parts.values() if isinstance(part, kinds)), None)
            self._known.facts["convolution"] = None if found is None else ref(found)
        held = self._known.facts["convolution"]
        return None if held is None else held()

    @property
    def channels_first(self) -> bool:
        layout = getattr(self._convolution, "data_format", None) or keras.config.image_data_format()
        return bool(layout == "channels_first")

    @property
    def _input_shape(self) -> tuple[int | None, ...]:
        """Of one image, where the model tells it."""
        shape = getattr(self.module, "input_shape", None) if getattr(self.module, "inputs", None) else None
        return tuple(shape[1:]) if isinstance(shape, tuple) and len(shape) == 4 else ()

    @property
    def in_size(self) -> tuple[int, int] | None:
        """Height and width of the images that the model takes, where it tells them."""
        sides = self._input_shape[1:] if self.channels_first else self._input_shape[:2]
        return (int(sides[0] or 224), int(sides[1] or 224)) if sides else None

    @property
    def in_channels(self) -> int | None:
        """How many channels the model, or its first convolution, takes."""
        shape = self._input_shape
        channels = (shape[0] if self.channels_first else shape[2]) if shape else None
        kernel = getattr(self._convolution, "_kernel", None)
        return channels if channels is not None else None if kernel is None else int(kernel.shape[2])

    def fingerprint(self) -> str:
        """The same for the same weights, on any backend."""
        found = hashlib.blake2b(type(self.module).__name__.encode(), digest_size=16)
        for weight in self.module.weights:
            values = np.ascontiguousarray(host(weight.value))
            found.update(f"{list(values.shape)}".encode())
            found.update(values.tobytes())
        return found.hexdigest()

    def batch(self, images: Sequence[Any]) -> Array:
        """float [batch, height, width, channels] in the model's type, from single images of any framework.

        Raises:
            InputError: the list is empty, or an image is not of the form [height, width, channels].
        """
        if len(images) == 0:
            raise InputError("an empty batch", "at least one picture or image", "check the folder, filter or loader")
        self._forget_what_changed()
        if hasattr(images, "shape"):
            stacked = self._shaped(_numpy(images), 4)
        else:
            singles = [_numpy(image) for image in images]
            stacked = np.stack([self._shaped(x[0] if x.ndim == 4 and len(x) == 1 else x, 3) for x in singles])
        return keras.ops.convert_to_tensor(stacked, dtype=self.dtype)

    def _shaped(self, array: Any, dimensions: int) -> Any:
        """A single image (3 dimensions) or a batch (4)."""
        if array.ndim != dimensions:
            remedy = "use explain_many(model, images) for a batch" if array.ndim == 4 else "check the image's shape"
            layout = "channels, height, width" if self.channels_first else "height, width, channels"
            expected = f"[{layout}], with or without a leading 1"
            raise InputError(f"an image of shape {list(array.shape)}", expected, remedy)
        return array

    # layers

    def _forget_what_changed(self) -> None:
        """Every question begins with a batch: what was found out is dropped there if the model was changed since."""
        now = fingerprint(self.module)
        if self._known.fingerprint != now:
            self._known.fingerprint = now
            self._known.surveys.clear()
            self._known.engines.clear()
            self._known.facts.clear()

    def survey(self, images: Array) -> Survey:
        """What one pass over the first image tells; remembered by image size while the model is the same."""
        size, first = tuple(images.shape[1:]), images[:1]
        known = self._known.surveys.get(size)
        if known is None:
            with left_as_found(self.module), self._told(images):
                if not all(part.built for part in (self.module, *self.parts.values())):
                    self._called(first)  # what was never called has no variables yet
                    self._forget_what_changed()
                known = survey(self.module, self.call, first, self.outputs, self.grid, self.channels_first)
            if np.isfinite(host(first)).all():  # NaN tells nothing of how the model ends
                self._known.surveys[size] = known
                _forget(self._known.surveys)
        return known

    def _called(self, images: Array) -> None:
        if self.call is None:
            self.module(images, training=False)
        else:
            self.call(self.module, images)

    def layers(self, images: Array) -> list[Layer]:
        """All layers in order of execution, found by one pass over the first image and remembered weakly."""
        return self.survey(images).layers

    def choose(self, asked: Any, images: Array) -> tuple[list[str], bool]:
        """Names of the layers in `asked` (None, a path, a layer, an index, 'all', or a list), and whether several.

        Raises:
            UnknownNameError: no layer has that name.
            InputError: no map can be taken there, or several layers have that name.
        """
        asked = self.layer if asked is None else asked
        return chosen(asked, self.survey(images).layers, self.name, self._name_of)

    def _name_of(self, asked: Any) -> str:
        """The path of a layer of this model, of a path before which the model's name stands, or of a unique name."""
        if isinstance(asked, keras.Layer):
            name = next((name for name, part in self.parts.items() if part is asked), "")
            if not name:
                raise InputError(
                    f"a {type(asked).__name__} that is no part of {self.name}",
                    "one of its layers, or a path that layers(model) lists",
                    "take it from this very model, as in model.get_layer(...)",
                )
            return name
        for name in (str(asked), str(asked).removeprefix(f"{self.module.name}/")):
            if name in self.parts:
                return name
        same = [name for name in self.parts if name.endswith(f"/{asked}")]
        if len(same) > 1:
            raise InputError(
                f"{len(same)} layers are called {asked!r}",
                "a name that one layer has, or a path",
                f"write {' or '.join(map(repr, same[:4]))}",
            )
        return same[0] if same else str(asked)

    # passes

    @contextmanager
    def run(self, images: Array, layers: Sequence[str], needs: frozenset[str]) -> Iterator[KerasRun]:
        """Runs the model on a batch; inside the context evidence can be taken. Nothing is left to be put back."""
        with left_as_found(self.module):
            with self._told(images):
                run = KerasRun(self, images, list(layers), needs, self.survey(images))
            yield run

    def engine(
        self,
        images: Array,
        found: Survey,
        names: Sequence[str],
        gradients: bool,
        whole: bool = False,
        guided: bool = False,
    ) -> Any:
        """A pass with an eye on these layers (in order of execution), compiled where the backend compiles."""
        engines = self._known.engines
        key = (*names, gradients, whole, guided, tuple(images.shape[1:]), str(images.dtype))
        if key not in engines:
            walk = Walk(ref(self.module), self.call, self.outputs, found.counts, found.ending, guided)
            shapes = {name: found.shapes[name] for name in names if name != INPUT}
            engines[key] = engine()(walk, list(names), shapes, gradients, whole)
            _forget(engines)
        return engines[key]

    def is_squashed(self, images: Array, given: Floats) -> bool:
        """Whether these outputs are a sigmoid's that was not seen: within 0 to 1, also far from what is usual."""
        if given.min(initial=0) < 0 or given.max(initial=0) > 1:
            return False
        if "squashed" not in self._known.facts:
            self._known.facts["squashed"] = all(
                found.min() >= 0 and found.max() <= 1 for found in self._far(images[:1])
            )
        return bool(self._known.facts["squashed"])

    def _far(self, image: Array) -> Iterator[Floats]:
        """Scores for extreme images, and for extreme outputs of layers that give as many numbers."""
        far = keras.ops.concatenate([_FAR * image, -_FAR * image], 0)
        found = self.survey(far)
        scores = host(self.engine(far, found, [], False).forward(far).scores)
        yield scores
        pushed = (_FAR * np.array([[1.0], [-1.0]]) * np.ones(scores.shape)).astype(np.float32)
        for layer in found.layers:
            if layer.shape == scores.shape[1:]:
                given = self.engine(far, found, [layer.name], False).edited(far, keras.ops.convert_to_tensor(pushed))
                # a layer whose output is the model's: a linear one gives scores, of others this tells nothing
                if isinstance(self.parts[layer.name], _LINEAR) or not np.array_equal(host(given.scores), pushed):
                    yield host(given.scores)

    @contextmanager
    def _told(self, images: Array) -> Iterator[None]:
        """What the model itself says about shapes, in words that tell what to do."""
        try:
            yield
        except SHAPE_ERRORS as error:
            said = _said(error)
            if self.call is None and (inputs := _INPUTS.search(said)):
                raise InputError(
                    f"{self.name} cannot be called with images alone: {inputs[0]}",
                    "a model of one input, or to be told what else goes in",
                    "wrap(model, call=lambda model, images: model([images, other])), with what the others are to be",
                ) from error
            shape, channels = list(images.shape), self.in_channels
            misfit = bool(channels) and (shape[1] if self.channels_first else shape[-1]) != channels
            if isinstance(error, SeeWhyError) or not (misfit or _SHAPES.search(said)):
                raise
            expected = f"images [batch, {', '.join(str(s or 'any') for s in self._input_shape)}], as in training"
            if not self._input_shape:
                expected = "images [batch, height, width, channels] of the size the model was trained with"
            remedy = "give prepare= the preparation used in training, or an image in the model's own layout"
            if misfit and not self.channels_first and shape[1] == channels:
                remedy = "channels come first here, and last in Keras: write image.transpose(1, 2, 0)"
            elif misfit:
                remedy = f"make images of {channels} channels, as in training"
            said = next((line.strip() for line in said.splitlines() if _SHAPES.search(line)), said[:200])
            came = f"images of shape {shape}, at which the model raised: {said}"
            raise InputError(came, expected, remedy) from error


def _rebuilt(module: Any, told: dict[str, Any]) -> KerasModel:
    return KerasModel(module, **told)


def _forget(table: dict[Any, Any]) -> None:
    while len(table) > _REMEMBERED:
        table.pop(next(iter(table)))


def _place_of(model: Any, outputs: Any) -> Any:
    """The place of an output asked for by the name of its layer, where the model returns a list."""
    names = getattr(model, "output_names", None) or []
    is_list = isinstance(getattr(model, "output", None) if names else None, list | tuple)
    return list(names).index(outputs) if is_list and isinstance(outputs, str) and outputs in names else outputs


def _said(error: Exception) -> str:
    """What the model itself said, without Keras's frame round it, which names shapes in any case."""
    text = re.sub(r"\x1b\[\d*m", "", str(error)).split("Arguments received by")[0]
    return re.sub(r"Exception encountered when calling [^\n]*\n", "", text).strip()


def _numpy(image: Any) -> Any:
    found = as_numpy(image)
    return found if found.dtype == np.float64 else found.astype(np.float32)


_INPUTS = re.compile(
    r"[Ee]xpects? \d+ (?:named )?input[^\n]*|missing \d+ required positional argument[^\n]*|[Ss]tructure of[^\n]*"
)
_SHAPES = re.compile(
    r"\b(size|sizes|shape|shapes|channels|dimension|dimensions|mat1|height|width|incompatible)\b", re.IGNORECASE
)
