"""Known findings asked again: of a run opened anew, of another run, of another model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seewhy.results.findings import DECIDED, Effect, Finding, Findings, HeatShare, Recheck, Rechecks
from seewhy.results.findings.listing import confirmed
from seewhy.results.findings.rechecks import UNTESTED
from seewhy.results.run import Run
from seewhy.studies.measuring import mask_on_cells, share_inside
from seewhy.studies.shortcuts import intervals, wording
from seewhy.studies.shortcuts.heat import Masks, regions
from seewhy.studies.shortcuts.knowing import known_of
from seewhy.studies.shortcuts.looking import Looker
from seewhy.studies.shortcuts.retesting import WHOLE, Retests, View, at_work, view_of
from seewhy.studies.shortcuts.sampling import Reader
from seewhy.studies.shortcuts.searching import same_model

_SHARED = 10  # pictures of a finding that both runs must hold, for a comparison of their heat
_SIDE = 112  # points of a side at which a region of heat is looked up


def open_findings(run: Run, model: Any, *, decisions: str | Path | None = None) -> Findings:
    """The findings that are kept in a run, with the model put back behind them: `mask` and `score` work again.

    The numbers are those of right after `find_shortcuts`.

    Args:
        run: in which shortcuts were looked for; its pictures need not be there.
        model: the one that was audited; it is left as it was found.
        decisions: as in `Run.findings`.
    Returns:
        `Findings`. One without a place (a tint, blur) stays without the model; `find_shortcuts` gives it.
    Raises:
        InputError: another model than the run's, prepared otherwise, or nothing was searched yet.
    """
    found = run.findings(decisions)
    net = same_model(run, model)
    reader, looker = at_work(run, run, net)
    return replace(found, items=tuple(_with_probe(each, reader, looker) for each in found))


def recheck(
    run: Run,
    known: Run,
    model: Any = None,
    *,
    seed: int = 0,
    decisions: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Rechecks:
    """How much of the shortcuts that were found in one run is still there in another, be it of another model.

    Of each finding: the share of the new run's heat that lies on it, in the pictures that both runs hold (needs no
    model); how many pictures of the new run show it (for the same model alone, as features of two models cannot be
    compared); and covering and pasting, done with this model and the finding's pictures, which are read again from
    where the first run found them, into rightly answered pictures of the new run. As control, pictures of the rest of
    its class are pasted and covered in the same places.

    Args:
        run: the new one: of next month's pictures, or of another model.
        known: the one with the findings.
        model: the model of the new run, for the tests; None: they are left out.
        seed: of what is drawn by chance.
        decisions: as in `Run.findings`. Dismissed findings are not asked again.
        progress: called with findings done and all, after each.
    Returns:
        `Rechecks`; `failing()` are those that are still proven and not accepted.
    Raises:
        InputError: another model than the new run's, or nothing was searched in the first run.
    """
    found = known.findings(decisions)
    asked = [each for each in found if (each.raised or confirmed(each)) and each.status != DECIDED["dismiss"]]
    placed = [each for each in asked if each.kind == "place"]
    notes = [
        f"{each.code} has no place and is not asked again: find_shortcuts(run, model) searches for it"
        for each in asked
        if each.kind != "place"
    ]
    tests = None if model is None else Retests(run, known, same_model(run, model), int(found.tried["per_class"]), seed)
    if model is None:
        notes.append("without a model the heat alone is told; recheck(run, known, model) tests the effects")
    items = []
    for number, each in enumerate(placed, 1):
        items.append(_rechecked(each, run, known, tests, int(found.tried["seed"]), seed))
        if progress is not None:
            progress(number, len(placed))
    return Rechecks(tuple(items), (*notes, *(tests.notes() if tests is not None else ())))


def _rechecked(finding: Finding, run: Run, known: Run, tests: Retests | None, first_seed: int, seed: int) -> Recheck:
    heat = _heat(finding, run, known, seed)
    effects: tuple[Effect, ...] = ()
    why, shown = "no model was given", None
    if tests is not None:
        effects, why = tests.effects(finding, first_seed)
        shown = tests.shown(finding)
    verdict = wording.supported(effects, finding.effects) if effects else UNTESTED
    then = [wording.best(finding.effects, test) for test in ("cover", "paste")]  # what was clearest when it was found
    now = [_same(each, effects) for each in then] if effects else []
    proof = wording.proven(finding.label, now) if now else ""
    return Recheck(finding, verdict, heat, shown, effects, proof, _before(finding.label, *then) if now else "", why)


def _same(then: Effect, effects: Sequence[Effect]) -> Effect:
    """The same test of now. What sets a finding apart the first model alone can find; else what its heat marked."""
    wanted = then.test, then.region, then.control
    exact: list[Effect] = [each for each in effects if (each.test, each.region, each.control) == wanted]
    marked = [each for each in effects if (each.test, each.region) == (then.test, "own")]
    return [*exact, *marked][0]


def _before(label: str, cover: Effect, paste: Effect) -> str:
    """The same two tests as the proof tells, when the finding was found."""
    turned, control = paste.effect * paste.pictures, paste.control_effect * paste.control_pictures
    return (
        f"covered, p({label}) fell by {cover.effect:.2f} (control {abs(cover.control_effect):.2f}); "
        f"pasted, {turned:.0f} of {paste.pictures} turned (control {control:.0f})"
    )


def _heat(finding: Finding, run: Run, known: Run, seed: int) -> HeatShare | None:
    """Of the maps that both runs hold, the share that lies on the finding."""
    columns = ["hash", "map", "map_height", "map_width", "box", "group"]
    then = {row["hash"]: row for row in known.rows(finding.ids, columns).to_pylist()}
    now = {row["hash"]: row for row in run.select(columns, hash=list(finding.hashes), map=True).to_pylist()}
    before, after, areas, groups = [], [], [], []
    for hash, map in zip(finding.hashes, finding.maps, strict=True):
        if hash not in then or hash not in now or then[hash]["map"] is None:
            continue
        one, other = then[hash], now[hash]
        region = finding.region((_SIDE, _SIDE)) if finding.fixed else regions(map[None], (_SIDE, _SIDE))[0]
        shares = [_share(one, region, WHOLE), _share(other, region, view_of(one["box"], other["box"]))]
        if np.isnan(shares).any():
            continue
        before.append(shares[0])
        after.append(shares[1])
        areas.append(float(region.mean()))
        groups.append(one["group"])
    if len(before) < _SHARED:
        return None
    change = np.array(after) - np.array(before)
    interval = intervals.means([change], [intervals.own_group(groups)], seed)
    return HeatShare(len(before), float(np.mean(before)), float(np.mean(after)), interval, float(np.mean(areas)))


def _share(row: dict[str, Any], region: Masks, view: View) -> float:
    map = np.array(row["map"], np.float64).reshape(row["map_height"], row["map_width"])
    return share_inside(map, mask_on_cells(region, (1, 1), view, map.shape))


def _with_probe(finding: Finding, reader: Reader, looker: Looker) -> Finding:
    if not finding.direction.size:
        return finding
    return replace(finding, probe=known_of(finding, reader, looker))
