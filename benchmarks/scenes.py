"""Which planted shortcuts the small network learns: a row a kind; and `--picture FILE`, one of every kind on a sheet.

A kind is learned where the accuracy of the other classes falls by 30 points when it is pasted onto them, towards
its class. Networks without a shortcut are asked the same: what a mere disturbance costs is no shortcut.
"""

from __future__ import annotations

import argparse
import json
import time

from PIL import Image

from seewhy import scenes
from seewhy.images.panels import panel
from seewhy.models.torch import small


def measured(kind: str | None, seed: int, count: int, side: int) -> dict[str, object]:
    """One network: trained on 'disc' with the shortcut on half of its pictures, or on pictures without."""
    plants = (scenes.Plant(kind, on="disc"),) if kind else ()
    started = time.perf_counter()
    made = scenes.make(count, 2 * seed, side=side, plants=plants)
    between = time.perf_counter()
    network = small.train(made.pictures, made.labels, seed)
    row = {"kind": kind or "none", "seed": seed, "make_s": between - started, "train_s": time.perf_counter() - between}

    def predict(pictures):
        return small.predict(network, pictures)

    test = scenes.make(450, 2 * seed + 1, side=side)
    row["accuracy"] = float((predict(test.plain) == test.labels).mean())
    for plant in plants or [scenes.Plant(each, on="disc") for each in scenes.KINDS]:
        found = scenes.reliance(predict, test, plant)
        row[plant.kind] = [found.without, found.pasted, found.turned, found.learned]
    return row


def line(row: dict[str, object]) -> str:
    head = f"| {row['kind']} | {row['seed']} | {row['accuracy']:.2f} | {row['train_s']:.0f} s |"
    found = [row[kind] for kind in scenes.KINDS if kind in row]
    if row["kind"] == "none":
        dropped = [kind for kind in scenes.KINDS if row[kind][0] - row[kind][1] >= 0.3]
        learned = [kind for kind in scenes.KINDS if row[kind][3]]
        return f"{head} | | | learned: {', '.join(learned) or 'none'}; harmed by: {', '.join(dropped) or 'none'} |"
    without, pasted, turned, learned = found[0]
    return f"{head} {without:.2f} | {pasted:.2f} | {turned:+.2f} | {'yes' if learned else 'no'} |"


def sheet(side: int = 108) -> Image.Image:
    """All shapes, then all kinds of shortcuts."""
    tiles, captions = [], []
    shapes = scenes.SHAPES[:8]
    for i, name in enumerate(shapes):
        tiles.append(scenes.scene(i, 6, classes=shapes, side=side).picture)
        captions.append(name)
    for i, kind in enumerate(scenes.KINDS):
        tiles.append(scenes.scene(i, 11, side=side, plants=scenes.Plant(kind, rate=1)).picture)
        captions.append(kind)
    drawn = panel([Image.fromarray(tile) for tile in tiles], columns=8, captions=captions, tile=side)
    return drawn.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2, dither=Image.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", nargs="*", default=["none", *scenes.KINDS], help="'none' for a clean network")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--count", type=int, default=1200, help="pictures to train on")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--picture", metavar="FILE", help="draw the sheet, measure nothing")
    asked = parser.parse_args()
    if asked.picture:
        sheet().save(asked.picture, optimize=True)
        return
    if not asked.json:
        print("| kind | seed | accuracy without | trained in | others without | others pasted | turned | learned |")
        print("|---|--:|--:|--:|--:|--:|--:|---|")
    for kind in asked.kinds:
        for seed in asked.seeds:
            row = measured(None if kind == "none" else kind, seed, asked.count, asked.side)
            print(json.dumps(row) if asked.json else line(row), flush=True)


if __name__ == "__main__":
    main()
