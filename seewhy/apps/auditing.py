"""`seewhy audit` at work: what is printed before, meanwhile and after."""

from __future__ import annotations

import csv
import io
import json
import shlex
import time
from pathlib import Path
from typing import Any

from seewhy.apps.terminal import Progress, as_options, lasting, say, tell
from seewhy.errors import InputError
from seewhy.results.run import Run
from seewhy.results.store import write_whole
from seewhy.results.tables import counted, percent
from seewhy.studies.auditing import Progress as Done
from seewhy.studies.memory import keep_memory

_EVERY = 10.0  # seconds between lines where stderr is no terminal
SKIPPED = "skipped.csv"


class Work:
    """Says how far an audit is: a line that is written over in a terminal, else a line now and then.

    Args:
        progress: of the command.
        verbose: tell how the work is done, on stderr.
        quiet: nothing on stdout before the end, and JSON then.
    """

    def __init__(self, progress: Progress, verbose: bool, quiet: bool) -> None:
        self.progress, self.verbose, self.quiet = progress, verbose, quiet
        self.started = self.last = time.monotonic()
        self.begun = False

    def __call__(self, done: Done) -> None:
        if not self.begun:
            self.begun, self.started = True, time.monotonic()
            self.progress.clear()
            self._begin(done)
        now = time.monotonic()
        if self.progress.shown:
            self.progress.note(self._line(done, now))
        elif now - self.last > _EVERY:
            self.last = now
            tell(self._line(done, now))

    def _begin(self, done: Done) -> None:
        about, settings = done.about, done.about["settings"]
        model, check = settings["model"], about.get("check")
        if not self.quiet:
            classes = 2 if model["outputs"] == 1 else model["outputs"]
            say(f"model    {model['name']}, {classes:,} classes   layer {settings['layer']}, {settings['method']}")
            if check is not None and check["accuracy"] is not None:
                verdict = "something looks wrong, see the warning" if check["warning"] else "looks right"
                right = percent(check["accuracy"])
                say(f"check    {check['pictures']} pictures: accuracy {right}, {check['prepare']}: {verdict}")
            for note in about["notes"]:
                say(f"note     {as_options(note)}")
            if done.done:
                say(f"resumed  {done.done:,} pictures were done before")
        if self.verbose:
            kept = "memory is kept for the next use (glibc); " if keep_memory() else ""
            layout = "channels last" if settings["channels_last"] else "as PyTorch or Keras lays them"
            tell(
                f"{kept}images {layout}; batches of {settings['batch_size']}; "
                f"parts of {settings['part_size']:,}; {about['versions'].get('device', '')}"
            )

    def _line(self, done: Done, now: float) -> str:
        rate = done.fresh / max(now - self.started, 1e-9)
        words = "audit    "
        if done.total is None:
            words += f"{done.done:,}"
        else:
            full = round(18 * done.done / done.total)
            words += f"{'━' * full}{'─' * (18 - full)} " if self.progress.shown else ""
            words += f"{done.done:,}/{done.total:,} {done.done / done.total * 100:.0f} %"
        if done.fresh:
            words += f"  {rate:,.1f}/s"
            words += f"  {lasting((done.total - done.done) / rate)} left" if done.total is not None else ""
        words += f"  accuracy {percent(done.right / done.judged)}" if done.judged else ""
        return words + (f"  {done.failed:,} failed" if done.failed else "")

    def end(self, run: Run) -> None:
        """What came out, and what to do next."""
        self.progress.clear()
        failures = run.failures()
        skipped = run.folder / SKIPPED
        if len(failures):
            _write_skipped(failures, skipped)
        if self.quiet:
            say(json.dumps({"schema": 1, "run": str(run.folder), **run.measures().as_dict()}))
            return
        found = run.measures()
        words = [f"pictures {found.answered:,}"]
        if found.accuracy is not None:
            wrong = found.labelled - round(found.accuracy * found.labelled)
            words += [f"accuracy {percent(found.accuracy)}", f"wrong {wrong:,}"]
        if found.empty_maps:
            words.append(f"flat maps {found.empty_maps:,}")
        say(f"audit    {'   '.join(words)}")
        if len(failures):
            say(f"{counted(len(failures), 'file')} skipped: {skipped}")
        folder = shlex.quote(str(run.folder))
        gallery = " --gallery mistakes.png" if found.accuracy not in (None, 1.0) else ""
        say(f"Next: seewhy show {folder}{gallery}   or   seewhy report {folder} -o report.html")


def _write_skipped(failures: Any, path: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["path", "error"])
    rows.writerows([row["path"] or f"picture {row['id']}", " ".join(row["error"].split())] for row in failures)
    write_whole(path, lambda file: file.write(text.getvalue().encode("utf-8", "replace")))


def no_run(command: str = "show") -> InputError:
    """A command about a run without one."""
    return InputError("no run", "a folder that `seewhy audit` wrote", f"seewhy {command} runs/first")
