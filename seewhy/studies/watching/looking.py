"""One look: the same question about the same pictures, and what the maps say in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seewhy.errors import InputError, SeeWhyError
from seewhy.evidence import Model
from seewhy.explanation import Explanation, Failed, explain_many
from seewhy.images.resizing import Floats, upscale
from seewhy.results.record import CELLS
from seewhy.results.watched.keeping import packed
from seewhy.studies.measuring import measured, share_inside
from seewhy.studies.watching.picking import Picked
from seewhy.studies.watching.regions import Region
from seewhy.targets import TargetLike


@dataclass(eq=False)
class Looking:
    """What is asked with each look.

    Args:
        model: wrapped.
        target: asked of every picture; None: its own label, or the predicted class where that is not known.
        options: method, layer and the method's own.
    """

    model: Model
    target: TargetLike
    options: Mapping[str, Any]
    _before: dict[int, Floats] = field(default_factory=dict)

    def answers(self, pictures: Sequence[Picked]) -> list[Explanation | Failed]:
        """An explanation of each picture, or why there is none.

        Raises:
            InputError: the question itself cannot be asked.
        """
        targets = [one.label if self.target is None else self.target for one in pictures]
        answers = list(explain_many(self.model, [one.seen for one in pictures], targets=targets, **self.options))
        if any(not isinstance(one, Explanation | Failed) for one in answers):
            came = f"target={self.target!r}, layer={self.options.get('layer')!r}, which give several maps of a picture"
            raise InputError(came, "one map for each picture", "name one target and one layer")
        return answers

    def chances(self, pictures: Sequence[Picked]) -> list[float]:
        """The probability of each picture's own label; NaN where there is none."""
        labels = [one.label for one in pictures]
        answers = explain_many(self.model, [one.seen for one in pictures], targets=labels, **self.options)
        return [float("nan") if not one or one.probability is None else float(one.probability) for one in answers]

    def rows(
        self, answers: Sequence[Explanation | Failed], pictures: Sequence[Picked], regions: Sequence[Region] | None
    ) -> tuple[list[dict[str, Any]], list[tuple[str, SeeWhyError]]]:
        """Rows of numbers and maps, and the pictures without an answer."""
        rows, failed = [], []
        for number, (one, answer) in enumerate(zip(pictures, answers, strict=True)):
            if isinstance(answer, Failed):
                failed.append((one.name, answer.error))
                continue
            map = _reduced(answer.map)
            region = None if regions is None else regions[number].on_cells(answer.box, map.shape)
            lies = measured(map[None])
            rows.append(
                {
                    "picture": number,
                    "name": one.name,
                    "label": self.label_of(one),
                    "class": answer.label,
                    "predicted": answer.top(1)[0][0] if len(answer.scores) else None,
                    "score": answer.score,
                    "probability": answer.probability,
                    "focus": None if region is None else _number(share_inside(map, region)),
                    "border": _number(np.maximum(lies["border"][0], 0)),  # -0.0 by rounding
                    "entropy": _number(lies["entropy"][0]),
                    "drift": self._drift(number, map),
                    **packed(map),
                }
            )
        return rows, failed

    def remember(self, number: int, map: Floats) -> None:
        """What the next map of that picture is held against; one that is the same everywhere is passed over."""
        if np.ptp(map) > 0:
            self._before[number] = map

    def label_of(self, one: Picked) -> str | None:
        """The name of a picture's own class."""
        if one.label is None or isinstance(one.label, str):
            return one.label
        names = self.model.labels
        return names[one.label] if names is not None and 0 <= one.label < len(names) else f"class {one.label}"

    def _drift(self, number: int, map: Floats) -> float | None:
        """1 - correlation with the map of the last look that had one; None where there is none, or it is even."""
        before = self._before.get(number)
        self.remember(number, map)
        if before is None:
            return None
        if before.shape != map.shape:
            before = upscale(before, map.shape, "bilinear")
        one, other = (each - each.mean(dtype=np.float64) for each in (before, map))
        spread = float(np.sqrt((one**2).sum() * (other**2).sum()))
        return 1 - float((one * other).sum()) / spread if spread > 0 else None


def _reduced(map: Floats) -> Floats:
    """A map of more than 64 cells a side, such as one of pixels, averaged down to that."""
    h, w = map.shape
    share = CELLS / max(h, w)
    return map if share >= 1 else upscale(map, (max(1, round(h * share)), max(1, round(w * share))), "bilinear")


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
