"""The single pictures in whatever holds many: lists, batches, data sets and loaders, with labels or without."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from seewhy.errors import InputError
from seewhy.images.reading import dtype_name, name_of


def check_several(pictures: Any) -> None:
    """Raises an InputError where it is one picture, an empty batch, or nothing that holds pictures."""
    shape = getattr(pictures, "shape", None)
    if isinstance(pictures, str | bytes | Path | Image.Image) or (shape is not None and len(shape) in (2, 3)):
        raise InputError(
            f"one picture ({name_of(pictures)})", "several, in a list or any iterable", "use explain(model, picture)"
        )
    if shape is not None and len(shape) == 4 and shape[0] == 0:
        raise InputError("an empty batch", "at least one picture or image", "check the folder, filter or loader")
    if not is_iterable(pictures):
        raise InputError(
            f"pictures of type {type(pictures).__name__}", "a list of pictures, or any iterable", "write [picture]"
        )


def is_iterable(value: Any) -> bool:
    """Also what is only indexed, as data sets of PyTorch are."""
    return getattr(value, "shape", None) != () and (hasattr(value, "__iter__") or hasattr(value, "__getitem__"))


def singles(pictures: Iterable[Any]) -> Iterator[Any]:
    """Single pictures or images out of lists, batches, and loaders of batches or of (batch, labels, ...)."""
    for one in pictures:
        for image in _images_of(one):
            if len(getattr(image, "shape", ())) == 4:
                yield from image
            else:
                yield image


def _images_of(item: Any) -> list[Any]:
    """Itself; of a list or tuple the first and what is alike, so that labels, boxes and masks are left out."""
    if not isinstance(item, list | tuple) or not item:
        return [item]
    return [image for one in item if _alike(one, item[0]) for image in _images_of(one)]


def _alike(one: Any, first: Any) -> bool:
    if one is first:
        return True
    if isinstance(first, list | tuple):
        return isinstance(one, list | tuple) and len(one) > 0 and len(first) > 0 and _alike(one[0], first[0])
    if isinstance(first, Image.Image):
        return isinstance(one, Image.Image) and one.mode == first.mode
    if isinstance(first, str | Path):  # a label is a text too
        return isinstance(one, str | Path) and Path(one).suffix.lower() in Image.registered_extensions()
    shapes = [tuple(getattr(each, "shape", ())) for each in (one, first)]
    if len(shapes[0]) < 3 or len(shapes[0]) != len(shapes[1]):
        return isinstance(first, bytes) and isinstance(one, bytes)
    return dtype_name(one) == dtype_name(first) and min(shapes[0][-3:]) == min(shapes[1][-3:])  # channels
