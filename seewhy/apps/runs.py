"""The commands about whole data sets: `seewhy check`, `audit`, `show` and `report`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from seewhy.apps.options import (
    ClassOption,
    DataArgument,
    DebugOption,
    DeviceOption,
    JsonOption,
    LabelsOption,
    MethodOption,
    MethodsOwn,
    OneLayerOption,
    PrepareOption,
    RunArgument,
    SeedOption,
    SpecOption,
    SplitOption,
    TrustOption,
    UnlabelledOption,
    WeightsOption,
)
from seewhy.apps.terminal import as_options, say, told


def check(
    data: DataArgument = None,
    model: SpecOption = None,
    pictures: Annotated[int, typer.Option(min=1, metavar="N", help="How many pictures to run.")] = 64,
    layer: OneLayerOption = None,
    classes: ClassOption = None,
    unlabelled: UnlabelledOption = False,
    split: SplitOption = None,
    prepare: PrepareOption = None,
    labels: LabelsOption = None,
    weights: WeightsOption = "default",
    trust_code: TrustOption = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Run a few pictures: do preparation and order of classes fit the model?

    Exits with 1 where they do not seem to.

    \b
    Example:
      seewhy check photos/ --model nets.py:build --prepare imagenet
    """
    with told(debug) as progress:
        from dataclasses import asdict

        from seewhy.apps.requests import load_model, read_classes, read_layer
        from seewhy.studies.checking import check as look

        spec, where = _named(model, data, "check")
        progress.note(f"loading {spec} ...")
        net = load_model(spec, weights=weights, labels=labels, prepare=prepare, device=device, trust_code=trust_code)
        progress.note(f"running {pictures} pictures ...")
        found = look(
            net,
            where,
            pictures=pictures,
            layer=read_layer(net, layer),
            classes=read_classes(classes),
            labelled=not unlabelled,
            split=split,
            seed=seed,
        )
        progress.clear()
        if as_json:
            say(json.dumps({"schema": 1, **asdict(found)}))
        else:
            for line in str(found).splitlines():
                say(as_options(line), "yellow" if line.startswith("warning") else "")
            if not found.warning:
                told_too = {"--prepare": prepare, "--labels": labels, "--split": split}
                more = "".join(f" {name} {shlex.quote(str(value))}" for name, value in told_too.items() if value)
                say(f"Next: seewhy audit {shlex.quote(where)} --model {shlex.quote(spec)}{more} --out runs/first")
        if found.warning:
            raise typer.Exit(1)


