"""What a model looked at, in groups: pictures in which it attended to like things."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Floats, Ints, floats, ints, lists
from seewhy.results.questions.confusion import names_of
from seewhy.results.questions.focus import grid_of, shares
from seewhy.results.questions.looking import PLACES
from seewhy.results.questions.measures import wilson
from seewhy.results.tables import aligned, html, percent, percents

if TYPE_CHECKING:
    from seewhy.results.run import Run

LEAST = 30  # pictures; of fewer no groups are made
OF_CLASS, CLASSES = 60, 12  # answers that a class needs for groups of its own; at most so many such classes
SAMPLE = 20_000  # pictures that groups are found from
_DIMENSIONS, _MOST = 30, 12
_KEPT = 24  # nearest and farthest pictures of a group
_ALIKE = 1e-8  # variance of unit vectors that differ only by rounding
_MAPS = 2_000  # of a group's maps the mean is taken of so many at most


@dataclass(frozen=True, eq=False)
class Cluster:
    """Pictures in which the model looked at like things.

    Args:
        name: the predicted class and a number; '' where groups were made over all classes.
        pictures: how many.
        accuracy, accuracy_interval: share of right answers, Wilson 95 %; None without labels.
        labels, predicted: (class index, pictures), the most frequent first.
        border, corners, inside_box, inside_mask: mean shares of the map; None where not known.
        map: float32 [h, w], the mean of the maps as shares that add up to 1, over what the model saw.
        typical, odd: places in the data: of the pictures nearest to the middle, and farthest from it.
    """

    name: str
    pictures: int
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None
    labels: tuple[tuple[int, int], ...]
    predicted: tuple[tuple[int, int], ...]
    border: float | None
    corners: float | None
    inside_box: float | None
    inside_mask: float | None
    map: Floats
    typical: tuple[int, ...]
    odd: tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Clusters(Sequence[Cluster]):
    """The groups of a run, largest first; prints as a table.

    Args:
        run: of these pictures.
        items: the groups.
        how: how they were made, as a sentence.
        reason: why there are none; '' where there are.
        ids, places: int [pictures], which picture is in which group.
    """

    run: Run
    items: tuple[Cluster, ...]
    how: str
    reason: str
    ids: Ints
    places: Ints

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    def members(self, place: int) -> Ints:
        """The places in the data of a group's pictures, in the order of the data."""
        return np.sort(self.ids[self.places == range(len(self))[place]])

    def __repr__(self) -> str:
        if not self.items:
            return f"no groups of what it looked at: {self.reason}"
        return f"what it looked at: {len(self)} groups\n" + aligned(self._cells(), (1, 2, 6, 7)) + f"\n{self.how}"

    def _repr_html_(self) -> str:
        return html(self._cells(), (1, 2, 6, 7), self.how) if self.items else f"<p>{self!r}</p>"

    def _cells(self) -> list[list[str]]:
        head = ["group", "pictures", "accuracy", "", "answers", "labels", "border", "corners"]
        return [head, *(self._row(number, one) for number, one in enumerate(self.items, start=1))]

    def _row(self, number: int, one: Cluster) -> list[str]:
        sure = [percent(one.accuracy), percents(one.accuracy_interval)]
        classes = [_most(self.run, one.predicted), _most(self.run, one.labels)]
        return [
            one.name or f"group {number}",
            f"{one.pictures:,}",
            *sure,
            *classes,
            percent(one.border),
            percent(one.corners),
        ]


@dataclass(frozen=True, eq=False)
class _Split:
    """How the answers of one class, or all, are told apart: unit vectors, projected, to the nearest centre."""

    index: int | None
    mean: Floats  # [channels]
    axes: Floats  # [dimensions, channels]
    centres: Floats  # [groups, dimensions]

    def nearest(self, vectors: Floats) -> tuple[Ints, Floats]:
        """The group of each vector and the squared distance to its centre: int, float [pictures]."""
        z = (vectors - self.mean) @ self.axes.T
        far = (z**2).sum(1)[:, None] - 2 * z @ self.centres.T + (self.centres**2).sum(1)
        place = far.argmin(axis=1)
        return place, far[np.arange(len(z)), place]


