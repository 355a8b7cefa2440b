"""The commands about findings: `seewhy shortcuts` and `accept`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from seewhy.apps.options import (
    DebugOption,
    DeviceOption,
    JsonOption,
    LabelsOption,
    PrepareOption,
    RunArgument,
    SeedOption,
    SpecOption,
    TrustOption,
    WeightsOption,
)
from seewhy.apps.terminal import told

DecisionsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What was decided about findings [default: seewhy.toml here, or in the nearest folder above].",
    ),
]


def shortcuts(
    run: RunArgument = None,
    model: SpecOption = None,
    fail_on: Annotated[
        str, typer.Option(metavar="STATUS", help="Exit with 1 at or above it: proven, suspected or never.")
    ] = "proven",
    known: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Search nothing; ask what is left here of the shortcuts of this earlier run."),
    ] = None,
    decisions: DecisionsOption = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Masks of the objects, of the pictures' paths; what lies outside counts more."
        ),
    ] = None,
    per_class: Annotated[
        int, typer.Option(min=30, metavar="N", help="Pictures of each predicted class, at most.")
    ] = 500,
    root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the pictures are now, if they were moved.")
    ] = None,
    seed: SeedOption = 0,
    prepare: PrepareOption = None,
    labels: LabelsOption = None,
    weights: WeightsOption = "default",
    trust_code: TrustOption = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find out what a model answers by though it should not, and prove it.

    Exits with 1 where a shortcut is proven that nobody accepted or dismissed. Without --model it tells what was found
    before; with --known what is left of what was found in another run, be it of another model.

    \b
    Example:
      seewhy shortcuts runs/first --model nets.py:build --prepare imagenet
    """
    with told(debug) as progress:
        from seewhy.apps.auditing import no_run
        from seewhy.apps.findings import tell_rechecks, tell_shortcuts
        from seewhy.apps.requests import load_model, no_model
        from seewhy.results.findings import FINDINGS, Findings, Rechecks, decisions_file, entries_of
        from seewhy.results.findings.listing import need_level
        from seewhy.results.run import open as opened
        from seewhy.studies.shortcuts import find_shortcuts, recheck

        need_level(fail_on)
        if run is None:
            raise no_run("shortcuts")
        audited = opened(run, root=root)
        if model is None and known is None and not (audited.folder / FINDINGS).is_file():
            raise no_model(f"seewhy shortcuts {shlex.quote(str(run))} --model demo:efficientnet-lite0")
        entries_of(decisions_file(decisions))  # what is wrong with it is told before the work
        net = None
        if model is not None:
            progress.note(f"loading {model} ...")
            net = load_model(
                model, weights=weights, labels=labels, prepare=prepare, device=device, trust_code=trust_code
            )
        found: Findings | Rechecks
        if known is not None:
            progress.note("asking what is left of what was found ...")
            found = recheck(audited, opened(known), net, seed=seed, decisions=decisions)
            progress.clear()
            tell_rechecks(audited, known, found, as_json)
        else:

            def count(done: int, total: int) -> None:
                progress.note(f"looking at what was looked at: {done:,} of {total:,} pictures")

            found = (
                audited.findings(decisions)
                if net is None
                else find_shortcuts(
                    audited, net, seed=seed, per_class=per_class, decisions=decisions, masks=masks, progress=count
                )
            )
            progress.clear()
            tell_shortcuts(audited, found, as_json)
        if found.failing(fail_on):
            raise typer.Exit(1)


def accept(
    run: RunArgument = None,
    code: Annotated[
        str | None, typer.Argument(metavar="FINDING", help="Its code, such as SC01, or its name.", show_default=False)
    ] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why, for those who read it later.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="The last day on which it holds, as in 2027-03-01.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="What to call the finding from now on.")] = None,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="It is no shortcut; needs a reason, no day.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="It is one: a check fails on it even where the tests are unsure.")
    ] = False,
    decisions: DecisionsOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Accept a finding until a day, dismiss it, confirm it, or give it a name.

    Written into `seewhy.toml`, to be kept beside the code. It holds for the finding of the same class with mostly the
    same pictures, in this run and in others.

    \b
    Example:
      seewhy accept runs/first SC01 --reason "new pictures are on the way" --until 2027-03-01
    """
    with told(debug):
        from seewhy.apps.auditing import no_run
        from seewhy.apps.findings import tell_decision
        from seewhy.errors import InputError
        from seewhy.results.run import open as opened

        if run is None:
            raise no_run("accept")
        if code is None:
            raise InputError("no finding", "its code or its name", f"write seewhy accept {shlex.quote(str(run))} SC01")
        if dismiss and confirm:
            raise InputError("--dismiss and --confirm", "one of them", "leave the other out")
        named = name is not None and reason is None and until is None
        action = "dismiss" if dismiss else "confirm" if confirm else None if named else "accept"
        audited = opened(run)
        decided = audited.decide(code, action, reason=reason, until=until, name=name, decisions=decisions)
        tell_decision(audited, decided, decisions, as_json)
