"""`seewhy explain` at work: from what was typed to rows, lines of JSON and written panels."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from seewhy.apps.answers import Blocks, fused, json_line, keep, made
from seewhy.apps.pictures import pictures_in, written_names
from seewhy.apps.requests import load_model, no_model, read_layers, read_options, read_targets
from seewhy.apps.terminal import Progress, say, tell
from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.evidence import Model
from seewhy.explanation import explain_many
from seewhy.explanation.variants import checked_variants
from seewhy.images.drawing import OPACITY, color_table
from seewhy.images.fusing import WAYS
from seewhy.methods import find_method


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was typed behind `seewhy explain`; each name is that of the option."""

    pictures: Sequence[str]
    model: str | None
    target: Sequence[str]
    versus: Sequence[tuple[str, str]]
    against: Sequence[str]
    probability: Sequence[str]
    top: int | None
    method: str
    layer: Sequence[str]
    signed: bool
    option: Sequence[str]
    smooth: int
    augment: str | None
    gif: bool
    fuse: str | None
    out: Path
    raw: bool
    colormap: str
    opacity: float | None
    prepare: str | None
    labels: Path | None
    weights: str
    trust_code: bool
    device: str
    batch_size: int | None
    as_json: bool


def run(asked: Request, progress: Progress) -> None:
    """Explains all pictures, prints and writes as it goes.

    Raises:
        SeeWhyError: the question cannot be used, or no picture could be explained.
        typer.Exit: with code 2, some pictures could not be explained; the others are written.
    """
    if not asked.pictures:
        raise InputError(
            "no picture", "image files or folders", f"seewhy explain cat.jpg --model {asked.model or 'SPEC'}"
        )
    if asked.model is None:
        raise no_model(f"seewhy explain {shlex.join(asked.pictures[:1])} --model demo:efficientnet-lite0")
    # What costs nothing to check is checked before the model is loaded.
    _check_layers(asked)
    files = pictures_in(asked.pictures, asked.out)
    views = [] if asked.augment is None else [word.strip() for word in asked.augment.split(",")]
    checked_variants(asked.smooth, views)
    options = read_options(find_method(asked.method), asked.option)
    look: dict[str, Any] = {"colormap": asked.colormap, "opacity": OPACITY if asked.opacity is None else asked.opacity}
    color_table(**look)
    progress.note(f"loading {asked.model} ...")
    model = _model(asked)
    device = str(model.device)  # type: ignore[attr-defined]
    targets = read_targets(
        model,
        target=asked.target,
        rather=asked.versus,
        opposed=asked.against,
        probable=asked.probability,
        top=asked.top,
    )
    made(asked.out)
    progress.start(len(files))
    answers = explain_many(
        model,
        files,
        target=targets,
        method=asked.method,
        layer=read_layers(model, asked.layer),
        signed=asked.signed,
        smooth=asked.smooth,
        augment=views,
        batch_size=asked.batch_size or (8 if device == "cpu" else 32),
        **options,
    )
    blocks, failures, first, empty = Blocks(device), [], None, False
    for done, (file, name, answer) in enumerate(zip(files, written_names(files), answers, strict=True), start=1):
        shown = fused(answer, asked.fuse) if asked.fuse and answer else answer
        written = keep(shown, name, asked.out, look, asked.raw, answer if asked.gif else None) if shown else None
        progress.clear()
        if written is None:
            failures.append(shown.error)
        else:
            first, empty = first or (file, shown[0]), empty or shown[0].empty
        if asked.as_json:
            say(json_line(file, shown, written))
        elif written is not None:
            blocks.show(file, shown, written)
        elif len(files) > 1:
            blocks.show_failed(file, shown.error)
        progress.at(done, len(failures))
    progress.clear()
    if first is None:
        raise failures[0]
    if not asked.as_json:
        blocks.end()
        say(f"Next: {_next(asked, *first, empty)}")
    if failures:
        tell(f"{len(failures):,} of {len(files):,} pictures were not explained; the others are written")
        raise typer.Exit(2)


def _check_layers(asked: Request) -> None:
    """`--gif` and `--fuse` need several layers.

    Raises:
        InputError: there is one.
        UnknownNameError: no such way to fuse.
    """
    for option, given in (("--gif", asked.gif), ("--fuse", asked.fuse)):
        if given and len(set(asked.layer)) < 2 and "all" not in asked.layer:
            raise InputError(f"{option} with one layer", "several layers", "add --layer all")
    if asked.fuse is not None and asked.fuse not in WAYS:
        raise UnknownNameError(
            f"--fuse {asked.fuse}", f"one of {', '.join(WAYS)}", did_you_mean(asked.fuse, WAYS, "write --fuse mean")
        )


def _model(asked: Request) -> Model:
    assert asked.model is not None
    model = load_model(
        asked.model,
        weights=asked.weights,
        labels=asked.labels,
        prepare=asked.prepare,
        device=asked.device,
        trust_code=asked.trust_code,
    )
    if model.prepare is None:
        raise InputError(
            f"{asked.model}, a model whose preparation of pictures is not known",
            "the preparation used in training",
            "write --prepare imagenet (resize 256, crop 224, ImageNet mean and deviation), 0..1, -1..1 or 0..255, "
            "or return wrap(model, prepare=...) from the function",
        )
    return model


def _next(asked: Request, file: Path, one: Any, empty: bool) -> str:
    """The command that asks the next question of the first picture."""
    command = ["seewhy", "explain", str(file), "--model", str(asked.model)]
    weights = None if asked.weights == "default" else asked.weights
    for name, value in (("--labels", asked.labels), ("--prepare", asked.prepare), ("--weights", weights)):
        command += [name, str(value)] if value is not None else []
    command += ["--trust-code"] if asked.trust_code else []
    if empty and not asked.signed and find_method(asked.method).signed:
        return shlex.join([*command, "--signed"])
    if asked.versus or len(one.scores) < 2:
        return shlex.join([*command, "--layer", "all"])
    best, second = (-one.scores).argsort(kind="stable")[:2]

    def word(index: int) -> str:
        label = one.labels[index] if one.labels else ""
        return label if label and one.labels.count(label) == 1 else str(index)

    return shlex.join([*command, "--versus", word(int(best)), word(int(second))])
