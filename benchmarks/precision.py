"""How far maps in half precision are from float32's, on real pictures.

MobileNetV2 of the real folder over its 120 ILSVRC pictures, Grad-CAM of float32's predicted class at `features.18`.
For bfloat16: the relative L2 distance, at most 5 % on 95 % of the pictures, and a correlation of at least 0.99; for
float16: the largest difference, at most 1.5 % of the map's maximum. The exit status is 1 where one is not met.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from typing import Any

import numpy as np
import torch
from nets import machine, ready_folder, real, table

import seewhy as sw

LAYER = "features.18"
HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
DISTANCE, SHARE, CORRELATION, LARGEST = 0.05, 0.95, 0.99, 0.015


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 0
    mobilenet = real()
    names = sorted((folder / "ilsvrc").glob("*.JPEG"))
    images = torch.stack([torch.from_numpy(mobilenet.prepare(name)).permute(2, 0, 1) for name in names])
    model = mobilenet.torch_model().to(asked.device)
    whole = explained(model, images, None)
    classes = [why.index for why in whole]
    rows: dict[str, dict[str, float]] = {}
    for name, kind in HALVES.items():
        try:
            halves = explained(copy.deepcopy(model).to(kind), images, classes)
        except (RuntimeError, NotImplementedError) as error:  # a processor that cannot
            print(f"{name}: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        rows[name] = compared([why.map for why in whole], [why.map for why in halves])
    with torch.autocast(asked.device, dtype=torch.bfloat16):
        mixed = explained(model, images, classes)
    rows["bfloat16 by autocast"] = compared([why.map for why in whole], [why.map for why in mixed])
    off = departures(rows)
    if asked.json:
        print(json.dumps({"about": machine(asked.device), "measured": rows, "off": off}, indent=2))
    else:
        heads = list(next(iter(rows.values())))
        print(table(["beside float32", *heads], [[n, *(f"{row[h]:.4f}" for h in heads)] for n, row in rows.items()]))
        print("not met: " + "; ".join(off) if off else "all within the limits")
    return 1 if off else 0


def explained(model: torch.nn.Module, images: torch.Tensor, classes: list[int] | None) -> list[Any]:
    answers = list(sw.explain_many(model, images, targets=classes, layer=LAYER, batch_size=24))
    for why in answers:
        if not why:
            raise why.error
    return answers


def compared(ones: list[Any], others: list[Any]) -> dict[str, float]:
    """Over the pictures: relative L2 distance, correlation, largest difference as a share of the maximum."""
    far, alike, largest = [], [], []
    for one, other in zip(ones, others, strict=True):
        far.append(np.linalg.norm(one - other) / max(np.linalg.norm(one), 1e-30))
        alike.append(np.corrcoef(one.ravel(), other.ravel())[0, 1])
        largest.append(np.abs(one - other).max() / max(one.max(), 1e-30))
    return {
        "L2, median": float(np.median(far)),
        "L2, 95 %": float(np.percentile(far, 95)),
        "L2, worst": float(np.max(far)),
        "share of pictures ≤ 5 %": float(np.mean(np.array(far) <= DISTANCE)),
        "correlation, 5 %": float(np.percentile(alike, 5)),
        "correlation, worst": float(np.min(alike)),
        "largest, worst": float(np.max(largest)),
    }


def departures(rows: dict[str, dict[str, float]]) -> list[str]:
    off = []
    for name, row in rows.items():
        if name == "float16":
            if row["largest, worst"] > LARGEST:
                off.append(f"{name} differs by up to {row['largest, worst']:.1%} of the maximum")
            continue
        if row["share of pictures ≤ 5 %"] < SHARE:
            off.append(f"{name} is within 5 % on {row['share of pictures ≤ 5 %']:.1%} of the pictures only")
        if row["correlation, worst"] < CORRELATION:
            off.append(f"{name} correlates with {row['correlation, worst']:.4f} on the worst picture")
    return off


if __name__ == "__main__":
    sys.exit(main())
