"""Survival of an arm from the expected survival of its patients."""

from collections.abc import Sequence

import numpy as np


def arm_survival(curves: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean expected survival of an arm whose patients may be followed for different times.

    While all are followed it is the plain mean; a patient whose run ends is censored there: later days
    multiply by the survivors' mean daily survival among those still followed, as Kaplan-Meier does.

    Parameters
    ----------
    curves : list of ndarray, shape (days_i + 1,)

    Returns
    -------
    ndarray, shape (longest days + 1,)
    """
    longest = max(len(curve) for curve in curves)
    table = np.full((len(curves), longest), np.nan)
    for row, curve in zip(table, curves, strict=True):
        row[: len(curve)] = curve
    mean = np.ones(longest)
    for day in range(1, longest):
        followed = ~np.isnan(table[:, day])
        before = table[followed, day - 1].sum()
        mean[day] = mean[day - 1] * (table[followed, day].sum() / before if before > 0.0 else 0.0)
    return mean
