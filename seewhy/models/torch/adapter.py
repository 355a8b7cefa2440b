"""PyTorch models as explain sees them: images into batches, layers by name, and a run that leaves no trace."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Layer
from seewhy.models.choosing import chosen
from seewhy.models.torch.layers import Survey, is_current, survey
from seewhy.models.torch.passes import Pass
from seewhy.models.torch.runs import TorchRun
from seewhy.models.torch.state import callers_autocast, left_as_found, original

_SURVEYS: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], Survey]] = WeakKeyDictionary()
_SIZES = 16  # image shapes remembered for each model


class TorchModel:
    """An `nn.Module` as explain sees it; the module itself is never changed.

    Args:
        module: maps images [batch, channels, height, width] to scores.
        labels, prepare, outputs, layer, grid, name, call: as in `seewhy.wrap`.
    """

    channels_first = True
    in_size = None  # a PyTorch model does not tell

    def __init__(
        self,
        module: nn.Module,
        *,
        labels: tuple[str, ...] | None = None,
        prepare: Callable[[Any], Any] | None = None,
        outputs: str | int | Callable[[Any], Any] | None = None,
        layer: Any = None,
        grid: Any = None,
        name: str | None = None,
        call: Callable[[Any, Any], Any] | None = None,
    ) -> None:
        self.module = original(module)
        if isinstance(self.module, torch.jit.ScriptModule):
            raise InputError(
                "a TorchScript model",
                "an nn.Module, whose layers can be looked into",
                "hand over what it was made from",
            )
        self.told = {
            "labels": labels,
            "prepare": prepare,
            "outputs": outputs,
            "layer": layer,
            "grid": grid,
            "name": name,
            "call": call,
        }
        self.labels, self.prepare, self.outputs = labels, prepare, outputs
        self.layer, self.grid = layer, grid
        self.name = name or type(self.module).__name__
        # What is told changes what a survey sees; without it, bare and wrapped models share what is known.
        bare = outputs is None and grid is None and call is None
        self._surveys = _SURVEYS.setdefault(self.module, {}) if bare else {}
        self.forward: Callable[[torch.Tensor], Any] = self.module if call is None else partial(call, self.module)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.module, self.told)  # what is known of its layers stays behind

    @property
    def device(self) -> torch.device:
        return next((tensor.device for tensor in self._tensors()), torch.device("cpu"))

    def fingerprint(self) -> str:
        """The same for the same weights and buffers, whatever device they are on."""
        found = hashlib.blake2b(type(self.module).__name__.encode(), digest_size=16)
        for name, tensor in self.module.state_dict().items():
            if isinstance(tensor, torch.Tensor):
                found.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
                found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        return found.hexdigest()

    def channels_last(self, images: torch.Tensor) -> torch.Tensor:
        """The same images with the channels of a pixel side by side in memory, where convolutions can be faster."""
        return images.contiguous(memory_format=torch.channels_last)

    def to(self, device: str) -> None:
        """Moves the model; 'auto' is a GPU where PyTorch sees one.

        Raises:
            InputError: there is no such device.
        """
        expected = "'auto', 'cpu', 'cuda', 'cuda:1' ..."
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise InputError(f"the device {device!r}; PyTorch sees no GPU", expected, "write 'cpu', or leave it out")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            self.module.to(torch.device(device))
        except (RuntimeError, NotImplementedError, AssertionError) as error:
            known = "Expected one of" not in str(error)  # else PyTorch lists twenty kinds of devices
            reason = f": {str(error).splitlines()[0]}" if known else ", which PyTorch does not know"
            raise InputError(f"the device {device!r}{reason}", expected, "leave it out") from error

    @property
    def dtype(self) -> torch.dtype:
        floats = (tensor for tensor in self._tensors() if tensor.is_floating_point())
        first = next(floats, None)
        if first is None:
            return torch.float32
        # a scalar such as a temperature may be kept in another precision than the weights
        return first.dtype if first.ndim > 1 else next((t.dtype for t in floats if t.ndim > 1), first.dtype)

    def _tensors(self) -> Iterator[torch.Tensor]:
        yield from self.module.parameters()
        yield from self.module.buffers()

    @property
    def in_channels(self) -> int | None:
        """How many channels the first convolution takes."""
        return next((m.in_channels for m in self.module.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)), None)

    def batch(self, images: Sequence[Any]) -> torch.Tensor:
        """float [batch, channels, height, width] on the model's device and in its dtype, from single images.

        Raises:
            InputError: the list is empty, or an image is not of the form [channels, height, width].
        """
        with torch.inference_mode(False):
            return self._batch(images)

    def _batch(self, images: Sequence[Any]) -> torch.Tensor:
        if self.device.type == "meta":
            raise InputError(
                "a model on the meta device, which has no weights",
                "a model with its weights",
                "make it on a real device, or model.to_empty(device='cpu') and load the weights",
            )
        if len(images) == 0:
            raise InputError("an empty batch", "at least one picture or image", "check the folder, filter or loader")
        if hasattr(images, "shape"):
            stacked = self._shaped(_tensor(images), 4)
        else:
            singles = [_tensor(image) for image in images]
            stacked = torch.stack([self._shaped(x[0] if x.ndim == 4 and len(x) == 1 else x, 3) for x in singles])
        if stacked.is_inference():
            stacked = stacked.clone()
        return stacked.detach().to(self.device, self.dtype)

    def _shaped(self, tensor: torch.Tensor, dimensions: int) -> torch.Tensor:
        """A single image (3 dimensions) or a batch (4)."""
        if tensor.ndim != dimensions:
            remedy = "use explain_many(model, images) for a batch" if tensor.ndim == 4 else "check the image's shape"
            expected = "[channels, height, width], with or without a leading 1"
            raise InputError(f"an image of shape {list(tensor.shape)}", expected, remedy)
        return tensor

    # layers

    def survey(self, images: torch.Tensor) -> Survey:
        """What one pass over the first image tells; remembered by image shape while the model has the same parts."""
        size = tuple(images.shape[1:])
        known = self._surveys.get(size)
        if known is None or not is_current(known, self.module):
            with left_as_found(self.module), self._told(images):
                known = survey(self.module, self.forward, images[:1], self.outputs, self.grid)
            if known.sure:
                self._surveys[size] = known
            while len(self._surveys) > _SIZES:
                self._surveys.pop(next(iter(self._surveys)))
        return known

    def layers(self, images: torch.Tensor) -> list[Layer]:
        """All layers in order of execution, found by one pass over the first image and remembered weakly."""
        return self.survey(images).layers

    def choose(self, asked: Any, images: torch.Tensor) -> tuple[list[str], bool]:
        """Names of the layers in `asked` (None, a name, a module, an index, 'all', or a list), and whether several.

        Raises:
            UnknownNameError: no layer has that name.
            InputError: no map can be taken there.
        """
        asked = self.layer if asked is None else asked
        try:
            return self._chosen(asked, images)
        except SeeWhyError:  # perhaps the model was changed in place since it was surveyed
            self._surveys.clear()
            return self._chosen(asked, images)

    def _chosen(self, asked: Any, images: torch.Tensor) -> tuple[list[str], bool]:
        return chosen(asked, self.survey(images).layers, self.name, self._name_of)

    def _name_of(self, asked: Any) -> str:
        """The name of a module of this model; a text names the first place that the module stands in."""
        if not isinstance(asked, nn.Module):
            return self._first_name(str(asked))
        name = next((n for n, part in self.module.named_modules() if part is original(asked)), "")
        if not name:
            raise InputError(
                f"a {type(asked).__name__} that is no part of {self.name}",
                "one of its modules, or a name that layers(model) lists",
                "take it from this very model, as in model.layer4[-1]",
            )
        return name

    def _first_name(self, name: str) -> str:
        """A module that stands in several places is known by the first."""
        try:
            part = self.module.get_submodule(name)
        except AttributeError:
            return name
        return next((first for first, other in self.module.named_modules() if other is part), name)

    # passes

    @contextmanager
    def run(self, images: torch.Tensor, layers: Sequence[str], needs: frozenset[str]) -> Iterator[TorchRun]:
        """Runs the model on a batch; inside the context evidence can be taken, after it the model is as it was.

        Args:
            images: from `batch`.
            layers: names from `choose`, or INPUT alone.
            needs: what the method declared: 'gradients', 'head', 'edited', 'again', 'biases'.
        """
        found, autocast = self.survey(images), callers_autocast(self.device.type)
        with left_as_found(self.module), ExitStack() as stack:
            run = Pass(self.module, self.forward, self.outputs, images, list(layers), needs, found, autocast)
            stack.enter_context(torch.autocast(self.device.type, enabled=False))  # maps are not to be rounded
            run.hook(stack)
            with self._told(images):
                run.start()
            yield TorchRun(run)

    @contextmanager
    def _told(self, images: torch.Tensor) -> Iterator[None]:
        """What the model's own forward says about shapes and inputs, in words that tell what to do."""
        try:
            yield
        except TypeError as error:
            if self.told["call"] is not None or _takes(self.module, images):
                raise
            raise InputError(
                f"{self.name} cannot be called with images alone: {error}",
                "a model of one input, or to be told what else goes in",
                "wrap(model, call=lambda model, images: model(images, other)), with what the others are to be",
            ) from error
        except (RuntimeError, ValueError, AssertionError) as error:
            shape, channels = list(images.shape), self.in_channels
            misfit = bool(channels) and shape[1] != channels
            if isinstance(error, SeeWhyError) or not (misfit or _SHAPES.search(str(error))):
                raise
            expected = "images [batch, channels, height, width] of the size and channels the model was trained with"
            remedy = "give prepare= the preparation used in training, or an image in the model's own layout"
            if misfit and shape[-1] == channels:
                remedy = "channels come last here, and first in PyTorch: write image.permute(2, 0, 1)"
            elif misfit:
                expected = f"images [batch, {channels}, height, width]"
                remedy = f"make images of {channels} channels, as in training"
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            came = f"images of shape {shape}, at which the model raised: {said}"
            raise InputError(came, expected, remedy) from error


def _rebuilt(module: nn.Module, told: dict[str, Any]) -> TorchModel:
    return TorchModel(module, **told)


def _takes(module: nn.Module, images: torch.Tensor) -> bool:
    """Whether its forward can be called with one argument, as far as it tells."""
    try:
        inspect.signature(module.forward).bind(images)
    except TypeError:
        return False
    except ValueError:  # it has no signature
        pass
    return True


def _tensor(image: Any) -> torch.Tensor:
    return image if isinstance(image, torch.Tensor) else torch.from_numpy(np.array(image, np.float32))


_SHAPES = re.compile(r"\b(size|sizes|shape|shapes|channels|dimension|dimensions|mat1|height|width)\b", re.IGNORECASE)
