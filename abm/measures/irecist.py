"""iRECIST: progression that must be confirmed, and may be taken back (10.1016/S1470-2045(17)30074-8)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .recist import CONFIRM_DAYS, LEAST_GROWTH_MM, MINIMUM_SD_DAYS, best_overall, point_response, visit_flags
from .response import NOT_EVALUABLE, Assessment, check_visits, finish

_ORDER = ("CR", "PR", "SD", "PD")


@dataclass
class _Unconfirmed:
    """A progression that waits for the next visit: its day, and the sizes that it is compared with."""

    position: int
    day: float
    sld: float
    new: int
    new_sum: float
    target: str


def assess_irecist(
    days: np.ndarray,
    sld_mm: np.ndarray,
    new_lesions: Sequence[int] | np.ndarray | None = None,
    complete: Sequence[bool] | np.ndarray | None = None,
    new_sum_mm: Sequence[float] | np.ndarray | None = None,
    confirm_days: float = CONFIRM_DAYS,
    minimum_sd_days: float = MINIMUM_SD_DAYS,
) -> Assessment:
    """Return the assessment by iRECIST: iCR, iPR, iSD, iUPD and iCPD.

    A progression by RECIST 1.1 is unconfirmed (iUPD). A visit at least ``confirm_days`` later confirms it
    (iCPD) if the sum has grown by 5 mm more since, another new lesion came, the new lesions have grown by
    5 mm, or the other of the two (targets, new lesions) progresses now; small steps add up. If the target
    lesions shrink back below the bar, or by a class where new lesions were the reason, progression is taken
    back and the bar is reset. Anything else stays iUPD. Progression is dated on the iUPD that was not taken
    back, whether confirmed or not.

    Parameters
    ----------
    days, sld_mm, new_lesions, complete, confirm_days, minimum_sd_days
        As for ``assess_recist11``.
    new_sum_mm : sequence of float, shape (visits + 1,), optional
        Sum of diameters of the new lesions, which iRECIST keeps apart; they do not grow if absent.

    Raises
    ------
    InputError
        As ``check_visits``.
    """
    days, sld = check_visits(days, sld_mm, "mm")
    new, whole = visit_flags(sld, new_lesions, complete)
    new_sum = np.zeros(sld.size) if new_sum_mm is None else np.asarray(new_sum_mm, dtype=float)
    nadir, counted, found = float(sld[0]), 0, []
    waiting: _Unconfirmed | None = None
    for k in range(1, days.size):
        size = float(sld[k])
        target = point_response(size, float(sld[0]), nadir, bool(whole[k]), False)
        more = int(new[k]) > counted
        if waiting is None:
            if target == "PD" or more:
                # 'target' keeps the class that new lesions overrule: progression is taken back from there
                waiting = _Unconfirmed(k - 1, float(days[k]), size, int(new[k]), float(new_sum[k]), target)
            found.append("iUPD" if waiting else target if target == NOT_EVALUABLE else f"i{target}")
        elif days[k] - waiting.day < confirm_days - 1e-9 or (target == NOT_EVALUABLE and not more):
            found.append("iUPD" if target != NOT_EVALUABLE else NOT_EVALUABLE)
        elif _confirms(waiting, size, int(new[k]), float(new_sum[k]), target):
            found.append("iCPD")
            break
        elif _taken_back(waiting, target, int(new[k])):
            waiting, counted = None, int(new[k])
            found.append(f"i{target}")
        else:
            found.append("iUPD")
        if not math.isnan(size):
            nadir = min(nadir, size)
    best, began = best_overall(days, [r.removeprefix("i") for r in found], 0.0, minimum_sd_days)
    if best in ("CR", "PR"):
        best = f"i{best}"
    elif best == "SD":
        best = "iSD"
    elif found and waiting:
        best = "iCPD" if found[-1] == "iCPD" else "iUPD"
    return finish("irecist", days, sld, found, best, began, waiting.position if waiting else None)


def _confirms(was: _Unconfirmed, sld: float, new: int, new_sum: float, target: str) -> bool:
    grown = was.target == "PD" and sld - was.sld >= LEAST_GROWTH_MM - 1e-9
    spread = new > was.new or (was.new > 0 and new_sum - was.new_sum >= LEAST_GROWTH_MM - 1e-9)
    return grown or spread or (was.target != "PD" and target == "PD")


def _taken_back(was: _Unconfirmed, target: str, new: int) -> bool:
    if was.target == "PD":
        return target != "PD"
    before = _ORDER.index(was.target) if was.target in _ORDER else len(_ORDER)
    return new < was.new or _ORDER.index(target) < before
