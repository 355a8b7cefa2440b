"""Where the user says that the model should look: a mask for each picture, from a function, a folder or a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.images.reading import contents, decode
from seewhy.images.resizing import Box
from seewhy.results.arrays import Floats, Ints
from seewhy.results.drawn.originals import box_of, original
from seewhy.results.run import Run
from seewhy.results.tables import counted
from seewhy.studies.measuring import mask_on_cells, share_inside

Inside: TypeAlias = "Callable[[Image.Image], Any] | Mapping[str, Any] | str | Path"

_FINE = 256  # points of a mask's side, at most
_AT_ONCE = 512  # pictures
_ROW = ["path", "width", "height", "box", "map", "map_height", "map_width", "map_scale"]


def shares_inside(runs: Sequence[Run], ids: Ints, inside: Inside) -> tuple[Floats, list[str]]:
    """The share of each map inside what the user gave, and what to know about it.

    Args:
        ids: int [runs, n].
        inside: a function from the picture (PIL image) to its mask; a folder with a mask for each picture, of the same
            path and name; or a mask by path. A mask is bool or numbers [height, width] of the whole picture, above 0
            inside, in any resolution; in a table also a file, or a box: left, top, right, bottom in pixels.
    Returns:
        float [runs, n], NaN where there is no mask or no map; and notes.
    Raises:
        InputError: it is none of these, a mask cannot be used, or no picture has one.
    """
    if not (callable(inside) or isinstance(inside, str | Path | Mapping)):
        raise InputError(
            f"inside={type(inside).__name__}",
            "a function from a picture to its mask, a folder of masks, or a dictionary of masks by path",
            "write inside=lambda picture: np.asarray(picture).mean(axis=2) > 40",
        )
    files = files_of(inside)
    result = np.full(ids.shape, np.nan)
    missing, first = 0, ""
    for start in range(0, ids.shape[1], _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows = [run.rows(own[part].tolist(), _ROW).to_pylist() for run, own in zip(runs, ids, strict=True)]
        for k, each in enumerate(zip(*rows, strict=True)):
            mask = mask_of(runs[0], each[0], inside, files)
            if mask is None:
                missing, first = missing + 1, first or str(each[0]["path"])
                continue
            for number, row in enumerate(each):
                result[number, start + k] = _share(row, mask)
    if missing == ids.shape[1]:
        raise InputError(
            f"no mask that can be read for any picture, the first of which is {first!r}",
            "masks by the path of the picture below the data's folder",
            "check the folder or the names",
        )
    notes = [f"no mask that can be read for {counted(missing, 'shared picture')}, such as {first!r}"]
    return result, notes if missing else []


def files_of(inside: Inside | None, name: str = "inside") -> dict[str, Path]:
    """The masks of a folder by their path in it without the ending; none where the user gave something else.

    Args:
        inside: as the user gave it.
        name: of the option that it was given as.
    Raises:
        InputError: a folder that is not there.
    """
    if not isinstance(inside, str | Path):
        return {}
    folder = Path(inside)
    if not folder.is_dir():
        raise InputError(f"{name}={str(folder)!r}, which is no folder", "a folder of masks", "check the path")
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}


def mask_of(run: Run, row: dict[str, Any], inside: Inside, files: Mapping[str, Path]) -> Any:
    """bool [rows, columns] over the whole picture; None where there is none."""
    path = row["path"]
    if callable(inside):
        picture, _ = original(run, row)
        return None if picture is None else _checked(inside(picture), path)
    if path is None:
        return None
    if not isinstance(inside, Mapping):
        file = files.get(Path(path).with_suffix("").as_posix())
        return None if file is None else opened(file)
    given = inside.get(path)
    if given is None:
        return None
    if isinstance(given, str | Path):
        return opened(Path(given))
    if np.ndim(given) == 1 and np.size(given) == 4:
        return _box((given[0], given[1], given[2], given[3]), row)
    return _checked(given, path)


def opened(file: Path) -> Any:
    """The mask of a file; None where that cannot be read: one bad file must not end the work."""
    try:
        mask = decode(contents(file), f"the mask {str(file)!r}")[0].convert("L")
    except InputError:
        return None
    sides = min(mask.width, _FINE), min(mask.height, _FINE)
    return np.asarray(mask.resize(sides, Image.Resampling.NEAREST)) > 0


def _box(box: Box, row: dict[str, Any]) -> Any:
    left, top, right, bottom = box
    x = (np.arange(_FINE) + 0.5) / _FINE * row["width"]
    y = (np.arange(_FINE) + 0.5) / _FINE * row["height"]
    return np.outer((y >= top) & (y < bottom), (x >= left) & (x < right))


def _checked(mask: Any, path: str | None) -> Any:
    values = np.asarray(mask)
    if values.ndim != 2 or not values.size or values.dtype.kind not in "biuf":
        raise InputError(
            f"a mask of shape {list(values.shape)} for {path!r}",
            "bool or numbers [height, width] of the whole picture, above 0 inside",
            "give one value for each pixel, without channels",
        )
    return values > 0


def _share(row: dict[str, Any], mask: Any) -> float:
    shape = row["map_height"] or 0, row["map_width"] or 0
    if row["map"] is None or not row["map_scale"] or len(row["map"]) != shape[0] * shape[1]:
        return float("nan")
    size = row["width"], row["height"]
    seen = box_of(row) or (0.0, 0.0, float(size[0]), float(size[1]))
    cells = np.asarray(row["map"], np.float32).reshape(shape)
    return share_inside(cells, mask_on_cells(mask, size, seen, shape))
