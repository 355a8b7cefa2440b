"""What stands where an explanation could not be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seewhy.errors import SeeWhyError


@dataclass(frozen=True, eq=False)
class Failed:
    """A picture that could not be explained, in the place of its explanation; it is false where those are true.

    Args:
        name: of the picture.
        error: what is wrong with it.
    """

    name: str
    error: SeeWhyError

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self.error