def looked_at(run: Run, seed: int = 0) -> Clusters:
    """See `Run.looked_at`."""
    held = run.select(["id", "predicted_index"], where=_MAPPED)
    ids, said = ints(held["id"]), ints(held["predicted_index"])
    if len(ids) < LEAST:
        return _none(run, f"{len(ids)} pictures have a map, and groups need {LEAST} or more.")
    draw = np.random.default_rng(seed)
    chosen = ids if len(ids) <= SAMPLE else np.sort(draw.choice(ids, SAMPLE, replace=False))
    columns = ["id", "predicted_index", "attended"]
    pieces = list(_vectors(run, columns, _MAPPED & _among(chosen)))
    if sum(len(piece[0]) for piece in pieces) < LEAST:
        return _none(run, "too few pictures say what was attended to.")
    _, of, vectors = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    del pieces
    classes = _own(said)
    splits = [_split(vectors[of == index], index, seed) for index in classes] or [_split(vectors, None, seed)]
    return _filled(run, splits, len(ids), len(chosen), seed)


_MAPPED = (pc.field("map_scale") > 0) & pc.field("attended").is_valid() & pc.field("predicted_index").is_valid()


def _own(said: Ints) -> list[int]:
    """The classes that get groups of their own: all common ones, where these are few and nearly all answers."""
    classes, counts = np.unique(said, return_counts=True)
    large = counts >= OF_CLASS
    few = 0 < np.count_nonzero(large) <= CLASSES and counts[large].sum() >= 0.8 * len(said)
    return [int(index) for index in classes[large]] if few else []


def _vectors(run: Run, columns: list[str], where: Any) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Id, predicted class and attended channels, of length 1; pictures that attended to nothing are left out."""
    channels = 0
    for batch in run.batches(columns, where=where):
        values, starts = lists(batch["attended"])
        channels = channels or int(np.diff(starts).max(initial=0))
        rows = np.flatnonzero(np.diff(starts) == channels)
        if not channels or not len(rows):
            continue
        found = values[starts[rows][:, None] + np.arange(channels)].astype(np.float32)  # [rows, channels]
        length = np.linalg.norm(found, axis=1)
        sound = np.isfinite(length) & (length > 0)
        rows, found, length = rows[sound], found[sound], length[sound]
        yield ints(batch["id"])[rows], ints(batch["predicted_index"])[rows], found / length[:, None]


def _split(vectors: Floats, index: int | None, seed: int) -> _Split:
    """The groups of vectors by k-means on their principal components.

    Directions are compared, not lengths, for a channel that is twice as strong everywhere is the same thing seen more
    clearly. The number of groups grows with the square root of that of pictures.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    n, channels = vectors.shape
    share = 3 if index is not None else 2
    groups = int(np.clip(round(n**0.5 / share), 2, 6 if index is not None else _MOST))
    dimensions = min(_DIMENSIONS, n - 1, channels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pictures that are all the same: one group, and no variance to explain
        components = PCA(dimensions, svd_solver="randomized" if dimensions < channels else "auto", random_state=seed)
        z = components.fit_transform(vectors)
        alike = float(z.var(axis=0).sum()) < _ALIKE
        found = KMeans(1 if alike else groups, n_init=5, random_state=seed).fit(z)
    kept = np.unique(found.labels_)
    centres = np.asarray(found.cluster_centers_[kept], np.float32)
    return _Split(
        index, np.asarray(components.mean_, np.float32), np.asarray(components.components_, np.float32), centres
    )


def _filled(run: Run, splits: list[_Split], pictures: int, sampled: int, seed: int) -> Clusters:
    """All pictures of the run, each in its group."""
    starts = np.cumsum([0, *(len(split.centres) for split in splits)])
    parts: list[tuple[Ints, Ints, Floats]] = []
    for ids, of, vectors in _vectors(run, ["id", "predicted_index", "attended"], _MAPPED):
        for split, start in zip(splits, starts[:-1], strict=True):
            rows = np.flatnonzero(of == split.index) if split.index is not None else np.arange(len(ids))
            if len(rows):
                place, far = split.nearest(vectors[rows])
                parts.append((ids[rows], (place + start).astype(np.int16), far.astype(np.float32)))
    ids, places, far = (np.concatenate(each) for each in zip(*parts, strict=True))
    by_id = np.argsort(ids)
    ids, places, far = ids[by_id], places[by_id], far[by_id]
    counts = np.bincount(places, minlength=starts[-1])
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] > 0]
    rank = np.zeros(starts[-1], np.int64)
    rank[order] = np.arange(len(order))
    places = rank[places]
    of_group = [next(s.index for s, end in zip(splits, starts[1:], strict=True) if group < end) for group in order]
    held = run.select(["id", "label_index", "predicted_index", "correct", *PLACES], where=_MAPPED)
    held = held.take(np.searchsorted(ints(held["id"]), ids))
    maps = _mean_maps(run, ids, places, seed)
    items = tuple(
        _cluster(name, held.filter(places == k), maps[k], ids[places == k], far[places == k])
        for k, name in enumerate(_named(run, of_group))
    )
    return Clusters(run, items, _how(splits, len(items), pictures, sampled, len(ids)), "", ids, places)


