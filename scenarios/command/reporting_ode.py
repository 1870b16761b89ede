"""Patients without a lattice beside the runs of a report: their own population, equations, burn-in and doses."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...abm.snapshot import RunRecord
from ...analysis.series import swept_values
from ...ode_coupling.ode_only import simulate
from ..files.systemic import of_file
from ..patients.sample import load_population, sample
from ..simulate.body_side import schedule_of

FIRST_ASSESSMENT_DAYS = 56.0


def ode_only_arms(records: Sequence[RunRecord], patients: int) -> dict[str, dict[str, Any]]:
    """Return, for every arm, week-8 TRI of ODE-only patients of the runs' own population and schedule.

    The equations, burn-in and doses are those of the runs; only the lattice is missing. Of an arm that was swept they
    are those of its first run, as the label says.
    """
    arms: dict[str, dict[str, Any]] = {}
    for record, point in zip(records, swept_values(records), strict=True):
        tables = record.attributes["scenario_text"]
        if record.arm not in arms and "population" in tables.get("patient", {}) and not of_file(tables):
            arms[record.arm] = {
                "tri_week8": ode_only_tri(tables, patients, _changed(record)),
                "label": f"ODE only, {tables['patient']['population']}, variant {tables['body']['variant']}"
                + _point_words(point),
            }
    return arms


def _point_words(point: Mapping[str, float]) -> str:
    """Return which values of a sweep the comparison holds for, empty without a sweep."""
    held = ", ".join(f"{name} = {value:g}" for name, value in point.items() if not math.isnan(value))
    return f", at {held} alone of what the sweep set" if held else ""


def _changed(record: RunRecord) -> dict[str, float]:
    """Return the body parameters that the scenario or the user set, as the run used them."""
    names = {*record.attributes["scenario_text"].get("parameters", {}), *record.attributes["user_parameters"]}
    return {r["name"]: r["value"] for r in record.parameters if r["owner"] == "body" and r["name"] in names}


def ode_only_tri(
    tables: Mapping[str, Any], patients: int, changed: Mapping[str, float] | None = None
) -> np.ndarray:
    """Return the week-8 tumour response index of ODE-only patients of a scenario, shape (patients,).

    Parameters
    ----------
    tables : mapping
        Of the scenario. Its doses go on to week 8 even if its runs end before.
    patients : int
    changed : mapping, optional
        Body parameters that hold for every patient.
    """
    settings = tables["patient"]
    population = sample(load_population(settings["population"]), patients, settings.get("population_seed", 1))
    head = tables["scenario"]
    days = max(head["duration_days"], FIRST_ASSESSMENT_DAYS)
    doses = schedule_of({**tables, "scenario": {**head, "duration_days": days}})
    tri = np.empty(patients)
    for k, patient in enumerate(population):
        run = simulate(
            {**patient, **(changed or {})},
            doses,
            FIRST_ASSESSMENT_DAYS,
            FIRST_ASSESSMENT_DAYS,
            variant=tables["body"]["variant"],
            burn_in_days=tables["body"]["burn_in_days"],
            rtol=tables["body"]["tolerance"],
        )
        tri[k] = run["TRI"][-1]
    return tri
