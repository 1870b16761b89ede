"""Tumour volume and its change from baseline over time, one line a run."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ...abm.measures.response import WEEK_8_DAYS
from ...abm.snapshot import RunRecord
from ..outcomes.table import visits
from ..series import Row, arms, daily_alive, followed, identity, tri
from .drawing import Drawing
from .style import CLASS_COLOURS, FAINT, arm_colours, line_alpha, new_figure, styled, visit_ticks

# V/V0 at the lower edge of each class, and the axis marks
BANDS = (("PD", 1.2), ("SD", 0.7), ("PR", 0.2))
MARKS = (0.1, 0.2, 0.4, 0.7, 1.0, 1.2, 1.6, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
QUANTILES = (5, 25, 50, 75, 95)
FLOOR = 0.08  # where a tumour that is gone is drawn
MOST_LINES = 400  # beyond, an arm is its median and the middle 50 and 90 % of its runs


@styled
def draw_spider(records: Sequence[RunRecord], every_days: float = WEEK_8_DAYS) -> Drawing:
    """Draw tumour volume (cm3) and TRI (%) over time, up to death, with the thresholds of ``qcic_tri``.

    Parameters
    ----------
    records : list of RunRecord
    every_days : float
        Days between the visits, which are dots.

    Returns
    -------
    Drawing
        Table: one row a run and day (the first record of each day).
    """
    grouped = arms(records)
    colours, alpha = arm_colours(grouped), line_alpha(max(len(runs) for runs in grouped.values()))
    figure = new_figure(4.3)
    left, right = figure.subplots(1, 2)
    table: list[Row] = []
    last = max(followed(r) for r in records)
    top, bottom = 1.6, 0.5
    for record in records if len(records) <= MOST_LINES else ():
        keep = daily_alive(record)
        days, volume, change = record.time_days[keep], record.tumour_volume_cm3[keep], 1 + tri(record)[keep]
        colour = colours[record.arm]
        left.plot(days, volume, color=colour, alpha=alpha, lw=1.3)
        right.plot(days, np.maximum(change, FLOOR), color=colour, alpha=alpha, lw=1.3)
        seen = visits(record, every_days)
        right.plot(
            seen, [change[abs(days - d).argmin()] for d in seen], "o", ms=3.2, color=colour, alpha=alpha
        )
        top, bottom = max(top, 1.06 * float(change.max())), min(bottom, 0.94 * float(change.min()))
        table += [
            identity(record) | {"day": float(d), "tumour_volume_cm3": float(v), "TRI": float(c) - 1.0}
            for d, v, c in zip(days, volume, change, strict=True)
        ]
    for arm, runs in grouped.items() if len(records) > MOST_LINES else ():
        rows = _quantiles(arm, runs)
        table += rows
        days = [row["day"] for row in rows]
        for axes, name, least in ((left, "tumour_volume_cm3", 0.0), (right, "relative_volume", FLOOR)):
            column = {q: np.maximum([row[f"{name}_q{q}"] for row in rows], least) for q in QUANTILES}
            axes.fill_between(days, column[5], column[95], color=colours[arm], alpha=0.13, lw=0)
            axes.fill_between(days, column[25], column[75], color=colours[arm], alpha=0.25, lw=0)
            axes.plot(days, column[50], color=colours[arm], lw=2.0)
        top = max(top, 1.06 * max(row["relative_volume_q95"] for row in rows))
        bottom = min(bottom, 0.94 * min(row["relative_volume_q5"] for row in rows))
    _bands(right, top, max(bottom, FLOOR))
    for axes in (left, right):
        visit_ticks(axes, last)
        axes.set_xlabel("day")
        if last >= WEEK_8_DAYS:
            axes.axvline(WEEK_8_DAYS, color=FAINT, lw=0.8, ls=(0, (2, 3)), zorder=0)
    left.set(ylabel="tumour volume (cm³)", title="Tumour volume", ylim=(0, None))
    right.set(
        ylabel="change from baseline (%, logarithmic in V)",
        title="TRI = V/V₀ − 1, thresholds of QCIC on volume",
    )
    handles = [
        Line2D(
            [], [], color=colours[arm], lw=2.2, label=f"{arm} ({len(runs)} runs)" if len(runs) > 1 else arm
        )
        for arm, runs in grouped.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        f"One line a run, up to death. Dots are the visits every {every_days:g} days; the dotted vertical line "
        "is week 8. Dashed lines are the QCIC thresholds +20 %, −30 % and −80 %, which are numbers of "
        "RECIST applied to volume against baseline."
    )
    if len(records) > MOST_LINES:
        caption = caption.replace(
            f"One line a run, up to death. Dots are the visits every {every_days:g} days;",
            "Median, middle 50 % and middle 90 % of the patients of an arm who live to a day;",
        )
    return Drawing("spider", figure, table, caption)


def _quantiles(arm: str, runs: Sequence[RunRecord]) -> list[Row]:
    """Return quantiles of volume and relative volume on every day, over the runs that reach it."""
    days = np.arange(np.floor(max(followed(r) for r in runs)) + 1.0)
    volume = np.full((len(runs), days.size), np.nan)
    for row, record in zip(volume, runs, strict=True):
        reached = days <= followed(record) + 1e-9
        row[reached] = np.interp(days[reached], record.time_days, record.tumour_volume_cm3)
    relative = volume / np.where(volume[:, :1] > 0.0, volume[:, :1], np.nan)
    share = np.array(QUANTILES) / 100.0
    found = {"tumour_volume_cm3": volume, "relative_volume": relative}
    tables = {name: np.nanquantile(values, share, axis=0) for name, values in found.items()}
    number = (~np.isnan(volume)).sum(axis=0)
    return [
        {"arm": arm, "day": float(day), "runs": int(number[k])}
        | {f"{name}_q{q}": float(t[j, k]) for name, t in tables.items() for j, q in enumerate(QUANTILES)}
        for k, day in enumerate(days)
    ]


def _bands(axes: Axes, top: float, bottom: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    above = top
    for name, edge in (*BANDS, ("CR", bottom)):
        below = max(edge, bottom)
        if below >= above:
            continue
        axes.axhspan(below, above, color=CLASS_COLOURS[name], alpha=0.07, lw=0, zorder=0)
        axes.text(
            1.012,
            (below * above) ** 0.5,
            name,
            transform=axes.get_yaxis_transform(),
            va="center",
            weight="bold",
            color=CLASS_COLOURS[name] if name != "SD" else "#777777",
        )
        if below > bottom:
            axes.axhline(below, color=FAINT, lw=0.9, ls="--", zorder=1)
        above = below
    axes.axhline(1.0, color="#BBBBBB", lw=0.8, zorder=0)
    axes.yaxis.set_major_locator(FixedLocator([m for m in MARKS if bottom <= m <= top]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(_percent))


def _percent(ratio: float, _: int) -> str:
    return f"{100 * (ratio - 1):+.0f}".replace("-", "−") if abs(ratio - 1) > 1e-9 else "0"
