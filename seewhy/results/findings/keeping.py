"""How findings are kept in a run's folder: what was found as JSON, the pictures and numbers of each as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seewhy.errors import InputError
from seewhy.results.findings.effects import Effect, FalsePositives, Outside
from seewhy.results.findings.finding import Finding
from seewhy.results.findings.listing import SCHEMA, Findings
from seewhy.results.store import write_whole
from seewhy.results.trials import SCHEMA as TRIAL_COLUMNS
from seewhy.results.trials import Cell, Shot, Trial

FINDINGS, MEMBERS = "findings.json", "findings.parquet"
PROBES, TRIALS = "findings.probes.parquet", "findings.trials.parquet"
_MEMBERS = pa.schema(
    [
        ("code", pa.string()),
        ("id", pa.int64()),
        ("path", pa.string()),
        ("hash", pa.string()),
        ("map", pa.list_(pa.float16())),
    ]
)
_PROBES = pa.schema(
    [
        *(("code", pa.string()), ("direction", pa.list_(pa.float64())), ("offset", pa.float64())),
        *(("thing", pa.list_(pa.float64())), ("thing_offset", pa.float64())),
    ]
)
_GRIDS = ("where", "heat", "pixels")


def save(found: Findings, folder: Path) -> None:
    """Writes findings.json, the pictures of each, what tells them from the rest, and those of its tests.

    Nothing of what was decided is written.
    """
    bare = replace(found, items=tuple(replace(each, name=None, decision=None) for each in found))
    members = [
        {"code": each.code, "id": id, "path": path, "hash": hash, "map": map.ravel().astype(np.float16)}
        for each in bare
        for id, path, hash, map in zip(each.ids, each.paths, each.hashes, each.maps, strict=True)
    ]
    names = ("code", "direction", "offset", "thing", "thing_offset")
    probes = [{name: getattr(each, name) for name in names} for each in bare]
    _write(members, _MEMBERS, folder / MEMBERS)
    _write(probes, _PROBES, folder / PROBES)
    _write([row for each in bare for row in _tried(each)], TRIAL_COLUMNS, folder / TRIALS)
    text = json.dumps(bare.as_dict(), indent=1, ensure_ascii=False)
    write_whole(folder / FINDINGS, lambda file: file.write(text.encode()))


def read(folder: Path) -> Findings:
    """What `save` wrote.

    Raises:
        InputError: nothing was found out yet, or the files are damaged or of another version of seewhy.
    """
    try:
        held = json.loads((folder / FINDINGS).read_text("utf-8"))
        if held["schema"] != SCHEMA:
            raise ValueError(f"schema {held['schema']} instead of {SCHEMA}")
        members, tried = (pq.read_table(folder / name).to_pylist() for name in (MEMBERS, TRIALS))
        probes = {row["code"]: row for row in pq.read_table(folder / PROBES).to_pylist()}
        items = tuple(_finding(each, members, probes[each["code"]], tried) for each in held["findings"])
        return Findings(items, held["tried"], tuple(held["notes"]), held["seen"])
    except FileNotFoundError:
        raise InputError(
            f"no findings in {str(folder)!r}",
            "a run in which shortcuts were looked for",
            "find_shortcuts(run, model) searches for it",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowInvalid) as error:
        raise InputError(
            f"{str(folder / FINDINGS)!r} cannot be read: {error}",
            "what find_shortcuts wrote",
            "find_shortcuts(run, model) writes it anew",
        ) from error


def _finding(
    held: dict[str, Any], members: list[dict[str, Any]], probe: dict[str, Any], tried: list[dict[str, Any]]
) -> Finding:
    own = [row for row in members if row["code"] == held["code"]]
    trials = [row for row in tried if row["code"] == held["code"]]
    shape, shared = held["map_shape"], held["false_positives"]
    derived = ("examples", "members", "status", "map_shape")
    kept = {key: value for key, value in held.items() if key not in derived}
    kept |= {
        "ids": tuple(row["id"] for row in own),
        "paths": tuple(row["path"] for row in own),
        "hashes": tuple(row["hash"] for row in own),
        "maps": np.array([row["map"] for row in own], np.float32).reshape(-1, *shape),
        "effects": tuple(_effect(each, trials) for each in held["effects"]),
        "cells": tuple(Cell(**each) for each in held["cells"]),
        "shots": tuple(
            Shot(**{**each, "file": Path(each["file"]).name, "trial": Trial(**each["trial"])}) for each in held["shots"]
        ),
        "false_positives": None if shared is None else FalsePositives(**{**shared, "ids": tuple(shared["ids"])}),
        "outside": None if held["outside"] is None else Outside(**held["outside"]),
        "direction": np.array(probe["direction"], np.float64),
        "offset": probe["offset"],
        "thing": np.array(probe["thing"], np.float64),
        "thing_offset": probe["thing_offset"],
        **{name: np.array(held[name], np.float32) for name in _GRIDS},
    }
    return Finding(**kept)


def _tried(finding: Finding) -> Iterator[dict[str, Any]]:
    for each in finding.effects:
        for controls, trials in ((False, each.trials), (True, each.control_trials)):
            of = {"code": finding.code, "test": each.test, "region": each.region, "control": each.control}
            yield from ({**of, "controls": controls, **vars(trial)} for trial in trials)


def _effect(held: dict[str, Any], tried: Sequence[dict[str, Any]]) -> Effect:
    own = [row for row in tried if all(row[name] == held[name] for name in ("test", "region", "control"))]
    one, other = (
        tuple(Trial(*(row[name] for name in Trial.__dataclass_fields__)) for row in own if row["controls"] == controls)
        for controls in (False, True)
    )
    fills = tuple((name, difference) for name, difference in held["fills"])
    return Effect(**{**held, "interval": tuple(held["interval"]), "fills": fills}, trials=one, control_trials=other)


def _write(rows: list[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    table = pa.Table.from_pylist(rows, schema)
    write_whole(path, lambda file: pq.write_table(table, file, compression="zstd"))
