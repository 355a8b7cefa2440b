"""Images of the tests kept as small pictures, so that a person sees what the model was given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.images.resizing import Floats
from seewhy.results.findings import Effect
from seewhy.results.store import write_whole
from seewhy.results.trials import PICTURES, Shot, Trial
from seewhy.studies.shortcuts.colours import colours

GIVEN = 6  # images of each test
_COVERED = 3  # of these, of a cover
_SIDE = 160  # pixels, at most


@dataclass(frozen=True, eq=False)
class Given:
    """Images of one trial.

    Args:
        test, region: of the effect.
        trial: which.
        images: before, after, and of a paste the one that it came from; float [height, width, channels] each.
    """

    test: str
    region: str
    trial: Trial
    images: tuple[Floats, ...]


def kept(
    folder: Path, code: str, given: Sequence[Given], shown: Sequence[Effect], prepared: Callable[[Any], Floats]
) -> tuple[Shot, ...]:
    """Writes the images of the shown effects into the run's folder: a JPEG file of each, with a row for each trial.

    Args:
        folder: of the run.
        code: of the finding.
        given: of all its tests.
        shown: the effects whose images are kept.
        prepared: from a PIL image to float [height, width, channels].
    """
    wanted = [(each.test, each.region) for each in shown]
    chosen = [each for each in given if (each.test, each.region) in wanted]
    if not chosen:
        return ()
    way = colours(prepared, np.stack([image for each in chosen for image in each.images]))
    (folder / PICTURES).mkdir(exist_ok=True)
    shots: list[Shot] = []
    for test, region in wanted:
        own = [each for each in chosen if (each.test, each.region) == (test, region)]
        own = own[: _COVERED if test == "cover" else GIVEN]
        if not own:
            continue
        name = f"{code}.{test}.jpg"
        rows = [[_small(_pixels(way.pixels(image))) for image in each.images] for each in own]
        sheet = Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows]))
        write_whole(folder / PICTURES / name, partial(sheet.save, format="JPEG", quality=90))
        shots += [Shot(test, region, each.trial, name, row, len(own), len(rows[0])) for row, each in enumerate(own)]
    return tuple(shots)


def cleared(folder: Path, needed: Collection[str]) -> None:
    """Removes what `kept` wrote before, but for the files that are needed."""
    for old in (folder / PICTURES).glob("SC*.*.jpg"):
        if old.name not in needed:
            old.unlink()


def _small(pixels: Any) -> Any:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _pixels(values: Floats) -> Any:
    whole = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return whole if whole.shape[-1] == 3 else np.repeat(whole.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
