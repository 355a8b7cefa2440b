"""From what the model eats to light and colour in 0..255, and back: by what a preparation makes of plain pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from seewhy.images.resizing import Floats

# Light (Y) and two differences of colour (Cb, Cr), as JPEG has them (ITU-R BT.601, full range), of red, green and blue.
_LIGHT = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
_NEARLY = 0.02  # of the range: so far a preparation may be from a mixing and shifting of the three colours


@dataclass(frozen=True, eq=False)
class Colours:
    """How the channels of an image stand for colours.

    Args:
        mix: [3, channels]: an image's pixel is (red, green, blue) @ mix + shift; [channels, channels] and diagonal
            where the channels do not stand for these.
        shift: [channels].
        exact: whether the preparation told; else both are guessed from the lowest and highest values of images.
    """

    mix: Floats
    shift: Floats
    exact: bool

    @property
    def coloured(self) -> bool:
        """Whether planes are light and two differences of colour, and not the channels themselves."""
        return bool(self.mix.shape == (3, 3))

    def planes(self, images: Floats) -> Floats:
        """float32 [n, height, width, planes] of images: light and two differences of colour, or light alone."""
        pixels = self.pixels(images)
        return np.asarray(pixels @ _LIGHT.T if self.coloured else pixels, np.float32)

    def pixels(self, images: Floats) -> Floats:
        """float64 [..., colours], about 0..255: red, green and blue, or the channels themselves."""
        return np.asarray((images - self.shift) @ np.linalg.inv(self.mix))

    def images(self, planes: Floats) -> Floats:
        """The way back, cut off at 0 and 255: float32 [n, height, width, channels]."""
        pixels = planes @ np.linalg.inv(_LIGHT).T if self.coloured else planes
        return np.asarray(np.clip(pixels, 0, 255) @ self.mix + self.shift, np.float32)


def colours(prepared: Callable[[Any], Floats], images: Floats) -> Colours:
    """Found out by preparing pictures of one colour; where that fails, from the range of images.

    Args:
        prepared: from a PIL image to float [height, width, channels].
        images: some of the run's, [n, height, width, channels].
    """
    try:
        told = _told(prepared, images)
    except Exception:  # a user's own preparation, which may refuse plain pictures
        told = None
    if told is not None:
        return told
    low, high = (np.asarray(np.percentile(images, share, axis=(0, 1, 2)), np.float64) for share in (0.1, 99.9))
    reach = np.where(high > low, high - low, 1.0)
    return Colours(np.diag(reach / 255), low, False)


def _told(prepared: Callable[[Any], Floats], images: Floats) -> Colours | None:
    """By what becomes of pictures of one colour; None where these are not mixed and shifted alone."""
    size = (4 * images.shape[2], 4 * images.shape[1])

    def seen(*colour: int) -> Floats:
        image = prepared(Image.new("RGB", size, colour))
        return np.asarray(np.median(image.reshape(-1, image.shape[-1]), axis=0), np.float64)

    channels = images.shape[-1]
    if channels in (1, 3):
        black, white, other = seen(0, 0, 0), seen(255, 255, 255), seen(40, 120, 200)
        mix = np.stack([seen(255, 0, 0), seen(0, 255, 0), seen(0, 0, 255)]) - black
        off = np.abs([black + mix.sum(axis=0) - white, black + [40 / 255, 120 / 255, 200 / 255] @ mix - other]).max()
        reach = np.abs(white - black).min()
        if reach > 0 and off <= _NEARLY * reach:
            if channels == 1:
                return Colours(((white - black) / 255)[:, None], black, True)
            if np.linalg.cond(mix) < 1e3:
                return Colours(mix / 255, black, True)
    return None
