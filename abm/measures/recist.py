"""RECIST 1.1 and iRECIST on the sum of diameters of target lesions at visits.

RECIST 1.1 is Eisenhauer 2009 (10.1016/j.ejca.2008.10.026), iRECIST is Seymour 2017
(10.1016/S1470-2045(17)30074-8). Neither is ``qcic_tri``: +20 % in diameter is +73 % in volume.
"""

import math
from collections.abc import Sequence

import numpy as np

from ..errors import InputError
from .response import NOT_EVALUABLE, Assessment, check_visits, finish

FLOOR_MM = 5.0  # a lesion too small to measure counts as 5 mm
GROWTH, LEAST_GROWTH_MM, SHRINKAGE = 0.2, 5.0, 0.3
CONFIRM_DAYS, MINIMUM_SD_DAYS = 28.0, 42.0
MOST_TARGETS, MOST_PER_ORGAN = 5, 2
MEASURABLE_MM, MEASURABLE_NODE_MM, NORMAL_NODE_MM = 10.0, 15.0, 10.0
_EDGE = 1e-9  # rounding must not decide at exactly 20 or 30 %


def measured_mm(diameter_mm: np.ndarray, gone_below_mm: float = 0.0) -> np.ndarray:
    """Return diameters as a reader reports them: 5 mm where too small to measure, 0 where gone.

    Parameters
    ----------
    diameter_mm : ndarray
    gone_below_mm : float
        A lesion of at most this diameter is said to have disappeared; 0 for one that is truly gone.
    """
    diameter = np.asarray(diameter_mm, dtype=float)
    shown = np.where(diameter < FLOOR_MM, FLOOR_MM, diameter)
    return np.where(np.isnan(diameter), np.nan, np.where(diameter <= gone_below_mm, 0.0, shown))


def target_lesions(
    baseline_mm: Sequence[float], organs: Sequence[str], nodes: Sequence[bool] | None = None
) -> np.ndarray:
    """Return the positions of the target lesions: the largest, at most five and two an organ.

    Parameters
    ----------
    baseline_mm : sequence of float
        Longest diameters; short axes of nodes.
    organs : sequence of str
    nodes : sequence of bool, optional
        Which are lymph nodes; those want 15 mm, all others 10 mm.

    Raises
    ------
    InputError
        If the numbers of lesions differ, or none is measurable.
    """
    size = np.asarray(baseline_mm, dtype=float)
    node = np.zeros(size.size, dtype=bool) if nodes is None else np.asarray(nodes, dtype=bool)
    if not size.size == len(organs) == node.size:
        raise InputError(
            f"recist11: {size.size} diameters, {len(organs)} organs and {node.size} nodes differ"
        )
    taken: dict[str, int] = {}
    chosen: list[int] = []
    for k in np.argsort(-size, kind="stable").tolist():
        fits = size[k] >= (MEASURABLE_NODE_MM if node[k] else MEASURABLE_MM)
        if fits and len(chosen) < MOST_TARGETS and taken.get(organs[k], 0) < MOST_PER_ORGAN:
            taken[organs[k]] = taken.get(organs[k], 0) + 1
            chosen.append(k)
    if not chosen:
        raise InputError(
            "recist11: no lesion is measurable (10 mm, nodes 15 mm in short axis); use larger baseline lesions"
        )
    return np.array(sorted(chosen))


