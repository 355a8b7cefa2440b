"""What watching a training costs: a look at 8 pictures, and drawing it, beside training steps of the same network.

    python benchmarks/watching.py --net mobilenet --rounds 5

Training steps and looks take turns; the clock is the process's own on the CPU. A look's cost does not depend on the
size of the data set, so it is told in training pictures: how many more could have been trained on in that time. The
share of an epoch is that over the epoch's pictures.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from nets import SIDE, machine, mobilenet, resnet50, table
from torch.nn import functional as F

import seewhy as sw
from seewhy.studies.watching import drawing

WATCHED, BATCH, SHARE = 8, 16, 0.02
NETS = {"mobilenet": mobilenet, "resnet50": resnet50}


def clock() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def measured(name: str, rounds: int, device: str) -> list[str]:
    network = NETS[name]().to(device)
    images = torch.rand(BATCH, 3, SIDE, SIDE, device=device)
    labels = torch.arange(BATCH, device=device)
    optimizer = torch.optim.SGD(network.parameters(), 1e-4, momentum=0.9)
    pictures = list(np.random.default_rng(0).integers(0, 255, (WATCHED, SIDE, SIDE, 3), np.uint8))
    model = sw.wrap(network, prepare=f"0..1@{SIDE}")
    steps, looks, strips = [], [], []
    drawing.SHARE = 0.0  # drawn below, under a clock of its own
    with tempfile.TemporaryDirectory() as folder:
        watched = sw.watch(model, pictures, out=Path(folder) / "watch", region="middle")
        for round_ in range(rounds + 1):
            began = clock()
            network.train()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()
            optimizer.zero_grad()
            trained = clock()
            watched.epoch()
            looked = clock()
            watched._drawing.strips()
            drawn = clock()
            if round_:  # the first one warms up
                steps.append((trained - began) / BATCH)
                looks.append(looked - trained)
                strips.append(drawn - looked)
        watched.close()
    step, look, strip = (statistics.median(each) for each in (steps, looks, strips))
    told = [f"{1000 * each:.0f} ms" for each in (step, look, strip)]
    worth, drawn = look / step, (look + strip) / step
    return [name, *told, f"{worth:.1f}", f"{drawn:.1f}", f"{drawn / SHARE:,.0f}"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", nargs="*", default=["mobilenet"], choices=list(NETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    print(machine(asked.device))
    head = ["network", "training, a picture", "a look at 8", "strips of 8", "worth pictures", "with strips"]
    head.append("2 % of an epoch of")
    print(table(head, [measured(name, asked.rounds, asked.device) for name in asked.net]))
