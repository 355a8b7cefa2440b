"""What others would do to find a shortcut: cluster heat maps or features, and look at the cluster that turns most.

- SpRAy-like (after Lapuschkin et al. 2019, arXiv:1902.10178): spectral clustering of Grad-CAM maps by the neighbours of
  each, into as many clusters as the largest gap of the Laplacian's eigenvalues says.
- k-means of the last layer's pooled features.

Both for the pictures predicted as each class. The clusters of all classes are ranked by the mean share of pastes of
what their pictures look at that turn the receiver to the class: three pastes of each picture.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.neighbors import kneighbors_graph

import seewhy as sw
from seewhy.studies.shortcuts.classes import Class, Receivers, described, receivers
from seewhy.studies.shortcuts.covering import pasted
from seewhy.studies.shortcuts.heat import regions
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.sampling import Reader, sampled

NAMES = ("spectral clusters of heat maps", "k-means of features, 4", "k-means of features, 8")
_NEIGHBOURS, _MOST, _SMALLEST, _PASTES = 10, 8, 10, 3


@dataclass(frozen=True)
class Cluster:
    """Pictures of one predicted class.

    Args:
        label: the class.
        paths: of its pictures.
        turned: the share of pastes that turn the receiver.
    """

    label: str
    paths: tuple[str, ...]
    turned: float


def clusters(run: sw.Run, model: Any) -> dict[str, list[Cluster]]:
    """Of each way of clustering the clusters of all classes, the one that turns most first."""
    sample = sampled(run, 500, 0)
    assert run.root is not None
    reader = Reader(run.root, model)
    _, images = reader.read(sample.receivers[:1])
    looker = Looker(model, images[0], run.settings.get("layer"))
    others = receivers(sample.receivers, reader, looker)
    table = run.select(["id", "map", "pooled"])
    where = {number: row for row, number in enumerate(table["id"].to_pylist())}
    maps, features = (np.array(table[name].to_pylist(), np.float64) for name in ("map", "pooled"))
    found: dict[str, list[Cluster]] = {name: [] for name in NAMES}
    for index, pictures in sample.classes.items():
        each = described(index, pictures, reader, looker, lambda count: None)
        if each is None:
            continue
        turned = _turned(each, reader, looker, others)
        rows = [where[one.id] for one in each.pictures]
        ways = _spectral(maps[rows]), _means(features[rows], 4), _means(features[rows], 8)
        for name, numbers in zip(NAMES, ways, strict=True):
            for number in range(numbers.max() + 1):
                own = np.flatnonzero(numbers == number)
                if len(own) >= _SMALLEST:  # fewer turn or do not by chance
                    paths = tuple(each.pictures[i].path for i in own)
                    found[name].append(Cluster(run.name(index), paths, float(turned[own].mean())))
    return {name: sorted(group, key=lambda one: -one.turned) for name, group in found.items()}


def _turned(of: Class, reader: Reader, looker: Looker, others: Receivers) -> Any:
    """float [n]: of three pastes of what each picture looks at, the share that turns the receiver to the class."""
    _, images = reader.read(of.pictures)
    masks = regions(of.heat, images.shape[1:3])
    chosen = np.random.default_rng([0, of.index, 3]).choice(others.of_others(of.index), (_PASTES, len(images)))
    scores = [looker.scores(pasted(images, masks, others.images[each])) for each in chosen]
    return np.mean([each.predicted == of.index for each in scores], axis=0)


def _spectral(maps: Any) -> Any:
    """Cluster numbers [n] of maps [n, cells]."""
    shares = maps / np.maximum(maps.sum(axis=1, keepdims=True), 1e-9)
    graph = kneighbors_graph(shares, min(_NEIGHBOURS, len(shares) - 1), include_self=False).toarray()
    near = np.maximum(graph, graph.T)
    root = 1 / np.sqrt(np.maximum(near.sum(axis=1), 1))
    values = np.linalg.eigvalsh(np.eye(len(near)) - root[:, None] * near * root)[: _MOST + 1]
    count = 2 + int(np.diff(values)[1:].argmax())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the graph has parts
        return SpectralClustering(count, affinity="precomputed", random_state=0).fit_predict(near)


def _means(features: Any, count: int) -> Any:
    return KMeans(count, n_init=10, random_state=0).fit_predict(features)
