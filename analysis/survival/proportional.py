"""Is a hazard ratio constant in time? Schoenfeld residuals and the score test built on them."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import choice
from .cox import CoxFit
from .curves import survival_curve
from .times import Times

TRANSFORMS = ("km", "rank", "identity", "log")


@dataclass(frozen=True)
class ProportionalHazards:
    """Test of proportional hazards.

    Attributes
    ----------
    names : list of str
    chi_squared, p : ndarray, shape (covariates,)
        One degree of freedom each; a small p says that a hazard ratio changes with time.
    chi_squared_global, p_global : float
        All covariates together.
    transform : str
    event_time : ndarray, shape (events,)
    residual : ndarray, shape (events, covariates)
        Schoenfeld residuals: covariate of a patient with an event less its expectation over those at risk.
    """

    names: list[str]
    chi_squared: np.ndarray
    p: np.ndarray
    chi_squared_global: float
    p_global: float
    transform: str
    event_time: np.ndarray
    residual: np.ndarray


def proportional_hazards_test(fit: CoxFit, transform: str = "km") -> ProportionalHazards:
    """Test whether the hazard ratios of a Cox model are constant in time.

    Score test of an added covariate x g(t), in its exact form, for each covariate and for all together
    (Grambsch and Therneau 1994, 10.1093/biomet/81.3.515).

    Parameters
    ----------
    fit : CoxFit
    transform : str
        g(t): km (1 - Kaplan-Meier before t), rank (of t among all times), identity or log.

    Raises
    ------
    InputError
        For ``log`` with an event at time 0.
    """
    choice("transform", transform, TRANSFORMS, "proportional_hazards_test")
    parts = [_stratum(fit, fit.strata == name) for name in np.unique(fit.strata)]
    time, residual, information = (np.concatenate([part[k] for part in parts]) for k in range(3))
    order = np.argsort(time, kind="stable")
    time, residual, information = time[order], residual[order], information[order]
    g = _scale(fit.times, time, transform)
    g = g - g.mean()
    score = g @ residual
    plain = information.sum(axis=0)
    cross = np.tensordot(g, information, axes=1)
    square = np.tensordot(g**2, information, axes=1)
    spread = square - cross @ np.linalg.solve(plain, cross)
    alone = score**2 / np.diag(spread)
    together = float(score @ np.linalg.solve(spread, score))
    return ProportionalHazards(
        fit.names,
        alone,
        stats.chi2.sf(alone, 1),
        together,
        float(stats.chi2.sf(together, len(fit.names))),
        transform,
        time,
        residual,
    )


def _scale(times: Times, at: np.ndarray, transform: str) -> np.ndarray:
    if transform == "km":
        curve = survival_curve(times)
        return 1.0 - curve.survival[np.searchsorted(curve.time, at, side="left") - 1]
    if transform == "rank":
        everybody = np.sort(times.time)
        return (np.searchsorted(everybody, at, "left") + np.searchsorted(everybody, at, "right") + 1) / 2.0
    if transform == "log" and at[0] == 0.0:
        raise InputError(
            "transform 'log' has no value for the event at time 0; use 'km', 'rank' or 'identity'"
        )
    return np.log(at) if transform == "log" else at


def _stratum(fit: CoxFit, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times, Schoenfeld residuals and information of the events of one stratum."""
    order = np.argsort(-fit.times.time[rows], kind="stable")
    time, seen = fit.times.time[rows][order], fit.times.observed[rows][order]
    x = (fit.matrix - fit.matrix.mean(axis=0))[rows][order]
    risk = x @ fit.coefficient
    weight = np.exp(risk - risk.max(initial=0.0))
    sums = (weight, weight[:, None] * x, weight[:, None, None] * x[:, :, None] * x[:, None, :])
    totals = [np.cumsum(part, axis=0) for part in sums]
    events = np.flatnonzero(seen)
    residual = np.zeros((events.size, x.shape[1]))
    information = np.zeros((events.size, x.shape[1], x.shape[1]))
    for now in np.unique(time[events]):
        here = np.flatnonzero((time == now) & seen)
        last = int(np.searchsorted(-time, -now, side="right")) - 1
        tied = [part[here].sum(axis=0) for part in sums]
        means, spreads = [], []
        for k in range(here.size):
            # Efron: the k-th of d tied events happens with k/d of the tied ones gone
            gone = k / here.size if fit.ties == "efron" else 0.0
            s0, s1, s2 = (total[last] - gone * part for total, part in zip(totals, tied, strict=True))
            means.append(s1 / s0)
            spreads.append(s2 / s0 - np.outer(s1 / s0, s1 / s0))
        place = np.searchsorted(events, here)
        residual[place] = x[here] - np.mean(means, axis=0)
        information[place] = np.mean(spreads, axis=0)
    return time[events], residual, information
