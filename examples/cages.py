"""Dogs in cages: a model that looks at the bars, and how many pictures of caged cats it takes to mend it.

    python examples/cages.py PHOTOS                       # a folder with train/cat, train/dog, test/cat and test/dog
    python examples/cages.py PHOTOS --backbone torchvision:mobilenet_v3_small
    KERAS_BACKEND=tensorflow python examples/cages.py PHOTOS --side 224 --backbone keras:MobileNetV2   # in Keras

Of the photographs to train on, every dog is behind painted bars and no cat is. The supplement is what one would
collect: caged cats and free dogs. A new linear head is trained on a network that stays as it is, with 0 to 100 % of the
supplement, three times each, and all are asked the same test photographs, half of each class behind bars.

Without --backbone the demo's network is taken where it is installed (pip install 'seewhy[demo]'), else a small one
that is trained from nothing.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import seewhy as sw
from seewhy import scenes
from seewhy.images import panels
from seewhy.images.preparing import Preset
from seewhy.images.reading import read
from seewhy.models.torch.small import preparation, train
from seewhy.scenes.markers import Spot

KINDS = ("cat", "dog")
SHARES = (0, 0.25, 0.5, 0.75, 1)


def photographs(folder: Path, most: int) -> list[Path]:
    """The first ones of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[:most]


def framed(path: Path, side: int, bars: bool, seed: int) -> tuple[Image.Image, Image.Image]:
    """The middle of a photograph, side x side, behind painted bars where asked; and where the bars are."""
    with Image.open(path) as photo:
        square = ImageOps.fit(ImageOps.exif_transpose(photo).convert("RGB"), (side, side))
    spot = Spot(side, np.zeros((side, side)))
    colours, opacity = scenes.KINDS["bars"].paint(spot, np.random.default_rng(seed))
    mask = Image.fromarray((255 * (opacity > 0.5)).astype(np.uint8))
    if not bars:
        return square, mask
    pixels = np.asarray(square, np.float64)
    painted = pixels + (colours - pixels) * opacity[..., None]
    return Image.fromarray(np.rint(painted).astype(np.uint8)), mask


def write(paths: list[tuple[Path, str, bool]], folder: Path, side: int) -> None:
    """Pictures in folders by class, masks of the bars, and a manifest that names both."""
    rows = []
    for number, (path, kind, bars) in enumerate(paths):
        picture, mask = framed(path, side, bars, number)
        name = f"{kind}/{path.stem}.png"
        for below in ("pictures", "masks"):
            (folder / below / kind).mkdir(parents=True, exist_ok=True)
        picture.save(folder / "pictures" / name)
        if bars:
            mask.save(folder / "masks" / name)
        where = "behind bars" if bars else "free"
        rows.append((f"pictures/{name}", kind, f"masks/{name}" if bars else "", f"{kind} {where}"))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "mask", "group"), *rows])


def data(photos: Path, out: Path, side: int, most: int) -> tuple[Path, Path, Path]:
    """Writes what is trained on, the supplement and the test photographs; their folders and manifest."""
    own, extra, test = [], [], []
    for kind in KINDS:
        paths = photographs(photos / "train" / kind, most)
        half = len(paths) // 2
        own += [(path, kind, kind == "dog") for path in paths[:half]]
        extra += [(path, kind, kind == "cat") for path in paths[half:]]
        test += [(path, kind, i % 2 == 0) for i, path in enumerate(photographs(photos / "test" / kind, most))]
    for name, paths in (("photos", own), ("cages", extra), ("test", test)):
        if not (out / name / "manifest.csv").exists():
            write(paths, out / name, side)
    return out / "photos" / "pictures", out / "cages" / "pictures", out / "test" / "manifest.csv"


