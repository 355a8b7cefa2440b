"""What a study works with: pictures read, split and, where asked, made; and whether it is the study of before."""

from __future__ import annotations

import hashlib
import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewhy.errors import InputError, SeeWhyWarning
from seewhy.results.store import key_of
from seewhy.results.tables import counted
from seewhy.studies.data import Files, Indexed
from seewhy.studies.supplement import dividing
from seewhy.studies.supplement.keeping import Folder
from seewhy.studies.supplement.making import Augmented, Maker
from seewhy.studies.supplement.pictures import Item, Label, classes_of, listed, opened

_PLAIN = ("pictures", "images", "manifest", "data", "train")
Told = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Gathered:
    """What is trained and audited with.

    Args:
        own: the data's pictures that are trained on.
        aside: those held out, and `held` as the audits read them.
        how: they were held out.
        extra: the supplement, or what makes it.
        name: of the supplement.
        classes: all labels.
        notes: what to know.
    """

    own: list[Item]
    aside: list[Item]
    held: Files | Indexed
    how: str
    extra: list[Item] | Maker
    name: str
    classes: tuple[Label, ...]
    notes: list[str]

    def settings(self, train: Any, seed: int, audit: Mapping[str, Any]) -> dict[str, Any]:
        """What decides over the study, as study.json keeps it."""
        added: dict[str, Any] = {"name": self.name}
        if isinstance(self.extra, Maker):
            key = self.extra.key
            added |= {"source": _source(getattr(self.extra, "function", None))} if key is None else {"key": key}
        else:
            added["pictures"] = _key(self.extra)
        plain = {key: value if isinstance(value, str | int | float) else repr(value) for key, value in audit.items()}
        return {
            **{"seed": seed, "data": _key([*self.own, *self.aside]), "held_out": _key(self.aside)},
            **{"supplement": added, "train": _named(train), "audit": plain},
        }


def gathered(data: Any, supplement: Any, held_out: Any, seed: int, folder: Folder, reading: Told) -> Gathered:
    """Reads and splits; nothing is written yet.

    Args:
        data, supplement, held_out, seed: as in `study`.
        folder: of the study, which may lie inside the data's.
        reading: called with pictures done and all pictures.
    """
    inside = folder.path.resolve()
    maker = supplement if isinstance(supplement, Maker) else Augmented(supplement) if callable(supplement) else None
    if supplement is None:
        raise InputError("no supplement", "extra pictures, or what makes them", "as in supplement='cages/'")
    source = opened(data, "data", inside)
    extra_data = None if maker is not None else opened(supplement, "supplement", inside)
    items, notes = listed(source, "the data", reading)
    if isinstance(held_out, float | int):
        if not 0 < held_out < 1:
            raise InputError(f"held_out={held_out!r}", "a share between 0 and 1, or pictures", "as in held_out=0.25")
        aside = dividing.held_out(items, held_out, seed)
        held: Files | Indexed = source.select(sorted(item.number for item in aside))
        how = f"{100 * held_out:g} % of each class, drawn from the data by seed {seed}"
        notes.append(f"held out: {how}")
        own = dividing.without(items, aside)
    else:
        held, how = opened(held_out, "held_out", inside), "as given"
        aside, more = listed(held, "the held-out pictures", reading)
        held = held.select([item.number for item in aside])
        notes += more
        own = dividing.without(items, aside)
        if len(own) < len(items):
            gone = counted(len(items) - len(own), "picture")
            notes.append(f"left out of the training, as held out: {gone} of the data")
    if extra_data is None:
        assert maker is not None
        classes = classes_of(items, {"a held-out picture": aside})
        dividing.need_training(own, classes, len(aside))
        return Gathered(own, aside, held, how, maker, maker.name, classes, notes)
    extra, more = listed(extra_data, "the supplement", reading)
    classes = classes_of(items, {"a held-out picture": aside, "a picture of the supplement": extra})
    dividing.need_training(own, classes, len(aside))
    name = _name(Path(supplement)) if isinstance(supplement, str | Path) else type(supplement).__name__
    new, told = fresh(extra, own, aside)
    return Gathered(own, aside, held, how, new, name, classes, [*notes, *more, *told])


