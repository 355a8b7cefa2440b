"""What is printed: results to stdout, progress and errors to stderr; colour and bars only in a terminal."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import ClassVar, TextIO

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from seewhy.errors import InputError, SeeWhyError, SeeWhyWarning, is_out_of_memory

# Errors are worded for Python; who types commands needs the same advice as options.
_AS_OPTIONS = (
    (
        "leave them out, Explanations(one for one in found if not one.empty).product(), or fuse by mean()",
        "name other layers, or write --fuse mean",
    ),
    ("fuse by mean()", "write --fuse mean"),
    ("wrap(model, labels=[...])", "--labels FILE"),
    (
        'wrap(model, prepare=...): a callable or one of "imagenet", "0..1", "-1..1", "0..255"',
        "--prepare imagenet, 0..1, -1..1 or 0..255",
    ),
    ("classes={'label': 'class'}", "--class LABEL=CLASS"),
    ("wrap(model, outputs=...)", "wrap(model, outputs=...) in the function that --model names"),
    ("layers(model)", "`seewhy layers SPEC`"),
    ("list_methods()", "`seewhy methods`"),
    ("signed=True", "--signed"),
    ("reason='...'", "--reason '...'"),
    ("name='ruler'", "--name ruler"),
    ("; recheck(run, known, model) tests the effects", "; --model SPEC tests the effects"),
    ("find_shortcuts(run, model) searches for it", "`seewhy shortcuts RUN --model SPEC` searches for it"),
    ("print(run.findings())", "`seewhy shortcuts RUN`"),
    ("safe_mode=False", "--trust-code"),
    ("(None for random ones)", "(none for random ones)"),
    (" (--weights on the command line)", ""),
)
_NAMED = "target|method|layer|opacity|prepare|weights|colormap|smooth|augment|inside|like|until"
_PATTERNS = (
    (re.compile(r"\bmax_mb=([\d.e+-]+)"), r"--max-mb \1"),
    (re.compile(r"\btop\((\d+)\)"), r"--top \1"),
    (re.compile(r'wrap\(model, prepare="([^"]+)"\)'), r"--prepare \1"),
    (re.compile(r"classes=\{'([^']+)': '?([^',}]+)'?[^}]*\}"), r"--class \1=\2"),
    (re.compile(r"\bclasses="), "--class"),
    (re.compile(r"\bshares=\(([^)]*)\)"), r"--shares \1"),
    (re.compile(r"\bversus\((\S+), (\S+)\)"), r"--versus \1 \2"),
    (re.compile(rf"(?<!model, )\b({_NAMED})=(?=[\s,])"), r"--\1"),  # leave layer= out
    (re.compile(rf"(?<!model, )\b({_NAMED})=(['\"]?)([^\s'\",;()]+)\2(?![\w(])"), r"--\1 \3"),  # opacity=0.5
    (re.compile(r"(^|leave )((?!target)\w+=)"), r"\1--option \2"),  # what is left is an option of the method
)


def as_options(text: str) -> str:
    """Advice to write Python as advice to type options."""
    for python, typed in _AS_OPTIONS:
        text = text.replace(python, typed)
    for pattern, typed in _PATTERNS:
        text = pattern.sub(typed, text)
    return text


def say(text: str | Text = "", style: str = "") -> None:
    """A line of results on stdout, never wrapped or marked up; styled only in a terminal."""
    console = _Screen(file=_Screen.results, soft_wrap=True, highlight=False, markup=False, emoji=False)
    console.print(text if isinstance(text, Text) else Text(text, style))


class _Screen(Console):
    results: ClassVar[TextIO | None] = None  # stdout, whatever else prints meanwhile

    def on_broken_pipe(self) -> None:
        raise  # Rich would end the process with 1, which means findings; `told` knows better


def tell(text: str) -> None:
    """A line for the person at the terminal, on stderr."""
    print(text, file=sys.stderr, flush=True)


def width() -> int | None:
    """Columns of the terminal that reads stdout; None where none does, and nothing is to be cut."""
    return shutil.get_terminal_size().columns if (_Screen.results or sys.stdout).isatty() else None


def fitted(cell: str, columns: int, right: bool = False) -> str:
    """The cell in exactly so many columns, cut with an ellipsis; wide letters count as two."""
    long = cell_len(cell)
    if long > columns:
        return set_cell_size(cell, max(columns - 1, 0)) + "…"
    return " " * (columns - long) + cell if right else cell + " " * (columns - long)


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), bold: int | None = None, heading: str = "") -> None:
    """Aligned columns. In a terminal the last column is wrapped into what is left of the width.

    Args:
        rows: cells; all rows of one length.
        right: the columns that hold numbers.
        bold: the row that stands out.
        heading: the style of the first row, where it holds headings.
    """
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    left = sum(widths[:-1]) + 2 * (len(widths) - 1)
    room = width()
    last = max(room - left, 16) if room else widths[-1]
    for number, row in enumerate(rows):
        cells = [fitted(c, w, i in right) for i, (c, w) in enumerate(zip(row[:-1], widths[:-1], strict=True))]
        first, *more = _wrapped(row[-1], last) or [""]
        style = "bold" if number == bold else heading if number == 0 else ""
        say("  ".join([*cells, first]).rstrip(), style)
        for line in more:
            say(" " * left + line, style)


def _wrapped(text: str, columns: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class Progress:
    """One line on stderr that is written over and taken away; silent where stderr is no terminal.

    Args:
        stream: where the line goes instead.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.total, self.stream = 0, stream or sys.stderr
        self.shown = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.started, self.last = time.monotonic(), 0.0

    def note(self, words: str) -> None:
        """Says what is going on; `clear` before anything else is printed."""
        if self.shown:
            columns = shutil.get_terminal_size().columns
            self.stream.write("\r\x1b[2K" + fitted(words, columns - 1).rstrip())
            self.stream.flush()

    def start(self, total: int) -> None:
        """Pictures are counted from now on."""
        self.total, self.started = total, time.monotonic()
        self.at(0)

    def at(self, done: int, failed: int = 0) -> None:
        """So many pictures are done."""
        now = time.monotonic()
        if self.total < 2 or now - self.last < 0.1:
            return
        self.last = now
        speed = done / max(now - self.started, 1e-9)
        full = round(20 * done / self.total)
        words = f"explain  {'━' * full}{'─' * (20 - full)}  {done:,}/{self.total:,}"
        if done:
            words += f"  {speed:.1f}/s  {lasting((self.total - done) / speed)} left"
        self.note(words + (f"  {failed:,} failed" if failed else ""))

    def clear(self) -> None:
        """Takes the line away."""
        if self.shown:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()


