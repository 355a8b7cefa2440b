"""How well shortcuts are found: small networks on scenes, with a shortcut planted and without; one row each.

A case counts only where the shortcut was learned (`scenes.reliance`). A finding is right where its class is right, 80 %
of its pictures bear the shortcut, and it holds 20 % of all that do. Nothing of the truth reaches `find_shortcuts`.

Which class bears it, and how often (0.35, 0.5 or 0.6 of its pictures), goes round with the kind and the seed. `--keep
FOLDER` keeps networks, pictures and runs; what is there is not made again. `--beside` adds what others would do.

    python benchmarks/shortcuts.py --seeds 0 1 --clean 6
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from clusters import NAMES, clusters
from scipy.stats import binomtest

import seewhy as sw
from seewhy import scenes
from seewhy.models.torch import small

KINDS = (
    *("logo anywhere", "border", "grass", "icon beside", "corner logo", "bars"),
    *("date stamp", "watermark", "sidebar", "vignette", "dot"),
)
RATES = 0.5, 0.35, 0.6
CLASSES, SEEN, AUDITED = 3, 1200, 600


def plant(kind: str, seed: int) -> scenes.Plant:
    number = KINDS.index(kind)
    on = scenes.SHAPES[(number + seed) % CLASSES]
    return scenes.Plant(kind, on=on, rate=RATES[(number + seed // CLASSES) % len(RATES)])


def made(folder: Path, kind: str | None, seed: int) -> dict[str, Any]:
    """One network: trained, and audited on pictures with the same shortcut. Its row, so far."""
    file = folder / "case.json"
    if file.exists():
        return dict(json.loads(file.read_text()))
    plants = (plant(kind, seed),) if kind else ()
    seen, test = (scenes.make(count, s, plants=plants) for count, s in ((SEEN, 2 * seed), (AUDITED, 2 * seed + 1)))
    network = small.train(seen.pictures, seen.labels, seed)
    row: dict[str, Any] = {"kind": kind, "seed": seed}
    if plants:
        asked = scenes.make(300, 2 * seed + 1)
        relied = scenes.reliance(lambda each: small.predict(network, each), asked, plants[0])
        row |= {"on": plants[0].on, "rate": plants[0].rate}
        row |= {"learned": relied.learned, "without": relied.without, "pasted": relied.pasted}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "network.pt")
    sw.audit(_wrapped(network), test.write(folder / "pictures"), folder / "run", check=False)
    file.write_text(json.dumps(row))
    return row


def _wrapped(network: Any) -> Any:
    return sw.wrap(network, labels=list(scenes.SHAPES[:CLASSES]), prepare=small.preparation())


def measured(folder: Path, row: dict[str, Any], beside: bool) -> dict[str, Any]:
    """The row with what was found."""
    network = small.SmallNet(CLASSES)
    network.load_state_dict(torch.load(folder / "network.pt"))
    model, run = _wrapped(network.eval()), sw.open(folder / "run")
    started = time.perf_counter()
    found = sw.find_shortcuts(run, model, save=False)
    local = [each for each in found if each.kind == "place"]
    row |= {"seconds": time.perf_counter() - started, "raised": [each.label for each in local if each.raised]}
    row |= {"raised_placeless": sum(each.raised for each in found) - len(row["raised"])}
    row |= {"best": max((each.s3 for each in local), default=0.0)}
    if row["kind"]:
        made_by = scenes.Plant(row["kind"], on=row["on"], rate=row["rate"])
        bears = scenes.make(AUDITED, 2 * row["seed"] + 1, plants=made_by).planted[:, 0]
        shares = [_shares(each.paths, bears) for each in local]
        row["found"] = [
            {"label": e.label, "s3": e.s3, "raised": e.raised, "purity": p, "held": h}
            | {"right": _right(row, e.label, p, h)}
            for e, (p, h) in zip(local, shares, strict=True)
        ]
        if beside and row["learned"]:
            row["beside"] = {
                name: [_right(row, each.label, *_shares(each.paths, bears)) for each in group]
                for name, group in clusters(run, model).items()
            }
    return row


def _shares(paths: Sequence[str], bears: Any) -> tuple[float, float]:
    """Of its pictures that bear the shortcut, and of those that bear it that are its."""
    own = [int(Path(path).stem) for path in paths]
    return float(bears[own].mean()), float(bears[own].sum() / bears.sum())


def _right(row: dict[str, Any], label: str, purity: float, held: float) -> bool:
    return label == row["on"] and purity >= 0.8 and held >= 0.2


def cases(seeds: Sequence[int], kinds: Sequence[str], clean: int) -> Iterator[tuple[str | None, int]]:
    yield from ((kind, seed) for seed in seeds for kind in kinds)
    yield from ((None, seeds[0] + number) for number in range(clean))


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    if not row["kind"]:
        return f"| none | {row['seed']} | | | | {row['best']:.1f} | {len(row['raised'])} raised | | |"
    head = f"| {row['kind']} | {row['seed']} | {row['on']} | {row['rate']} |"
    relied = f"{row['without']:.2f} > {row['pasted']:.2f}"
    if not row["learned"]:
        return f"{head} {relied}, not learned | | | | |"
    rank = next((i for i, each in enumerate(row["found"], 1) if each["right"]), None)
    if rank is None:
        return f"{head} {relied} | {row['best']:.1f} | none right, {len(row['raised'])} raised | | |"
    each = row["found"][rank - 1]
    said = "raised" if each["raised"] else "below the line"
    return f"{head} {relied} | {each['s3']:.1f} | {rank}, {said} | {each['purity']:.2f} | {each['held']:.2f} |"


def share(hits: Sequence[bool]) -> str:
    """k of n and the exact (Clopper-Pearson) interval of 95 %."""
    count, total = sum(hits), len(hits)
    if not total:
        return "none"
    low, high = binomtest(count, total).proportion_ci(method="exact")
    return f"{count} of {total} = {count / total:.0%} ({low:.0%} to {high:.0%})"


def summed(rows: Sequence[dict[str, Any]]) -> str:
    learned, clean = [row for row in rows if row.get("learned")], [row for row in rows if not row["kind"]]
    first = [bool(row["found"]) and row["found"][0]["right"] for row in learned]
    raised = [hit and row["found"][0]["raised"] for hit, row in zip(first, learned, strict=True)]
    lines = [f"first and right: {share(first)}", f"right and raised: {share(raised)}"]
    lines.append(f"clean networks with a finding raised: {share([bool(row['raised']) for row in clean])}")
    lines.append(f"clean networks with a placeless one: {share([row['raised_placeless'] > 0 for row in clean])}")
    for kind in KINDS:
        own = [i for i, row in enumerate(learned) if row["kind"] == kind]
        if own:
            text = f"{kind}: learned {len(own)} of {sum(row['kind'] == kind for row in rows)}"
            lines.append(f"{text}, first {sum(first[i] for i in own)}, raised {sum(raised[i] for i in own)}")
    both = [row["beside"] for row in learned if "beside" in row]
    for name in NAMES if both else ():
        top = share([bool(each[name]) and each[name][0] for each in both])
        lines.append(f"{name}: first {top}; some cluster right {share([any(each[name]) for each in both])}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--clean", type=int, default=6, help="networks without a shortcut")
    parser.add_argument("--keep", type=Path, help="a folder for networks and runs")
    parser.add_argument("--beside", action="store_true", help="clusters of maps and of features as well")
    parser.add_argument("--json", action="store_true", help="a line for each network")
    asked = parser.parse_args()
    sw.keep_memory()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for kind, seed in cases(asked.seeds, asked.kinds, asked.clean):
            folder = (asked.keep or Path(scratch)) / f"{(kind or 'clean').replace(' ', '_')}_{seed}"
            row = made(folder, kind, seed)
            if kind and not row["learned"]:
                row |= {"raised": [], "found": [], "best": 0.0, "raised_placeless": 0}
            else:
                row = measured(folder, row, asked.beside)
            rows.append(row)
            print(json.dumps(row) if asked.json else line(row), flush=True)
    if not asked.json:
        print(summed(rows))


if __name__ == "__main__":
    main()
