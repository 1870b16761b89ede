"""Expected survival beside the published one, and the test of the drawn deaths, as tables of a report."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ...abm.errors import InputError
from ...abm.snapshot import RunRecord
from ..calibrate.endpoints import median_months, survival_at
from ..outcomes.expected import arm_curves
from ..outcomes.published import recourse
from ..outcomes.study_table import OVERALL, by_arm, point_of, times_of
from ..series import Row
from ..survival import DAYS_PER_MONTH, log_rank_test
from .page import folded, paragraph, table

MONTHS = (3, 6, 9, 12)


def survival_table(records: Sequence[RunRecord], rows: Sequence[Row], law: str) -> str:
    """Return expected survival and medians by arm beside RECOURSE, and the log-rank test of the drawn deaths.

    Parameters
    ----------
    records : list of RunRecord
    rows : list of dict
        Their rows of outcomes, which hold the deaths.
    law : str
        One of ``death.LAWS``.
    """
    runs = by_arm(rows)
    lines: list[list[Any]] = []
    kinds: list[str] = []
    for arm, curve in arm_curves(records, law).items():
        days = np.arange(len(curve))
        reached = [m * DAYS_PER_MONTH <= days[-1] for m in MONTHS]
        values = [
            f"{100 * survival_at(days, curve, m):.0f} %" if seen else "not reached"
            for m, seen in zip(MONTHS, reached, strict=True)
        ]
        median = median_months(days, curve)
        middle = "not reached" if math.isnan(median) else f"{median:.1f}"
        lines.append([arm, f"expected, spatial (n={len(runs[arm])})", *values, middle])
        kinds.append("first own")
        points = {p["months"]: p["value"] for p in recourse("OS", arm, "survival")}
        if points:
            shares = [f"{100 * points[m]:.0f} %" for m in MONTHS]
            middle = f"{recourse('OS', arm, 'median')[0]['value']:g}"
            lines.append(["", "RECOURSE", *shares, middle])
            kinds.append("")
    out = table(["arm", "what", *(f"{m} months" for m in MONTHS), "median (months)"], lines, kinds)
    tests = [_test(first, second, runs) for first, second in combinations(runs, 2)]
    shown = [row for row in tests if row]
    if shown:
        words = (
            "Log-rank test of the drawn deaths, within the points of a sweep. The number of virtual patients is "
            "chosen, so p says how well this many runs separate the arms, nothing about patients."
        )
        columns = ["arms", "deaths, first", "deaths, second", "chi-squared", "p"]
        out += folded("Log-rank test of the drawn deaths", paragraph(words) + table(columns, shown))
    return out


def _test(first: str, second: str, runs: dict[str, list[Row]]) -> list[Any]:
    """Return a line of the log-rank table; empty for arms of one run."""
    both = [*runs[first], *runs[second]]
    drawn = [times_of(runs[arm], OVERALL) for arm in (first, second)]
    together = times_of(both, OVERALL)
    if together is None or min(len(runs[first]), len(runs[second])) < 2:
        return []
    events = [f"{int(d.observed.sum())} of {len(d)}" for d in drawn if d is not None]
    points = np.unique([repr(point_of(row)) for row in both], return_inverse=True)[1]
    try:
        found = log_rank_test(together, [row["arm"] for row in both], strata=points)
    except InputError:  # nobody died
        return [f"{first} against {second}", *events, math.nan, math.nan]
    return [f"{first} against {second}", *events, round(found.chi_squared, 3), round(found.p, 3)]
