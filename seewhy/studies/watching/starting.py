"""From a model and pictures to a training under watch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.images.resizing import Box
from seewhy.methods import find_method
from seewhy.models import as_model
from seewhy.models.callbacks import is_built
from seewhy.results.watched.filming import Subject
from seewhy.results.watched.keeping import THUMB, Keeping, file_name
from seewhy.studies.watching.alarm import Alarm
from seewhy.studies.watching.drawing import Drawing, Roll
from seewhy.studies.watching.looking import Looking
from seewhy.studies.watching.picking import Picked, picked
from seewhy.studies.watching.processes import is_first
from seewhy.studies.watching.regions import Region, regions
from seewhy.studies.watching.telling import Log, Telling
from seewhy.studies.watching.watcher import Watch
from seewhy.targets import TargetLike, as_targets

UNITS = ("epoch", "step")


def watch(
    model: Any,
    pictures: Any,
    every: int = 1,
    out: str | Path = "watch",
    *,
    unit: str = "epoch",
    labels: Sequence[str | int] | None = None,
    count: int | None = None,
    choose: str = "first",
    seed: int = 0,
    target: TargetLike = None,
    region: Any = None,
    on_focus_below: float | None = None,
    on_focus_above: float | None = None,
    patience: int = 1,
    stop: bool = False,
    tensorboard: Any = None,
    log: Log | None = None,
    resume: bool = False,
    method: str = "gradcam",
    layer: Any = None,
    **options: Any,
) -> Watch:
    """Heatmaps of the same pictures while a network is trained, with numbers and an alarm; the training is not changed.

    The first look is taken at once, before the training, where the model can be run already.

    Args:
        model: the one that is trained, bare or from `wrap`.
        pictures: a list of pictures or images, or of (picture, label); a folder, a manifest, a data set. A stream or a
            loader is read from, so give one of its own.
        every: a look after each so many epochs, or steps.
        out: the folder for strips, films, numbers and maps; made where it is not there.
        unit: 'epoch' or 'step': what `every` counts.
        labels: the class of each picture, by name or index, where `pictures` do not tell.
        count: how many pictures are watched; default: all of up to 16, else 8.
        choose: 'first', 'random', or 'hardest': those whose own label gets the lowest probability at the first look,
            among at most 512.
        seed: of what is chosen by chance.
        target: what is asked of every picture, as in `explain`; default: its own label, or without one the predicted
            class.
        region: where the heat is measured: 'middle', 'border', 'corners', 'top right', 'left' ...; a box (left, top,
            right, bottom) in pixels; a mask of the picture's size; a `Finding`; or a list with one for each picture.
        on_focus_below, on_focus_above: an alarm: a warning when the share of the heat in the region, as the mean over
            the pictures, is below or above.
        patience: only when it is so for so many looks in a row.
        stop: the alarm stops the training, too.
        tensorboard: True (into the folder 'tensorboard' of `out`), a folder, or a writer with add_scalar and add_image.
        log: a function of (numbers, images, step), dictionaries of floats and of PIL images by name: for MLflow, W&B.
        resume: go on with an earlier training in the same folder.
        method, layer, options: of the maps, as in `explain`.
    Returns:
        A `Watch`: call its `epoch()` in your loop, or hand on its `keras()`, `lightning()` or `trainer()` callback.
    Raises:
        InputError: no pictures, labels of another number, a region outside the picture, a folder that cannot be written
            or holds an earlier training, or a question that the model cannot be asked.
        MissingExtraError: `tensorboard` is asked for and not installed.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise InputError(f"every={every!r}", "a whole number, at least 1", "every=100, unit='step' for every 100 steps")
    if unit not in UNITS:
        raise UnknownNameError(f"unit={unit!r}", "'epoch' or 'step'", did_you_mean(str(unit), UNITS, "leave it out"))
    as_targets(target)  # told before anything is read
    find_method(method).checked(options)
    folder, wrapped = _folder(out, resume), as_model(model)
    if choose == "hardest" and not is_built(wrapped):
        came = "choose='hardest' for a model that has no weights yet"
        raise InputError(came, "a model that can be run", "call it once on a batch, or build it")
    looking = Looking(wrapped, target, {"method": method, "layer": layer, **options})
    found = picked(wrapped, pictures, labels, count, choose, seed, looking.chances)
    boxes = [one.seen.box for one in found]
    sizes = [(one.seen.picture.shape[1], one.seen.picture.shape[0]) for one in found]
    places = None if region is None else regions(region, [one.name for one in found], sizes, boxes)
    words = "" if places is None else places[0].words if len({one.words for one in places}) == 1 else "the regions"
    alarm = Alarm(on_focus_below, on_focus_above, patience, stop, words)
    subjects = [
        _subject(n, one, looking.label_of(one), None if places is None else places[n]) for n, one in enumerate(found)
    ]
    keeping, again = Keeping(folder), resume and (folder / "watch.json").exists()
    about = {
        "pictures": [
            {"name": one.name, "label": subject.label, "file": subject.file, "width": w, "height": h, "box": list(box)}
            for one, subject, (w, h), box in zip(found, subjects, sizes, boxes, strict=True)
        ],
        "every": every,
        "unit": unit,
        "region": None if places is None else {"words": words},
        "alarm": alarm.about(),
        "alarms": [],
    }
    if is_first():
        _begun(keeping, about, subjects, method, again)
    made = Watch(
        looking,
        found,
        places,
        alarm,
        keeping,
        Drawing(keeping, [Roll(subject) for subject in subjects]),
        Telling(folder, tensorboard if is_first() else None, log),
        every,
        unit == "step",
    )
    if again:
        made._go_on()
    else:
        made._start()
    return made


