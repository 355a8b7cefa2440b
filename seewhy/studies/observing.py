"""One batch of pictures through the model: a row of the run for each, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from seewhy.errors import InputError, SeeWhyError, is_out_of_memory
from seewhy.evidence import INPUT, Array, Evidence, Model
from seewhy.images.hashing import content_hash, perceptual_hash
from seewhy.images.reading import as_numpy, contents, decode, is_picture, read
from seewhy.images.resizing import Box, upscale
from seewhy.methods import Method
from seewhy.results.record import ALL, CELLS, TOP
from seewhy.studies.data import Sample
from seewhy.studies.matching import Matching
from seewhy.studies.measuring import boxes_on_cells, mask_on_cells, measured, share_inside
from seewhy.targets import Aim, Scores, Toward

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_HALF = float(np.finfo(np.float16).max)


@dataclass(frozen=True, eq=False)
class Plan:
    """How every picture of a run is looked at.

    Args:
        model: wrapped.
        method, options: of the maps.
        layer: its name.
        matching: of labels to classes.
        box_of: which part of a picture of a (width, height) the model sees.
        pooled: keep the plain mean of the channels, too.
        fast_decode: JPEGs may be decoded smaller, down to so many pixels of the shorter side; None: not.
        root: the folder below which masks lie.
        refit: called with the images of a batch before the model sees them.
    """

    model: Model
    method: Method
    options: Mapping[str, Any]
    layer: str
    matching: Matching
    box_of: Callable[[tuple[int, int]], Box | None]
    pooled: bool
    fast_decode: int | None
    root: Path | None
    refit: Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Ready:
    """A picture read and prepared, or why it could not be.

    Args:
        row: what is known of it already, by column.
        image: what the model eats; None on error.
        truth: its class; None without a label.
        seen: what the model sees of it, in pixels of the picture.
        boxes, mask: of the object, where given.
    """

    row: dict[str, Any]
    image: Any = None
    truth: int | None = None
    seen: Box | None = None
    boxes: Sequence[Sequence[float]] | None = None
    mask: Any = None


def ready(sample: Sample, plan: Plan) -> Ready:
    """Reads and prepares one picture; needs neither the framework nor other pictures, so threads can share the work."""
    row: dict[str, Any] = {
        **{"id": sample.number, "path": sample.path, "group": sample.group, "split": sample.split},
        **{"mask": sample.mask, "object_boxes": sample.boxes},
    }
    try:
        if sample.error is not None:
            return Ready(row | {"error": sample.error})
        truth = plan.matching.of(sample.label)
        if truth is not None:
            row |= {"label": plan.matching.name(truth), "label_index": truth}
        if not is_picture(sample.source):
            return _of_image(sample.source, row, truth, plan)
        picture, size, row["hash"] = _read(sample.source, plan.fast_decode)
        if plan.model.prepare is None:
            raise unprepared("a picture")
        row |= {"width": size[0], "height": size[1], "perceptual_hash": perceptual_hash(picture)}
        image = plan.model.prepare(picture)
        seen = _scaled(plan.box_of(picture.size), picture.size, size)
        row["box"] = None if seen is None else list(seen)
        mask = None if sample.mask is None or plan.root is None else _mask(plan.root / sample.mask)
        return Ready(row, image, truth, seen, sample.boxes, mask)
    except SeeWhyError as error:
        return Ready(row | {"error": str(error)})
    except Exception as error:  # one odd picture never ends a run
        return Ready(row | {"error": f"{type(error).__name__}: {error}"})


def rows_of(items: Sequence[Ready], plan: Plan) -> list[dict[str, Any]]:
    """A row for each picture, in order. Images of one shape go through the model together."""
    rows = [dict(item.row) for item in items]
    shapes: dict[tuple[int, ...], list[int]] = {}
    for i, item in enumerate(items):
        if item.image is not None:
            shapes.setdefault(tuple(item.image.shape), []).append(i)
    for same in shapes.values():
        for i, found in zip(same, _answered([items[i] for i in same], plan), strict=True):
            rows[i] |= found
    return rows


def unprepared(what: str) -> InputError:
    """Pictures for a model of which only the user knows what it eats."""
    return InputError(
        f"{what} for a model whose preparation is not known",
        "the preparation used in training",
        'wrap(model, prepare=...): a callable or one of "imagenet", "0..1", "-1..1", "0..255"',
    )


def halved(work: Callable[[Sequence[_Item]], list[_Made]], items: Sequence[_Item]) -> list[_Made]:
    """What `work` makes of all items; they are halved as long as the device's memory does not hold them."""
    try:
        return work(items)
    except Exception as error:
        if len(items) == 1 or not is_out_of_memory(error):
            raise
    middle = len(items) // 2  # outside of the handler, which would keep the failed pass in memory
    return halved(work, items[:middle]) + halved(work, items[middle:])


