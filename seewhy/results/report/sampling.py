"""Which pictures a report shows, and which predictions it lists, where a run has more than one file can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from seewhy.results.arrays import Ints, floats, ints
from seewhy.results.questions.clusters import Clusters

if TYPE_CHECKING:
    from seewhy.results.run import Run

ROWS, PICTURES = 20_000, 200  # listed, shown
_MISTAKES = 1_000  # that are listed whatever chance says
_PROOFS = 0.35  # of the pictures at most: those of findings
_SHARES = (  # of the pictures, for each reason to show one; what is left is drawn by chance
    ("confident", 0.2),
    ("lost", 0.1),
    ("doubted", 0.1),
    ("close", 0.15),
    ("group", 0.3),
)
_WORDS = {
    "finding": "typical of a finding",
    "confident": "most confident mistakes",
    "lost": "mistakes with the highest loss",
    "doubted": "whose label is probably wrong",
    "close": "right answers, the least confident first",
    "unsure": "least confident answers",
    "group": "typical or odd in a group of what it looked at",
    "chance": "by chance",
}


@dataclass(frozen=True, eq=False)
class Sample:
    """What of a run goes into a report.

    Args:
        of: answered pictures of the run.
        rows: int [rows], their ids in the order of the data.
        drawn: so many of `rows` were drawn by chance; all, where all are listed.
        pictures: (id, why it is shown), the most telling mix first, so that any beginning of it is a mix, too.
        seed: of what was drawn.
    """

    of: int
    rows: Ints
    drawn: int
    pictures: tuple[tuple[int, str], ...]
    seed: int

    @property
    def how_rows(self) -> str:
        if len(self.rows) == self.of:
            return "All predictions."
        more = len(self.rows) - self.drawn
        words = f"{len(self.rows):,} of {self.of:,}: {self.drawn:,} by chance (seed {self.seed})"
        return words + (f", and {more:,} more: the most confident mistakes and what is shown." if more else ".")

    def how_pictures(self, count: int, what: str = "pictures") -> str:
        """How the first `count` pictures were chosen; `what` of them is shown."""
        if count >= self.of:
            return f"All {what}."
        maps = "" if what == "pictures" else f" {what}"
        found = Counter(why for _, why in self.pictures[:count])
        said = [f"{found[why]:,} {words}" for why, words in _WORDS.items() if found[why]]
        return f"{count:,}{maps} of {self.of:,}: {', '.join(said)}." if said else f"None of {self.of:,}."


def sampled(
    run: Run,
    groups: Clusters,
    doubted: Sequence[int],
    rows: int = ROWS,
    pictures: int = PICTURES,
    seed: int = 0,
    proofs: Sequence[int] = (),
) -> Sample:
    """Chooses pictures that tell most, and predictions by chance.

    Args:
        groups: of the run.
        doubted: ids of pictures whose label is probably wrong, the most probable first.
        rows, pictures: so many at most.
        proofs: ids of pictures that findings are of, the most typical first.
    """
    answered = pc.field("error").is_null() & pc.field("predicted_index").is_valid()
    held = run.select(["id", "correct", "probability", "loss"], where=answered)
    ids, correct = ints(held["id"]), ints(held["correct"])
    sure, loss = floats(held["probability"]), floats(held["loss"])
    draw = np.random.default_rng(seed)
    count = min(pictures, len(ids))
    shown = _pictures(ids, correct, sure, loss, groups, doubted, count, draw, _known(proofs, ids))
    if len(ids) <= rows:
        return Sample(len(ids), ids, len(ids), shown, seed)
    wrong = np.flatnonzero(correct == 0)
    worst = ids[wrong[np.lexsort((ids[wrong], -sure[wrong]))]][: min(_MISTAKES, rows // 4)]
    kept = np.unique(np.concatenate([np.array([i for i, _ in shown], np.int64), worst, _known(doubted, ids)]))
    drawn = draw.choice(ids, max(1, rows - len(kept)), replace=False)
    return Sample(len(ids), np.union1d(kept, drawn), len(drawn), shown, seed)


def _pictures(
    ids: Ints,
    correct: Ints,
    sure: Any,
    loss: Any,
    groups: Clusters,
    doubted: Sequence[int],
    count: int,
    draw: np.random.Generator,
    proofs: Ints,
) -> tuple[tuple[int, str], ...]:
    """Ids and reasons, each reason in proportion all along."""
    wrong, right, judged = np.flatnonzero(correct == 0), np.flatnonzero(correct == 1), bool((correct >= 0).any())
    lists: dict[str, Any] = {
        "confident": ids[wrong[np.lexsort((ids[wrong], -sure[wrong]))]],
        "lost": ids[wrong[np.lexsort((ids[wrong], -loss[wrong]))]],
        "doubted": _known(doubted, ids),
        "close" if judged else "unsure": ids[right[np.argsort(sure[right], kind="stable")]]
        if judged
        else ids[np.argsort(sure, kind="stable")],
        "group": np.array(_of_groups(groups), np.int64),
    }
    proofs = proofs[: round(_PROOFS * count)]
    taken = {i: ((place + 0.5) / len(proofs), "finding") for place, i in enumerate(proofs.tolist())}
    free = count - len(taken)
    for why, share in _SHARES:
        why = "unsure" if why == "close" and not judged else why
        most = max(1, round(share * free))
        fresh = [i for i in lists[why][: most + len(taken)].tolist() if i not in taken][:most]
        taken.update((i, ((place + 0.5) / most, why)) for place, i in enumerate(fresh))
    left = count - len(taken)
    if left > 0:
        others = ids[~np.isin(ids, np.fromiter(taken, np.int64, len(taken)))]
        by_chance = draw.permutation(others)[:left] if len(others) < 1e6 else draw.choice(others, left, replace=False)
        taken.update((i, ((place + 0.5) / left, "chance")) for place, i in enumerate(by_chance.tolist()))
    order = sorted(taken, key=lambda i: (taken[i][0], i))
    return tuple((i, taken[i][1]) for i in order[:count])


def _of_groups(groups: Clusters) -> list[int]:
    """The nearest and farthest pictures of all groups, in turns."""
    result: dict[int, None] = {}
    for place in range(8):
        for one in groups:
            result.update(dict.fromkeys(one.typical[place : place + 1]))
            if place % 2 == 0:
                result.update(dict.fromkeys(one.odd[place // 2 : place // 2 + 1]))
    return list(result)


def _known(chosen: Sequence[int], ids: Ints) -> Ints:
    found = np.asarray(list(chosen), np.int64)
    return found[np.isin(found, ids)]
