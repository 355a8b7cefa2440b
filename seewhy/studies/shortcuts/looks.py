"""What the pictures of a finding without a place have in common, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect
from seewhy.studies.shortcuts.statistics import Statistics

_CLEAR = 1.0  # standard deviations that two groups must lie apart
_DIRECTIONS = ("blue", "violet", "red", "orange", "yellow", "green", "cyan", "cyan")  # of (Cb, Cr), each 45 degrees
_FINE = np.add.outer(np.arange(8), np.arange(8)) >= 9  # of the 8 x 8 waves


@dataclass(frozen=True)
class Look:
    """A common look.

    Args:
        sort: 'colour', 'contrast', 'sharpness' or 'all', what is to be given to another picture so that it shows it.
        words: such as 'a colour cast towards orange'.
        remedy: what to train with.
    """

    sort: str
    words: str
    remedy: str


def look(members: Statistics, rest: Statistics, sort: str, coloured: bool) -> Look:
    """How members differ from the rest of their class.

    Args:
        members, rest: of planes of light and two differences of colour, or of others.
        sort: by what they were told apart: 'colour', 'sharpness' or 'all'.
        coloured: whether the planes are light and colour.
    """
    light = _apart(members.mean[:, 0], rest.mean[:, 0])
    contrast = _apart(np.log(members.overall[:, 0] + 1), np.log(rest.overall[:, 0] + 1))
    fine = _apart(_fineness(members), _fineness(rest))
    if sort != "sharpness" and coloured:
        blue, red = (_apart(members.mean[:, i], rest.mean[:, i]) for i in (1, 2))
        rich = _apart(_richness(members), _richness(rest))
        if sort == "all" and -rich > max(_CLEAR, 2 * abs(light)):
            return Look("all", "little colour, as grey pictures", _train("some pictures made grey"))
        if np.hypot(blue, red) > max(_CLEAR, abs(light)):
            shift = (members.mean.mean(axis=0) - rest.mean.mean(axis=0))[1:]
            turn = round(float(np.degrees(np.arctan2(shift[1], shift[0]))) / 45) % 8
            return Look("colour", f"a colour cast towards {_DIRECTIONS[turn]}", _train("changed colours"))
    if sort != "sharpness" and abs(light) > _CLEAR:
        return Look("colour", "darkness" if light < 0 else "brightness", _train("changed brightness"))
    if sort == "sharpness" or abs(fine) > max(_CLEAR, abs(contrast)):
        words = "blur or compression" if fine < 0 else "sharpness or grain"
        return Look("sharpness", words, _train("blur and compression"))
    if abs(contrast) > _CLEAR:
        return Look("contrast", "low contrast" if contrast < 0 else "high contrast", _train("changed contrast"))
    return Look("all", "a look of colour, contrast and sharpness", _train("changed colour, contrast and sharpness"))


def _train(with_: str) -> str:
    return f"train with {with_}, at random in all classes"


def found(label: str, members: int, looked: int, words: str, wrong: int, wide: bool) -> str:
    """What was found."""
    text = f"{members} of {looked} pictures called {label!r} share {words}, over the whole picture"
    if wide:
        text += ", so that it may be what the class is"
    return text + (f"; {wrong} of them {'is' if wrong == 1 else 'are'} not {label!r}" if wrong else "")


def proven(label: str, effects: Sequence[Effect]) -> str:
    """What giving pictures of other classes that look did."""
    whole = {each.control: each for each in effects if each.region == "all"}
    own = whole["own class"]
    first = whole.get("rest", own)  # there is no rest where the whole class has the look
    parts = [
        f"{each.region} alone {_counted(each.effect, each.pictures)}"
        for each in effects
        if each.control == "own class" and each.region != "all"
    ]
    controls = [f"of their own class: {_counted(own.control_effect, own.control_pictures)}"]
    if first is not own:
        controls.insert(0, f"of other {label!r} pictures: {_counted(first.control_effect, first.control_pictures)}")
    return (
        f"given the colour, contrast and sharpness of these and nothing of what they show, "
        f"{_counted(own.effect, own.pictures)} of {own.pictures} pictures of other classes turn {label!r} "
        f"({', '.join(parts)}; given those {'; '.join(controls)}; difference 95 %: "
        f"{100 * first.interval[0]:.0f} to {100 * first.interval[1]:.0f} points)"
    )


def _counted(share: float, of: int) -> int:
    return round(share * of)


def _apart(one: Floats, other: Floats) -> float:
    """By how many of their standard deviations two samples lie apart; of medians and quartiles, as some stand out."""
    low, middle, high = np.stack([np.quantile(each, (0.25, 0.5, 0.75)) for each in (one, other)], axis=1)
    spread = float((high - low).mean()) / 1.349  # the quartiles of a Gaussian of deviation 1
    return float(middle[0] - middle[1]) / spread if spread > 0 else 0.0


def _fineness(found: Statistics) -> Floats:
    """float [n]: how strong the finest waves of light are, as a logarithm."""
    return np.asarray(np.log(np.sqrt((found.spread[:, _FINE, 0] ** 2).mean(axis=1)) + 0.1))


def _richness(found: Statistics) -> Floats:
    """float [n]: how far colours are from grey, as a logarithm."""
    levels = (found.mean[:, 1:] / 8) ** 2 + found.overall[:, 1:] ** 2
    return np.asarray(np.log(np.sqrt(levels.sum(axis=1)) + 1))
