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

UNPLACED = (
    "Which part of the photograph the model saw could not be told (its preparation mirrors, turns, warps or draws by "
    "chance, or takes no colour as it is), so the picture shown is drawn from the model's input."
)


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
        """The picture is the one handed in; False where it was made from what the model ate."""
        return self._found is not None

    @property
    def notes(self) -> tuple[str, ...]:
        return (UNPLACED,) if self.pil is not None and not self.exact else ()

    @property
    def caption(self) -> str:
        return self.name if self.exact else f"{self.name}, drawn from the model's input"

    @cached_property
    def picture(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return np.asarray(self.pil) if self.exact else guess_picture(self.image, self.channels_first)

    @cached_property
    def box(self) -> Box:
        height, width = self.picture.shape[:2]
        return self._found or (0.0, 0.0, float(width), float(height))

    @cached_property
    def _found(self) -> Box | None:
        """Which part of the picture that was handed in the model saw, once asked for: finding it takes time."""
        return None if self.pil is None else box_of(self.prepare, self.pil.size)

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of what the model ate."""
        shape = tuple(int(side) for side in self.image.shape)
        return (shape[-2], shape[-1]) if self.channels_first else (shape[-3], shape[-2])
