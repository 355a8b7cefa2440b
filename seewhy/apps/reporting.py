"""What `seewhy show` and `report` print of a run."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seewhy.apps.terminal import as_options, say
from seewhy.errors import InputError
from seewhy.results.report.fitting import Report, size
from seewhy.results.run import Run


def tell_run(run: Run, count: int, filters: Mapping[str, str | None], gallery: Path | None, as_json: bool) -> None:
    """Prints measures, confusions and mistakes of a run; draws the mistakes where asked."""
    asked: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    measures = run.measures()
    wrong = run.mistakes(limit=count, **asked) if measures.labelled and count else None
    if as_json:
        shown = [] if wrong is None else [{name: row[name] for name in wrong.shown} for row in wrong]
        say(json.dumps({"schema": 1, "run": str(run.folder), **measures.as_dict(), "mistakes": shown}))
    else:
        for line in repr(run).splitlines()[1:-1]:
            say(line.strip())
        say()
        say(str(measures))
        if wrong is not None and len(wrong):
            say()
            say(str(run.confusion()))
            say()
            say(str(wrong))
    if gallery is not None:
        if wrong is None or not len(wrong):
            raise InputError("no mistakes to draw", "a run with wrong answers", "leave --gallery out")
        wrong.gallery(gallery)
        if not as_json:
            say()
            say(f"written: {gallery}", "cyan")
    elif not as_json:
        say()
        say(f"Next: seewhy report {shlex.quote(str(run.folder))} -o report.html")


def tell_report(report: Report, run: Run, as_json: bool) -> None:
    """Prints where a report was written, its size, and what of the run is in it."""
    if as_json:
        say(json.dumps({"schema": 1, "run": str(run.folder), **report.as_dict(), "notes": list(run.notes)}))
        return
    say(f"written: {report.path}  {size(report.bytes)}", "cyan")
    for line in (*str(report).splitlines()[1:], *(f"  note         {as_options(note)}" for note in run.notes)):
        say(line)
    say(f"Next: open {shlex.quote(str(report.path))} in a browser   or   seewhy show {shlex.quote(str(run.folder))}")


def tell_watched(report: Report, folder: Path, as_json: bool) -> None:
    """Prints where the report of a watched training was written, its size, and what is in it."""
    if as_json:
        say(json.dumps({"schema": 1, "watched": str(folder), **report.as_dict()}))
        return
    say(f"written: {report.path}  {size(report.bytes)}", "cyan")
    say(f"  pictures     {report.how_pictures} {report.without_pictures}".rstrip())
    say(f"  looks        {report.how_rows}")
    for each in report.left_out:
        say(f"  left out     {each}")
    say(f"Next: open {shlex.quote(str(report.path))} in a browser")
