"""Which layers a caller means: by name, object, index, 'all', a list of these, or none at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seewhy.errors import EvidenceError, InputError, UnknownNameError, did_you_mean
from seewhy.evidence import Layer


def chosen(asked: Any, layers: Sequence[Layer], model: str, name_of: Callable[[Any], str]) -> tuple[list[str], bool]:
    """Names of the layers in `asked`, and whether several were meant.

    Args:
        asked: None, a name, a part of the model, an index, 'all', or a list.
        layers: of the model.
        model: what it is called.
        name_of: gives the name of a part, or of what else may stand for a name; raises where it is none.
    Raises:
        UnknownNameError: no layer has that name.
        InputError: no map can be taken there.
        EvidenceError: the model has no layer that gives a map.
    """
    if isinstance(asked, list | tuple):
        if not asked:
            raise InputError("an empty list of layers", "at least one layer", "leave layer= out for the default")
        return [name for one in asked for name in chosen(one, layers, model, name_of)[0]], True
    if isinstance(asked, str) and asked == "all":
        return [layer.name for layer in layers if layer.block], True
    if asked is None:
        return [_default(layers, model)], False
    if isinstance(asked, int | np.integer):
        return [_indexed(int(asked), [layer for layer in layers if layer.usable])], False
    return [_named(name_of(asked), layers, model)], False


def default_name(layers: Sequence[Layer]) -> str | None:
    return next((layer.name for layer in layers if layer.default), None)


def _default(layers: Sequence[Layer], model: str) -> str:
    if all(not layer.shape for layer in layers):
        raise EvidenceError(
            f"no part of {model} ran by itself",
            "a model whose parts are modules or layers too",
            "an exported or traced model has no layers left: hand over what it was made from",
        )
    name = default_name(layers)
    if name is None:
        raise EvidenceError(
            f"no layer of {model} gives a map",
            "a layer with height and width before the pooling",
            "name one with layer=, tell how tokens are laid out with wrap(model, grid=(rows, columns)), "
            'or take method="integrated_gradients", which needs no layer',
        )
    return name


def _indexed(index: int, usable: Sequence[Layer]) -> str:
    if not -len(usable) <= index < len(usable):
        raise InputError(
            f"layer {index} of {len(usable)} usable layers",
            f"an index from {-len(usable)} to {len(usable) - 1}, in order of execution",
            "look at layers(model)",
        )
    return usable[index].name


def _named(name: str, layers: Sequence[Layer], model: str) -> str:
    layer = next((layer for layer in layers if layer.name == name), None)
    if layer is None:
        names = [layer.name for layer in layers]
        near = list(dict.fromkeys([*names, *(name.rpartition("/")[2] for name in names), "all"]))
        raise UnknownNameError(
            f"no layer is called {name!r} in {model}",
            "a name that layers(model) lists",
            did_you_mean(name, near, f"the default is {default_name(layers)!r}"),
        )
    if not layer.usable:
        raise InputError(
            f"no map can be taken at layer {name!r}: {layer.why_not}",
            "a layer with height and width that the scores depend on",
            f"the default of this model is {default_name(layers)!r}; layers(model) lists the others",
        )
    return name
