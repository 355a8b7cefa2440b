"""A training under watch: it is told of steps and epochs, looks when one is due, and keeps, draws and tells."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from seewhy.errors import MissingExtraError, SeeWhyError, SeeWhyWarning
from seewhy.explanation import Explanation, Failed
from seewhy.models.callbacks import is_built
from seewhy.models.chance import every_random_state_kept
from seewhy.results.watched import Watched
from seewhy.results.watched.filming import Shot
from seewhy.results.watched.keeping import Keeping, unpacked
from seewhy.studies.watching.alarm import Alarm
from seewhy.studies.watching.cost import Cost
from seewhy.studies.watching.drawing import Drawing
from seewhy.studies.watching.looking import Looking
from seewhy.studies.watching.picking import Picked
from seewhy.studies.watching.processes import is_first
from seewhy.studies.watching.regions import Region
from seewhy.studies.watching.telling import Telling

NUMBERS = ("probability", "focus", "border", "entropy", "drift")


class Watch:
    """A training under watch, as `watch` returns it.

    In a loop of your own call `epoch()` after each epoch, or `step()` after each step; `keras()`, `lightning()` and
    `trainer()` give callbacks that do so. All of them do nothing in other processes than the first of a distributed
    training.
    """

    def __init__(
        self,
        looking: Looking,
        pictures: Sequence[Picked],
        regions: Sequence[Region] | None,
        alarm: Alarm,
        keeping: Keeping,
        drawing: Drawing,
        telling: Telling,
        every: int,
        by_step: bool,
    ) -> None:
        self._looking, self._pictures, self._regions, self._alarm = looking, pictures, regions, alarm
        self._keeping, self._drawing, self._telling = keeping, drawing, telling
        self._every, self._by_step = every, by_step
        self._look = self._epoch = self._step = self._last_step = 0
        self._told: set[str] = set()
        self._numbers: dict[str, float] = {}
        self._even: float | None = None
        self.cost = Cost()
        self._closed = False
        # also where the program ends without close(); it must not hold on to what it belongs to
        self._finisher = weakref.finalize(self, _finish, drawing, telling)

    # what a loop calls

    def epoch(self, number: int | None = None, *, step: int | None = None) -> bool:
        """An epoch is done: a look is taken where one is due.

        Args:
            number: how many epochs are done; default: one more than before.
            step: how many steps are done; default: as many as `step` was called.
        Returns:
            Whether the training is to stop, as `stop=True` and the alarm say.
        """
        self._epoch = self._epoch + 1 if number is None else number
        self._step = self._step if step is None else step
        if not self._by_step and self._epoch % self._every == 0:
            self._looked()
        return self.stopped

    def step(self, number: int | None = None) -> bool:
        """A step of the optimizer is done: a look is taken where one is due (`unit="step"`).

        Args:
            number: how many steps are done; default: one more than before.
        Returns:
            As `epoch`.
        """
        self._step = self._step + 1 if number is None else number
        if self.due(self._step):
            self._last_step = self._step
            self._looked()
        return self.stopped

    def begin(self, epochs: int | None = None) -> None:
        """The training begins now, or goes on after `close`; without it the time since `watch` counts as training.

        Args:
            epochs: how many there are to be, for who reads the folder meanwhile; None: not known.
        """
        self.cost.begin()
        self._closed = False
        if epochs and epochs > 0 and is_first():
            self._guarded(lambda: self._keeping.tell(epochs=int(epochs)))

    def close(self) -> None:
        """Draws the last strips, films and the filmstrip, and prints what the watching cost. It may be called again."""
        if self._closed:
            return
        self._closed = True
        self.cost.end()
        if not is_first():
            return
        strips = self._drawing.finish()
        if strips and self._telling.wanted:
            self._telling.tell({}, _named(strips), self._time)
        told = {"looks": len(self.cost.looks), "seconds": self.cost.seconds, "training": self.cost.training}
        self._guarded(lambda: self._keeping.tell(cost=told))
        print(f"watch: {self.cost}\n       {self._keeping.folder}")

    def __enter__(self) -> Watch:
        self.begin()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # what it found

    @property
    def stopped(self) -> bool:
        """The alarm went off, and is to stop the training."""
        return self._alarm.stopped

    @property
    def alarms(self) -> list[str]:
        """What the alarm said so far."""
        return list(self._keeping.about.get("alarms", []))

    @property
    def numbers(self) -> dict[str, float]:
        """Means over the pictures at the latest look: watch_probability, watch_focus, watch_border ..."""
        return dict(self._numbers)

    @property
    def watched(self) -> Watched:
        """What was seen so far: numbers, maps, strips, curves."""
        return Watched(self._keeping.folder)

    @property
    def by_step(self) -> bool:
        return self._by_step

    def due(self, step: int) -> bool:
        """Whether a look is to be taken after that step."""
        return self._by_step and step // self._every > self._last_step // self._every

    # callbacks

    def keras(self) -> Any:
        """A callback for `model.fit(callbacks=[...])` of Keras, on TensorFlow, JAX and torch."""
        return self._callback("keras", "keras")

    def lightning(self) -> Any:
        """A callback for Lightning's `Trainer(callbacks=[...])`."""
        return self._callback("lightning", "lightning")

    def trainer(self) -> Any:
        """A callback for the `Trainer(callbacks=[...])` of Hugging Face's transformers."""
        return self._callback("trainer", "transformers")

    def _callback(self, name: str, package: str) -> Any:
        try:
            module = import_module(f"seewhy.models.callbacks.{name}")
        except ImportError as error:
            remedy = "pip install transformers accelerate" if name == "trainer" else f"pip install 'seewhy[{name}]'"
            raise MissingExtraError(
                f"watch(...).{name}() without {package}", f"the package {package}", remedy
            ) from error
        return module.callback(self)

    # a look

    @property
    def _time(self) -> int:
        return self._step if self._by_step else self._epoch

    def _start(self) -> None:
        """The look before the training, where the model can be run: what is wrong is told before time is lost."""
        if is_first() and is_built(self._looking.model):
            with self.cost.measured(), every_random_state_kept():
                self._took(self._looking.answers(self._pictures), first=True)

    def _go_on(self) -> None:
        """Goes on after the last look of an earlier training in the same folder."""
        rows = Watched(self._keeping.folder).table(maps=True).to_pylist()
        for row in rows:
            self._look = max(self._look, row["look"] + 1)
            self._epoch, self._step = max(self._epoch, row["epoch"]), max(self._step, row["step"])
            shot = Shot(row["epoch"], row["step"], unpacked(row), row, self._by_step)
            self._drawing.add([(row["picture"], shot)])
            self._looking.remember(row["picture"], shot.map)
        self._last_step = self._step

    def _looked(self) -> None:
        """A look in the midst of a training, which nothing that goes wrong here may end."""
        if not is_first() or self._closed:
            return
        with self.cost.measured(), every_random_state_kept():
            if self._look == 0:  # the model could not be run before: the question itself may be wrong
                self._took(self._looking.answers(self._pictures), first=True)
            else:
                self._guarded(lambda: self._took(self._looking.answers(self._pictures)))

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:
            self._warn(f"the look after epoch {self._epoch}, step {self._step}, was lost", error)

    def _warn(self, what: str, error: BaseException) -> None:
        words = error.came if isinstance(error, SeeWhyError) else f"{type(error).__name__}: {error}"
        if words not in self._told:
            self._told.add(words)
            warnings.warn(f"{what}: {words}", SeeWhyWarning, stacklevel=2)

    def _took(self, answers: Sequence[Explanation | Failed], first: bool = False) -> None:
        rows, failed = self._looking.rows(answers, self._pictures, self._regions)
        if first and not rows:
            raise failed[0][1]
        for name, error in failed:
            self._warn(f"{name} has no map at this look", error)
        times = {"look": self._look, "epoch": self._epoch, "step": self._step}
        rows = [{**times, **row} for row in rows]
        if not rows:
            return
        if first:
            self._tell_of(next(one for one in answers if isinstance(one, Explanation)))
        self._look += 1
        self._keeping.add(rows)
        shots = [Shot(self._epoch, self._step, unpacked(row), row, self._by_step) for row in rows]
        self._drawing.add([(row["picture"], shot) for row, shot in zip(rows, shots, strict=True)])
        means = {name: _mean([row[name] for row in rows]) for name in NUMBERS}
        self._numbers = {f"watch_{name}": mean for name, mean in means.items() if mean is not None}
        strips = self._drawing.first() if first else self._drawing.now(self.cost.elapsed)
        if self._telling.wanted:
            self._telling.tell(self._numbers, _named(strips), self._time)
        if self._step or self._epoch:
            self._sound(means["focus"], shots, rows)

    def _tell_of(self, one: Explanation) -> None:
        """How the maps are made, and what an even map would have in the region."""
        more: dict[str, Any] = {"layer": one.layer, "method": one.method, "model": one.model}
        if self._regions is not None:
            cells = [
                region.on_cells(picture.seen.box, one.map.shape).mean()
                for region, picture in zip(self._regions, self._pictures, strict=True)
            ]
            self._even = float(np.mean(cells))
            more["region"] = {**self._keeping.about["region"], "even": self._even}
        self._keeping.tell(**more)

    def _sound(self, focus: float | None, shots: Sequence[Shot], rows: Sequence[dict[str, Any]]) -> None:
        known = sum(row["focus"] is not None for row in rows)
        words = self._alarm.heard(focus, shots[0].when, known, self._even)
        if words is not None:
            self._keeping.tell(alarms=[*self.alarms, words])
            warnings.warn(f"{words} See {self._keeping.folder}", SeeWhyWarning, stacklevel=2)

    def __repr__(self) -> str:
        state = ", stopped" if self.stopped else ""
        return f"Watch({len(self._pictures)} pictures → {str(self._keeping.folder)!r}{state}; {self.cost})"


def _finish(drawing: Drawing, telling: Telling) -> None:
    if drawing.keeping.folder.is_dir():  # else it was removed, and nobody waits for it
        drawing.finish()
    telling.close()


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _named(strips: dict[str, Any]) -> dict[str, Any]:
    return {f"watch_{name}": image for name, image in strips.items()}
