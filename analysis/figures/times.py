"""Kaplan-Meier curves of any endpoint of the outcomes, with their band and the numbers at risk."""

import math
from collections.abc import Sequence

import numpy as np

from ..outcomes.study_table import by_arm, times_of
from ..series import Row
from ..survival import DAYS_PER_MONTH, survival_curve
from .drawing import Drawing
from .style import arm_colours, arm_widths, new_figure, slug, styled

NOTES = {
    "time to progression": "Progression is dated on the visit that found it; death is no event.",
    "progression-free survival": "Progression on the visit that found it, or the drawn death if that is first; "
    "the censored are followed to their last visit.",
    "overall survival": "One drawn death a run, with the same luck for a patient in every arm.",
    "time to progression by the run's own rule": "The stopping rule of the scenario; a run that ends before is "
    "censored there.",
}


@styled
def draw_times(rows: Sequence[Row], endpoint: str) -> Drawing | None:
    """Draw Kaplan-Meier curves by arm with 95 % bands (log) and a risk table.

    Parameters
    ----------
    rows : list of dict
        Rows of outcomes.
    endpoint : str
        One of ``study_table.ENDPOINTS``.

    Returns
    -------
    Drawing or None
        None where the rows do not have the endpoint, or nobody was followed. Table: arm, day, survival, low,
        high, at_risk.
    """
    grouped = {arm: times_of(runs, endpoint) for arm, runs in by_arm(rows).items()}
    times = {arm: t for arm, t in grouped.items() if t is not None and t.time.max() > 0.0}
    if not times:
        return None
    colours, widths = arm_colours(grouped), arm_widths(times, 2.4)
    last = max(float(t.time.max()) for t in times.values())
    months = last > 1.5 * DAYS_PER_MONTH
    scale, unit = (DAYS_PER_MONTH, "months") if months else (1.0, "days")
    step = next((s for s in (0.5, 1, 2, 3, 6, 12, 24, 60, 120) if last / scale / s <= 8), 240)
    ticks = np.arange(0, last / scale + 1e-9, step)
    figure = new_figure(3.6 + 0.2 * len(times), width=7.0)
    axes = figure.subplots()
    table: list[Row] = []
    for arm, group in times.items():
        curve = survival_curve(group)
        low, high = np.nan_to_num(curve.lower), np.nan_to_num(curve.upper, nan=1.0)
        at = curve.time / scale
        median = curve.median()
        words = "not reached" if math.isnan(median.estimate) else f"{median.estimate / scale:.3g}"
        axes.step(at, 100 * curve.survival, where="post", color=colours[arm], lw=widths[arm],
                  label=f"{arm} (n = {group.time.size}), median {words}")  # fmt: skip
        if group.time.size > 2:
            axes.fill_between(at, 100 * low, 100 * high, step="post", color=colours[arm], alpha=0.12, lw=0)
        ends = np.unique(group.time[~group.observed])
        level = curve.survival[np.searchsorted(curve.time, ends, side="right") - 1]
        axes.plot(ends / scale, 100 * level, "|", color=colours[arm], ms=7, mew=1.3)
        table += [
            {"arm": arm, "day": float(t), "survival": float(s), "low": float(lo), "high": float(hi)}
            | {"at_risk": int(n)}
            for t, s, lo, hi, n in zip(
                curve.time, curve.survival, curve.lower, curve.upper, group.at_risk(curve.time), strict=True
            )
        ]
    for k, (arm, group) in enumerate(times.items()):
        for tick, number in zip(ticks, group.at_risk(ticks * scale), strict=True):
            axes.annotate(
                str(number), (tick, 0), (0, -38 - 13 * k), xycoords=axes.get_xaxis_transform(),
                textcoords="offset points", ha="center", va="center", fontsize=8.5, color=colours[arm],
                weight="bold",
            )  # fmt: skip
    axes.annotate("at risk", (0, 0), (-24, -38), xycoords="axes fraction", textcoords="offset points", ha="right",
                  va="center", fontsize=8, style="italic")  # fmt: skip
    axes.set(
        ylim=(0, 102), xlim=(0, last / scale * 1.02), xticks=ticks, xlabel=unit, ylabel="without event (%)"
    )
    axes.set_title(endpoint[0].upper() + endpoint[1:])
    axes.grid(axis="y")
    axes.legend(loc="best", fontsize=8)
    caption = f"Kaplan-Meier, 95 % bands (log); bars mark censoring. {NOTES[endpoint]}"
    return Drawing(f"km-{slug(endpoint)}", figure, table, caption)
