"""What stands where an explanation could not be given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seewhy.errors import InputError, SeeWhyError


class _NoAnswerError(InputError, AttributeError):
    """What is asked of a failed answer; an AttributeError too, so that hasattr and copying work."""


@dataclass(frozen=True, eq=False)
class Failed:
    """A picture that could not be explained, in the place of its explanation; it is false where those are true.

    Args:
        name: of the picture; where methods are compared, of the method that refused.
        error: what is wrong with it.
    """

    name: str
    error: SeeWhyError

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "error":
            raise AttributeError(name)
        raise _NoAnswerError(*self.error.args) from self.error
