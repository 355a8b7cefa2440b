"""Charts of a run for papers, by matplotlib: as SVG, PDF or PNG, or on axes of the caller's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seewhy.errors import InputError, did_you_mean
from seewhy.images.panels import writing
from seewhy.results.questions.measures import wilson
from seewhy.results.tables import counted, line, percent

if TYPE_CHECKING:
    from seewhy.results.run import Run

_ENDINGS = (".svg", ".pdf", ".png")
_BLUE, _ORANGE, _GREY = "#2b5c9e", "#d95f02", "#8a8d91"  # told apart by the colour-blind, too
_CLASSES, _CELLS = 20, 30


def reliability(run: Run, where: Any = None) -> Any:
    """See `Run.plot_reliability`."""
    run.need_labels("how often answers are right")
    measures = run.measures()
    bins = [one for one in measures.reliability if one.pictures and one.said is not None and one.right is not None]

    def draw(axes: Any) -> None:
        said = np.array([one.said for one in bins])
        right = np.array([one.right for one in bins])
        spans = [wilson(round(one.pictures * (one.right or 0)), one.pictures) or (0.0, 1.0) for one in bins]
        reach = np.abs(np.array(spans).T - right)
        axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="as sure as right")
        axes.errorbar(said, right, reach, fmt="o-", color=_BLUE, capsize=2, markersize=4, label="answers, 95 %")
        axes.set(xlim=(0, 1.01), ylim=(0, 1.01), xlabel="how sure: mean probability", ylabel="how often right")
        gap = percent(measures.calibration_error)
        axes.set_title(f"calibration error {gap}, {counted(measures.labelled, 'picture')}", fontsize="medium")
        axes.set_aspect("equal")
        axes.legend(frameon=False, loc="upper left")

    return _drawn(where, (4.2, 4.2), draw)


def confusion(run: Run, where: Any = None, classes: int = _CELLS) -> Any:
    """See `Run.plot_confusion`."""
    found = run.confusion()
    counts = np.bincount(found.true, (found.true != found.predicted) * found.pictures, len(found.names))
    counts += np.bincount(found.predicted, (found.true != found.predicted) * found.pictures, len(found.names))
    kept = np.sort(np.argsort(-counts, kind="stable")[:classes])
    place = np.full(len(found.names), -1)
    place[kept] = np.arange(len(kept))
    matrix = np.zeros((len(kept), len(kept)), np.int64)
    inside = (place[found.true] >= 0) & (place[found.predicted] >= 0)
    matrix[place[found.true[inside]], place[found.predicted[inside]]] = found.pictures[inside]

    def draw(axes: Any) -> None:
        labelled = np.bincount(found.true, found.pictures, len(found.names))[kept]
        share = matrix / np.maximum(labelled, 1)[:, None]
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        names = [line(found.names[k]) for k in kept]
        axes.set_xticks(range(len(kept)), names, rotation=90 if len(kept) > 4 else 0, parse_math=False)
        axes.set_yticks(range(len(kept)), names, parse_math=False)
        axes.set(xlabel="answer", ylabel="label")
        if len(kept) <= _CLASSES:
            for (row, column), count in np.ndenumerate(matrix):
                if count:
                    tint = "white" if share[row, column] > 0.5 else "black"
                    axes.text(column, row, f"{count:,}", ha="center", va="center", color=tint, fontsize="small")
        if len(kept) < len(found.names):
            axes.set_title(f"the {len(kept)} of {len(found.names):,} classes with most errors", fontsize="medium")

    side = 2.4 + 0.3 * max(4, len(kept))
    return _drawn(where, (side, side), draw)


def classes(run: Run, where: Any = None, limit: int = _CLASSES) -> Any:
    """See `Run.plot_classes`."""
    run.need_labels("how good the answers are for each class")
    measures = run.measures()
    worst = sorted(measures.classes, key=lambda one: (-1.0 if one.f1 is None else one.f1, one.name))[:limit]

    def draw(axes: Any) -> None:
        for name, colour, shift in (("recall", _BLUE, -0.15), ("precision", _ORANGE, 0.15)):
            known = [(k, one) for k, one in enumerate(worst) if getattr(one, name) is not None]
            share = np.array([getattr(one, name) for _, one in known])
            spans = np.array([getattr(one, f"{name}_interval") for _, one in known]).reshape(-1, 2)
            axes.errorbar(
                share,
                [k + shift for k, _ in known],
                xerr=np.abs(spans.T - share),
                fmt="o",
                color=colour,
                capsize=2,
                markersize=4,
                label=f"{name}, 95 %",
            )
        axes.set_yticks(range(len(worst)), [line(one.name) for one in worst], parse_math=False)
        axes.set_ylim(len(worst) - 0.4, -0.6)  # the worst on top
        axes.set(xlim=(-0.01, 1.01), xlabel="share")
        axes.grid(axis="x", alpha=0.3)
        if len(worst) < len(measures.classes):
            words = f"the {len(worst)} of {len(measures.classes):,} classes with the lowest F1"
            axes.set_title(words, fontsize="medium")
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.06), ncols=2, borderaxespad=0)

    return _drawn(where, (5.5, 1.4 + 0.32 * len(worst)), draw)


def _drawn(where: Any, inches: tuple[float, float], draw: Callable[[Any], None]) -> Any:
    """Draws on the axes that are given, or on new ones that are then written where a path is given; the axes."""
    if hasattr(where, "errorbar"):
        draw(where)
        return where
    from matplotlib.figure import Figure  # without pyplot: no window, and nothing that stays open

    if where is not None and Path(where).suffix.lower() not in _ENDINGS:
        remedy = did_you_mean(Path(where).suffix, _ENDINGS, f"write {Path(where).stem or 'chart'}.svg")
        raise InputError(f"the path {str(where)!r}", f"a file that ends in {', '.join(_ENDINGS)}", remedy)
    figure = Figure(figsize=inches, layout="constrained")
    axes = figure.subplots()
    draw(axes)
    if where is not None:
        with writing(where):
            figure.savefig(where, dpi=200)
    return axes