def _answered(items: Sequence[Ready], plan: Plan) -> list[dict[str, Any]]:
    """What the model says of images of one shape; where they fail together, each is asked alone."""
    try:
        return explained(items, plan)
    except SeeWhyError as error:
        if len(items) == 1:
            return [{"error": str(error)}]
    return [found for item in items for found in _answered([item], plan)]


def explained(items: Sequence[Ready], plan: Plan) -> list[dict[str, Any]]:
    """The columns that the model gives, for images of one shape.

    Raises:
        SeeWhyError: they do not go through the model together, or the method cannot serve it.
    """
    model = plan.model
    images = plan.refit(model.batch([item.image for item in items]))
    beside = [] if plan.method.beside is None else plan.method.beside(model.layers(images))
    taken = list(dict.fromkeys([plan.layer, *beside]))
    with model.run(images, taken, plan.method.needs) as run:
        scores = Scores(run.scores, run.several, model.labels if run.scores.shape[1] else None)
        finite = [bool(np.isfinite(row).all()) for row in run.scores]
        judged = replace(scores, values=np.nan_to_num(run.scores, posinf=0, neginf=0))
        evidence = run.evidence(_aims(items, judged, plan))
        looked = [_looked(dict(zip(taken, row, strict=True)), beside, plan) for row in evidence]
    lies, shape = measured(looked[0].maps), looked[0].maps.shape[1:]
    found = []
    for i, item in enumerate(items):
        if not finite[i] or not np.isfinite(looked[0].maps[i]).all():
            what = "map" if finite[i] else "scores"
            found.append({"error": f"{what} that are NaN or infinite: look for NaN in the image and the weights"})
            continue
        row = _said(judged, i, item.truth) | {name: _number(values[i]) for name, values in lies.items()}
        row |= _kept(looked[0].maps[i], "map") | dict(zip(("map_height", "map_width"), shape, strict=True))
        if len(looked) > 1 and item.truth is not None and item.truth != judged.predicted[i]:
            row |= _kept(looked[1].maps[i], "label_map")
        if looked[0].attended is not None:
            row["attended"] = _half(looked[0].attended[i])
        if looked[0].pooled is not None:
            row["pooled"] = _half(looked[0].pooled[i])
        found.append(row | _inside(item, looked[0].maps[i]))
    return found


def _aims(items: Sequence[Ready], scores: Scores, plan: Plan) -> list[list[Aim]]:
    """Of each picture the predicted class; where any has another label, then the labels as well."""
    predicted = [int(index) for index in scores.predicted]
    asked = [predicted]
    truths = [own if item.truth is None else item.truth for item, own in zip(items, predicted, strict=True)]
    if truths != predicted:
        asked.append(truths)
    settled = [[Toward(index).settle(scores, i)[0] for i, index in enumerate(row)] for row in asked]
    return [[plan.method.aimed(aim, scores, i, plan.options) for i, aim in enumerate(row)] for row in settled]


@dataclass(frozen=True, eq=False)
class _Looked:
    """Maps [batch, h, w] after ReLU, and the layer's channels [batch, channels] averaged under them and plainly."""

    maps: Any
    attended: Any
    pooled: Any


def _looked(row: Mapping[str, Evidence], beside: Sequence[str], plan: Plan) -> _Looked:
    chosen = row[plan.layer]
    ops, A = chosen.ops, chosen.activations
    given: Any = chosen if plan.method.beside is None else [chosen, *(row[name] for name in beside)]
    maps = ops.relu(plan.method.map(given, plan.options))
    kept = _reduced(ops.numpy(maps).astype(np.float32))
    if plan.layer == INPUT:
        return _Looked(kept, None, None)
    grid = (A.shape[1], A.shape[2])
    small = maps if tuple(maps.shape[1:]) == grid else ops.resize(maps, grid)
    total = ops.sum(small, axis=(1, 2), keepdims=True)
    even = 0 * small + 1 / (grid[0] * grid[1])
    shares = ops.where(total > 0, small / ops.where(total > 0, total, 1 + 0 * total), even)
    attended = ops.numpy(ops.einsum("nhw,nhwc->nc", shares, A))
    return _Looked(kept, attended, ops.numpy(ops.mean(A, axis=(1, 2))) if plan.pooled else None)


