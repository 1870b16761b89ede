"""Survival after a landmark, and by a biomarker split there: nobody's survival counts before it was measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ..columns import numbers, same_length, weights_of
from .compare import LogRank, log_rank_test
from .curves import Curve, survival_curve
from .times import Times


@dataclass(frozen=True)
class Landmark:
    """Patients still followed at a landmark.

    Attributes
    ----------
    times : Times
        Counted from the landmark.
    kept : ndarray of bool, shape (patients before,)
        Who they are.
    day : float
    events_before, censored_before : int
        Patients left out, by why.
    """

    times: Times
    kept: np.ndarray
    day: float
    events_before: int
    censored_before: int


def landmark(times: Times, day: float) -> Landmark:
    """Return the patients event-free and followed beyond a day, their times counted from it.

    Landmark analysis (10.1200/JCO.1983.1.11.710): groups that form during treatment are those of the
    landmark day, so that living long enough to be measured is no advantage. A time on the day itself is
    before it; day 0 leaves everybody in.

    Raises
    ------
    InputError
        For a negative or missing day, or nobody left.
    """
    if not 0.0 <= day < np.inf:
        raise InputError(f"a landmark must be a day from 0 on, not {day:g}")
    kept = times.time > day if day > 0.0 else np.ones(len(times), dtype=bool)
    if not kept.any():
        raise InputError(f"nobody is followed beyond the landmark, day {day:g}; choose an earlier one")
    events = int(np.count_nonzero(times.observed & ~kept))
    after = Times(times.time[kept] - day, times.observed[kept])
    return Landmark(after, kept, float(day), events, int(np.count_nonzero(~kept)) - events)


@dataclass(frozen=True)
class Split:
    """Survival by a biomarker split in two.

    Attributes
    ----------
    cutoff : float
        high is above it, low at or below it.
    low, high : Curve
        From the landmark on.
    patients : dict
        Numbers of low and high, and those left out: event_before, censored_before, not_measured.
    log_rank : LogRank or None
        None with weights, for which its law does not hold.
    landmark_day : float
    """

    cutoff: float
    low: Curve
    high: Curve
    patients: dict[str, int]
    log_rank: LogRank | None
    landmark_day: float


def biomarker_split(
    times: Times,
    biomarker: Any,
    measured_day: float,
    landmark_day: float = 0.0,
    cutoff: float | None = None,
    weights: Any = None,
    interval: str = "log",
    level: float = 0.95,
) -> Split:
    """Return survival of patients with a high and with a low biomarker.

    In each group a death lowers survival by its own weight over the weight at risk in that group.

    Parameters
    ----------
    times : Times, n patients
        From day 0.
    biomarker : array_like, shape (n,)
        NaN where it was not measured.
    measured_day : float
        Day of the measurement.
    landmark_day : float
        Day from which survival counts, not before ``measured_day``.
    cutoff : float, optional
        The (weighted) median of the patients at the landmark by default. One that was chosen for its
        separation on these patients overstates it.
    weights : array_like, shape (n,), optional
        Prevalence weights.
    interval, level
        As in `survival_curve`.

    Raises
    ------
    InputError
        For a measurement after the landmark (immortal time), or a group of fewer than two patients.
    """
    if not 0.0 <= measured_day < np.inf:
        raise InputError(f"measured_day must be a day from 0 on, not {measured_day:g}")
    if measured_day > landmark_day:
        raise InputError(
            f"a biomarker of day {measured_day:g} cannot group survival from day {landmark_day:g}: patients who "
            f"died before were not measured (immortal time); use landmark_day = {measured_day:g} or later"
        )
    value = numbers(biomarker, "biomarker", missing=True)
    weight = weights_of(weights, len(times))
    same_length(time=times.time, biomarker=value)
    start = landmark(times, landmark_day)
    left, weight = value[start.kept], weight[start.kept]
    known = ~np.isnan(left)
    left, weight, after = left[known], weight[known], start.times[known]
    if not left.size:
        raise InputError(f"no patient followed beyond day {landmark_day:g} has a biomarker value")
    limit = weighted_median(left, weight) if cutoff is None else float(cutoff)
    high = left > limit
    sizes = {"low": int(np.count_nonzero(~high)), "high": int(np.count_nonzero(high))}
    if min(sizes.values()) < 2:
        raise InputError(
            f"a split at {limit:g} leaves {sizes['low']} patients low and {sizes['high']} high; "
            "each group needs two or more"
        )
    curves = [
        survival_curve(after[rows], interval, level, None if weights is None else weight[rows])
        for rows in (~high, high)
    ]
    test = (
        log_rank_test(after, np.where(high, "high", "low"))
        if weights is None and after.observed.any()
        else None
    )
    lost = {
        "event_before": start.events_before,
        "censored_before": start.censored_before,
        "not_measured": int(np.count_nonzero(~known)),
    }
    return Split(limit, curves[0], curves[1], sizes | lost, test, float(landmark_day))


def weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """Return the value at which half the weight lies below and half above; the plain median for equal weights."""
    order = np.argsort(values, kind="stable")
    values, total = values[order], np.cumsum(weights[order])
    half = total[-1] / 2.0
    slack = 1e-12 * total[-1]
    return float(
        (values[np.searchsorted(total, half - slack)] + values[np.searchsorted(total, half + slack)]) / 2.0
    )
