"""Several biomarkers in one score, and what a score or a cutoff is worth on patients that did not choose it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from ...abm.errors import InputError
from ..columns import Table, choice, numbers, same_length
from .roc import Cutoff, auc, checked, youden_cutoff

HOW = ("logistic", "min-max sum")
_RIDGE = 1e-3  # of a coefficient per SD; keeps separated data finite, moves others by about 0.1 %


@dataclass(frozen=True)
class Combination:
    """A score made of several biomarkers.

    Attributes
    ----------
    names : list of str
    intercept : float
    coefficient : ndarray, shape (biomarkers,)
        Per unit of each biomarker.
    how : str
    """

    names: list[str]
    intercept: float
    coefficient: np.ndarray
    how: str

    def score(self, matrix: np.ndarray) -> np.ndarray:
        """Return the score of patients, shape (n,); ln odds for a logistic one."""
        return self.intercept + matrix @ self.coefficient


@dataclass(frozen=True)
class CrossValidated:
    """A measure on the patients that made it, and on patients held out.

    Attributes
    ----------
    apparent : float
    held_out : float
        Mean over all folds and repeats.
    optimism : float
        Apparent less held out.
    spread : float
        SD of the mean of a repeat between repeats: what another division into folds would change.
    folds, repeats : int
    """

    apparent: float
    held_out: float
    optimism: float
    spread: float
    folds: int
    repeats: int


@dataclass(frozen=True)
class NestedCutoff:
    """A cutoff of a score, and its sensitivity and specificity on patients held out.

    Attributes
    ----------
    combination : Combination
        The score; for one biomarker, the biomarker itself or its negative.
    cutoff : Cutoff
        From all patients, on the scale of the score.
    sensitivity, specificity, youden : CrossValidated
    chosen : ndarray, shape (repeats * folds,)
        Cutoffs of the training sets.
    """

    combination: Combination
    cutoff: Cutoff
    sensitivity: CrossValidated
    specificity: CrossValidated
    youden: CrossValidated
    chosen: np.ndarray


def combine(biomarkers: Table, label: Any, how: str = "logistic") -> Combination:
    """Fit a score of several biomarkers.

    Parameters
    ----------
    biomarkers : mapping of columns or pandas.DataFrame, each shape (n,)
    label : array_like of 0 and 1, shape (n,)
    how : str
        logistic: ln odds, with a penalty that only separated data feel; min-max sum: each biomarker scaled to
        0..1 over the sample, then added, as in 10.1038/s41540-025-00513-1 (no use of the label).

    Raises
    ------
    InputError
        For missing values, a constant biomarker, labels other than 0 and 1, or a class of fewer than two.
    """
    choice("combination", how, HOW, "combine")
    names, matrix, positive = _inputs(biomarkers, label)
    return _fit(names, matrix, positive, how)


def combined_auc(
    biomarkers: Table, label: Any, how: str = "logistic", folds: int = 5, repeats: int = 20, seed: int = 0
) -> CrossValidated:
    """Return the area under the ROC curve of a combined score, apparent and on held-out patients.

    Patients are divided into folds within their class; each fold's area is that of a score fitted to the
    other folds.

    Parameters
    ----------
    biomarkers, label, how
        As in `combine`.
    folds, repeats : int
        Two patients of each class or more in a fold.
    seed : int
    """
    choice("combination", how, HOW, "combined_auc")
    names, matrix, positive = _inputs(biomarkers, label)
    apparent = auc(_fit(names, matrix, positive, how).score(matrix), positive).value
    found = [
        auc(_fit(names, matrix[~held], positive[~held], how).score(matrix[held]), positive[held]).value
        for held in _folds(positive, folds, repeats, np.random.default_rng(seed))
    ]
    return _summary(apparent, np.array(found), folds, repeats)


def nested_cutoff(
    biomarkers: Table, label: Any, how: str = "logistic", folds: int = 5, repeats: int = 20, seed: int = 0
) -> NestedCutoff:
    """Return Youden's cutoff of a score, and what it is worth on patients that chose neither score nor cutoff.

    The outer folds hold patients out. Of the others, scores for the choice of the cutoff come from inner
    folds, so that a score that fits its own patients too well does not place the cutoff. Arguments and errors
    as in `combined_auc`.
    """
    choice("combination", how, HOW, "nested_cutoff")
    names, matrix, positive = _inputs(biomarkers, label)
    rng = np.random.default_rng(seed)
    whole = _fit(names, matrix, positive, how)
    best = youden_cutoff(whole.score(matrix), positive)
    chosen, hits, passed = [], [], []
    for held in _folds(positive, folds, repeats, rng):
        train, known = matrix[~held], positive[~held]
        inner = np.empty(len(train))
        for part in _folds(known, folds, 1, rng):
            inner[part] = _fit(names, train[~part], known[~part], how).score(train[part])
        cutoff = youden_cutoff(inner, known).value
        above = _fit(names, train, known, how).score(matrix[held]) > cutoff
        chosen.append(cutoff)
        hits.append(np.mean(above[positive[held]]))
        passed.append(np.mean(~above[~positive[held]]))
    sensitivity, specificity = np.array(hits), np.array(passed)
    return NestedCutoff(
        whole,
        best,
        _summary(best.sensitivity, sensitivity, folds, repeats),
        _summary(best.specificity, specificity, folds, repeats),
        _summary(best.youden, sensitivity + specificity - 1.0, folds, repeats),
        np.array(chosen),
    )


def _summary(apparent: float, found: np.ndarray, folds: int, repeats: int) -> CrossValidated:
    means = found.reshape(repeats, folds).mean(axis=1)
    spread = float(np.std(means, ddof=1)) if repeats > 1 else math.nan
    held_out = float(means.mean())
    return CrossValidated(apparent, held_out, apparent - held_out, spread, folds, repeats)


def _inputs(biomarkers: Table, label: Any) -> tuple[list[str], np.ndarray, np.ndarray]:
    names = [str(key) for key in biomarkers.keys()]  # noqa: SIM118 (a DataFrame iterates alike)
    if not names:
        raise InputError("a score needs at least one biomarker, none was given")
    columns = [numbers(biomarkers[name], name) for name in names]
    same_length(**dict(zip(names, columns, strict=True)))
    for name, values in zip(names, columns, strict=True):
        if np.ptp(values) == 0.0:
            raise InputError(f"biomarker '{name}' is {values[0]:g} for every patient; leave it out")
    _, positive = checked(columns[0], label)
    return names, np.column_stack(columns), positive


def _folds(positive: np.ndarray, folds: int, repeats: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Masks of held-out patients: each class spread evenly over the folds."""
    smallest = min(np.count_nonzero(positive), np.count_nonzero(~positive))
    if folds < 2 or smallest < 2 * folds or repeats < 1:
        raise InputError(
            f"{folds} folds x {repeats} repeats need 2 folds or more, 1 repeat or more and two patients of each "
            f"class a fold, but the smaller class has {smallest}; use fewer folds"
        )
    for _ in range(repeats):
        place = np.empty(positive.size, dtype=int)
        for rows in (np.flatnonzero(positive), np.flatnonzero(~positive)):
            place[rng.permutation(rows)] = np.arange(rows.size) % folds
        for fold in range(folds):
            yield place == fold


def _fit(names: list[str], matrix: np.ndarray, positive: np.ndarray, how: str) -> Combination:
    if how == "min-max sum":
        low, width = matrix.min(axis=0), np.ptp(matrix, axis=0)
        width = np.where(width > 0.0, width, 1.0)
        return Combination(names, float(-(low / width).sum()), 1.0 / width, how)
    centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    x = np.column_stack([np.ones(len(matrix)), (matrix - centre) / scale])
    penalty = np.diag([0.0, *np.full(len(names), _RIDGE)])
    beta = np.zeros(x.shape[1])
    beta[0] = math.log(float(positive.sum()) / float((~positive).sum()))
    for _ in range(100):
        expected = expit(x @ beta)
        slope = x.T @ (positive - expected) - penalty @ beta
        curvature = (x * (expected * (1.0 - expected))[:, None]).T @ x + penalty + 1e-12 * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, slope)
        # half a unit of ln odds per SD and round keeps the first rounds from overshooting
        beta = beta + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-10:
            break
    coefficient = beta[1:] / scale
    return Combination(names, float(beta[0] - coefficient @ centre), coefficient, how)
