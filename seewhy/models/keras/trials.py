"""What only some methods need of a Keras model: the rest run on edits, and passes over new images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from seewhy.evidence import INPUT, Array, Trial
from seewhy.models.keras.engines import RUNS_ALL, Passed
from seewhy.models.keras.judging import on_device, values_now
from seewhy.models.keras.scores import host
from seewhy.targets import Aim, Floats, chances

if TYPE_CHECKING:
    from seewhy.models.keras.passes import KerasRun


def edited(run: KerasRun, name: str, row: Sequence[Aim], room: int, edits: Array) -> Trial:
    """Runs the rest of the network on edits [trials, batch, height, width, channels] of the layer's map.

    What is compiled leaves out all that the scores need no more; where everything runs, and the scores depend on the
    image through this layer alone, the part before it runs for one image only.
    """
    trials, count = edits.shape[:2]
    engine = run.model.engine(run.images, run.survey, [name], False)
    if name not in run.alone:
        run.alone[name] = RUNS_ALL and _separable(run, engine, name)
    alone = run.alone[name]
    flat = ops.reshape(edits, (trials * count, *edits.shape[2:]))
    judged = _Judged(run, row, trials)
    for start in range(0, trials * count, room):
        owners = np.arange(start, min(start + room, trials * count)) % count
        images = run.images[:1] if alone else ops.take(run.images, owners, axis=0)
        swapped = run.as_output(name, flat[start : start + room], ops.take(run.seen[name], owners, axis=0))
        judged.add(engine, engine.edited(images, swapped), len(owners))
    return judged.trial()


def again(run: KerasRun, name: str, row: Sequence[Aim], room: int, images: Array, gradients: str) -> Trial:
    """A new pass at images [trials, batch, height, width, channels]; `gradients` as in `Evidence.again`."""
    trials, count = images.shape[:2]
    flat = ops.reshape(images, (trials * count, *images.shape[2:]))
    flat = ops.cast(ops.moveaxis(flat, -1, 1) if run.model.channels_first else flat, run.images.dtype)
    by, guided = name if gradients == "layer" else INPUT, gradients == "guided"
    engine = run.model.engine(run.images, run.survey, [by] if gradients else [], bool(gradients), guided=guided)
    judged, slopes = _Judged(run, row, trials), []
    for start in range(0, trials * count, room):
        part = flat[start : start + room]
        passed = engine.forward(part)
        scores = judged.add(engine, passed, len(part))
        if gradients:
            owners = [row[i % count] for i in range(start, start + len(part))]
            slope = run.way_back(engine, passed, scores, [owners])[by][0]
            slopes.append(run.as_image(slope) if by == INPUT else run.as_map(by, slope))
    if guided:
        run.notes = tuple(dict.fromkeys((*run.notes, *engine.walk.guided_notes())))
    if not gradients:
        return judged.trial()
    found = ops.concatenate(slopes, 0)
    return judged.trial(ops.reshape(found, (trials, count, *found.shape[1:])))


class _Judged:
    """Collects what the aims say of one chunk of trials after the other."""

    def __init__(self, run: KerasRun, row: Sequence[Aim], trials: int) -> None:
        self.run, self.row, self.trials = run, row, trials
        self.values: list[Floats] = []
        self.chances: list[Floats | None] = []
        self.done = 0

    def add(self, engine: Any, passed: Passed, count: int) -> Floats:
        """The scores of these trials."""
        given = np.zeros((count, 0)) if passed.scores is None else host(passed.scores)
        scores = self.run.explained(given)
        owners = [self.row[i % len(self.row)] for i in range(self.done, self.done + count)]
        self.values.append(values_now(owners, engine.walk.rebuilt(passed.leaves), scores))
        self.chances.append(None if passed.scores is None else chances(owners, scores))
        self.done += count
        return scores

    def trial(self, gradients: Array | None = None) -> Trial:
        shape = self.trials, len(self.row)
        known = [one for one in self.chances if one is not None]
        sure = on_device(np.concatenate(known).reshape(shape)) if len(known) == len(self.chances) else None
        return Trial(on_device(np.concatenate(self.values).reshape(shape)), sure, gradients)


def _separable(run: KerasRun, engine: Any, name: str) -> bool:
    """Whether the scores depend on the image through this layer alone: other images must not change them."""
    if run.passed.scores is None:
        return False
    twice = ops.repeat(run.seen[name][:1], 2, axis=0)
    wanted = host(run.passed.scores)[:1]
    for images in (run.images[:1], ops.flip(run.images[:1], (1, 2)) * 0.5):
        try:
            found = host(engine.edited(images, twice).scores)
        except Exception:  # a shape that does not fit: the layer's output is joined with others
            return False
        slack = 1e-5 * max(float(np.abs(wanted).max()), 1e-6)
        if len(found) != 2 or not np.allclose(found, wanted, rtol=1e-5, atol=slack):
            return False
    return True
