"""Columns of a run as NumPy arrays; what is null has a value that says so."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow.compute as pc

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Ints: TypeAlias = np.ndarray[Any, np.dtype[np.integer[Any]]]


def floats(column: Any) -> Floats:
    """float [rows]; NaN for null."""
    return np.asarray(column.to_numpy(zero_copy_only=False) if _is_array(column) else column.to_numpy())


def ints(column: Any, null: int = -1) -> Ints:
    """int [rows]; `null` for null. Truth values become 0 and 1."""
    whole = column.cast("int64") if str(column.type) == "bool" else column
    filled = pc.fill_null(whole, null)
    return np.asarray(filled.to_numpy(zero_copy_only=False) if _is_array(filled) else filled.to_numpy())


def lists(column: Any) -> tuple[np.ndarray[Any, Any], Ints]:
    """The values of all lists, one after the other, and where each row's begin: [values], int [rows + 1].

    A null is an empty list.
    """
    if not _is_array(column):
        column = column.combine_chunks()
        column = column if _is_array(column) else column.chunk(0)
    lengths = ints(pc.list_value_length(column), 0)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False)), starts


def rows_of(starts: Ints) -> Ints:
    """The row that each value of `lists` belongs to: int [values]."""
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts))


def _is_array(column: Any) -> bool:
    return not hasattr(column, "chunks")
