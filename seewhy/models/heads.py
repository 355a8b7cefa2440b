"""A linear head on features that stay as they are: softmax regression, the same on every framework."""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]

RATE, BATCH, DECAY = 1e-2, 32, 1e-3
_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8  # of Adam


def fitted(features: Floats, labels: Any, classes: int, seed: int, epochs: int) -> tuple[Floats, Floats]:
    """Weights and bias of scores = features @ weights + bias, by AdamW in batches, its rate falling as a cosine.

    Features are standardised for the training, and the weights given fit them as they came.

    Args:
        features: float [n, d].
        labels: int [n], from 0.
        classes: how many.
        seed: of the first weights and of the order.
        epochs: how often each row is seen.
    Returns:
        float32 [d, classes] and [classes].
    """
    rng = np.random.default_rng(seed)
    targets = np.asarray(labels)
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.where(spread > 1e-6 * max(float(spread.max(initial=0.0)), 1e-12), spread, np.inf)
    x = ((features - mean) / scale).astype(np.float64)
    weights = rng.normal(0, 0.01, (x.shape[1] + 1, classes))  # the last row is the bias
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    steps, step = epochs * -(-len(x) // BATCH), 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            slope = _slope(x[rows], targets[rows], weights)
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            step += 1
            first = _FIRST * first + (1 - _FIRST) * slope
            second = _SECOND * second + (1 - _SECOND) * slope**2
            moved = (first / (1 - _FIRST**step)) / (np.sqrt(second / (1 - _SECOND**step)) + _TINY)
            weights[:-1] *= 1 - rate * DECAY
            weights -= rate * moved
    own = weights[:-1] / scale[:, None]
    return own.astype(np.float32), (weights[-1] - mean @ own).astype(np.float32)


def _slope(x: Floats, targets: Any, weights: Floats) -> Floats:
    """The derivative of the mean cross-entropy by the weights."""
    scores = x @ weights[:-1] + weights[-1]
    scores -= scores.max(axis=1, keepdims=True)
    chances = np.exp(scores)
    chances /= chances.sum(axis=1, keepdims=True)
    chances[np.arange(len(x)), targets] -= 1
    return np.concatenate([x.T @ chances, chances.sum(axis=0, keepdims=True)]) / len(x)