def _named(run: Run, classes: list[int | None]) -> list[str]:
    """'cat 1', 'dog 1', 'cat 2' ...: largest first of each class."""
    often: dict[int, int] = {}
    result = []
    for index in classes:
        if index is None:
            result.append("")
            continue
        often[index] = often.get(index, 0) + 1
        result.append(f"{names_of(run, [index])[0]} {often[index]}")
    return result


def _cluster(name: str, held: Any, map: Floats, ids: Ints, far: Floats) -> Cluster:
    by_far = ids[np.lexsort((ids, far))]
    correct = ints(held["correct"])
    right, judged = int((correct == 1).sum()), int((correct >= 0).sum())
    places = [floats(held[place]).astype(np.float64) for place in PLACES]
    means = [float(np.nanmean(each)) if np.isfinite(each).any() else None for each in places]
    return Cluster(
        name,
        len(ids),
        right / judged if judged else None,
        wilson(right, judged),
        _counts(ints(held["label_index"])),
        _counts(ints(held["predicted_index"])),
        means[0],
        means[1],
        means[2],
        means[3],
        map,
        tuple(by_far[:_KEPT].tolist()),
        tuple(by_far[::-1][:_KEPT].tolist()),
    )


def _mean_maps(run: Run, ids: Ints, places: Ints, seed: int) -> list[Floats]:
    """For each group, of so many of its maps that the mean does not depend on them."""
    draw = np.random.default_rng(seed)
    chosen = [ids[places == k] for k in range(int(places.max()) + 1)]
    chosen = [each if len(each) <= _MAPS else np.sort(draw.choice(each, _MAPS, replace=False)) for each in chosen]
    wanted = np.sort(np.concatenate(chosen))
    of = np.concatenate([np.full(len(each), k) for k, each in enumerate(chosen)])
    of = of[np.argsort(np.concatenate(chosen))]
    grid, _ = grid_of(run, {})
    totals = np.zeros((len(chosen), *grid))
    for batch in run.batches(["id", "map", "map_height", "map_width"], where=_among(wanted)):
        np.add.at(totals, of[np.searchsorted(wanted, ints(batch["id"]))], shares(batch, grid))
    return [(total / len(each)).astype(np.float32) for total, each in zip(totals, chosen, strict=True)]


def _among(ids: Ints) -> Any:
    # A list, not NumPy's memory: Arrow's threads may drop the last hold on that while Python ends, and abort it.
    return pc.field("id").isin(ids.tolist())


def _counts(classes: Ints) -> tuple[tuple[int, int], ...]:
    found, counts = np.unique(classes[classes >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return tuple((int(found[k]), int(counts[k])) for k in order)


def _most(run: Run, counts: tuple[tuple[int, int], ...], limit: int = 2) -> str:
    names = names_of(run, [index for index, _ in counts[:limit]])
    said = [f"{name} {pictures:,}" for name, (_, pictures) in zip(names, counts, strict=False)]
    return ", ".join(said) + (f", {len(counts) - limit:,} more" if len(counts) > limit else "")


def _how(splits: list[_Split], groups: int, pictures: int, sampled: int, placed: int) -> str:
    over = "for each class that was predicted often" if splits[0].index is not None else "over all classes"
    words = (
        f"{groups} groups by k-means {over}, on {len(splits[0].axes)} principal components of what the layer held "
        "where the map lies (directions, not lengths)."
    )
    if sampled < pictures:
        words += f" Found from {sampled:,} pictures drawn by chance; sizes and accuracy are of all {placed:,}."
    if placed < pictures:
        words += f" {pictures - placed:,} pictures are in none."
    return words


def _none(run: Run, reason: str) -> Clusters:
    return Clusters(run, (), "", reason, np.empty(0, np.int64), np.empty(0, np.int64))
