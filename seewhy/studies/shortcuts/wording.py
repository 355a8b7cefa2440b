"""What a finding says: where it is, what was found, how it was proven, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seewhy.images.resizing import Floats
from seewhy.results.findings import FIXED, STATES, VARYING, Effect
from seewhy.results.tables import counted

_CLEAR = 0.1  # the lower end of an interval, from which on an effect counts as proven
_ROAMS = 0.2  # deviation of the peaks' places, in sides


def place(pixels: Floats, heat: Floats, peaks: Floats) -> str:
    """Where a finding lies, in words.

    Args:
        pixels: [h, w], V.
        heat: [h, w], where it has more heat than the rest of the class.
        peaks: [n, 2], row and column of each picture's hottest place, 0..1.
    """
    if float(pixels.max()) >= FIXED:
        return _lies(pixels >= 0.5 * pixels.max())
    if float(np.sqrt(peaks.var(axis=0).sum())) > _ROAMS:
        return VARYING
    return _lies(heat >= 0.5 * heat.max())


def _lies(inside: Floats) -> str:
    """Of a grid of truth values."""
    h, w = inside.shape
    rows, columns = (np.arange(h) + 0.5) / h, (np.arange(w) + 0.5) / w
    thirds = [
        [float(inside[np.ix_(r, c)].mean()) for c in _thirds(columns)] for r in _thirds(rows)
    ]  # [3, 3], how much of each ninth
    ninths = np.array(thirds)
    edges = {"top": ninths[0], "bottom": ninths[2], "left": ninths[:, 0], "right": ninths[:, 2]}
    ring = inside.copy()
    ring[2:-2, 2:-2] = False
    reached = [bool(each.any(axis=axis).mean() > 0.6) for each, axis in _sides(inside)]
    if sum(reached) >= 3 and ring.sum() > 0.55 * inside.sum():
        return "at the border"
    corners = [float(ninths[r, c]) for r in (0, 2) for c in (0, 2)]
    middle = float(ninths[1].sum() + ninths[:, 1].sum() - ninths[1, 1])
    if sum(each > 0 for each in corners) >= 3 and sum(corners) > 2 * middle:
        return "in the corners"
    if float(inside.mean()) > 0.4 or (ninths > 0.15).sum() >= 7:
        return "all over the picture"
    for name, line in edges.items():
        if (line > 0.05).sum() == 3 and line.sum() > 0.6 * ninths.sum():
            return f"along the {name}"
    y, x = float((inside.sum(axis=1) @ rows) / inside.sum()), float((inside.sum(axis=0) @ columns) / inside.sum())
    down = "top" if y < 1 / 3 else "bottom" if y > 2 / 3 else ""
    across = "left" if x < 1 / 3 else "right" if x > 2 / 3 else ""
    if down and across:
        return f"in the {down} {across}"
    return f"at the {down or across}" if down or across else "in the middle"


def _thirds(centres: Floats) -> list[Any]:
    return [np.flatnonzero((centres >= k / 3) & (centres < (k + 1) / 3)) for k in range(3)]


def _sides(inside: Floats) -> list[tuple[Floats, int]]:
    """The outermost two rows or columns at each side, and the axis across them."""
    return [(inside[:2], 0), (inside[-2:], 0), (inside[:, :2], 1), (inside[:, -2:], 1)]


def best(effects: Sequence[Effect], test: str) -> Effect:
    """The effect of that test that is clearest over its control, the rest of the class before another place."""

    def clearest(each: Effect) -> tuple[bool, float, float]:
        return each.control == "rest" and each.interval[0] > _CLEAR, each.interval[0], each.difference

    return max((each for each in effects if each.test == test), key=clearest)


def status(score: float, line: float, effects: Sequence[Effect]) -> str:
    """Which of `STATES` it is in."""
    if not score > line:
        return STATES[3]
    return supported(effects)


def supported(effects: Sequence[Effect], then: Sequence[Effect] = ()) -> str:
    """What the tests say by themselves: 'proven', 'suspected' or 'not supported'.

    Args:
        effects: of now.
        then: of when it was found; tests that were clear then are the ones that count.
    """
    clear = [(each.test, each.region) for each in then if each.control == "rest" and each.interval[0] > _CLEAR]
    if not {region for _, region in clear} & {each.region for each in effects}:
        clear = [(test, "own") for test, _ in clear]  # what sets it apart can be found by the first model alone
    if clear:
        effects = [each for each in effects if (each.test, each.region) in clear]
    against_rest = [each for each in effects if each.control == "rest"]  # the object passes against elsewhere
    lowest = max((each.interval[0] for each in against_rest), default=0.0)
    return STATES[0] if lowest > _CLEAR else STATES[1] if lowest > 0 else STATES[2]


def clearly(low: float, wide: bool) -> str:
    """Which of `STATES` a finding without a place is in, by the lower end of its effect's interval.

    What all pictures of a class share may be the class itself, so that it is never more than worth a look.
    """
    return STATES[3] if wide else STATES[0] if low > _CLEAR else STATES[1]


def found(label: str, members: int, looked: int, where: str) -> str:
    """What was found."""
    return f"in {members} of {looked} pictures called {label!r} the model looks at the same thing, {where}"


def proven(label: str, effects: Sequence[Effect]) -> str:
    """What covering and pasting did, each by its clearest test, beside its control; a line each."""
    paste, cover = best(effects, "paste"), best(effects, "cover")
    part = {"own": "what its heat marks", "heat": "where the heat is", "pixels": "where the pixels differ"}
    part["thing"] = "what sets it apart"
    against = {"rest": f"in other {label!r} pictures", "elsewhere": "with a patch of equal size elsewhere"}
    turned, control = round(paste.effect * paste.pictures), round(paste.control_effect * paste.control_pictures)
    low, high = paste.interval
    turn = "turns" if turned == 1 else "turn"
    return (
        f"covered, p({label}) {_moves(cover.effect)}; {against[cover.control]} it {_moves(cover.control_effect)} "
        f"({part[cover.region]}; difference, 95 %: {_signed(cover.interval[0])} to "
        f"{_signed(cover.interval[1])})\n"
        f"pasted onto {paste.pictures} pictures of other classes, {turned} {turn} {label!r}; with the same of other "
        f"{label!r} pictures {control} ({part[paste.region]}; difference, 95 %: {_points(low)} to "
        f"{_points(high)} points)"
    )


def _moves(fall: float) -> str:
    return f"falls by {_signed(fall)}" if round(fall, 2) >= 0 else f"rises by {_signed(-fall)}"


def _points(share: float) -> str:
    return f"{round(100 * share) + 0}"


def _signed(value: float) -> str:
    """Two digits, and no minus before zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def remedy(label: str, others: Sequence[str], verdict: str) -> str:
    """What to do next."""
    if verdict in STATES[2:]:
        return f"look at the examples; there is nothing to do where they show what makes a {label!r}"
    other = repr(others[0]) if len(others) == 1 else "the other classes"
    return (
        f"look at the examples; where it is no part of a {label!r}, collect or make pictures of {other} that show it, "
        f"or of {label!r} that do not"
    )


def visible(controls: Sequence[float], tried: int, pictures: int) -> str:
    """The weakest effect that the tests could have told from chance.

    Args:
        controls: shares of receivers that the controls turned.
        tried: receivers of each test.
        pictures: of the class that has most.
    """
    from seewhy.studies.shortcuts.intervals import gap

    usual = round(float(np.median(controls or [0.1])) * tried)
    weakest = next((k - usual for k in range(usual, tried + 1) if gap(k, tried, usual, tried)[0] > 0), tried)
    least = max(10, int(np.ceil(0.05 * pictures)))
    return (
        f"The weakest effect that these tests can tell from chance: {100 * weakest / tried:.0f} points more pictures "
        f"turned than by the control. Not seen: what fewer than {counted(least, 'picture')} of a class show, or more "
        "than 85 % of them, and what is in no picture of this run."
    )
