"""A picture's colour, contrast and sharpness as numbers, and how one picture is given those of another.

A picture is cut into blocks of 8 x 8 pixels, each turned into the amplitudes of its cosine waves. What has no place (a
tint, lost colours, darkness, blur, the traces of compression) shows in how these are spread over the whole picture;
what is to be seen in it, and where, hardly does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats

SORTS = ("colour", "contrast", "sharpness", "all")
_BLOCK = 8  # pixels
_LEAST = 0.3  # levels of 0..255; added to a spread, so that what is nearly flat is not blown up
_GAINS = {"contrast": (0.05, 3.0), "sharpness": (0.02, 3.0), "all": (0.02, 3.0)}


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of n pictures with c planes.

    Args:
        mean: [n, c], the mean of all blocks' constant amplitudes: 8 times the plane's mean.
        spread: [n, 8, 8, c], the standard deviation of each amplitude over the blocks, the same for a wave down and the
            one across.
        overall: [n, c], that of all amplitudes together.
    """

    mean: Floats
    spread: Floats
    overall: Floats

    def __getitem__(self, places: Any) -> Statistics:
        return Statistics(self.mean[places], self.spread[places], self.overall[places])


def waves(planes: Floats) -> Floats:
    """float32 [n, rows, columns, 8, 8, c]: each block's amplitudes, of planes [n, height, width, c].

    The last rows and columns are repeated where a side is no multiple of 8.
    """
    n, height, width, c = planes.shape
    down, across = -height % _BLOCK, -width % _BLOCK
    whole = np.pad(planes, ((0, 0), (0, down), (0, across), (0, 0)), mode="edge").astype(np.float32)
    blocks = whole.reshape(n, (height + down) // _BLOCK, _BLOCK, (width + across) // _BLOCK, _BLOCK, c)
    found = np.einsum("ui,naibsc,vs->nabuvc", _cosines(), blocks, _cosines(), optimize=True)
    return np.asarray(found, np.float32)


def planes(waves: Floats, shape: tuple[int, int]) -> Floats:
    """The way back: float32 [n, *shape, c]."""
    n, rows, columns, _, _, c = waves.shape
    blocks = np.einsum("ui,nabuvc,vs->naibsc", _cosines(), waves, _cosines(), optimize=True)
    whole = blocks.reshape(n, rows * _BLOCK, columns * _BLOCK, c)
    return np.asarray(whole[:, : shape[0], : shape[1]], np.float32)


def statistics(waves: Floats) -> Statistics:
    """Of amplitudes [n, rows, columns, 8, 8, c]."""
    square = waves.var(axis=(1, 2), dtype=np.float64)  # [n, 8, 8, c]
    spread = np.sqrt(
        (square + square.swapaxes(1, 2)) / 2
    )  # which way stripes run is to be seen in the picture, no look
    mean = waves[:, :, :, 0, 0].mean(axis=(1, 2), dtype=np.float64)
    centred = waves.astype(np.float64)
    centred[:, :, :, 0, 0] -= mean[:, None, None]
    return Statistics(mean, spread, np.sqrt((centred**2).mean(axis=(1, 2, 3, 4))))


def given(waves: Floats, own: Statistics, other: Statistics, sort: str) -> Floats:
    """Amplitudes changed to have another picture's statistics.

    Args:
        waves: [n, rows, columns, 8, 8, c].
        own: theirs.
        other: of n other pictures, one each.
        sort: 'colour' moves the mean; 'contrast' scales each plane to the other's spread; 'sharpness' scales each wave
            to the other's, then the plane back to its own contrast; 'all' moves the mean and scales each wave.
    """
    found = waves.copy()
    found[:, :, :, 0, 0] -= own.mean[:, None, None].astype(np.float32)
    if sort != "colour":
        found *= _gains(own, other, sort)[:, None, None].astype(np.float32)
    mean = other.mean if sort in ("colour", "all") else own.mean
    found[:, :, :, 0, 0] += mean[:, None, None].astype(np.float32)
    return found


def _gains(own: Statistics, other: Statistics, sort: str) -> Floats:
    """float [n, 8 or 1, 8 or 1, c]."""
    low, high = _GAINS[sort]
    if sort == "contrast":
        gains = np.clip((other.overall + _LEAST) / (own.overall + _LEAST), low, high)
        return np.asarray(gains[:, None, None])
    gains = np.clip((other.spread + _LEAST) / (own.spread + _LEAST), low, high)
    if sort == "sharpness":
        now = np.sqrt(((gains * own.spread) ** 2).mean(axis=(1, 2)))
        before = np.sqrt((own.spread**2).mean(axis=(1, 2)))
        gains = gains * np.divide(before, now, out=np.ones_like(now), where=now > 0)[:, None, None]
    return np.asarray(gains)


@lru_cache(maxsize=1)
def _cosines() -> Floats:
    """float32 [8, 8]: the orthonormal cosine waves (DCT-II), a row each."""
    k, x = np.arange(_BLOCK)[:, None], np.arange(_BLOCK)[None]
    rows = np.cos(np.pi * (2 * x + 1) * k / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)
