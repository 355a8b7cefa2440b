"""What seewhy says when it cannot answer: what came, what was expected, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SeeWhyError(Exception):
    """The root of all errors that seewhy raises on purpose.

    SeeWhyError
    ├── InputError (ValueError)               what was handed in cannot be used
    │   └── UnknownNameError (LookupError)    no label, layer, method, colour map ... of that name
    ├── EvidenceError (RuntimeError)          the model ran, but what it gave cannot be explained
    └── MissingExtraError (ImportError)       an optional package is needed and not installed

    Args:
        came: what was found.
        expected: what would have been right.
        remedy: what the reader can write or do instead.
    """

    def __init__(self, came: str, expected: str, remedy: str) -> None:
        super().__init__(came, expected, remedy)  # positional, so that it survives pickling between workers

    @property
    def came(self) -> str:
        return str(self.args[0])

    @property
    def expected(self) -> str:
        return str(self.args[1])

    @property
    def remedy(self) -> str:
        return str(self.args[2])

    def __str__(self) -> str:
        return f"{self.came}\n  expected: {self.expected}\n  to do: {self.remedy}"


class InputError(SeeWhyError, ValueError):
    """What was handed in (a picture, an image, a target, an option) cannot be used."""


class UnknownNameError(InputError, LookupError):
    """No label, layer, method, colour map or option has the name that was asked for."""


class EvidenceError(SeeWhyError, RuntimeError):
    """The model ran, but what it gave cannot be explained: no scores, NaN, no gradient on the way."""


class MissingExtraError(SeeWhyError, ImportError):
    """A package of an optional extra is needed and is not installed."""


def is_out_of_memory(error: BaseException) -> bool:
    """The device's memory, or the computer's, did not hold what was asked of it; of any framework."""
    kind, said = type(error).__name__, str(error).lower()
    if kind in ("OutOfMemoryError", "ResourceExhaustedError", "MemoryError"):
        return True
    return isinstance(error, RuntimeError) and any(
        words in said for words in ("resource_exhausted", "out of memory", "can't allocate memory", "not enough memory")
    )


class SeeWhyWarning(UserWarning):
    """Something is probably not what the user meant; the answer is given all the same."""


def closest(name: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names nearest to `name`, best first, compared without regard to case; empty where none is near."""
    spelled: dict[str, str] = {}
    for candidate in names:
        spelled.setdefault(candidate.lower(), candidate)
    inside = [key for key in spelled if name and name.lower() in key]
    near = difflib.get_close_matches(name.lower(), spelled, n=most, cutoff=0.5)
    return [spelled[key] for key in dict.fromkeys(near + sorted(inside, key=len))][:most]


def did_you_mean(name: str, names: Iterable[str], otherwise: str) -> str:
    """'did you mean 'a' or 'b'?', or `otherwise` where no name is near."""
    near = closest(name, names)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else otherwise
