"""Slow twins: each method once more, loop by loop from its paper's equations, in plain NumPy and for one picture.

They share no code with the package. Activations A and gradients g are [channels, height, width].
"""

import numpy as np


def gradcam(A, g):
    """Selvaraju et al. 2017, eq. 1-2."""
    channels, height, width = A.shape
    found = np.zeros((height, width))
    for k in range(channels):
        alpha = 0.0
        for i in range(height):
            for j in range(width):
                alpha += g[k, i, j] / (height * width)  # eq. 1, Z = height * width
        for i in range(height):
            for j in range(width):
                found[i, j] += alpha * A[k, i, j]  # eq. 2
    return np.maximum(found, 0)


def hirescam(A, g):
    """Draelos & Carin 2020: the sum over channels of gradient times activation, place by place."""
    found = np.zeros(A.shape[1:])
    for k, i, j in np.ndindex(A.shape):
        found[i, j] += g[k, i, j] * A[k, i, j]
    return np.maximum(found, 0)


def cam(A, w):
    """Zhou et al. 2016, eq. 2: w [channels] are the class's weights behind the pooling."""
    found = np.zeros(A.shape[1:])
    for k, i, j in np.ndindex(A.shape):
        found[i, j] += w[k] * A[k, i, j]
    return np.maximum(found, 0)


def grown(a, height, width):
    """Bilinear upsampling with half-pixel centres, edges repeated."""
    rows, columns = a.shape
    out = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * rows / height - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / width - 0.5, 0), columns - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
            dy, dx = y - top, x - left
            upper = a[top, left] * (1 - dx) + a[top, right] * dx
            lower = a[bottom, left] * (1 - dx) + a[bottom, right] * dx
            out[i, j] = upper * (1 - dy) + lower * dy
    return out


def scorecam(A, image, f):
    """Wang et al. 2020: f(image [height, width, channels]) is the class's score; the baseline image is all zero."""
    gains = []
    for channel in A:
        mask = grown(channel, *image.shape[:2])
        span = mask.max() - mask.min()
        mask = (mask - mask.min()) / span if span > 0 else 0 * mask  # s(.)
        gains.append(f(image * mask[:, :, None]) - f(0 * image))  # increase of confidence
    powers = [np.exp(gain - max(gains)) for gain in gains]
    found = np.zeros(A.shape[1:])
    for power, channel in zip(powers, A, strict=True):
        found += power / sum(powers) * channel
    return np.maximum(found, 0)


def ablationcam(A, rest):
    """Desai & Ramaswamy 2020, eq. 1-2: rest(A) is the class's score; divided by |y| where the paper has y."""
    y = rest(A)
    found = np.zeros(A.shape[1:])
    for k in range(len(A)):
        without = A.copy()
        without[k] = 0
        found += (y - rest(without)) / abs(y) * A[k]
    return np.maximum(found, 0)


def integrated_gradients(image, slope, steps, baseline=0.0):
    """Sundararajan et al. 2017, eq. 3, summed over the channels; slope(image) is the gradient of the score."""
    start = np.full_like(image, baseline)
    total = np.zeros_like(image)
    for k in range(1, steps + 1):
        total += slope(start + k / steps * (image - start))
    return np.maximum(((image - start) * total / steps).sum(-1), 0)