def _reduced(maps: Any) -> Any:
    """Maps [batch, h, w] of more than 64 cells a side, such as those of pixels, averaged down to that."""
    h, w = maps.shape[1:]
    if max(h, w) <= CELLS:
        return maps
    share = CELLS / max(h, w)
    shape = max(1, round(h * share)), max(1, round(w * share))
    return np.stack([upscale(map, shape, "bilinear") for map in maps])


def _said(scores: Scores, i: int, truth: int | None) -> dict[str, Any]:
    """Classes, probability, loss and scores."""
    if not scores.outputs:
        return {}
    index = int(scores.predicted[i])
    values = scores.of_classes[i]
    row: dict[str, Any] = {
        **{"predicted": scores.label(index), "predicted_index": index},
        **{"probability": float(scores.probabilities[i, index])},
    }
    if truth is not None:
        row |= {"correct": truth == index, "loss": _loss(scores, i, truth)}
    if scores.classes > ALL:
        kept = [int(k) for k in np.argsort(-values, kind="stable")[:TOP]]
        kept += [truth] if truth is not None and truth not in kept else []
        return row | {"scores": values[kept].astype(np.float32), "classes": np.array(kept, np.int32)}
    return row | {"scores": values.astype(np.float32)}


def _loss(scores: Scores, i: int, truth: int) -> float:
    """-log p of the true class, also where p would round to 0."""
    if scores.single or scores.several:
        return float(np.logaddexp(0, -scores.of_classes[i, truth]))
    values = scores.of_classes[i].astype(np.float64)
    return float(np.logaddexp.reduce(values) - values[truth])


def _kept(map: Any, name: str) -> dict[str, Any]:
    """The map as it is stored: over its maximum, in half precision."""
    highest = float(map.max())
    shares = map / highest if highest > 0 else map
    return {name: shares.ravel().astype(np.float16), f"{name}_scale": highest}


def _half(values: Any) -> Any:
    return np.clip(values, -_HALF, _HALF).astype(np.float16)


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _inside(item: Ready, map: Any) -> dict[str, Any]:
    """Shares inside the object, where it is known and the picture can be placed."""
    found: dict[str, Any] = {}
    if item.seen is None:
        return found
    if item.boxes:
        found["inside_box"] = _number(share_inside(map, boxes_on_cells(item.boxes, item.seen, map.shape)))
    if item.mask is not None:
        size = item.row["width"], item.row["height"]
        found["inside_mask"] = _number(share_inside(map, mask_on_cells(item.mask, size, item.seen, map.shape)))
    return found


def _read(source: Any, fast_decode: int | None) -> tuple[Image.Image, tuple[int, int], str]:
    """The picture, its full (width, height), and the hash of its bytes."""
    if isinstance(source, str | Path):
        data = contents(Path(source))
        picture, size = decode(data, f"the file {str(source)!r}", fast_decode)
        return picture, size, content_hash(data)
    picture = read(source)
    return picture, picture.size, content_hash(picture.tobytes())


def _of_image(image: Any, row: dict[str, Any], truth: int | None, plan: Plan) -> Ready:
    """An image already prepared: what is seen is all of it."""
    if not hasattr(image, "shape"):
        raise InputError(
            f"a picture of type {type(image).__name__}",
            "a path, PIL image, uint8 array, bytes of an image file, or a float array or tensor",
            "open it with PIL, or hand over its path",
        )
    shape = tuple(int(side) for side in image.shape)[-3:]
    height, width = shape[-2:] if plan.model.channels_first else shape[:2]
    row |= {
        "hash": content_hash(np.ascontiguousarray(as_numpy(image)).data.cast("B")),
        "width": width,
        "height": height,
    }
    return Ready(row, image, truth, None)


def _scaled(box: Box | None, decoded: tuple[int, int], size: tuple[int, int]) -> Box | None:
    """The box in pixels of the full picture."""
    if box is None or decoded == size:
        return box
    across, down = size[0] / decoded[0], size[1] / decoded[1]
    return (box[0] * across, box[1] * down, box[2] * across, box[3] * down)


def _mask(path: Path) -> Any:
    """bool [rows, columns]: where a mask is not zero, in enough detail for a map; None where it cannot be read."""
    try:
        mask = decode(contents(path), f"the mask {str(path)!r}")[0].convert("L")
    except InputError:
        return None
    sides = (min(mask.width, 4 * CELLS), min(mask.height, 4 * CELLS))
    return np.asarray(mask.resize(sides, Image.Resampling.NEAREST)) > 0
