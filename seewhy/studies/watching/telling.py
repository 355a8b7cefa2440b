"""Numbers and strips for others: TensorBoard, and a function of the user's (MLflow, W&B ...)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyWarning
from seewhy.studies.watching.events import EventFile

Log: TypeAlias = Callable[[dict[str, float], dict[str, Image.Image], int], Any]


class Telling:
    """Hands on what each look gave. What goes wrong there is told once and ends no training.

    Args:
        out: the watch's folder.
        tensorboard: True: into its `tensorboard`; a folder; a writer with add_scalar and add_image; None or False.
        log: a function of (numbers, images, step).
    """

    def __init__(self, out: Path, tensorboard: Any, log: Log | None) -> None:
        if log is not None and not callable(log):
            raise InputError(f"log={log!r}", "a function of (numbers, images, step)", "see the how-to on watching")
        self._told: list[Callable[[dict[str, float], dict[str, Image.Image], int], Any]] = []
        self._ends: list[Callable[[], Any]] = []
        self._failed: set[str] = set()
        if log is not None:
            self._told.append(log)
        if isinstance(tensorboard, str | Path) or tensorboard is True:
            file = EventFile(out / "tensorboard" if tensorboard is True else Path(tensorboard))
            self._ends.append(file.close)

            def to_file(numbers: dict[str, float], images: dict[str, Image.Image], step: int) -> None:
                file.scalars({_tag(name): value for name, value in numbers.items()}, step)
                if images:
                    file.images({_tag(name): image for name, image in images.items()}, step)

            self._told.append(to_file)
        elif tensorboard:
            self._told.append(_to_writer(tensorboard))

    @property
    def wanted(self) -> bool:
        return bool(self._told)

    def tell(self, numbers: dict[str, float], images: dict[str, Image.Image], step: int) -> None:
        for one in self._told:
            try:
                one(numbers, images, step)
            except Exception as error:  # a user's own code, a full disk, a server that does not answer
                words = f"{type(error).__name__}: {error}"
                if words not in self._failed:
                    self._failed.add(words)
                    warnings.warn(f"what was watched could not be logged: {words}", SeeWhyWarning, stacklevel=2)

    def close(self) -> None:
        for end in self._ends:
            end()
        self._told, self._ends = [], []


def _to_writer(writer: Any) -> Log:
    """A writer such as `torch.utils.tensorboard.SummaryWriter`."""
    if not callable(getattr(writer, "add_scalar", None)) or not callable(getattr(writer, "add_image", None)):
        raise InputError(
            f"tensorboard={writer!r}"[:80],
            "True, a folder, or a writer with add_scalar and add_image",
            "write tensorboard=True for the folder 'tensorboard' in out=",
        )

    def told(numbers: dict[str, float], images: dict[str, Image.Image], step: int) -> None:
        for name, value in numbers.items():
            writer.add_scalar(_tag(name), value, step)
        for name, image in images.items():
            writer.add_image(_tag(name), np.asarray(image), step, dataformats="HWC")

    return told


def _tag(name: str) -> str:
    return name.replace("watch_", "watch/", 1)
