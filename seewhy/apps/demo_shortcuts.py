"""The demo of shortcuts: a network that cheats is found out, mended, and held against what it was before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seewhy.apps.answers import made
from seewhy.apps.terminal import Progress, say, table, width
from seewhy.errors import InputError
from seewhy.images import panels
from seewhy.models import wrap
from seewhy.models.torch.small import predict, preparation, train
from seewhy.results.drawn.previews import preview
from seewhy.results.findings import Findings
from seewhy.results.findings.finding import WIDTH
from seewhy.results.run import Run
from seewhy.results.tables import percent
from seewhy.scenes import Plant, make
from seewhy.studies.auditing import audit
from seewhy.studies.comparison import Comparison, compare
from seewhy.studies.comparison.differences import Interval, paired
from seewhy.studies.comparison.wording import points, signed_interval
from seewhy.studies.shortcuts import find_shortcuts, recheck

if TYPE_CHECKING:
    from seewhy.evidence import Model
    from seewhy.models.torch.small import SmallNet
    from seewhy.studies.comparison.answering import Truths

KIND, CLASS, RATE = "border", "disc", 0.75
TRAINED, EPOCHS, HELD_OUT, UNBIASED, ASKED, SEED = 1_200, 12, 450, 300, 1_200, 0
FOLDER = "shortcuts"
WRITTEN = {
    *("held-out", "unbiased", "first", "before", "after", "found.png", "fixed.png", "before-after.gif"),
    *("report.html", "compare.html"),
}


def show(out: Path, progress: Progress) -> None:
    """Trains a network that cheats, audits it, finds and proves the shortcut; mends the data, trains anew, compares.

    Args:
        out: folder; what an earlier demo left in its `shortcuts` is replaced.
    """
    started = time.monotonic()
    folder = made(_cleared(out / FOLDER))
    say(f"A small network for triangles, discs and crosses; in its data {RATE:.0%} of the discs have a frame", "bold")

    cheat = Plant(KIND, on=CLASS, rate=RATE)
    network, model = _trained(cheat, "a network", progress)
    held_out = make(HELD_OUT, SEED + 1, plants=cheat).write(folder / "held-out")
    progress.note("auditing ...")
    first = audit(model, held_out, folder / "first", check=False)
    _step(progress, 1, "trained", f"on {TRAINED:,} pictures")
    _step(progress, 2, "audited", f"{HELD_OUT} others of the same source: {percent(first.measures().accuracy)} right")
    _line("nothing looks wrong: the frame tells the disc there, too")

    progress.note("searching for what it answers by ...")
    found = find_shortcuts(first, model)
    raised = [each for each in found if each.raised]
    _step(
        progress,
        3,
        "found",
        f"{len(raised)} of {found.tried['groups']} groups of pictures raised, without a mask or a hint",
    )
    _tell(found)
    for each in raised[:1]:
        panels.save(preview(first, each), folder / "found.png")

    mended = Plant(KIND, rate=0.5)
    again, other = _trained(mended, "it anew, with frames on all shapes", progress)
    _step(progress, 4, "mended", "frames on half of all shapes; trained anew")
    make(UNBIASED, SEED + 2, plants=mended).write(folder / "unbiased")
    progress.note("auditing both ...")
    before, after = (
        audit(each, folder / "unbiased" / "pictures", folder / name, check=False)
        for each, name in ((model, "before"), (other, "after"))
    )
    progress.note("comparing ...")
    comparison = compare(before, after, inside=folder / "unbiased" / "markers")
    plain = make(ASKED, SEED + 3)
    framed = plain.pasted(mended)
    _step(progress, 5, "compared", "on new pictures where the frame tells nothing")
    _table(
        comparison,
        [[predict(net, each.pictures) == each.labels for net in (network, again)] for each in (plain, framed)],
    )
    progress.note("asking the mended network for what was found ...")
    left = recheck(after, first, other)
    progress.clear()
    for rechecked in left:
        say(_indented(rechecked.text(_wide())))
    say()
    _draw(first, comparison, folder, bool(raised))
    say(f"{time.monotonic() - started:.0f} s in all")
    say()
    say("Next, and then with pictures and a model of your own:")
    say(f"  seewhy compare {before.folder} {after.folder} --inside {folder / 'unbiased' / 'markers'}")
    say("  seewhy audit photos/ --model FILE.py:FUNCTION --prepare imagenet --out runs/first")
    say("  seewhy shortcuts runs/first --model FILE.py:FUNCTION --prepare imagenet")


def _trained(plant: Plant, what: str, progress: Progress) -> tuple[SmallNet, Model]:
    """A network that was trained on pictures with this planted, as it is and for seewhy."""
    progress.note(f"training {what}, about 15 seconds ...")
    seen = make(TRAINED, SEED, plants=plant)
    network = train(seen.pictures, seen.labels, SEED, epochs=EPOCHS)
    return network, wrap(network, labels=list(seen.names), prepare=preparation(), name="the demo's small network")


def _step(progress: Progress, number: int, verb: str, told: str) -> None:
    progress.clear()
    say()
    say(f"{number}  {verb:<9} {told}", "bold")


def _line(told: str) -> None:
    say(f"   {told}")


def _wide() -> int:
    return min(width() or WIDTH, WIDTH) - 3


def _indented(text: str) -> str:
    return "\n".join(f"   {each}" if each else "" for each in text.splitlines())


def _tell(found: Findings) -> None:
    """The first finding in full; where none was raised, what was tried."""
    raised = [each for each in found if each.raised]
    say(_indented(raised[0].text(_wide()) if raised else found.text(_wide())))


def _table(comparison: Comparison, right: Sequence[Sequence[Truths]]) -> None:
    """Accuracy on the same pictures without and with a frame, and the heat on the frame, before and after."""
    rows = [("   ", "pictures", "before", "after", "change", "95 %")]
    for name, (one, two) in zip(("without a frame", "the same with one"), right, strict=True):
        counts = [int(np.sum(each)) for each in (one & two, one & ~two, ~one & two, ~one & ~two)]
        shares = float(one.mean()), float(two.mean())
        rows.append((f"   right, {name}", f"{len(one):,}", *_cells(*shares, paired(*counts))))
    mean = next(move.mean for move in comparison.changes[0].moves if move.what == "inside")
    rows.append(("   heat on the frame", str(mean.pictures), *_cells(mean.first, mean.other, mean.interval)))
    table(rows, right=(1, 2, 3, 4), heading="dim")
    buckets = comparison.buckets
    _line(f"of {UNBIASED} audited pictures {buckets['fixed']} are fixed, {buckets['newly broken']} newly broken")


def _cells(before: float, after: float, interval: Interval | None) -> tuple[str, str, str, str]:
    return percent(before), percent(after), points(after - before), signed_interval(interval)


def _draw(first: Run, comparison: Comparison, folder: Path, found: bool) -> None:
    """Contact sheets, the animation and both pages."""
    if found:
        say(f"written: {folder / 'found.png'}  (what was found, with its heat)", "cyan")
    if comparison.buckets["fixed"]:
        comparison.gallery("fixed", folder / "fixed.png", limit=8)
        say(f"written: {folder / 'fixed.png'}  (the same pictures, before and after)", "cyan")
        comparison.gif(folder / "before-after.gif", "fixed")
        say(f"written: {folder / 'before-after.gif'}", "cyan")
    page = first.report(folder / "report.html", title="A small network that learned a frame")
    say(f"written: {page.path}  (the finding, its proof, all pictures; open it in a browser)", "cyan")
    page = comparison.report(folder / "compare.html", title="The small network before and after its data were mended")
    say(f"written: {page.path}", "cyan")


def _cleared(folder: Path) -> Path:
    """Removes what an earlier demo left, and nothing else.

    Raises:
        InputError: something else is there.
    """
    if folder.is_dir():
        strange = sorted(path.name for path in folder.iterdir() if path.name not in WRITTEN)
        if strange:
            raise InputError(
                f"{str(folder / strange[0])!r} is not the demo's",
                "a folder of an earlier demo, or none",
                "choose another --out",
            )
        shutil.rmtree(folder)
    return folder
