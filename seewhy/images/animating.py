"""Pictures one after the other, in one file that moves."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError
from seewhy.images.lettering import INK, PAPER
from seewhy.images.reading import Pixels
from seewhy.images.resizing import Floats

KINDS = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG", ".apng": "PNG"}
_SAMPLE = 200_000  # pixels out of all frames from which the colours of a GIF are chosen
_GRAIN = 10  # levels of brightness between the darkest and the lightest grain: least error of those tried, 0 to 28


def kind_of(path: str | Path) -> str:
    """The format that the ending of a file's name stands for.

    Raises:
        InputError: none that moves.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise InputError(
            f"an animation as {Path(path).name!r}", f"a name that ends in {', '.join(KINDS)}", "write layers.gif"
        )
    return KINDS[suffix]


def animation(frames: Sequence[Image.Image], kind: str, seconds: float = 0.8, sample: int = _SAMPLE) -> bytes:
    """The frames as an animation that goes on and on.

    A GIF has 256 colours: they are chosen once, from all frames, and the grain that stands in for those between lies
    still, so that what does not change does not flicker. WebP and APNG have all colours.

    Args:
        frames: PIL images; where sizes differ, white is added on the right and below.
        kind: 'GIF', 'WEBP' or 'PNG'.
        seconds: how long each frame is shown.
        sample: pixels, of all frames together, from which the colours of a GIF are chosen; fewer are quicker.
    Returns:
        The bytes of the file.
    Raises:
        InputError: no frames, or a time that cannot be shown.
    """
    if not frames:
        raise InputError("no frames to show", "one or more", "check what was filtered out before")
    if not 0.02 <= seconds <= 600:  # viewers show shorter ones at a speed of their own
        raise InputError(f"seconds={seconds}", "0.02 to 600 for each frame", "leave it out for 0.8")
    frames = _of_one_size(frames)
    options: dict[str, Any] = {"save_all": True, "duration": round(1000 * seconds), "loop": 0}
    if kind == "GIF":
        frames = _in_256_colours(frames, sample)
        options |= {"disposal": 1, "optimize": False}
    elif kind == "WEBP":
        options |= {"quality": 88, "method": 4}
    buffer = BytesIO()
    frames[0].save(buffer, kind, append_images=frames[1:], **options)
    return buffer.getvalue()


def _of_one_size(frames: Sequence[Image.Image]) -> list[Image.Image]:
    size = max(each.width for each in frames), max(each.height for each in frames)
    sheets = [Image.new("RGB", size, PAPER) for _ in frames]
    for sheet, frame in zip(sheets, frames, strict=True):
        sheet.paste(frame, (0, 0))
    return sheets


def _in_256_colours(frames: Sequence[Image.Image], pixels: int) -> list[Image.Image]:
    """The frames in colours that all of them share; one is kept free for Pillow, to leave out what did not change."""
    step = max(1, int(np.ceil(np.sqrt(sum(each.width * each.height for each in frames) / pixels))))
    sample = np.concatenate([np.asarray(each)[::step, ::step].reshape(-1, 3) for each in frames])
    palette = Image.fromarray(sample[None]).quantize(253, Image.Quantize.MAXCOVERAGE, kmeans=2)
    palette.putpalette([*(palette.getpalette() or [])[: 3 * 253], *PAPER, *INK])
    grain = _grain(frames[0].height, frames[0].width)
    return [_grained(np.asarray(each), grain).quantize(palette=palette, dither=Image.Dither.NONE) for each in frames]


def _grained(pixels: Pixels, grain: Floats) -> Image.Image:
    clean = (pixels == PAPER).all(axis=2) | (pixels == INK).all(axis=2)
    moved = np.where(clean[..., None], pixels, np.clip(pixels + grain, 0, 255))
    return Image.fromarray(np.rint(moved).astype(np.uint8))


def _grain(height: int, width: int) -> Floats:
    """Interleaved gradient noise (Jimenez 2014): without the weave of a dither matrix, the same for each frame.

    Returns:
        float [height, width, 3] around 0; shifted for each channel, so that colours between two others are met, too.
    """
    y, x = np.ogrid[:height, :width]
    shifted = x[..., None] + np.array([0, 17, 41])  # [1, width, 3]
    return np.asarray(
        _GRAIN * (np.modf(52.9829189 * np.modf(0.06711056 * shifted + 0.00583715 * y[..., None])[0])[0] - 0.5)
    )
