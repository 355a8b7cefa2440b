"""An audit: a whole data set explained, part by part, on disk, to be resumed at any time."""

from __future__ import annotations

import itertools
import os
import platform
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from seewhy import __version__
from seewhy.errors import InputError, SeeWhyWarning
from seewhy.results.record import table_of
from seewhy.results.run import Run
from seewhy.results.run import open as opened
from seewhy.results.store import Store, key_of
from seewhy.studies.checking import PICTURES, checked, sampled
from seewhy.studies.data import Data, Files, Sample, Stream, as_data
from seewhy.studies.observing import Plan, Ready, halved, ready, rows_of
from seewhy.studies.planning import Asked, planned

SMALL, LARGE = 256, 2_048  # pictures of a part: of few pictures, so that little is lost, and of many
_MANY = 25_000
_FIRST = 64  # pictures among which one must be readable
_PACKAGES = ("numpy", "pillow", "torch", "keras", "tensorflow", "jax")


@dataclass(frozen=True)
class Progress:
    """How far an audit is.

    Args:
        done: pictures, those of an earlier session included.
        total: None of a stream.
        failed: of those done now.
        right, judged: correct answers among those with a label, of those done now.
        fresh: pictures done now.
        about: the run, as its run.json has it.
    """

    done: int
    total: int | None
    failed: int = 0
    right: int = 0
    judged: int = 0
    fresh: int = 0
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)


