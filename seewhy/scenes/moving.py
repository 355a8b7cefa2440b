"""Whether a model truly relies on a planted shortcut: what it says when the shortcut is moved to other classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.images.reading import Pixels
from seewhy.scenes.making import Plant
from seewhy.scenes.series import Scenes

LEARNED = 0.30  # accuracy of the other classes falls by this much or more


@dataclass(frozen=True)
class Reliance:
    """What the shortcut does to pictures of the other classes, each taken without anything planted and with it pasted.

    Args:
        plant: the shortcut.
        without: the accuracy without it, 0..1.
        pasted: the accuracy with it.
        turned: the share that is taken for the shortcut's class with it, less the share without it.
    """

    plant: Plant
    without: float
    pasted: float
    turned: float

    @property
    def drop(self) -> float:
        """By how much the accuracy falls."""
        return self.without - self.pasted

    @property
    def learned(self) -> bool:
        """Whether the shortcut was learned: the accuracy falls by 30 points or more, towards the shortcut's class."""
        return min(self.drop, self.turned) >= LEARNED


def reliance(predict: Callable[[Pixels], Any], scenes: Scenes, plant: Plant) -> Reliance:
    """Pastes a shortcut onto the pictures of all classes but its own and counts what a model makes of them.

    Args:
        predict: from pictures, uint8 [n, side, side, 3], to the predicted class of each, int [n].
        scenes: made by another seed than what the model was trained on; what is planted in them does not matter.
        plant: the shortcut, on one class; its rate does not matter.
    Returns:
        Both accuracies, and what follows.
    Raises:
        InputError: the plant is on no class of these scenes, or `predict` gives something else than a class each.
    """
    if plant.on not in scenes.names:
        listed = ", ".join(map(repr, scenes.names))
        came = f"the plant {plant.kind!r} on {plant.on or 'all classes'!r}"
        raise InputError(came, f"one on a class of these scenes: {listed}", f"write Plant({plant.kind!r}, on=...)")
    own = scenes.names.index(plant.on)
    others = scenes.labels != own
    if not others.any():
        raise InputError(f"{len(scenes)} scenes, all of {plant.on!r}", "some of other classes", "make more scenes")
    labels = scenes.labels[others]
    without, pasted = (
        _predicted(predict, pictures[others]) for pictures in (scenes.plain, scenes.pasted(plant).pictures)
    )
    return Reliance(
        plant,
        without=float((without == labels).mean()),
        pasted=float((pasted == labels).mean()),
        turned=float((pasted == own).mean() - (without == own).mean()),
    )


def _predicted(predict: Callable[[Pixels], Any], pictures: Pixels) -> Any:
    found = np.asarray(predict(pictures))
    if found.shape != (len(pictures),) or not np.issubdtype(found.dtype, np.integer):
        came = f"predictions of {found.dtype} {list(found.shape)} for {len(pictures)} pictures"
        raise InputError(came, f"the predicted class of each: int [{len(pictures)}]", "return scores.argmax(1)")
    return found
