"""How well shortcuts are found in photographs: a frozen MobileNetV2 with a linear head, on cats and dogs, and on ISIC.

Cats and dogs: something is planted into half of one class's pictures; 400 pictures train the head and 400 others, with
the same planted, are audited. As in `shortcuts.py` a case counts only where it was learned, and right means the same.
`isic`: the dermoscopies as they are, whole, 160 pixels; coloured patches beside lesions are judged by artefacts.csv,
which nothing else sees.

    python benchmarks/shortcut_photographs.py --seeds 0 1 --clean 2
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nets import mobilenet, ready_folder
from PIL import Image
from shortcuts import share
from sklearn.linear_model import LogisticRegression
from torch import nn

import seewhy as sw
from seewhy import scenes
from seewhy.images.preparing import Preset
from seewhy.scenes.markers import Spot

KINDS = ("border", "corner logo", "bars", "logo anywhere", "sidebar")
SIDE, RATE = 160, 0.5
PREPARED = Preset("-1..1, the whole picture", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), SIDE, SIDE)
NAMES = ("cat", "dog")


def features(network: Any, pictures: np.ndarray[Any, Any]) -> Any:
    """float32 [n, 1280] of uint8 [n, side, side, 3]."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(pictures), 32):
            batch = np.stack([PREPARED(Image.fromarray(each)) for each in pictures[start : start + 32]])
            found.append(network.features(torch.from_numpy(batch)).mean((2, 3)).numpy())
    return np.concatenate(found)


def headed(network: Any, values: Any, labels: Any) -> tuple[Any, LogisticRegression]:
    """The network with a logistic regression of its features as the last layer."""
    fitted = LogisticRegression(max_iter=2000, C=0.05).fit(values, labels)
    linear = nn.Linear(values.shape[1], 2)
    weights = torch.tensor(fitted.coef_[0], dtype=torch.float32) / 2
    bias = float(fitted.intercept_[0]) / 2
    linear.weight.data, linear.bias.data = torch.stack([-weights, weights]), torch.tensor([-bias, bias])
    return nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval(), fitted


def photographs(folder: Path) -> tuple[Any, Any]:
    """All of them, whole, as uint8 [800, side, side, 3], and their labels."""
    files = [(path, name) for name in NAMES for path in sorted(folder.glob(f"catsdogs/*/{name}/*"))]
    pictures = [np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), 2)) for path, _ in files]
    return np.stack(pictures), np.array([NAMES.index(name) for _, name in files])


def planted(pictures: Any, kind: str, seed: int) -> Any:
    """The same with the marker on each."""
    paint = scenes.KINDS[kind].paint
    assert paint is not None
    found = []
    for number, picture in enumerate(pictures):
        nothing = np.zeros((SIDE, SIDE))
        colours, opacity = paint(Spot(SIDE, nothing), np.random.default_rng([seed, number]))
        mixed = picture + opacity[..., None] * (colours - picture.astype(np.float64))
        found.append(np.rint(np.clip(mixed, 0, 255)).astype(np.uint8))
    return np.stack(found)


