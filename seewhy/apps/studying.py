"""`seewhy study`: a whole supplement study from the command line."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seewhy.apps.options import (
    DebugOption,
    DeviceOption,
    JsonOption,
    MethodOption,
    OneLayerOption,
    PrepareOption,
    SeedOption,
    TrustOption,
    WeightsOption,
)
from seewhy.apps.terminal import Progress, as_options, lasting, say, tell, told
from seewhy.errors import InputError

if TYPE_CHECKING:
    from seewhy.studies.supplement import Study
    from seewhy.studies.supplement.studying import Progress as Step

_EVERY = 10.0  # seconds between lines where stderr is no terminal


def study(
    data: Annotated[
        str | None,
        typer.Argument(metavar="DATA", help="What is trained on: a folder of folders named by class, or a manifest."),
    ] = None,
    extra: Annotated[
        str | None, typer.Option(metavar="DIR", help="The supplement: extra pictures in folders of the same names.")
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            help="A network that gets a new linear head: torchvision:NAME, timm:NAME, hf:NAME, keras:NAME, FILE.keras, "
            "demo: or FILE.py:FUNCTION.",
        ),
    ] = None,
    train: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:FUNCTION", help="Your own train(data, seed) that returns a model, instead."),
    ] = None,
    shares: Annotated[
        str, typer.Option(metavar="LIST", help="Of the supplement that are added, 0..1, with commas between.")
    ] = "0,0.25,0.5,0.75,1",
    repeats: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings of each share.")] = 3,
    held_out: Annotated[
        str, typer.Option(metavar="DIR", help="Pictures that all models are asked, or the share of DATA for it.")
    ] = "0.25",
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Of the new head's training.")] = 30,
    tune: Annotated[int, typer.Option(min=0, metavar="N", help="Epochs in which the last block learns, too.")] = 0,
    findings: Annotated[
        Path | None, typer.Option(metavar="RUN", help="A run with known shortcuts, whose heat is measured.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the study [default: studies/ and the supplement's name]."),
    ] = None,
    seed: SeedOption = 0,
    method: MethodOption = "gradcam",
    layer: OneLayerOption = None,
    prepare: PrepareOption = None,
    weights: WeightsOption = "default",
    trust_code: TrustOption = False,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Train with more and more of a supplement, and tell what it does to score and focus.

    Exits with 2 where a training failed.

    \b
    Example:
      seewhy study photos/ --extra cages/ --backbone torchvision:mobilenet_v3_small
    """
    with told(debug, stopped="interrupted; give the same command again to go on") as progress:
        from seewhy.studies.supplement import study as work

        if data is None or extra is None:
            came = "no data" if data is None else "no supplement"
            example = f"seewhy study {shlex.quote(data or 'photos/')} --extra {shlex.quote(extra or 'cages/')}"
            raise InputError(came, "DATA and --extra DIR", f"{example} --backbone torchvision:mobilenet_v3_small")
        named = read_shares(shares)
        folder = out or Path("studies") / Path(extra).stem
        shown = Work(progress)
        training = _training(backbone, train, weights, prepare, device, trust_code, epochs, tune, shown)
        found = work(
            training,
            data,
            named,
            supplement=extra,
            out=folder,
            held_out=_held_out(held_out),
            repeats=repeats,
            seed=seed,
            findings=findings,
            audit={"method": method} | ({} if layer is None else {"layer": layer}),
            progress=shown,
        )
        progress.clear()
        _end(found, as_json)
        if found.failures or not found.finished:
            raise typer.Exit(2)


