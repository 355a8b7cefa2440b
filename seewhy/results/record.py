"""What a row of a run says: each column once, with dtype, unit and meaning, for writer, reader and docs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

SCHEMA_VERSION = 1
TOP = 20  # of more than ALL classes, only so many scores are kept, and the label's
ALL = 100
CELLS = 64  # of a map's longer side, at most

_HALVES, _FLOATS = pa.list_(pa.float16()), pa.list_(pa.float32())


@dataclass(frozen=True)
class Column:
    """One column of the parts of a run.

    Args:
        name: in the file.
        type: Arrow's.
        unit: of the numbers; '' where they have none.
        meaning: one sentence; says when it is null.
        repeats: few different values, so that a dictionary saves space.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    repeats: bool = False


COLUMNS = (
    Column("id", pa.int64(), "", "The picture's place in the data, from 0."),
    Column("path", pa.string(), "", "Below the data's folder, with '/'; null where the picture came without a file."),
    Column("hash", pa.string(), "", "BLAKE2b of 128 bits of the file's bytes, or of the array's; null if not read."),
    Column("label", pa.string(), "", "The true class as the model names it; null without a label.", repeats=True),
    Column("predicted", pa.string(), "", "The class with the highest score; null on error.", repeats=True),
    Column("label_index", pa.int32(), "", "The true class's place in the model's outputs."),
    Column("predicted_index", pa.int32(), "", "The predicted class's place in the model's outputs."),
    Column("correct", pa.bool_(), "", "predicted_index = label_index; null without a label or on error."),
    Column("probability", pa.float32(), "0..1", "Of the predicted class."),
    Column("loss", pa.float32(), "nats", "-log of the true class's probability; null without a label."),
    Column(
        "scores", _FLOATS, "", "Before softmax: of all classes, or of more than 100 the 20 highest and the label's."
    ),
    Column("classes", pa.list_(pa.int32()), "", "The classes of `scores`; null where these are all, in order."),
    Column(
        "map",
        _HALVES,
        "map_scale",
        "Map of the predicted class after ReLU, row by row, over its maximum; at most 64 cells a side.",
    ),
    Column("map_scale", pa.float32(), "score", "The map's maximum; map * map_scale is the raw map. 0: an empty map."),
    Column("map_height", pa.int16(), "cells", "Rows of the map."),
    Column("map_width", pa.int16(), "cells", "Columns of the map."),
    Column("label_map", _HALVES, "label_map_scale", "As `map`, of the true class; null where that was predicted."),
    Column("label_map_scale", pa.float32(), "score", "The maximum of the true class's map."),
    Column("attended", _HALVES, "", "The layer's channels averaged under the map: what it looked at."),
    Column("pooled", _HALVES, "", "The layer's channels averaged plainly: what it saw; null where switched off."),
    Column("peak_row", pa.float32(), "0..1", "Centre of the map's highest cell, from the top of what the model saw."),
    Column("peak_column", pa.float32(), "0..1", "The same, from the left."),
    Column("centre_row", pa.float32(), "0..1", "Centre of mass of the map, from the top of what the model saw."),
    Column("centre_column", pa.float32(), "0..1", "The same, from the left."),
    Column("spread", pa.float32(), "sides", "Root mean square distance from the centre of mass; 0.41 for an even map."),
    Column(
        "entropy", pa.float32(), "0..1", "Of the map as shares, over the logarithm of its number of cells; 1 if even."
    ),
    Column("border", pa.float32(), "0..1", "Share of the map in the outer tenth at each side; 0.36 for an even map."),
    Column("corners", pa.float32(), "0..1", "Share in the four corners of a quarter of each side; 0.25 if even."),
    Column("inside_box", pa.float32(), "0..1", "Share inside the object's boxes; null where none is given."),
    Column(
        "inside_mask", pa.float32(), "0..1", "Share inside the object's mask; null where none is given or readable."
    ),
    Column("width", pa.int32(), "pixels", "Of the picture, upright."),
    Column("height", pa.int32(), "pixels", "Of the picture, upright."),
    Column("box", _FLOATS, "pixels", "Left, top, right, bottom of what the model saw; null where that is not known."),
    Column("object_boxes", pa.list_(_FLOATS), "pixels", "Boxes round the object, as given."),
    Column("mask", pa.string(), "", "The file of the object's mask, as given."),
    Column("group", pa.string(), "", "What belongs together (a patient, a video), as given."),
    Column("split", pa.string(), "", "Train, test ..., as given."),
    Column("perceptual_hash", pa.uint64(), "", "64 bits that differ in few places between near-duplicates."),
    Column("error", pa.string(), "", "Why the picture has no answer; null if it has."),
)
SCHEMA = pa.schema([pa.field(each.name, each.type) for each in COLUMNS])
REPEATING = [each.name for each in COLUMNS if each.repeats]


def _leaf(column: Column) -> str:
    """The path of the column's values in the file."""
    name, kind = column.name, column.type
    while pa.types.is_list(kind):
        name, kind = f"{name}.list.element", kind.value_type
    return name


def _value(kind: pa.DataType) -> pa.DataType:
    return _value(kind.value_type) if pa.types.is_list(kind) else kind


# To be split into streams of bytes; halves are not, because DuckDB cannot read those yet.
FLOATING = [_leaf(each) for each in COLUMNS if _value(each.type) == pa.float32()]


def table_of(rows: Sequence[dict[str, Any]], metadata: dict[str, str]) -> pa.Table:
    """Rows as a table; what a row lacks is null.

    Args:
        rows: by column name; arrays for lists.
        metadata: kept in the file beside the columns.
    """
    columns = [pa.array([row.get(each.name) for row in rows], each.type) for each in COLUMNS]
    return pa.table(columns, schema=SCHEMA.with_metadata(metadata))
