"""The command line: the commands about one picture and about the tool.

Those about data sets are in `runs`, those about findings in `shortcuts`.

Results go to stdout, progress and errors to stderr. Nothing heavy is imported before a command needs it, so that help
comes at once and without PyTorch.
"""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from seewhy import __version__
from seewhy.apps import comparing, runs, shortcuts, studying
from seewhy.apps.options import (
    DebugOption,
    DeviceOption,
    JsonOption,
    LabelsOption,
    MethodOption,
    MethodsOwn,
    PrepareOption,
    SpecOption,
    TrustOption,
    WeightsOption,
)
from seewhy.apps.terminal import as_options, say, table, told
from seewhy.apps.usage import Commands, Explain, pairs
from seewhy.errors import InputError
from seewhy.studies.memory import keep_memory

app = typer.Typer(
    name="seewhy",
    cls=Commands,
    help="Shows where an image classifier looks, and for which class.",
    epilog="Start with: seewhy demo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LISTS = ("pictures", "target", "versus", "against", "probability", "layer", "option")  # Typer says None for none


@app.command(no_args_is_help=True, cls=Explain)
def explain(
    pictures: Annotated[
        list[str] | None, typer.Argument(metavar="PICTURE", help="Image files, folders of them, or patterns.")
    ] = None,
    model: SpecOption = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="A class to explain, by label or index; repeatable.")
    ] = None,
    versus: Annotated[list[str] | None, typer.Option(metavar="A B", help="Why A rather than B; repeatable.")] = None,
    against: Annotated[
        list[str] | None, typer.Option(metavar="CLASS", help="What speaks against a class; repeatable.")
    ] = None,
    probability: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="A class's probability instead of its score; repeatable."),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="The K highest-scored classes [default: 3, if no class is named]."),
    ] = None,
    method: MethodOption = "gradcam",
    layer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Where the map is taken: a name or else an index from `seewhy layers`, or all; repeatable.",
        ),
    ] = None,
    signed: Annotated[bool, typer.Option("--signed", help="Show what speaks against the target, too.")] = False,
    option: MethodsOwn = None,
    smooth: Annotated[
        int, typer.Option(min=0, metavar="N", help="Take the mean over so many copies with noise (SmoothGrad).")
    ] = 0,
    augment: Annotated[
        str | None,
        typer.Option(metavar="VIEWS", help="Take the mean over other views, too: flip, scale or flip,scale."),
    ] = None,
    gif: Annotated[
        bool, typer.Option("--gif", help="Write an animation from the first to the last layer, too; with --layer all.")
    ] = False,
    fuse: Annotated[
        str | None,
        typer.Option(metavar="HOW", help="Make one map of those of all layers: mean, product or max."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the panels.")] = Path("seewhy-out"),
    raw: Annotated[bool, typer.Option("--raw", help="Write the raw maps, too, as .npy beside the panel.")] = False,
    colormap: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A name of matplotlib's [default: one for the colour-blind, too].", show_default=False
        ),
    ] = "default",
    opacity: Annotated[
        float | None, typer.Option(metavar="0..1", help="Of the map's highest value [default: 0.7].")
    ] = None,
    prepare: PrepareOption = None,
    labels: LabelsOption = None,
    weights: WeightsOption = "default",
    trust_code: TrustOption = False,
    device: DeviceOption = "auto",
    batch_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Pictures at a time [default: 8; 32 on a GPU].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each picture.")] = False,
    debug: DebugOption = False,
) -> None:
    """Explain pictures: labels, scores, and where the model looked.

    \b
    Example:
      seewhy explain cat.jpg photos/ --model demo:efficientnet-lite0 --top 2
    """
    typed: dict[str, Any] = {k: () if v is None and k in _LISTS else v for k, v in locals().items() if k != "debug"}
    with told(debug) as progress:
        from seewhy.apps.explaining import Request, run

        typed["versus"] = pairs(typed["versus"])
        run(Request(**typed), progress)


