"""What controllers saw at their visits and what they gave."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..series import Row, arms, end_day, identity
from .drawing import Drawing
from .style import arm_colours, line_alpha, new_figure, styled, visit_ticks


@styled
def draw_control(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw what was reported at visits above the level of treatment over time; None without a controller.

    Parameters
    ----------
    records : list of RunRecord
        ``more["control"]`` and ``more["visit"]`` are read.

    Returns
    -------
    Drawing
        Table: one row a run, day and quantity, with its unit; ``series`` says control or visit.
    """
    kept = [r for r in records if "control" in r.more]
    if not kept:
        return None
    colours, alpha = arm_colours(arms(records)), line_alpha(len(kept))
    targets = list(dict.fromkeys(name for r in kept for name in r.more["control"].values))
    seen = any("visit" in r.more and r.more["visit"].time_days.size for r in kept)
    figure = new_figure(0.7 + 1.7 * (len(targets) + seen), width=8.5)
    panels = list(figure.subplots(seen + len(targets), 1, sharex=True, squeeze=False)[:, 0])
    top = panels.pop(0) if seen else None
    table: list[Row] = []
    for record in kept:
        colour, style = colours[record.arm], {"color": colours[record.arm], "alpha": alpha, "lw": 1.2}
        visit = record.more.get("visit")
        if visit is not None and top is not None:
            _reports(top, visit.values, visit.units, colour, alpha)
        for axes, name in zip(panels, targets, strict=True):
            if name in record.more["control"].values:
                control = record.more["control"]
                axes.step(control.time_days, control.values[name], where="post", **style)
                axes.set_ylabel(f"{name} ({control.units[name]})")
        for key in ("control", "visit"):
            if key in record.more:
                table += _rows(record, key)
    if top is not None:
        top.set(title="Reported at visits (dots), true value (line)", ylim=(0, None))
    panels[0].set_title("Level of treatment")
    panels[-1].set_xlabel("day")
    visit_ticks(panels[-1], max(end_day(r) for r in kept))
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in arms(kept)]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "One colour an arm. A report may err, come late and be cut at the detection limit; treatment changes when "
        "it is known. The level is the value of a signal, or the share of the planned doses of a drug."
    )
    return Drawing("control", figure, table, caption)


def _reports(axes, values: dict[str, np.ndarray], units: dict[str, str], colour: str, alpha: float) -> None:
    """Draw reports and true values of every controller; several controllers number their columns."""
    for name in values:
        if name.endswith("visit_day"):
            head = name.removesuffix("visit_day")
            days = values[name]
            axes.plot(days, values[f"{head}true"], color=colour, alpha=0.6 * alpha, lw=1.0)
            axes.plot(days, values[f"{head}observed"], "o", ms=3, color=colour, alpha=alpha, mew=0)
            axes.set_ylabel(f"measured ({units[f'{head}observed']})")


def _rows(record: RunRecord, key: str) -> list[Row]:
    series = record.more[key]
    return [
        identity(record)
        | {
            "series": key,
            "day": float(day),
            "quantity": name,
            "unit": series.units[name],
            "value": float(value),
        }
        for name, values in series.values.items()
        for day, value in zip(series.time_days, values, strict=True)
    ]
