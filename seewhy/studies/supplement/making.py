"""Pictures made from those of the data: once, as files, so that every training is handed the same ones."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyError
from seewhy.images.hashing import content_hash
from seewhy.images.reading import as_numpy, read
from seewhy.models.chance import every_random_state_kept
from seewhy.results.store import write_whole
from seewhy.studies.data import Indexed
from seewhy.studies.supplement.pictures import Item, Label

Random = np.random.Generator
_TOLD = 25  # pictures


@runtime_checkable
class Maker(Protocol):
    """Makes pictures from pictures."""

    @property
    def name(self) -> str:
        """What it does, in a few words."""

    @property
    def key(self) -> str | None:
        """The same only where the same pictures are made of the same ones; None where that cannot be told."""

    def chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those of the training's pictures of which one is made each."""

    def made(self, item: Item, items: Sequence[Item], rng: Random) -> Any:
        """The picture that is made of one; it keeps its label."""


class Augmented:
    """A user's callable from picture to picture, called once with each picture of the data.

    Args:
        function: from a PIL image to a PIL image or a uint8 array [height, width, 3].
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    @property
    def name(self) -> str:
        return str(getattr(self.function, "__qualname__", None) or type(self.function).__name__)

    @property
    def key(self) -> None:
        return None  # a function may be renamed or reformatted; a study says that it differs

    def chosen(self, items: Sequence[Item]) -> Sequence[Item]:
        return items

    def made(self, item: Item, items: Sequence[Item], rng: Random) -> Any:
        with seeded(int(rng.integers(2**31))):
            return self.function(read(item.source))


def made(
    maker: Maker, items: Sequence[Item], folder: Path, seed: int, told: Callable[[int, int], None] | None = None
) -> tuple[list[Item], list[str]]:
    """A picture of each that the maker chooses, as a PNG file; those that are there already are not made again.

    Args:
        items: the data's own pictures, none of the held-out ones.
        folder: where the files go, in folders by class.
        seed: of what the maker draws.
        told: called with pictures done and all pictures.
    Raises:
        InputError: the maker chooses none, or fails with every picture.
    """
    chosen = sorted(maker.chosen(items), key=lambda item: (item.hash, str(item.label)))
    if not chosen:
        raise InputError(f"{maker.name} has no picture to begin with", "one at least", "check what it is to be done to")
    names = _folders({item.label for item in items})
    found, failed = [], []
    for number, item in enumerate(chosen):
        stem = item.hash[:20] if maker.key is None else f"{item.hash[:20]}-{maker.key}"
        path = folder / names[item.label] / f"{stem}.png"
        if not path.exists():
            try:
                picture = _picture(maker.made(item, items, np.random.default_rng([seed, int(item.hash[:8], 16)])))
            except Exception as error:  # one odd picture never ends a study
                said = error.came if isinstance(error, SeeWhyError) else f"{type(error).__name__}: {error}"
                failed.append(f"{item.name}: {said.splitlines()[0] if said else type(error).__name__}")
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep(picture, path)
        found.append((str(path), item.label, item.group))
        if told is not None and ((number + 1) % _TOLD == 0 or number + 1 == len(chosen)):
            told(number + 1, len(chosen))
    if not found:
        raise InputError(
            f"{maker.name} fails with all {len(chosen):,} pictures; the first: {failed[0]}",
            "a function from a PIL image to a PIL image or a uint8 array [height, width, 3]",
            "try it with one picture: function(PIL.Image.open(path).convert('RGB'))",
        )
    data = Indexed([(path, label) for path, label, _ in found], None, True)
    notes = []
    if failed:
        notes.append(f"{maker.name} failed with {len(failed):,} of {len(chosen):,} pictures, such as {failed[0]}")
    hashes = [content_hash(Path(path).read_bytes()) for path, _, _ in found]
    return [Item(data, i, label, hashes[i], group) for i, (_, label, group) in enumerate(found)], notes


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's and NumPy's random numbers, and PyTorch's where it is loaded, from a seed; then as they were before."""
    with every_random_state_kept():
        random.seed(seed)
        np.random.seed(seed)
        if (torch := sys.modules.get("torch")) is not None:
            torch.random.default_generator.manual_seed(seed)
        yield


def _picture(given: Any) -> Image.Image:
    """What a callable gave, as an RGB picture; whole numbers in floats are taken as such."""
    if given is None or isinstance(given, Image.Image):
        if given is None:
            raise InputError("None", "a picture", "return it")
        return read(given)
    values = as_numpy(given)
    if values.ndim == 4 and len(values) == 1:
        values = values[0]
    if values.dtype.kind == "f":
        if values.size and (values.min() < 0 or values.max() > 255 or 0 < values.max() <= 1):
            raise InputError(
                f"floats from {values.min():.3g} to {values.max():.3g}",
                "whole numbers 0..255",
                "return the picture as uint8: clip it, and multiply by 255 where it is 0..1",
            )
        values = np.rint(values).astype(np.uint8)
    return read(values)


def _keep(picture: Image.Image, path: Path) -> None:
    write_whole(path, lambda file: picture.save(file, "PNG"))


def _folders(labels: set[Label]) -> dict[Label, str]:
    """A folder's name for each label, whatever letters it has."""
    names: dict[Label, str] = {}
    for place, label in enumerate(sorted(labels, key=str)):
        plain = re.sub(r"[^\w. -]", "_", str(label)).strip(". ") or "_"
        names[label] = plain if plain not in names.values() else f"{plain}-{place}"
    return names
