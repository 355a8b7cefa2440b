"""Callbacks for the frameworks' own training loops, each in a file that imports its framework.

They only pass on when a step or an epoch is done; what is done then is the watcher's.
"""

from __future__ import annotations

import sys
from typing import Any, Protocol


class Watcher(Protocol):
    """Who is told how a training goes on."""

    @property
    def by_step(self) -> bool:
        """It wants to be told of each step."""

    @property
    def numbers(self) -> dict[str, float]:
        """What the last look gave, for the framework's own log."""

    def begin(self, epochs: int | None = None) -> None:
        """The training begins; of so many epochs, where that is known."""

    def due(self, step: int) -> bool:
        """Whether a look is to be taken after that step; to bring weights up to date for it may cost time."""

    def step(self, number: int | None = None) -> bool:
        """A step is done; true where training is to stop."""

    def epoch(self, number: int | None = None, *, step: int | None = None) -> bool:
        """An epoch is done; true where training is to stop."""

    def close(self) -> None: ...


def is_built(model: Any) -> bool:
    """Whether a wrapped model has all its weights; to make those that are missing would move the random state."""
    module, torch = getattr(model, "module", None), sys.modules.get("torch")
    if isinstance(parts := getattr(model, "parts", None), dict):  # of Keras
        return all(part.built for part in (module, *parts.values()))
    if torch is not None and isinstance(module, torch.nn.Module):
        return not any(torch.nn.parameter.is_lazy(parameter) for parameter in module.parameters())
    return True
