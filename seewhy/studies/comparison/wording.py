"""A comparison as people read it: in a terminal, and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from seewhy.results.questions.measures import wilson
from seewhy.results.tables import aligned, counted, html, line, percent, percents, short
from seewhy.studies.comparison.sorting import MEANING, REASON

if TYPE_CHECKING:
    from seewhy.studies.comparison.changes import Change, ClassChange
    from seewhy.studies.comparison.result import Comparison

_CLASSES = 10
_MINUS = "\N{MINUS SIGN}"
_Rows = list[list[str]]


def screen(comparison: Comparison, after: str | None = "Next: ") -> str:
    """The whole comparison as text, with what to ask next behind `after`; None: without."""
    blocks = [f"{len(comparison.runs)} runs on {_sets(comparison)}\n{aligned(_sides(comparison))}"]
    if comparison.judged:
        blocks[0] += "\n" + "\n".join(map(_verdict, comparison.changes))
    tables = [f"{title}\n{aligned(rows, right)}" for title, rows, right in _tables(comparison)]
    tables[0] = "\n".join(filter(None, [tables[0], _alike(comparison)]))
    blocks += tables
    if comparison.notes:
        blocks.append("\n".join(f"note: {line(note)}" for note in comparison.notes))
    if after is not None:
        blocks.append(after + _next(comparison))
    return "\n\n".join(blocks)


def html_of(comparison: Comparison) -> str:
    """The same without styles, scripts or links."""
    sides = html([[""] * len(_sides(comparison)[0]), *_sides(comparison)], (), _sets(comparison))
    said = "".join(f"<p>{escape(_verdict(each))}</p>" for each in comparison.changes) if comparison.judged else ""
    tables = "".join(html(_headed(rows), right, title) for title, rows, right in _tables(comparison))
    tables += f"<p>{escape(_alike(comparison).strip())}</p>"
    return f"<div>{sides}{said}{tables}{''.join(f'<p>{escape(line(note))}</p>' for note in comparison.notes)}</div>"


def signed(value: float) -> str:
    """Two digits, with a minus sign that reads as one."""
    return f"{value:.2f}".replace("-", _MINUS)


def points(share: float | None) -> str:
    """A difference of shares as signed points."""
    if share is None or share != share:
        return "–"
    text = f"{100 * abs(share):.1f}"
    return text if text == "0.0" else (_MINUS if share < 0 else "+") + text


def probability(p: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if p < 0.001 else f"= {p:.2g}" if p < 0.995 else "= 1"


def _headed(rows: _Rows) -> _Rows:
    """A first row of headings, empty where the table has none."""
    return rows if not rows[0][0].strip() or rows[0][0].strip() == "class" else [[""] * len(rows[0]), *rows]


def _sets(comparison: Comparison) -> str:
    all_of = [side.pictures for side in comparison.sides]
    words = counted(comparison.pictures, "picture")
    if set(all_of) == {comparison.pictures}:
        words += " that both have" if len(all_of) == 2 else " that all have"
    else:
        of = ", ".join(f"{side.name} has {side.pictures:,}" for side in comparison.sides)
        words += f" that they share ({of})"
    unlabelled = comparison.pictures - comparison.judged
    if not comparison.judged:
        return words + ", without labels"
    return words + (f", {unlabelled:,} of them without a label" if unlabelled else "")


def _sides(comparison: Comparison) -> _Rows:
    rows = []
    for side in comparison.sides:
        right = []
        if side.accuracy is not None:
            right = [f"accuracy {percent(side.accuracy)} (95 %: {percents(side.accuracy_interval)})"]
        model = f"{side.model}, {counted(side.outputs, 'class', 'classes')}"
        rows.append([f"  {side.name}", short(side.folder), model, f"{side.layer}, {side.method}", *right])
    return rows


def _verdict(change: Change) -> str:
    """Whether the accuracies differ by more than chance would."""
    p = 1.0 if change.p_corrected is None else change.p_corrected
    said = "chance alone may do that" if p >= 0.05 else "more than chance would do"
    corrected = " after Holm" if change.p is not None and p != change.p else ""
    return (
        f"  {change.name} {_MINUS} A  {points(change.difference)} points (95 %: {_signed(change.interval)}); "
        f"McNemar's exact p {probability(p)}{corrected}: {said}"
    )


def _tables(comparison: Comparison) -> list[tuple[str, _Rows, list[int]]]:
    """Title, rows and the columns of numbers of each table."""
    tables = [("what changed", *_buckets(comparison))]
    several = len(comparison.changes) > 1
    for change in comparison.changes:
        beside = f", {change.name} beside A" if several else ""
        if change.classes:
            tables.append((_title_of_classes(change) + beside, _classes(change), [1, 2, 4, 6, 8, 9]))
        if change.moves:
            tables.append((f"where they look, and how sure they are{beside}", _moves(change), [1, 2, 3, 4, 6]))
    return tables


def _buckets(comparison: Comparison) -> tuple[_Rows, list[int]]:
    several = len(comparison.changes) > 1
    rows: _Rows = []
    for name in dict.fromkeys(name for change in comparison.changes for name in change.buckets):
        title = "same answer, different reason" if name == REASON else name
        cells = [f"  {title}"]
        for change in comparison.changes:
            count = change.buckets.get(name, 0)
            of = change.same if name == REASON else comparison.pictures
            cells += [f"{count:,}", percent(count / of if of else None)]
        rows.append([*cells, _meaning(comparison, name)])
    head = [] if not several else [["", *(cell for c in comparison.changes for cell in (c.name, "")), ""]]
    return [*head, *rows], list(range(1, 1 + 2 * len(comparison.changes)))


def _meaning(comparison: Comparison, name: str) -> str:
    if name == REASON:
        known = any(change.correlation is not None for change in comparison.changes)
        return f"of the same answers: maps correlate below {comparison.like:g}" if known else "no maps to judge by"
    other = comparison.changes[0].name if len(comparison.changes) == 1 else "it"
    return MEANING[name].format("A", other)


def _alike(comparison: Comparison) -> str:
    """How alike the maps are, beside what chance makes alike; '' without maps."""
    several = len(comparison.changes) > 1
    parts = []
    for change in comparison.changes:
        if change.correlation is not None:
            beside = f" of {change.name}" if several else ""
            flat = f" ({change.same - change.alike:,} flat or missing)" if change.same > change.alike else ""
            parts.append(f"{signed(change.correlation)}{beside}{flat}")
    if not parts:
        return ""
    chance = "" if comparison.by_chance is None else f"; A's maps of different pictures: {signed(comparison.by_chance)}"
    return f"  correlation of maps with the same answer, median: {', '.join(parts)}{chance}"


def _title_of_classes(change: Change) -> str:
    if len(change.classes) <= _CLASSES:
        return "classes"
    return f"the {_CLASSES} classes that changed most, of {len(change.classes):,}"


def _classes(change: Change) -> _Rows:
    kept = list(change.classes)
    if len(kept) > _CLASSES:
        kept = sorted(kept, key=lambda each: (-abs(each.fixed - each.broken), -each.broken))[:_CLASSES]
    head = ["  class", "pictures", "recall A", "", f"recall {change.name}", "", "change", "", "broken", "fixed"]
    return [head, *map(_class, kept)]


def _class(one: ClassChange) -> list[str]:
    first, other = wilson(one.first, one.pictures), wilson(one.other, one.pictures)
    return [
        f"  {one.name}",
        f"{one.pictures:,}",
        *(percent(one.first / one.pictures), percents(first)),
        *(percent(one.other / one.pictures), percents(other)),
        *(points(one.difference), _signed(one.interval)),
        *(f"{one.broken:,}", f"{one.fixed:,}"),
    ]


def _moves(change: Change) -> _Rows:
    head = ["", "pictures", "A", change.name, "change", "95 %", "even map"]
    rows = []
    for each in change.moves:
        mean = each.mean
        even = "" if each.even is None else percent(each.even)
        cells = [percent(mean.first), percent(mean.other), points(mean.difference), _signed(mean.interval), even]
        rows.append([f"  {each.words}", f"{mean.pictures:,}", *cells])
    if not any(row[-1] for row in rows):
        return [row[:-1] for row in [head, *rows]]
    return [head, *rows]


def _signed(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{points(interval[0])} to {points(interval[1])}"


def _next(comparison: Comparison) -> str:
    """What to look at first, in Python."""
    buckets = comparison.changes[0].buckets
    order = ("newly broken", "changed answer", REASON, "fixed", "both wrong")
    name = next((name for name in order if buckets.get(name)), None)
    if name is None:
        return "comparison.gif('models.gif')"
    method = name.replace(" ", "_")
    return f"comparison.{method}()  comparison.gallery({name!r}, '{method}.png')  comparison.gif('models.gif')"
