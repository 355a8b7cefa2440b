"""An alarm: the network begins to look where it should not, or no longer looks where it should."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from seewhy.errors import InputError
from seewhy.results.tables import percent


@dataclass(eq=False)
class Alarm:
    """Goes off when the mean share of the maps in the region is beyond a level for some looks in a row, once each time.

    Args:
        below, above: shares, 0 to 1; None: no such level.
        patience: how many looks in a row.
        stop: the training is to stop.
        region: in words.
    """

    below: float | None
    above: float | None
    patience: int
    stop: bool
    region: str
    stopped: bool = False
    _beyond: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        for name, level in (("below", self.below), ("above", self.above)):
            if level is not None and (isinstance(level, bool) or not isinstance(level, Real) or not 0 <= level <= 1):
                came = f"on_focus_{name}={level!r}"
                raise InputError(came, "a share of the map, 0 to 1", f"write on_focus_{name}=0.5")
        if self.set and not self.region:
            raise InputError("an alarm without a region", "region=, which the share is of", "as in region='top right'")
        if self.stop and not self.set:
            raise InputError("stop=True without an alarm", "on_focus_below= or on_focus_above=", "leave stop= out")
        if isinstance(self.patience, bool) or not isinstance(self.patience, int) or self.patience < 1:
            raise InputError(f"patience={self.patience!r}", "a whole number, at least 1", "leave it out for 1")

    @property
    def set(self) -> bool:
        return self.below is not None or self.above is not None

    def heard(self, focus: float | None, when: str, pictures: int, even: float | None) -> str | None:
        """What is to be said after a look, if anything.

        Args:
            focus: the mean share; None where no picture has a map, which neither raises nor ends an alarm.
            when: 'epoch 3'.
            pictures: how many have a map.
            even: the share that an even map would have.
        """
        if not self.set or focus is None:
            return None
        low, high = self.below is not None and focus < self.below, self.above is not None and focus > self.above
        self._beyond = self._beyond + 1 if low or high else 0
        if self._beyond != self.patience:
            return None
        self.stopped = self.stopped or self.stop
        level = f"below {percent(self.below, 0)}" if low else f"above {percent(self.above, 0)}"
        held = "" if self.patience == 1 else f" for {self.patience} looks in a row"
        by_chance = "" if even is None else f"; an even map would have {percent(even, 0)} there"
        ended = " The training stops." if self.stop else ""
        return (
            f"{when}: {percent(focus, 0)} of the heat lies in {self.region}, {level}{held} (mean of {pictures} pictures"
            f"{by_chance}).{ended}"
        )

    def about(self) -> dict[str, Any]:
        return {"below": self.below, "above": self.above, "patience": self.patience, "stop": self.stop}
