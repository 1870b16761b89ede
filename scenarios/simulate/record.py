"""Collect what a run records: one row of every series, and snapshots."""

from typing import Any

import numpy as np

from ...abm.fields.account import amount_unit
from ...abm.fields.update import ACCOUNT
from ...abm.measures.pairs import Pairs, mean_field_valid, pair_correlations
from ...abm.model import Model
from ...abm.snapshot import Snapshot
from ...abm.state import State
from ..store import SERIES
from ..treatment.course import tumour_columns
from .build import Simulation

# Steps between measurements of pair correlations, at least: one costs about half a step.
PAIR_STEPS = 24


class Recorder:
    """Rows and snapshots since the last segment.

    Parameters
    ----------
    simulation : Simulation
    """

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        model, course, trial = simulation.model, simulation.course, simulation.trial
        self.columns = {
            "count": [info.name for info in model.types],
            "body": course.body_columns,
            "field_mean": [f.name for f in model.fields],
            "event": list(model.events),
            "ledger": course.species,
        }
        self.units = {
            "time": "d",
            "body": course.body_units,
            "field_mean": [f.unit for f in model.fields],
            "doses": "dose",
        }
        if model.fields:
            self.columns["account"] = [f"{f.name}: {flow}" for f in model.fields for flow in ACCOUNT]
            amounts = [amount_unit(f.unit, model.site_um) for f in model.fields]
            self.units["account"] = [unit for unit, _ in amounts for _ in ACCOUNT]
            self._amounts = np.array([[each] for _, each in amounts])
        if trial.targets:
            self.columns["control"] = [target.name for target in trial.targets]
            self.units["control"] = [target.unit for target in trial.targets]
            self.columns["visit"], self.units["visit"] = trial.visit_columns()
        self._tumour = tumour_columns(model)
        self._pairs = [
            (a.id - 1, b.id - 1)
            for i, a in enumerate(model.types)
            for b in model.types[i:]
            if a.layer == b.layer
        ]
        names = self.columns["count"]
        self.columns["pair_correlation"] = [f"{names[a]} {names[b]}" for a, b in self._pairs]
        self.columns["pair_total"] = list(model.layers)
        self.rows: dict[str, list[Any]] = {}
        self.snapshots: list[Snapshot] = []

    def record(self, pairs: bool = False) -> None:
        """Add one row of every series for the present moment, with pair correlations if asked for."""
        simulation = self.simulation
        model, course, trial = simulation.model, simulation.course, simulation.trial
        state = course.tissue.state
        counts = state.counts(model)
        row = {
            "time": state.day(model),
            "count": counts,
            "tumour_volume": course.volume_cm3(),
            "tumour_fraction": float(counts[self._tumour].sum()) / state.region.size,
            "body": course.body_row(),
            "field_mean": state.stats[:, 1] * state.stats[:, 0],  # mean and scale
            "event": state.events.copy(),
            "ledger": course.residuals(),
        }
        if model.fields:
            row["account"] = (state.field_account * self._amounts).reshape(-1)
        if trial.targets:
            row["control"] = np.array(trial.levels)
        if pairs:
            row |= self._pair_row()
        for key, value in row.items():
            self.rows.setdefault(key, []).append(value)

    def _pair_row(self) -> dict[str, Any]:
        model, state = self.simulation.model, self.simulation.tissue.state
        found = measure_pairs(model, state)
        return {
            "pair_time": state.day(model),
            "pair_correlation": np.array([found.by_type[pair] for pair in self._pairs]),
            "pair_total": found.total,
            "mean_field_valid": mean_field_valid(found.total, found.occupancy),
        }

    def volume_cm3(self) -> float:
        """Return the volume of the tumour, cm3."""
        return self.simulation.course.volume_cm3()

    def snapshot(self) -> None:
        """Keep a snapshot of the present tissue."""
        self.snapshots.append(take_snapshot(self.simulation))

    def take(self) -> tuple[dict[str, np.ndarray], list[Snapshot]]:
        """Return rows and snapshots collected so far and start afresh."""
        rows: dict[str, np.ndarray] = {}
        if "visit" in self.columns:
            self.rows["visit_time"], self.rows["visit"] = map(list, self.simulation.trial.take_visits())
        for key, series in SERIES.items():
            if series.optional and not self._has(key):
                continue
            values = self.rows.get(key, [])
            width = (len(self.columns[key]),) if key in self.columns else ()
            rows[key] = np.array(values, dtype=series.dtype).reshape(len(values), *width)
        snapshots = self.snapshots
        self.rows, self.snapshots = {}, []
        return rows, snapshots

    def _has(self, key: str) -> bool:
        if SERIES[key].group == "visits":
            return "visit" in self.columns
        return key in self.columns or SERIES[key].dimension is None


def measure_pairs(model: Model, state: State) -> Pairs:
    """Return the pair correlations of the present tissue, over the links that its model uses."""
    head = model.spec.model
    return pair_correlations(state.occupant, len(model.types), boundary=head["boundary"])


def take_snapshot(simulation: Simulation) -> Snapshot:
    """Return the present tissue of a simulation as whatever measures tissue sees it."""
    model, state = simulation.model, simulation.tissue.state
    scale = state.view(model).stats["scale"]
    return Snapshot(
        time_days=state.day(model),
        site_um=model.site_um,
        thickness_um=model.site_um,
        layers={name: state.occupant[i].copy() for i, name in enumerate(model.layers)},
        types=model.types,
        fields={f.name: (state.fields[i] * scale[i]).astype(np.float32) for i, f in enumerate(model.fields)},
        field_units={f.name: f.unit for f in model.fields},
        weights=dict(simulation.course.weights),
    )
