"""The passes through the model: heat and features of pictures, and the scores of changed ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewhy.errors import InputError
from seewhy.evidence import INPUT, Array, Evidence, Layer, Model
from seewhy.images.resizing import Floats
from seewhy.results.run import Run
from seewhy.studies.observing import halved
from seewhy.studies.shortcuts.heat import Masks, shares, sharp
from seewhy.targets import Aim, Scores, margins

BATCH = 32
_STRIDE = 8  # pixels of the image for a cell of the early layer, at most


@dataclass(frozen=True, eq=False)
class Looked:
    """What one pass with gradients tells of n images, for one class.

    Args:
        heat: [n, h, w], 0..1, at the early layer's resolution.
        dark: bool [n], where nothing speaks for the class, so that the heat is even.
        margins, chances: [n], of the class.
        attended, plain: [n, channels] of the early layer, under the heat and over the whole image.
        middle: [n, channels] of the middle layer, under the heat.
    """

    heat: Floats
    dark: Masks
    margins: Floats
    chances: Floats
    attended: Floats
    plain: Floats
    middle: Floats


class Looker:
    """A model, with the three layers that are looked at.

    Args:
        model: wrapped.
        image: one that it takes, [height, width, channels].
        last: the layer behind which pooling comes; None: as the model chooses.
        refit: called with the images of a batch before the model sees them.
    """

    def __init__(
        self, model: Model, image: Floats, last: str | None = None, refit: Callable[[Array], Array] | None = None
    ) -> None:
        self.model, self.refit = model, refit or (lambda images: images)
        one = self._batch(image[None])
        name = model.choose(None, one)[0][-1] if last is None else last
        self.early, self.middle, self.last = chosen(model.layers(one), name, image.shape[:2])

    def looked(self, images: Floats, index: int) -> Looked:
        """Heat and features for the margin of a class: one forward and one backward pass.

        Args:
            images: float [n, height, width, channels].
            index: the class.
        """
        with self.model.run(self._batch(images), [self.early, self.middle, self.last], frozenset({"gradients"})) as run:
            scores = Scores(run.scores, run.several)
            aim = Aim("margin", "", index, several=run.several, margin=True)
            early, middle, last = run.evidence([[aim] * len(images)])[0]
            heat, dark = sharp(_speaking(early), _gradcam(last))
            return Looked(
                heat=heat.astype(np.float32),
                dark=dark,
                margins=margins(scores.values, index, scores.several),
                chances=scores.probabilities[:, index],
                attended=_under(early, heat),
                plain=early.ops.numpy(early.ops.mean(early.activations, axis=(1, 2))),
                middle=_under(middle, heat),
            )

    def shown(self, images: Floats, weights: Floats, offset: float) -> Floats:
        """float [n, h, w], 0 or more: how much each cell of the early layer holds of what a direction stands for.

        Args:
            images: float [n, height, width, channels].
            weights: [channels of the early layer].
            offset: taken off.
        """
        aim = Aim("margin", "", 0, margin=True)  # evidence wants one; without gradients it does nothing
        found = []
        for start in range(0, len(images), 2 * BATCH):
            batch = self._batch(images[start : start + 2 * BATCH])
            with self.model.run(batch, [self.early], frozenset()) as run:
                early = run.evidence([[aim] * len(batch)])[0][0]
                direction = early.ops.asarray(weights, early.activations)
                along = early.ops.numpy(early.ops.einsum("nhwc,c->nhw", early.activations, direction))
                found.append(np.maximum(along - offset, 0))
        return np.concatenate(found)

    def scores(self, images: Floats) -> Scores:
        """The scores of images [n, height, width, channels]: forward passes alone."""
        several = False

        def ask(part: Sequence[Any]) -> list[Any]:
            nonlocal several
            with self.model.run(self._batch(np.stack(list(part))), [self.last], frozenset()) as run:
                several = run.several
                return list(run.scores)

        rows = [row for i in range(0, len(images), 2 * BATCH) for row in halved(ask, list(images[i : i + 2 * BATCH]))]
        return Scores(np.stack(rows), several)

    def _batch(self, images: Floats) -> Array:
        laid = np.moveaxis(images, -1, 1) if self.model.channels_first else images
        return self.refit(self.model.batch(list(np.ascontiguousarray(laid, dtype=np.float32))))


def looker_for(run: Run, model: Model, image: Floats) -> Looker:
    """A model with the layers of its run.

    Args:
        run: of the model.
        image: one that it takes, [height, width, channels].
    """
    layer = run.settings.get("layer")
    refit = getattr(model, "channels_last", None) if run.settings.get("channels_last") else None
    return Looker(model, image, None if layer == INPUT else layer, refit)


def chosen(layers: Sequence[Layer], last: str, side: tuple[int, int]) -> tuple[str, str, str]:
    """Names of an early, a middle and the last layer.

    Early is the last layer before the network becomes coarser than 8 pixels a cell, or than it is one step before its
    end; where all layers have one resolution, as in a transformer, that at half of the depth. The middle one is the
    last that is finer than the last layer, or, where early is that, the one in the middle between.

    Raises:
        InputError: fewer than three layers have a map.
    """
    usable = [one for one in layers if (one.block or one.name == last) and one.grid is not None]
    names = [one.name for one in usable]
    if last not in names or names.index(last) < 2:
        raise InputError(
            f"a model with {max(len(usable) - 1, 0)} layers with maps before {last!r}",
            "an early, a middle and a last one",
            "see layers(model); wrap(model, layer=...) names the last one, grid= the rows and columns of tokens",
        )
    usable = usable[: names.index(last) + 1]
    strides = [max(side) / max(one.grid) for one in usable if one.grid is not None]
    finer = [i for i, stride in enumerate(strides[:-1]) if stride < 0.75 * strides[-1]]
    fine = [i for i in finer if strides[i] <= 1.3 * _STRIDE]
    early = fine[-1] if fine else (len(usable) - 1) // 2
    middle = finer[-1] if finer and finer[-1] > early else (early + len(usable) - 1) // 2
    return usable[early].name, usable[middle].name, last


def _speaking(evidence: Evidence) -> Floats:
    """float [n, h, w]: what speaks for the class, each channel for itself."""
    assert evidence.gradients is not None
    ops = evidence.ops
    # ReLU after the product: in a linear bottleneck activations are below zero as well.
    return ops.numpy(ops.sum(ops.relu(evidence.activations * evidence.gradients), axis=3))


def _gradcam(evidence: Evidence) -> Floats:
    """float [n, h, w]: Grad-CAM, Selvaraju et al. 2017, eq. 1-2."""
    assert evidence.gradients is not None
    ops = evidence.ops
    weights = ops.mean(evidence.gradients, axis=(1, 2))
    return ops.numpy(ops.relu(ops.einsum("nc,nhwc->nhw", weights, evidence.activations)))


def _under(evidence: Evidence, heat: Floats) -> Floats:
    """float [n, channels]: the layer's channels averaged under the heat."""
    A = evidence.activations
    weights = shares(heat, (int(A.shape[1]), int(A.shape[2])))
    return evidence.ops.numpy(evidence.ops.einsum("nhw,nhwc->nc", evidence.ops.asarray(weights, A), A))
