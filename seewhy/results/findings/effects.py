"""What was measured of a finding: what covering and pasting did, and how many wrong answers share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seewhy.results.trials import Trial


@dataclass(frozen=True)
class Effect:
    """What happened when something was done to pictures, beside the same done to others as control.

    Args:
        test: 'paste', 'cover' or 'look' (pictures of other classes given the look of the finding's, without a place).
        region: what was pasted or covered: 'own' (what each picture's heat marks), 'heat' or 'pixels' (one region for
            the whole finding, by its mean heat, or by where its pixels differ from the rest of the class), or 'thing'
            (what sets it apart, found in each picture). Of 'look', what was given: 'colour', 'contrast', 'sharpness'
            or 'all'.
        control: what it is held against: 'rest' (the same with other pictures of the class), 'elsewhere' (a region of
            the same size in another place) or 'own class' (the look of another picture of the receiver's class).
        effect, control_effect: shares of receivers that turned to the class (paste, look), or by how much the class's
            probability fell (cover).
        pictures, control_pictures: how many were tried.
        interval: 95 %, of the difference.
        margin, control_margin: the same in units of the score's margin, means.
        trials, control_trials: the pictures one by one.
        fills: of a cover that was tried with several, each by name with its difference; the least one is told.
    """

    test: str
    region: str
    control: str
    effect: float
    control_effect: float
    pictures: int
    control_pictures: int
    interval: tuple[float, float]
    margin: float
    control_margin: float
    trials: tuple[Trial, ...] = field(default=(), repr=False)
    control_trials: tuple[Trial, ...] = field(default=(), repr=False)
    fills: tuple[tuple[str, float], ...] = ()

    @property
    def difference(self) -> float:
        return self.effect - self.control_effect

    def as_dict(self) -> dict[str, Any]:
        """As JSON holds it; its trials are in a Parquet file."""
        held = {name: value for name, value in vars(self).items() if name not in ("trials", "control_trials")}
        return {**held, "interval": list(self.interval)}


@dataclass(frozen=True)
class FalsePositives:
    """How many pictures that are wrongly called the finding's class show the finding.

    Args:
        pictures: looked at that are called the class and are not of it.
        sharing: of these, those that belong to the finding or score 0.5 or more.
        ids: of the sharing ones.
        right, right_sharing: the same for pictures that are of the class.
    """

    pictures: int
    sharing: int
    ids: tuple[int, ...]
    right: int
    right_sharing: int

    def words(self, label: str) -> str:
        """In one sentence.

        Args:
            label: of the class.
        """
        one = self.pictures == 1
        return (
            f"{label!r} was said of {self.pictures} {'picture that is' if one else 'pictures that are'} not; "
            f"{self.sharing} of them {'shows' if self.sharing == 1 else 'show'} it "
            f"(of those that are: {self.right_sharing} of {self.right})"
        )


@dataclass(frozen=True)
class Outside:
    """How much of the heat lies outside the object, where it is known where that is.

    Args:
        pictures: of the finding, whose object is known.
        share, rest: of the heat, in these and in the rest of the class, means.
    """

    pictures: int
    share: float
    rest: float
