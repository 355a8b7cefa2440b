"""The demo: two photographs that come with scikit-image, a small network that comes as a package, no download."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from seewhy.apps.answers import made, short_where, write
from seewhy.apps.terminal import Progress, say, table
from seewhy.errors import MissingExtraError
from seewhy.explanation import Explanation, Explanations, explain
from seewhy.images import panels
from seewhy.images.drawing import cropped
from seewhy.images.folders import MARK
from seewhy.models.loading import load
from seewhy.targets import top, versus

SPEC = "demo:efficientnet-lite0"
RATHER = "espresso", "cup"
# The surface of the espresso in coffee.png, an ellipse drawn by hand: centre and half axes in pixels, (row, column).
LIQUID = (143, 287), (47, 82)


def show(out: Path, progress: Progress) -> None:
    """Explains both photographs, says what to notice, writes the photographs and the panels.

    Args:
        out: folder for them; made where it is not there.
    Raises:
        MissingExtraError: a package of the extra `demo` is not installed.
    """
    started = time.monotonic()
    coffee, chelsea = photograph("coffee.png"), photograph("chelsea.png")
    made(out)
    progress.note(f"loading {SPEC} ...")
    about_coffee, about_chelsea = explained(coffee, chelsea)
    progress.clear()
    say(f"{SPEC}, a small network for the 1,000 classes of ImageNet, on two photographs", "dim")
    say()
    _block("coffee.png", about_coffee)
    one, other, both = (on_liquid(about_coffee[i]) for i in (0, 1, -1))
    say("Notice: each class has a map of its own. Over the liquid, against its own average,")
    say(f"  espresso                  is {one:.1f} times as strong: it looks at the liquid;")
    say(f"  cup                       {other:.1f} times: its map is wider and peaks on the cup's wall;")
    say(f"  espresso rather than cup  {both:.1f} times: what speaks for both has cancelled out.")
    say()
    _block("chelsea.png", about_chelsea)
    alike = min(float(np.corrcoef(about_chelsea[0].map.ravel(), each.map.ravel())[0, 1]) for each in about_chelsea)
    say(f"Notice: three kinds of cat share nearly one map (correlation {alike:.2f} or more):")
    say("  the network sees a cat's face and cannot tell from it which cat.")
    say()
    for photo, sheet in ((coffee, coffee_panel(about_coffee)), (chelsea, panel(about_chelsea))):
        write(out / photo.name, photo.read_bytes())
        written = out / f"{photo.stem}{MARK}.png"
        write(written, panels.png(sheet))
        say(f"written: {written}", "cyan")
    say(f"{time.monotonic() - started:.0f} s in all")
    say()
    say("Next, and then with pictures and a model of your own:")
    say(f"  seewhy explain {out / coffee.name} --model {SPEC} --layer all")
    say("  seewhy explain PICTURE --model FILE.py:FUNCTION --prepare imagenet --versus CLASS CLASS")


def photograph(name: str) -> Path:
    """The path of a photograph in scikit-image's package, which need not be imported for it.

    Raises:
        MissingExtraError: it is not there.
    """
    found = find_spec("skimage")
    path = Path(found.origin if found and found.origin else "").parent / "data" / name
    if not path.is_file():
        raise MissingExtraError(
            f"the photograph {name} of scikit-image is not there",
            "scikit-image with its data",
            "pip install scikit-image",
        )
    return path


def explained(coffee: Path, chelsea: Path) -> tuple[Explanations, Explanations]:
    """The three highest classes of both, and why espresso rather than cup."""
    model = load(SPEC)
    return (
        explain(model, coffee, target=[top(3), versus(*RATHER)]),
        explain(model, chelsea, target=top(3)),
    )


def on_liquid(one: Explanation) -> float:
    """How strong the map is on the coffee's surface, on average, against the average of all that the model saw."""
    placed = np.maximum(one.upscaled(), 0)
    (row, column), (high, wide) = LIQUID
    rows, columns = np.indices(placed.shape)
    liquid = ((rows - row) / high) ** 2 + ((columns - column) / wide) ** 2 <= 1
    left, top, right, bottom = one.box
    seen = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return float(placed[liquid & seen].mean() / placed[seen].mean())


def coffee_panel(answers: Explanations) -> Image.Image:
    """Picture, espresso, cup, espresso rather than cup: also the picture of the README."""
    return panel([answers[0], answers[1], answers[-1]])


def panel(answers: Sequence[Explanation], tile: int = 300) -> Image.Image:
    """What the model saw of the picture, and the maps over it."""
    one = answers[0]
    tiles = [cropped(Image.fromarray(one.picture), one.box), *(each.overlay(seen_only=True) for each in answers)]
    return panels.panel(tiles, columns=len(tiles), captions=[one.name, *(each.caption for each in answers)], tile=tile)


def _block(name: str, answers: Sequence[Explanation]) -> None:
    say(name, "bold")
    rows = [("", "label", "score", "probability", "the map lies")]
    for one in answers:
        chance = "" if one.probability is None else f"{one.probability:.1%}"
        rows.append(("", one.label, f"{one.score:.2f}", chance, short_where(one)))
    table(rows, right=(2, 3), heading="dim")
