"""`seewhy shortcuts` and `seewhy accept` at work: findings as a person reads them, and as JSON."""

from __future__ import annotations

import json
import shlex
from datetime import date, timedelta
from pathlib import Path

from seewhy.apps.terminal import as_options, say, width
from seewhy.images import panels
from seewhy.results.drawn.previews import preview
from seewhy.results.findings import Finding, Findings, Rechecks, decisions_file
from seewhy.results.findings.finding import WIDTH
from seewhy.results.run import Run

PREVIEWS = "findings"
_STYLES = {"proven": "bold red", "suspected": "bold yellow", "accepted": "dim", "dismissed": "dim"}


def tell_shortcuts(run: Run, found: Findings, as_json: bool) -> None:
    """Prints findings, and draws each into a file of the run's folder."""
    folder = run.folder / PREVIEWS
    folder.mkdir(exist_ok=True)
    for old in folder.glob("SC*.png"):
        old.unlink()
    written = [folder / f"{each.code}.png" for each in found]
    for each, path in zip(found, written, strict=True):
        panels.save(preview(run, each), path)
    if as_json:
        say(json.dumps({"run": str(run.folder), **found.as_dict(), "previews": [str(path) for path in written]}))
        return
    tell_lines(found.text(min(width() or WIDTH, 2 * WIDTH)), {each.code: each.status for each in found})
    if written:
        last = f" to {written[-1].name}" if len(written) > 1 else ""
        say(f"written: {shlex.quote(str(written[0]))}{last}", "cyan")
    name, counting = shlex.quote(str(run.folder)), found.failing("suspected")
    steps = [f"look at {shlex.quote(str(folder / f'{counting[0].code}.png'))}"] if counting else []
    steps.append(f"seewhy report {name} -o report.html")
    if counting:
        day = date.today() + timedelta(days=90)
        steps.append(f"seewhy accept {name} {counting[0].code} --reason '...' --until {day}")
    say(f"Next: {'   or   '.join(steps)}")


def tell_rechecks(run: Run, known: Path, found: Rechecks, as_json: bool) -> None:
    """Prints what is left of known findings."""
    if as_json:
        say(json.dumps({"run": str(run.folder), "known_run": str(known), **found.as_dict()}))
        return
    tell_lines(found.text(min(width() or WIDTH, 2 * WIDTH)), {each.finding.code: each.status for each in found})
    say(f"Next: seewhy shortcuts {shlex.quote(str(run.folder))} --model SPEC   searches for others")


def tell_lines(text: str, states: dict[str, str]) -> None:
    """Prints lines; one that begins with a finding's code in the colour of its status."""
    style = ""
    for line in as_options(text).splitlines():
        code = line.split(" ", 1)[0]
        style = _STYLES.get(states[code], "bold") if code in states else style if line.startswith("  ") else ""
        say(line, style if code in states else "")


def tell_decision(run: Run, decided: Finding, file: str | Path | None, as_json: bool) -> None:
    """Prints what was decided, and where it is kept."""
    kept = decisions_file(file)
    if as_json:
        say(json.dumps({"schema": 1, "run": str(run.folder), "file": str(kept), "finding": decided.as_dict()}))
        return
    tell_lines(decided.text(min(width() or WIDTH, 2 * WIDTH)), {decided.code: decided.status})
    say(f"written: {kept}", "cyan")
    say(
        f"Next: keep {shlex.quote(str(kept))} beside the code; "
        f"seewhy shortcuts {shlex.quote(str(run.folder))} --model SPEC heeds it"
    )
