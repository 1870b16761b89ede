"""Events known only to lie between two visits: Turnbull's estimate, and the two shortcuts by name."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ..columns import Table, choice, column, numbers, same_length, weights_of
from .curves import Curve, survival_curve
from .times import Times

METHODS = ("turnbull", "midpoint", "right endpoint")
_MOST_ROUNDS = 200_000
_LOOSEST = 1e-3  # of a tolerance


@dataclass(frozen=True)
class Intervals:
    """Events within (left, right]: after the last visit without and by the first visit with them.

    Attributes
    ----------
    left, right : ndarray, shape (n,)
        d. ``right`` is infinite where the event was not seen until ``left``; equal ones are an exact time.

    Raises
    ------
    InputError
        For a missing or negative ``left``, or a ``right`` before it.
    """

    left: np.ndarray
    right: np.ndarray

    def __post_init__(self) -> None:
        left, right = numbers(self.left, "left"), np.array(self.right, dtype=float)
        same_length(left=left, right=right)
        bad = (left < 0.0) | np.isnan(right) | (right < left)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"an interval must be 0 <= left <= right (right infinite where censored), but row {row} holds "
                f"{left[row]:g} to {right[row]:g}"
            )
        object.__setattr__(self, "left", left)
        object.__setattr__(self, "right", right)

    @property
    def observed(self) -> np.ndarray:
        """Whether the event was seen, shape (n,)."""
        return np.isfinite(self.right)

    def times(self, method: str) -> Times:
        """Return right-censored times by a shortcut.

        Parameters
        ----------
        method : str
            right endpoint: the event is at the visit that found it, as trials report progression; too late
            by half an interval on average. midpoint: half-way.
        """
        choice("method", method, METHODS[1:], "Intervals.times")
        end = np.where(self.observed, self.right, self.left)
        middle = (self.left + end) / 2.0
        return Times(end if method == "right endpoint" else middle, self.observed)


def intervals_from_columns(table: Table, left: str, right: str, where: str = "table") -> Intervals:
    """Return the intervals of a table: last visit without and first visit with the event (empty: not seen)."""
    end = numbers(column(table, right, where), right, missing=True)
    return Intervals(numbers(column(table, left, where), left), np.where(np.isnan(end), math.inf, end))


@dataclass(frozen=True)
class TurnbullCurve:
    """Turnbull's estimate: chances of the innermost intervals; where within them is unknown.

    Attributes
    ----------
    left, right : ndarray, shape (k,)
        Innermost intervals (left, right]; the last may end at infinity.
    mass : ndarray, shape (k,)
        Chance of each, adding up to 1.
    log_likelihood : float
    rounds : int
        Iterations.
    """

    left: np.ndarray
    right: np.ndarray
    mass: np.ndarray
    log_likelihood: float
    rounds: int

    def at(self, when: Any) -> np.ndarray:
        """Return lowest and highest survival that the estimate allows at some times, shape (times, 2)."""
        when = np.atleast_1d(np.asarray(when, dtype=float))[:, None]
        surely = ((self.right <= when) * self.mass).sum(axis=1)
        maybe = ((self.left < when) & (self.right > when)) @ self.mass
        return np.column_stack([1.0 - surely - maybe, 1.0 - surely])

    def median(self) -> tuple[float, float]:
        """Return the interval in which survival falls to one half."""
        row = int(np.searchsorted(np.cumsum(self.mass), 0.5 - 1e-9))
        return float(self.left[row]), float(self.right[row])


def turnbull(intervals: Intervals, weights: Any = None, tolerance: float = 1e-9) -> TurnbullCurve:
    """Return the nonparametric maximum-likelihood estimate of survival (10.1111/j.2517-6161.1976.tb01597.x).

    Parameters
    ----------
    intervals : Intervals, n patients
    weights : array_like, shape (n,), optional
        Prevalence weights.
    tolerance : float
        The iteration ends when the log-likelihood per patient is within this of its maximum (by the bound
        of Lindsay, 10.1214/aos/1176346059).

    Raises
    ------
    InputError
        For no patients, or no convergence within 200,000 rounds.
    """
    if not intervals.left.size:
        raise InputError("Turnbull's estimate needs at least one patient, none was given")
    if not 0.0 < tolerance <= _LOOSEST:
        raise InputError(f"tolerance must be above 0 and at most {_LOOSEST:g}, not {tolerance:g}")
    weight = weights_of(weights, intervals.left.size)
    rows, place = np.unique(np.column_stack([intervals.left, intervals.right]), axis=0, return_inverse=True)
    share = np.bincount(place.ravel(), weight) / weight.sum()
    begin, end = _innermost(rows)
    # positions on the line: an exact time t is the point t itself, (left, right] begins just after left
    inside = (_after(rows)[:, None] <= begin) & (end <= rows[:, 1][:, None])
    mass = np.full(len(begin), 1.0 / len(begin))
    for done in range(_MOST_ROUNDS):
        chance = inside @ mass
        gain = (share / chance) @ inside
        if gain.max() - 1.0 < tolerance:
            lone = np.array([x == y for x, y in zip(begin, end, strict=True)])
            left = np.where(lone, end, np.nextafter(begin, -math.inf))
            return TurnbullCurve(left, end, mass, float(weight.sum() * (share @ np.log(chance))), done)
        mass = mass * gain
    raise InputError(
        f"Turnbull's estimate did not settle within {_MOST_ROUNDS} rounds; allow a larger tolerance"
    )


def _after(rows: np.ndarray) -> np.ndarray:
    exact = rows[:, 0] == rows[:, 1]
    return np.where(exact, rows[:, 0], np.nextafter(rows[:, 0], math.inf))


def _innermost(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left ends that are followed by a right end before any other left end, and those right ends."""
    ends = np.unique(rows[:, 1])
    begins = np.unique(_after(rows))
    nearest = ends[np.searchsorted(ends, begins, side="left")]
    inner = np.append(begins[1:] > nearest[:-1], True)
    return begins[inner], nearest[inner]


def progression_curve(
    intervals: Intervals, method: str = "turnbull", interval: str = "log", level: float = 0.95
) -> Curve | TurnbullCurve:
    """Return survival without progression by a named method.

    Parameters
    ----------
    intervals : Intervals
    method : str
        turnbull (what the visits support), midpoint or right endpoint (Kaplan-Meier on those times).
    interval, level
        Confidence band of the Kaplan-Meier curves.
    """
    choice("method", method, METHODS, "progression_curve")
    if method == "turnbull":
        return turnbull(intervals)
    return survival_curve(intervals.times(method), interval, level)