class Work:
    """Says how far a study is, on stderr: a line that is written over in a terminal, else a line for each model.

    Args:
        progress: of the command.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.started, self.fresh, self.last = time.monotonic(), 0, time.monotonic()
        self.now: Any = None

    def __call__(self, step: Step) -> None:
        self.now = step
        if step.step in ("done", "kept", "failed"):
            self.fresh += step.step != "kept"
            self._told(step)
        elif self.progress.shown:
            self.progress.note(self._line(step))
        elif step.step in ("reading", "making") and time.monotonic() - self.last > _EVERY:
            self.last = time.monotonic()
            tell(self._line(step))

    def seen(self, done: int, total: int) -> None:
        """Pictures go through the network."""
        if self.now is not None and self.progress.shown:
            self.progress.note(f"{self._line(self.now)}: {done:,}/{total:,} through the network")

    def _line(self, step: Step) -> str:
        if step.step in ("reading", "making"):
            return f"study    {step.step} pictures {step.done:,}/{step.total:,}"
        doing = f"training on {step.pictures:,} pictures"
        if step.step == "auditing":
            doing = f"auditing {step.done:,}/{step.total:,}"
        left = ""
        if self.fresh:
            each = (time.monotonic() - self.started) / self.fresh
            left = f"  {lasting(each * (step.of - step.models))} left"
        return f"study    {step.models}/{step.of} models  {_named(step)}  {doing}{left}"

    def _told(self, step: Step) -> None:
        """A training is through; the warning tells of one that failed."""
        if step.step == "failed":
            self.progress.clear()
            return
        words = "" if step.accuracy is None else f"  accuracy {100 * step.accuracy:.1f} %"
        words = f"study    {step.models}/{step.of} models  {_named(step)}{words}" + "  (kept)" * (step.step == "kept")
        if self.progress.shown:
            self.progress.note(words)
        else:
            tell(words)


def read_shares(text: str) -> tuple[float, ...]:
    """'0,.5,1' as numbers; '0,50 %,100 %', too.

    Raises:
        InputError: what is no number.
    """
    try:
        words = [word.strip() for word in text.split(",") if word.strip()]
        return tuple(float(w.rstrip("% ")) / 100 if w.endswith("%") else float(w) for w in words)
    except ValueError:
        raise InputError(f"--shares {text}", "numbers from 0 to 1 with commas between", "--shares 0,0.5,1") from None


def _named(step: Step) -> str:
    from seewhy.studies.supplement.measures import shown

    return f"share {shown(step.share)}, seed {step.seed}"


def _held_out(text: str) -> str | float:
    """A share, or where pictures are."""
    try:
        return float(text.rstrip("% ")) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return text


def _training(
    backbone: str | None,
    train: str | None,
    weights: str,
    prepare: str | None,
    device: str,
    trust_code: bool,
    epochs: int,
    tune: int,
    shown: Work,
) -> Callable[[Any, int], Any]:
    """What trains: the user's own function, or a new head on a network."""
    from seewhy.apps.requests import load_model
    from seewhy.models.loading import function_in
    from seewhy.models.transferring import transfer

    if (backbone is None) == (train is None):
        raise InputError(
            "no training" if backbone is None else "both --backbone and --train",
            "--backbone SPEC (a network that gets a new head) or --train FILE.py:FUNCTION (your own)",
            "try the small network of the demo (pip install 'seewhy[demo]'): --backbone demo:",
        )
    if train is not None:
        path, colon, name = train.rpartition(":")
        if not colon or not path.endswith(".py"):
            raise InputError(f"--train {train}", "FILE.py:FUNCTION", "as in --train mycode.py:train")
        return function_in(Path(path), name, "train(data, seed) that returns a model")  # type: ignore[no-any-return]
    assert backbone is not None
    shown.progress.note(f"loading {backbone} ...")
    if weights.lower() == "none":
        _seed(backbone)
    model = load_model(backbone, weights=weights, prepare=prepare, device=device, trust_code=trust_code)
    return transfer(model, epochs=epochs, tune=tune, progress=shown.seen)


def _seed(backbone: str) -> None:
    """Random weights are the same ones in each session, or a study could not go on."""
    if backbone.startswith("keras:") or backbone.endswith(".keras"):
        import keras

        keras.utils.set_random_seed(0)
    else:
        import torch

        torch.manual_seed(0)


def _end(found: Study, as_json: bool) -> None:
    """What came out, and what to do next."""
    written = []
    if found.finished:
        written = [found.folder / name for name in ("study.html", "curve.svg", "curve.csv")]
        found.report(written[0])
        found.plot(written[1])
        found.save(written[2])
    if as_json:
        files = [str(path) for path in written]
        say(json.dumps({"schema": 1, "study": str(found.folder), **found.as_dict(), "files": files}))
        return
    for line in repr(found).splitlines():
        say(as_options(line))
    if written:
        runs = [shlex.quote(str(found.run(share).folder)) for share in (found.shares[0], found.shares[-1])]
        say(f"written: {shlex.join(map(str, written))}", "cyan")
        say("Next: " + (f"seewhy compare {' '.join(runs)}" if runs[0] != runs[1] else f"seewhy show {runs[0]}"))