def sum_of_diameters(
    diameters_mm: np.ndarray, nodes: Sequence[bool] | None = None, gone_below_mm: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of diameters and whether the lesions are in complete response, both shape (visits,).

    Parameters
    ----------
    diameters_mm : ndarray, shape (visits, targets)
        NaN where not measured, which makes the visit's sum NaN.
    nodes : sequence of bool, optional
        Lymph nodes, by short axis: below 10 mm they are normal, and their axis still counts in the sum.
    gone_below_mm : float
        As for ``measured_mm``.
    """
    size = measured_mm(diameters_mm, gone_below_mm)
    node = np.zeros(size.shape[1], dtype=bool) if nodes is None else np.asarray(nodes, dtype=bool)
    complete = np.where(node, size < NORMAL_NODE_MM, size == 0.0)
    return size.sum(axis=1), np.asarray(complete.all(axis=1))


def point_response(sld: float, baseline: float, nadir: float, complete: bool, new: bool) -> str:
    """Return the response at one visit: new lesions first, then the nadir, then the baseline."""
    if new:
        return "PD"
    if math.isnan(sld):
        return NOT_EVALUABLE
    if complete:
        return "CR"
    if sld >= (1.0 + GROWTH) * nadir - _EDGE and sld - nadir >= LEAST_GROWTH_MM - _EDGE:
        return "PD"
    return "PR" if sld <= (1.0 - SHRINKAGE) * baseline + _EDGE else "SD"


def assess_recist11(
    days: np.ndarray,
    sld_mm: np.ndarray,
    new_lesions: Sequence[int] | np.ndarray | None = None,
    complete: Sequence[bool] | np.ndarray | None = None,
    confirm_days: float = CONFIRM_DAYS,
    minimum_sd_days: float = MINIMUM_SD_DAYS,
) -> Assessment:
    """Return the assessment by RECIST 1.1 (10.1016/j.ejca.2008.10.026).

    PD is +20 % and +5 mm over the nadir, which may be the baseline, or a new lesion; PR is -30 % from the
    baseline; a confirmed PR goes on until PD. Responses that are not confirmed count as SD if the patient
    was at least ``minimum_sd_days`` without PD, else as PD or NE, whatever came next.

    Parameters
    ----------
    days, sld_mm : ndarray, shape (visits + 1,)
        The baseline first; NaN where not evaluated.
    new_lesions : sequence of int, shape (visits + 1,), optional
        New lesions seen so far; none if absent.
    complete : sequence of bool, shape (visits + 1,), optional
        Whether target lesions are in complete response; where the sum is 0 if absent.
    confirm_days : float
        Least time between a CR or PR and its confirmation; 0 asks for none (randomised trials, where response
        is no primary endpoint). Visits that could not be evaluated may lie between.
    minimum_sd_days : float
        Least time from baseline for SD, 6 to 8 weeks.

    Raises
    ------
    InputError
        As ``check_visits``.
    """
    days, sld = check_visits(days, sld_mm, "mm")
    new, whole = visit_flags(sld, new_lesions, complete)
    nadir, found, confirmed = float(sld[0]), [], ""
    for k in range(1, days.size):
        response = point_response(float(sld[k]), float(sld[0]), nadir, bool(whole[k]), new[k] > 0)
        if response == "SD" and confirmed:
            response = "PR"
        found.append(response)
        if response == "PD":
            break
        nadir = min(nadir, float(sld[k])) if not math.isnan(sld[k]) else nadir
        confirmed = confirmed or ("PR" if _first(days, found, ("CR", "PR"), confirm_days) is not None else "")
    best, began = best_overall(days, found, confirm_days, minimum_sd_days)
    return finish("recist11", days, sld, found, best, began)


def visit_flags(
    sld: np.ndarray,
    new_lesions: Sequence[int] | np.ndarray | None,
    complete: Sequence[bool] | np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return new lesions so far and whether response is complete, one value a visit.

    Raises
    ------
    InputError
        If there are not as many as visits.
    """
    new = np.zeros(sld.size, dtype=int) if new_lesions is None else np.asarray(new_lesions, dtype=int)
    whole = sld == 0.0 if complete is None else np.asarray(complete, dtype=bool)
    if not new.size == whole.size == sld.size:
        raise InputError(
            "visits: new lesions and complete responses need one value a visit, the baseline first"
        )
    return new, whole


def _first(days: np.ndarray, found: Sequence[str], classes: Sequence[str], confirm: float) -> int | None:
    """Return the position of the first response of these classes that a later one of them confirms."""
    for i, response in enumerate(found):
        if response not in classes:
            continue
        if confirm <= 0.0:
            return i
        for j in range(i + 1, len(found)):
            if found[j] not in (*classes, NOT_EVALUABLE):
                break
            if found[j] in classes and days[1 + j] - days[1 + i] >= confirm - _EDGE:
                return i
    return None


def best_overall(
    days: np.ndarray, found: Sequence[str], confirm: float, minimum_sd: float
) -> tuple[str, float]:
    """Return the best overall response and the day on which it began (NaN for SD and worse)."""
    cr = _first(days, found, ("CR",), confirm)
    pr = _first(days, found, ("CR", "PR"), confirm)
    if cr is not None:
        return "CR", float(days[1 + (cr if pr is None else pr)])
    if pr is not None:
        return "PR", float(days[1 + pr])
    stable = [days[1 + k] for k, r in enumerate(found) if r in ("CR", "PR", "SD")]
    if stable and stable[-1] >= minimum_sd - _EDGE:
        return "SD", math.nan
    return ("PD" if found and found[-1] == "PD" else NOT_EVALUABLE), math.nan
