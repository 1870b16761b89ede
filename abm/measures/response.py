"""Response of a tumour at visits, by criteria that are named and never mixed: tumour volume (QCIC)."""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, unknown_word

WEEK_8_DAYS = 56.0
NOT_EVALUABLE = "NE"
# criterion -> (class, upper bound), half-open [lower, upper), from best to worst
CRITERIA: dict[str, tuple[tuple[str, float], ...]] = {
    "qcic_tri": (("CR", -0.8), ("PR", -0.3), ("SD", 0.2), ("PD", math.inf)),
}
# What each criterion reads at visits; recist11 and irecist are in ``recist``.
ASSESSED = {
    "qcic_tri": "tumour volume against baseline",
    "recist11": "sum of diameters against baseline and nadir, RECIST 1.1 (10.1016/j.ejca.2008.10.026)",
    "irecist": "sum of diameters, progression to be confirmed, iRECIST (10.1016/S1470-2045(17)30074-8)",
}


@dataclass(frozen=True)
class Assessment:
    """What one criterion makes of the visits of one patient.

    Attributes
    ----------
    criterion : str
    days : ndarray, shape (visits + 1,)
        The baseline first.
    size : ndarray, shape (visits + 1,)
        What the criterion reads: cm3 for ``qcic_tri``, mm for the others; NaN where not evaluated.
    responses : tuple of str
        One a visit after the baseline; up to progression.
    best : str
        Best overall response.
    progressed : bool
    last_without : float
        Last visit that was evaluated and did not find progression, d; 0 without one.
    first_with : float
        Visit that found it, d; NaN if none did.
    response_day : float
        Visit at which the response that counts as best began, d; NaN for SD, PD and NE.
    """

    criterion: str
    days: np.ndarray
    size: np.ndarray
    responses: tuple[str, ...]
    best: str
    progressed: bool
    last_without: float
    first_with: float
    response_day: float

    @property
    def until(self) -> float:
        """Return the day of progression, or the last evaluated visit."""
        return self.first_with if self.progressed else self.last_without

    @property
    def change(self) -> np.ndarray:
        """Return the change from baseline at the visits up to progression, shape (visits,)."""
        return self.size[1 : 1 + len(self.responses)] / self.size[0] - 1.0


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


def changes_at_visits(
    time_days: np.ndarray, change: np.ndarray, every_days: float
) -> dict[str, float | None]:
    """Return the response at week 8 and the best at a visit: columns of the tables of a study.

    Parameters
    ----------
    time_days, change : ndarray, shape (time,)
        Rising times from the baseline, d, and tumour volume over that of the baseline, less 1.
    every_days : float
        Days between visits.

    Returns
    -------
    dict
        ``tri_week8`` and ``best_tri``, between records by linear interpolation; None where the series ends before.
    """
    last = float(time_days[-1]) + 1e-9
    visits = np.arange(1, int(last / every_days) + 1) * every_days
    seen = np.interp(visits, time_days, change)
    week8 = float(np.interp(WEEK_8_DAYS, time_days, change)) if last >= WEEK_8_DAYS else None
    return {"tri_week8": week8, "best_tri": float(np.min(seen)) if visits.size else None}


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


def check_visits(days: np.ndarray, size: np.ndarray, unit: str) -> tuple[np.ndarray, np.ndarray]:
    """Return days and sizes of visits as arrays.

    Raises
    ------
    InputError
        If they differ in number, the days do not rise from 0, a size is negative, or the baseline is missing
        or zero.
    """
    days, size = np.asarray(days, dtype=float), np.asarray(size, dtype=float)
    if days.ndim != 1 or days.shape != size.shape or not days.size:
        raise InputError(f"visits: as many sizes as days are needed, got {size.shape} and {days.shape}")
    if days[0] != 0.0 or (np.diff(days) <= 0.0).any():
        raise InputError("visits: days must rise from 0, which is the baseline")
    if not size[0] > 0.0:
        raise InputError(f"visits: the baseline must be a size above 0 {unit}, got {size[0]:g}")
    if (size < 0.0).any():
        raise InputError(f"visits: a size cannot be negative, got {np.nanmin(size):g} {unit}")
    return days, size


def assess_qcic_tri(days: np.ndarray, volume_cm3: np.ndarray) -> Assessment:
    """Return the assessment of tumour volume by ``qcic_tri``: every visit against the baseline, no confirmation.

    Parameters
    ----------
    days : ndarray, shape (visits + 1,)
        Rising from 0, the baseline.
    volume_cm3 : ndarray, shape (visits + 1,)
        NaN where a visit was missed.

    Raises
    ------
    InputError
        As ``check_visits``.
    """
    days, volume = check_visits(days, volume_cm3, "cm3")
    found: list[str] = []
    for tri in np.atleast_1d(tumour_response_index(volume[1:], volume[0])):
        found.append(classify(float(tri)))
        if found[-1] == "PD":
            break
    ranks = [name for name, _ in CRITERIA["qcic_tri"]]
    best = min((r for r in found if r in ranks), key=ranks.index, default=NOT_EVALUABLE)
    began = float(days[1 + found.index(best)]) if best in ("CR", "PR") else math.nan
    return finish("qcic_tri", days, volume, found, best, began)


def finish(
    criterion: str, days: np.ndarray, size: np.ndarray, responses: list[str], best: str, began: float,
    progression: int | None = None,
) -> Assessment:  # fmt: skip
    """Return an assessment whose progression is the last response if that is PD, or the one of this position."""
    if progression is None and responses and responses[-1] == "PD":
        progression = len(responses) - 1
    before = responses if progression is None else responses[:progression]
    seen = [k for k, r in enumerate(before) if r != NOT_EVALUABLE]
    return Assessment(
        criterion,
        days,
        size,
        tuple(responses),
        best,
        progression is not None,
        float(days[1 + seen[-1]]) if seen else 0.0,
        float(days[1 + progression]) if progression is not None else math.nan,
        began,
    )
