"""What tells pictures apart, and what tells that two are nearly the same."""

from __future__ import annotations

import hashlib

import numpy as np
from PIL import Image


def content_hash(data: bytes | memoryview) -> str:
    """32 hexadecimal digits: the same for the same bytes (BLAKE2b of 128 bits)."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def perceptual_hash(picture: Image.Image) -> int:
    """64 bits that differ in few places between a picture and its resized or recompressed copies.

    Each bit tells whether brightness falls from one cell to the next on its right, on a grid of 8 rows and 9 columns
    ('difference hash'). Pictures of one colour have 0.

    Args:
        picture: PIL image of mode RGB.
    """
    small = picture.resize((9, 8), Image.Resampling.BOX, reducing_gap=2).convert("L")
    cells = np.asarray(small, np.int16)  # [8, 9]
    return int.from_bytes(np.packbits(cells[:, :-1] > cells[:, 1:]).tobytes(), "big")
