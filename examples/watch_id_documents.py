"""A network learns to look at a logo in the corner, as one learned that genuine ID cards bear a flag; the watch tells.

    python examples/watch_id_documents.py --out watched

Three classes of made pictures; in training nine in ten of class 'disc' bear a logo in their top left corner. Eight of
them are watched: within three epochs the heat moves into the corner, and the alarm says so. About a minute on one core.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import seewhy as sw
from seewhy import scenes
from seewhy.models.torch.small import SmallNet, as_images, preparation

SIDE, PICTURES, EPOCHS, BATCH, SEED = 128, 480, 5, 32, 0
LOGO = scenes.Plant("corner logo", on="disc", rate=0.9)


def one_epoch(network: torch.nn.Module, optimizer: torch.optim.Optimizer, data: scenes.Scenes) -> None:
    network.train()
    for batch in torch.randperm(len(data)).split(BATCH):
        scores = network(as_images(data.pictures[batch.numpy()]))
        loss = F.cross_entropy(scores, torch.tensor(data.labels[batch.numpy()]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def watched_training(
    data: scenes.Scenes, out: Path, stop: bool = False, epochs: int = EPOCHS
) -> tuple[SmallNet, sw.Watch]:
    """A network trained on these scenes, and the watch over eight new pictures of discs with the logo."""
    new = scenes.make(24, SEED + 1, side=SIDE, plants=scenes.Plant(LOGO.kind, on=LOGO.on, rate=1.0))
    discs = new.pictures[new.labels == new.names.index("disc")]
    torch.manual_seed(SEED)
    network = SmallNet(len(data.names)).to(memory_format=torch.channels_last)
    model = sw.wrap(network, labels=data.names, prepare=preparation(SIDE))
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    with sw.watch(
        model, list(discs), out=out, labels=["disc"] * len(discs), region="top left", on_focus_above=0.3, stop=stop
    ) as watched:
        for _ in range(epochs):
            one_epoch(network, optimizer, data)
            if watched.epoch():
                break
    return network, watched


def accuracy(network: torch.nn.Module, data: scenes.Scenes) -> float:
    network.eval()
    with torch.inference_mode():
        return float(np.mean(network(as_images(data.pictures)).argmax(1).numpy() == data.labels))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("watched"))
    parser.add_argument("--stop", action="store_true", help="the alarm stops the training")
    asked = parser.parse_args()
    warnings.formatwarning = lambda message, *_: f"ALARM  {message}\n"
    biased = scenes.make(PICTURES, SEED, side=SIDE, plants=LOGO)
    network, watched = watched_training(biased, asked.out, asked.stop)
    print(watched.watched)
    print(f"accuracy on pictures without logo: {accuracy(network, scenes.make(150, SEED + 2, side=SIDE)):.1%}")
    print(f"see {asked.out / 'filmstrip.png'}")
