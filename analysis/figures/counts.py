"""Cells of every type on the lattice over time."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.lines import Line2D

from ...abm.snapshot import CellTypeInfo, RunRecord
from ..series import arms, daily_alive, followed, identity
from .drawing import Drawing
from .style import arm_colours, line_alpha, new_figure, styled, thousands, visit_ticks

COLUMNS = 3


@styled
def draw_counts(records: Sequence[RunRecord]) -> Drawing:
    """Draw lattice cells by type over time, a panel a type, thin lines runs and bold lines arm means.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a run and day, a column a type (lattice cells).
    """
    everything: dict[str, CellTypeInfo] = {t.name: t for r in records for t in r.types}
    fixed = [t for t in everything.values() if all(np.ptp(r.counts_of(t.name)) == 0 for r in records)]
    types = {name: t for name, t in everything.items() if t not in fixed} or everything
    grouped = arms(records)
    colours, alpha = arm_colours(grouped), 0.55 * line_alpha(max(len(v) for v in grouped.values()))
    last, columns = max(followed(r) for r in records), min(COLUMNS, len(types))
    rows = -(-len(types) // columns)
    figure = new_figure(2.35 * rows + 0.5)
    panels = figure.subplots(rows, columns, sharex=True, squeeze=False).ravel()
    for axes, info in zip(panels, types.values(), strict=False):
        for arm, runs in grouped.items():
            having = [r for r in runs if any(t.name == info.name for t in r.types)]
            lw, shade = (0.8, alpha) if len(having) > 1 else (1.5, 1.0)
            for record in having:
                keep = daily_alive(record)
                days, cells = record.time_days[keep], record.counts_of(info.name)[keep]
                axes.plot(days, cells, color=colours[arm], lw=lw, alpha=shade)
            if len(having) > 1:
                days, mean = _mean(having, info.name)
                axes.plot(days, mean, color=colours[arm], lw=2.0)
        axes.set_title(info.display, fontsize=9.5)
        axes.set_ylim(0, max(1.0, axes.get_ylim()[1]))
        visit_ticks(axes, last)
        thousands(axes)
    for axes in panels[len(types) :]:
        axes.set_axis_off()
    for k in range(len(types)):
        if k + columns >= len(types):
            panels[k].set_xlabel("day")
            panels[k].tick_params(labelbottom=True)
        if k % columns == 0:
            panels[k].set_ylabel("lattice cells")
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in grouped]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    table = [
        identity(r)
        | {"day": float(r.time_days[k])}
        | {t.name: int(n) for t, n in zip(r.types, r.count[k], strict=True)}
        for r in records
        for k in daily_alive(r)
    ]
    weights = {f"{v:.3g}" for r in records for v in r.weights.values()}
    caption = "Thin lines are runs, both up to death, bold lines the mean of those of an arm who are followed on a day."
    if weights:
        caption += f" One lattice cell stands for many cells of the body (weights {_range(weights)})."
    if fixed and len(types) < len(everything):
        caption += f" Not drawn because they never change: {', '.join(t.display for t in fixed)}."
    return Drawing("counts", figure, table, caption)


def _mean(records: Sequence[RunRecord], name: str) -> tuple[np.ndarray, np.ndarray]:
    ends = np.array([followed(r) for r in records])
    days = np.arange(0.0, np.floor(ends.max()) + 1.0)
    series = np.array([np.interp(days, r.time_days, r.counts_of(name)) for r in records])
    series[days > ends[:, np.newaxis] + 1e-9] = np.nan
    return days, np.nanmean(series, axis=0)


def _range(numbers: Iterable[str]) -> str:
    values = sorted(numbers, key=float)
    return values[0] if len(values) == 1 else f"{values[0]} to {values[-1]}"
