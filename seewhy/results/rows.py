"""Pictures of a run that were asked for, as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pyarrow as pa

from seewhy.results.tables import aligned, html, line, number, percent, short

if TYPE_CHECKING:
    from seewhy.results.run import Run

_SHOWN = 20  # rows that are printed
_COLUMNS = ("path", "label", "predicted", "probability")


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """Pictures of a run, best first for what was asked: a table that prints, and can be drawn.

    Args:
        run: where they are from.
        table: `pyarrow.Table`, a row for each; columns that it lacks (maps, scores ...) give `run.rows(rows.ids)`.
        title: what was asked.
        found: how many there are; more than rows where a limit was given.
        shown: the columns that are printed.
        draw: what writes their gallery; None: `Run.gallery`.
    """

    run: Run
    table: pa.Table
    title: str
    found: int
    shown: tuple[str, ...] = _COLUMNS
    draw: Callable[..., None] | None = None

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Rows: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | Rows:
        if isinstance(index, slice):
            kept = self.table.take(pa.array(range(len(self))[index], pa.int64()))
            return Rows(self.run, kept, self.title, self.found, self.shown, self.draw)
        place = range(len(self))[index]
        row: dict[str, Any] = self.table.slice(place, 1).to_pylist()[0]
        return row

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.table.to_batches(max_chunksize=1_000):
            yield from batch.to_pylist()

    @property
    def ids(self) -> list[int]:
        """The pictures' places in the data."""
        ids: list[int] = self.table["id"].to_pylist()
        return ids

    @property
    def paths(self) -> list[Path | None]:
        """The pictures' files; None for what came without one."""
        root = self.run.root or Path()
        return [None if path is None else root / path for path in self.table["path"].to_pylist()]

    def to_pandas(self) -> Any:
        """The table as a pandas data frame."""
        return self.table.to_pandas()

    def __repr__(self) -> str:
        if not len(self):
            return f"{self.title}: none"
        rows = self._cells(_SHOWN)
        text = f"{self.title}: {self._count}\n" + aligned(rows, self._numbers)
        left = len(self) - _SHOWN
        return text if left <= 0 else f"{text}\n… {left:,} more; .table and .to_pandas() hold all"

    def _repr_html_(self) -> str:
        from html import escape

        if not len(self):
            return f"<p>{escape(line(self.title))}: none</p>"
        return html(self._cells(_SHOWN), self._numbers, f"{self.title}: {self._count}")

    def gallery(self, path: str | Path, limit: int = 24, **options: Any) -> None:
        """Writes the pictures with their maps. See `Run.gallery`."""
        (self.draw or self.run.gallery)(self, path, limit, **options)

    @property
    def _count(self) -> str:
        return f"{len(self):,}" if len(self) == self.found else f"{len(self):,} of {self.found:,}"

    @property
    def _numbers(self) -> list[int]:
        return [i for i, name in enumerate(self.shown) if not pa.types.is_string(self.table.schema.field(name).type)]

    def _cells(self, most: int) -> list[list[str]]:
        heads = [name.replace("_", " ") for name in self.shown]
        return [heads, *([_cell(name, row) for name in self.shown] for row in self.table.slice(0, most).to_pylist())]


def _cell(name: str, row: dict[str, Any]) -> str:
    value = row[name]
    if name.endswith("path"):
        place = row.get(name.removesuffix("path") + "id")
        return short(value) if value is not None else f"(picture {place})"
    if value is None:
        return "–"
    if name == "error":
        return line(value.partition("\n")[0])  # what came; what was expected and what to do are in the column
    if name.endswith("probability"):
        return "> 99.9 %" if value >= 0.9995 else "< 0.1 %" if value < 0.0005 else percent(value)
    return number(value) if isinstance(value, float) else line(str(value))