def catsdogs(network: Any, pictures: Any, labels: Any, plain: Any, kind: str | None, seed: int) -> dict[str, Any]:
    """One head: trained, audited, searched."""
    rng = np.random.default_rng(seed)
    on = seed % 2
    shuffled = np.concatenate([rng.permutation(np.flatnonzero(labels == k)) for k in (0, 1)])
    seen = np.concatenate([shuffled[:200], shuffled[-200:]])
    test = np.setdiff1d(np.arange(len(labels)), seen)
    bears = (labels == on) & (rng.random(len(labels)) < RATE) if kind else np.zeros(len(labels), bool)
    shown, values = pictures.copy(), plain.copy()
    row: dict[str, Any] = {"kind": kind, "seed": seed, "on": NAMES[on]}
    if kind:
        shown[bears] = planted(pictures[bears], kind, seed)
        values[bears] = features(network, shown[bears])
    model, fitted = headed(network, values[seen], labels[seen])
    row["accuracy"] = float(fitted.score(plain[test], labels[test]))
    if kind:
        others = test[labels[test] != on]
        pasted = features(network, planted(pictures[others], kind, seed + 1))
        row["without"] = float(fitted.score(plain[others], labels[others]))
        row["pasted"] = float(fitted.score(pasted, labels[others]))
        row["learned"] = row["without"] - row["pasted"] >= 0.3
    if kind and not row["learned"]:
        return row
    with tempfile.TemporaryDirectory() as scratch:
        for i in test:
            file = Path(scratch) / "pictures" / NAMES[labels[i]] / f"{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(shown[i]).save(file)
        wrapped = sw.wrap(model, labels=list(NAMES), prepare=PREPARED, name="MobileNetV2 + linear")
        run = sw.audit(wrapped, Path(scratch) / "pictures", Path(scratch) / "run", check=False)
        found = [each for each in sw.find_shortcuts(run, wrapped, save=False) if each.kind == "place"]
    row["raised"] = [each.label for each in found if each.raised]
    row["found"] = []
    for each in found:
        own = [int(Path(path).stem) for path in each.paths]
        purity, held = float(bears[own].mean()), float(bears[own].sum() / max(bears[test].sum(), 1))
        right = bool(kind) and each.label == NAMES[on] and purity >= 0.8 and held >= 0.2
        row["found"].append({"label": each.label, "s3": each.s3, "raised": each.raised, "right": right})
        row["found"][-1] |= {"purity": purity, "held": held, "pictures": len(own)}
    return row


def isic(network: Any, folder: Path) -> list[dict[str, Any]]:
    """Its findings, each with the share of its pictures that show coloured patches, or a ruler."""
    with (folder / "isic" / "artefacts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    files = [folder / "isic" / row["image"] for row in rows]
    pictures = [np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), 2)) for path in files]
    values = features(network, np.stack(pictures))
    model, _ = headed(network, values, np.array([row["label"] == "malignant" for row in rows], int))
    wrapped = sw.wrap(model, labels=["benign", "malignant"], prepare=PREPARED, name="MobileNetV2 + linear")
    shows = {row["image"]: (int(row["patches"]), int(row["ruler"])) for row in rows}
    with tempfile.TemporaryDirectory() as scratch:
        run = sw.audit(wrapped, folder / "isic" / "artefacts.csv", Path(scratch) / "run", check=False)
        found = sw.find_shortcuts(run, wrapped, save=False)
    told = []
    for each in found:
        own = np.array([shows[path] for path in each.paths])
        patches = int(own[:, 0].sum()) / sum(patch for patch, _ in shows.values())
        told.append({"code": each.code, "label": each.label, "status": each.status, "s3": each.s3})
        told[-1] |= {"pictures": len(own), "with patches": float(own[:, 0].mean()), "of all patches": patches}
        told[-1] |= {"with ruler": float(own[:, 1].mean()), "kind": each.kind}
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--clean", type=int, default=2, help="heads without a shortcut")
    parser.add_argument("--no-isic", action="store_true")
    asked = parser.parse_args()
    folder = ready_folder()
    if folder is None:
        return 1
    network = mobilenet().eval()
    rows = []
    if asked.seeds:
        pictures, labels = photographs(folder)
        plain = features(network, pictures)
        tasks = [(kind, seed) for seed in asked.seeds for kind in asked.kinds]
        tasks += [(None, asked.seeds[0] + number) for number in range(asked.clean)]
        for kind, seed in tasks:
            rows.append(catsdogs(network, pictures, labels, plain, kind, seed))
            print(json.dumps(rows[-1]), flush=True)
        learned = [row for row in rows if row.get("learned")]
        first = [bool(row["found"]) and row["found"][0]["right"] for row in learned]
        raised = [hit and row["found"][0]["raised"] for hit, row in zip(first, learned, strict=True)]
        print(
            f"learned {len(learned)} of {sum(row['kind'] is not None for row in rows)}; first and right {share(first)}"
        )
        print(f"right and raised {share(raised)}")
        print(f"clean, raised {share([bool(row['raised']) for row in rows if not row['kind']])}")
    if not asked.no_isic:
        for told in isic(network, folder):
            print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
