"""`seewhy compare`: models beside each other on the same pictures."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seewhy.apps.options import ClassOption, DebugOption, JsonOption, SeedOption
from seewhy.apps.terminal import as_options, say, told

if TYPE_CHECKING:
    from seewhy.studies.comparison import Comparison

_DRAWN = ("newly broken", "fixed", "changed answer", "different reason", "both wrong")
_FIRST = 5  # rows of what broke


def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="RUN RUN [RUN]", help="Folders that `seewhy audit` wrote.")
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT",
            help="Exit with 1 at newly-broken:10 (pictures or 2%; any bucket), accuracy:-2 (points) or worse; repeat.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write a page to look at and to send; it ends in .html."),
    ] = None,
    max_mb: Annotated[
        float, typer.Option(metavar="N", help="Megabytes of the page at most; pictures get smaller, then fewer.")
    ] = 15.0,
    no_images: Annotated[bool, typer.Option("--no-images", help="A page without pictures; maps alone.")] = False,
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="A page without paths and names of folders; pictures and classes stay.")
    ] = False,
    gallery: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw what changed with the maps of each run, a file a bucket.")
    ] = None,
    gif: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw what changed most, model after model: .gif, .webp, .png.")
    ] = None,
    inside: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Masks of where to look, with the pictures' paths and names.")
    ] = None,
    like: Annotated[
        float, typer.Option(min=-1, max=1, metavar="R", help="Maps that correlate less are a different reason.")
    ] = 0.5,
    classes: ClassOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Hold runs against the first: what broke, what was mended, where the models look.

    Pictures are matched by their content. Exits with 1 where a --fail-on is met.

    \b
    Example:
      seewhy compare runs/before runs/after -o compare.html --fail-on newly-broken:10
    """
    with told(debug) as progress:
        from seewhy.apps.requests import read_classes
        from seewhy.errors import InputError
        from seewhy.studies.comparison import compare as work
        from seewhy.studies.comparison.failing import readable

        asked = runs or []
        if len(asked) < 2:
            named = shlex.quote(str(asked[0])) if asked else "runs/before"
            raise InputError(
                f"{len(asked)} run{'s' if not asked else ''} to compare",
                "two or more folders that `seewhy audit` wrote; the first is what the others are held against",
                f"seewhy compare {named} runs/after",
            )
        conditions = fail_on or []
        for each in conditions:
            readable(each)
        progress.note(f"comparing {', '.join(map(str, asked))} ...")
        names = {k: str(v) for k, v in (read_classes(classes) or {}).items()}
        found = work(*asked, like=like, inside=inside, classes=names or None, seed=seed)
        failed = found.fails(*conditions)
        progress.note("drawing ...")
        written = _galleries(found, gallery) if gallery else []
        if gif is not None:
            found.gif(gif)
            written.append(gif)
        if out is not None:
            written.append(found.report(out, max_mb, not no_images, anonymise).path)
        progress.clear()
        if as_json:
            plain = {"schema": 1, **found.as_dict(), "failed": failed, "written": list(map(str, written))}
            say(json.dumps(plain))
        else:
            _tell(found, asked, failed, written)
        if failed:
            raise typer.Exit(1)


def _galleries(found: Comparison, folder: Path) -> list[Path]:
    """A file for each bucket of what changed, and for each run where there are several."""
    from seewhy.images.panels import writing

    with writing(folder / "gallery"):
        folder.mkdir(parents=True, exist_ok=True)
    written = []
    for change in found.changes:
        for name in _DRAWN:
            if change.buckets.get(name):
                mark = f".{change.name}" if len(found.changes) > 1 else ""
                path = folder / f"{name.replace(' ', '-')}{mark}.png"
                found.gallery(found.bucket(name, change.name), path)
                written.append(path)
    return written


def _tell(found: Comparison, asked: list[Path], failed: list[str], written: list[Path]) -> None:
    from seewhy.studies.comparison.wording import screen

    for line in screen(found, None).splitlines():
        say(as_options(line), "yellow" if line.startswith("note: ") else "")
    for change in found.changes:
        first = next((name for name in ("newly broken", "changed answer") if change.buckets.get(name)), None)
        if first is not None:
            say()
            say(str(found.bucket(first, change.name, _FIRST)))
    say()
    if written:
        say(f"written: {shlex.join(map(str, written))}", "cyan")
    for each in failed:
        say(f"failed: {each}", "red")
    folders = shlex.join(map(str, asked))
    page = next((path for path in written if path.suffix.lower() in (".html", ".htm")), None)
    if page is not None:
        say(f"Next: open {shlex.quote(str(page))} in a browser")
    elif any(path.suffix == ".png" for path in written):
        say(f"Next: seewhy show {shlex.quote(str(asked[-1]))} --gallery mistakes.png")
    else:
        say(f"Next: seewhy compare {folders} -o compare.html")
