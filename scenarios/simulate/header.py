"""What a run file says about the run besides its numbers."""

import importlib.metadata
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ...abm.kernel_cache import source_hash
from ...abm.measures.response import WEEK_8_DAYS, changes_at_visits
from ..treatment.course import WithBody
from ..treatment.trial import END
from .build import Simulation


def header_of(simulation: Simulation) -> dict[str, Any]:
    """Return the root attributes and tables of a run file, as far as the simulation knows them."""
    model, scenario, course = simulation.model, simulation.scenario, simulation.course
    table, state = scenario.tables["scenario"], course.tissue.state
    fields = [field.name for field in model.fields]
    ny, nx = simulation.placement.region.shape[-2:]
    return {
        "scenario": scenario.name,
        "arm": table["arm"],
        "patient": simulation.patient,
        "seed": simulation.seed,
        "title": table["title"],
        "scenario_text": scenario.tables,
        "model_text": scenario.model_spec.text,
        "user_parameters": {k: list(v) for k, v in scenario.user_parameters.items()},
        "versions": versions(),
        "source_hash": source_hash(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tissue_report": simulation.placement.report,
        "multigrid_cycles": dict(zip(fields, state.field_cycles.tolist(), strict=True)),
        "field_solves_above_tolerance": dict(zip(fields, state.field_fallbacks.tolist(), strict=True)),
        "arrivals_refused": course.refused(),
        "area_mm2": ny * nx * model.site_um**2 * 1e-6,
        "types": model.types,
        "weights": course.weights,
        "parameters": parameter_rows(simulation),
        "doses": course.doses(),
    }


def outcome_of(simulation: Simulation, rows: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what became of a run, from all its rows.

    Returns
    -------
    dict
        What the trial found and what became of the body; where there is one, ``tri_week8`` and ``best_tri``
        (tumour volume over that of day 0, less 1, at week 8 and lowest at an assessment; None if not reached),
        ``volume_start_cm3`` and ``volume_end_cm3``, and ``ledger_residual`` (largest relative residual of any
        species at any record); ``days`` and ``stop`` (when and why it ended);
        ``cells_start``, ``cells_end``; ``pair_peak`` (largest |F - 1| of all occupied sites of a layer) and
        ``mean_field_valid`` (0 or 1), over all measurements of pair correlations.
    """
    trial, state = simulation.trial, simulation.tissue.state
    return (
        trial.outcome(state.step)
        | simulation.course.outcome()
        | _response(simulation, rows)
        | _residual(rows.get("ledger", np.empty(0)))
        | {
            "days": state.day(simulation.model),
            "stop": trial.ended or END,
            "cells_start": int(rows["count"][0].sum()),
            "cells_end": int(rows["count"][-1].sum()),
            "pair_peak": float(np.abs(rows["pair_total"] - 1.0).max()),
            "mean_field_valid": int(rows["mean_field_valid"].all()),
        }
    )


def _residual(ledger: np.ndarray) -> dict[str, float]:
    """Return how far the books of a run are from closing, for runs that keep some; NaN does not close."""
    return {"ledger_residual": float(np.abs(ledger).max())} if ledger.size else {}


def _response(simulation: Simulation, rows: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return what became of the tumour's volume, for runs with a body whose volume was recorded."""
    if not isinstance(simulation.course, WithBody) or "tumour_volume" not in rows:
        return {}
    time, volume = rows["time"], rows["tumour_volume"]
    every = simulation.scenario.tables["scenario"].get("assessment_days", WEEK_8_DAYS)
    found = changes_at_visits(time, volume / volume[0] - 1.0, every)
    return found | {"volume_start_cm3": float(volume[0]), "volume_end_cm3": float(volume[-1])}


def parameter_rows(simulation: Simulation) -> list[dict[str, Any]]:
    """Return every parameter of tissue and body with value, unit, source and owner."""
    rows = [
        {"name": p.name, "value": p.value, "unit": p.unit, "source": p.source, "owner": "tissue"}
        for p in simulation.model.parameters
    ]
    if not isinstance(simulation.course, WithBody):
        return rows
    body = simulation.course.coupled.body
    user, patient = simulation.scenario.user_parameters, simulation.patient_values
    own = simulation.scenario.tables.get("parameters", {})
    for p, value in zip(body.model.parameters, body.p, strict=True):
        source = "virtual patient" if p.name in patient else p.source
        source = "user" if p.name in user else own[p.name]["source"] if p.name in own else source
        rows.append(
            {"name": p.name, "value": float(value), "unit": p.unit, "source": source, "owner": "body"}
        )
    return rows


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide numbers."""
    names = ("oncolattice", "numpy", "scipy", "numba", "h5py")
    return {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in names}
