"""Variants of images that should be explained alike: with noise, mirrored, in other sizes; their maps turned back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.evidence import Array
from seewhy.images.reading import as_numpy
from seewhy.images.resizing import upscale
from seewhy.targets import Floats

VIEWS = {"flip": ("mirrored",), "scale": ("0.8", "1.25")}
NOISE = 0.15  # standard deviation as share of an image's range: SmoothGrad's figure 3 finds 10 to 20 %


@dataclass(frozen=True)
class Variants:
    """Which variants of each image are explained.

    Args:
        smooth: how many noisy copies of each view; 0 for the view itself.
        augment: names of VIEWS.
        seed: of the noise.
    """

    smooth: int
    augment: tuple[str, ...]
    seed: int = 0

    @property
    def views(self) -> list[str]:
        return ["itself", *(view for name in self.augment for view in VIEWS[name])]

    @property
    def words(self) -> str:
        """What the maps are averaged over, in short."""
        return ", ".join([*([f"{self.smooth} noisy copies"] if self.smooth else []), *self.augment])

    @property
    def note(self) -> str:
        """What the reader of a mean map should know."""
        noisy = f"{self.smooth} noisy copies (deviation {NOISE:.0%} of the image's range) of " if self.smooth else ""
        return f"The map is the mean over {noisy}the image {', '.join(self.views)}; the score is of the image itself."

    def of(self, images: Array, channels_first: bool) -> list[tuple[Floats, str]]:
        """(images, view) for every variant of a batch, in the model's layout."""
        own = np.stack([as_numpy(image) for image in images]).astype(np.float32)
        random = np.random.default_rng(self.seed)
        found = []
        for view in self.views:
            seen = _viewed(own, view, channels_first)
            for _ in range(self.smooth or 1):
                found.append((_noisy(seen, random) if self.smooth else seen, view))
        return found


def checked_variants(smooth: int, augment: str | Sequence[str]) -> Variants | None:
    """The variants asked for, None where there are none.

    Raises:
        InputError: `smooth` is no number of copies, or `augment` holds no names.
        UnknownNameError: `augment` names no view.
    """
    if not isinstance(smooth, int) or isinstance(smooth, bool) or smooth < 0:
        raise InputError(f"smooth={smooth!r}", "a number of noisy copies, such as 16", "leave it out for none")
    if not isinstance(augment, str | list | tuple):
        raise InputError(f"augment={augment!r}", "'flip', 'scale' or both in a list", "write augment='flip'")
    names = (augment,) if isinstance(augment, str) else tuple(augment)
    for name in names:
        if name not in VIEWS:
            raise UnknownNameError(
                f"augment={augment!r}",
                "'flip', 'scale' or both in a list",
                did_you_mean(str(name), VIEWS, "leave it out"),
            )
    return Variants(smooth, tuple(dict.fromkeys(names))) if smooth or names else None


def as_before(maps: Floats, view: str, shape: tuple[int, ...]) -> Floats:
    """Maps [batch, h, w] of a view, as they lie on the image itself, in its maps' resolution."""
    turned = maps[:, :, ::-1] if view == "mirrored" else maps
    if turned.shape[1:] == shape:
        return turned
    return np.stack([upscale(one, (shape[0], shape[1]), "bilinear") for one in turned])


def _viewed(images: Floats, view: str, channels_first: bool) -> Floats:
    """float32 [batch, ...] of a view; another size is resampled, bilinear."""
    if view == "itself":
        return images
    if view == "mirrored":
        return images[..., ::-1] if channels_first else images[:, :, ::-1]
    rows, columns = images.shape[2:] if channels_first else images.shape[1:3]
    shape = max(1, round(rows * float(view))), max(1, round(columns * float(view)))
    channels = images if channels_first else np.moveaxis(images, -1, 1)
    found = np.stack([[upscale(channel, shape, "bilinear") for channel in image] for image in channels])
    return found if channels_first else np.moveaxis(found, 1, -1)


def _noisy(images: Any, random: np.random.Generator) -> Floats:
    span = np.ptp(images.reshape(len(images), -1), axis=1).reshape(-1, *[1] * (images.ndim - 1))
    found: Floats = (images + NOISE * span * random.standard_normal(images.shape)).astype(np.float32)
    return found
