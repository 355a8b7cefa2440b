"""Pictures beside and under each other, with words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from seewhy.errors import InputError, did_you_mean
from seewhy.images.drawing import colored, pixels_of
from seewhy.images.lettering import INK, PAPER, font, printable, wrapped

SIGNED = b"Software\0seewhy"  # near the start of the PNG files that are written here
WIDEST, NOTEBOOK = 1600, 960  # pixels of a panel: in a file, in a notebook
_TILE = 224  # pixels of a picture's side in a panel, at least
WRITTEN = (".png", ".jpg", ".webp", ".pdf")


def panel(
    tiles: Sequence[Any],
    columns: int | None = None,
    captions: Sequence[str] | None = None,
    title: str | None = None,
    tile: int = _TILE,
) -> Image.Image:
    """Several pictures in a strip or a grid on white, each with a caption under it.

    Args:
        tiles: PIL images or uint8 arrays [height, width, 3]. Each is fitted into a square, its shape kept.
        columns: pictures in a row; None: up to five in one row, else about as many columns as rows.
        captions: one for each picture; long ones are wrapped to four lines and then cut with an ellipsis.
        title: a line or two above all.
        tile: side of the square, in pixels.
    Returns:
        PIL image of mode RGB.
    Raises:
        InputError: no pictures, another number of captions, a number of columns or a tile below 1.
    """
    if not len(tiles):
        raise InputError("no pictures to draw", "one or more", "check what was filtered out before")
    if captions is not None and len(captions) != len(tiles):
        raise InputError(f"{len(captions)} captions for {len(tiles)} pictures", "one each", "use '' for none")
    if tile < 1 or (columns is not None and columns < 1):
        raise InputError(f"columns={columns}, tile={tile}", "1 or more", "leave them out for the default")
    across = _across(len(tiles), columns)
    pictures = [_fitted(each, tile) for each in tiles]
    size = int(np.clip(tile // 16, 11, 18))
    words = [printable(text) for text in captions or [""] * len(tiles)]
    plain = all(text.isascii() for text in (*words, title or ""))
    letters, large, gap = font(size, plain), font(int(size * 1.3), plain), max(6, tile // 20)
    texts = [wrapped(text, letters, tile, 4) for text in words]
    rows = [range(start, min(start + across, len(tiles))) for start in range(0, len(tiles), across)]
    line = int(size * 1.35)
    heights = [max(pictures[i].height for i in row) for row in rows]
    below = [max(len(texts[i]) for i in row) * line + (gap // 2 if any(texts[i] for i in row) else 0) for row in rows]
    width = across * (tile + gap) + gap
    heading = wrapped(printable(title or ""), large, width - 2 * gap, 2)
    top = gap + (len(heading) * int(line * 1.3) + gap // 2 if heading else 0)
    sheet = Image.new("RGB", (width, top + sum(heights) + sum(below) + gap * len(rows)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, text in enumerate(heading):
        pen.text((gap, gap + number * int(line * 1.3)), text, INK, large)
    for row, height, under in zip(rows, heights, below, strict=True):
        for place_in_row, i in enumerate(row):
            left = gap + place_in_row * (tile + gap)
            sheet.paste(pictures[i], (left + (tile - pictures[i].width) // 2, top + height - pictures[i].height))
            for number, text in enumerate(texts[i]):
                pen.text((left + tile / 2, top + height + gap // 2 + number * line), text, INK, letters, anchor="ma")
        top += height + under + gap
    return sheet


def tile_for(tiles: Sequence[Any], columns: int | None, width: int) -> int:
    """The side of the squares in a panel of at most that width that shows pictures as large as they are.

    Small ones are enlarged to 224 pixels, and many beside each other are no smaller, also where it becomes too wide.
    """
    across = _across(len(tiles), columns)
    largest: int = max(max(pixels_of(each).shape[:2]) for each in tiles)
    return max(_TILE, min(largest, int(width / (1.05 * across + 0.05))))


def stack(sheets: Sequence[Image.Image]) -> Image.Image:
    """Sheets under each other, on white.

    Raises:
        InputError: no sheets.
    """
    if not sheets:
        raise InputError("no sheets to put under each other", "one or more", "check what was filtered out before")
    result = Image.new("RGB", (max(each.width for each in sheets), sum(each.height for each in sheets)), PAPER)
    top = 0
    for each in sheets:
        result.paste(each, (0, top))
        top += each.height
    return result


def scale_bar(colormap: str, signed: bool, marks: Sequence[str], width: int, words: str = "") -> Image.Image:
    """The colours in order, on white, with words at both ends and in the middle.

    Args:
        colormap, signed: as in `seewhy.images.drawing.color_table`.
        marks: under the first colour, the middle and the last.
        width: of the image, in pixels.
        words: a line above.
    """
    size, gap = int(np.clip(width // 34, 11, 14)), max(6, min(width // 44, 11))
    high, line, across = size, int(size * 1.4), max(1, min(width - 2 * gap, 500))
    values = np.linspace(-1 if signed else 0, 1, across, dtype=np.float32)[None].repeat(high, axis=0)
    letters = font(size, all(text.isascii() for text in (*marks, words)))
    about = wrapped(printable(words), letters, width - 2 * gap, 2)
    top = len(about) * line
    sheet = Image.new("RGB", (width, top + high + line + gap), PAPER)
    sheet.paste(Image.fromarray(colored(values, colormap, signed)), (gap, top))
    pen = ImageDraw.Draw(sheet)
    for number, text in enumerate(about):
        pen.text((gap, number * line), text, INK, letters)
    for text, where, anchor in zip(marks, (gap, gap + across / 2, gap + across), ("la", "ma", "ra"), strict=True):
        pen.text((where, top + high + line // 6), printable(text), INK, letters, anchor=anchor)
    return sheet


def save(image: Image.Image, path: str | Path) -> None:
    """Writes a panel in the format that the path's ending names; PNG files are signed.

    Raises:
        InputError: the path has no such ending, or cannot be written.
    """
    known = Image.registered_extensions()
    kind = known.get(Path(path).suffix.lower())
    if kind not in Image.SAVE:
        came = f"the path {str(path)!r}, which ends in no format"
        near = did_you_mean(Path(path).suffix, WRITTEN, f"write {Path(path).stem or 'why'}.png")
        raise InputError(came, f"a file that ends in {', '.join(WRITTEN)} ...", near)
    with writing(path):
        image.save(path, kind, **({"pnginfo": signature()} if kind == "PNG" else {}))


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """What goes wrong while a file is written, in words.

    Raises:
        InputError: its folder is not there, or it cannot be written.
    """
    try:
        yield
    except FileNotFoundError as error:
        came = f"no folder {str(Path(path).parent)!r} to write {Path(path).name} in"
        raise InputError(came, "a folder that is there", "make it first, or check the path") from error
    except OSError as error:
        came = f"{str(path)!r} cannot be written: {error.strerror or error}"
        raise InputError(came, "a file that may be written, on a disk with room", "name another path") from error


def png(image: Image.Image) -> bytes:
    """The image as the bytes of a PNG file, signed, without other metadata."""
    buffer = BytesIO()
    image.save(buffer, "PNG", pnginfo=signature())
    return buffer.getvalue()


def _across(count: int, columns: int | None) -> int:
    return min(count, columns or (count if count <= 5 else math.ceil(math.sqrt(count))))


def signature() -> PngInfo:
    """What tells a written panel from a photograph, so that no folder's scan explains it."""
    info = PngInfo()
    info.add_text("Software", "seewhy")
    return info


def _fitted(picture: Any, side: int) -> Image.Image:
    image = Image.fromarray(pixels_of(picture))
    share = side / max(image.size)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
