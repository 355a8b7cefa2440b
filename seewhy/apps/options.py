"""Options that several commands have, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SpecOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="SPEC",
        help="torchvision:NAME, timm:NAME, hf:NAME, keras:NAME, FILE.keras, demo:efficientnet-lite0 or "
        "FILE.py:FUNCTION.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, and all warnings.")]
DeviceOption = Annotated[
    str, typer.Option(metavar="NAME", help="auto (a GPU if there is one), cpu, cuda, cuda:1 ...; Keras places itself.")
]
TrustOption = Annotated[
    bool, typer.Option("--trust-code", help="Run the code that a .keras file may hold (a Lambda layer).")
]
PrepareOption = Annotated[
    str | None,
    typer.Option(metavar="PRESET", help="Preparation used in training: imagenet, 0..1, -1..1, 0..255; @96 for a size."),
]
LabelsOption = Annotated[Path | None, typer.Option(metavar="FILE", help="The classes' names: one a line, or JSON.")]
WeightsOption = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="A file of weights (.pt, .pth, .safetensors, .weights.h5), or none for random ones.",
        show_default=False,
    ),
]
MethodOption = Annotated[str, typer.Option(metavar="NAME", help="How; see `seewhy methods`.")]
MethodsOwn = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="An option of the method; repeatable.")
]
DataArgument = Annotated[
    str | None,
    typer.Argument(metavar="DATA", help="A folder of folders named by class, or a manifest (.csv, .parquet)."),
]
RunArgument = Annotated[Path | None, typer.Argument(metavar="RUN", help="A folder that `seewhy audit` wrote.")]
OneLayerOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Where maps are taken [default: the last layer before the pooling].")
]
ClassOption = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="LABEL=CLASS",
        help="The model's class for a label of the data; none for no label; repeatable.",
    ),
]
UnlabelledOption = Annotated[bool, typer.Option("--unlabelled", help="The folders' names are no labels.")]
SplitOption = Annotated[str | None, typer.Option(metavar="NAME", help="Of a manifest, only the rows of this split.")]
SeedOption = Annotated[int, typer.Option(metavar="N", help="Of what is drawn by chance.")]
