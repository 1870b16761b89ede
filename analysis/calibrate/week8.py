"""Week 8 of the pooled mCRC trials: response of a population by arm, its distance, and factors that close it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from ...abm.errors import InputError
from ...abm.measures.response import CRITERIA, classify
from ..columns import weights_of
from ..outcomes.published import week8_published

PROGRESSION = next(upper for name, upper in CRITERIA["qcic_tri"] if name == "SD")
MARGIN_POINTS = 3.0  # a population counts as calibrated within this, percentage points


@dataclass(frozen=True)
class Week8:
    """Response at week 8 by ``qcic_tri``, per cent of a population.

    Attributes
    ----------
    CR, PR, SD, PD : float
    """

    CR: float
    PR: float
    SD: float
    PD: float

    @property
    def DCR(self) -> float:
        """Return CR + PR + SD."""
        return self.CR + self.PR + self.SD

    def distance(self, target: "Week8") -> float:
        """Return the largest difference in SD, PD and DCR, percentage points."""
        return max(abs(getattr(self, key) - getattr(target, key)) for key in ("SD", "PD", "DCR"))


def response_classes(tri: np.ndarray) -> np.ndarray:
    """Return the class of every tumour response index by ``qcic_tri``, array of text."""
    return np.array([classify(float(value)) for value in tri])


def week8_response(tri: np.ndarray, weights: np.ndarray | None = None) -> Week8:
    """Return the response of a population.

    Parameters
    ----------
    tri : ndarray, shape (patients,)
        Tumour response index at week 8.
    weights : ndarray, shape (patients,), optional
        Prevalence weights.

    Raises
    ------
    InputError
        No patients, or a tumour response index that is NaN.
    """
    found = np.asarray(tri, dtype=float)
    if not found.size or np.isnan(found).any():
        raise InputError("week 8: one or more tumour response indices are needed, none of them NaN")
    weight = weights_of(weights, found.size)
    classes = response_classes(found)
    return Week8(
        *(100.0 * float(weight[classes == c].sum() / weight.sum()) for c in ("CR", "PR", "SD", "PD"))
    )


def week8_targets(arm: str) -> Week8:
    """Return the response of the pooled trials in an arm (10.1038/s41540-025-00513-1, Table 1).

    The trials' PD is by RECIST on diameters, the model's by a fifth of volume: calibration joins the two by name.

    Raises
    ------
    InputError
        For an arm without pooled trials.
    """
    rows = [row for row in week8_published(arm) if row["kind"] == "pooled trials"]
    if not rows:
        raise InputError(
            f"week 8: no pooled trials for arm '{arm}'; placebo, TAS-102 and the combination have some"
        )
    return Week8(*(float(rows[0][f"{c}_pct"]) for c in ("CR", "PR", "SD", "PD")))


def solve_factor(
    progressing: Callable[[float], float], target: float, low: float, high: float, tolerance: float = 1e-3
) -> float:
    """Return the factor at which the share of progressing patients is the target.

    Bracketing (Brent): with the same patients at every factor, the share is a monotone staircase.

    Parameters
    ----------
    progressing : callable
        Factor to PD, per cent, for one and the same sample of patients.
    target : float
        Per cent.
    low, high : float
        Bracket; the target must lie between the shares there.
    tolerance : float
        Of the factor.

    Raises
    ------
    InputError
        If the bracket does not hold the target.
    """
    ends = progressing(low) - target, progressing(high) - target
    if ends[0] * ends[1] > 0.0:
        raise InputError(
            f"week 8: PD is {ends[0] + target:.1f} % at factor {low:g} and {ends[1] + target:.1f} % at {high:g}, so "
            f"none between gives {target:g} %; widen the bracket or fit another parameter"
        )
    return float(brentq(lambda factor: progressing(factor) - target, low, high, xtol=tolerance))
