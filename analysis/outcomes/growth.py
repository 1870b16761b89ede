"""Metrics of tumour growth and inhibition from sizes at visits: Stein's g and d, depth, early shrinkage."""

import math
from dataclasses import dataclass

import numpy as np

from ...abm.errors import InputError
from ...abm.measures.response import WEEK_8_DAYS

EARLY_SHRINKAGE = 0.2
ROUNDS = 80  # of Levenberg and Marquardt; nothing moves after about 30
LOWEST, HIGHEST = 1e-6, 1.0  # 1/d, of both rates
_STARTS = ((0.003, 0.01), (0.02, 0.001), (0.001, 0.03))


@dataclass(frozen=True)
class Growth:
    """Rates of f(t) = exp(-d t) + exp(g t) - 1, one patient an element.

    Attributes
    ----------
    g, d : ndarray, shape (patients,)
        Growth and decay, 1/d; NaN with fewer than two sizes after the baseline. A rate at 1e-6 is none.
    rms : ndarray, shape (patients,)
        Root mean square of the residuals, shares of the baseline.
    """

    g: np.ndarray
    d: np.ndarray
    rms: np.ndarray


def stein(time_days: np.ndarray, g: float | np.ndarray, d: float | np.ndarray) -> np.ndarray:
    """Return f(t) = exp(-d t) + exp(g t) - 1 (Stein 2008, 10.1634/theoncologist.2008-0075), 1 at 0."""
    return np.exp(-np.asarray(d) * time_days) + np.exp(np.asarray(g) * time_days) - 1.0


def stein_nadir_days(g: float, d: float) -> float:
    """Return the day of the smallest size, ln(d / g) / (g + d); 0 where growth outruns decay from the start."""
    return math.log(d / g) / (g + d) if d > g else 0.0


def fit_stein(time_days: np.ndarray, size: np.ndarray) -> Growth:
    """Return growth and decay rates of many patients at once, by least squares.

    Parameters
    ----------
    time_days : ndarray, shape (visits,)
        From 0.
    size : ndarray, shape (patients, visits)
        Sums of diameters (any unit); NaN where not measured. Sizes are taken relative to the first.

    Raises
    ------
    InputError
        If the shapes do not fit, the days do not rise from 0, or a size is negative or infinite.
    """
    time, size = np.asarray(time_days, dtype=float), np.atleast_2d(np.asarray(size, dtype=float))
    if size.shape[1] != time.size:
        raise InputError(
            f"growth: {size.shape[1]} sizes for {time.size} visits; give one a visit, NaN if missed"
        )
    if not time.size or time[0] != 0.0 or (np.diff(time) <= 0.0).any() or not np.isfinite(time).all():
        raise InputError("growth: days of visits must rise from 0, which is the baseline")
    if (size < 0.0).any() or np.isinf(size).any():
        raise InputError(
            f"growth: sizes must be finite and 0 or more (NaN if missed), not {np.nanmin(size):g}"
        )
    there = ~np.isnan(size)
    y = np.where(there, size, 1.0) / np.where(size[:, :1] > 0.0, size[:, :1], np.nan)
    enough = (there[:, 1:].sum(axis=1) >= 2) & ~np.isnan(y).any(axis=1)
    best = np.full((3, size.shape[0]), np.nan)
    if enough.any():
        tried = [_descend(time, y[enough], there[enough], start) for start in _STARTS]
        which = np.argmin([loss for *_, loss in tried], axis=0)
        number = there[enough].sum(axis=1)
        for row, values in enumerate(zip(*tried, strict=True)):
            best[row, enough] = np.choose(which, values)
        best[2, enough] = np.sqrt(best[2, enough] / number)
    return Growth(best[0], best[1], best[2])


def _descend(
    time: np.ndarray, y: np.ndarray, there: np.ndarray, start: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return g, d and the sum of squares after damped Gauss-Newton steps in their logarithms."""
    theta = np.tile(np.log(start), (len(y), 1))
    damping = np.full(len(y), 1e-2)
    low, high = math.log(LOWEST), math.log(HIGHEST)

    def residual(at: np.ndarray) -> np.ndarray:
        g, d = np.exp(at[:, :1]), np.exp(at[:, 1:])
        return np.where(there, stein(time, np.minimum(g, 700.0 / max(time[-1], 1.0)), d) - y, 0.0)

    r = residual(theta)
    loss = (r**2).sum(axis=1)
    for _ in range(ROUNDS):
        g, d = np.exp(theta[:, :1]), np.exp(theta[:, 1:])
        up = np.where(there, g * time * np.exp(np.minimum(g * time, 700.0)), 0.0)
        down = np.where(there, -d * time * np.exp(-d * time), 0.0)
        a, b, c = (up * up).sum(1), (up * down).sum(1), (down * down).sum(1)
        p, q = (up * r).sum(1), (down * r).sum(1)
        a, c = a * (1.0 + damping) + 1e-30, c * (1.0 + damping) + 1e-30
        det = a * c - b * b
        step = -np.stack([(c * p - b * q) / det, (a * q - b * p) / det], axis=1)
        trial = np.clip(theta + np.clip(step, -1.5, 1.5), low, high)
        r_trial = residual(trial)
        loss_trial = (r_trial**2).sum(axis=1)
        better = loss_trial < loss
        theta, r = np.where(better[:, None], trial, theta), np.where(better[:, None], r_trial, r)
        loss = np.where(better, loss_trial, loss)
        damping = np.clip(np.where(better, damping / 5.0, damping * 4.0), 1e-9, 1e9)
    return np.exp(theta[:, 0]), np.exp(theta[:, 1]), loss


def depth_of_response(change: np.ndarray) -> float:
    """Return the best change from baseline at a visit (DpR): negative where the tumour shrank; NaN without any."""
    change = np.asarray(change, dtype=float)
    return float(np.nanmin(change)) if (~np.isnan(change)).any() else math.nan


def early_shrinkage(
    days: np.ndarray, change: np.ndarray, by_day: float = WEEK_8_DAYS, share: float = EARLY_SHRINKAGE
) -> float:
    """Return 1 if the sum of diameters had shrunk by ``share`` at the last visit up to ``by_day``, else 0 (ETS).

    Parameters
    ----------
    days, change : ndarray, shape (visits,)
        Visits after the baseline and changes from it.

    Returns
    -------
    float
        NaN if no visit up to that day was evaluated.
    """
    early = np.asarray(change, dtype=float)[np.asarray(days, dtype=float) <= by_day + 1e-9]
    early = early[~np.isnan(early)]
    return float(early[-1] <= -share + 1e-9) if early.size else math.nan
