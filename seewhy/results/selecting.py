"""Which rows of a run: filters in words, and the kinds of mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from seewhy.errors import InputError, UnknownNameError, did_you_mean
from seewhy.results.record import SCHEMA
from seewhy.results.rows import Rows
from seewhy.results.tables import line

if TYPE_CHECKING:
    from seewhy.results.run import Run

CONFIDENT, CLOSE = 0.9, 0.1
KINDS = ("false positive", "false negative", "confident", "close")
LIGHT = [  # what `Rows` hold; the others would double the time that reading takes
    *("id", "path", "label", "predicted", "label_index", "predicted_index", "correct", "probability", "loss"),
    *("map_scale", "border", "corners", "inside_box", "inside_mask", "group", "split", "error"),
]
_PLACES = {"label": "label_index", "predicted": "predicted_index"}


def check_column(name: str) -> None:
    """UnknownNameError where a run has no such column."""
    if name not in SCHEMA.names:
        remedy = did_you_mean(str(name), SCHEMA.names, "docs/reference/columns.md lists them")
        raise UnknownNameError(f"no column {name!r}", "a column of a run", remedy)


def columns(names: Sequence[str] | None) -> list[str]:
    """The columns that are asked for; all where None are."""
    chosen = SCHEMA.names if names is None else [names] if isinstance(names, str) else list(names)
    for name in chosen:
        check_column(name)
    return list(chosen)


def condition(run: Run, where: Any, filters: dict[str, Any]) -> Any:
    """The filters as one expression; None where there are none."""
    if where is not None and not isinstance(where, pc.Expression):
        raise InputError(
            f"where={where!r}"[:80], "a pyarrow.compute expression", 'write where=pc.field("border") > 0.5'
        )
    result = where
    for name, wanted in filters.items():
        check_column(name)
        one = _meets(run, name, wanted)
        result = one if result is None else result & one
    return result


def mistakes(
    run: Run,
    kind: str | None,
    predicted: str | int | None,
    label: str | int | None,
    limit: int | None,
    filters: dict[str, Any],
) -> Rows:
    """See `Run.mistakes`."""
    run.need_labels("mistakes")
    if kind is not None and kind not in KINDS:
        remedy = did_you_mean(str(kind), KINDS, "leave it out for all mistakes")
        raise UnknownNameError(f"no kind of mistakes {kind!r}", f"one of {', '.join(map(repr, KINDS))}", remedy)
    if kind == "false positive" and predicted is None:
        predicted = _second(run, kind, "predicted")
    if kind == "false negative" and label is None:
        label = _second(run, kind, "label")
    where = None
    if kind == "confident":
        where = pc.field("probability") >= pa.scalar(CONFIDENT, pa.float32())  # 0.9 itself is one
    if kind == "close":  # the probability of the label is exp(-loss)
        where = pc.field("probability") - pc.exp(pc.negate(pc.field("loss"))) < CLOSE
    named = {name: wanted for name, wanted in (("predicted", predicted), ("label", label)) if wanted is not None}
    found, count = _ranked(run, limit, "descending", where=where, correct=False, **named, **filters)
    words = " ".join(filter(None, [kind, "mistakes" if kind in (None, *KINDS[2:]) else None])) or "mistakes"
    asked = ", ".join(f"{name} {wanted}" for name, wanted in {**named, **filters}.items())
    return Rows(run, found, words + (f" ({line(asked)})" if asked else ""), count)


def least_confident_right(run: Run, n: int) -> Rows:
    """See `Run.least_confident_right`."""
    run.need_labels("right answers")
    found, count = _ranked(run, n, "ascending", correct=True)
    return Rows(run, found, "right answers, the least confident first", count)


def failures(run: Run) -> Rows:
    """See `Run.failures`."""
    found = run.select(LIGHT, error=True)
    return Rows(run, found, "pictures without an answer", len(found), ("path", "error"))


def _ranked(run: Run, limit: int | None, order: str, **filters: Any) -> tuple[pa.Table, int]:
    """Rows by probability, equal ones in the order of the data, the first `limit`; and how many there are in all."""
    if limit is not None and limit < 1:
        raise InputError(f"{limit} rows", "1 or more", "leave it out for all")
    found = run.select(LIGHT if limit is None else ["id", "probability"], **filters)
    best = pc.sort_indices(found, [("probability", order), ("id", "ascending")])
    if limit is None:
        return found.take(best), len(found)
    return run.rows(found["id"].take(best[:limit]).to_pylist(), LIGHT), len(found)


def _second(run: Run, kind: str, argument: str) -> int:
    """The class that is meant where two are there and none is named: the second, as in scikit-learn."""
    model = run.about["settings"].get("model", {})
    if len(run.labels or ()) == 2 or model.get("outputs") in (1, 2):
        return 1
    names = ", ".join(map(repr, run.names[:3]))
    raise InputError(
        f"{kind}s of no class", f"{argument}=, a class", f"write {argument}={run.names[0]!r}; classes: {names} …"
    )


def _meets(run: Run, name: str, wanted: Any) -> Any:
    field, kind = pc.field(name), SCHEMA.field(name).type
    if wanted is None:
        return field.is_null()
    if isinstance(wanted, bool) and not pa.types.is_boolean(kind):
        return field.is_valid() if wanted else field.is_null()
    if pa.types.is_list(kind):
        raise InputError(f"{name}={wanted!r}"[:80], "True or None for a column of lists", "read it with columns=")
    several = list(wanted) if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    if name in _PLACES:
        return _of_classes(run, name, several)
    try:
        return field.isin(pa.array(several, kind))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name}={wanted!r}"[:80], f"a value of type {kind}, or a list", "check it") from error


def _of_classes(run: Run, name: str, wanted: list[Any]) -> Any:
    words = [each for each in wanted if isinstance(each, str)]
    places = [int(each) for each in wanted if not isinstance(each, str)]
    for word in words:
        _check_class(run, name, word)
    by_name = pc.field(name).isin(pa.array(words, pa.string()))
    return by_name | pc.field(_PLACES[name]).isin(pa.array(places, pa.int32())) if places else by_name


def _check_class(run: Run, name: str, word: str) -> None:
    if word in run.names:
        return
    first = ", ".join(map(repr, run.names[:3]))
    remedy = did_you_mean(word, run.names, f"the first classes are {first}")
    raise UnknownNameError(f"no class is called {word!r}", f"a class of the run as {name}", remedy)
