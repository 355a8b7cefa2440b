"""How much a group of pictures looks like those that show a shortcut: a promise from place and looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from seewhy.images.resizing import Floats
from seewhy.studies.shortcuts.candidates import Flags, Ints, direction, reduced, standardised

_BLUR = 0.7  # cells


@dataclass(frozen=True, eq=False)
class Described:
    """A class's pictures in numbers; all arrays begin with [n].

    Args:
        margins: of the class, as the picture is.
        heat: [n, 12, 12], adding up to 1.
        region, peak: colours in the region and round the peak.
        attended, plain: the early layer's channels under the heat, and averaged plainly.
        middle: the middle layer's channels under the heat.
        grid: [n, 16, 16, 2 channels], as `describing.grid`.
    """

    margins: Floats
    heat: Floats
    region: Floats
    peak: Floats
    attended: Floats
    plain: Floats
    middle: Floats
    grid: Floats


@dataclass(frozen=True)
class Marks:
    """The parts of the score of one group; the names are those of the documentation."""

    where: float
    region: float
    peak: float
    early: float
    same: float
    vmax: float
    apart: float
    outside: float = 0.0  # heat outside the object, over what is usual; where masks were given

    @property
    def looks(self) -> float:
        """How much the group looks at the same thing: 2 RC + 3 C + 3 E + 4 SAME, and with masks 4 OUTSIDE."""
        return 2 * self.region + 3 * self.peak + 3 * self.early + 4 * self.same + 4 * self.outside

    @property
    def promise(self) -> float:
        """What is known before anything is proven: the looks, and a place of its own that parts the class in two."""
        placed = self.vmax**0.5 * np.clip((self.apart - 2) / 3, 0, 1)
        return float(self.looks + 5 * placed)

    @property
    def place(self) -> float:
        """L E: the model looks in the same place at what the early layer tells apart; it need not look alike."""
        return self.where * self.early


class Judge:
    """Scores groups of one class's pictures; what they share is computed once."""

    def __init__(self, found: Described) -> None:
        self.found = found
        heat = np.sqrt(found.heat)
        self.heat = np.stack([gaussian_filter(each, _BLUR, mode="nearest") for each in heat]).reshape(len(heat), -1)
        self.region, self.peak = standardised(found.region), standardised(found.peak)
        self.early = standardised(found.attended) - standardised(found.plain)
        self.total = found.grid.var(axis=0, dtype=np.float64).sum(axis=2)
        self.placed = parting(found.grid.reshape(len(heat), -1))

    def marks(self, group: Ints) -> Marks:
        inside = np.zeros(len(self.heat), bool)
        inside[group] = True
        return Marks(
            where=explained(self.heat, inside) ** 0.5,
            region=explained(self.region, inside) ** 0.5,
            peak=explained(self.peak, inside) ** 0.5,
            early=explained(self.early, inside) ** 0.5,
            same=sameness(self.region, inside),
            vmax=float(cells_explained(self.found.grid, inside, self.total).max()),
            apart=apart(self.placed, inside),
        )


def explained(values: Floats, inside: Flags) -> float:
    """Adjusted share of the variance of values [n, d] that membership explains: 0 or more.

    R = between / total, all dimensions summed; adjusted R - (1 - R) / (n - 2).
    """
    share = between(values, inside)
    return max(0.0, share - (1 - share) / (len(values) - 2)) if len(values) > 2 else 0.0


def between(values: Floats, inside: Flags) -> float:
    """The plain share of the variance of values [n, d] that lies between inside and outside."""
    total = float(values.var(axis=0).sum())
    if not total > 0 or inside.all() or not inside.any():
        return 0.0
    gap = values[inside].mean(axis=0) - values[~inside].mean(axis=0)
    return float(inside.mean() * (1 - inside.mean()) * (gap**2).sum() / total)


def sameness(values: Floats, inside: Flags) -> float:
    """1 where values [n, d] are all the same inside, 0 where they vary there as much as outside."""
    rest = float(values[~inside].var(axis=0).sum())
    return 1 - min(1.0, float(values[inside].var(axis=0).sum()) / rest) if rest > 0 else 0.0


def parting(values: Floats) -> Floats:
    """float [n, at most 6]: the points in which `apart` measures."""
    return reduced(standardised(values), 6)


def apart(points: Floats, inside: Flags) -> float:
    """How far a group lies from the rest in the direction that tells them apart best: in standard deviations.

    Cutting one heap in two gives about 2.7, two heaps more.

    Args:
        points: [n, d].
        inside: who is in the group.
    """
    along = points @ direction(points, inside)
    one, other = along[inside], along[~inside]
    return float((one.mean() - other.mean()) / np.sqrt((one.var() + other.var()) / 2 + 1e-12))


def cells_explained(grid: Floats, inside: Flags, total: Floats | None = None, blur: float = 0.5) -> Floats:
    """V: of each cell of a grid [n, h, w, d] the share of its variance that membership explains, smoothed: [h, w].

    Args:
        grid: of all pictures.
        inside: who is in the group.
        total: the variance of each cell, where it is known already.
        blur: in cells.
    """
    total = grid.var(axis=0, dtype=np.float64).sum(axis=2) if total is None else total
    gap = grid[inside].mean(axis=0, dtype=np.float64) - grid[~inside].mean(axis=0, dtype=np.float64)
    apart = inside.mean() * (1 - inside.mean()) * (gap**2).sum(axis=2)
    found = np.divide(apart, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(gaussian_filter(found, blur, mode="nearest"))
