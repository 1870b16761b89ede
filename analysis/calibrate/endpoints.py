"""Endpoints of a trial from courses of tumours: progression at visits, deaths by one law, hazard ratios."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ...abm.errors import InputError
from ..luck import DEATH, exponentials, mix
from ..outcomes.death import DeathLaw, integrated_hazard
from ..survival import DAYS_PER_MONTH, Times, cox
from .week8 import PROGRESSION

VISIT_DAYS = 56.0


@dataclass(frozen=True)
class Courses:
    """Courses of the tumours of one arm.

    Attributes
    ----------
    arm : str
    time_days : ndarray, shape (times,)
        From day 0.
    tri : ndarray, shape (patients, times)
        Tumour volume over that of day 0, less 1.
    chi : ndarray, shape (patients, times), optional
        X_j / K_j of the type with the most cells; needed for laws of that burden.
    """

    arm: str
    time_days: np.ndarray
    tri: np.ndarray
    chi: np.ndarray | None = None

    def burden(self, law: DeathLaw) -> np.ndarray:
        """Return what a law of death reads, shape (patients, times).

        Raises
        ------
        InputError
            The courses lack it.
        """
        if law.burden == "log volume":
            with np.errstate(divide="ignore"):
                return np.log(np.maximum(1.0 + self.tri, 0.0))
        if self.chi is None:
            raise InputError(
                f"law of death '{law.name}' reads X_j / K_j, which the courses of {self.arm} lack"
            )
        return self.chi


def progression(courses: Courses, visit_days: float = VISIT_DAYS) -> Times:
    """Return progression by ``qcic_tri`` as trials report it: at the visit that found it.

    Parameters
    ----------
    courses : Courses
    visit_days : float
        Days between visits. A patient without progression is censored at his last visit.

    Returns
    -------
    Times
        Days.

    Raises
    ------
    InputError
        If the courses end before the first visit.
    """
    last = float(courses.time_days[-1])
    visits = np.arange(1, int((last + 1e-9) // visit_days) + 1) * visit_days
    if not visits.size:
        raise InputError(
            f"progression: the courses end on day {last:g}, before the first visit on day {visit_days:g}"
        )
    seen = np.array([np.interp(visits, courses.time_days, row) for row in courses.tri]) >= PROGRESSION
    event = np.asarray(seen.any(axis=1))
    return Times(np.where(event, visits[seen.argmax(axis=1)], visits[-1]), event)


def expected_survival(courses: Courses, law: DeathLaw) -> np.ndarray:
    """Return the mean over patients of exp(-integrated hazard), shape (times,): survival without luck."""
    hazard = law.hazard(courses.burden(law))
    return np.mean([np.exp(-integrated_hazard(courses.time_days, row)) for row in hazard], axis=0)


def death_times(courses: Courses, law: DeathLaw, seed: int) -> Times:
    """Draw a time of death for every patient (days), censored at the end of the courses.

    Luck belongs to the patient's place in the list, the same in every arm: the integrated hazard meets -ln U.

    Parameters
    ----------
    courses : Courses
    law : DeathLaw
    seed : int
    """
    hazard, end = law.hazard(courses.burden(law)), float(courses.time_days[-1])
    stem = mix(np.array([seed], np.uint64))
    thresholds = exponentials(stem ^ np.arange(len(hazard), dtype=np.uint64), DEATH, np.arange(1))[:, 0]
    times = np.full(len(hazard), end)
    for k, (row, threshold) in enumerate(zip(hazard, thresholds, strict=True)):
        integral = integrated_hazard(courses.time_days, row)
        if integral[-1] >= threshold:
            times[k] = np.interp(threshold, integral, courses.time_days)
    return Times(times, times < end)


def progression_or_death(progressed: Times, died: Times) -> Times:
    """Return the earlier of progression and death, as trials count progression-free survival."""
    first = np.where(progressed.observed, progressed.time, np.inf)
    death = np.where(died.observed, died.time, np.inf)
    event = np.isfinite(np.minimum(first, death))
    return Times(np.where(event, np.minimum(first, death), np.maximum(progressed.time, 0.0)), event)


def hazard_ratio(treated: Times, control: Times) -> float:
    """Return the hazard ratio of one arm against another (Cox, ties by Efron).

    Raises
    ------
    InputError
        As ``cox``; it needs statsmodels.
    """
    both = Times(
        np.concatenate([treated.time, control.time]), np.concatenate([treated.observed, control.observed])
    )
    arm = np.concatenate([np.ones(len(treated)), np.zeros(len(control))])
    return float(cox(both, {"treated": arm}).hazard_ratio[0])


def survival_at(time: np.ndarray, survival: np.ndarray, months: float) -> float:
    """Return a curve's value after some months (30.4375 d), between points by linear interpolation."""
    return float(np.interp(months * DAYS_PER_MONTH, time, survival))


def median_months(time: np.ndarray, survival: np.ndarray) -> float:
    """Return the month in which a continuous curve falls to one half, NaN if it does not."""
    below = np.flatnonzero(survival <= 0.5)
    if not below.size:
        return float("nan")
    k = int(below[0])
    day = np.interp(-0.5, -survival[[k - 1, k]], time[[k - 1, k]]) if k else time[0]
    return float(day / DAYS_PER_MONTH)


def fit_law(
    courses: Courses, curve: Mapping[float, float], start: tuple[float, float] = (1.6, 0.2)
) -> DeathLaw:
    """Return the law of death by log volume whose expected survival meets a curve best (least squares).

    Fitted to an untreated arm it may serve all arms, and what it says of the others is a prediction.

    Parameters
    ----------
    courses : Courses
        The arm to fit.
    curve : mapping of float to float
        Months to survival.
    start : (mu, sigma)

    Raises
    ------
    InputError
        Fewer than two points.
    """
    if len(curve) < 2:
        raise InputError("a law of death has two parameters: give its curve at two or more months")

    def law(values: np.ndarray) -> DeathLaw:
        return DeathLaw(
            f"fitted to {courses.arm}", "log volume", float(values[0]), float(np.exp(values[1])), "fitted"
        )

    def misfit(values: np.ndarray) -> float:
        alive = expected_survival(courses, law(values))
        return float(sum((survival_at(courses.time_days, alive, m) - s) ** 2 for m, s in curve.items()))

    first = np.array([start[0], np.log(start[1])])
    return law(minimize(misfit, first, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-7}).x)
