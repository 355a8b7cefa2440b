"""Near-duplicates of a run as rows of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from seewhy.results.arrays import ints
from seewhy.results.questions.duplicates import duplicates
from seewhy.results.rows import Rows

if TYPE_CHECKING:
    from seewhy.results.run import Run

_SHOWN = ("path", "label", "other_path", "other_label", "distance")


def near_duplicates(run: Run, across_labels: bool, limit: int | None) -> Rows:
    """See `Run.near_duplicates`."""
    if across_labels:
        run.need_labels("near-duplicates across labels")
    held = run.select(["id", "hash", "label", "perceptual_hash"], where=pc.field("perceptual_hash").is_valid())
    classes = None
    if across_labels:
        coded = held["label"].combine_chunks().dictionary_encode()
        classes = ints(coded.indices if isinstance(coded, pa.DictionaryArray) else coded.chunk(0).indices)
    hashes = held["perceptual_hash"].to_numpy()
    first, second, bits = duplicates(hashes, classes)
    one, other = held.take(pa.array(first[:limit])), held.take(pa.array(second[:limit]))
    columns = {
        "id": one["id"],
        "path": _paths(run, one["id"]),
        "label": one["label"],
        "other_id": other["id"],
        "other_path": _paths(run, other["id"]),
        "other_label": other["label"],
        "distance": pa.array(bits[:limit], pa.int32()),
        "identical": pc.equal(one["hash"], other["hash"]),
    }
    title = "near-duplicates with different labels" if across_labels else "near-duplicates"
    return Rows(run, pa.table(columns), title, len(first), _SHOWN)


def _paths(run: Run, ids: pa.ChunkedArray) -> pa.ChunkedArray:
    unique = pc.unique(ids)
    paths = run.rows(unique.to_pylist(), ["path"])
    return paths["path"].take(pc.index_in(ids, value_set=paths["id"].combine_chunks()))
