"""What people decide about findings: kept in `seewhy.toml`, for people to read and edit and to commit beside the code.

A finding's code changes from analysis to analysis. A decision holds for the finding of the same class whose pictures
are mostly the same ones, by the hashes of their bytes.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.results.findings.finding import Decision, Finding
from seewhy.results.findings.listing import Findings
from seewhy.results.store import write_whole
from seewhy.results.tables import counted

FILE = "seewhy.toml"
ACTIONS = ("accept", "dismiss", "confirm")
SAME = 0.5  # Jaccard index of their pictures, from which on two findings are one
_KEPT, _DIGITS = 64, 12  # lowest hashes of a finding, and of each its first digits
_ROW = 6
_HEAD = """\
# What people decided about shortcuts that seewhy found. `seewhy accept` writes it, `seewhy shortcuts` heeds it.
# Edit it as you like: take a block away to take a decision back. `pictures` tells which finding is meant.
"""
_BLOCK = re.compile(r"(?m)^(?=[ \t]*\[\[?[ \t]*[A-Za-z_\"'])")
_TAIL = re.compile(r"(?m)(?:^[ \t]*(?:#[^\n]*)?\n)*\Z")


@dataclass(frozen=True)
class Entry:
    """A block of the file: the finding that it is about, and what was decided."""

    label: str
    pictures: frozenset[str]
    code: str = ""
    name: str | None = None
    action: str | None = None
    reason: str = ""
    until: date | None = None

    def likeness(self, finding: Finding) -> float:
        """Jaccard index of the pictures, estimated from the lowest hashes; 0 for another class."""
        if finding.label != self.label:
            return 0.0
        other = _lowest(finding)
        lowest = sorted(self.pictures | other)[:_KEPT]
        return sum(each in self.pictures and each in other for each in lowest) / len(lowest) if lowest else 0.0

    def decision(self, today: date) -> Decision | None:
        if self.action is None:
            return None
        return Decision(self.action, self.reason, self.until, self.until is not None and today > self.until)


def decisions_file(given: str | Path | None = None) -> Path:
    """The file of decisions: the one named, else `seewhy.toml` here or in the nearest folder above that has one."""
    if given is not None:
        return Path(given)
    here = Path.cwd()
    return next((each / FILE for each in (here, *here.parents) if (each / FILE).is_file()), here / FILE)


def decided(found: Findings, path: str | Path | None = None, today: date | None = None) -> Findings:
    """The findings with names and decisions from the file.

    Args:
        found: what was found.
        path: None: as `decisions_file` chooses. A file that is named must be there.
        today: None: the day.
    Raises:
        InputError: the file cannot be read, or what it holds is no decision.
    """
    file = decisions_file(path)
    if path is not None and not file.is_file():
        raise InputError(f"no file {str(file)!r}", "a file of decisions", "`seewhy accept` writes one, seewhy.toml")
    entries, day = entries_of(file), today or date.today()
    items = []
    for each in found:
        entry = _nearest(entries, each)
        items.append(each if entry is None else replace(each, name=entry.name, decision=entry.decision(day)))
    return replace(found, items=tuple(items))


def decide(
    finding: Finding,
    action: str | None = None,
    *,
    reason: str | None = None,
    until: str | date | None = None,
    name: str | None = None,
    path: str | Path | None = None,
    today: date | None = None,
) -> Finding:
    """Writes a decision about a finding into the file, in the place of an older one about it.

    Returns:
        The finding with it.
    Raises:
        UnknownNameError: no such action.
        InputError: nothing to write, no reason or date where one is needed, or a file that cannot be edited.
    """
    day = today or date.today()
    file = decisions_file(path)
    text = _read(file)
    entries = _entries(text, file)
    old = _nearest(entries, finding)
    entry = old or Entry(finding.label, frozenset())
    if action is not None:
        wanted = _need(action, reason, until, day)
        entry = replace(entry, action=action, reason=" ".join((reason or "").split()), until=wanted)
    elif reason is not None or until is not None or name is None:
        raise InputError(
            f"nothing to decide about {finding.code}",
            f"one of {', '.join(ACTIONS)}, or a name",
            "name what is to be done",
        )
    entry = replace(entry, pictures=_lowest(finding), code=finding.code, name=_name(name) or entry.name)
    place = len(entries) if old is None else entries.index(old)
    _write(file, text, [*entries[:place], entry, *entries[place + 1 :]], place)
    return replace(finding, name=entry.name, decision=entry.decision(day))


def entries_of(file: Path) -> list[Entry]:
    """What a file of decisions holds; nothing where there is none."""
    return _entries(_read(file), file)


def _need(action: str, reason: str | None, until: str | date | None, today: date) -> date | None:
    if action not in ACTIONS:
        remedy = did_you_mean(action, ACTIONS, "use 'accept'")
        raise UnknownNameError(f"a decision {action!r}", f"one of {', '.join(ACTIONS)}", remedy)
    if action != "confirm" and not (reason or "").strip():
        raise InputError(f"{action} without a reason", "why, for those who read it later", "write reason='...'")
    if action != "accept":
        if until is not None:
            raise InputError(f"{action} until {until}", "an end date for accept alone", "leave until= out")
        return None
    example = (today + timedelta(days=90)).isoformat()
    if until is None:
        raise InputError("accept without an end date", "the last day on which it holds", f"write until='{example}'")
    day = _date(until)
    if day is None or day < today:
        raise InputError(f"until={str(until)!r}", "a day to come, as year-month-day", f"write until='{example}'")
    return day


def _name(name: str | None) -> str | None:
    if name is None:
        return None
    said = " ".join(name.split())
    if not said or re.fullmatch(r"SC\d+", said):
        raise InputError(f"name={name!r}", "a name that is no code", "say what it is: name='ruler'")
    return said


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _lowest(finding: Finding) -> frozenset[str]:
    return frozenset(sorted({each[:_DIGITS] for each in finding.hashes})[:_KEPT])


def _nearest(entries: Sequence[Entry], finding: Finding) -> Entry | None:
    """The entry that is about a finding; of several the one most alike, and of these the last."""
    best = max(reversed(entries), key=lambda each: each.likeness(finding), default=None)
    return best if best is not None and best.likeness(finding) >= SAME else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig") if file.is_file() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{str(file)!r} cannot be read: {error}", "a file of decisions in UTF-8", "mend it") from error


def _entries(text: str, file: Path) -> list[Entry]:
    try:
        blocks = tomllib.loads(text).get("finding", [])
    except tomllib.TOMLDecodeError as error:
        raise _broken(file, str(error)) from error
    if not isinstance(blocks, list) or not all(isinstance(each, dict) for each in blocks):
        raise _broken(file, "`finding` is no list of blocks [[finding]]")
    return [_entry(each, number, file) for number, each in enumerate(blocks, 1)]


def _entry(block: dict[str, Any], number: int, file: Path) -> Entry:
    said = f"block {number} [[finding]]"
    unknown = set(block) - {"code", "class", "name", "action", "reason", "until", "pictures"}
    if unknown:
        raise _broken(file, f"{said} has the key {sorted(unknown)[0]!r}")
    if not isinstance(block.get("class"), str) or not isinstance(block.get("pictures"), list):
        raise _broken(file, f"{said} lacks `class` or `pictures`, which tell what it is about")
    texts = {key: block.get(key, "") for key in ("code", "name", "reason")}
    if not all(isinstance(each, str) for each in (*texts.values(), *block["pictures"])):
        raise _broken(file, f"{said}: code, name, reason and pictures are texts")
    action, until = block.get("action"), block.get("until")
    if action is not None and action not in ACTIONS:
        raise _broken(file, f"{said} has the action {action!r}; it is one of {', '.join(ACTIONS)}")
    day = _date(until)
    if (action == "accept" and day is None) or (until is not None and day is None):
        raise _broken(file, f"{said}: until = {until!r}; it is a day such as 2027-03-01")
    pictures = frozenset(each[:_DIGITS] for each in block["pictures"])
    return Entry(block["class"], pictures, texts["code"], texts["name"] or None, action, texts["reason"], day)


def _broken(file: Path, why: str) -> InputError:
    return InputError(
        f"{str(file)!r}: {why}", "decisions as `seewhy accept` writes them", "mend it, or take the block away"
    )


def _write(file: Path, text: str, entries: list[Entry], place: int) -> None:
    """Replaces or adds one block; all else stays letter by letter, comments too."""
    parts = _BLOCK.split(text) if text.strip() else [_HEAD]
    blocks = [i for i, part in enumerate(parts) if re.match(r"[ \t]*\[\[[ \t]*finding[ \t]*\]\]", part)]
    if place < len(blocks):
        tail = _TAIL.search(parts[blocks[place]])
        parts[blocks[place]] = _block(entries[place]) + (tail.group() if tail else "")
    else:
        if not parts[-1].endswith("\n"):
            parts[-1] += "\n"
        parts.append("\n" + _block(entries[place]))
    new = "".join(parts)
    try:
        kept = _entries(new, file)
    except InputError:
        kept = []
    if kept != entries:
        raise InputError(
            f"{str(file)!r} is written in a way that cannot be changed by itself",
            "blocks that begin with a line [[finding]]",
            f"add the block yourself:\n{_block(entries[place])}",
        )
    write_whole(file, lambda out: out.write(new.encode()))


def _block(entry: Entry) -> str:
    lines = ["[[finding]]", f"code = {_quoted(entry.code)}  # when this was written; it may change"]
    lines.append(f"class = {_quoted(entry.label)}")
    lines += [f"name = {_quoted(entry.name)}"] if entry.name else []
    lines += [f"action = {_quoted(entry.action)}"] if entry.action else []
    lines += [f"reason = {_quoted(entry.reason)}"] if entry.reason else []
    lines += [f"until = {entry.until.isoformat()}"] if entry.until else []
    kept = sorted(entry.pictures)
    rows = [kept[i : i + _ROW] for i in range(0, len(kept), _ROW)]
    lines += [f"pictures = [  # {counted(len(kept), 'hash', 'hashes')}"]
    lines += ["  " + " ".join(f"{_quoted(each)}," for each in row) for row in rows]
    return "\n".join([*lines, "]", ""])


def _quoted(text: str) -> str:
    """A basic string of TOML: as JSON's, and DEL escaped as well; half a surrogate pair becomes '?'."""
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")