def lasting(seconds: float) -> str:
    """A time as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def told(debug: bool = False, code: int = 2, stopped: str = "interrupted; what is written stays") -> Iterator[Progress]:
    """Errors as a person reads them, never a traceback unless asked for; ends the process with the code that fits.

    What a user's own code prints meanwhile is no result and goes to stderr.

    Args:
        debug: show tracebacks and all warnings.
        code: of the exit for what cannot be used or fails; it is 130 for Ctrl-C, 141 where the reader of stdout went.
        stopped: what is said on Ctrl-C.
    """
    progress, _Screen.results = Progress(), sys.stdout
    with warnings.catch_warnings():
        if not debug:
            warnings.simplefilter("ignore")
            warnings.simplefilter("default", SeeWhyWarning)
            warnings.showwarning = lambda message, *_: tell(f"warning: {as_options(str(message))}")
        try:
            with redirect_stdout(sys.stderr):
                yield progress
        except KeyboardInterrupt:
            progress.clear()
            tell(stopped)
            raise typer.Exit(130) from None
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains while it ends
            raise typer.Exit(141) from None
        except typer.Exit:
            raise
        except Exception as error:
            progress.clear()
            if debug:
                traceback.print_exc()
            if isinstance(error, SeeWhyError):
                tell(f"error: {as_options(str(error))}")
            elif is_out_of_memory(error):
                tell(f"error: {_out_of_memory(error)}")
            else:
                tell(f"error: {_unexpected(error)}")
            raise typer.Exit(code) from None
        finally:
            _Screen.results = None


def _unexpected(error: Exception) -> SeeWhyError:
    return InputError(
        f"something raised {type(error).__name__}: {' '.join(str(error).split())}",
        "a model that runs on a batch of images alone",
        "--debug shows where; of several inputs tell with wrap(model, call=...) in the function that --model names",
    )


def _out_of_memory(error: Exception) -> SeeWhyError:
    return InputError(
        f"the memory of the device is full: {str(error).splitlines()[0]}",
        "a batch that fits",
        "write --batch-size 4, fewer --layer, or --device cpu",
    )
