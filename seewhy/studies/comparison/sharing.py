"""Which pictures runs share: matched by the hash of their content, wherever they lie and whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa

from seewhy.errors import InputError
from seewhy.results.arrays import Ints, ints
from seewhy.results.run import Run
from seewhy.results.tables import counted


@dataclass(frozen=True, eq=False)
class Shared:
    """The pictures that all runs have.

    Args:
        places: int64 [runs, n], their rows in each run, in the order of the first.
        ids: int64 [runs, n], their ids in each run.
        rows: how many pictures each run has.
        unread: of these, how many could not be read and so have no hash.
        copies: shared pictures that are there more than once.
    """

    places: Ints
    ids: Ints
    rows: tuple[int, ...]
    unread: tuple[int, ...]
    copies: int

    def __len__(self) -> int:
        return int(self.places.shape[1])

    def take(self, kept: Ints) -> Shared:
        """Some of them."""
        return Shared(self.places[:, kept], self.ids[:, kept], self.rows, self.unread, self.copies)


def shared(runs: Sequence[Run]) -> Shared:
    """Matches pictures by their hash; copies of one picture, within a run, by the order of their paths.

    Raises:
        InputError: no picture is in all runs.
    """
    tables = [run.select(["id", "hash"]) for run in runs]
    hashes = pa.concat_arrays([chunk for table in tables for chunk in table["hash"].chunks] or [pa.array([], "string")])
    codes = ints(hashes.dictionary_encode().indices).astype(np.int64)
    per_run = np.split(codes, np.cumsum([len(table) for table in tables])[:-1])
    known = [np.flatnonzero(own >= 0) for own in per_run]
    copies = [_copies(run, own[rows], rows) for run, own, rows in zip(runs, per_run, known, strict=True)]
    most = max((int(each.max(initial=0)) for each in copies), default=0) + 1
    keys = [own[rows] * most + copy for own, rows, copy in zip(per_run, known, copies, strict=True)]
    common = reduce(lambda one, other: np.intersect1d(one, other, assume_unique=True), keys)
    if not len(common):
        raise _nothing_shared(runs)
    places = np.stack([rows[_found(common, own)] for own, rows in zip(keys, known, strict=True)])
    places = places[:, np.argsort(places[0], kind="stable")]
    ids = np.stack([ints(table["id"])[own] for table, own in zip(tables, places, strict=True)])
    return Shared(
        places,
        ids,
        tuple(map(len, tables)),
        tuple(len(own) - len(rows) for own, rows in zip(per_run, known, strict=True)),
        len(common) - len(np.unique(common // most)),
    )


def _copies(run: Run, codes: Ints, rows: Ints) -> Ints:
    """int [n]: 0 for the first picture of a hash, 1 for its next copy, by path."""
    result = np.zeros(len(codes), np.int64)
    if not len(codes):
        return result
    several = np.flatnonzero(np.bincount(codes)[codes] > 1)
    if len(several):
        paths = run.select(["path"])["path"].take(pa.array(rows[several])).to_pylist()
        names = np.unique([path or "" for path in paths], return_inverse=True)[1]
        order = several[np.lexsort((rows[several], names, codes[several]))]
        own = codes[order]
        starts = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
        result[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return result


def _found(wanted: Ints, keys: Ints) -> Ints:
    order = np.argsort(keys)
    found: Ints = order[np.searchsorted(keys, wanted, sorter=order)]
    return found


def _nothing_shared(runs: Sequence[Run]) -> InputError:
    paths = [set(run.select(["path"])["path"].drop_null().to_pylist()) for run in runs]
    alike = len(set.intersection(*paths))
    sizes = " and ".join(counted(len(run), "picture") for run in runs)
    if alike:
        return InputError(
            f"no picture is the same in all runs ({sizes}), though {counted(alike, 'path')} are",
            "the same files, byte by byte; they were changed or saved anew in between",
            "audit one and the same data with each model",
        )
    return InputError(
        f"no picture is in all runs ({sizes})",
        "runs over the same pictures, or at least some of the same; they are matched by their content",
        "audit one and the same data with each model; files, arrays and prepared tensors of it do not match each other",
    )
