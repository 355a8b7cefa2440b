"""What watching costs, beside the training that is watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from seewhy.results.tables import counted, percent


@dataclass(eq=False)
class Cost:
    """Seconds of looking and drawing, and of the training without them.

    Args:
        looks: seconds of each look, drawing included; what is drawn when the training is over does not count.
    """

    looks: list[float] = field(default_factory=list)
    _began: float = field(default_factory=time.perf_counter, repr=False)
    _ended: float | None = field(default=None, repr=False)
    _before: float = field(default=0.0, repr=False)

    def begin(self) -> None:
        """The training begins now; a look before it counts as one of its costs, the time until now does not."""
        if self._ended is not None:  # another one
            self.looks, self._ended = [], None
        self._began, self._before = time.perf_counter(), sum(self.looks)

    def end(self) -> None:
        self._ended = self._ended or time.perf_counter()

    @property
    def elapsed(self) -> float:
        return (self._ended or time.perf_counter()) - self._began

    @property
    def seconds(self) -> float:
        """Of all looks."""
        return sum(self.looks)

    @property
    def training(self) -> float:
        """Seconds of the training without looks."""
        return max(self.elapsed - (self.seconds - self._before), 0.0)

    @property
    def share(self) -> float:
        """Seconds of all looks over seconds of the training without them."""
        return self.seconds / self.training if self.training else float("inf") if self.looks else 0.0

    @property
    def usual(self) -> float:
        """Seconds of a look, the median; the first ones compile what later ones use again."""
        return median(self.looks) if self.looks else 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.looks.append(time.perf_counter() - began)

    def __str__(self) -> str:
        took = f"{counted(len(self.looks), 'look')} took {self.seconds:.1f} s"
        if self.training < self.seconds:  # hardly a training: a share would say nothing
            return took
        told = f"{percent(self.share)} of the training's {self.training:.1f} s"
        return f"{took}, {told} ({1000 * self.usual:.0f} ms usually)"
