"""Discrimination of one biomarker: ROC curve, AUC with DeLong's variance, paired comparison, Youden's cutoff."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import binary, chance, numbers, same_length


@dataclass(frozen=True)
class Roc:
    """Sensitivity and specificity at every cutoff; positive means a value above it.

    Attributes
    ----------
    cutoff : ndarray, shape (k,)
        Falling from infinity (nobody positive) over the middles between neighbouring values to -infinity.
    sensitivity, specificity : ndarray, shape (k,)
    """

    cutoff: np.ndarray
    sensitivity: np.ndarray
    specificity: np.ndarray


@dataclass(frozen=True)
class Auc:
    """Area under the ROC curve with DeLong's standard error.

    Attributes
    ----------
    value, standard_error, lower, upper : float
        Limits are NaN for an area of exactly 0 or 1, where DeLong's variance vanishes.
    positives, negatives : int
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    positives: int
    negatives: int


@dataclass(frozen=True)
class AucDifference:
    """Paired comparison of two areas on the same patients.

    Attributes
    ----------
    first, second : Auc
    difference, standard_error, lower, upper : float
        First less second.
    z, p : float
        NaN where the two rank all patients alike.
    """

    first: Auc
    second: Auc
    difference: float
    standard_error: float
    lower: float
    upper: float
    z: float
    p: float


@dataclass(frozen=True)
class Cutoff:
    """A cutoff and how it does on the patients at hand.

    Attributes
    ----------
    value : float
        Positive means above it (below it where a higher value speaks against an event).
    sensitivity, specificity : float
    youden : float
        Sensitivity + specificity - 1.
    """

    value: float
    sensitivity: float
    specificity: float
    youden: float


def checked(score: Any, label: Any, higher: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (turned round if a lower one speaks for the event) and labels; InputError for a class of one."""
    value, positive = numbers(score, "score"), binary(label, "label")
    same_length(score=value, label=positive)
    for name, count in (("1", np.count_nonzero(positive)), ("0", np.count_nonzero(~positive))):
        if count < 2:
            raise InputError(
                f"column 'label' has {count} patients of class {name}; each class needs two or more"
            )
    return (value if higher else -value), positive


def roc_curve(score: Any, label: Any, higher: bool = True) -> Roc:
    """Return the ROC curve.

    Parameters
    ----------
    score : array_like, shape (n,)
    label : array_like of 0 and 1, shape (n,)
    higher : bool
        Whether a higher score speaks for label 1. Not guessed: guessing it makes every area at least 1/2.

    Raises
    ------
    InputError
        For missing scores, labels other than 0 and 1, or a class of fewer than two patients.
    """
    value, positive = checked(score, label, higher)
    at = np.unique(value)
    cutoff = np.concatenate([[-math.inf], (at[1:] + at[:-1]) / 2.0, [math.inf]])[::-1]
    hits, false = np.sort(value[positive]), np.sort(value[~positive])
    sensitivity = 1.0 - np.searchsorted(hits, cutoff, side="right") / hits.size
    specificity = np.searchsorted(false, cutoff, side="right") / false.size
    return Roc(cutoff if higher else -cutoff, sensitivity, specificity)


def auc(score: Any, label: Any, higher: bool = True, level: float = 0.95) -> Auc:
    """Return the area under the ROC curve with DeLong's confidence limits (10.2307/2531595).

    Arguments and errors as in `roc_curve`; ties count one half; ``level`` is the confidence level.
    """
    value, positive = checked(score, label, higher)
    return _auc(*_placements(value, positive), level)


def compare_auc(
    first: Any,
    second: Any,
    label: Any,
    higher: bool | tuple[bool, bool] = True,
    level: float = 0.95,
) -> AucDifference:
    """Compare the areas of two scores of the same patients by DeLong's paired test (10.2307/2531595).

    Parameters
    ----------
    first, second : array_like, shape (n,)
    label : array_like of 0 and 1, shape (n,)
    higher : bool, or one for each score
    level : float
    """
    up = (higher, higher) if isinstance(higher, bool) else higher
    parts = [_placements(*checked(score, label, way)) for score, way in zip((first, second), up, strict=True)]
    one, two = (_auc(*part, level) for part in parts)
    gap = one.value - two.value
    # the same patients: the variance of the difference is that of the differences of placements
    error = math.sqrt(sum(float(np.var(a - b, ddof=1)) / a.size for a, b in zip(*parts, strict=True)))
    z = gap / error if error > 0.0 else math.nan
    reach = _quantile(level) * error if error > 0.0 else math.nan
    p = float(2.0 * stats.norm.sf(abs(z)))
    return AucDifference(one, two, gap, error, gap - reach, gap + reach, z, p)


def youden_cutoff(score: Any, label: Any, higher: bool = True) -> Cutoff:
    """Return the cutoff of the largest sensitivity + specificity - 1 (the highest one of equals).

    It does best on the patients that chose it; `cutoffs.nested_cutoff` says by how much it flatters itself.
    """
    curve = roc_curve(score, label, higher)
    index = curve.sensitivity + curve.specificity - 1.0
    best = int(np.flatnonzero(index >= index.max() - 1e-12)[0])
    return Cutoff(
        *(float(part[best]) for part in (curve.cutoff, curve.sensitivity, curve.specificity, index))
    )


def _quantile(level: float) -> float:
    return float(stats.norm.ppf(0.5 + chance(level, "level") / 2.0))


def _placements(value: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of negatives below each positive, and of positives above each negative, ties one half."""
    among_all = stats.rankdata(value)
    hits, false = value[positive], value[~positive]
    above = (among_all[positive] - stats.rankdata(hits)) / false.size
    below = 1.0 - (among_all[~positive] - stats.rankdata(false)) / hits.size
    return above, below


def _auc(above: np.ndarray, below: np.ndarray, level: float) -> Auc:
    value = float(above.mean())
    error = math.sqrt(float(np.var(above, ddof=1)) / above.size + float(np.var(below, ddof=1)) / below.size)
    reach = _quantile(level) * error if error > 0.0 else math.nan
    lower, upper = (
        (math.nan, math.nan) if math.isnan(reach) else (max(0.0, value - reach), min(1.0, value + reach))
    )
    return Auc(value, error, lower, upper, above.size, below.size)
