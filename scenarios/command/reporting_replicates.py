"""Replicates of a study as runs that the analysis reads: counts in time, outcomes and provenance."""

import json
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.compile.model_file import LIST_SECTIONS, ModelSpec
from ...abm.model import read_types
from ...abm.snapshot import CellTypeInfo, Columns, RunRecord
from ..store.guard import reading
from ..store.names import NO_PATIENT
from ..store.replicates import ArmRuns, Replicate, read_replicates

_PART = re.compile(r"^# --- .*\.toml$", re.MULTILINE)
NO_TITLE = ""


def replicate_records(path: Path) -> list[RunRecord]:
    """Return every replicate of a file as a run without snapshots, arm by arm and by seed.

    Volume is that of the sites that tumour cells hold, as in a run file of a tissue alone; it is NaN where the
    pitch of the lattice is no plain parameter.

    Raises
    ------
    InputError
        The file is damaged, foreign or of another version.
    """
    arms = read_replicates(path)
    with reading(path, "file of replicates"):
        return [
            _record(arm, run, about)
            for arm in arms.values()
            for about in [_About(arm)]
            for _, run in sorted(arm.runs.items())
        ]


class _About:
    """What the replicates of an arm share, read once."""

    def __init__(self, arm: ArmRuns):
        spec = spec_of(arm.about["model_text"])
        self.tables: dict[str, Any] = json.loads(arm.about["scenario_text"])
        user = json.loads(arm.about["user_parameters"])
        self.types = read_types(spec)
        self.parameters = _parameters(spec, self.tables, user)
        known = {row["name"]: row["value"] for row in self.parameters}
        site = known.get(spec.model.get("site", ""))
        self.site_um = float(site) if isinstance(site, int | float) else math.nan
        self.tumour = _tumour(self.types)
        lattice = self.tables.get("lattice", {})
        self.area_mm2 = lattice.get("rows", 0) * lattice.get("columns", 0) * self.site_um**2 * 1e-6
        self.attributes = {
            "title": arm.about.get("title", NO_TITLE),
            "scenario_text": self.tables,
            "user_parameters": user,
            "versions": json.loads(arm.about["versions"]),
            "source_hash": arm.about["source_hash"],
        }


def _record(arm: ArmRuns, run: Replicate, about: _About) -> RunRecord:
    held = run.count[:, about.tumour].sum(axis=1)
    more = {}
    if not np.isnan(run.control).all():
        more["control"] = Columns(run.time_days, {"control": run.control}, {"control": "1"})
    return RunRecord(
        scenario=arm.about["scenario"],
        arm=arm.about["arm"],
        patient=NO_PATIENT,
        seed=run.seed,
        time_days=run.time_days,
        types=about.types,
        count=run.count,
        tumour_volume_cm3=held * about.site_um**3 * 1e-12,
        body={},
        body_units={},
        field_mean={},
        field_units={},
        events={name: run.events[k : k + 1] for k, name in enumerate(arm.events)},
        ledger={},
        doses=[],
        snapshots=(),
        area_mm2=about.area_mm2,
        weights={},
        attributes={
            **about.attributes,
            "run_key": run.run_key,
            "outcome": run.outcome,
            "stop_reason": str(run.outcome.get("stop", "unknown")),
        },
        parameters=about.parameters,
        more=more,
    )


def spec_of(text: str) -> ModelSpec:
    """Return the specification of a model from the text that a run keeps: its files, one after the other."""
    spec = ModelSpec(text=text)
    for part in _PART.split(text):
        tables = tomllib.loads(part)
        spec.model = tables.get("model", {}) or spec.model
        spec.parameters |= tables.get("parameters", {})
        for section in LIST_SECTIONS:
            spec.sections[section] += [entry | {"where": section} for entry in tables.get(section, [])]
    return spec


def _tumour(types: tuple[CellTypeInfo, ...]) -> list[int]:
    tumour = [info.id - 1 for info in types if info.group == "tumour"]
    return tumour or list(range(len(types)))


def _parameters(spec: ModelSpec, tables: Mapping[str, Any], user: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters with what the scenario and the user set; expressions stay text."""
    rows = []
    for name, entry in spec.parameters.items():
        own = tables.get("parameters", {}).get(name)
        found = {**entry, **own} if own else entry
        value, unit, source = found.get("value"), found.get("unit", "1"), found.get("source", "unknown")
        if name in user:
            value, unit, source = user[name][0], user[name][1] or unit, "user"
        rows.append({"name": name, "value": value, "unit": unit, "source": source, "owner": "tissue"})
    return rows
