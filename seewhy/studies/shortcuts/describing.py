"""What a picture's attended part looks like, in numbers: colours in the region, round the peak, and in a grid."""

from __future__ import annotations

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.heat import Masks

GRID = 16  # cells of a side
_CROP = 5  # the crop round the peak: the image's side over this


def in_region(images: Floats, masks: Masks) -> Floats:
    """float [n, 2 channels]: mean and standard deviation of each channel inside a region."""
    inside = masks[..., None].astype(np.float64)
    count = np.maximum(inside.sum(axis=(1, 2)), 1)
    mean = (images * inside).sum(axis=(1, 2)) / count
    square = (images.astype(np.float64) ** 2 * inside).sum(axis=(1, 2)) / count
    return np.concatenate([mean, np.sqrt(np.maximum(square - mean**2, 0))], axis=1)


def round_peak(images: Floats, heat: Floats) -> Floats:
    """float [n, 2 channels]: the same in a square round the centre of the hottest cell, moved inside the image."""
    height, width = images.shape[1:3]
    high, wide = max(1, height // _CROP), max(1, width // _CROP)
    found = []
    for image, cells in zip(images, heat, strict=True):
        row, column = np.unravel_index(int(cells.argmax()), cells.shape)
        top = round((row + 0.5) / cells.shape[0] * height - high / 2)
        left = round((column + 0.5) / cells.shape[1] * width - wide / 2)
        top, left = min(max(top, 0), height - high), min(max(left, 0), width - wide)
        crop = image[top : top + high, left : left + wide].astype(np.float64)
        found.append(np.concatenate([crop.mean(axis=(0, 1)), crop.std(axis=(0, 1))]))
    return np.stack(found)


def grid(images: Floats) -> Floats:
    """float32 [n, GRID, GRID, 2 channels]: of each cell the mean less the image's own mean, and the deviation."""
    rows, columns = (np.linspace(0, side, GRID + 1).round().astype(int) for side in images.shape[1:3])
    sums, squares = (
        _summed(each, rows, columns) for each in (images.astype(np.float64), images.astype(np.float64) ** 2)
    )
    count = np.maximum(np.outer(np.diff(rows), np.diff(columns)), 1)[..., None]
    mean, square = sums / count, squares / count
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    own = images.mean(axis=(1, 2), dtype=np.float64)[:, None, None]
    return np.concatenate([mean - own, spread], axis=3).astype(np.float32)


def _summed(values: Floats, rows: Floats, columns: Floats) -> Floats:
    """Sums over the cells between the edges; in an image smaller than the grid cells share pixels."""
    first = np.add.reduceat(values, np.minimum(rows[:-1], values.shape[1] - 1), axis=1)
    return np.asarray(np.add.reduceat(first, np.minimum(columns[:-1], values.shape[2] - 1), axis=2))
