"""Files of pictures in folders of any size and depth."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from seewhy.images.panels import SIGNED

SUFFIXES = frozenset(
    (
        *(".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".jfif", ".jp2", ".jpe", ".jpeg"),
        *(".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
    )
)
MARK = ".why"  # cat.jpg gives cat.why.png, so that no picture is overwritten by its own explanation


def pictures_below(folder: Path, leave_out: Path | None = None) -> Iterator[Path]:
    """The picture files in a folder at any depth, in no order.

    Hidden ones are left out, and what was written by seewhy. Linked folders are followed, each once: they may lead in
    circles.

    Args:
        folder: which begins every path given.
        leave_out: a folder of results, resolved, that may lie inside.
    """
    seen: set[Path] = set()
    inside = leave_out is not None and folder.resolve() in leave_out.parents
    waiting = [folder]
    while waiting:
        links: list[Path] = []  # followed last, so that what is real keeps its own path
        for where, folders, names in os.walk(waiting.pop(0)):
            here = Path(where).resolve()
            if here in seen or (inside and leave_out in (here, *here.parents)):
                folders.clear()
                continue
            seen.add(here)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links += [Path(where, name) for name in folders if os.path.islink(os.path.join(where, name))]
            for name in names:
                path = Path(where, name)
                if path.suffix.lower() in SUFFIXES and not name.startswith(".") and not _written(path):
                    yield path
        waiting += links


def _written(path: Path) -> bool:
    """By seewhy: it has the mark in its name, or at the start of its PNG."""
    if path.stem.endswith(MARK):
        return True
    try:
        if path.suffix.lower() != ".png":
            return False
        with path.open("rb") as file:
            return SIGNED in file.read(100)
    except OSError:
        return False  # told when it is read
