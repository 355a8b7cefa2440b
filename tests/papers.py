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


def scorecam(A, image, f, channels=None, softmax=True):
    """Wang et al. 2020: f(image [height, width, channels]) is the class's score; the baseline image is all zero.

    `channels`: only those with the highest mean. `softmax`: over the channels; the authors' code has none.
    """
    if channels is not None:
        A = sorted(A, key=lambda channel: -channel.mean())[:channels]
    gains = []
    for channel in A:
        mask = grown(channel, *image.shape[:2])
        span = mask.max() - mask.min()
        mask = (mask - mask.min()) / span if span > 0 else 0 * mask  # s(.)
        gains.append(f(image * mask[:, :, None]) - f(0 * image))  # increase of confidence
    powers = [np.exp(gain - max(gains)) for gain in gains]
    weights = [power / sum(powers) for power in powers] if softmax else gains
    found = np.zeros(A[0].shape)
    for weight, channel in zip(weights, A, strict=True):
        found += weight * channel
    return np.maximum(found, 0)


def ablationcam(A, rest, per="score"):
    """Desai & Ramaswamy 2020, eq. 1-2: rest(A) is the class's score; divided by |y| where the paper has y.

    per='activation': divided by the sum of |A_k|.
    """
    y = rest(A)
    found = np.zeros(A.shape[1:])
    for k in range(len(A)):
        without = A.copy()
        without[k] = 0
        size = abs(y) if per == "score" else np.abs(A[k]).sum()
        if size > 0:
            found += (y - rest(without)) / size * A[k]
    return np.maximum(found, 0)


def integrated_gradients(image, slope, steps, baseline=0.0):
    """Sundararajan et al. 2017, eq. 3, summed over the channels; slope(image) is the gradient of the score."""
    start = np.full_like(image, baseline)
    total = np.zeros_like(image)
    for k in range(1, steps + 1):
        total += slope(start + k / steps * (image - start))
    return np.maximum(((image - start) * total / steps).sum(-1), 0)


def relu(x):
    """The step that `guided_backprop` knows by itself."""
    return np.maximum(x, 0)


def guided_backprop(steps, image):
    """Springenberg et al. 2014, section 3.4: steps lead from the image [height, width, channels] to the class's score.

    What comes back goes through a ReLU where both it and the ReLU's input are positive, and through any other step by
    its slopes, which are differences.
    """
    seen = [image]
    for step in steps:
        seen.append(np.asarray(step(seen[-1]), float))
    R = np.ones(())
    for step, f in reversed(list(zip(steps, seen, strict=False))):
        behind = np.zeros_like(f)
        for place in np.ndindex(f.shape):
            if step is relu:
                behind[place] = R[place] if f[place] > 0 and R[place] > 0 else 0.0
                continue
            up, down = f.copy(), f.copy()
            up[place] += 1e-4
            down[place] -= 1e-4
            behind[place] = (R * (step(up) - step(down))).sum() / 2e-4
        R = behind
    return np.abs(R).max(-1)


def fullgrad(image, slope, terms):
    """Srinivas & Fleuret 2019: `terms` are bias times gradient, [channels, height, width] each; those of 1 × 1 give 0.

    psi: absolute value, minimum..maximum to 0..1, bilinear to the image's size.
    """

    def psi(values):
        values = np.abs(values)
        span = values.max() - values.min()
        return (values - values.min()) / span if span > 0 else 0 * values

    found = psi(image * slope).sum(-1)
    for term in terms:
        for channel in term:
            found += grown(psi(channel), *found.shape)
    return found


def guided_gradcam(A, g, guided):
    """Selvaraju et al. 2017, section 3.2: `guided` is the map of guided backpropagation."""
    where = grown(gradcam(A, g), *guided.shape)
    found = np.zeros(guided.shape)
    for i, j in np.ndindex(found.shape):
        found[i, j] = where[i, j] * guided[i, j]
    return found


def gradcam_plus_plus(A, g):
    """Chattopadhay et al. 2018, eq. 19 for Y = exp(S) and eq. 5, without the factor exp(S): g = dS/dA."""
    alpha = np.zeros(A.shape)
    for k, i, j in np.ndindex(A.shape):
        bottom = 2 * g[k, i, j] ** 2
        for a, b in np.ndindex(A.shape[1:]):
            bottom += A[k, a, b] * g[k, i, j] ** 3
        alpha[k, i, j] = g[k, i, j] ** 2 / bottom if bottom else 0.0  # eq. 19
    found = np.zeros(A.shape[1:])
    for k in range(len(A)):
        weight = 0.0
        for i, j in np.ndindex(A.shape[1:]):
            weight += alpha[k, i, j] * max(g[k, i, j], 0)  # eq. 5
        found += weight * A[k]
    return np.maximum(found, 0)


