"""Pictures in files: folders whose names are the labels, and manifests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from seewhy.errors import InputError, did_you_mean
from seewhy.images.folders import SUFFIXES, pictures_below
from seewhy.studies.data.items import Sample, readable

LISTED = pa.schema(
    [
        ("path", pa.string()),
        ("label", pa.string()),
        ("boxes", pa.list_(pa.list_(pa.float32()))),
        ("mask", pa.string()),
        ("group", pa.string()),
        ("split", pa.string()),
    ]
)
_NAMES = {  # of a manifest's columns
    "path": ("path", "image", "file", "filename", "file_name", "image_path", "filepath", "picture"),
    "label": ("label", "class", "class_name", "target", "class_index"),
    "box": ("box", "bbox"),
    "mask": ("mask", "mask_path"),
    "group": ("group", "patient", "patient_id"),
    "split": ("split", "subset"),
}
_CORNERS = (
    ("x_min", "y_min", "x_max", "y_max"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("left", "top", "right", "bottom"),
    ("x1", "y1", "x2", "y2"),
)


@dataclass(frozen=True, eq=False)
class Files:
    """Pictures listed by path, in order of the path.

    Args:
        table: with the columns of LISTED.
        root: the folder below which the paths lie.
        kind: 'folder' or 'manifest'.
    """

    table: pa.Table
    root: Path
    kind: str

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def labels(self) -> list[str]:
        """The different labels, sorted."""
        return sorted(each for each in pc.unique(self.table["label"]).to_pylist() if each is not None)

    def among(self, paths: set[str]) -> pa.Table:
        """The rows of these paths."""
        return self.table.filter(pc.is_in(self.table["path"], value_set=pa.array(sorted(paths), pa.string())))

    @property
    def key(self) -> str:
        """The same for the same listing, wherever it lies."""
        found = hashlib.blake2b(digest_size=8)
        for batch in self.table.to_batches(max_chunksize=4096):
            found.update(json.dumps(batch.to_pylist()).encode())
        return found.hexdigest()

    def sample(self, number: int) -> Sample:
        """The picture of that place; its file has not been looked at."""
        row: dict[str, Any] = self.table.slice(number, 1).to_pylist()[0]
        return Sample(number, self.root / row["path"], **row)

    def select(self, numbers: Sequence[int]) -> Files:
        """Only the pictures of these places."""
        return Files(self.table.take(pa.array(numbers, pa.int64())), self.root, self.kind)


def of_folder(folder: Path, labelled: bool, leave_out: Path | None) -> Files:
    """The pictures below a folder; the label is the name of the folder directly below it, None for what lies in it."""
    paths = sorted(readable(path.relative_to(folder)) for path in pictures_below(folder, leave_out))
    if not paths:
        raise InputError(
            f"no pictures in the folder {str(folder)!r}",
            f"files that end in {', '.join(sorted(SUFFIXES)[:4])} ...",
            "check the folder",
        )
    labels = [path.split("/")[0] if labelled and "/" in path else None for path in paths]
    return Files(_listed(path=paths, label=labels), folder, "folder")


def of_manifest(path: Path, labelled: bool, split: str | None) -> Files:
    """The pictures that a table names; rows of one picture that differ in the box alone are one picture.

    Raises:
        InputError: no such file, no column of paths, a box that is none, or no row of that split.
    """
    try:
        if path.suffix.lower() == ".parquet":
            table = pq.read_table(path)
        else:
            parsing = pa.csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
            table = pa.csv.read_csv(path, parse_options=parsing)
    except FileNotFoundError:
        raise InputError(f"no file {str(path)!r}", "a manifest", "check the path") from None
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"the manifest {str(path)!r} cannot be read: {error}", "CSV with a heading, or Parquet", "mend the file"
        ) from error
    has = {name.strip().lower(): name for name in table.column_names}
    at = {key: next((has[name] for name in names if name in has), None) for key, names in _NAMES.items()}
    if at["path"] is None:
        raise InputError(
            f"a manifest with the columns {', '.join(map(repr, table.column_names))}",
            "a column 'path', and where known 'label', 'box', 'mask', 'group', 'split'",
            did_you_mean("path", table.column_names, "name the column of the files 'path'"),
        )
    if split is not None:
        table = _of_split(table, at["split"], split)
    rows: dict[tuple[str, str | None], dict[str, Any]] = {}
    corners = next((each for each in _CORNERS if all(name in has for name in each)), None)
    for row in table.to_pylist():
        name = readable(Path(str(row[at["path"]] or "")))
        label = row[at["label"]] if labelled and at["label"] else None
        text = None if label is None or label == "" else str(label)
        new = {key: _text(row, at[key]) for key in ("mask", "group", "split")} | {"boxes": None}
        found = rows.setdefault((name, text), new)
        differs = [key for key in ("mask", "group", "split") if found[key] != new[key]]
        if differs:
            raise InputError(
                f"two rows of {name!r} with {differs[0]} {found[differs[0]]!r} and {new[differs[0]]!r}",
                "rows of one picture and label that differ in the box alone",
                "mend the manifest",
            )
        box = _box([row[has[each]] for each in corners] if corners else row[at["box"]] if at["box"] else None)
        if box is not None:
            found["boxes"] = [*(found["boxes"] or []), box]
    if not rows:
        raise InputError(f"no row in the manifest {str(path)!r}", "a row for each picture", "check how it is made")
    order = sorted(rows, key=lambda key: (key[0], key[1] or ""))
    return Files(
        _listed(
            path=[key[0] for key in order],
            label=[key[1] for key in order],
            **{name: [rows[key][name] for key in order] for name in ("boxes", "mask", "group", "split")},
        ),
        path.parent,
        "manifest",
    )


def _delimiter(path: Path) -> str:
    """What stands between the columns, by the heading: spreadsheets of many countries write ';'."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        heading = file.readline()
    return max(",;\t", key=heading.count)


def _of_split(table: pa.Table, column: str | None, split: str) -> pa.Table:
    if column is None:
        raise InputError(f"split={split!r}; the manifest has no splits", "a column 'split'", "leave split= out")
    kept = table.filter(pc.equal(table[column].cast(pa.string()), split))
    if not kept.num_rows:
        known = [str(each) for each in pc.unique(table[column]).to_pylist()]
        raise InputError(
            f"no picture of the split {split!r}",
            f"one of {', '.join(map(repr, known[:8]))}",
            did_you_mean(split, known, "check the manifest"),
        )
    return kept


def _text(row: dict[str, Any], column: str | None) -> str | None:
    value = None if column is None else row[column]
    return None if value is None or value == "" else str(value)


def _box(value: Any) -> list[float] | None:
    """Four numbers: a list, or a text with commas, blanks or semicolons between them; None for nothing."""
    parts = (
        value
        if isinstance(value, list)
        else str(value or "").strip("[]() ").replace(",", " ").replace(";", " ").split()
    )
    if not [part for part in parts if part not in (None, "")]:
        return None
    try:
        numbers = [float(each) for each in parts]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or numbers[2] <= numbers[0] or numbers[3] <= numbers[1]:
        raise InputError(
            f"the box {value!r}",
            "left, top, right, bottom in pixels, right and bottom the larger ones",
            "mend the manifest",
        )
    return numbers


def _listed(**columns: list[Any]) -> pa.Table:
    count = len(columns["path"])
    return pa.table([pa.array(columns.get(field.name, [None] * count), field.type) for field in LISTED], schema=LISTED)
