"""A study drawn: the curve over the shares, and one picture under the models of all shares."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images import drawing, panels
from seewhy.images.animating import animation, kind_of
from seewhy.images.panels import writing
from seewhy.results.drawn.originals import box_of, original, told
from seewhy.results.tables import line, percent
from seewhy.studies.supplement.measures import FOCUS, SCORES, shown

if TYPE_CHECKING:
    from seewhy.results.run import Run
    from seewhy.studies.supplement.result import Point, Study

_ENDINGS = (".svg", ".pdf", ".png")
_COLOURS = ("#2b5c9e", "#d95f02", "#1b9e77", "#8e44ad", "#8a8d91", "#b3261e")  # told apart by the colour-blind, too
_MARKS = "osD^vP"
_LINES, _TILE = 6, 224
_ROW = ["id", "path", "label", "predicted", "correct", "probability", "box", "width", "height", "error"]
_MAP = ["map", "map_scale", "map_height", "map_width"]


def plot(study: Study, where: str | Path | None = None) -> Any:
    """See `Study.plot`."""
    from matplotlib.figure import Figure  # without pyplot: no window, and nothing that stays open

    if where is not None and Path(where).suffix.lower() not in _ENDINGS:
        remedy = did_you_mean(Path(where).suffix, _ENDINGS, f"write {Path(where).stem or 'curve'}.svg")
        raise InputError(f"the path {str(where)!r}", f"a file that ends in {', '.join(_ENDINGS)}", remedy)
    if not study.curve:
        raise InputError("a study without a model", "one training that succeeded", "see study.failures")
    kinds = [(title, kinds) for title, kinds in _panels() if any(point.kind in kinds for point in study.curve)]
    heights = [2.0 if own == FOCUS[5:] else 3.1 for _, own in kinds]
    figure = Figure(figsize=(7.6, sum(heights) + 0.3), layout="constrained")
    every = np.atleast_1d(figure.subplots(len(kinds), 1, sharex=True, height_ratios=heights))
    for axes, (title, own) in zip(every, kinds, strict=True):
        _draw(axes, [point for point in study.curve if point.kind in own])
        axes.set_title(title, fontsize="medium", loc="left")
    shares = study.shares
    every[-1].set_xticks(shares, [shown(share) for share in shares])
    name = line(study.about["settings"]["supplement"]["name"])
    least = shown(shares[0])
    words = f"share of {name} that is added\nsmall: single trainings; large: differs from {least} beyond the noise"
    every[-1].set_xlabel(words, parse_math=False)
    if where is not None:
        with writing(where):
            figure.savefig(where, dpi=160)
    return figure


def strip(study: Study, picture: str | int, seed: int | None = None) -> Image.Image:
    """See `Study.strip`."""
    tiles, captions, title = _frames(study, picture, seed)
    return panels.panel(tiles, len(tiles), captions, title, _TILE)


def gif(study: Study, picture: str | int, path: str | Path, seed: int | None = None, seconds: float = 1.0) -> None:
    """See `Study.gif`."""
    kind = kind_of(path)
    (bare, *tiles), (_, *captions), title = _frames(study, picture, seed)
    words = "as it is"
    frames = [
        panels.panel([bare, tile], 2, [words, caption], title, 320)
        for tile, caption in zip(tiles, captions, strict=True)
    ]
    held = animation(frames, kind, seconds)
    with writing(path):
        Path(path).write_bytes(held)


def telling(study: Study, count: int) -> list[int]:
    """Held-out pictures whose answers change most between the smallest and the largest share, several labels first."""
    if len(study.shares) < 2 or count < 1:
        return []
    first, last = ((_chances(study.run(share))) for share in (study.shares[0], study.shares[-1]))
    both = [number for number in first if number in last]
    order = sorted(both, key=lambda number: -abs(last[number][1] - first[number][1]))
    kept: list[int] = []
    labels: dict[Any, int] = {}
    for number in order:  # not one class alone
        label = first[number][0]
        if labels.get(label, 0) <= min(labels.values(), default=0) + 1:
            kept.append(number)
            labels[label] = labels.get(label, 0) + 1
        if len(kept) == count:
            break
    return kept


def _chances(run: Run) -> dict[int, tuple[Any, float]]:
    """The label of each picture and the probability that its label was given."""
    table = run.select(["id", "label", "loss"], error=None)
    rows = zip(table["id"].to_pylist(), table["label"].to_pylist(), table["loss"].to_pylist(), strict=True)
    return {number: (label, float(np.exp(-loss))) for number, label, loss in rows if loss is not None}


def _panels() -> list[tuple[str, tuple[str, ...]]]:
    return [
        ("right answers, held-out pictures", SCORES[:2]),
        ("right answers in groups of pictures", SCORES[2:]),
        ("where the heat lies: share of the map", FOCUS[:5]),
        ("how spread out the heat is: entropy, 1 if even", FOCUS[5:]),
    ]


def _draw(axes: Any, points: Sequence[Point]) -> None:
    names = list(dict.fromkeys(point.measure for point in points))
    for number, name in enumerate(names[:_LINES]):
        own = [point for point in points if point.measure == name]
        colour, mark = _COLOURS[number % len(_COLOURS)], _MARKS[number % len(_MARKS)]
        main = own[0].kind == "accuracy"
        shares = [point.share for point in own]
        axes.plot(shares, [point.mean for point in own], color=colour, linewidth=2.4 if main else 1.4, label=line(name))
        low, high = ([min(p.values) for p in own], [max(p.values) for p in own])
        axes.fill_between(shares, low, high, color=colour, alpha=0.12, linewidth=0)
        for point in own:
            axes.plot([point.share] * len(point.values), point.values, mark, color=colour, markersize=3, alpha=0.7)
        known = [point for point in own if point.beyond_noise]
        marks = [p.share for p in known], [p.mean for p in known]
        axes.plot(*marks, mark, color=colour, markersize=8, markeredgecolor="black", markeredgewidth=0.9)
    axes.grid(alpha=0.25)
    if all(point.kind != "entropy" for point in points):
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axes.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))


def _frames(study: Study, picture: str | int, seed: int | None) -> tuple[list[Any], list[str], str]:
    """The picture, then its map under a model of each share, with what each says."""
    if not study.finished:
        raise InputError("a study without a model", "one training that succeeded", "see study.failures")
    number = _number(study.run(study.shares[0]), picture)
    tiles: list[Any] = []
    captions: list[str] = []
    title = ""
    for share in study.shares:
        if seed is not None and seed not in study.seeds(share):
            continue
        run = study.run(share, seed)
        row = run.rows([number], [*_ROW, *_MAP]).to_pylist()[0]
        image, trouble = original(run, row)
        if not tiles:
            tiles.append(image if image is not None else Image.new("RGB", (_TILE, _TILE), (241, 241, 240)))
            captions.append(line(told(trouble, row)) or "as it is")
            title = line(f"{row['path'] or f'picture {number}'}: {row['label']}")
        tiles.append(_tile(image, row))
        verdict = "" if row["correct"] is None else ", right" if row["correct"] else ", wrong"
        said = "no answer" if row["predicted"] is None else f"{row['predicted']} {percent(row['probability'])}{verdict}"
        captions.append(line(f"{shown(share)}: {said}"))
    if not tiles:
        raise UnknownNameError(f"no model of the seed {seed}", "a seed of the study", "see study.finished")
    return tiles, captions, title


def _tile(image: Image.Image | None, row: dict[str, Any]) -> Image.Image:
    if row["map"] is None:
        return Image.new("RGB", (_TILE, _TILE), (241, 241, 240))
    cells = np.asarray(row["map"], np.float32).reshape(row["map_height"], row["map_width"])
    cells = cells * np.float32(row["map_scale"])
    if image is None:
        return drawing.heatmap((_TILE, _TILE), cells)
    return drawing.overlay(image, cells, box_of(row))


def _number(run: Run, picture: str | int) -> int:
    """The place of a held-out picture."""
    if isinstance(picture, int):
        if 0 <= int(picture) < len(run):
            return int(picture)
        raise UnknownNameError(f"no held-out picture {picture}", f"0 to {len(run) - 1:,}", "see study.run(0).records()")
    table = run.select(["id", "path"])
    paths: dict[str, int] = {
        str(path): number for path, number in zip(table["path"].to_pylist(), table["id"].to_pylist(), strict=True)
    }
    wanted = Path(picture).as_posix()
    ends = [path for path in paths if path == wanted or path.endswith(f"/{wanted}") or wanted.endswith(f"/{path}")]
    if len(ends) == 1 or wanted in ends:
        return paths[wanted if wanted in ends else ends[0]]
    if ends:
        raise UnknownNameError(
            f"{len(ends)} held-out pictures that end in {wanted!r}", "one", f"write {ends[0]!r} or {ends[1]!r}"
        )
    raise UnknownNameError(
        f"{wanted!r} is no held-out picture",
        "one of them: only their maps were kept",
        did_you_mean(wanted, paths, "see study.run(0).select(['path'])"),
    )
