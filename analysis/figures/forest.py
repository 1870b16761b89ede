"""Forest of subgroups: hazard ratio of progression between arms, in halves of what is known at the baseline."""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ...abm.errors import InputError
from ..outcomes.study_table import PROGRESSION, by_arm, point_of, subgroups, times_of
from ..series import Row
from ..survival import Times, log_rank_test
from .drawing import Drawing
from .style import INK, arm_colours, new_figure, plain_log, styled

LEAST = 3  # runs an arm and subgroup
Z = 1.959963984540054


def peto_ratio(
    times: Times, second: np.ndarray, strata: np.ndarray | None = None
) -> tuple[float, float, float]:
    """Return the hazard ratio second / first with its 95 % limits by Peto's one-step method.

    ln HR = (O - E) / V of the log-rank test, standard error 1 / sqrt(V) (10.1016/S0033-0620(85)80003-7): no
    model is fitted, and it is biased towards 1 for ratios below about 1/3 or above 3.

    Parameters
    ----------
    times : Times, n runs
    second : ndarray of bool, shape (n,)
    strata : ndarray, shape (n,), optional
        O - E and V are added up over them.

    Returns
    -------
    (float, float, float)
        NaN where the test says nothing.
    """
    try:
        test = log_rank_test(times, second.astype(int), strata=strata)
    except InputError:
        return math.nan, math.nan, math.nan
    gap = float(test.observed[1] - test.expected[1])
    if test.chi_squared <= 0.0 or gap == 0.0:
        return (1.0, math.nan, math.nan) if gap == 0.0 else (math.nan,) * 3
    variance = gap**2 / test.chi_squared
    middle, reach = gap / variance, Z / math.sqrt(variance)
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


def forest_rows(rows: Sequence[Row], endpoint: str) -> list[Row]:
    """Return hazard ratios by pair of arms and subgroup; empty for one arm or where the endpoint is missing.

    Runs are compared within the points of the sweeps of a study, never across them.

    Returns
    -------
    list of dict
        endpoint, contrast, subgroup, runs, events, hazard_ratio, low, high; NaN with fewer than three runs an
        arm or without events.
    """
    arms, times = by_arm(rows), times_of(rows, endpoint)
    if times is None:
        return []
    masks, arm = subgroups(rows), np.array([str(row["arm"]) for row in rows])
    points = [repr(point_of(row)) for row in rows]
    strata = np.unique(points, return_inverse=True)[1]
    table: list[Row] = []
    for first, second in combinations(arms, 2):
        for name, mask in masks.items():
            pair = mask & ((arm == first) | (arm == second))
            enough = min(np.count_nonzero(mask & (arm == a)) for a in (first, second)) >= LEAST
            part = Times(times.time[pair], times.observed[pair])
            ratio = peto_ratio(part, arm[pair] == second, strata[pair]) if enough else (math.nan,) * 3
            table.append(
                {"endpoint": endpoint, "contrast": f"{second} / {first}", "subgroup": name}
                | {"runs": int(pair.sum()), "events": int(part.observed.sum())}
                | dict(zip(("hazard_ratio", "low", "high"), ratio, strict=True))
            )
    return table


@styled
def draw_forest(rows: Sequence[Row], endpoint: str = PROGRESSION) -> Drawing | None:
    """Draw hazard ratios with 95 % limits for all runs and for halves at the baseline.

    Parameters
    ----------
    rows : list of dict
        Rows of outcomes.
    endpoint : str
        One of ``study_table.ENDPOINTS``.

    Returns
    -------
    Drawing or None
        None without two arms of three runs, or where no ratio is defined. Table: that of ``forest_rows``.
    """
    table = forest_rows(rows, endpoint)
    shown = [row for row in table if not math.isnan(row["hazard_ratio"])]
    if not shown:
        return None
    contrasts = list(dict.fromkeys(row["contrast"] for row in shown))
    colours = arm_colours(contrasts)
    figure = new_figure(1.3 + 0.24 * (len(shown) + len(contrasts)), width=8.5)
    axes = figure.subplots()
    y, ticks = 0.0, []
    for contrast in contrasts:
        ticks.append((y, contrast, "bold"))
        y += 1.0
        for row in (r for r in shown if r["contrast"] == contrast):
            low, high = (row[k] if not math.isnan(row[k]) else row["hazard_ratio"] for k in ("low", "high"))
            axes.plot([low, high], [y, y], color=colours[contrast], lw=1.6)
            axes.plot(
                [row["hazard_ratio"]], [y], "s", color=colours[contrast], ms=4 + min(row["runs"] / 40, 5)
            )
            limits = "–" if math.isnan(row["low"]) else f"{low:.2f}–{high:.2f}"
            text = f"{row['hazard_ratio']:.2f} ({limits}), {row['events']}/{row['runs']}"
            axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
            ticks.append((y, f"   {row['subgroup']}", "normal"))
            y += 1.0
    axes.axvline(1.0, color=INK, lw=0.9, ls="--")
    axes.set(xscale="log", ylim=(y - 0.4, -0.7), xlabel=f"hazard ratio (1), {endpoint}")
    plain_log(axes.xaxis)
    axes.set_yticks([t for t, _, _ in ticks], [text for _, text, _ in ticks])
    for label, (_, _, weight) in zip(axes.get_yticklabels(), ticks, strict=True):
        label.set(weight=weight, fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.text(
        1.02, -0.6, "ratio (95 % limits), events/runs", transform=axes.get_yaxis_transform(), fontsize=8
    )
    caption = (
        "Hazard ratio by Peto's one-step method, within the points of a sweep; below 1 the first-named arm does "
        "better. Subgroups are halves "
        "of what is known at day 0. The number of runs is chosen, so the limits say how well the runs settle the "
        "ratio, nothing about patients; many subgroups are looked at, and none was planned."
    )
    return Drawing("forest", figure, table, caption)
