"""Times to an event, checked, and the Kaplan-Meier, median and log-rank that need nothing else."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import Table, binary, column, numbers, same_length

DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True)
class Times:
    """Times to an event, right-censored.

    Attributes
    ----------
    time : ndarray, shape (n,)
        d (or any unit throughout), 0 or more.
    observed : ndarray of bool, shape (n,)
        False where censored. 0 and 1 are taken as well.

    Raises
    ------
    InputError
        For a time that is negative, NaN or infinite, an event that is not 0 or 1, or columns of two lengths.
    """

    time: np.ndarray
    observed: np.ndarray

    def __post_init__(self) -> None:
        time, observed = numbers(self.time, "time"), binary(self.observed, "event")
        same_length(time=time, event=observed)
        if (time < 0.0).any():
            row = int(np.argmax(time < 0.0))
            raise InputError(f"column 'time' must be 0 or more, but row {row} holds {time[row]:g}")
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "observed", observed)

    def __len__(self) -> int:
        return int(self.time.size)

    def __getitem__(self, rows: np.ndarray | slice) -> "Times":
        """Return the times of some patients."""
        return Times(self.time[rows], self.observed[rows])

    def censored_data(self) -> stats.CensoredData:
        """Return them as SciPy wants them."""
        return stats.CensoredData(uncensored=self.time[self.observed], right=self.time[~self.observed])

    def at_risk(self, when: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return how many are neither dead nor censored before each of these times."""
        return np.array([int(np.count_nonzero(self.time >= t)) for t in when])


def times_from_columns(
    table: Table, time: str, event: str, censored_at: str | None = None, where: str = "table"
) -> Times:
    """Return the times of a table of patients.

    Parameters
    ----------
    table : mapping of columns or pandas.DataFrame
    time, event : str
        Columns of the time and of the event (1 seen, 0 censored).
    censored_at : str, optional
        Column of the time of censoring, for tables that leave ``time`` empty where the event was not seen;
        without it ``time`` holds both.
    where : str
        Name of the table in an error.

    Raises
    ------
    InputError
        For a missing column, an event other than 0 or 1, a negative or missing time; with ``censored_at``
        also for an event without a time and for a time without an event.
    """
    seen = binary(column(table, event, where), event)
    if censored_at is None:
        return Times(numbers(column(table, time, where), time), seen)
    at = numbers(column(table, time, where), time, missing=True)
    end = numbers(column(table, censored_at, where), censored_at, missing=True)
    same_length(**{event: seen, time: at, censored_at: end})
    without, with_time = seen & np.isnan(at), ~seen & ~np.isnan(at)
    if without.any():
        row = int(np.argmax(without))
        raise InputError(
            f"{where}: row {row} has {event} = 1 but no {time}; give its time or set {event} to 0"
        )
    if with_time.any():
        row = int(np.argmax(with_time))
        raise InputError(
            f"{where}: row {row} has {event} = 0 but {time} = {at[row]:g}; a censored row leaves {time} empty "
            f"and gives {censored_at}"
        )
    return Times(numbers(np.where(seen, at, end), censored_at), seen)


def kaplan_meier(times: Times) -> tuple[np.ndarray, np.ndarray]:
    """Return the Kaplan-Meier curve as times and survival, beginning with (0, 1); InputError for no patients."""
    if not len(times):
        raise InputError("a Kaplan-Meier curve needs at least one patient, none was given")
    curve = stats.ecdf(times.censored_data()).sf
    return np.concatenate([[0.0], curve.quantiles]), np.concatenate([[1.0], curve.probabilities])


def median_time(time: np.ndarray, survival: np.ndarray) -> float:
    """Return the first time at which survival is at most one half, NaN if it never is."""
    below = np.flatnonzero(np.asarray(survival) <= 0.5)
    return float(time[below[0]]) if below.size else math.nan


def log_rank(first: Times, second: Times) -> tuple[float, float]:
    """Return chi-squared (1 degree of freedom) and two-sided p of the log-rank test; NaN without events.

    Raises
    ------
    InputError
        For a group without patients.
    """
    if not (len(first) and len(second)):
        raise InputError(f"a log-rank test needs patients in both groups, not {len(first)} and {len(second)}")
    if not (first.observed.any() or second.observed.any()):
        return math.nan, math.nan
    result = stats.logrank(first.censored_data(), second.censored_data())
    return float(result.statistic) ** 2, float(result.pvalue)
