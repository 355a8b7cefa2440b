"""An audit: a whole data set explained, part by part, on disk, to be resumed at any time."""

from __future__ import annotations

import itertools
import os
import platform
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from seewhy import __version__
from seewhy.errors import InputError, SeeWhyError, SeeWhyWarning
from seewhy.results.record import table_of
from seewhy.results.run import Run
from seewhy.results.run import open as opened
from seewhy.results.store import Store, key_of
from seewhy.studies.checking import PICTURES, checked, sampled
from seewhy.studies.data import Data, Files, Sample, Stream, as_data
from seewhy.studies.observing import Plan, Ready, halved, ready, rows_of
from seewhy.studies.planning import Asked, planned, settings_of

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
    sizes = {
        "batch_size": batch_size,
        "part_size": part_size,
        "limit": limit,
        "workers": workers,
        "fast_decode": fast_decode,
    }
    for name, value in (*sizes.items(), ("seed", seed)):
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if value is not None and not (whole and value >= (name != "seed")):
            least = "at least 1" if name != "seed" else "at least 0"
            raise InputError(f"{name}={value!r}", f"a whole number, {least}", "leave it out for the default")
    store = Store(Path(out))
    if isinstance(data, str | Path) and store.folder.resolve() == Path(data).resolve():
        raise InputError(f"the data's own folder {str(out)!r} for the run", "another folder", "write runs/first")
    listed: Data = as_data(data, labelled=labelled, split=split, leave_out=store.folder.resolve())
    with store.locked():
        before = store.about() if store.exists else None
        if before is not None:
            listed = _as_before(listed, store, limit, before)
        elif limit is not None:
            listed = _drawn(listed, int(limit), seed)
        asked = Asked(
            method,
            layer,
            options,
            classes,
            pooled=bool(pooled),
            fast_decode=_whole(fast_decode),
            batch_size=int(batch_size),
            part_size=_whole(part_size),
            limit=_whole(limit),
            seed=int(seed),
            labelled=bool(labelled),
            split=split,
        )
        threads = workers or min(os.cpu_count() or 1, 8)
        _audit(model, listed, store, asked, before, threads, check and before is None, progress)
    return opened(out)


def _audit(
    model: Any,
    listed: Data,
    store: Store,
    asked: Asked,
    before: dict[str, Any] | None,
    workers: int,
    look: bool,
    progress: Callable[[Progress], None] | None,
) -> None:
    """The work itself, while the folder is locked."""
    stream = listed.samples() if isinstance(listed, Stream) else None
    total = None if isinstance(listed, Stream) else len(listed)
    size = asked.part_size or (SMALL if total is None or total <= _MANY else LARGE)
    first = list(itertools.islice(stream, _FIRST)) if stream is not None else []
    if stream is not None and not first:
        raise InputError("a stream without pictures", "at least one picture", "check how it is made")
    few = first or (listed.sample(number) for number in range(min(_FIRST, total or 0)))  # type: ignore[union-attr]
    layout = None if before is None else bool(before["settings"].get("channels_last"))
    plan, scores = planned(model, listed, few, asked, layout)
    settings = settings_of(plan, scores, listed, replace(asked, part_size=size))
    about = _begun(store, plan, listed, settings, before, asked.seed if look else None)
    done: set[int] = set() if total is None else store.sound(about["key"])
    tally = _Tally(Progress(_rows_of(done, size, total), total, about=about), progress)
    samples = itertools.chain(first, stream or ())
    for number in itertools.count() if total is None else range(-(-total // size)):
        if number in done:
            continue
        if isinstance(listed, Stream):
            share: Iterable[Sample] = itertools.islice(samples, size)
        else:
            share = map(listed.sample, range(number * size, min((number + 1) * size, len(listed))))
        started = time.monotonic()
        table = part(share, plan, asked.batch_size, workers, {"run": about["key"], "part": str(number)}, tally.add)
        if not table.num_rows:
            break
        store.write_part(number, table)
        store.log(part=number, rows=table.num_rows, seconds=round(time.monotonic() - started, 2))
    if total is None:
        settings["data"]["pictures"] = tally.now.done
        store.begin(about | {"settings": settings}, None)


def part(
    samples: Iterable[Sample],
    plan: Plan,
    batch_size: int,
    workers: int,
    metadata: Mapping[str, str],
    told: Callable[[Sequence[Mapping[str, Any]]], None] | None = None,
) -> pa.Table:
    """The rows of one part: the same for the same pictures, plan and batch size, whoever computes them.

    Args:
        samples: the pictures of this part, in order.
        plan: how they are looked at.
        batch_size: how many go through the model at a time.
        workers: threads that read and prepare, while the model works.
        metadata: kept in the table's schema.
        told: called with the rows of each batch.
    Returns:
        A table with the columns of `record.SCHEMA`, a row for each picture.
    """
    rows: list[dict[str, Any]] = []
    with closing(_prepared(samples, plan, workers, 3 * batch_size)) as pictures:
        while batch := list(itertools.islice(pictures, batch_size)):
            found = halved(lambda items: rows_of(items, plan), batch)
            if told is not None:
                told(found)
            rows += found
    return table_of(rows, dict(metadata))


def _whole(value: int | None) -> int | None:
    return None if value is None else int(value)


def _rows_of(parts: set[int], size: int, total: int | None) -> int:
    """How many pictures these parts hold."""
    return 0 if total is None else sum(max(min(size, total - number * size), 0) for number in parts)


def _begun(
    store: Store, plan: Plan, listed: Data, settings: dict[str, Any], before: dict[str, Any] | None, look: int | None
) -> dict[str, Any]:
    """The run as its run.json has it, which is written first.

    Args:
        look: the seed of a look at a few pictures; None for no look.
    Raises:
        InputError: an earlier session had other settings.
    """
    now = _about(settings, plan, listed)
    if before is None:
        if look is not None and not isinstance(listed, Stream):
            now["check"] = _checked(plan, listed, look)
        store.begin(now, listed.table if isinstance(listed, Files) else None)
        return now
    _same(before["settings"], settings, store.folder)
    other = _differences(before["versions"], now["versions"])
    if other:
        warnings.warn(
            f"the run in {str(store.folder)!r} was begun with other versions: {'; '.join(other[:4])}\n"
            "  expected: the same, for parts with the same last bits\n"
            "  to do: nothing, if that does not matter; run.json names both",
            SeeWhyWarning,
            stacklevel=4,
        )
        before.setdefault("resumed", []).append({"created": now["created"], "versions": now["versions"]})
    if other or before["root"] != now["root"]:
        before["root"] = now["root"]  # the pictures were moved
        store.begin(before, None)
    return before


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


def _checked(plan: Plan, listed: Data, seed: int) -> dict[str, Any]:
    """What a look at a few pictures tells; what looks wrong is a warning too."""
    try:
        found = checked(plan, sampled(listed, PICTURES, seed))
    except (SeeWhyError, RuntimeError) as error:  # it precedes the work, and must not prevent it
        return {"accuracy": None, "warning": "", "pictures": 0, "error": str(error)}
    if found.warning:
        warnings.warn(found.warning, SeeWhyWarning, stacklevel=4)
    return asdict(found)


def _drawn(listed: Data, limit: int, seed: int) -> Data:
    """So many pictures by chance, in their order; of a stream the first."""
    if isinstance(listed, Stream):
        return replace(listed, most=limit)
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
    both = old & new
    if not stored.among(both).equals(listed.among(both)):
        raise InputError(
            f"labels, boxes, masks, groups or splits that differ from those of the run in {str(store.folder)!r}",
            "the same, to go on with it",
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
