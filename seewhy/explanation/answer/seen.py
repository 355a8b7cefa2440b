"""What was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from seewhy.images.preparing import guess_picture
from seewhy.images.probing import box_of
from seewhy.images.resizing import Box


@dataclass(frozen=True, eq=False)
class Seen:
    """What was looked at: the picture as a person sees it, and what the model ate of it."""

    name: str
    image: Any
    pil: Image.Image | None
    prepare: Any
    channels_first: bool

    @property
    def exact(self) -> bool:
        """The picture is the one handed in; False where it was made from an image of floats."""
        return self.pil is not None

    @property
    def caption(self) -> str:
        return self.name if self.exact else f"{self.name}, drawn from the model's input"

    @cached_property
    def picture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if self.pil is not None:
            return np.asarray(self.pil)
        return guess_picture(self.image, self.channels_first)

    @cached_property
    def box(self) -> Box:
        height, width = self.picture.shape[:2]
        found = box_of(self.prepare, (width, height)) if self.exact else None
        return found if found is not None else (0.0, 0.0, float(width), float(height))

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of what the model ate."""
        shape = tuple(int(side) for side in self.image.shape)
        return (shape[-2], shape[-1]) if self.channels_first else (shape[-3], shape[-2])
