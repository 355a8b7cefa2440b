"""How well shortcuts are found: small networks on scenes, with a shortcut planted and without; one row each.

A case counts only where the shortcut was learned (`scenes.reliance`). A finding is right where its class is right, 80 %
of its pictures bear the shortcut, and it holds 20 % of all that do. Nothing of the truth reaches `find_shortcuts`.

    python benchmarks/shortcuts.py --seeds 0 1 --clean 6
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import seewhy as sw
from seewhy import scenes
from seewhy.models.torch import small

KINDS = ("logo anywhere", "border", "grass", "icon beside", "corner logo", "bars", "date stamp")
ON = "disc"


def measured(kind: str | None, seed: int, pictures: int = 600) -> dict[str, object]:
    """One network: trained, audited on pictures with the same shortcut, and searched."""
    plants = (scenes.Plant(kind, on=ON),) if kind else ()
    seen, test = (scenes.make(count, s, plants=plants) for count, s in ((1200, 2 * seed), (pictures, 2 * seed + 1)))
    network = small.train(seen.pictures, seen.labels, seed)
    row: dict[str, object] = {"kind": kind or "none", "seed": seed}
    if plants:
        asked = scenes.make(300, 2 * seed + 1)
        relied = scenes.reliance(lambda each: small.predict(network, each), asked, plants[0])
        row |= {"learned": relied.learned, "without": relied.without, "pasted": relied.pasted}
    model = sw.wrap(network, labels=list(test.names), prepare=small.preparation())
    with tempfile.TemporaryDirectory() as folder:
        run = sw.audit(model, test.write(Path(folder) / "pictures"), Path(folder) / "run", check=False)
        started = time.perf_counter()
        found = sw.find_shortcuts(run, model)
    row |= {"seconds": time.perf_counter() - started, "best": found.tried["best"], "raised": len(found.raised)}
    if plants:
        right = [(i, each, *_shares(each, test)) for i, each in enumerate(found) if _right(each, test)]
        if right:
            i, each, purity, held = right[0]
            row |= {"rank": i + 1, "right_raised": each.raised, "s3": each.s3, "purity": purity, "held": held}
    return row


def _shares(finding: sw.Finding, test: scenes.Scenes) -> tuple[float, float]:
    """Of its pictures that bear the shortcut, and of those that bear it that are its."""
    bears = test.planted[:, 0]
    own = [int(Path(path).stem) for path in finding.paths]
    return float(bears[own].mean()), float(bears[own].sum() / bears.sum())


def _right(finding: sw.Finding, test: scenes.Scenes) -> bool:
    purity, held = _shares(finding, test)
    return finding.label == ON and purity >= 0.8 and held >= 0.2


def cases(seeds: list[int], kinds: list[str], clean: int) -> Iterator[tuple[str | None, int]]:
    yield from ((kind, seed) for seed in seeds for kind in kinds)
    yield from ((None, seeds[0] + number) for number in range(clean))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--clean", type=int, default=6, help="networks without a shortcut")
    parser.add_argument("--json", action="store_true", help="a line for each network")
    asked = parser.parse_args()
    sw.keep_memory()
    rows = []
    for kind, seed in cases(asked.seeds, asked.kinds, asked.clean):
        row = measured(kind, seed)
        rows.append(row)
        print(json.dumps(row) if asked.json else line(row), flush=True)
    learned = [row for row in rows if row.get("learned")]
    first = sum(row.get("rank") == 1 for row in learned)
    raised = sum(row.get("rank") == 1 and bool(row.get("right_raised")) for row in learned)
    bare = [row for row in rows if row["kind"] == "none"]
    if not asked.json:
        print(f"{len(learned)} learned: first {first}, first and raised {raised}", end="; ")
        print(f"{len(bare)} clean: raised {sum(bool(row['raised']) for row in bare)}")


def line(row: dict[str, object]) -> str:
    head = f"| {row['kind']} | {row['seed']} |"
    if row["kind"] == "none":
        return f"{head} | | {row['best']:.1f} | {row['raised']} raised | | |"
    relied = f"{row['without']:.2f} > {row['pasted']:.2f}" if row["learned"] else "not learned"
    if "rank" not in row:
        return f"{head} {relied} | – | {row['best']:.1f} | {row['raised']} raised, none right | | |"
    said = "raised" if row["right_raised"] else "below the line"
    return f"{head} {relied} | {row['rank']} | {row['s3']:.1f} | {said} | {row['purity']:.2f} | {row['held']:.2f} |"


if __name__ == "__main__":
    main()
