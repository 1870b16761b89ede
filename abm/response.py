"""Response classes by named criteria, from tumour volume."""

import math

import numpy as np

from .errors import unknown_word

WEEK_8_DAYS = 56.0
NOT_EVALUABLE = "NE"
# criterion -> (class, upper bound), half-open [lower, upper), from best to worst
CRITERIA: dict[str, tuple[tuple[str, float], ...]] = {
    "qcic_tri": (("CR", -0.8), ("PR", -0.3), ("SD", 0.2), ("PD", math.inf)),
}


def tumour_response_index(volume: float | np.ndarray, baseline: float | np.ndarray) -> float | np.ndarray:
    """Return TRI = V / V0 - 1; NaN where the baseline volume is zero.

    Parameters
    ----------
    volume, baseline : float or ndarray
        Volumes in one unit, of shapes that broadcast.

    Returns
    -------
    float or ndarray, 1
        Definition of 10.1038/s41540-025-00513-1.
    """
    start = np.asarray(baseline, dtype=float)
    tri = np.divide(volume, np.where(start > 0.0, start, np.nan)) - 1.0
    return tri if np.ndim(tri) else float(tri)


def classify(tri: float, criterion: str = "qcic_tri") -> str:
    """Return the response class of one tumour response index.

    ``qcic_tri`` is CR below -0.8, PR in [-0.8, -0.3), SD in [-0.3, 0.2), PD from 0.2
    (10.1038/s41540-025-00513-1). These are the numbers of RECIST applied to VOLUME against BASELINE. RECIST
    itself applies them to the sum of diameters, and PD to the nadir: a diameter that grows by 20 % is a
    volume that grows by 73 %. The two must never be mixed in one table.

    Parameters
    ----------
    tri : float
        V / V0 - 1.
    criterion : str

    Returns
    -------
    str
        CR, PR, SD, PD, or NE (not evaluable) for NaN.

    Raises
    ------
    InputError
        For an unknown criterion.
    """
    if criterion not in CRITERIA:
        raise unknown_word("criterion", criterion, CRITERIA, "response")
    if math.isnan(tri):
        return NOT_EVALUABLE
    return next(name for name, upper in CRITERIA[criterion] if tri < upper or upper == math.inf)


def tri_at(time_days: np.ndarray, volume: np.ndarray, day: float) -> float:
    """Return the tumour response index on a day, between records by linear interpolation.

    Parameters
    ----------
    time_days, volume : ndarray, shape (time,)
        Rising times from the baseline, d, and volumes in any unit.
    day : float

    Returns
    -------
    float, 1
        NaN if the series ends before that day.
    """
    last = float(time_days[-1])
    if day > last + 1e-9:
        return math.nan
    return float(tumour_response_index(float(np.interp(day, time_days, volume)), float(volume[0])))


def week8_class(time_days: np.ndarray, volume: np.ndarray, criterion: str = "qcic_tri") -> str:
    """Return the class at the first assessment, day 56; NE if the series ends before.

    Parameters
    ----------
    time_days, volume : ndarray, shape (time,)
        As for ``tri_at``.
    criterion : str

    Raises
    ------
    InputError
        For an unknown criterion.
    """
    return classify(tri_at(time_days, volume, WEEK_8_DAYS), criterion)
