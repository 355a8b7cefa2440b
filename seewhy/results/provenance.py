"""What a run was made of and how, as a report tells it; without paths where these are nobody's business."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from seewhy import __version__

if TYPE_CHECKING:
    from seewhy.results.run import Run

_GENERAL = ("test", "train", "training", "val", "valid", "validation", "images", "photos", "pictures", "data")


def about_of(run: Run, anonymous: bool) -> dict[str, Any]:
    """Model, layer, method, preparation, data and notes, in the bundle's shape."""
    about, settings = run.about, run.settings
    model, data, check = settings.get("model", {}), settings.get("data", {}), about.get("check")
    root = None if run.root is None else str(run.root)
    notes = [note if not anonymous else hidden(note, root) for note in run.notes]
    return {
        "model": {
            "name": model.get("name") or "unnamed",
            "classes": 2 if model.get("outputs") == 1 else model.get("outputs"),
            "fingerprint": model.get("fingerprint"),
        },
        "layer": settings.get("layer", ""),
        "method": settings.get("method", ""),
        "target": str(settings.get("target", "")),
        "options": settings.get("options", {}),
        "preparation": str(settings.get("prepare", {}).get("name") or ""),
        "data": {
            "name": "" if anonymous else data_name(run),
            "kind": data.get("kind", ""),
            "pictures": run.pictures,
        },
        "created": about.get("created", ""),
        "versions": about.get("versions", {}),
        "check": None if check is None else {name: check.get(name) for name in ("accuracy", "chance", "warning")},
        "notes": notes,
        "partial": None if run.complete else {"done": len(run), "of": run.pictures},
        "anonymous": anonymous,
        "made": {"seewhy": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds")},
    }


def data_name(run: Run) -> str:
    """What the data is called: its folder; with the one above where that says little, such as 'test'."""
    if run.root is None:
        return ""
    parts = [part for part in PurePath(run.root).parts if part not in ("/", "\\", ".", "..")]
    general = len(parts) > 1 and parts[-1].lower() in _GENERAL
    return "/".join(parts[-2:] if general else parts[-1:])


def title_of(run: Run, anonymous: bool) -> str:
    """A title for a report of the run."""
    model = run.settings.get("model", {}).get("name") or "A model"
    name = "" if anonymous else data_name(run)
    return f"{model} on {name}" if name else f"{model}: audit"


def trouble_of(trouble: str, anonymous: bool) -> str:
    """Why a picture could not be read, without its path where `anonymous`."""
    return re.sub(r": .*", "", trouble, flags=re.DOTALL) if anonymous else trouble


def error_of(error: str, anonymous: bool) -> str:
    """The first line of an error, without paths where `anonymous`."""
    first = error.partition("\n")[0]
    return hidden(first, None) if anonymous else first


def hidden(text: str, root: str | None) -> str:
    """The text without what stands in quotes, which may be a path, and without the folder."""
    text = text.replace(root, "…") if root else text
    return re.sub(r"(['\"]).*\1", "'…'", text, flags=re.DOTALL)
