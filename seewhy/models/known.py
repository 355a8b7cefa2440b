"""What models of timm and Hugging Face tell about themselves: their labels, and how pictures are prepared."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from weakref import WeakKeyDictionary


@dataclass(frozen=True, eq=False)
class Known:
    """What a model told; None where it did not."""

    labels: tuple[str, ...] | None = None
    prepare: Callable[[Any], Any] | None = None


_KNOWN: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


def what_is_known(model: Any) -> Known:
    """Labels and preparation as the model tells them; asked once and remembered weakly."""
    try:
        remembered = _KNOWN.get(model)
    except TypeError:  # cannot be remembered
        return Known()
    if remembered is None:
        remembered = _KNOWN[model] = _of_timm(model) or _of_transformers(model) or Known()
    return remembered


@cache
def imagenet_labels() -> tuple[str, ...]:
    """The names of the 1,000 ImageNet classes, in their usual order."""
    text = files("seewhy.models").joinpath("imagenet.txt").read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


def _of_timm(model: Any) -> Known | None:
    config = getattr(model, "pretrained_cfg", None)
    if "timm" not in sys.modules or not isinstance(config, dict):
        return None
    from timm.data import create_transform, resolve_data_config

    labels = config.get("label_names")
    # 1,000 classes of one's own are not told from ImageNet's, unless the weights come from other data
    if labels is None and getattr(model, "num_classes", None) == config.get("num_classes") == 1000:
        labels = imagenet_labels()
    prepare = create_transform(**resolve_data_config({}, model=model), is_training=False)
    return Known(tuple(labels) if labels else None, prepare)


def _of_transformers(model: Any) -> Known | None:
    config = getattr(model, "config", None)
    names = getattr(config, "id2label", None)
    if "transformers" not in sys.modules or not isinstance(names, dict):
        return None
    generic = all(str(name).startswith("LABEL_") for name in names.values())
    labels = None if generic else tuple(str(names[index]) for index in sorted(names))
    return Known(labels, _processor(getattr(config, "_name_or_path", "")))


def _processor(name: str) -> Any:
    """The image processor saved beside the model's weights on this machine; None where there is none."""
    if not name:
        return None
    from transformers import AutoImageProcessor

    try:
        return AutoImageProcessor.from_pretrained(name, local_files_only=True)
    except (OSError, ValueError, ImportError):
        return None
