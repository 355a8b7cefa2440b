"""Files of pictures: which ones the words on the command line mean, and what is written for each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from seewhy.errors import InputError
from seewhy.images.folders import MARK, SUFFIXES, pictures_below

_LONGEST = 120  # bytes of a written name's stem: most file systems end at 255, and suffixes follow
_DEVICES = frozenset(["con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(1, 10))])


def pictures_in(words: Sequence[str], out: Path) -> list[Path]:
    """The files that are meant, in the order of the words; those of a folder sorted by path.

    Args:
        words: files, folders (their images at any depth, hidden ones left out) and patterns that no shell expanded.
        out: where results go. What lies there, or was written by seewhy, is not taken from a folder.
    Raises:
        InputError: a folder without images, or a pattern without files.
    """
    found: list[Path] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            inside = sorted(pictures_below(path, out.resolve()))
            if not inside:
                raise InputError(
                    f"no pictures in the folder {word!r}",
                    f"files that end in {', '.join(sorted(SUFFIXES)[:4])} ...",
                    "check the folder, or name the files themselves",
                )
            found += inside
        elif not path.exists() and any(letter in word for letter in "*?["):
            matches = sorted(match for match in glob(word, recursive=True) if not os.path.isdir(match))
            if not matches:
                raise InputError(
                    f"no files match {word!r}", "a file, a folder or a pattern with matches", "check the path"
                )
            found += map(Path, matches)
        else:
            found.append(path)  # whether it can be read is told in its own row
    return list(dict.fromkeys(found))


def written_names(files: Sequence[Path]) -> list[str]:
    """A valid file name, without suffix, for what is written of each file; no two alike, also where case is ignored."""
    stems = [_valid(file.stem) for file in files]
    often = Counter(stem.casefold() for stem in stems)
    taken: set[str] = set()
    names = []
    for file, stem in zip(files, stems, strict=True):
        if often[stem.casefold()] > 1 and file.parent.name:
            stem = _valid(f"{file.parent.name}-{file.stem}")
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name + MARK)
    return names


def plain(text: str) -> str:
    """A label as part of a file name."""
    return _valid("-".join(text.split()))[:60]


def _valid(stem: str) -> str:
    """Without what file systems refuse (also Windows'), not too long, never empty."""
    encodable = stem.encode("utf-8", "replace").decode("utf-8")  # names of other encodings hold lone surrogates
    safe = "".join("_" if letter in '<>:"/\\|?*' or not letter.isprintable() else letter for letter in encodable)
    short = safe.encode("utf-8")[:_LONGEST].decode("utf-8", "ignore").strip(" .")
    return f"_{short}" if short.casefold() in _DEVICES else short or "picture"
