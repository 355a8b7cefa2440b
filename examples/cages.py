"""Dogs in cages: a model that looks at the bars, and how many pictures of caged cats it takes to mend it.

    python examples/cages.py PHOTOS                       # a folder with train/cat, train/dog, test/cat and test/dog
    python examples/cages.py PHOTOS --backbone torchvision:mobilenet_v3_small

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


def training(backbone: str | None, side: int):
    """A new head on a network by name, on the demo's, or a small network from nothing."""
    if backbone is not None:
        return sw.transfer(sw.wrap(sw.load(backbone), prepare=f"-1..1@{side}") if ".py:" in backbone else backbone)
    try:
        return sw.transfer(sw.load("demo:"))
    except sw.MissingExtraError:
        from seewhy.images.reading import read
        from seewhy.models.torch.small import preparation, train

    def small(pictures, seed):
        pixels = np.stack([np.asarray(read(path)) for path, _ in pictures])
        network = train(pixels, np.array(pictures.indices), seed, classes=2, epochs=20)
        return sw.wrap(network, labels=pictures.classes, prepare=preparation(side))

    return small


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--out", type=Path, default=Path("cages-out"))
    parser.add_argument("--backbone")
    parser.add_argument("--side", type=int, default=160, help="pixels of a picture")
    parser.add_argument(
        "--most", type=int, default=300, help="photographs of each class to train on, extra ones included"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--method", default="layerguided", help="of the maps: this one is fine enough for bars")
    asked = parser.parse_args()
    sw.keep_memory()
    photos, cages, test = data(asked.photos, asked.out, asked.side, asked.most)
    kept = {}

    def save(model, path):  # the models of the first seed, for a closer look
        if path.name.endswith("seed-0"):
            kept[path.name] = model

    study = sw.study(
        training(asked.backbone, asked.side),
        photos,
        SHARES,
        supplement=cages,
        held_out=test,
        repeats=asked.repeats,
        save=save,
        out=asked.out / "study",
        audit={"check": False, "method": asked.method},
        progress=lambda step: step.step in ("done", "kept") and print(f"share {step.share:4.0%}, seed {step.seed}"),
    )
    print(study)
    study.plot(asked.out / "curve.png")
    study.save(asked.out / "curve.csv")
    study.report(asked.out / "study.html")

    # A closer look at the model without a supplement: what does it take for a dog, and why?
    run = study.run(0)
    wrong = run.mistakes("false positive", predicted="dog")
    run.gallery(wrong, asked.out / "false-positives.png", limit=6)
    run.mean_maps(asked.out / "where.png")
    study.gif(wrong[0]["path"] if len(wrong) else 0, asked.out / "focus-over-shares.gif")
    model = kept.get("share-0-seed-0")  # not there where the study was done before
    if model is not None and len(wrong):
        path = test.parent / wrong[0]["path"]
        layers = sw.explain(model, path, layer="all")
        layers.gif(asked.out / "layers.gif")
        why = sw.explain(model, path)
        tiles = [path_picture(path), why.overlay(), layers.mean().overlay(), why.cutout(0.5)]
        captions = ["a caged cat", f"why {why.label}", "mean of all layers", "mask at half of the maximum"]
        panels.save(
            panels.panel(tiles, 4, captions, f"says {why.label}, {why.probability:.0%}"), asked.out / "look.png"
        )
    print(f"Pictures, curve and report: {asked.out}")


def path_picture(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


if __name__ == "__main__":
    main()
