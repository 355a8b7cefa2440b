"""A run of a million rows: what it takes to open it, to filter it and to measure it.

Rows are made by chance, 2 classes and maps of 7 x 7, part by part. Each question is asked in a process of its own,
whose highest memory is told. A second run of the same pictures is made for the comparison. `--rows`, `--classes` and
`--keep FOLDER` (made once, used again) change that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUESTIONS = {
    "open": "repr(run)",
    "select wrong, 4 columns": 'run.select(["id", "path", "predicted", "probability"], correct=False)',
    "mistakes": "run.mistakes()",
    "false positives of a class": 'run.mistakes("false positive", predicted=1, limit=100)',
    "most confident wrong": "run.most_confident_wrong(20)",
    "confusion": "run.confusion()",
    "measures": "run.measures()",
    "focus": "run.focus()",
    "likely mislabelled": "run.likely_mislabelled()",
    "near-duplicates": "run.near_duplicates(across_labels=False)",
    "what it looked at, in groups": "run.looked_at()",
    "compare with another run": "sw.compare(run, other)",
    "report (no pictures on disk)": "run.report(tempfile.mkdtemp() + '/report.html')",
}


def asked(folder: str, question: str) -> None:
    """Answers one question and says how long it took and what memory."""
    import seewhy as sw

    before = time.perf_counter()
    run = sw.open(folder)
    opened = time.perf_counter() - before
    before = time.perf_counter()
    eval(question, {"sw": sw, "run": run, "other": other_of(Path(folder)), "tempfile": tempfile})
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"open": opened, "seconds": seconds, "GB": peak}), flush=True)
    os._exit(0)  # Arrow's threads may abort a process while it ends: apache/arrow issues 34314 and 45214


def other_of(folder: Path) -> Path:
    """Where the second run lies, of the same pictures."""
    return folder.with_name(f"{folder.name}-other")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--ask", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask:
        asked(*options.ask)
        return 0
    sys.path.insert(0, str(ROOT))
    from tests.support.runs import synthetic

    with tempfile.TemporaryDirectory() as made:
        folder = options.keep or Path(made) / "run"
        for seed, place in enumerate((folder, other_of(folder))):
            if (place / "run.json").exists():
                continue
            before = time.perf_counter()
            synthetic(place, options.rows, classes=options.classes, seed=seed)
            print(f"made in {time.perf_counter() - before:.0f} s", file=sys.stderr)
        size = sum(path.stat().st_size for path in (folder / "parts").iterdir())
        print(f"{options.rows:,} rows of {options.classes:,} classes, {size / 1e9:.2f} GB on disk\n")
        print("| question | seconds | GB at most |\n|---|---|---|")
        for name, question in QUESTIONS.items():
            command = [sys.executable, __file__, "--ask", str(folder), question]
            done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
            found = json.loads(done.stdout)
            print(f"| {name} | {found['seconds']:.2f} | {found['GB']:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