def audit(
    model: Any,
    data: Any,
    out: str | Path,
    *,
    method: str = "gradcam",
    layer: Any = None,
    classes: Mapping[str, str | int | None] | None = None,
    labelled: bool = True,
    split: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    batch_size: int = 32,
    part_size: int | None = None,
    workers: int | None = None,
    pooled: bool = True,
    fast_decode: int | None = None,
    check: bool = True,
    progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> Run:
    """Explains every picture of a data set and keeps it in a folder: what was said, how sure, and where it looked.

    Called again with the same settings it goes on where it was stopped, whatever stopped it.

    Args:
        model: as in `explain`. It is left as it was found.
        data: a folder (the folders in it are the labels), a manifest (.csv or .parquet with a column 'path', and where
            known 'label', 'box', 'mask', 'group', 'split'), a map-style data set, or a stream of (picture, label).
        out: the run's folder.
        method, layer, options: as in `explain`; one layer. The target is the predicted class, and where the label is
            another one, the label as well.
        classes: the model's class for labels of the data that do not have its name; None for those without one.
        labelled: False: the data's labels, or the folders' names, say nothing.
        split: of a manifest, only these rows.
        limit, seed: only so many pictures, drawn by chance.
        batch_size: pictures through the model at a time; halved where the device's memory does not hold them.
        part_size: pictures in a file of the run; default: 256, of more than 25,000 pictures 2,048.
        workers: threads that read and prepare; default: as many as processors, at most 8.
        pooled: keep the layer's plain mean over the picture, too.
        fast_decode: decode large JPEGs at a fraction of their size, down to so many pixels of the shorter side.
        check: have a look at 64 pictures first, as `seewhy.check` does, and warn of what looks wrong.
        progress: called before the first batch and after each.
    Returns:
        The `Run`, also to be had by `open(out)`.
    Raises:
        InputError: the data, the labels or a setting cannot be used; another process writes to the folder; or it holds
            a run of other settings, which are named.
    """
    for name, value in (("batch_size", batch_size), ("part_size", part_size), ("limit", limit), ("workers", workers)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise InputError(f"{name}={value!r}", "a whole number, at least 1", "leave it out for the default")
    store = Store(Path(out))
    listed: Data = as_data(data, labelled=labelled, split=split, leave_out=store.folder.resolve())
    with store.locked():
        before = store.about() if store.exists else None
        if before is not None:
            listed = _as_before(listed, store, limit, before)
        elif limit is not None:
            listed = _drawn(listed, limit, seed)
        asked = Asked(method, layer, options, classes, pooled, fast_decode, batch_size, part_size, limit, seed)
        threads = workers or min(os.cpu_count() or 1, 8)
        _audit(model, listed, store, asked, before, threads, check and before is None, progress)
    return opened(out)


def _audit(
    model: Any,
    listed: Data,
    store: Store,
    asked: Asked,
    before: Mapping[str, Any] | None,
    workers: int,
    look: bool,
    progress: Callable[[Progress], None] | None,
) -> None:
    """The work itself, while the folder is locked."""
    total = None if isinstance(listed, Stream) else len(listed)
    size = asked.part_size or (SMALL if total is None or total <= _MANY else LARGE)
    first: Iterable[Sample]
    if isinstance(listed, Stream):
        first, samples = _peeked(listed.samples())
    else:
        first = (listed.sample(number) for number in range(min(_FIRST, len(listed))))
    layout = None if before is None else bool(before["settings"].get("channels_last"))
    plan, settings = planned(model, listed, first, replace(asked, part_size=size), layout)
    about = _about(settings, plan, listed)
    if look and not isinstance(listed, Stream):
        about["check"] = _checked(plan, listed, asked.seed)
    if before is None:
        store.begin(about, listed.table if isinstance(listed, Files) else None)
    else:
        _same(before["settings"], settings, store.folder)
    if isinstance(listed, Stream):
        todo: Iterable[tuple[int, int]] = ((number, size) for number in itertools.count())
        done = 0
    else:
        shares = [(number, min(size, len(listed) - number * size)) for number in range(-(-len(listed) // size))]
        sound = store.sound()
        todo = [(number, rows) for number, rows in shares if number not in sound]
        samples = (listed.sample(n * size + i) for n, rows in todo for i in range(rows))
        done = len(listed) - sum(rows for _, rows in todo)
    tally, started = _Tally(Progress(done, total, about=before or about), progress), time.monotonic()
    with closing(_prepared(samples, plan, workers, 3 * asked.batch_size)) as pictures:
        for number, rows in todo:
            share = itertools.islice(pictures, rows)
            table = part(share, plan, asked.batch_size, {"run": about["key"], "part": str(number)}, tally)
            if not table.num_rows:
                break
            store.write_part(number, table)
            store.log(part=number, rows=table.num_rows, seconds=round(time.monotonic() - started, 2))
    if isinstance(listed, Stream):
        settings["data"]["pictures"] = tally.now.done
        store.begin(about | {"settings": settings}, None)


def part(
    pictures: Iterable[Ready], plan: Plan, batch_size: int, metadata: Mapping[str, str], tally: _Tally | None = None
) -> Any:
    """The rows of one part, as a table: the same for the same pictures, plan and batch size.

    Args:
        pictures: of this part alone, in order.
        metadata: kept in the file.
    """
    rows: list[dict[str, Any]] = []
    pictures = iter(pictures)
    while batch := list(itertools.islice(pictures, batch_size)):
        found = halved(lambda items: rows_of(items, plan), batch)
        if tally is not None:
            tally.add(found)
        rows += found
    return table_of(rows, dict(metadata))


class _Tally:
    """Counts what is done and tells it."""

    def __init__(self, now: Progress, told: Callable[[Progress], None] | None) -> None:
        self.now, self.told = now, told
        if told is not None:
            told(now)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        judged = [row["correct"] for row in rows if row.get("correct") is not None]
        self.now = replace(
            self.now,
            done=self.now.done + len(rows),
            failed=self.now.failed + sum(row.get("error") is not None for row in rows),
            right=self.now.right + sum(judged),
            judged=self.now.judged + len(judged),
            fresh=self.now.fresh + len(rows),
        )
        if self.told is not None:
            self.told(self.now)


def _prepared(samples: Iterable[Sample], plan: Plan, workers: int, ahead: int) -> Generator[Ready]:
    """Pictures read and prepared by threads, in order, at most `ahead` of what is asked for."""
    waiting: deque[Future[Ready]] = deque()
    pool = ThreadPoolExecutor(workers, "seewhy")
    try:
        for sample in samples:
            waiting.append(pool.submit(ready, sample, plan))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _peeked(samples: Iterator[Sample]) -> tuple[list[Sample], Iterator[Sample]]:
    """The first few, and all of them."""
    first = list(itertools.islice(samples, _FIRST))
    if not first:
        raise InputError("a stream without pictures", "at least one picture", "check how it is made")
    return first, itertools.chain(first, samples)


def _checked(plan: Plan, listed: Data, seed: int) -> dict[str, Any]:
    """What a look at a few pictures tells; what looks wrong is a warning too."""
    found = checked(plan, sampled(listed, PICTURES, seed))
    if found.warning:
        warnings.warn(found.warning, SeeWhyWarning, stacklevel=4)
    return asdict(found)


def _drawn(listed: Data, limit: int, seed: int) -> Data:
    """So many pictures by chance, in their order; of a stream the first."""
    if isinstance(listed, Stream):
        return replace(listed, items=itertools.islice(listed.items, limit))
    if limit >= len(listed):
        return listed
    numbers = sorted(np.random.default_rng(seed).choice(len(listed), limit, replace=False).tolist())
    return listed.select(numbers)


def _as_before(listed: Data, store: Store, limit: int | None, before: Mapping[str, Any]) -> Data:
    """The data of a run begun earlier.

    Raises:
        InputError: the data are others, or a stream, which cannot be read again.
    """
    if isinstance(listed, Stream):
        raise InputError(
            f"a stream for the run in {str(store.folder)!r}, which was begun before",
            "a new folder: a stream cannot be read again, so its run cannot be gone on with",
            "audit into another folder; a data set with an index, a folder or a manifest can be resumed",
        )
    if not isinstance(listed, Files):
        return _drawn(listed, limit, before["settings"].get("seed", 0)) if limit else listed
    stored = Files(store.listing(), listed.root, listed.kind)
    old, new = set(stored.table["path"].to_pylist()), set(listed.table["path"].to_pylist())
    added = sorted(new - old) if limit is None and before["settings"].get("limit") is None else []
    if added or not old & new:
        what = ", ".join(map(repr, added[:3])) + (" ..." if len(added) > 3 else "")
        raise InputError(
            f"the run in {str(store.folder)!r} is of {len(old):,} pictures; {len(added):,} others are here now: {what}",
            "the same pictures (those that vanished are told in their rows)",
            "audit into another folder",
        )
    return stored


def _same(before: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Raises an InputError that names the differences of settings."""
    different = _differences(before, now)
    if different:
        raise InputError(
            f"the run in {str(folder)!r} has other settings: {'; '.join(different[:4])}",
            "the same settings, to go on with it",
            "audit into another folder, or give the settings of before",
        )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], path: str = "") -> list[str]:
    found = []
    for key in dict.fromkeys((*before, *now)):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += _differences(old, new, f"{path}{key} ")
        elif old != new:
            found.append(f"{path}{key} {_short(old)}, now {_short(new)}")
    return found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _about(settings: dict[str, Any], plan: Plan, listed: Data) -> dict[str, Any]:
    return {
        "key": key_of(settings),
        "settings": settings,
        "root": None if listed.root is None else str(Path(listed.root).resolve()),
        "versions": _versions(plan),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "notes": list(plan.matching.notes),
    }


def _versions(plan: Plan) -> dict[str, str]:
    """What else decides over the last bits of a map."""
    found = {"seewhy": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in _PACKAGES:
        if name == "pillow" or name in sys.modules:
            with suppress(PackageNotFoundError):
                found[name] = version(name)
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch threads"] = str(torch.get_num_threads())
    found["device"] = str(getattr(plan.model, "device", "as the framework chose"))
    return found
