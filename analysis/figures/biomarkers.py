"""Biomarkers of the section at day 0 and week 8, patients joined by lines."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from ...abm.snapshot import RunRecord
from ..biomarkers import BIOMARKERS
from ..outcomes.table import biomarkers_at
from ..series import Row, arms, identity
from .drawing import Drawing
from .style import arm_colours, line_alpha, new_figure, styled

VISITS = {"day0": "day 0", "week8": "week 8"}
BOX_FROM = 8  # runs an arm from which a box says more than its points


@styled
def draw_biomarkers(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw each biomarker as points at day 0 and week 8, boxes from eight runs; None without snapshots.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a run, visit and biomarker.
    """
    table: list[Row] = []
    for record in records:
        for label, values in biomarkers_at(record).items():
            allowed = {
                name: value for name, value in values.items() if not BIOMARKERS[name].missing(record.types)
            }
            table += [
                identity(record)
                | {"visit": VISITS[label], "biomarker": name, "unit": BIOMARKERS[name].unit, "value": value}
                for name, value in allowed.items()
            ]
    names = [n for n in BIOMARKERS if any(r["biomarker"] == n and not math.isnan(r["value"]) for r in table)]
    if not names:
        return None
    grouped = arms(records)
    colours = arm_colours(grouped)
    sorted_rows: dict[tuple[str, str], list[Row]] = {}
    for row in table:
        sorted_rows.setdefault((row["biomarker"], row["arm"]), []).append(row)
    figure = new_figure(3.6)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        for k, (arm, runs) in enumerate(grouped.items()):
            rows = sorted_rows.get((name, arm), [])
            _strip(axes, rows, 2.6 * k, colours[arm], len(runs))
        unit = {"1/mm2": "cells/mm²", "1": "ratio"}.get(BIOMARKERS[name].unit, BIOMARKERS[name].unit)
        axes.set(title=name.replace("_per_", " / ").replace("_", " "), ylabel=unit)
        axes.set_ylim(0, axes.get_ylim()[1] * 1.04)
        axes.set_xticks(
            [2.6 * k + s for k in range(len(grouped)) for s in (0, 1)], ["day 0", "wk 8"] * len(grouped)
        )
        axes.tick_params(axis="x", length=0, rotation=90)
        axes.grid(axis="y")
    handles = [
        panels[0].plot([], [], "o-", color=colours[arm], label=f"{arm} ({len(runs)} runs)")[0]
        for arm, runs in grouped.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "One dot a run, joined between its two visits; the bar is the median (a box from "
        f"{BOX_FROM} runs). Densities count every cell of the section. A ratio is undefined without Treg."
    )
    return Drawing("biomarkers", figure, table, caption)


def _strip(axes: Axes, rows: Sequence[Row], left: float, colour: str, runs: int) -> None:
    pairs: dict[str, dict[str, float]] = {}
    for row in rows:
        pairs.setdefault(row["run"], {})[row["visit"]] = row["value"]
    alpha = line_alpha(runs)
    lines = [
        [left, pair.get("day 0", math.nan), left + 1, pair.get("week 8", math.nan)] for pair in pairs.values()
    ]
    segments = np.array(lines, dtype=float).reshape(-1, 2, 2)
    axes.add_collection(LineCollection(list(segments), colors=colour, alpha=0.4 * alpha, linewidths=1.6))
    for offset, visit in enumerate(VISITS.values()):
        values = np.array([p[visit] for p in pairs.values() if not math.isnan(p.get(visit, math.nan))])
        if not values.size:
            continue
        x = left + offset
        axes.plot(np.full(values.size, x), values, "o", ms=4.5, color=colour, alpha=alpha, mew=0)
        if values.size >= BOX_FROM:
            axes.boxplot(
                values, positions=[x], widths=0.5, showfliers=False, manage_ticks=False,
                medianprops={"color": colour, "lw": 2}, boxprops={"color": colour},
                whiskerprops={"color": colour}, capprops={"color": colour},
            )  # fmt: skip
        else:
            axes.plot([x - 0.25, x + 0.25], [np.median(values)] * 2, color=colour, lw=2.4)
