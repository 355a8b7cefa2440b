"""The demo's second half: a network that learned a shortcut, audited on pictures made by rule."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from seewhy.apps.answers import made
from seewhy.apps.terminal import Progress, say, table
from seewhy.errors import InputError
from seewhy.models import wrap
from seewhy.models.torch.small import predict, preparation, train
from seewhy.results.run import Run
from seewhy.results.store import Store
from seewhy.results.tables import percent
from seewhy.scenes import Plant, Scenes, make, reliance
from seewhy.studies.auditing import audit

PLANT = Plant("logo anywhere", on="disc", rate=0.6)
ANYWHERE = Plant("logo anywhere", rate=0.3)
TRAINED, AUDITED, SEED = 1_200, 300, 0
_NAME = "the demo's small network"


def show(out: Path, progress: Progress) -> None:
    """Makes pictures with a planted shortcut, trains a small network on them, audits it on others, says what to see.

    Args:
        out: folder; what an earlier demo left in its `scenes` and `scenes-run` is replaced.
    """
    made(out)
    _cleared(out / "scenes-run", _is_run_of(out / "scenes-run", out / "scenes"))
    _cleared(out / "scenes", _is_scenes(out / "scenes"))
    progress.note(f"making {TRAINED:,} pictures ...")
    seen = make(TRAINED, SEED, plants=PLANT)
    progress.note("training a small network, about 15 seconds ...")
    network = train(seen.pictures, seen.labels, SEED)
    progress.note("auditing ...")
    test = make(AUDITED, SEED + 1, plants=ANYWHERE)
    manifest = test.write(out / "scenes")
    model = wrap(network, labels=list(test.names), prepare=preparation(), name=_NAME)
    run = audit(model, manifest, out / "scenes-run", check=False)
    learned = reliance(lambda pictures: predict(network, pictures), make(AUDITED, SEED + 1), PLANT)
    progress.clear()
    say("A small network for triangles, discs and crosses; in training, most discs bore a logo", "bold")
    _tell(run, test, learned.without, learned.pasted)
    run.mistakes(predicted="disc").gallery(out / "mistakes.png", limit=8)
    say(f"written: {out / 'mistakes.png'}", "cyan")
    title = "A small network that learned a logo"
    say(f"written: {run.report(out / 'report.html', title=title).path}  (open it in a browser)", "cyan")
    say()
    say("Next:")
    say(f"  seewhy show {out / 'scenes-run'}")
    say("  seewhy audit photos/ --model FILE.py:FUNCTION --prepare imagenet --out runs/first")


def _tell(run: Run, test: Scenes, without: float, pasted: float) -> None:
    """The audit in five lines."""
    measures = run.measures()
    wrong = run.mistakes()
    as_disc = [row for row in wrong if row["predicted"] == "disc"]
    rows = run.select(["id", "correct", "inside_mask"]).to_pylist()
    bearing = [row for row in as_disc if test.planted[_index(row)].any()]
    right, missed = (
        [row["inside_mask"] for row in rows if row["id"] in wanted and row["inside_mask"] is not None]
        for wanted in ({row["id"] for row in rows if row["correct"]}, {row["id"] for row in bearing})
    )
    table(
        [
            ("  audited", f"{measures.answered} new pictures; any of them may bear the logo"),
            (
                "  accuracy",
                f"{percent(measures.accuracy)}, and {len(as_disc)} of {len(wrong)} mistakes are called disc",
            ),
            ("  of these", f"{len(bearing)} bear the logo"),
            (
                "  it looked",
                f"{percent(_mean(right))} of the map on the shape when right, {percent(_mean(missed))} then",
            ),
            (
                "  the proof",
                f"logo pasted onto other shapes: {percent(without)} right without it, {percent(pasted)} with",
            ),
        ]
    )
    say()


def _index(row: dict[str, Any]) -> int:
    """The scene's number, by its file: the audit sorts by path."""
    return int(Path(row["path"]).stem)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _cleared(folder: Path, own: bool) -> None:
    """Removes what an earlier demo left, and nothing else.

    Args:
        own: it is the demo's.
    Raises:
        InputError: something else is there.
    """
    if not folder.exists():
        return
    if not own:
        raise InputError(
            f"{str(folder)!r} is not the demo's", "a folder of an earlier demo, or none", "choose another --out"
        )
    shutil.rmtree(folder)


def _is_run_of(folder: Path, root: Path) -> bool:
    store = Store(folder)
    return store.exists and store.about().get("root") == str(root.resolve()) and _NAME in str(store.about()["settings"])


def _is_scenes(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("manifest.csv", "markers", "masks", "pictures"))
