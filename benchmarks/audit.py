"""What an audit costs beside a loop that only decodes and runs the forward pass, and beside a loop of Grad-CAM.

Over the 120 ILSVRC pictures, several times over, with the same threads for decoding, the same preparation, batch size
and allocator on all sides. The bare loop is written as one would: the network as it is, `no_grad`, scores alone; a
second one lays the images channels last, as the audit does by itself where it finds that faster. The audit writes its
run to the disk, with hashes, measures and pooled features; its look at 64 pictures is switched off. Ratios are medians
over rounds, in which the sides take turns. Target: at least 0.85 of the bare loop's pictures a second.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import NETS, machine, ready_folder, table
from PIL import Image

import seewhy as sw

TARGET = 0.85
BATCH = 32


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nets", nargs="+", default=list(NETS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=480)
    parser.add_argument("--memory", action="store_true", help="only the peak memory at 200 and at 2,000 pictures")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 0
    if asked.one:
        print(peak(folder, int(asked.one)))
        return 0
    if asked.memory:
        found = {count: _in_a_process(count) for count in (200, 2_000)}
        print(table(["pictures", "peak memory"], [[f"{n:,}", f"{mib:,.0f} MiB"] for n, mib in found.items()]))
        return 0
    rows: list[dict[str, Any]] = [measured(name, pictures(folder, asked.pictures), asked.rounds) for name in asked.nets]
    if asked.json:
        print(json.dumps(rows, indent=2))
    else:
        print(machine("cpu"))
        heads = list(rows[0])
        print(table(heads, [[_shown(row[head]) for head in heads] for row in rows]))
    return int(any(row["audit / bare loop"] < TARGET for row in rows))


def pictures(folder: Path, count: int) -> list[Path]:
    """So many, by repeating."""
    files = sorted((folder / "ilsvrc").glob("*.JPEG"))
    return [files[i % len(files)] for i in range(count)]


def measured(name: str, files: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Seconds of each side, round by round, as ratios to the bare loop of the same round."""
    network = NETS[name][0]()
    sides: dict[str, Callable[[], None]] = {
        "bare": lambda: bare(network, files, torch.contiguous_format),
        "bare, channels last": lambda: bare(network, files, torch.channels_last),
        "audit": lambda: audited(network, files),
    }
    few = files[: len(files) // 4]  # it is slow
    try:
        from pytorch_grad_cam import GradCAM

        sides["pytorch-grad-cam"] = lambda: peer(GradCAM, network, name, few)
    except ImportError:
        pass
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(rounds + 1):
        for side, run in sides.items():
            started = time.perf_counter()
            run()
            count = len(few) if side == "pytorch-grad-cam" else len(files)
            if number:  # the first round warms up
                taken[side].append((time.perf_counter() - started) / count)
    rate = {side: 1 / statistics.median(each) for side, each in taken.items()}

    def beside(one: str, other: str) -> float:
        return statistics.median(b / a for a, b in zip(taken[one], taken[other], strict=True))

    row: dict[str, Any] = {"network": name, "bare loop, pictures/s": rate["bare"], "audit, pictures/s": rate["audit"]}
    row["audit / bare loop"] = beside("audit", "bare")
    row["audit / bare loop, channels last"] = beside("audit", "bare, channels last")
    if "pytorch-grad-cam" in taken:
        row["audit / pytorch-grad-cam"] = beside("audit", "pytorch-grad-cam")
    return row


def bare(network: Any, files: Sequence[Path], layout: torch.memory_format) -> None:
    """Decodes and runs the forward pass."""
    prepare = sw.wrap(network, prepare="imagenet").prepare
    with ThreadPoolExecutor(2) as pool, torch.no_grad():
        for images in _batches(pool, prepare, files):
            network(images.contiguous(memory_format=layout)).argmax(1).tolist()


def peer(cam: Any, network: Any, name: str, files: Sequence[Path]) -> None:
    """Grad-CAM of the predicted class as pytorch-grad-cam's README has it, with the same decoding."""
    prepare = sw.wrap(network, prepare="imagenet").prepare
    name_of = next(each.name for each in sw.layers(network) if each.default)
    layer = dict(network.named_modules())[name_of]
    with ThreadPoolExecutor(2) as pool, cam(model=network, target_layers=[layer]) as one:
        for images in _batches(pool, prepare, files):
            one(input_tensor=images, targets=None)


def audited(network: Any, files: Sequence[Path]) -> None:
    """An audit of the same pictures, into a folder of its own."""
    out = tempfile.mkdtemp()
    try:
        data = [(path, None) for path in files]
        sw.audit(sw.wrap(network, prepare="imagenet"), data, out, check=False, batch_size=BATCH, workers=2)
    finally:
        shutil.rmtree(out)


def _batches(pool: ThreadPoolExecutor, prepare: Any, files: Sequence[Path]) -> Any:
    """Images of a batch, while the next ones are decoded."""
    waiting: list[Any] = []
    for start in range(0, len(files), BATCH):
        waiting.append(
            [
                pool.submit(lambda path: prepare(Image.open(path).convert("RGB")), f)
                for f in files[start : start + BATCH]
            ]
        )
        if len(waiting) > 2:
            yield torch.from_numpy(np.stack([each.result() for each in waiting.pop(0)]))
    for batch in waiting:
        yield torch.from_numpy(np.stack([each.result() for each in batch]))


def peak(folder: Path, count: int) -> float:
    """MiB of this process after an audit of so many pictures."""
    audited(NETS["MobileNetV2"][0](), pictures(folder, count))
    lines = Path("/proc/self/status").read_text().splitlines()
    return (
        next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    )  # ru_maxrss begins with the parent's


def _in_a_process(count: int) -> float:
    done = subprocess.run([sys.executable, __file__, "--one", str(count)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _shown(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
