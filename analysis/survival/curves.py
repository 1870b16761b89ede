"""Kaplan-Meier with confidence bands, medians with theirs, weights of a population, and follow-up."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import chance, choice, weights_of
from .times import Times

INTERVALS = ("plain", "log", "log-log")
_TIE = 1e-9  # a survival this near to a level counts as equal to it: sums of rounded products


@dataclass(frozen=True)
class Quantile:
    """A time by which a share of patients had the event, with its confidence limits (NaN: not reached).

    Attributes
    ----------
    estimate, lower, upper : float
        In the unit of the times.
    """

    estimate: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier curve on the distinct times of events and censoring, beginning at 0.

    Attributes
    ----------
    time : ndarray, shape (k,)
    survival, lower, upper : ndarray, shape (k,)
        Survival and pointwise confidence band; the band is NaN where survival is 0.
    standard_error : ndarray, shape (k,)
        Of the survival: Greenwood's, or the infinitesimal jackknife with weights (equal for weights of 1).
    at_risk, events : ndarray, shape (k,)
        Number (sum of weights) at risk just before each time, and of events at it.
    interval : str
        plain, log or log-log.
    level : float
        Confidence level.
    """

    time: np.ndarray
    survival: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    standard_error: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    interval: str
    level: float

    def at(self, when: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return survival, lower and upper limit at some times, shape (times, 3); NaN beyond the last time."""
        when = np.atleast_1d(np.asarray(when, dtype=float))
        row = np.searchsorted(self.time, when, side="right") - 1
        table = np.column_stack([self.survival, self.lower, self.upper])[np.maximum(row, 0)]
        # a curve that has reached 0 stays there; one that ends in censoring is unknown afterwards
        unknown = (when > self.time[-1]) & (self.survival[-1] > 0.0) | (when < 0.0)
        table[unknown] = math.nan
        return table

    def quantile(self, share: float) -> Quantile:
        """Return the time by which a share of patients had the event.

        Confidence limits are where the band crosses 1 - share (Brookmeyer and Crowley 1982,
        10.2307/2530286). Where the curve runs along 1 - share exactly, the middle of that step counts.
        """
        level = 1.0 - chance(share, "share")
        curves = (self.survival, self.lower, self.upper)
        return Quantile(*(_crossing(self.time, values, level) for values in curves))

    def median(self) -> Quantile:
        """Return the median with its confidence limits."""
        return self.quantile(0.5)


def _crossing(time: np.ndarray, values: np.ndarray, level: float) -> float:
    """The first time at which a falling step function is below a level; the middle of a step upon it."""
    with np.errstate(invalid="ignore"):
        reached, below = np.flatnonzero(values <= level + _TIE), np.flatnonzero(values < level - _TIE)
    if not reached.size:
        return math.nan
    first = time[reached[0]]
    if abs(values[reached[0]] - level) <= _TIE and below.size:
        return float((first + time[below[0]]) / 2.0)
    return float(first)


def survival_curve(times: Times, interval: str = "log", level: float = 0.95, weights: Any = None) -> Curve:
    """Return the Kaplan-Meier curve with a pointwise confidence band.

    Parameters
    ----------
    times : Times, n patients
    interval : str
        plain (S +- z se), log (on ln S, as R does by default) or log-log (on ln(-ln S)).
    level : float
        Confidence level.
    weights : array_like, shape (n,), optional
        Prevalence weights of virtual patients. A death lowers survival by its own weight over the weight at
        risk; the variance is then the infinitesimal jackknife, which treats patients, not weights, as the
        sample.

    Raises
    ------
    InputError
        For no patients, an unknown interval, or wrong weights.
    """
    choice("interval", interval, INTERVALS, "survival_curve")
    z = float(stats.norm.ppf(0.5 + chance(level, "level") / 2.0))
    if not len(times):
        raise InputError("a survival curve needs at least one patient, none was given")
    weight = weights_of(weights, len(times))
    at, place = np.unique(times.time, return_inverse=True)
    events = np.bincount(place, weight * times.observed, at.size)
    left = np.bincount(place, weight, at.size)
    risk = np.cumsum(left[::-1])[::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        hazard = np.where(risk > 0.0, events / risk, 0.0)
    # the last death of all must give exactly 0, which the rounding of sums of weights need not
    hazard[hazard > 1.0 - 1e-12] = 1.0
    survival = np.cumprod(1.0 - hazard)
    relative = np.sqrt(_variance_of_log(times, weight, place, hazard, risk))
    lower, upper = _band(survival, relative, z, interval)
    error = np.where(survival > 0.0, survival * relative, math.nan)
    first = (0.0, 1.0, 1.0, 1.0, 0.0, risk[0], 0.0)
    columns: list[np.ndarray] = [at, survival, lower, upper, error, risk, events]
    if at[0] > 0.0:
        columns = [np.concatenate([[start], values]) for start, values in zip(first, columns, strict=True)]
    time, survival, lower, upper, error, risk, events = columns
    return Curve(time, survival, lower, upper, error, risk, events, interval, level)


def _variance_of_log(
    times: Times, weight: np.ndarray, place: np.ndarray, hazard: np.ndarray, risk: np.ndarray
) -> np.ndarray:
    """Variance of ln S at each distinct time: the sum of squared influences of the patients."""
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.where(hazard < 1.0, 1.0 / (risk * (1.0 - hazard)), math.nan)
    gain = np.where(risk > 0.0, gain, 0.0)
    drift = np.cumsum(hazard * gain)  # influence of a patient who is still at risk
    gone = weight**2 * (times.observed * gain[place] - drift[place]) ** 2
    square = np.bincount(place, weight**2, hazard.size)
    still = np.cumsum(square[::-1])[::-1] - square
    return np.cumsum(np.bincount(place, gone, hazard.size)) + np.maximum(still, 0.0) * drift**2


def _band(
    survival: np.ndarray, relative: np.ndarray, z: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    alive = survival > 0.0
    part = np.where(alive, survival, 0.5)
    if interval == "plain":
        lower, upper = part - z * part * relative, part + z * part * relative
    elif interval == "log":
        lower, upper = part * np.exp(-z * relative), part * np.exp(z * relative)
    else:
        log = np.log(np.where(part < 1.0, part, 0.5))
        spread = np.exp(z * relative / np.abs(log))
        lower = np.where(part < 1.0, np.exp(log * spread), 1.0)
        upper = np.where(part < 1.0, np.exp(log / spread), 1.0)
    hidden = np.where(alive, 1.0, math.nan)
    return np.clip(lower, 0.0, 1.0) * hidden, np.clip(upper, 0.0, 1.0) * hidden


def follow_up(times: Times, interval: str = "log", level: float = 0.95) -> Quantile:
    """Return the median follow-up by the reverse Kaplan-Meier method (10.1016/0197-2456(96)00075-X).

    The end of follow-up is the event and a death censors it, so that early deaths do not shorten it.
    """
    return survival_curve(Times(times.time, ~times.observed), interval, level).median()
