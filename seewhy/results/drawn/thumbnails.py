"""Pictures and maps of a run made small enough to travel in one file."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seewhy.images.resizing import Map, upscale
from seewhy.results.arrays import Floats, Ints
from seewhy.results.drawn.originals import COLUMNS, original, seen

if TYPE_CHECKING:
    from seewhy.results.run import Run

SIDE = 384  # pixels of a thumbnail's longer side
MEAN = 96  # of a mean picture
_CELLS = 32  # of a map's side
_AVERAGED = 48  # pictures in a mean picture


def photo(run: Run, row: dict[str, Any], side: int = SIDE) -> tuple[Image.Image | None, str]:
    """The whole picture at a longer side of at most `side`, without metadata; or None, and why."""
    picture, trouble = original(run, row, least=2 * side)
    return (None if picture is None else fitted(picture, side)), trouble


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """The picture, its longer side not above `side`."""
    return picture.resize(size(picture.size, side), Image.Resampling.LANCZOS) if max(picture.size) > side else picture


def size(whole: tuple[int, int], side: int) -> tuple[int, int]:
    """Width and height in proportion, the longer not above `side`."""
    share = min(1.0, side / max(whole))
    return max(1, round(whole[0] * share)), max(1, round(whole[1] * share))


def jpeg(picture: Image.Image, quality: int) -> str:
    """The picture as a data URL."""
    held = BytesIO()
    picture.save(held, "JPEG", quality=quality, optimize=True)
    return f"data:image/jpeg;base64,{b64encode(held.getvalue()).decode()}"


def map_of(row: dict[str, Any], which: str) -> dict[str, Any] | None:
    """A map of a row as bytes: value / 255 × scale; None where there is none.

    Args:
        which: 'map' or 'label_map'.
    """
    values, scale = row[which], row[f"{which}_scale"]
    height, width = row["map_height"], row["map_width"]
    if values is None or scale is None or not np.isfinite(scale) or len(values) != (height or 0) * (width or 0):
        return None
    return packed(np.asarray(values, np.float32).reshape(height, width), scale)


def packed(map: Map, scale: float) -> dict[str, Any]:
    """A map [height, width] of 0..1 as bytes."""
    cells: Map = np.nan_to_num(map, posinf=0, neginf=0)
    if max(cells.shape) > _CELLS:
        cells = upscale(cells, (min(cells.shape[0], _CELLS), min(cells.shape[1], _CELLS)), "bilinear")
    return {
        "height": int(cells.shape[0]),
        "width": int(cells.shape[1]),
        "values": base64(np.rint(255 * np.clip(cells, 0, 1)).astype(np.uint8)),
        "scale": float(f"{scale:.5g}"),
    }


def base64(values: Any) -> str:
    """The bytes of an array."""
    return b64encode(np.ascontiguousarray(values).tobytes()).decode()


def mean_picture(run: Run, ids: Ints, seed: int = 0, quality: int = 75) -> str | None:
    """What the model saw on average, as a data URL; None where no picture is there.

    Args:
        ids: of pictures; 48 of them drawn by chance where there are more.
    """
    kept = ids if len(ids) <= _AVERAGED else np.random.default_rng(seed).choice(ids, _AVERAGED, replace=False)
    total: Floats = np.zeros((MEAN, MEAN, 3))
    count = 0
    for row in run.rows(np.sort(kept).tolist(), COLUMNS).to_pylist():
        picture, _ = original(run, row, least=2 * MEAN)
        if picture is not None:
            total += np.asarray(seen(picture, row, (MEAN, MEAN)), np.float64)
            count += 1
    return jpeg(Image.fromarray(np.rint(total / count).astype(np.uint8)), quality) if count else None
