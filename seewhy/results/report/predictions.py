"""Predictions of a run as columns, in the bundle's shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from seewhy.results.arrays import Floats, Ints, floats, ints
from seewhy.results.drawn.thumbnails import base64
from seewhy.results.questions.clusters import Clusters
from seewhy.results.questions.duplicates import duplicates
from seewhy.results.questions.focus import shares
from seewhy.results.report.provenance import told_path

COARSE = (6, 6)  # cells
_NEAR = 6  # near-duplicates that are named for a picture
LISTED = [
    *("id", "path", "label_index", "predicted_index", "correct", "probability", "loss", "border", "corners"),
    *("inside_mask", "inside_box", "map_scale", "map", "map_height", "map_width"),
    *("group", "split", "perceptual_hash"),
]


def table_of(held: pa.Table, place: dict[int, int], groups: Clusters, anonymous: bool) -> dict[str, Any]:
    """The predictions of these pictures.

    Args:
        held: rows in the order of the data, with the columns `LISTED`, in one chunk.
        place: of each class in the bundle's labels.
        groups: of the run.
        anonymous: no paths; groups and splits are numbers.
    """
    ids = ints(held["id"])
    scale = floats(held["map_scale"]).astype(np.float64)
    drawn = scale > 0
    inside = floats(held["inside_mask"]).astype(np.float64)
    inside = np.where(np.isfinite(inside), inside, floats(held["inside_box"]))
    result: dict[str, Any] = {
        "n": len(held),
        "id": held["id"].to_pylist(),
        "path": [None if anonymous else told_path(path) for path in held["path"].to_pylist()],
        "label": [place.get(index) for index in ints(held["label_index"]).tolist()],
        "predicted": [place[index] for index in ints(held["predicted_index"]).tolist()],
        "correct": [None if one < 0 else one for one in ints(held["correct"]).tolist()],
        "probability": _rounded(floats(held["probability"]), 4),
        "label_probability": _rounded(np.exp(-floats(held["loss"]).astype(np.float64)), 4),
        "border": _rounded(np.where(drawn, floats(held["border"]), np.nan)),
        "corners": _rounded(np.where(drawn, floats(held["corners"]), np.nan)),
        "inside": _rounded(np.where(drawn, inside, np.nan)),
        "scale": [None if value != value else float(f"{value:.4g}") for value in scale.tolist()],
        "cluster": _places(ids, groups),
        "coarse": {"height": COARSE[0], "width": COARSE[1], "values": base64(_coarse(held, drawn))},
    }
    for name in ("group", "split"):
        if held[name].null_count < len(held):
            coded = pa.chunked_array(held[name]).combine_chunks().dictionary_encode()
            names = coded.dictionary.to_pylist()
            result[name] = coded.indices.to_pylist()
            hidden = anonymous and name == "group"
            result[f"{name}s"] = [f"group {k + 1}" for k in range(len(names))] if hidden else names
    near = _near(held)
    if any(near):
        result["near"] = near
    return result


def _rounded(values: Floats, digits: int = 3) -> list[float | None]:
    exact = np.asarray(values, np.float64)
    return [value if value == value else None for value in np.round(exact, digits).tolist()]


def _places(ids: Ints, groups: Clusters) -> list[int | None]:
    """The group of each picture."""
    if not len(groups):
        return [None] * len(ids)
    order = np.argsort(groups.ids)
    at = np.minimum(np.searchsorted(groups.ids, ids, sorter=order), len(order) - 1)
    found = order[at]
    return [
        int(place) if one == wanted else None
        for place, one, wanted in zip(groups.places[found], groups.ids[found], ids, strict=True)
    ]


def _coarse(held: pa.Table, drawn: Any) -> Any:
    """uint8 [rows, 6, 6]: each map by area, over its highest cell."""
    cells = shares(held, COARSE)
    most = cells.max(axis=(1, 2), keepdims=True)
    scaled = np.divide(cells, most, out=np.zeros_like(cells), where=(most > 0) & drawn[:, None, None])
    return np.rint(255 * scaled).astype(np.uint8)


def _near(held: pa.Table) -> list[list[int]]:
    """The rows of near-duplicates among these pictures."""
    known = np.flatnonzero(np.asarray(held["perceptual_hash"].is_valid()))
    hashes = held["perceptual_hash"].drop_null().to_numpy()
    result: list[list[int]] = [[] for _ in range(len(held))]
    first, second, _ = duplicates(hashes, None)
    for one, other in zip(known[first].tolist(), known[second].tolist(), strict=True):
        for here, there in ((one, other), (other, one)):
            if len(result[here]) < _NEAR:
                result[here].append(there)
    return result