def audit(
    data: DataArgument = None,
    model: SpecOption = None,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Folder of the run; one begun before goes on.")
    ] = None,
    method: MethodOption = "gradcam",
    layer: OneLayerOption = None,
    option: MethodsOwn = None,
    classes: ClassOption = None,
    unlabelled: UnlabelledOption = False,
    split: SplitOption = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only so many pictures, by chance.")] = None,
    seed: SeedOption = 0,
    prepare: PrepareOption = None,
    labels: LabelsOption = None,
    weights: WeightsOption = "default",
    trust_code: TrustOption = False,
    device: DeviceOption = "auto",
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Pictures at a time.")] = 32,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Threads that read pictures [default: one a processor].")
    ] = None,
    fast_decode: Annotated[
        int | None,
        typer.Option(min=8, metavar="SIDE", help="Decode large JPEGs smaller, down to so many pixels of a side."),
    ] = None,
    no_pooled: Annotated[bool, typer.Option("--no-pooled", help="Leave out what the layer saw on the whole.")] = False,
    no_check: Annotated[bool, typer.Option("--no-check", help="Begin without a look at 64 pictures.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say how the work is done.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Explain a whole data set, into a folder that can be resumed and asked.

    \b
    Example:
      seewhy audit photos/ --model nets.py:build --prepare imagenet --out runs/first
    """
    with told(debug, stopped="interrupted; give the same command again to go on") as progress:
        from seewhy.apps.auditing import Work
        from seewhy.apps.requests import load_model, read_classes, read_layer, read_options
        from seewhy.errors import InputError
        from seewhy.methods import find_method
        from seewhy.studies.auditing import audit as work

        spec, where = _named(model, data, "audit")
        if out is None:
            raise InputError("no folder for the run", "--out RUN", f"write --out runs/{Path(where).stem}")
        own = read_options(find_method(method), option or ())
        given = read_classes(classes)
        progress.note(f"loading {spec} ...")
        net = load_model(spec, weights=weights, labels=labels, prepare=prepare, device=device, trust_code=trust_code)
        shown = Work(progress, verbose, quiet=as_json)
        run = work(
            net,
            where,
            out,
            method=method,
            layer=read_layer(net, layer),
            classes=given,
            labelled=not unlabelled,
            split=split,
            limit=limit,
            seed=seed,
            batch_size=batch_size,
            workers=workers,
            pooled=not no_pooled,
            fast_decode=fast_decode,
            check=not no_check,
            progress=shown,
            **own,
        )
        shown.end(run)


def show(
    run: RunArgument = None,
    mistakes: Annotated[int, typer.Option(min=0, metavar="N", help="So many mistakes, the surest first.")] = 10,
    predicted: Annotated[str | None, typer.Option(metavar="CLASS", help="Only mistakes taken for this class.")] = None,
    label: Annotated[str | None, typer.Option(metavar="CLASS", help="Only mistakes that are of this class.")] = None,
    gallery: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw these mistakes with their maps: .png, .jpg or .webp.")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Tell what a run found: how good, what goes wrong, where it looked then.

    \b
    Example:
      seewhy show runs/first --gallery mistakes.png
    """
    with told(debug):
        from seewhy.apps.auditing import no_run
        from seewhy.apps.reporting import tell_run
        from seewhy.results.run import open as opened

        if run is None:
            raise no_run("show")
        tell_run(opened(run), mistakes, {"predicted": predicted, "label": label}, gallery, as_json)


def report(
    run: RunArgument = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file, which ends in .html.")] = Path(
        "report.html"
    ),
    max_mb: Annotated[
        float, typer.Option(metavar="N", help="Megabytes at most; pictures get smaller, then fewer, until it fits.")
    ] = 15.0,
    no_images: Annotated[bool, typer.Option("--no-images", help="Without pictures; maps are drawn alone.")] = False,
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="Without paths and names of groups; pictures and classes stay.")
    ] = False,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Of the page [default: the names of model and data].")
    ] = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write a run, or a watched training, as one HTML file to look at and to send: no network, no other file.

    \b
    Example:
      seewhy report runs/first -o report.html
    """
    with told(debug) as progress:
        from seewhy.apps.auditing import no_run
        from seewhy.apps.reporting import tell_report, tell_watched
        from seewhy.results.run import open as opened
        from seewhy.results.watched.keeping import ABOUT
        from seewhy.results.watched.reading import Watched

        if run is None:
            raise no_run("report")
        progress.note(f"reading {run} ...")
        if (run / ABOUT).is_file():
            made = Watched(run).report(out, max_mb, not no_images, anonymise, title)
            progress.clear()
            return tell_watched(made, run, as_json)
        asked = opened(run)
        written = asked.report(out, max_mb, not no_images, anonymise, title, seed)
        progress.clear()
        tell_report(written, asked, as_json)


def _named(model: str | None, data: str | None, command: str) -> tuple[str, str]:
    """Model and data, which both must be named."""
    from seewhy.apps.requests import no_model
    from seewhy.errors import InputError

    if data is None:
        raise InputError(
            "no data", "a folder of folders, or a manifest", f"seewhy {command} photos/ --model {model or 'SPEC'}"
        )
    if model is None:
        raise no_model(f"seewhy {command} {shlex.quote(data)} --model demo:efficientnet-lite0")
    return model, data
