"""What a calibrated trial predicts, beside real trials: progression and survival, hits and misses."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ...abm.snapshot import RunRecord
from ...analysis.calibrate import systematic_picks
from ...analysis.calibrate.endpoints import (
    VISIT_DAYS,
    Courses,
    death_times,
    expected_survival,
    fit_law,
    hazard_ratio,
    median_months,
    progression,
    progression_or_death,
    survival_at,
)
from ...analysis.outcomes.death import FITS, DeathLaw, burden_of
from ...analysis.outcomes.published import recourse
from ...analysis.series import daily
from ...analysis.survival import DAYS_PER_MONTH, Times
from .cohort import Cohort
from .ode_trial import OdeTrial

PLACEBO, CHEMO, COMBINATION = "placebo", "TAS-102", "TAS-102 + bevacizumab"
MONTHS = (3.0, 6.0, 9.0, 12.0)
POOLED_OS = {PLACEBO: 6.01, CHEMO: 7.52, COMBINATION: 10.01}  # months, 10.1038/s41540-025-00513-1, Table 1
SUNLIGHT = {"OS": 0.61, "PFS": 0.44}  # combination over TAS-102, 10.1056/NEJMoa2214963
HIT_RATIO, HIT_SHARE = 0.15, 0.05  # a hazard ratio or median within 15 %, a share within 5 points
SOURCE_RECOURSE, SOURCE_POOLED = "10.1056/NEJMoa1414325", "10.1038/s41540-025-00513-1"
SOURCE_SUNLIGHT = "10.1056/NEJMoa2214963"


def courses_of_trial(
    trial: OdeTrial, cohort: Cohort | None = None, patients: int = 2000, seed: int = 1
) -> dict[str, Courses]:
    """Return the courses of a trial without a lattice by arm, unweighted.

    With a cohort, its plausible patients are resampled in proportion to their weights.

    Parameters
    ----------
    trial : OdeTrial
    cohort : Cohort, optional
        Of the same population, seed and design; its horizon may be shorter.
    patients, seed : int
        Size and luck of the resampling.

    Raises
    ------
    InputError
        If patients of the cohort are not in the trial.
    """
    rows = np.arange(len(trial.numbers))
    if cohort is not None:
        picked = cohort.trial.numbers[cohort.rows[systematic_picks(cohort.weights.weight, patients, seed)]]
        place = {int(number): row for row, number in enumerate(trial.numbers)}
        lost = [int(number) for number in picked if int(number) not in place]
        if lost or (cohort.trial.population, cohort.trial.seed) != (trial.population, trial.seed):
            raise InputError(
                f"cohort of {cohort.trial.population} (seed {cohort.trial.seed}) and trial of {trial.population} "
                f"(seed {trial.seed}) are not of the same patients; run both with one population, n and seed"
            )
        rows = np.array([place[int(number)] for number in picked])
    return {
        arm: Courses(arm, trial.time_days, trial.tri[arm][rows], trial.chi[arm][rows]) for arm in trial.tri
    }


def courses_of_records(records: Sequence[RunRecord]) -> dict[str, Courses]:
    """Return the courses of lattice runs by arm, so that they are read exactly as those without a lattice.

    Patients are in the order of their names and seeds, so that luck is shared between arms.

    Raises
    ------
    InputError
        Runs of one arm that end on different days.
    """
    arms: dict[str, list[RunRecord]] = {}
    for record in records:
        arms.setdefault(record.arm, []).append(record)
    found = {}
    for arm, runs in arms.items():
        runs = sorted(runs, key=lambda r: (r.seed, r.patient))
        time = np.asarray(runs[0].time_days, dtype=float)[daily(runs[0])]  # as thinned runs have it
        if any(abs(float(r.time_days[-1]) - time[-1]) > 1e-6 for r in runs):
            raise InputError(
                f"arm {arm}: runs end on different days; finish them all, or leave out the short ones"
            )
        tri = [np.interp(time, r.time_days, r.tumour_volume_cm3 / r.tumour_volume_cm3[0]) - 1.0 for r in runs]
        burdens = [burden_of(r, "carrying capacity") for r in runs]
        known = [np.interp(time, r.time_days, b) for r, b in zip(runs, burdens, strict=True) if b is not None]
        levels = np.array(known) if len(known) == len(runs) else None
        found[arm] = Courses(arm, time, np.array(tri), levels)
    return found


def placebo_law(courses: Mapping[str, Courses]) -> DeathLaw:
    """Return the law of death fitted to the placebo arm of RECOURSE alone, to be used in all arms."""
    points = {row["months"]: row["value"] for row in recourse("OS", PLACEBO, "survival")}
    return fit_law(courses[PLACEBO], points)


def predict(
    courses: Mapping[str, Courses],
    law: DeathLaw,
    seed: int = 1,
    progressed: Mapping[str, Times] | None = None,
    died: Mapping[str, Times] | None = None,
) -> list[dict[str, Any]]:
    """Return predictions beside real trials, one row each.

    Parameters
    ----------
    courses : mapping of str to Courses
        Arms by name; rows for arms that are not there are left out.
    law : DeathLaw
        One for all arms. Progression does not depend on it.
    seed : int
        Luck of the deaths that enter hazard ratios.
    progressed, died : mapping of str to Times, optional
        Progression and deaths by arm where they are known already; found by ``qcic_tri`` every eight weeks, and drawn,
        if absent.

    Returns
    -------
    list of dict
        endpoint, arm, quantity, predicted, real, trial, source, verdict: ``hit`` or ``miss``, ``unknown``
        where nothing is predicted, or ``calibrated`` for survival on placebo under a law that was fitted to it.
    """
    progressed = progressed or {arm: progression(c) for arm, c in courses.items()}
    died = died or {arm: death_times(c, law, seed) for arm, c in courses.items()}
    pfs = {arm: progression_or_death(progressed[arm], died[arm]) for arm in courses}
    rows = []
    for arm, c in courses.items():
        alive = expected_survival(c, law)
        for row in recourse("PFS", arm, "survival"):
            day = _visit(row["months"])
            first = day == VISIT_DAYS  # what the population was calibrated on
            for words, times in (("without progression", progressed), ("without progression or death", pfs)):
                free = float(np.mean(~(times[arm].observed & (times[arm].time <= day))))
                name = f"{words} at week {day / 7:.0f} (trial: {row['months']:g} months)"
                rows.append(_row("PFS", arm, name, free, row["value"], "RECOURSE", row["source"], first))
        fitted = arm == PLACEBO and law.source == "fitted" and law.name.startswith("fitted to placebo")
        for months in MONTHS:
            for row in recourse("OS", arm, "survival"):
                if row["months"] == months:
                    value = survival_at(c.time_days, alive, months)
                    rows.append(
                        _row(
                            "OS",
                            arm,
                            f"alive at {months:g} months",
                            value,
                            row["value"],
                            "RECOURSE",
                            row["source"],
                            fitted,
                        )
                    )
        if arm in POOLED_OS:
            months = median_months(c.time_days, alive)
            rows.append(
                _row("OS", arm, "median (months)", months, POOLED_OS[arm], "pooled", SOURCE_POOLED, fitted)
            )
    contrasts = [
        (
            CHEMO,
            PLACEBO,
            "RECOURSE",
            {e: recourse(e, CHEMO, "hazard ratio")[0]["value"] for e in ("PFS", "OS")},
            SOURCE_RECOURSE,
        ),
        (COMBINATION, CHEMO, "SUNLIGHT", SUNLIGHT, SOURCE_SUNLIGHT),
    ]
    for treated, control, trial, real, source in contrasts:
        if treated in courses and control in courses:
            name = f"hazard ratio against {control}"
            for endpoint, times in (("PFS", pfs), ("OS", died)):
                ratio = _ratio(times[treated], times[control])
                rows.append(_row(endpoint, treated, name, ratio, real[endpoint], trial, source))
    return rows


def fitted_survival(courses: Mapping[str, Courses]) -> list[dict[str, Any]]:
    """Return median survival by the published arm-specific laws: a fit, from which no hazard ratio follows."""
    rows = []
    for arm, c in courses.items():
        if arm in FITS:
            months = median_months(c.time_days, expected_survival(c, FITS[arm]))
            row = _row(
                "OS",
                arm,
                "median (months), law of this arm alone",
                months,
                POOLED_OS[arm],
                "pooled",
                SOURCE_POOLED,
            )
            rows.append(row | {"verdict": "fit"})
    return rows


def lattice_minus_ode(
    lattice: Sequence[Mapping[str, Any]],
    ode: Sequence[Mapping[str, Any]],
    column: str = "tri_week8",
    swept: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Return, patient by patient and arm by arm, what the lattice says less what the equations alone say.

    Parameters
    ----------
    lattice, ode : sequence of mapping
        Rows with ``arm``, ``patient`` and the column, as in outcomes.csv and well_mixed.csv; a lattice patient
        may have several runs.
    column : str
    swept : sequence of str
        Columns of what sweeps set, which tell the twins of a patient apart.

    Raises
    ------
    InputError
        A lattice patient without a twin, or with two.
    """
    names = ("arm", "patient", *swept)
    twins: dict[tuple[Any, ...], float] = {}
    for row in ode:
        key = tuple(row[name] for name in names)
        if key in twins:
            raise InputError(
                f"patient {key[1]} of arm {key[0]} has two twins without a lattice; name the columns of the sweeps "
                "in swept"
            )
        twins[key] = float(row[column])
    rows = []
    for row in lattice:
        key = tuple(row[name] for name in names)
        if key not in twins:
            raise InputError(
                f"patient {key[1]} of arm {key[0]} has no twin without a lattice; run the twin of this study"
            )
        found = float(row[column]) if row[column] not in ("", None) else math.nan
        rows.append(
            {
                "arm": key[0],
                "patient": key[1],
                "seed": row.get("seed", ""),
                "lattice": found,
                "ode": twins[key],
                "difference": found - twins[key],
            }
        )
    return rows


def _ratio(treated: Times, control: Times) -> float:
    """Return the hazard ratio, NaN where the events say nothing of it: none, or all in one arm."""
    try:
        return hazard_ratio(treated, control)
    except InputError:
        return math.nan


def _visit(months: float) -> float:
    """Return the last of the visits, every eight weeks, by which these months are nearly over (d)."""
    return VISIT_DAYS * math.floor(months * DAYS_PER_MONTH / VISIT_DAYS + 0.25)


def _row(
    endpoint: str,
    arm: str,
    quantity: str,
    predicted: float,
    real: float,
    trial: str,
    source: str,
    fitted: bool = False,
) -> dict[str, Any]:
    share = quantity.startswith(("alive", "without"))
    off = abs(predicted - real) if share else abs(predicted / real - 1.0)
    if math.isnan(off):
        verdict = "unknown"
    else:
        verdict = "calibrated" if fitted else "hit" if off <= (HIT_SHARE if share else HIT_RATIO) else "miss"
    return {
        "endpoint": endpoint, "arm": arm, "quantity": quantity, "predicted": predicted, "real": real,
        "trial": trial, "source": source, "verdict": verdict,
    }  # fmt: skip
