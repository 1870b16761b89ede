"""Swimmer plot: the course of every patient as a bar, with response, progression, death and doses."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..outcomes.study_table import one_a_place
from ..series import Row, run_name
from .drawing import Drawing
from .style import INK, arm_colours, new_figure, styled, visit_ticks
from .waterfall import short_names

MOST_BARS = 40  # an arm
MARKS = {
    "response_days": ("^", "#009E73", "response began"),
    "ttp_by_days": ("D", "#D55E00", "progression"),
    "own_ttp_days": ("d", "#E69F00", "progression by the run's own rule"),
    "os_days": ("X", "#000000", "death"),
}


@styled
def draw_swimmer(rows: Sequence[Row], records: Sequence[RunRecord] = ()) -> Drawing | None:
    """Draw a bar a run, longest first within its arm, from day 0 to its end or the drawn death.

    Parameters
    ----------
    rows : list of dict
        Rows of outcomes.
    records : list of RunRecord, optional
        Runs whose doses are marked.

    Returns
    -------
    Drawing or None
        Table: one row a run: ``end_days``, ``first_dose_days``, ``last_dose_days`` and the days of the marks.
        None without rows.
    """
    if not rows:
        return None
    doses = {run_name(r): [day for day, _, _ in r.doses] for r in records}
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        ended, died = _number(row.get("days")), _number(row.get("os_days"))
        end = ended if math.isnan(died) else min(ended, died)
        given = [day for day in doses.get(str(row["run"]), []) if day <= end]
        grouped.setdefault(str(row["arm"]), []).append(
            {name: row[name] for name in ("run", "arm", "patient", "seed")}
            | {"end_days": end}
            | {
                "first_dose_days": min(given, default=math.nan),
                "last_dose_days": max(given, default=math.nan),
            }
            | {name: _number(row.get(name)) for name in MARKS}
        )
    colours = arm_colours(grouped)
    ordered = {arm: sorted(runs, key=lambda r: -r["end_days"]) for arm, runs in grouped.items()}
    bars = [row for runs in ordered.values() for row in one_a_place(runs, MOST_BARS)]
    figure = new_figure(min(1.4 + 0.17 * len(bars), 14.0))
    axes = figure.subplots()
    last = max(row["end_days"] for row in bars)
    for y, row in enumerate(bars):
        colour = colours[row["arm"]]
        axes.barh(y, row["end_days"], height=0.62, color=colour, alpha=0.32, lw=0)
        if not math.isnan(row["last_dose_days"]):
            stop = min(row["last_dose_days"], row["end_days"])
            axes.plot([row["first_dose_days"], stop], [y, y], color=colour, lw=2.2)
        if math.isnan(row["os_days"]):
            axes.plot([row["end_days"]], [y], ">", color=colour, ms=5)
        for name, (marker, shade, _) in MARKS.items():
            if row[name] <= row["end_days"]:
                axes.plot([row[name]], [y], marker, color=shade, ms=5, mec="white", mew=0.5, zorder=4)
    one = len({row["patient"] for row in bars}) == 1  # a tissue alone has no patients: its seeds are named
    names = [f"seed {row['seed']:g}" if one else str(row["patient"]) for row in bars]
    short = short_names(names)
    few = len(bars) <= 60
    axes.set_yticks(range(len(bars)) if few else [], [short[name] for name in names] if few else [])
    axes.tick_params(axis="y", length=0, labelsize=7)
    axes.set(ylim=(len(bars) - 0.4, -0.6), xlabel="day", ylabel="patient")
    visit_ticks(axes, last * 1.02)
    handles = [Line2D([], [], color=colour, lw=6, alpha=0.4, label=arm) for arm, colour in colours.items()]
    handles += [
        Line2D([], [], ls="", marker=marker, color=shade, ms=6, label=label)
        for name, (marker, shade, label) in MARKS.items()
        if any(row[name] <= row["end_days"] for row in bars)
    ]
    handles += [Line2D([], [], ls="", marker=">", color=INK, ms=6, label="end of the run")]
    handles += [Line2D([], [], color=INK, lw=2.2, label="first to last dose")] if any(doses.values()) else []
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    table = [row for runs in ordered.values() for row in runs]
    caption = "One bar a run, longest first within its arm."
    if len(bars) < len(table):
        caption += (
            f" Drawn are {len(bars)} of {len(table)} runs, evenly spaced in that order; the table has all."
        )
    if np.isnan([row["os_days"] for row in table]).all():
        caption += " No death was drawn."
    return Drawing("swimmer", figure, table, caption)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
