"""The tests of a finding one by one: pictures before and after, and which labels and answers show it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

PICTURES = "findings"  # the folder of a run in which pictures of findings are
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("code", "test", "region", "control")),
        *(("controls", pa.bool_()), ("id", pa.int64()), ("donor", pa.int64())),
        *(("before", pa.float32()), ("after", pa.float32()), ("answer", pa.int32())),
    ]
)


@dataclass(frozen=True)
class Trial:
    """One picture of a test.

    Args:
        id: of the picture that something was covered in, or pasted into.
        donor: of the picture that it was pasted from; None where nothing was pasted.
        before, after: the class's probability.
        answer: the class that was predicted after it.
    """

    id: int
    donor: int | None
    before: float
    after: float
    answer: int


@dataclass(frozen=True)
class Shot:
    """Pictures of a trial, as the model was given them: a row of a file in the run's folder 'findings'.

    Args:
        test, region: of the effect that the trial is of.
        trial: which.
        file: its name; a grid of pictures of one size.
        row, rows: the trial's row, and how many there are.
        columns: before, after and, where something was pasted, the picture that it came from.
    """

    test: str
    region: str
    trial: Trial
    file: str
    row: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Cell:
    """How many pictures of one label and one answer show what the finding is about.

    Args:
        label, predicted: names of classes; a picture without a label has None.
        shows, lacks: how many, of those that were looked at.
        scored: True where they were told apart by `Finding.score`; else by belonging to the finding or not.
    """

    label: str | None
    predicted: str
    shows: int
    lacks: int
    scored: bool
