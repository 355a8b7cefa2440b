"""Does a map notice that the network's weights are wrong? Weights by chance, from the top down.

After Adebayo et al. 2018, 'Sanity Checks for Saliency Maps', arXiv:1810.03292: the weights of the classifier, then of
the last convolution too, then of the last three blocks too, then all, are drawn anew (normal, with their own spread;
biases and norms stay), and each map is held against the original one by Spearman's rank correlation of all pixels, the
mean over pictures and draws. A map that hardly changes is no explanation of what the network learnt.

What an independent study measured on 12 pictures stands below (`published.py`), with draws of its own; the exit status
is 1 where a method that passes there (below a half at every stage but the first) does not here, or the reverse.
"""

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from nets import NETWORKS, Network, network, ready_folder, table
from pictures import ilsvrc
from published import COMPETING, GUIDED, RANDOMISED
from scipy.stats import rankdata

import seewhy as sw

COLUMNS = ("classifier", "+ last convolution", "+ three blocks", "all")
METHODS = ("gradcam", "gradcam++", "layercam", GUIDED, COMPETING)
Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=NETWORKS, default=NETWORKS[0])
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--draws", type=int, default=1)
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 0
    used = network(asked.network)
    pictures = ilsvrc(folder, used)[: asked.pictures]
    images = [used.image(picture.pixels) for picture in pictures]
    classes = [picture.classes[0] for picture in pictures]
    draws = [stages(used, seed) for seed in range(asked.draws)]
    lines, off = [], []
    for name in asked.methods:
        original = [ranked(one) for one in used.maps(images, classes, name)]
        found = [
            float(np.mean([of_stage(after, images, classes, name, original) for after in of_draws]))
            for of_draws in zip(*draws, strict=True)
        ]
        lines.append([name, *(f"{value:.2f}" for value in found)])
        published = RANDOMISED[asked.network].get(name)
        if published is not None:
            lines.append(["  published", *(f"{value:.2f}" for value in published)])
            off += [name] if passes(found) != passes(published) else []
    print(table([f"{asked.network}, {len(pictures)} pictures, draws: {len(draws)}", *COLUMNS], lines))
    print("all as published" if not off else f"departs from what is published: {', '.join(off)}")
    return 1 if off else 0


def passes(correlations: Any) -> bool:
    return all(value < 0.5 for value in correlations[1:])


def of_stage(
    after: Network, images: list[torch.Tensor], classes: list[int], method: str, original: list[Floats]
) -> Any:
    """Correlation with the original maps' ranks, the mean over the pictures."""
    maps = after.maps(images, classes, method)
    return np.mean([alike(ranks, ranked(one)) for ranks, one in zip(original, maps, strict=True)])


def stages(used: Network, seed: int) -> list[Network]:
    """The network with more and more of its weights by chance, from the top."""
    draw = torch.Generator().manual_seed(seed)
    module = copy.deepcopy(used.model.module)
    done: set[str] = set()
    found = []
    for prefixes in (*used.stages, ("",)):
        with torch.no_grad():
            for name, weights in module.named_parameters():
                if name.startswith(prefixes) and name not in done and weights.ndim > 1:
                    weights.copy_(torch.randn(weights.shape, generator=draw) * weights.std())
                    done.add(name)
        found.append(replace(used, model=sw.wrap(copy.deepcopy(module), name=used.name)))
    return found


# measures: of maps float [height, width]


def ranked(values: Floats) -> Floats:
    """[pixels]: ranks, shared where values are alike."""
    return np.asarray(rankdata(values.ravel()))


def alike(ranks: Floats, others: Floats) -> float:
    """Spearman's correlation from the ranks; 0 where a map is the same everywhere."""
    if not np.ptp(ranks) or not np.ptp(others):
        return 0.0
    return float(np.corrcoef(ranks, others)[0, 1])


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