def smoothgradcam_plus_plus(A, gradients):
    """Omeiza et al. 2019: `gradients` [copies, channels, height, width] are those of the noisy copies.

    Derivatives of exp(S) without its factor, and the second one above the line, as in Grad-CAM++.
    """
    copies = len(gradients)
    found = np.zeros(A.shape[1:])
    for k in range(len(A)):
        weight = 0.0
        for i, j in np.ndindex(A.shape[1:]):
            D1 = D2 = D3 = 0.0
            for g in gradients:
                D1 += g[k, i, j] / copies
                D2 += g[k, i, j] ** 2 / copies
                D3 += g[k, i, j] ** 3 / copies
            bottom = 2 * D2 + A[k].sum() * D3
            weight += (D2 / bottom if bottom else 0.0) * max(D1, 0)
        found += weight * A[k]
    return np.maximum(found, 0)


def xgradcam(A, g):
    """Fu et al. 2020: each channel's gradients, averaged with its activations as weights."""
    found = np.zeros(A.shape[1:])
    for k in range(len(A)):
        weight = 0.0
        for i, j in np.ndindex(A.shape[1:]):
            weight += A[k, i, j] / A[k].sum() * g[k, i, j] if A[k].sum() else 0.0
        found += weight * A[k]
    return np.maximum(found, 0)


def layercam(A, g):
    """Jiang et al. 2021: the sum over channels of the positive gradients times the activations."""
    found = np.zeros(A.shape[1:])
    for k, i, j in np.ndindex(A.shape):
        found[i, j] += max(g[k, i, j], 0) * A[k, i, j]
    return np.maximum(found, 0)


def elementwise(A, g):
    """The sum over channels of the positive products."""
    found = np.zeros(A.shape[1:])
    for k, i, j in np.ndindex(A.shape):
        found[i, j] += max(g[k, i, j] * A[k, i, j], 0)
    return found


def eigencam(A):
    """Muhammad & Yeasin 2020: A as O [places, channels] = U S V', the map is O v1; its sum is made positive."""
    O = A.reshape(len(A), -1).T  # noqa: E741
    _, _, transposed = np.linalg.svd(O, full_matrices=False)
    found = np.zeros(len(O))
    for place in range(len(O)):
        for k in range(len(A)):
            found[place] += O[place, k] * transposed[0, k]
    found = found.reshape(A.shape[1:])
    return np.maximum(found if found.sum() >= 0 else -found, 0)


def eigengradcam(A, g):
    """EigenCAM of the products of activation and gradient."""
    return eigencam(A * g)


def finercam(A, gradients, scores, c, similar, strength):
    """Zhang et al. 2025: Grad-CAM's weights from y_c - strength * y_d, averaged over the classes d nearest in score.

    gradients [classes, channels, height, width].
    """
    others = sorted((abs(scores[d] - scores[c]), d) for d in range(len(scores)) if d != c)[:similar]
    found = np.zeros(A.shape[1:])
    for _, d in others:
        for k in range(len(A)):
            alpha = (gradients[c, k] - strength * gradients[d, k]).mean()
            found += alpha * A[k] / similar
    return np.maximum(found, 0)


def layerguided(A, g, blocks, height, width, compete=False):
    """Grad-CAM of (A, g), times the mean over blocks [(a, g)] of the guide, each over its maximum."""
    G = grown(gradcam(A, g), height, width)
    total = np.zeros((height, width))
    for a, slope in blocks:
        q = hirescam(a, slope) if compete else elementwise(a, slope)
        if q.max() > 1e-4 * np.abs(a * slope).sum(0).max():
            total += grown(q / q.max(), height, width) / len(blocks)
    return G / G.max() * total / total.max()


def factorised(V, count, steps, random):
    """Collins et al. 2018: V [places, channels] = W H, nothing negative, by the updates of Lee & Seung 2001."""
    W, H = random.random((V.shape[0], count)), random.random((count, V.shape[1]))
    for _ in range(steps):
        top, bottom = W.T @ V, W.T @ W @ H
        for k, j in np.ndindex(H.shape):
            H[k, j] *= top[k, j] / max(bottom[k, j], 1e-12)
        top, bottom = V @ H.T, W @ H @ H.T
        for i, k in np.ndindex(W.shape):
            W[i, k] *= top[i, k] / max(bottom[i, k], 1e-12)
    return W, H
