"""Made-up bundles for the page: any number of pictures, with hostile names on request."""

import base64
import io

import numpy as np
from PIL import Image

from seewhy.results.report.viewer import page

HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>')
PATHS = (
    "a 'quoted' \"name\".png",
    "line\nbreak.png",
    "snow ☃ and 🦊.png",
    "</script><b>bold</b>.png",
    "x" * 300 + ".png",
)


def encoded(cells):
    """uint8 [...] as base64."""
    return base64.b64encode(np.ascontiguousarray(cells, np.uint8).tobytes()).decode()


def image(pixels, kind="PNG"):
    """uint8 [height, width, 3] as a data: URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def bundle(n=300, pictures=40, seed=0, hostile=False, classes=3, kind="PNG"):
    """A bundle of `n` rows, of which `pictures` have a photo; row 3 has an empty map, row 5 no known box."""
    random = np.random.default_rng(seed)
    labels = list(HOSTILE[:2]) if hostile else []
    labels += ["cat", "dog", "fox", *(f"class {i}" for i in range(3, classes))][: max(0, classes - len(labels))]
    label = random.integers(0, classes, n)
    wrong = random.random(n) < 0.15
    predicted = np.where(wrong, (label + 1) % classes, label)
    probability = np.round(random.uniform(0.4, 1.0, n), 4)
    maps = _maps(random, n, 6)
    scale = np.round(random.uniform(1, 5, n), 3)
    maps[3], scale[3] = 0, 0
    shares = maps / np.maximum(1, maps.sum(axis=(1, 2), keepdims=True, dtype=float))
    peak = maps.reshape(n, -1).argmax(axis=1)
    known = scale > 0
    table = {
        "n": n,
        "id": [int(i) * 2 for i in range(n)],
        "path": [PATHS[i] if hostile and i < len(PATHS) else f"some folder/picture {i:05d}.png" for i in range(n)],
        "label": label.tolist(),
        "predicted": predicted.tolist(),
        "correct": [int(x) for x in ~wrong],
        "probability": probability.tolist(),
        "label_probability": np.where(wrong, np.round((1 - probability) / 2, 4), probability).tolist(),
        "border": _or_null(np.round(1 - shares[:, 1:-1, 1:-1].sum(axis=(1, 2)), 3), known),
        "corners": _or_null(np.round(shares[:, ::5, ::5].sum(axis=(1, 2)), 3), known),
        "inside": [None] * n,
        "peak": [
            [(p // 6 + 0.5) / 6, (p % 6 + 0.5) / 6] if k else None for p, k in zip(peak.tolist(), known, strict=True)
        ],
        "scale": scale.tolist(),
        "cluster": [int(i) % 2 for i in range(n)],
        "group": [i % 4 for i in range(n)],
        "groups": ["ann", "ben", "cem", "dan"],
        "near": [[(i + 1) % n] if i % 50 == 0 else None for i in range(n)],
        "coarse": {"height": 6, "width": 6, "values": encoded(maps)},
    }
    shown = [_shown(random, row, maps[row], scale[row], labels, table, kind) for row in range(pictures)]
    pairs, counts = np.unique(np.column_stack([label, predicted]), axis=0, return_counts=True)
    right = int((~wrong).sum())
    names = [
        _class(labels[k], int((label == k).sum()), int((predicted == k).sum()), int(((label == k) & ~wrong).sum()))
        for k in range(classes)
    ]
    return {
        "schema": 1,
        "title": HOSTILE[0] if hostile else "Made-up pictures",
        "about": {
            "model": {"name": "a small net", "classes": classes},
            "layer": "features.3",
            "method": "gradcam",
            "target": "the predicted class",
            "preparation": "0..1@64",
            "data": {"name": "made up", "kind": "folder", "pictures": n + 2},
            "created": "2026-11-21T18:32:27+00:00",
            "versions": {"seewhy": "0.1.0"},
            "notes": [],
            "partial": None,
            "anonymous": False,
            "made": {"seewhy": "0.1.0", "at": "2026-11-21T19:00:00+00:00"},
        },
        "measures": {
            "pictures": n + 2,
            "answered": n,
            "failed": 2,
            "labelled": n,
            "empty_maps": 1,
            "accuracy": right / n,
            "accuracy_interval": [right / n - 0.03, right / n + 0.03],
            "balanced_accuracy": right / n,
            "mean_loss": 0.4,
            "calibration_error": 0.05,
            "reliability": [
                {"low": k / 15, "high": (k + 1) / 15, "pictures": 20, "said": (k + 0.5) / 15, "right": (k + 0.2) / 15}
                for k in range(6, 15)
            ],
            "roc_auc": None,
            "classes": names,
            "looked": [],
            "notes": [],
        },
        "labels": labels,
        "confusion": {
            "pairs": [[*map(int, pair), int(c)] for pair, c in zip(pairs, counts, strict=True)],
            "pairs_count": len(pairs),
        },
        "focus": {
            "how": "Means of the maps, each as shares.",
            "empty": 1,
            "classes_count": classes,
            "all": {"right": _mean(maps[~wrong]), "wrong": _mean(maps[wrong]), "unknown": None},
            "classes": [
                {
                    "class": k,
                    "right": _mean(maps[(predicted == k) & ~wrong]),
                    "wrong": _mean(maps[(predicted == k) & wrong]),
                    "unknown": None,
                }
                for k in range(min(classes, 24))
            ],
        },
        "sampling": {
            "of": n,
            "rows": n,
            "pictures": pictures,
            "how_rows": "All predictions.",
            "how_pictures": f"{pictures} of {n}: the first ones.",
            "without_pictures": "",
        },
        "pictures": table,
        "shown": shown,
        "clusters": {
            "how": "k-means, k = 2, on what the model looked at.",
            "reason": "",
            "list": [_cluster(k, table, maps, n, pictures) for k in (0, 1)],
        },
        "failures": [{"path": PATHS[0], "error": "not an image"}, {"path": None, "error": "no answer"}],
        "failures_count": 2,
        "doubts": [{"row": 1, "suggested": 0, "probability": 0.1, "suggested_probability": 0.8}],
        "size": {
            "total": 1_000_000,
            "limit": 15_000_000,
            "parts": {"photos": 800_000, "maps": 100_000, "table": 100_000},
            "left_out": [],
        },
    }


def written(of, folder):
    """The page of a bundle as a file."""
    path = folder / "report.html"
    path.write_text(page(of), "utf-8")
    return path


def _maps(random, n, cells):
    """uint8 [n, cells, cells]: a bump somewhere, highest cell 255."""
    row, column = random.uniform(0, cells, (2, n, 1, 1))
    grid = np.arange(cells) + 0.5
    bump = np.exp(-((grid[:, None] - row) ** 2 + (grid - column) ** 2) / 3)
    return np.rint(255 * bump / bump.max(axis=(1, 2), keepdims=True)).astype(np.uint8)


def _or_null(values, known):
    return [float(v) if k else None for v, k in zip(values, known, strict=True)]


def _shown(random, row, cells, scale, labels, table, kind):
    height, width = (192, 256) if row % 2 else (256, 200)
    ramp = np.add.outer(np.arange(height), np.arange(width))[..., None] + random.integers(0, 120, 3)
    other = table["label"][row] if table["correct"][row] == 0 else None
    return {
        "row": row,
        "image": image((ramp % 256).astype(np.uint8), kind),
        "width": width,
        "height": height,
        "original": [width * 4, height * 4],
        "box": None if row == 5 else [0.1, 0.05, 0.9, 0.95],
        "map": {"height": 6, "width": 6, "values": encoded(cells), "scale": float(scale)},
        "label_map": None
        if other is None
        else {"height": 6, "width": 6, "values": encoded(cells[::-1]), "scale": float(scale) / 2},
        "top": [
            [table["predicted"][row], 5.0, table["probability"][row]],
            [(table["predicted"][row] + 1) % len(labels), 1.0, None],
        ],
    }


def _mean(maps):
    if not len(maps):
        return None
    mean = maps.mean(axis=0)
    return {
        "pictures": len(maps),
        "map": np.round(mean / max(1, mean.sum()), 4).tolist(),
        "border": 0.3,
        "corners": 0.2,
        "inside": None,
    }


def _class(name, labelled, predicted, right):
    around = lambda share: None if share is None else [max(0, share - 0.1), min(1, share + 0.1)]  # noqa: E731
    recall, precision = right / labelled if labelled else None, right / predicted if predicted else None
    return {
        "name": name, "labelled": labelled, "predicted": predicted, "right": right, "f1": recall,
        "precision": precision, "precision_interval": around(precision), "recall": recall, "recall_interval": around(recall),
    }  # fmt: skip


def _cluster(k, table, maps, n, pictures):
    rows = [row for row in range(n) if table["cluster"][row] == k]
    seen = [row for row in rows if row < pictures]
    return {
        "id": k, "name": "", "size": len(rows), "accuracy": 0.8 + k / 10, "labels": [[0, len(rows)]], "predicted": [[0, len(rows)]],
        "border": 0.3, "corners": 0.2, "inside": None, "mean_map": _mean(maps[rows])["map"],
        "mean_picture": image(np.full((96, 96, 3), 90 + 60 * k, np.uint8)), "typical": seen[:8], "odd": seen[-8:],
    }  # fmt: skip


def searched(made, statuses=("proven", "worth a look"), **more):
    """The same bundle after a search for shortcuts: a finding of each status, each of the first class's pictures."""
    label = made["labels"][0]
    rows = [row for row in range(made["pictures"]["n"]) if made["pictures"]["predicted"][row] == 0]
    inside = np.zeros((48, 48), np.uint8)
    inside[:12, 36:] = 1
    mean = np.full((12, 12), 0.001)
    mean[:3, 9:] = 0.1
    items = [
        {
            "code": f"SC{number:02}",
            "name": "",
            "status": status,
            "raised": status in ("proven", "suspected", "accepted"),
            "kind": "place",
            "decision": None,
            "class": 0,
            "words": f"40 of 90 pictures called {label!r} look at the same thing, in the top right",
            "proof": "covered, it falls; pasted, others turn",
            "place": "in the top right",
            "members": 40,
            "looked": 90,
            "pictures": len(rows),
            "wrong": 3,
            "false_positives": None,
            "score": 9.5 - number,
            "line": 7.0,
            "mean_map": (mean / mean.sum()).tolist(),
            "mean_picture": image(np.full((96, 96, 3), 120, np.uint8)),
            "region": {"by": "pixels", "height": 48, "width": 48, "values": encoded(inside)},
            "rows": rows[:40],
            "shown": [
                {"row": row, "map": {"height": 8, "width": 8, "values": encoded(_corner()), "scale": 1.0}}
                for row in rows[:12]
            ],
            "cells": [
                [label, label, 37, 50, 0],
                [made["labels"][1], label, 3, 0, 0],
                [made["labels"][1]] * 2 + [2, 62, 1],
            ],
            "effects": [
                _effect("cover", "own", "elsewhere", 0.3, 0.25, rows),
                _effect("cover", "pixels", "rest", 0.61, 0.02, rows),
                _effect("paste", "pixels", "rest", 46 / 50, 3 / 50, rows),
            ],
            "shots": [_shot("cover", rows[0]), _shot("paste", rows[1])],
            "todo": [
                {"what": "Remove it", "why": "Where it is no part of it.", "cost": "One training.", "command": None},
                {
                    "what": "Accept it",
                    "why": "For now.",
                    "cost": "The risk.",
                    "command": f"seewhy accept RUN SC{number:02}",
                },
            ],
            **more,
        }
        for number, status in enumerate(statuses, 1)
    ]
    return {
        **made,
        "findings": {
            "searched": True,
            "damaged": False,
            "trouble": "",
            "command": "seewhy shortcuts first --model MODEL",
            "seen": "The weakest effect that these tests can tell from chance: 17 points.",
            "notes": [],
            "tried": {"pictures": 300, "classes": 3, "groups": 60, "tested": 4, "line": 7.0, "best": 8.5},
            "list": items,
        },
    }


