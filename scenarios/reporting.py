"""From a folder of run files to a report, with ODE-only patients of the same population beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.errors import InputError
from ..abm.snapshot import RunRecord
from ..ode_coupling.ode_only import simulate
from .body_side import schedule_of
from .patients import load_population, sample
from .store import find_runs, open_run

FIRST_ASSESSMENT_DAYS = 56.0


def report_folder(folder: Path, out: Path, ode_only: int = 0) -> Path:
    """Read all runs of a folder and write report.html with its figures and tables.

    Parameters
    ----------
    folder, out : Path
    ode_only : int
        Patients an arm of the ODE-only comparison; 0 for none.

    Raises
    ------
    InputError
        The folder holds no run, or a file in it is truncated or foreign.
    """
    from ..analysis.report import write_report

    paths = find_runs(folder)
    if not paths:
        raise InputError(
            f"{folder}: holds no finished run; make one with: oncolattice run mcrc_tas102 --out {folder}"
        )
    records = [in_section(open_run(path)) for path in paths]
    beside = ode_only_arms(records, ode_only) if ode_only else None
    title = f"{len(records)} run{'s' if len(records) > 1 else ''}: {', '.join(dict.fromkeys(r.arm for r in records))}"
    return write_report(records, out, ode_only=beside, title=title)


def in_section(record: RunRecord) -> RunRecord:
    """Return a run whose snapshots are sections: those of blocks are shown by their middle plane."""
    return replace(record, snapshots=tuple(snapshot.section() for snapshot in record.snapshots))


def ode_only_arms(records: Sequence[RunRecord], patients: int) -> dict[str, dict[str, Any]]:
    """Return, for every arm, week-8 TRI of ODE-only patients of the runs' own population and schedule.

    The equations, burn-in and doses are those of the runs; only the lattice is missing.
    """
    arms: dict[str, dict[str, Any]] = {}
    for record in records:
        tables = record.attributes["scenario_text"]
        if record.arm not in arms and "population" in tables.get("patient", {}):
            arms[record.arm] = {
                "tri_week8": ode_only_tri(tables, patients, _changed(record)),
                "label": f"ODE only, {tables['patient']['population']}, variant {tables['body']['variant']}",
            }
    return arms


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
