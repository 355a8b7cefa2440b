"""Keras models by name and from files: networks of `keras.applications`, saved models, weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import keras

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.preparing import preset


def application(name: str, pretrained: bool) -> Any:
    """A network of `keras.applications` with ImageNet weights, or with random ones.

    Raises:
        UnknownNameError: it has no network of that name.
    """
    makers = {key: value for key, value in vars(keras.applications).items() if key[0].isupper() and callable(value)}
    if name not in makers:
        raise UnknownNameError(
            f"keras.applications has no network {name!r}",
            "one of its functions, such as VGG16",
            did_you_mean(name, makers, "check the spelling"),
        )
    try:
        return makers[name](weights="imagenet" if pretrained else None)
    except Exception as error:  # Keras's own for a failed download is a bare Exception
        raise OSError(_first_line(error)) from error


def preparation(model: Any, name: str) -> Callable[[Any], Any]:
    """The middle of a picture in the size that the network takes, its pixels as its own module wants them."""
    module = import_module(getattr(keras.applications, name).__module__)
    return partial(_prepared, model.input_shape[1] or 224, module.preprocess_input)


def _prepared(side: int, preprocess: Callable[..., Any], picture: Any) -> Any:
    pixels = preset(f"0..255@{side}", channels_first=False)(picture)
    return preprocess(pixels, data_format="channels_last")


def saved(path: Path, safe_mode: bool) -> Any:
    """The model of a file that Keras wrote.

    Raises:
        InputError: there is none; it holds no whole model; it holds code, and `safe_mode` is on.
    """
    if not path.is_file():
        raise InputError(f"no file {path}", "a model saved by Keras (.keras, .h5)", "check the path")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=safe_mode)
    except Exception as error:
        if safe_mode and ("safe_mode" in str(error) or "unsafe" in str(error)):
            raise InputError(
                f"{path}, which holds code of its own (a Lambda layer)",
                "a file that runs no code when it is loaded",
                "if you trust who made it: safe_mode=False; or build the model in Python and load its weights",
            ) from error
        raise InputError(
            f"{path}, which Keras cannot load: {_first_line(error)}",
            "a whole model, saved by model.save('model.keras'), with all classes of its own registered",
            "if it holds weights alone, or classes of your own: build the model in a function, and load "
            f"'mycode.py:make_model' with weights={str(path)!r}",
        ) from error


def fill(model: Any, path: str | Path) -> None:
    """Loads a file of weights into a model.

    Raises:
        InputError: there is none, or it does not fit.
    """
    if not Path(path).is_file():
        raise InputError(f"no file {path}", "a file of weights (.weights.h5, .h5, .keras)", "check the path")
    try:
        model.load_weights(path)
    except Exception as error:
        raise InputError(
            f"the weights of {path} do not fit {model.name}: {_first_line(error)}",
            "weights of this very network, from model.save_weights(path)",
            "check the number of classes",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