def _corner():
    cells = np.zeros((8, 8), np.uint8)
    cells[:2, 6:] = 255
    return cells


def _effect(test, region, control, effect, control_effect, rows):
    def trials(fall, of):
        after = [round(0.9 - fall * (0.8 + 0.4 * i / max(1, of - 1)), 3) for i in range(of)]
        return {
            "row": [*rows[: of - 1], None],
            "before": [0.9] * of,
            "after": after,
            "is_class": [i % 2 for i in range(of)],
        }

    return {
        **{"test": test, "region": region, "control": control, "effect": effect, "control_effect": control_effect},
        **{"pictures": 50, "control_pictures": 50, "margin": 2.0, "control_margin": 0.1},
        "interval": [effect - control_effect - 0.1, effect - control_effect + 0.1],
        **({"share_interval": [0.8, 0.97], "control_share_interval": [0.02, 0.16]} if test == "paste" else {}),
        "trials": trials(effect, 10),
        "control_trials": trials(control_effect, 10),
    }


def _shot(test, row):
    kinds = ("before", "after") if test == "cover" else ("before", "after", "from")
    images = {kind: image(np.full((32, 32, 3), 60 * k, np.uint8)) for k, kind in enumerate(kinds)}
    told = {"before": 0.9, "after": 0.2, "answer": "dog", "is_class": False}
    return {"test": test, "region": "pixels", "row": row, **told, "images": images}
