"""Data sets and streams: what Python objects hold pictures and labels."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from seewhy.errors import InputError

_PICTURES = ("image", "img", "picture", "pixel_values", "images", "inputs", "x")
_LABELS = ("label", "labels", "fine_label", "class", "target", "y")


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture to be explained and what is known of it.

    Args:
        number: its place in the data.
        source: what `explain` takes; None where it could not be had.
        path: below the data's root, with '/'; None without a file.
        label: the true class as the data names it: a name or an index; None without one.
        boxes: of the object, (left, top, right, bottom) in pixels of the picture.
        mask: the file of the object's mask, as listed.
        group, split: as listed.
        error: why there is no source.
    """

    number: int
    source: Any
    path: str | None = None
    label: str | int | None = None
    boxes: Sequence[Sequence[float]] | None = None
    mask: str | None = None
    group: str | None = None
    split: str | None = None
    error: str | None = None


@dataclass(frozen=True, eq=False)
class Indexed:
    """A map-style data set: of PyTorch, Hugging Face, or a list of (picture, label).

    Args:
        items: gives an item for each index.
        names: of the labels by their index, where it tells.
        labelled: use the labels.
    """

    items: Any
    names: Sequence[str] | None
    labelled: bool
    kind: ClassVar[str] = "dataset"
    root: ClassVar[Path] = Path()

    def __post_init__(self) -> None:
        if not len(self.items):
            raise InputError("an empty data set", "at least one picture", "check how it is made")

    def __len__(self) -> int:
        return len(self.items)

    @property
    def labels(self) -> list[str]:
        """As far as they are known without reading pictures."""
        if not self.labelled:
            return []
        if self.names is None and isinstance(self.items, list | tuple):
            found = {_as_label(_parts(item)[1], strict=False) for item in self.items}
            return sorted(str(label) for label in found if label is not None)
        return list(self.names or [])

    @property
    def key(self) -> str:
        """The same for the same data, as far as a few items tell; pixels may be drawn by chance and do not count."""
        told = [(one.label, str(one.source) if isinstance(one.source, str | Path) else "") for one in self._some]
        named = hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()
        return f"{type(getattr(self.items, 'items', self.items)).__name__} of {len(self)}, {named}"

    @property
    def _some(self) -> list[Sample]:
        last = len(self) - 1
        return [self.sample(number) for number in sorted({0, 1, last // 3, last // 2, last} & set(range(len(self))))]

    def select(self, numbers: Sequence[int]) -> Indexed:
        """Only the pictures of these places."""
        return Indexed(_Some(self.items, numbers), self.names, self.labelled)

    def sample(self, number: int) -> Sample:
        """The picture of that place; one that cannot be had tells why."""
        try:
            return _sample(number, self.items[number], self.names, self.labelled)
        except Exception as error:  # a user's own code: any of its pictures may fail
            return Sample(number, None, error=f"the data set raised {type(error).__name__}: {error}")


@dataclass(frozen=True, eq=False)
class _Some:
    """Items of chosen places."""

    items: Any
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Any:
        return self.items[self.numbers[place]]


@dataclass(frozen=True, eq=False)
class Stream:
    """What can be read once, from the first to the last: a generator, a loader of batches, a tf.data.Dataset.

    Args:
        items: gives pictures, (picture, label), dictionaries, or batches of these.
        names: of the labels by their index, where it tells.
        labelled: use the labels.
        most: only so many pictures.
    """

    items: Iterable[Any]
    names: Sequence[str] | None
    labelled: bool
    most: int | None = None
    kind: ClassVar[str] = "stream"
    root: ClassVar[Path] = Path()
    key: ClassVar[str] = "stream"

    @property
    def labels(self) -> list[str]:
        return list(self.names or []) if self.labelled else []

    def samples(self) -> Iterator[Sample]:
        """All pictures, in order; one whose label cannot be used tells why."""
        for number, one in enumerate(itertools.islice(self._all(), self.most)):
            try:
                yield _sample(number, one, self.names, self.labelled)
            except InputError as error:
                yield Sample(number, None, error=str(error))

    def _all(self) -> Iterator[Any]:
        numpy = getattr(self.items, "as_numpy_iterator", None)
        for item in self.items if numpy is None else numpy():
            yield from _singles(item)


def readable(path: Path) -> str:
    """With '/', and valid Unicode: names in other encodings are shown with escapes."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def names_in(data: Any) -> Sequence[str] | None:
    """The names of the labels by their index, where a data set or what a loader holds tells them."""
    data = getattr(data, "dataset", data)
    features = getattr(data, "features", None)
    if isinstance(features, Mapping):
        for key in _LABELS:
            names = getattr(features.get(key), "names", None)
            if names:
                return [str(name) for name in names]
    for key in ("classes", "class_names"):
        names = getattr(data, key, None)
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            return names
    return None


def _sample(number: int, item: Any, names: Sequence[str] | None, labelled: bool) -> Sample:
    source, label = _parts(item)
    path = readable(Path(source)) if isinstance(source, str | Path) else None
    found = None if not labelled or label is None else _as_label(label)
    if isinstance(found, int) and names is not None and 0 <= found < len(names):
        found = names[found]
    return Sample(number, source, path, found)


def _parts(item: Any) -> tuple[Any, Any]:
    """Picture and label of an item."""
    if isinstance(item, Mapping):
        picture = next((key for key in _PICTURES if key in item), None)
        if picture is None:
            raise InputError(
                f"an item with {', '.join(map(repr, item))}",
                f"a picture under one of {', '.join(map(repr, _PICTURES[:4]))}",
                "rename the column, or hand over pairs (picture, label)",
            )
        return item[picture], next((item[key] for key in _LABELS if key in item), None)
    if isinstance(item, Sequence) and not isinstance(item, str | bytes):
        parts: list[Any] = [*item, None, None]
        return parts[0], parts[1]
    return item, None


def _as_label(label: Any, strict: bool = True) -> str | int | None:
    """A name or an index from whatever holds it; -1 stands for none, and so does what is no label unless `strict`."""
    if label is None:
        return None
    if isinstance(label, bytes):
        return label.decode()
    if hasattr(label, "detach"):
        label = label.detach().cpu().numpy()
    array = np.asarray(label)
    if array.dtype.kind in "US" and array.ndim == 0:
        return str(array)
    if array.size == 1 and array.dtype.kind in "biuf":
        number = float(array.reshape(()))
        if number.is_integer():
            return None if number == -1 else int(number)
        if number != number:
            return None
    if array.ndim == 1 and array.dtype.kind in "biuf" and np.sum(array != 0) == 1:
        return int(array.argmax())  # one-hot
    if not strict:
        return None
    raise InputError(
        f"a label of {type(label).__name__} {str(label)[:40]}",
        "one class for each picture: a name, an index, or a one-hot vector",
        "hand over pairs (picture, label), or labelled=False",
    )


def _singles(item: Any) -> Iterator[Any]:
    """Single items of a batch of pictures [n, h, w, c] with their labels [n]; anything else as it is."""
    source, label = _parts(item)
    shape: tuple[int, ...] = tuple(getattr(source, "shape", ()))
    if len(shape) != 4:
        yield item
        return
    for i in range(shape[0]):
        yield [source[i], None if label is None else label[i]]
