"""The parts of a run, read lazily, their checksums verified; what is wrong with one is said in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from seewhy.errors import InputError
from seewhy.results.record import SCHEMA
from seewhy.results.store import PARTS, Store

_PART = re.compile(r"part-(\d{6,})\.parquet")
_BATCH = 2_048  # rows: those of a row group


def numbers_of(store: Store, size: int, pictures: int | None) -> tuple[int, ...]:
    """The parts that are there, in order; files of other names, or beyond the last picture, are none."""
    found = (_PART.fullmatch(path.name) for path in store.parts())
    numbers = sorted(int(match[1]) for match in found if match)
    return tuple(number for number in numbers if pictures is None or number * size < pictures)


@dataclass(frozen=True)
class Parts:
    """The parts of a run that were there when it was opened.

    Args:
        folder: of the run.
        numbers: of the parts.
    """

    folder: Path
    numbers: tuple[int, ...]

    def dataset(self, numbers: Sequence[int] | None = None) -> ds.Dataset:
        """All rows, or those of some parts; nothing is read before a scan."""
        store = Store(self.folder)
        verified = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
        paths = [str(store.part(number)) for number in (self.numbers if numbers is None else numbers)]
        return ds.dataset(paths, schema=SCHEMA, format=ds.ParquetFileFormat(default_fragment_scan_options=verified))

    def table(self, columns: list[str], condition: Any = None, numbers: Sequence[int] | None = None) -> pa.Table:
        """The rows that meet a condition, in the order of the data."""
        with self.told():
            scanner = self.dataset(numbers).scanner(
                columns, filter=condition, batch_size=_BATCH, batch_readahead=8, fragment_readahead=4
            )
            return scanner.to_table()

    def batches(self, columns: list[str], condition: Any = None) -> Iterator[pa.RecordBatch]:
        """The same in pieces, read part by part.

        No scan is ever left unfinished: Arrow's threads would go on, and may abort the process while it ends
        (apache/arrow issues 34314 and 45214).
        """
        for number in self.numbers:
            yield from self.table(columns, condition, [number]).to_batches(max_chunksize=_BATCH)

    @cached_property
    def rows(self) -> int:
        with self.told():
            return int(self.dataset().count_rows())

    @contextmanager
    def told(self) -> Iterator[None]:
        """What goes wrong while parts are read, in words.

        Raises:
            InputError: a part is damaged or gone, or what was asked does not fit the columns.
        """
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise self._fault(error) from error

    def _fault(self, error: BaseException) -> InputError:
        store = Store(self.folder)
        sound = store.sound(str(store.about()["key"]))
        for number in self.numbers:
            if number not in sound:
                path = store.part(number)
                state = "damaged" if path.exists() else "gone"
                return InputError(
                    f"the part {f'{PARTS}/{path.name}'!r} of {str(self.folder)!r} is {state}",
                    "a part as the audit wrote it",
                    "give the same audit again: it is computed anew",
                )
        return InputError(
            f"the rows of {str(self.folder)!r} cannot be read: {str(error).splitlines()[0]}",
            "columns, and a `where` that fits their types",
            "check `where`; docs/reference/columns.md lists the columns with their types",
        )