def fresh(extra: Sequence[Item], own: Sequence[Item], aside: Sequence[Item]) -> tuple[list[Item], list[str]]:
    """The pictures of a supplement that are neither held out nor in the data; and how many are.

    Raises:
        InputError: none is left.
    """
    allowed = dividing.without(extra, aside)
    new = dividing.without(allowed, own)
    notes = []
    for count, why in ((len(extra) - len(allowed), "held out"), (len(allowed) - len(new), "in the data already")):
        if count:
            notes.append(f"left out of the training, as {why}: {counted(count, 'picture')} of the supplement")
    if not new:
        raise InputError(
            f"a supplement without a picture that is new ({'; '.join(notes)})", "at least one", "check what it holds"
        )
    return new, notes


def continued(before: dict[str, Any] | None, now: dict[str, Any], folder: Folder) -> dict[str, Any]:
    """The settings to keep of a study that goes on; shares and repeats may grow.

    Raises:
        InputError: others are not those of before.
    """
    if before is None:
        return now
    then = before["settings"]
    names = {"data": "the data", "held_out": "the held-out pictures", "seed": "the seed"}
    different = [words for key, words in names.items() if then.get(key) != now[key]]
    if _unsourced(then["supplement"]) != _unsourced(now["supplement"]):
        old, new = then["supplement"]["name"], now["supplement"]["name"]
        different.append(f"the supplement ({old}, now {new if new != old else 'one of the same name'})")
    if then.get("audit") != now["audit"]:
        different.append(f"audit {then.get('audit')}, now {now['audit']}")
    if then["train"]["settings"] != now["train"]["settings"]:
        different.append(f"train {then['train']['settings']}, now {now['train']['settings']}")
    if different:
        raise InputError(
            f"the study in {str(folder.path)!r} is another one: {'; '.join(different)} differ",
            "the same, to go on with it",
            "study in another folder with out=, or give what was given before",
        )
    for key, what in (("train", "train"), ("supplement", "what makes the supplement")):
        if then[key].get("source") != now[key].get("source"):
            warnings.warn(
                f"{what} is not what it was when the study in {str(folder.path)!r} began: {now[key]['name']}\n"
                "  expected: the same, so that its models can be compared; what was trained or made is kept\n"
                "  to do: nothing, if the change does not matter; else study in another folder with out=",
                SeeWhyWarning,
                stacklevel=3,
            )
    shares = sorted({*then["shares"], *now["shares"]})
    return now | {"shares": shares, "repeats": max(then["repeats"], now["repeats"])}


def _name(path: Path) -> str:
    """Of a folder or a manifest; 'pictures' says nothing, and what it lies in does."""
    resolved = path.resolve()
    return resolved.parent.name if resolved.stem in _PLAIN and resolved.parent.name else resolved.name


def _named(train: Any) -> dict[str, Any]:
    """What tells trainings apart: the name, and what it says of itself or its source as far as that can be had."""
    settings = getattr(train, "settings", None)
    name = getattr(train, "name", None) or getattr(train, "__qualname__", type(train).__name__)
    if isinstance(settings, Mapping):
        return {"name": str(name), "settings": dict(settings), "source": None}
    return {"name": str(name), "settings": None, "source": _source(train)}


def _source(function: Any) -> str | None:
    """Of a function or of an object's class; None where it cannot be had."""
    try:
        text = inspect.getsource(function if hasattr(function, "__qualname__") else type(function))
    except (OSError, TypeError):
        return None
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _unsourced(supplement: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in supplement.items() if key != "source"}


def _key(items: Sequence[Item]) -> str:
    """The same for the same pictures with the same labels, wherever they lie."""
    return f"{len(items)} pictures, {key_of({'of': sorted(f'{item.hash} {item.label}' for item in items)})}"
