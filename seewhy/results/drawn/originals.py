"""The pictures that rows are of, read again from where the audit found them; where that fails, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from seewhy.errors import InputError
from seewhy.images.reading import contents, decode
from seewhy.images.resizing import Box

if TYPE_CHECKING:
    from seewhy.results.run import Run

COLUMNS = ("path", "width", "height", "box")  # of a row, for `original` and `seen`
NO_FILE = "came without a file"


def original(run: Run, row: dict[str, Any], least: int | None = None) -> tuple[Image.Image | None, str]:
    """The picture of a row, upright, in RGB and without metadata; or None, and why in words that name no file.

    Args:
        row: with path, width and height.
        least: decode a JPEG smaller, as in `decode`; the picture is then not of the row's size.
    """
    if row["path"] is None or run.root is None:
        return None, NO_FILE
    path = run.root / row["path"]
    if not path.exists():
        return None, "not found"
    try:
        data = contents(path)
    except InputError:
        return None, "cannot be read"
    try:
        picture, size = decode(data, "", least)
    except InputError:
        return None, "damaged, or no picture"
    if row["width"] is not None and size != (row["width"], row["height"]):
        return None, "changed since the audit"
    return picture, ""


def told(trouble: str, row: dict[str, Any]) -> str:
    """Why there is no picture, with the file's path below the data's folder."""
    return trouble if trouble in ("", NO_FILE) else f"{trouble}: {row['path']}"


def seen(picture: Image.Image, row: dict[str, Any], size: tuple[int, int]) -> Image.Image:
    """What the model saw of a picture, at a size; all of it where that is not known.

    Args:
        picture: as `original` gives it, decoded smaller or not.
        row: with width, height and box.
        size: width and height of the result.
    """
    box = box_of(row)
    if box is None:
        return picture.resize(size, Image.Resampling.BILINEAR)
    across, down = picture.width / row["width"], picture.height / row["height"]
    left, top, right, bottom = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    if left < 0 or top < 0 or right > picture.width or bottom > picture.height:  # it was padded
        edges = (round(left), round(top), max(round(left) + 1, round(right)), max(round(top) + 1, round(bottom)))
        return picture.crop(edges).resize(size, Image.Resampling.BILINEAR)
    return picture.resize(size, Image.Resampling.BILINEAR, (left, top, right, bottom), 2.0)


def box_of(row: dict[str, Any]) -> Box | None:
    """The rectangle of the picture that the model saw, in its pixels; None where that is not known."""
    box = row["box"]
    return None if box is None or len(box) != 4 else (box[0], box[1], box[2], box[3])
