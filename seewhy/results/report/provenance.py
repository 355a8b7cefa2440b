"""What a run was made of and how, as a report tells it; without paths where these are nobody's business."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from seewhy import __version__

if TYPE_CHECKING:
    from seewhy.results.run import Run

# An absolute path begins with a slash that follows no word, or with a drive; what looks like one is taken for one.
_ABSOLUTE = re.compile(r"(?<!\w)[/\\~]\S|\b[A-Za-z]:[/\\]|\.\.[/\\]")
_KINDS = (  # what an audit's errors say, and what of it tells nothing about a path
    ("is damaged", "damaged or cut short"),
    ("is no image", "no image"),
    ("nothing in", "an empty file"),
    ("no file ", "not found"),
    ("is a folder", "a folder, no file"),
    ("cannot be read", "cannot be read"),
    ("is too large", "too large a picture"),
    ("has no pixels", "no pixels"),
    ("no class ", "a label that is no class"),
    ("out of memory", "not enough memory"),
)
_OTHER = "could not be answered"


def about_of(run: Run, anonymous: bool) -> dict[str, Any]:
    """Model, layer, method, preparation, data and notes, in the bundle's shape."""
    about, settings = run.about, run.settings
    model, data, check = settings.get("model", {}), settings.get("data", {}), about.get("check")
    root = None if run.root is None else str(run.root)
    warning = None if check is None else " ".join(_pathless([check.get("warning") or ""], root))
    return {
        "model": {
            "name": _model(run) or "unnamed",
            "classes": 2 if model.get("outputs") == 1 else model.get("outputs"),
        },
        "layer": settings.get("layer", ""),
        "method": settings.get("method", ""),
        "target": str(settings.get("target", "")),
        "preparation": str(settings.get("prepare", {}).get("name") or ""),
        "data": {
            "name": "" if anonymous else data_name(run),
            "kind": data.get("kind", ""),
            "pictures": run.pictures,
        },
        "created": about.get("created", ""),
        "versions": about.get("versions", {}),
        "check": None if check is None else {"warning": warning},
        "notes": _pathless(run.notes, root),
        "partial": None if run.complete else {"done": len(run), "of": run.pictures},
        "anonymous": anonymous,
        "made": {"seewhy": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds")},
    }


def data_name(run: Run) -> str:
    """What the data is called: its folder, without those above it, which may tell whose it is."""
    return "" if run.root is None else PurePath(run.root).name.replace("..", "")


def title_of(run: Run, anonymous: bool) -> str:
    """A title for a report of the run."""
    model = _model(run) or "A model"
    name = "" if anonymous else data_name(run)
    return f"{model} on {name}" if name else f"{model}: audit"


def error_of(error: str, root: str | None, anonymous: bool) -> str:
    """Why a picture has no answer: the first line of the error, or its kind alone.

    Its text may come from anywhere, so where nothing may be told of paths, or there is one that is not below the
    data's folder, one of a few fixed words says what kind of error it is.
    """
    first = below(error.partition("\n")[0], root)
    if not anonymous and not has_path(first):
        return first
    return next((kind for words, kind in _KINDS if words in error), _OTHER)


def below(text: str, root: str | None) -> str:
    """The text with paths that begin at the data's folder, not above it."""
    if root in (None, "", "."):
        return text
    return text.replace(f"{root}/", "").replace(f"{root}\\", "")


def told_path(path: str | None) -> str | None:
    """A picture's path as a report tells it: of one that is not below the data's folder, the file's name."""
    return None if path is None else PurePath(path).name if PurePath(path).is_absolute() else path


def _pathless(texts: Iterable[str], root: str | None) -> list[str]:
    """Sentences of seewhy itself; one that holds a path from outside of the data's folder is left out."""
    return [text for each in texts if not has_path(text := below(each, root))]


def has_path(text: str) -> bool:
    """It may name a file outside of the data's folder."""
    return _ABSOLUTE.search(text) is not None


def _model(run: Run) -> str:
    """The model's name; of a path its last part."""
    return re.split(r"[/\\]", str(run.settings.get("model", {}).get("name") or ""))[-1]
