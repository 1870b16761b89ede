"""Collect what a run records: one row of every series, and snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..abm.snapshot import Snapshot
from ..abm.volume import tumour_volume_cm3
from ..ode_coupling.couple import species_names
from .build import Simulation, body_parameter


class Recorder:
    """Rows and snapshots since the last segment.

    Parameters
    ----------
    simulation : Simulation
    """

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        model, body = simulation.model, simulation.coupled.body
        plasma = simulation.scenario.tables["coupling"].get("plasma", [])
        self._plasma = [
            (
                body.model.index("states", p["body"]),
                model.scope.number(p["factor"], "nM/dose", "[coupling] plasma"),
            )
            for p in plasma
        ]
        self.columns = {
            "count": [info.name for info in model.types],
            "body": [
                *(s.name for s in body.model.states),
                *(o.name for o in body.model.outputs),
                *(f"plasma {p['drug']}" for p in plasma),
            ],
            "field_mean": [f.name for f in model.fields],
            "event": list(model.events),
            "ledger": list(species_names(simulation.coupled.ports)),
        }
        self.units = {
            "time": "d",
            "body": [
                *(s.unit for s in body.model.states),
                *(o.unit for o in body.model.outputs),
                *("nM" for _ in plasma),
            ],
            "field_mean": [f.unit for f in model.fields],
            "doses": "dose",
        }
        self.rows: dict[str, list[Any]] = {key: [] for key in ("time", "tumour_volume", *self.columns)}
        self.snapshots: list[Snapshot] = []

    def record(self) -> None:
        """Add one row of every series for the present moment."""
        coupled, model = self.simulation.coupled, self.simulation.model
        state, body = coupled.tissue.state, coupled.body
        counts = state.counts(model)
        scale = state.view(model).stats["scale"]
        plasma = [body.y[index] * factor for index, factor in self._plasma]
        row = {
            "time": state.day(model),
            "count": counts,
            "tumour_volume": self.volume_cm3(),
            "body": np.concatenate([body.y, body.outputs(), plasma]),
            "field_mean": state.stats[:, 1] * scale,
            "event": state.events.copy(),
            "ledger": coupled.residuals(),
        }
        for key, value in row.items():
            self.rows[key].append(value)

    def volume_cm3(self) -> float:
        """Return the volume of the lesion from its weighted count, cm3."""
        coupled, model = self.simulation.coupled, self.simulation.model
        counts = coupled.tissue.state.counts(model)
        amount = sum(
            port.weight * counts[model.type_id(port.type) - 1]
            for port in coupled.ports.cells
            if not port.blood
        )
        density, body = amount / coupled.ports.tissue_volume_L, coupled.body
        cell, share = (body_parameter(body, name) for name in ("v_tumor", "V_e"))
        return float(tumour_volume_cm3(density, coupled.ports.tissue_volume_L, cell, share))

    def snapshot(self) -> None:
        """Keep a snapshot of the present tissue."""
        self.snapshots.append(take_snapshot(self.simulation))

    def take(self) -> tuple[dict[str, np.ndarray], list[Snapshot]]:
        """Return rows and snapshots collected so far and start afresh."""
        dtype: Mapping[str, Any] = {"count": np.int64, "event": np.int64}
        rows = {}
        for key, values in self.rows.items():
            width = (len(self.columns[key]),) if key in self.columns else ()
            rows[key] = np.array(values, dtype=dtype.get(key, float)).reshape(len(values), *width)
        snapshots = self.snapshots
        self.rows, self.snapshots = {key: [] for key in self.rows}, []
        return rows, snapshots


def take_snapshot(simulation: Simulation) -> Snapshot:
    """Return the present tissue of a simulation as whatever measures tissue sees it."""
    coupled, model = simulation.coupled, simulation.model
    state = coupled.tissue.state
    scale = state.view(model).stats["scale"]
    return Snapshot(
        time_days=state.day(model),
        site_um=model.site_um,
        thickness_um=model.site_um,
        layers={name: state.occupant[i].copy() for i, name in enumerate(model.layers)},
        types=model.types,
        fields={f.name: (state.fields[i] * scale[i]).astype(np.float32) for i, f in enumerate(model.fields)},
        field_units={f.name: f.unit for f in model.fields},
        weights={port.type: port.weight for port in coupled.ports.cells},
    )
