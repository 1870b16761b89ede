"""Accounts of the fields: what was secreted, delivered, taken up, decayed and left, and what is there."""

from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..series import Row, arms, field_names, identity
from .drawing import Drawing
from .style import arm_colours, new_figure, styled


@styled
def draw_accounts(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw the flows of every field over the run, mean by arm; None without fields.

    Parameters
    ----------
    records : list of RunRecord
        ``more["account"]`` is read: cumulative, in the unit that the run gives it.

    Returns
    -------
    Drawing
        Table: one row a run, field and flow at the end of the run, with its unit.
    """
    kept = [r for r in records if "account" in r.more and r.more["account"].time_days.size]
    if not kept:
        return None
    table: list[Row] = []
    for record in kept:
        account = record.more["account"]
        for name, values in account.values.items():
            field, _, flow = name.partition(": ")
            table.append(
                identity(record) | {"day": float(account.time_days[-1]), "field": field, "flow": flow}
                | {"unit": account.units[name], "total": float(values[-1])}
            )  # fmt: skip
    fields = list(dict.fromkeys((row["field"], row["unit"]) for row in table))
    flows = list(dict.fromkeys(row["flow"] for row in table))
    shown = {name: title for record in kept for name, title in field_names(record).items()}
    grouped, colours = arms(kept), arm_colours(arms(records))
    columns = min(3, len(fields))
    figure = new_figure(2.3 * -(-len(fields) // columns) + 0.6, width=max(3.5 * columns, 6.0))
    panels = figure.subplots(-(-len(fields) // columns), columns, squeeze=False).ravel()
    height = 0.8 / len(grouped)
    for axes, (field, unit) in zip(panels, fields, strict=False):
        own = [row for row in table if (row["field"], row["unit"]) == (field, unit)]
        for k, arm in enumerate(grouped):
            totals: list[list[float]] = [
                [r["total"] for r in own if r["flow"] == flow and r["arm"] == arm] for flow in flows
            ]
            means = [float(np.mean(v)) if v else 0.0 for v in totals]
            at = np.arange(len(flows)) + height * (k - (len(grouped) - 1) / 2)
            axes.barh(at, means, height=height, color=colours[arm])
        axes.set_yticks(range(len(flows)), flows if axes is panels[0] or columns == 1 else [""] * len(flows))
        axes.set(title=shown.get(field, field.replace("_", " ")), xlabel=f"total ({unit})")
        axes.invert_yaxis()
        axes.axvline(0.0, color="#777777", lw=0.7)
        axes.locator_params(axis="x", nbins=4)
    for axes in panels[len(fields) :]:
        axes.set_axis_off()
    handles = [Line2D([], [], color=colours[arm], lw=5, label=arm) for arm in grouped]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "Everything that happened to a field over the run, the mean of the runs of an arm: secretion and delivery by "
        "vessels, less uptake, decay and what left through the boundary, is the change."
    )
    return Drawing("accounts", figure, table, caption)
