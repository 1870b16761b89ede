"""Cox regression (by statsmodels) with hazard ratios."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import Table, chance, choice, labels, need, numbers, same_length
from .times import Times

TIES = ("efron", "breslow")
# standard error of ln HR over a covariate's whole range, beyond which the likelihood has no maximum
_NO_MAXIMUM = 50.0


@dataclass(frozen=True)
class CoxFit:
    """A fitted Cox model.

    Attributes
    ----------
    names : list of str
        Covariates; those of a text column are "column: value", against the value that comes first in it.
    coefficient, standard_error, p : ndarray, shape (covariates,)
        ln hazard ratio per unit, its standard error, and Wald's two-sided p.
    hazard_ratio, lower, upper : ndarray, shape (covariates,)
        With Wald's confidence limits at ``level``.
    covariance : ndarray, shape (covariates, covariates)
    log_likelihood, log_likelihood_null : float
        Partial, at the fit and at 0.
    ties : str
    level : float
    times : Times
    matrix : ndarray, shape (patients, covariates)
    strata : ndarray, shape (patients,)
    """

    names: list[str]
    coefficient: np.ndarray
    standard_error: np.ndarray
    p: np.ndarray
    hazard_ratio: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    log_likelihood_null: float
    ties: str
    level: float
    times: Times
    matrix: np.ndarray
    strata: np.ndarray

    @property
    def risk(self) -> np.ndarray:
        """Linear predictor of each patient: ln hazard ratio against covariates of 0, shape (patients,)."""
        return self.matrix @ self.coefficient


def cox(
    times: Times, covariates: Table, ties: str = "efron", strata: Any = None, level: float = 0.95
) -> CoxFit:
    """Fit a Cox model.

    Parameters
    ----------
    times : Times, n patients
    covariates : mapping of columns or pandas.DataFrame, each shape (n,)
        A column of numbers enters as it is; a column of text as one indicator for each value but its first.
    ties : str
        efron or breslow.
    strata : array_like, shape (n,), optional
        Each stratum has its own baseline hazard.
    level : float
        Confidence level of the hazard ratios.

    Raises
    ------
    InputError
        Without statsmodels; for no event, missing values, a constant covariate or one that others explain,
        a text value of one patient, or a covariate that separates the events (no finite hazard ratio).
    """
    choice("ties", ties, TIES, "cox")
    z = float(stats.norm.ppf(0.5 + chance(level, "level") / 2.0))
    names, matrix = design(covariates)
    stratum = (
        np.zeros(len(times), dtype=int)
        if strata is None
        else np.unique(labels(strata, "strata"), return_inverse=True)[1]
    )
    same_length(time=times.time, covariates=matrix, strata=stratum)
    if not times.observed.any():
        raise InputError("a Cox model needs at least one event, but all times are censored")
    _refuse_dependent(names, matrix)
    regression = need("statsmodels.duration.hazard_regression", "a Cox model")
    centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
    model = regression.PHReg(
        times.time, (matrix - centre) / scale, status=times.observed.astype(int), strata=stratum, ties=ties
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the check of the standard errors below sees what they warn of
        try:
            found = model.fit()
            covariance = np.asarray(found.cov_params()) / np.outer(scale, scale)
        except (np.linalg.LinAlgError, ValueError):
            covariance = np.full((len(names), len(names)), np.nan)
    error = np.sqrt(np.diag(covariance))
    lost = ~(error * np.ptp(matrix, axis=0) < _NO_MAXIMUM)
    if lost.any():
        raise InputError(
            f"covariate '{names[int(np.argmax(lost))]}' separates the events from the rest: no finite hazard "
            "ratio fits; leave it out or join its values"
        )
    coefficient = np.asarray(found.params) / scale
    return CoxFit(
        names,
        coefficient,
        error,
        2.0 * stats.norm.sf(np.abs(coefficient / error)),
        np.exp(coefficient),
        np.exp(coefficient - z * error),
        np.exp(coefficient + z * error),
        covariance,
        float(found.llf),
        float(model.loglike(np.zeros(len(names)))),
        ties,
        level,
        times,
        matrix,
        stratum,
    )


def design(covariates: Table) -> tuple[list[str], np.ndarray]:
    """Return names and columns of a design: numbers as they are, text as indicators against its first value."""
    names: list[str] = []
    columns: list[np.ndarray] = []
    for key in covariates.keys():  # noqa: SIM118 (a DataFrame iterates alike, the protocol need not)
        values = np.asarray(covariates[key])
        if values.dtype.kind not in "UO" or all(isinstance(v, int | float) for v in values):
            names.append(str(key))
            columns.append(numbers(values, str(key)))
            continue
        words = [str(v) for v in labels(values, str(key))]
        for word in list(dict.fromkeys(words))[1:]:
            count = words.count(word)
            if count < 2:
                raise InputError(
                    f"covariate '{key}': '{word}' is the value of one patient; join it with another"
                )
            names.append(f"{key}: {word}")
            columns.append(np.array([w == word for w in words], dtype=float))
    if not columns:
        raise InputError("a model needs at least one covariate that varies, none was given")
    same_length(**dict(zip(names, columns, strict=True)))
    return names, np.column_stack(columns)


def _refuse_dependent(names: list[str], matrix: np.ndarray) -> None:
    centred = matrix - matrix.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    for name, length, column in zip(names, size, matrix.T, strict=True):
        if length <= 1e-10 * max(1.0, float(np.abs(column).max())):
            raise InputError(f"covariate '{name}' is {column[0]:g} for every patient; leave it out")
    scaled = centred / size
    for k in range(1, len(names)):
        if np.linalg.matrix_rank(scaled[:, : k + 1], tol=1e-8) <= k:
            raise InputError(
                f"covariate '{names[k]}' follows from {', '.join(names[:k])}; leave one of them out"
            )
