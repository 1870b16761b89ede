"""Two groups of patients, such as responders and others: rank test, shift with confidence limits, multiplicity."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...abm.errors import InputError
from ..columns import Table, binary, chance, choice, numbers, same_length
from ..series import Row

ADJUSTMENTS = ("holm", "benjamini-hochberg")
_EXACT = 50  # groups smaller than this without ties get the exact law


@dataclass(frozen=True)
class GroupDifference:
    """Difference of two groups by ranks.

    Attributes
    ----------
    u : float
        Mann-Whitney statistic of the first group.
    p : float
        Two-sided; exact for groups of fewer than 50 without ties, else normal with corrections for ties and
        continuity.
    shift, lower, upper : float
        Hodges-Lehmann: median of all differences first - second, with confidence limits.
    superiority : float
        Chance that a patient of the first group exceeds one of the second, ties one half.
    sizes : tuple of int
    exact : bool
    """

    u: float
    p: float
    shift: float
    lower: float
    upper: float
    superiority: float
    sizes: tuple[int, int]
    exact: bool


def compare_two_groups(first: Any, second: Any, level: float = 0.95) -> GroupDifference:
    """Compare two groups by the Mann-Whitney test, with the Hodges-Lehmann shift (10.1214/aoms/1177704172).

    Parameters
    ----------
    first, second : array_like, shapes (n,), (m,)
    level : float
        Confidence level of the shift.

    Raises
    ------
    InputError
        For missing values or a group of fewer than two.
    """
    x, y = numbers(first, "first"), numbers(second, "second")
    for name, values in (("first", x), ("second", y)):
        if values.size < 2:
            raise InputError(f"group '{name}' has {values.size} patients, a comparison needs at least 2")
    n, m = x.size, y.size
    pooled = np.concatenate([x, y])
    ties = np.unique(pooled, return_counts=True)[1]
    exact = bool(max(n, m) < _EXACT and np.max(ties) == 1)
    if ties.size == 1:
        u, p = n * m / 2.0, 1.0  # all values equal
    else:
        result = stats.mannwhitneyu(x, y, method="exact" if exact else "asymptotic")
        u, p = float(result.statistic), float(result.pvalue)
    edge = (1.0 - chance(level, "level")) / 2.0
    out = _exact_rank(n, m, edge) if exact else _normal_rank(n, m, ties, edge)
    differences = _Differences(x, y)
    middle = [differences.nth(k) for k in ((n * m - 1) // 2, n * m // 2)]
    lower = differences.nth(out - 1) if out > 0 else -math.inf
    upper = differences.nth(n * m - out) if out > 0 else math.inf
    return GroupDifference(u, p, sum(middle) / 2.0, lower, upper, u / (n * m), (n, m), exact)


def compare_biomarkers(biomarkers: Table, responder: Any, level: float = 0.95) -> list[Row]:
    """Compare every biomarker between responders and others, p-values adjusted for their number.

    Parameters
    ----------
    biomarkers : mapping of columns or pandas.DataFrame, each shape (n,)
        NaN where not measured: left out, and counted.
    responder : array_like of 0 and 1, shape (n,)
    level : float

    Returns
    -------
    list of dict
        biomarker, responders, others, not_measured, median_responders, median_others, shift, shift_low,
        shift_high, superiority, p, p_holm, p_bh.

    Raises
    ------
    InputError
        For a biomarker measured in fewer than two responders or others.
    """
    label = binary(responder, "responder")
    rows: list[Row] = []
    for key in biomarkers.keys():  # noqa: SIM118 (a DataFrame iterates alike, the protocol need not)
        name = str(key)
        values = numbers(biomarkers[key], name, missing=True)
        same_length(**{name: values, "responder": label})
        known = ~np.isnan(values)
        parts = values[known & label], values[known & ~label]
        if min(part.size for part in parts) < 2:
            raise InputError(
                f"biomarker '{name}' is measured in {parts[0].size} responders and {parts[1].size} others; a "
                "comparison needs at least 2 of each"
            )
        found = compare_two_groups(*parts, level)
        rows.append(
            {
                "biomarker": name,
                "responders": parts[0].size,
                "others": parts[1].size,
                "not_measured": int(np.count_nonzero(~known)),
                "median_responders": float(np.median(parts[0])),
                "median_others": float(np.median(parts[1])),
                "shift": found.shift,
                "shift_low": found.lower,
                "shift_high": found.upper,
                "superiority": found.superiority,
                "p": found.p,
            }
        )
    p = [row["p"] for row in rows]
    for label_name, method in (("p_holm", "holm"), ("p_bh", "benjamini-hochberg")):
        for row, value in zip(rows, adjust(p, method), strict=True):
            row[label_name] = float(value)
    return rows


def adjust(p: Sequence[float] | np.ndarray, method: str) -> np.ndarray:
    """Return p-values adjusted for their number.

    Parameters
    ----------
    p : array_like, shape (n,)
    method : str
        holm (chance of any false finding) or benjamini-hochberg (share of false findings,
        10.1111/j.2517-6161.1995.tb02031.x).
    """
    choice("adjustment", method, ADJUSTMENTS, "adjust")
    values = numbers(p, "p")
    if ((values < 0.0) | (values > 1.0)).any():
        raise InputError(f"p-values must lie between 0 and 1, not {values.min():g} to {values.max():g}")
    if method == "benjamini-hochberg":
        return stats.false_discovery_control(values) if values.size else values
    order = np.argsort(values, kind="stable")
    raised = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted


class _Differences:
    """The differences x - y in order, found by bisection: never n x m of them in memory."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x, self.y = np.sort(x), np.sort(y)

    def _at_most(self, limit: float) -> int:
        return int(np.searchsorted(-self.y[::-1], limit - self.x, side="right").sum())

    def nth(self, k: int) -> float:
        """Return the difference with k smaller ones."""
        low, high = float(self.x[0] - self.y[-1]), float(self.x[-1] - self.y[0])
        scale = max(abs(low), abs(high), float(np.abs(self.x).max()), float(np.abs(self.y).max()))
        tiny = 1e-15 * scale
        low -= 4.0 * tiny
        while high - low > 2.0 * tiny:
            middle = (low + high) / 2.0
            if self._at_most(middle) > k:
                high = middle
            else:
                low = middle
        # the bisection is exact to rounding; take the difference itself
        place = np.searchsorted(self.y, self.x - high)
        near = np.concatenate(
            [self.x - self.y[np.clip(place + step, 0, self.y.size - 1)] for step in (-1, 0)]
        )
        return float(near[np.argmin(np.abs(near - high))])


def _exact_rank(n: int, m: int, edge: float) -> int:
    """How many of the ordered differences lie outside each limit: the quantile of U's exact law."""
    counts = np.zeros(n * m + 1)
    counts[0] = 1.0
    # generating function of U: product over i of (1 - q^(m + i)) / (1 - q^i)
    for i in range(1, n + 1):
        counts[m + i :] -= counts[: n * m + 1 - m - i].copy() if m + i <= n * m else 0.0
        for k in range(i, n * m + 1):
            counts[k] += counts[k - i]
    total = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(total, edge * (1.0 - 1e-12)))


def _normal_rank(n: int, m: int, ties: np.ndarray, edge: float) -> int:
    size = n + m
    variance = n * m / 12.0 * (size + 1.0 - float((ties**3 - ties).sum()) / (size * (size - 1.0)))
    return max(0, math.floor(n * m / 2.0 - stats.norm.isf(edge) * math.sqrt(variance)))
