"""What an explanation costs: seewhy, and its peers where they are installed, beside the plain forward pass.

Every run of a contender is one half of a pair whose other half is the plain forward pass under `no_grad`, on the same
batch, directly before or after it by turns; the contenders take turns too. What counts is the median of the pairs'
ratios. On the CPU the clock is the process's own (--clock wall for the other), so that other processes disturb less;
on CUDA it is wall time around a synchronised call.

Each contender runs in its best fair use: the model in eval mode, the layer given, one class for the whole batch, set up
once outside the clock, peers on a copy of the model of their own so that their hooks burden nobody else.
"""

from __future__ import annotations

import argparse
import copy
import gc
import importlib.util
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from nets import NETS, machine, table
from torch import nn

import seewhy as sw

TARGET, TARGETS = 281, list(range(280, 290))
ONE, TEN, ALL = "one target, last layer", "ten targets, last layer", "one target, all residual blocks"
ABLATED, GUIDED = "Ablation-CAM, last layer", "layer-guided Grad-CAM"
METHODS = {ABLATED: "ablationcam", GUIDED: "layerguided"}  # without peers: one has the first, at a pass a channel
LIMITS = {ONE: 1.15, TEN: 1.25, ALL: 2.5, ABLATED: 1.2, GUIDED: 2.8}  # of the plain forward pass, at batch 8
KEPT_LIMIT = 1 / 20
NOTES = {
    "pytorch-grad-cam": "resizes every map to the picture's size; of several layers gives the mean",
    "captum": "one layer and one target a call",
    "torchcam": "one forward pass; a backward pass for each target",
}

Run = Callable[[], Any]


@dataclass(frozen=True)
class Row:
    """A contender's cost.

    Args:
        ratio, low, high: median and quartiles of the pairs' ratios to the plain forward pass.
        milliseconds, plain: medians of the contender's and the plain pass's time.
    """

    net: str
    task: str
    who: str
    ratio: float
    low: float
    high: float
    milliseconds: float
    plain: float
    pairs: int
    limit: float | None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--nets", nargs="+", choices=list(NETS), default=list(NETS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=21, help="of seewhy, and of peers with one forward pass")
    parser.add_argument("--slow-pairs", type=int, default=5, help="of peers that repeat the forward pass")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch on the CPU")
    parser.add_argument("--clock", choices=["process", "wall"], default="process")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    kept_memory = sw.keep_memory()
    clock = time.perf_counter if asked.clock == "wall" or asked.device != "cpu" else time.process_time
    rows: list[Row] = []
    memory: dict[str, dict[str, float]] = {}
    for net in asked.nets:
        build, layer, blocks = NETS[net]
        model = build().to(asked.device)
        images = torch.randn(asked.batch, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(asked.device)
        memory[net] = kept(model, images, layer)
        for task in LIMITS:
            runs = {"seewhy": ours(model, images, task, layer, blocks)}
            if not asked.no_peers and task not in METHODS:
                runs |= dict(peers(model, images, task, layer, blocks))
            limit = LIMITS[task] if asked.batch == 8 else None
            for who, times in timed(plain(model, images), runs, task, asked, clock).items():
                rows.append(_row(net, task, who, times, limit if who == "seewhy" else None))
                print(f"{net}, {task}, {who}: {rows[-1].ratio:.2f}", file=sys.stderr, flush=True)
    late = [f"{r.net}, {r.task}: {r.ratio:.2f} > {r.limit}" for r in rows if r.limit and r.ratio > r.limit]
    late += [f"{net}: kept {m['share']:.3f} > {KEPT_LIMIT}" for net, m in memory.items() if m["share"] > KEPT_LIMIT]
    about = machine(asked.device) | {"batch": asked.batch, "clock": clock.__name__, "keeps memory": kept_memory}
    if asked.json:
        print(json.dumps({"about": about, "rows": [asdict(r) for r in rows], "memory": memory, "late": late}, indent=2))
    else:
        print(", ".join(f"{key} {value}" for key, value in about.items()) + "\n")
        print(shown(rows) + "\n")
        print(shown_memory(memory) + "\n")
        print("over the limit: " + "; ".join(late) if late else "all within the limits")
    return 1 if late else 0


# contenders


def plain(model: nn.Module, images: torch.Tensor) -> Run:
    def run() -> Any:
        with torch.no_grad():
            return model(images)

    return run


def ours(model: nn.Module, images: torch.Tensor, task: str, layer: str, blocks: list[str]) -> Run:
    wrapped = sw.wrap(model)
    target: Any = TARGETS if task == TEN else TARGET
    how: dict[str, Any] = {"layer": blocks if task == ALL else layer, "method": METHODS.get(task, "gradcam")}

    def run() -> Any:
        return list(sw.explain_many(wrapped, images, batch_size=len(images), target=target, **how))

    return run


def peers(
    model: nn.Module, images: torch.Tensor, task: str, layer: str, blocks: list[str]
) -> Iterator[tuple[str, Run]]:
    """The peers that are installed, each with a copy of the model."""
    names = blocks if task == ALL else [layer]
    for who, module, build in (
        ("pytorch-grad-cam", "pytorch_grad_cam", _pytorch_grad_cam),
        ("captum", "captum", _captum),
        ("torchcam", "torchcam", _torchcam),
    ):
        if importlib.util.find_spec(module) is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield who, build(copy.deepcopy(model), images, task, names)


def _pytorch_grad_cam(model: nn.Module, images: torch.Tensor, task: str, names: list[str]) -> Run:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    cam = GradCAM(model=model, target_layers=[model.get_submodule(name) for name in names])
    classes = TARGETS if task == TEN else [TARGET]
    return lambda: [cam(images, targets=[ClassifierOutputTarget(c)] * len(images)) for c in classes]


def _captum(model: nn.Module, images: torch.Tensor, task: str, names: list[str]) -> Run:
    from captum.attr import LayerGradCam

    cams = [LayerGradCam(model, model.get_submodule(name)) for name in names]
    classes = TARGETS if task == TEN else [TARGET]
    return lambda: [
        cam.attribute(images, target=c, relu_attributions=True).detach().cpu().numpy() for c in classes for cam in cams
    ]


def _torchcam(model: nn.Module, images: torch.Tensor, task: str, names: list[str]) -> Run:
    from torchcam.methods import GradCAM

    logging.getLogger("torchcam").setLevel(logging.ERROR)
    cam = GradCAM(model, names)
    classes = TARGETS if task == TEN else [TARGET]

    def run() -> Any:
        scores = model(images)
        last = len(classes) - 1
        found = [cam(c, scores, normalized=False, retain_graph=i < last) for i, c in enumerate(classes)]
        return [one.cpu().numpy() for of_class in found for one in of_class]

    return run


# measuring


def timed(
    plainly: Run, runs: dict[str, Run], task: str, asked: argparse.Namespace, clock: Callable[[], float]
) -> dict[str, list[tuple[float, float]]]:
    """(contender's seconds, plain seconds) of each pair, by contender."""

    def seconds(run: Run) -> float:
        if asked.device != "cpu":
            torch.cuda.synchronize()
        start = clock()
        result = run()
        if asked.device != "cpu":
            torch.cuda.synchronize()
        took = clock() - start
        del result
        return took

    pairs = {who: asked.slow_pairs if _repeats(who, task) else asked.pairs for who in runs}
    found: dict[str, list[tuple[float, float]]] = {who: [] for who in runs}
    gc.collect()
    gc.disable()  # collected between pairs, outside the clock
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for who, run in runs.items():  # warm: caches of the allocator, surveys, algorithms of cuDNN
                for _ in range(1 if _repeats(who, task) else 3):
                    run(), plainly()
            for number in range(max(pairs.values())):
                for who, run in runs.items():
                    if number >= pairs[who]:
                        continue
                    if number % 2:
                        first = seconds(run)
                        found[who].append((first, seconds(plainly)))
                    else:
                        first = seconds(plainly)
                        found[who].append((seconds(run), first))
                gc.collect()
    finally:
        gc.enable()
    return found


def _repeats(who: str, task: str) -> bool:
    return (who == "captum" and task != ONE) or (who == "pytorch-grad-cam" and task == TEN)


def kept(model: nn.Module, images: torch.Tensor, layer: str) -> dict[str, float]:
    """MiB that autograd keeps for the backward pass: of the whole network as it is, and of our Grad-CAM."""
    own = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}

    def saved(run: Run) -> float:
        storages: dict[int, Any] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                storages[storage.data_ptr()] = storage  # held, so that no address comes twice
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            run()
        return sum(storage.nbytes() for storage in storages.values()) / 2**20

    explain = ours(model, images, ONE, layer, [])
    explain()  # the survey of the layers is made once for a model
    whole = saved(lambda: model(images))
    own_share = saved(explain)
    found = {"whole": whole, "seewhy": own_share, "share": own_share / whole}
    if images.is_cuda:
        for name, run in (("peak plain", plain(model, images)), ("peak seewhy", explain)):
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            run()
            torch.cuda.synchronize()
            found[name] = (torch.cuda.max_memory_allocated() - before) / 2**20
    return found