@app.command(no_args_is_help=True)
def layers(
    spec: Annotated[str | None, typer.Argument(metavar="SPEC", help="As --model of `seewhy explain`.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", hidden=True)] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Run the model on this picture; the shapes may depend on it.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also layers inside blocks, and those without maps.")
    ] = False,
    prepare: Annotated[str | None, typer.Option(metavar="PRESET", help="As in `seewhy explain`.")] = None,
    trust_code: TrustOption = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List a model's layers where maps can be taken.

    \b
    Example:
      seewhy layers demo:efficientnet-lite0
    """
    with told(debug) as progress:
        from seewhy.apps.requests import load_model, no_model
        from seewhy.explanation import layers as layers_of
        from seewhy.explanation.listing import ADVICE

        if spec is not None and model is not None and spec != model:
            raise InputError(f"two models: {spec} and --model {model}", "one", "ask for each by itself")
        spec = spec or model
        if spec is None:
            raise no_model("seewhy layers demo:efficientnet-lite0")
        progress.note(f"loading {spec} ...")
        net = load_model(spec, weights="none", prepare=prepare, trust_code=trust_code)  # shapes need no training
        found = layers_of(net, picture)
        progress.clear()
        if as_json:
            numbers = iter(range(len(found)))
            say(json.dumps([{"index": next(numbers) if one.usable else None, **asdict(one)} for one in found]))
            return
        head, *cells = found.rows()
        chosen = [i for i, one in enumerate(found) if everything or one.block or one.default]
        default = next((n for n, i in enumerate(chosen, start=1) if found[i].default), None)
        table([head, *(cells[i] for i in chosen)], right=(1, 5), bold=default, heading="dim")
        if len(chosen) < len(found):
            say(f"{len(found) - len(chosen)} more, inside these or without a map: --all")
        if default is not None:
            say(ADVICE)
        say(f"Next: seewhy explain PICTURE --model {shlex.quote(spec)} --layer all")


@app.command()
def methods(as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the methods with what they cost and need, options and paper.

    \b
    Example:
      seewhy methods
    """
    with told(debug):
        from seewhy.methods import list_methods

        found = list_methods()
        if as_json:
            keys = ("name", "family", "passes", "paper", "summary")
            rows = [
                {**{key: getattr(one, key) for key in keys}, "needs": one.wants, "options": dict(one.options)}
                for one in found
            ]
            say(json.dumps(rows, default=str))
            return
        for one in found:
            say(one.name, "bold")
            set_by = ", ".join(f"{name}={value}" for name, value in one.options.items())
            table(
                [
                    ("", as_options(one.summary)),
                    ("", f"{one.family}; costs {one.passes}" + (f"; --option {set_by}" if set_by else "")),
                    *([("", f"needs {one.wants}")] if one.wants else []),
                    ("", one.paper),
                ]
            )
        say("In Python, Deep Feature Factorization, too: seewhy.concepts(model, picture)")
        say("Next: seewhy explain PICTURE --model SPEC --method hirescam")


class Demo(StrEnum):
    """What `seewhy demo` shows."""

    PHOTOGRAPHS = "photographs"
    SHORTCUTS = "shortcuts"


@app.command("demo")
def demo_(
    what: Annotated[
        Demo, typer.Argument(metavar="[shortcuts]", help="A shortcut found, proven, mended and compared.")
    ] = Demo.PHOTOGRAPHS,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for what is written.")] = Path("demo-out"),
    debug: DebugOption = False,
) -> None:
    """Explain two photographs, then audit a network that learned a shortcut; or, with `shortcuts`, train a network that
    cheats, find and prove it, mend the data, train anew and compare; offline, in a minute or two.

    \b
    Example:
      seewhy demo --out demo-out
      seewhy demo shortcuts
    """
    with told(debug, code=0) as progress:  # what is not possible here is no fault of the caller
        if what is Demo.SHORTCUTS:
            from seewhy.apps import demo_shortcuts

            demo_shortcuts.show(out, progress)
            return
        from seewhy.apps import demo

        demo.show(out, progress)  # it says what to install where the extra is missing
        from seewhy.apps import demo_audit

        say()
        demo_audit.show(out, progress)


app.command(no_args_is_help=True)(runs.check)
app.command(no_args_is_help=True)(runs.audit)
app.command(no_args_is_help=True)(runs.show)
app.command(no_args_is_help=True)(runs.report)
app.command(no_args_is_help=True)(shortcuts.shortcuts)
app.command(no_args_is_help=True)(shortcuts.accept)
app.command(no_args_is_help=True)(comparing.compare)
app.command(no_args_is_help=True)(studying.study)


def _version(asked: bool) -> None:
    if asked:
        say(f"seewhy {__version__}")
        raise typer.Exit


@app.callback()
def _seewhy(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """The command `seewhy`, in a process of its own."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # terminals without Unicode, names of files in other encodings
    keep_memory()
    try:
        app()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
