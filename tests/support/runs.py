"""Runs made by rule, with known numbers: small ones from rows as written, large ones part by part."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from seewhy.results.record import SCHEMA, table_of
from seewhy.results.store import Store, key_of

VERSIONS = {"seewhy": "0.1.0", "python": "3.13.0"}


def about(pictures, labels=("cat", "dog"), part_size=100, outputs=None, root=None, notes=(), **settings):
    """What run.json holds."""
    names = None if labels is None else list(labels)
    model = {"name": "net", "fingerprint": "f", "labels": names, "outputs": outputs or len(labels), "several": False}
    asked = {
        "model": model,
        "layer": "layer4.1",
        "method": "gradcam",
        "options": {},
        "target": "predicted",
        "prepare": {"name": "imagenet", "probe": "p"},
        "data": {"kind": "folder", "pictures": pictures, "listing": "l", "classes": {}},
        "batch_size": 8,
        "part_size": part_size,
        "channels_last": False,
        "threads": 1,
        "fast_decode": False,
        "pooled": True,
        **settings,
    }
    return {
        "key": key_of(asked),
        "settings": asked,
        "root": None if root is None else str(root),
        "versions": VERSIONS,
        "created": "2026-01-01T00:00:00+00:00",
        "notes": list(notes),
    }


def written(folder, rows, labels=("cat", "dog"), part_size=100, pictures=-1, **options):
    """A run of these rows (dictionaries by column); `id` is their place unless given. Returns the folder."""
    what = about(len(rows) if pictures == -1 else pictures, labels, part_size, **options)
    store = Store(Path(folder))
    store.begin(what, None)
    for start in range(0, len(rows), part_size):
        piece = [{"id": start + i, **row} for i, row in enumerate(rows[start : start + part_size])]
        store.write_part(start // part_size, table_of(piece, {"run": what["key"]}))
    return folder


def row(label, predicted, probability=0.9, labels=("cat", "dog"), **more):
    """A row of a picture with an answer; the probability that is left is shared by the other classes."""
    true = None if label is None else labels.index(label)
    said = labels.index(predicted)
    shares = np.full(len(labels), (1 - probability) / max(1, len(labels) - 1))
    shares[said] = probability
    return {
        "label": label,
        "predicted": predicted,
        "label_index": true,
        "predicted_index": said,
        "correct": None if true is None else true == said,
        "probability": probability,
        "loss": None if true is None else -float(np.log(shares[true])),
        "scores": np.log(shares).astype(np.float32),
        "map": np.array([0, 0, 0, 1], np.float16),
        "map_scale": 2.0,
        "map_height": 2,
        "map_width": 2,
        "border": 0.3,
        "corners": 0.2,
        **more,
    }


def synthetic(folder, n, classes=2, seed=0, part_size=2_000, grid=(7, 7), pooled=8, labels=None, failed=0.001):
    """A run of n rows drawn by chance, written part by part. Returns the folder.

    A share of 0.8 is right; answers of class 1 that are wrong look at the border. Every seventh label is null when
    `labels` is 'some', all are when it is 'none'.
    """
    names = tuple(f"class {k}" for k in range(classes)) if classes != 2 else ("cat", "dog")
    what = about(n, names, part_size)
    store = Store(Path(folder))
    store.begin(what, None)
    for number in range(-(-n // part_size)):
        ids = np.arange(number * part_size, min(n, (number + 1) * part_size))
        rng = np.random.default_rng((seed, number))
        store.write_part(
            number, _part(rng, ids, names, grid, pooled, labels, failed).replace_schema_metadata({"run": what["key"]})
        )
    return folder


def _part(rng, ids, names, grid, pooled, labels, failed):
    n, k, cells = len(ids), len(names), grid[0] * grid[1]
    true = rng.integers(k, size=n)
    right = rng.random(n) < 0.8
    scores = rng.normal(size=(n, k)).astype(np.float32)
    said = np.where(right, true, (true + rng.integers(1, max(k, 2), size=n)) % k)
    scores[np.arange(n), said] = scores.max(axis=1) + rng.exponential(2, n).astype(np.float32)
    shares = np.exp(scores - scores.max(axis=1, keepdims=True), dtype=np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    stored = scores
    which = None
    if k > 100:  # the 20 highest, and the label's
        top = np.argsort(-scores, axis=1)[:, :20]
        top = np.where((top == true[:, None]).any(axis=1, keepdims=True), top, np.c_[top[:, :19], true])
        stored, which = np.take_along_axis(scores, top, axis=1), top
    border = rng.beta(2, 4, n)
    border = np.where((said == 1) & ~right, (border + 1) / 2, border)
    maps = rng.random((n, cells))
    ring = np.ones(grid, bool)
    ring[1:-1, 1:-1] = False
    maps[np.ix_((said == 1) & ~right, ring.ravel())] *= 4
    maps /= maps.max(axis=1, keepdims=True)
    lost = rng.random(n) < failed
    unknown = np.full(n, labels == "none") | ((labels == "some") & (ids % 7 == 0))
    table = pa.array(names)

    def column(values, kind, null=lost):
        return pa.array(values, kind, mask=np.broadcast_to(null, (n,)).copy())

    def vectors(values, kind, null=lost):
        starts = np.append(0, np.cumsum(np.where(null, 0, values.shape[1]))).astype(np.int32)
        flat = pa.array(values[~null].ravel().astype(kind.value_type.to_pandas_dtype()))
        return pa.ListArray.from_arrays(pa.array(starts), flat, mask=pa.array(null))

    judged = lost | unknown
    half = pa.list_(pa.float16())
    made = {
        "id": pa.array(ids),
        "path": pa.array([f"{names[t]}/picture-{i:07}.jpg" for i, t in zip(ids.tolist(), true.tolist(), strict=True)]),
        "hash": pa.array([f"{i:032x}" for i in ids.tolist()]),
        "label": table.take(pa.array(true, mask=unknown)),
        "predicted": table.take(pa.array(said, mask=lost)),
        "label_index": column(true, pa.int32(), unknown),
        "predicted_index": column(said, pa.int32()),
        "correct": column(right, pa.bool_(), judged),
        "probability": column(shares[np.arange(n), said], pa.float32()),
        "loss": column(-np.log(shares[np.arange(n), true]), pa.float32(), judged),
        "scores": vectors(stored, pa.list_(pa.float32())),
        "map": vectors(maps, half),
        "map_scale": column(rng.exponential(1, n), pa.float32()),
        "map_height": column(np.full(n, grid[0]), pa.int16()),
        "map_width": column(np.full(n, grid[1]), pa.int16()),
        "attended": vectors(rng.normal(size=(n, pooled)), half),
        "pooled": vectors(rng.normal(size=(n, pooled)), half),
        "border": column(border, pa.float32()),
        "corners": column(rng.beta(2, 6, n), pa.float32()),
        "width": column(np.full(n, 500), pa.int32()),
        "height": column(np.full(n, 375), pa.int32()),
        "perceptual_hash": column(rng.integers(2**64, size=n, dtype=np.uint64), pa.uint64()),
        "error": pa.array(["the file is damaged" if x else None for x in lost], pa.string()),
    }
    if which is not None:
        made["classes"] = vectors(which, pa.list_(pa.int32()))
    return pa.table([made.get(field.name, pa.nulls(n, field.type)) for field in SCHEMA], schema=SCHEMA)