def _row(net: str, task: str, who: str, times: list[tuple[float, float]], limit: float | None) -> Row:
    theirs, plainly = np.array(times).T
    low, ratio, high = (float(q) for q in np.percentile(theirs / plainly, [25, 50, 75]))
    middle, base = float(np.median(theirs)) * 1e3, float(np.median(plainly)) * 1e3
    return Row(net, task, who, ratio, low, high, middle, base, len(times), limit)


def shown(rows: list[Row]) -> str:
    head = ["network, task", "who", "× plain", "quartiles", "limit", "ms", "plain ms", "pairs"]
    lines = [
        [
            f"{row.net}, {row.task}",
            row.who,
            f"{row.ratio:.2f}",
            f"{row.low:.2f}-{row.high:.2f}",
            f"{row.limit}" if row.limit else "",
            f"{row.milliseconds:.0f}" if row.milliseconds >= 100 else f"{row.milliseconds:.1f}",
            f"{row.plain:.0f}" if row.plain >= 100 else f"{row.plain:.1f}",
            str(row.pairs),
        ]
        for row in rows
    ]
    notes = [f"{who}: {words}." for who, words in NOTES.items() if any(row.who == who for row in rows)]
    return "\n".join([table(head, lines), *([""] if notes else []), *notes])


def shown_memory(memory: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(memory.values())))
    words = {"whole": "whole network, MiB", "seewhy": "Grad-CAM, MiB", "share": "share"}
    head = ["kept for the backward pass", *(words.get(name, f"{name}, MiB") for name in names)]
    return table(
        head, [[net, *(f"{m[n]:.4f}" if n == "share" else f"{m[n]:.2f}" for n in names)] for net, m in memory.items()]
    )


if __name__ == "__main__":
    sys.exit(main())
