"""From a user's model, of any framework, to the Model that explain works with.

Only the framework that the user has imported is asked: who passes a torch model has imported torch.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import Model
from seewhy.images.preparing import as_prepare
from seewhy.models.known import what_is_known

_WHOLE = int | np.integer


def wrap(
    model: Any,
    *,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    prepare: str | Callable[[Any], Any] | None = None,
    outputs: str | int | Callable[[Any], Any] | None = None,
    layer: Any = None,
    grid: tuple[int, int] | Callable[[tuple[int, ...]], tuple[int, int] | None] | None = None,
    name: str | None = None,
    call: Callable[[Any, Any], Any] | None = None,
) -> Model:
    """Tells seewhy what it cannot find out by itself about a model. The model is not changed.

    Args:
        model: a `torch.nn.Module` or `keras.Model`, what `load` returned, or an already wrapped model (what is given
            here then wins).
        labels: the classes' names in the order of the outputs, as a list or {index: name}. By default those that come
            with a model of timm or Hugging Face; one of timm has ImageNet's also where its weights are random.
        prepare: how a picture becomes what the model eats, as in training: a callable from PIL image to array, an image
            processor of Hugging Face, or a preset: "imagenet", "0..1", "-1..1", "0..255" (of the size that the model
            tells, else 224; "@96" for another).
        outputs: which part of the model's outputs are the scores: a key, an index or a function.
        layer: the layer taken where a call asks for none: a name, a module, an index, "all" or a list.
        grid: rows and columns of the tokens of a transformer, or a function from a layer's output shape to them.
        name: what the model is called in results.
        call: for models with several inputs: a function of (model, images) that returns the model's outputs.
    Returns:
        A wrapped model, to be used wherever a model is.
    Raises:
        InputError: `model` is of no framework that seewhy knows, or what is told of it cannot be used.
    """
    _check(outputs, grid, call)
    given = {
        "labels": None if labels is None else _label_list(labels),
        "prepare": prepare,
        "outputs": outputs,
        "layer": layer,
        "grid": grid,
        "name": name,
        "call": call,
    }
    given = {key: value for key, value in given.items() if value is not None}
    if is_wrapped(model):
        kind: Any = type(model)
        module, given = model.module, {**model.told, **given}  # type: ignore[attr-defined]
    else:
        kind, module = _adapter(model), model
        known = what_is_known(model)
        given = {**({"labels": known.labels} if known.labels else {}), **given}
        given.setdefault("prepare", known.prepare)
    wrapped: Model = kind(module, **given)
    if wrapped.prepare is not None:
        side = (wrapped.in_size or (224,))[0]
        wrapped.prepare = wrapped.told["prepare"] = as_prepare(wrapped.prepare, wrapped.channels_first, side)
    return wrapped


def as_model(model: Any) -> Model:
    """A wrapped model as it is; anything else wrapped, a string loaded by its name."""
    if is_wrapped(model):
        return model
    if isinstance(model, str):
        from seewhy.models.loading import load

        return load(model)
    return wrap(model)


def is_wrapped(model: Any) -> TypeGuard[Model]:
    """Whether it is a Model; its class is asked, as a user's module may hold anything under any name."""
    return all(callable(getattr(type(model), name, None)) for name in ("batch", "layers", "choose", "run"))


def _adapter(model: Any) -> Any:
    keras, torch = sys.modules.get("keras"), sys.modules.get("torch")
    if keras is not None and isinstance(model, keras.Model):  # first: on torch's backend it is a Module too
        from seewhy.models.keras import KerasModel

        return KerasModel
    if torch is not None and isinstance(model, torch.nn.Module):
        from seewhy.models.torch import TorchModel

        return TorchModel
    if isinstance(model, type):
        came, remedy = f"the class {model.__name__}", f"make a model of it: {model.__name__}(...)"
    elif isinstance(model, Mapping):
        came, remedy = "a dictionary, perhaps a state_dict", "build the model and call its load_state_dict first"
    else:
        came = f"a model of type {type(model).__name__}"
        remedy = "hand over the model itself, or its name as in load('torchvision:resnet50')"
    raise InputError(came, "a torch.nn.Module or a keras.Model", remedy)


def _check(outputs: Any, grid: Any, call: Any) -> None:
    if call is not None and not callable(call):
        raise InputError(
            f"call={call!r}", "a function of (model, images)", "as in call=lambda model, x: model(x, other)"
        )
    if isinstance(outputs, bool) or not (outputs is None or callable(outputs) or isinstance(outputs, str | _WHOLE)):
        raise InputError(f"outputs={outputs!r}", "a key, an index or a function", "as in outputs='logits'")
    sides = list(grid) if isinstance(grid, Sequence) and not isinstance(grid, str) else []
    pair = len(sides) == 2 and all(isinstance(side, _WHOLE) and side > 0 for side in sides)
    if not (grid is None or callable(grid) or pair):
        raise InputError(f"grid={grid!r}", "(rows, columns), or a function of a layer's shape", "as in grid=(14, 14)")


def _label_list(labels: Sequence[str] | Mapping[int, str]) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise InputError(f"labels={labels!r}", "a list of names or {index: name}", "write labels=[...]")
    if isinstance(labels, Mapping):
        try:
            keys = {int(key): str(value) for key, value in labels.items()}
        except (TypeError, ValueError):
            came = f"labels with the keys {list(labels)[:3]}"
            raise InputError(came, "{index: name}", "write {0: 'cat', 1: 'dog'}, or a list of names") from None
        last = max(keys, default=0)
        if sorted(keys) != list(range(last + 1)):
            missing = ", ".join(str(index) for index in range(min(last + 1, 1000)) if index not in keys)
            remedy = f"count from 0, and name {missing[:40]} too" if missing else "count from 0"
            raise InputError(f"labels for the classes {sorted(keys)[:10]}", f"names for 0 to {last}", remedy)
        return tuple(keys[index] for index in range(len(keys)))
    return tuple(str(label) for label in labels)
