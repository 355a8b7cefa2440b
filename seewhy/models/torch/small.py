"""A small network and its training, under 20 seconds on two cores: for the demo, the tests and the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from seewhy.errors import InputError
from seewhy.images.preparing import Preset
from seewhy.images.reading import Pixels

WIDTHS, STRIDES = (16, 32, 48, 64), (2, 2, 2, 1)
EPOCHS, BATCH, RATE = 14, 32, 1e-3  # at 3e-3 some networks stay at chance for all epochs
_ROLL = 3  # pixels of 64, in each direction


class SmallNet(nn.Sequential):
    """Four stages of two convolutions, mean pooling, one linear layer: about 130,000 parameters.

    It takes float [batch, 3, height, width] in 0..1 and gives scores [batch, classes] before softmax.

    Args:
        classes: how many.
    """

    def __init__(self, classes: int) -> None:
        widths = (3, *WIDTHS)
        stages = [_stage(*each) for each in zip(widths[:-1], widths[1:], STRIDES, strict=True)]
        super().__init__(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTHS[-1], classes))


def _stage(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, 1, 1, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU(),
    )


def train(
    pictures: Pixels, labels: Any, seed: int = 0, *, classes: int | None = None, epochs: int = EPOCHS
) -> SmallNet:
    """A small network trained on pictures: AdamW, one cycle of the learning rate, rolling by up to 3 pixels of 64.

    Nothing is mirrored, as that would turn letters and sides. The same seed gives the same weights on the same machine.
    The random states are left as they were.

    Args:
        pictures: uint8 [n, height, width, 3], some 1,000 of 64 x 64 or 128 x 128.
        labels: int [n], from 0.
        seed: of the first weights, the order of the pictures and the rolling.
        classes: how many; None: as many as the labels name.
        epochs: how often each picture is seen.
    Returns:
        The network in eval mode, on the CPU. For seewhy: `sw.wrap(network, labels=names, prepare=preparation(side))`.
    Raises:
        InputError: pictures or labels of another form.
    """
    targets = _checked(pictures, labels, classes)
    with torch.random.fork_rng(devices=[]), _one_thread():
        torch.manual_seed(seed)
        network = SmallNet(classes or int(targets.max()) + 1).train()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # a fifth quicker on the CPU
        steps = epochs * -(-len(pictures) // BATCH)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
        reach = round(_ROLL * pictures.shape[1] / 64)
        for _ in range(epochs):
            for batch in torch.randperm(len(pictures)).split(BATCH):  # type: ignore[no-untyped-call]
                down, across = torch.randint(-reach, reach + 1, (2,)).tolist()
                images = as_images(np.roll(pictures[batch.numpy()], (down, across), (1, 2)))
                loss = F.cross_entropy(network(images), targets[batch])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
    return network.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload, no-any-return]


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a network gains nothing by more, waits for them on a busy machine, and gets other weights from them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def predict(network: nn.Module, pictures: Pixels) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The predicted class of each picture, uint8 [n, height, width, 3]: int64 [n]."""
    with torch.inference_mode():
        parts = [network(as_images(pictures[i : i + 256])).argmax(1) for i in range(0, len(pictures), 256)]
    return np.asarray(torch.cat(parts).numpy())


def as_images(pictures: Pixels) -> torch.Tensor:
    """What the network eats: float32 [n, 3, height, width] in 0..1 of uint8 [n, height, width, 3]."""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255


def preparation(side: int = 64) -> Preset:
    """The same for one picture, for `wrap`: 0..1, nothing cut off; pictures of another size are resized to `side`."""
    return Preset(f"0..1, all of {side} x {side}", size=side, shorter=side)


def _checked(pictures: Pixels, labels: Any, classes: int | None) -> torch.Tensor:
    """The labels as a tensor."""
    if not (pictures.dtype == np.uint8 and pictures.ndim == 4 and pictures.shape[3] == 3 and len(pictures) > 1):
        came = f"pictures of {pictures.dtype} {list(pictures.shape)}"
        raise InputError(came, "uint8 [n, height, width, 3], two or more", "hand in Scenes.pictures")
    found = np.asarray(labels)
    if found.shape != (len(pictures),) or not np.issubdtype(found.dtype, np.integer):
        came = f"labels of {found.dtype} {list(found.shape)} for {len(pictures)} pictures"
        raise InputError(came, f"int [{len(pictures)}]", "hand in Scenes.labels")
    if found.min() < 0 or (classes is not None and found.max() >= classes):
        came = f"labels from {found.min()} to {found.max()}"
        raise InputError(came, f"0 to {'classes - 1' if classes is None else classes - 1}", "count from 0")
    return torch.from_numpy(found.astype(np.int64))