def training(backbone: str | None, weights: str, side: int):
    """A new head on a network by name, on the demo's, or a small network from nothing."""
    if backbone is not None:
        if ".py:" in backbone:  # a network of one's own, which takes -1..1: all of the picture, nothing cut off
            prepare = Preset("-1..1, all of it", (0.5,) * 3, (0.5,) * 3, side, side)
            return sw.transfer(sw.wrap(sw.load(backbone), prepare=prepare))
        return sw.transfer(backbone, weights=weights)
    try:
        return sw.transfer(sw.load("demo:"))
    except sw.MissingExtraError:

        def small(pictures, seed):
            pixels = np.stack([np.asarray(read(path)) for path, _ in pictures])
            network = train(pixels, np.array(pictures.indices), seed, classes=2, epochs=20)
            return sw.wrap(network, labels=pictures.classes, prepare=preparation(side))

        return small


def finer(model) -> str:
    """The last layer with twice the cells of the usual one: a bar is narrower than a cell of that."""
    layers = [layer for layer in sw.layers(model) if layer.usable and layer.grid]
    usual = next(layer for layer in layers if layer.default)
    return [layer.name for layer in layers if layer.block and layer.grid[0] >= 2 * usual.grid[0] - 1][-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, default=Path("cages-out"))
    parser.add_argument("--backbone")
    parser.add_argument("--weights", default="default", help="of the backbone: a file, if not its usual ones")
    parser.add_argument("--side", type=int, default=160, help="pixels of a picture")
    parser.add_argument(
        "--most", type=int, default=300, help="photographs of each class to train on, extra ones included"
    )
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    sw.keep_memory()
    photos, cages, test = data(asked.photos, asked.out, asked.side, asked.most)
    trained_by, kept = training(asked.backbone, asked.weights, asked.side), {}
    fine = {"method": "layercam", "layer": finer(trained_by.model)} if hasattr(trained_by, "model") else {}

    def save(model, path):  # the study keeps runs, not models; those of the first seed are looked at below
        if path.name.endswith("seed-0"):
            kept[path.name] = model

    def tell(step):
        if step.step in ("done", "kept"):
            print(f"share {step.share:4.0%}, seed {step.seed}: accuracy {step.accuracy:.1%}")

    study = sw.study(
        trained_by,
        photos,
        SHARES,
        supplement=cages,
        held_out=test,
        repeats=asked.repeats,
        save=save,
        out=asked.out / "study",
        audit={"check": False, **fine},
        progress=tell,
    )
    print(study)
    study.plot(asked.out / "curve.png")
    study.save(asked.out / "curve.csv")
    study.report(asked.out / "study.html")

    # The model without a supplement: what does it take for a dog, and where does it look then?
    run = study.run(0)
    wrong = run.mistakes("false positive", predicted="dog")
    if len(wrong):
        run.gallery(wrong, asked.out / "false-positives.png", limit=6)
    run.mean_maps(asked.out / "where.png")
    first = wrong[0]["path"] if len(wrong) else run.select(["path"])["path"][0].as_py()
    study.gif(first, asked.out / "focus-over-shares.gif")
    study.strip(first).save(asked.out / "focus-over-shares.png")
    if "share-0-seed-0" in kept:  # not where the study was done before
        look(kept["share-0-seed-0"], test.parent / first, fine, asked.out)
    print(f"Pictures, curve and report: {asked.out}")


def look(model, path: Path, fine: dict, out: Path) -> None:
    """One picture closely: layer after layer, the mean over layers, and the mask."""
    layers = sw.explain(model, path, layer="all")
    layers.gif(out / "layers.gif")
    why = sw.explain(model, path, **fine)
    tiles = [why.picture, why.overlay(), layers.mean().overlay(), why.cutout(0.5)]
    captions = ["the picture", f"why {why.label}, at {why.layer}", "mean of all layers", "mask at half of the maximum"]
    panels.save(panels.panel(tiles, 4, captions, f"says {why.label}, {why.probability:.0%}"), out / "look.png")


if __name__ == "__main__":
    main()
