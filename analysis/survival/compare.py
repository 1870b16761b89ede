"""Log-rank tests of several groups: weighted (G-rho, Fleming-Harrington), stratified."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import groups, labels, same_length
from .times import Times


@dataclass(frozen=True)
class LogRank:
    """Result of a log-rank test.

    Attributes
    ----------
    chi_squared, p : float
    degrees_of_freedom : int
    groups : list
        Names of the groups, sorted.
    patients : ndarray of int, shape (groups,)
    observed, expected : ndarray, shape (groups,)
        Events seen, and expected if all groups had one hazard; weighted like the test.
    """

    chi_squared: float
    p: float
    degrees_of_freedom: int
    groups: list[Any]
    patients: np.ndarray
    observed: np.ndarray
    expected: np.ndarray


def log_rank_test(
    times: Times, group: Any, rho: float = 0.0, gamma: float = 0.0, strata: Any = None
) -> LogRank:
    """Compare the hazards of two or more groups.

    Parameters
    ----------
    times : Times, n patients
    group : array_like, shape (n,)
        Names or numbers of the groups.
    rho, gamma : float
        An event at t weighs S(t-)^rho (1 - S(t-))^gamma, S the pooled Kaplan-Meier curve of its stratum:
        0, 0 is the log-rank test, 1, 0 the Peto-Peto form of Wilcoxon's (early differences), 0, 1 late
        ones (10.1093/biomet/69.3.553).
    strata : array_like, shape (n,), optional
        Groups are compared within strata and the differences added up.

    Raises
    ------
    InputError
        For no event, fewer than two groups, a group of one, a missing group or stratum, columns of different lengths,
        or a negative exponent.
    """
    number, names = groups(group, "group")
    stratum = np.zeros(len(times), dtype=int) if strata is None else labels(strata, "strata")
    same_length(time=times.time, group=number, strata=stratum)
    if not (0.0 <= rho < np.inf and 0.0 <= gamma < np.inf):
        raise InputError(f"rho and gamma must be 0 or more, not {rho:g} and {gamma:g}")
    if not times.observed.any():
        raise InputError("a log-rank test needs at least one event, but all times are censored")
    size = len(names)
    observed, expected, covariance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for name in np.unique(stratum):
        rows = stratum == name
        part = _stratum(times.time[rows], times.observed[rows], number[rows], size, rho, gamma)
        observed, expected, covariance = observed + part[0], expected + part[1], covariance + part[2]
    gap = observed - expected
    # groups that are never at risk together carry no information; the rank counts what is left
    rank = int(np.linalg.matrix_rank(covariance, tol=1e-9 * max(float(np.trace(covariance)), 1e-300)))
    if rank == 0:
        raise InputError("no two groups are at risk together at any event: the log-rank test says nothing")
    chi_squared = float(gap @ np.linalg.pinv(covariance, rcond=1e-9, hermitian=True) @ gap)
    patients = np.bincount(number, minlength=size)
    return LogRank(
        chi_squared, float(stats.chi2.sf(chi_squared, rank)), rank, names, patients, observed, expected
    )


def _stratum(
    time: np.ndarray, seen: np.ndarray, group: np.ndarray, size: int, rho: float, gamma: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed and expected events and the covariance of their difference in one stratum."""
    at = np.unique(time[seen])
    deaths, risk = np.zeros((size, at.size)), np.zeros((size, at.size))
    for k in range(size):
        own, own_seen = np.sort(time[group == k]), time[(group == k) & seen]
        risk[k] = own.size - np.searchsorted(own, at, side="left")
        deaths[k] = np.bincount(np.searchsorted(at, own_seen), minlength=at.size)
    total, died = risk.sum(axis=0), deaths.sum(axis=0)
    before = np.concatenate([[1.0], np.cumprod(1.0 - died / total)[:-1]]) if at.size else np.ones(0)
    weight = before**rho * (1.0 - before) ** gamma
    share = risk / total
    spread = weight**2 * died * (total - died) / np.maximum(total - 1.0, 1.0)
    covariance = np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    return (weight * deaths).sum(axis=1), (weight * died * share).sum(axis=1), covariance
