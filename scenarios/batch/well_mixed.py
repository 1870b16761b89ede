"""The well-mixed twin of a study: the same patients, doses and parameters in the ODE alone, without a lattice."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ...abm.errors import InputError
from ...abm.measures.response import changes_at_visits
from ...ode_coupling.immune.qcic.course import ASSESSMENT_DAYS, PROGRESSION_TRI
from ...ode_coupling.immune.qcic.model import qcic
from ...ode_coupling.ode_only import follow_body, simulate
from ..files.scenario import Scenario, load_scenario
from ..files.study import load_study
from ..files.systemic import needs_cycle
from ..simulate.body_side import patient_of, schedule_of
from ..simulate.build import Builder, route
from ..store import publish
from ..store.file import as_scale, file_image, write_array, write_text
from ..store.outcomes import table_bytes
from ..store.replicates import TWIN_FILE
from .jobs import as_set, is_alone, jobs_of
from .study import check_writable

TWIN_CSV, TWIN_H5 = "well_mixed.csv", TWIN_FILE
TWIN_FORMAT, TWIN_VERSION = "oncolattice-well-mixed", 1
EVERY_DAYS = 7.0
HEAD = ("scenario", "arm", "patient")
FOUND = (
    *("tri_week8", "best_tri", "ttp_days", "ttp_event", "days", "volume_start_cm3", "volume_end_cm3"),
    "variant",
)
# What decides on the lattice what the body gets has no twin without a lattice.
WITHOUT_TWIN = ("controller", "radiotherapy", "toxicity")


def run_well_mixed(name: str, settings: tuple[str, ...], out: Path) -> Path:
    """Simulate every arm, patient and point of a study as ODE; return the table that was written.

    well_mixed.csv has one line an arm, patient and point of the sweeps: the names that outcomes.csv has, the
    values of the sweeps, volume over that of day 0 less 1 (TRI) at week 8 and at the best visit, and the first
    visit with 0.2 or more (empty, with ``ttp_event`` 0, if there was none); visits are every eight weeks.
    well_mixed.h5 holds the weekly courses: tumour volume (cm3) and every state of the body. Seeds and luck
    have no part in it, so it takes milliseconds a patient, and is always made anew.

    Parameters
    ----------
    name : str
        Study file, library study, or scenario.
    settings : tuple of str
        ``key=value[unit]``, after those of the study. What names the lattice changes nothing here.
    out : Path

    Raises
    ------
    InputError
        The study is wrong, or an arm has no body or what a body alone cannot have.
    BodyError
        The equations of a patient blow up.
    """
    study = load_study(name)
    common = (*study.settings, *settings)
    scenarios = {arm: load_scenario(arm, common) for arm in study.arms}
    for scenario in scenarios.values():
        refuse_without_twin(scenario)
    rows: list[dict[str, Any]] = []
    courses: list[dict[str, np.ndarray]] = []
    for job in jobs_of(study, settings):
        scenario = as_set(scenarios[job.scenario], job)
        patient, course = simulate_twin(scenario)
        names = dict(zip(HEAD, (scenario.name, scenario.tables["scenario"]["arm"], patient), strict=True))
        rows.append(
            names | dict(job.sweep) | twin_outcome(course, scenario.tables["scenario"]["duration_days"])
        )
        rows[-1]["variant"] = scenario.tables["body"]["variant"]
        courses.append(course)
    check_writable(out)
    columns = [*HEAD, *(name for name, _ in study.points[0]), *FOUND]
    path = out / TWIN_CSV
    publish(out / TWIN_H5, _image(rows, courses))
    publish(path, table_bytes(columns, rows))
    return path


def refuse_without_twin(scenario: Scenario) -> None:
    """Refuse a scenario whose body cannot go on without its lattice.

    Raises
    ------
    InputError
    """
    if is_alone(scenario):
        raise InputError(
            f"{scenario.name}: --well-mixed needs a body, and the scenario has none; "
            "for a tissue alone see: oncolattice describe NAME --mean-field"
        )
    for section in WITHOUT_TWIN:
        if scenario.tables.get(section):
            raise InputError(
                f"{scenario.name}: [{section}] works through the lattice, so that the arm has no well-mixed twin; "
                "leave the arm out of the study"
            )
    for entry in scenario.tables.get("companion", []):
        if "drives" not in entry:
            raise InputError(
                f"{scenario.name}: [[companion]] {entry['drug']} acts on the lattice alone, so that the arm has no "
                "well-mixed twin; leave the arm out of the study"
            )
    if (days := scenario.tables["scenario"].get("assessment_days", ASSESSMENT_DAYS)) != ASSESSMENT_DAYS:
        raise InputError(
            f"{scenario.name}: the well-mixed twin is assessed every {ASSESSMENT_DAYS:g} days, not every {days:g}; "
            "set assessment_days to that"
        )


def simulate_twin(scenario: Scenario) -> tuple[str, dict[str, np.ndarray]]:
    """Return the name of a scenario's patient and his weekly course without a lattice.

    Parameters
    ----------
    scenario : Scenario
        Equations, burn-in, tolerance, doses and body parameters are its own.

    Raises
    ------
    InputError, BodyError
    """
    tables = scenario.tables
    needs_cycle(tables, "the well-mixed twin of a run")
    patient, values = patient_of(scenario)
    days = tables["scenario"]["duration_days"]
    until = tables["scenario"]["treatment"] == "until progression"
    if tables.get("companion"):
        return patient, follow_body(Builder(scenario).body(), days, EVERY_DAYS, until)
    _, body = route(scenario, values)
    course = simulate(
        body,
        schedule_of(tables),
        days,
        EVERY_DAYS,
        variant=tables["body"]["variant"],
        burn_in_days=tables["body"]["burn_in_days"],
        rtol=tables["body"]["tolerance"],
        until_progression=until,
    )
    return patient, course


def twin_outcome(course: Mapping[str, np.ndarray], days: float) -> dict[str, Any]:
    """Return what became of a well-mixed patient: columns of well_mixed.csv, None where there is nothing."""
    time, tri, volume = course["time_days"], course["TRI"], course["tumour_volume_cm3"]
    visit = (time > 0) & (time % ASSESSMENT_DAYS == 0)
    progressed = time[visit & (tri >= PROGRESSION_TRI)]
    return changes_at_visits(time, tri, ASSESSMENT_DAYS) | {
        "ttp_days": float(progressed[0]) if progressed.size else None,
        "ttp_event": int(progressed.size > 0),
        "days": float(days),
        "volume_start_cm3": float(volume[0]),
        "volume_end_cm3": float(volume[-1]),
    }


def _image(rows: list[dict[str, Any]], courses: list[dict[str, np.ndarray]]) -> bytes:
    """Return an HDF5 file of all courses: run x time x state, NaN after the end of a shorter one."""
    days = max((course["time_days"] for course in courses), key=len)
    model = qcic()

    def write(file: h5py.File) -> None:
        file.attrs.update(format=TWIN_FORMAT, schema_version=TWIN_VERSION)
        run = as_scale(write_array(file, "run", np.arange(len(rows), dtype=np.int64), units="1"))
        for name in HEAD:
            write_text(file, name, [row[name] for row in rows], (run,))
        time = as_scale(write_array(file, "time", days, units="d"))
        state = as_scale(write_text(file, "state", [part.name for part in model.states]))
        write_text(file, "state_unit", [part.unit for part in model.states], (state,))
        body = np.full((len(rows), len(days), len(model.states)), np.nan)
        volume = np.full((len(rows), len(days)), np.nan)
        for i, course in enumerate(courses):
            volume[i, : len(course["TRI"])] = course["tumour_volume_cm3"]
            for k, part in enumerate(model.states):
                body[i, : len(course["TRI"]), k] = course[part.name]
        write_array(file, "tumour_volume", volume, (run, time), volume.shape, units="cm3")
        chunk = (min(len(rows), 64), len(days), 1)
        write_array(file, "body", body, (run, time, state), chunk, units="see state_unit")

    return file_image(write)
