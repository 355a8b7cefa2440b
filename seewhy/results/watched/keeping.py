"""The folder of a watched training: watch.json, numbers.csv, Parquet parts with the maps, small pictures.

Whatever is written is readable at any time, also after a kill: files are written whole, lines of the CSV at once.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from seewhy.errors import InputError
from seewhy.images.panels import png
from seewhy.images.resizing import Floats
from seewhy.results.store import append, write_whole

ABOUT, NUMBERS, PARTS, PICTURES, STRIPS, FILMS = "watch.json", "numbers.csv", "parts", "pictures", "strips", "gifs"
SCHEMA = 1
THUMB = 320  # pixels of a kept picture's longer side
_ROWS = 2_048  # of a part, about; it is written again with each look until it has so many

_NUMBERS = (
    pa.field("look", pa.int32()),  # 0, 1, 2 ...
    pa.field("epoch", pa.int32()),  # that were done; 0 before the training
    pa.field("step", pa.int64()),  # that were done
    pa.field("picture", pa.int32()),  # its number in watch.json
    pa.field("name", pa.string()),
    pa.field("label", pa.string()),  # the picture's own; null where it is not known
    pa.field("class", pa.string()),  # that the map is of
    pa.field("predicted", pa.string()),
    pa.field("score", pa.float32()),  # of that class, before softmax
    pa.field("probability", pa.float32()),
    pa.field("focus", pa.float32()),  # share of the map inside the region
    pa.field("border", pa.float32()),  # share of the map in the outer tenth at each side
    pa.field("entropy", pa.float32()),  # of the map as shares; 1 if even
    pa.field("drift", pa.float32()),  # 1 - correlation with the map of the look before
)
_MAP = (
    pa.field("map", pa.list_(pa.float16())),  # over its maximum
    pa.field("map_scale", pa.float32()),  # its maximum
    pa.field("map_height", pa.int16()),
    pa.field("map_width", pa.int16()),
)
COLUMNS = tuple(one.name for one in _NUMBERS)
ROWS = pa.schema([*_NUMBERS, *_MAP])


@dataclass(eq=False)
class Keeping:
    """Writes what each look gives.

    Args:
        folder: made where it is not there.
        about: what watch.json holds.
    """

    folder: Path
    about: dict[str, Any] = field(default_factory=dict)
    _part: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 0

    @property
    def exists(self) -> bool:
        return (self.folder / ABOUT).is_file()

    def begin(self, about: Mapping[str, Any], pictures: Sequence[Any], outlines: Sequence[Any]) -> None:
        """Makes the folder; keeps small pictures, and where the region lies in them.

        Args:
            about: the rest of watch.json; its `pictures` name the files.
            pictures: uint8 [height, width, 3], at most THUMB pixels wide and high.
            outlines: bool [height, width] each, or None.
        Raises:
            InputError: the folder cannot be written to.
        """
        for name in (PARTS, PICTURES, STRIPS, FILMS):
            try:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(
                    f"the folder {str(self.folder)!r} cannot be made: {error.strerror or error}",
                    "a folder that may be written to",
                    "choose another out=",
                ) from error
        for one, pixels, outline in zip(about["pictures"], pictures, outlines, strict=True):
            self.image(f"{PICTURES}/{one['file']}.png", Image.fromarray(pixels))
            if outline is not None:
                self.image(f"{PICTURES}/{one['file']}.region.png", Image.fromarray(outline))
        self.tell(**about)

    def go_on(self) -> None:
        """After an earlier training in the same folder: what it wrote stays, and new parts follow."""
        self.about = about_of(self.folder)
        self.about.pop("cost", None)  # it is told at the end, which is not now any more
        numbers = [int(path.stem.removeprefix("part-")) for path in parts(self.folder)]
        self._number = max(numbers, default=-1) + 1

    def tell(self, **more: Any) -> None:
        """Writes watch.json with something more in it."""
        self.about |= more
        text = json.dumps({"schema": SCHEMA, **self.about}, indent=1, ensure_ascii=False)
        write_whole(self.folder / ABOUT, lambda file: file.write(text.encode()))

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """The rows of one look."""
        path, text = self.folder / NUMBERS, io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        if not path.exists():
            lines.writerow(COLUMNS)
        lines.writerows([_cell(row.get(name)) for name in COLUMNS] for row in rows)
        append(path, text.getvalue())
        self._part.extend(rows)
        table = pa.Table.from_pylist(self._part, ROWS)
        part = self.folder / PARTS / f"part-{self._number:06}.parquet"
        write_whole(part, lambda file: pq.write_table(table, file, compression="zstd"))
        if len(self._part) >= _ROWS:
            self._part, self._number = [], self._number + 1

    def image(self, name: str, image: Image.Image) -> None:
        self.bytes(name, png(image))

    def bytes(self, name: str, data: bytes) -> None:
        write_whole(self.folder / name, lambda file: file.write(data))


def about_of(folder: Path) -> dict[str, Any]:
    """What watch.json holds.

    Raises:
        InputError: the folder holds no watched training, a damaged one, or one of a newer seewhy.
    """
    path = folder / ABOUT
    try:
        about: dict[str, Any] = json.loads(path.read_text("utf-8"))
        schema = int(about.pop("schema"))
    except (FileNotFoundError, NotADirectoryError):
        came = f"{str(folder)!r} holds no watched training" if folder.exists() else f"no folder {str(folder)!r}"
        raise InputError(came, "a folder that `watch` wrote", "check the path; it is what out= named") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = "restore the file, or watch into another folder"
        raise InputError(f"{str(path)!r} cannot be read: {error}", "what `watch` wrote", remedy) from error
    if schema > SCHEMA:
        raise InputError(f"a watch of schema {schema}", f"schema {SCHEMA} or older", "pip install -U seewhy")
    return about


def parts(folder: Path) -> list[Path]:
    return sorted((folder / PARTS).glob("part-*.parquet"))


def rows_of(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows, in order; a part that cannot be read is left out."""
    found = []
    for path in parts(folder):
        with suppress(OSError, pa.ArrowException):
            found.append(pq.read_table(path, columns=None if columns is None else list(columns)))
    names = ROWS.names if columns is None else columns
    return pa.concat_tables(found) if found else pa.schema([ROWS.field(name) for name in names]).empty_table()


def packed(map: Floats) -> dict[str, Any]:
    """A map as it is kept: over its maximum, in half precision."""
    highest = float(map.max())
    shares = (map / highest if highest > 0 else map).ravel().astype(np.float16)
    return {"map": shares, "map_scale": highest, "map_height": map.shape[0], "map_width": map.shape[1]}


def unpacked(row: Mapping[str, Any]) -> Floats:
    """float32 [h, w] of a row."""
    shares = np.asarray(row["map"], np.float32).reshape(row["map_height"], row["map_width"])
    return np.asarray(shares * np.float32(row["map_scale"]))


def file_name(number: int, name: str) -> str:
    """A name for the files of a picture, unique by its number: '02-cat'."""
    plain = re.sub(r"[^\w-]+", "-", Path(name).stem)[:40].strip("-")
    return f"{number:02}-{plain}" if plain else f"{number:02}"


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value
