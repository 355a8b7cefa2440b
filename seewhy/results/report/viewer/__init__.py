"""The page's own files, and how one HTML file is made of them and of a bundle (docs/reference/bundle.md)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from seewhy.errors import InputError
from seewhy.images.drawing import OPACITY, color_table
from seewhy.results.report.viewer import compared, trained
from seewhy.results.report.viewer.fallback import findings, mistakes, notes, overlays, overview

SCHEMA = 1
COLORMAPS = ("default", "viridis", "jet", "gray")
# In the order in which they build on each other; each is named by what it draws or keeps.
SCRIPTS = (
    *("data", "elements", "state", "maps", "filters", "tiles", "controls", "grid", "confusion", "region"),
    *("gallery", "overview", "reliability", "looked", "findings", "plots", "finding", "exporting"),
    *("compared", "pairs", "compare", "beside", "film", "filmed", "courses", "training", "dialog", "keys", "page"),
)


def page(bundle: Mapping[str, Any]) -> str:
    """The bundle as one HTML file that asks nothing of any network.

    Args:
        bundle: as docs/reference/bundle.md says; it is not changed.
    Returns:
        The text of the file, to be written as UTF-8.
    Raises:
        InputError: another version of the bundle, or a number in it that JSON cannot hold.
    """
    from jinja2 import Environment

    if bundle.get("schema") != SCHEMA:
        raise InputError(f"a bundle of schema {bundle.get('schema')!r}", f"schema {SCHEMA}", "make the report again")
    style, script = _text("page.css"), _script()
    whole = {**bundle, "drawing": drawing(), "size": _sized(bundle.get("size"), len(style) + len(script))}
    audited = "pictures" in bundle
    template = Environment(autoescape=True).from_string(_text("page.html.jinja"))
    return template.render(
        bundle=bundle,
        policy=_policy(style, script),
        style=_Plain(style),
        script=_Plain(script),
        data=_Plain(embedded(whole)),
        facts=overview(bundle) if audited else [],
        notes=notes(bundle) if audited else list(bundle["about"]["notes"]),
        proofs=findings(bundle),
        mistakes=mistakes(bundle) if audited else [],
        tables=[*compared.tables(bundle), *trained.tables(bundle)],
        pictures=overlays(bundle) if audited else [*compared.overlays(bundle), *trained.overlays(bundle)],
    )


def drawing() -> dict[str, Any]:
    """What the page needs to draw maps as Python draws them."""
    tables = {name: _base64(color_table(name, 1.0).tobytes()) for name in COLORMAPS}
    return {"opacity": OPACITY, "tables": tables, "signed": _base64(color_table("default", 1.0, True).tobytes())}


def embedded(value: Any) -> str:
    """JSON that can stand inside a script element, whatever texts are in it."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise InputError(
            f"a bundle that JSON cannot hold: {error}", "null for missing numbers", "write None"
        ) from error
    text = text.encode("utf-8", "replace").decode()  # a file's name may hold half a surrogate pair
    return text.replace("<", "\\u003c")


class _Plain(str):
    """Text that is put into the page as it is: our own files, and JSON that `embedded` made safe."""

    def __html__(self) -> str:
        return str(self)


def _text(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")


def _script() -> str:
    """All scripts as one, so that their names stay out of the page's global ones."""
    parts = "\n".join(_text(f"scripts/{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


def _policy(style: str, script: str) -> str:
    """Nothing but this very style, this very script, and pictures that are inside the file."""
    rules = ["default-src 'none'", "img-src data: blob:", f"style-src {_hash(style)}", f"script-src {_hash(script)}"]
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _hash(text: str) -> str:
    return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _sized(size: Mapping[str, Any] | None, page_bytes: int) -> dict[str, Any] | None:
    if size is None or size["parts"].get("page") is not None:
        return None if size is None else dict(size)
    return {**size, "total": size["total"] + page_bytes, "parts": {**size["parts"], "page": page_bytes}}
