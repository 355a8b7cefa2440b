"""The pictures of a study: what a training is handed, and what lies behind it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from seewhy.errors import InputError, SeeWhyError, did_you_mean
from seewhy.images.hashing import content_hash
from seewhy.images.reading import as_numpy, contents, decode, is_picture, read
from seewhy.studies.data import Files, Indexed, as_data

Label = str | int
_GLANCE = 32  # pixels of the shorter side: enough to see whether a JPEG can be decoded


@dataclass(frozen=True, eq=False)
class Item:
    """One picture of a study.

    Args:
        of: the data that it is from; the picture itself is read when it is asked for.
        number: its place there.
        label: its class, as the data name it.
        hash: of the file's bytes, or of the array's.
        group: what belongs together, as listed.
    """

    of: Files | Indexed
    number: int
    label: Label
    hash: str
    group: str | None = None

    @property
    def source(self) -> Any:
        """A path where there is a file, else what the data set holds."""
        return self.of.sample(self.number).source

    @property
    def name(self) -> str:
        return self.of.sample(self.number).path or f"picture {self.number}"


@dataclass(frozen=True, eq=False, repr=False)
class Pictures(Sequence[tuple[Any, Label]]):
    """What a training is handed: a list of (picture, label), the data's own pictures first, then what was added.

    A picture is a path where there is a file, else what the data set holds; nothing is read before it is asked for.

    Args:
        items: the pictures.
        classes: all labels, sorted, the same for every training of a study.
        share: of the supplement, 0..1.
        added: how many of the pictures are of the supplement: the last ones.
    """

    items: tuple[Item, ...]
    classes: tuple[Label, ...]
    share: float
    added: int

    @property
    def labels(self) -> list[Label]:
        return [item.label for item in self.items]

    @property
    def indices(self) -> list[int]:
        """The label of each picture as its place in `classes`."""
        places = {label: place for place, label in enumerate(self.classes)}
        return [places[item.label] for item in self.items]

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> tuple[Any, Label]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Any, Label]]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [(item.source, item.label) for item in self.items[index]]
        item = self.items[index]
        return item.source, item.label

    def __iter__(self) -> Iterator[tuple[Any, Label]]:
        return ((item.source, item.label) for item in self.items)

    def __repr__(self) -> str:
        classes = ", ".join(map(str, self.classes[:5])) + (" ..." if len(self.classes) > 5 else "")
        return f"Pictures({len(self):,} of {classes}; {self.added:,} of them added, a share of {self.share:g})"


def opened(given: Any, what: str, leave_out: Path | None = None) -> Files | Indexed:
    """Data that can be read more than once.

    Raises:
        InputError: a stream, or no data at all.
    """
    data = as_data(given, leave_out=leave_out)
    if not isinstance(data, Files | Indexed):
        raise InputError(
            f"a stream as {what}, which can be read once",
            "a folder, a manifest, a data set with an index or a list of (picture, label)",
            "hand over list(...) of it where that fits into memory, or write it to a folder",
        )
    return data


def listed(
    data: Files | Indexed, what: str, told: Callable[[int, int], None] | None = None
) -> tuple[list[Item], list[str]]:
    """All pictures that can be read and have a label, and what is to be known of the others.

    Args:
        what: the data are, for errors.
        told: called with pictures done and all pictures.
    Raises:
        InputError: no picture has a label, or none can be read.
    """
    items, unread, without = [], [], 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "seewhy") as pool:
        for done, found in enumerate(pool.map(lambda number: _item(data, number), range(len(data))), 1):
            if isinstance(found, Item):
                items.append(found)
            elif found is None:
                without += 1
            else:
                unread.append(found)
            if told is not None and (done % 50 == 0 or done == len(data)):
                told(done, len(data))
    if not items:
        raise InputError(
            f"no usable picture as {what}: {f'{without:,} without a label' if without else unread[0]}",
            "pictures with labels: a folder of folders named by class, or (picture, label)",
            "sort them into folders named by class",
        )
    notes = [f"{without:,} of {what} without a label were left out"] if without else []
    if unread:
        notes.append(f"{len(unread):,} of {what} could not be read and were left out, such as {unread[0]}")
    return items, notes


def classes_of(items: Sequence[Item], others: Mapping[str, Sequence[Item]]) -> tuple[Label, ...]:
    """All labels of the data, sorted.

    Args:
        others: pictures that may have no label but these, by what they are.
    Raises:
        InputError: fewer than two classes, names mixed with numbers, or a label that the data do not have.
    """
    found = {item.label for item in items}
    if len({type(label) for label in found}) > 1:
        raise InputError("labels of which some are names and some numbers", "one kind", "name all of them")
    classes: tuple[Label, ...] = tuple(sorted(found))
    if len(classes) < 2:
        raise InputError(f"pictures of one class, {classes[0]!r}", "two classes or more", "see what the folders hold")
    for what, more in others.items():
        strange = next((item.label for item in more if item.label not in found), None)
        if strange is not None:
            names = [str(label) for label in classes]
            raise InputError(
                f"{what} with the label {strange!r}",
                f"the labels of the data: {', '.join(names[:8])}{' ...' if len(names) > 8 else ''}",
                did_you_mean(str(strange), names, "rename the folder as the data's is, or add pictures of it there"),
            )
    return classes


def _item(data: Files | Indexed, number: int) -> Item | str | None:
    """The picture; why it cannot be used; None: it has no label."""
    sample = data.sample(number)
    name = sample.path or f"picture {number}"
    if sample.error is not None:
        return f"{name}: {sample.error.splitlines()[0]}"
    if sample.label is None:
        return None
    try:
        if isinstance(sample.source, str | Path):
            held = contents(Path(sample.source))
            decode(held, name, _GLANCE)
            found = content_hash(held)
        elif is_picture(sample.source):
            found = content_hash(read(sample.source).tobytes())
        else:
            found = content_hash(np.ascontiguousarray(as_numpy(sample.source)).tobytes())
    except SeeWhyError as error:
        return f"{name}: {error.came.splitlines()[0]}"
    except Exception as error:  # a user's own objects
        return f"{name}: {type(error).__name__}: {error}"
    return Item(data, number, sample.label, found, sample.group)