def _folder(out: str | Path, resume: bool) -> Path:
    """Raises InputError: an earlier training was watched into it, and this one is not to go on with that."""
    folder = Path(out).absolute()  # the program may go elsewhere
    if (folder / "watch.json").exists() and not resume and is_first():
        raise InputError(
            f"out={str(out)!r}, which holds an earlier training",
            "a folder of its own for each training",
            "name another, remove it, or go on with it by resume=True",
        )
    return folder


def _begun(keeping: Keeping, about: dict[str, Any], subjects: Sequence[Subject], method: str, again: bool) -> None:
    if not again:
        keeping.begin(about, [one.pixels for one in subjects], [one.outline for one in subjects])
        return
    keeping.go_on()
    before, now = ([one["name"] for one in each["pictures"]] for each in (keeping.about, about))
    if before != now:
        came = f"resume=True with {len(now)} pictures ({', '.join(now[:3])} ...), which are not those watched before"
        raise InputError(
            came, f"the same: {', '.join(before[:3])} ...", "hand over the same ones, or name another out="
        )
    if keeping.about.get("region") != about["region"] or keeping.about.get("method", method) != method:
        had = [each and each["words"] for each in (keeping.about.get("region"), about["region"])]
        raise InputError(
            f"resume=True with method {method!r} and region {had[1]}",
            f"those of before: {keeping.about.get('method', method)!r} and {had[0]}",
            "ask the same, or name another out=: numbers of two questions make no curve",
        )
    keeping.tell(**{key: about[key] for key in ("every", "unit", "alarm")})


def _subject(number: int, one: Picked, label: str | None, region: Region | None) -> Subject:
    """A small copy of the picture, to be drawn on."""
    whole = Image.fromarray(one.seen.picture)
    share = min(1.0, THUMB / max(whole.size))
    size = max(1, round(whole.width * share)), max(1, round(whole.height * share))
    small = np.asarray(whole if share == 1 else whole.resize(size, Image.Resampling.LANCZOS))
    left, top, right, bottom = one.seen.box
    across, down = size[0] / whole.width, size[1] / whole.height
    box: Box = (left * across, top * down, right * across, bottom * down)
    outline = None if region is None else region.outline(small.shape[:2])
    return Subject(one.name, label, file_name(number, one.name), small, box, outline)
