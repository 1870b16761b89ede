"""Densities of immune cells in lymph node, blood and tumour, as the body model holds them."""

from collections.abc import Sequence

from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..series import arms, daily_alive, followed, identity
from .drawing import Drawing
from .style import FAINT, arm_colours, arm_widths, line_alpha, new_figure, plain_log, styled, visit_ticks

# Compartment suffixes and cells of QCIC, in the words of a reader
COMPARTMENTS = {"A": "lymph node", "B": "blood", "C": "tumour"}
CELLS = {"T8": "CD8+ CTL", "T1": "Th1", "Treg": "Treg", "NK": "NK cells", "D": "activated DC"}


@styled
def draw_immune(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw body densities (cells/L) over time, rows compartments, columns cells; None if there are none.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a run, day and body state.
    """
    present = {f"{c}_{k}" for r in records for c in CELLS for k in COMPARTMENTS if f"{c}_{k}" in r.body}
    cells = [c for c in CELLS if any(f"{c}_{k}" in present for k in COMPARTMENTS)]
    places = [k for k in COMPARTMENTS if any(f"{c}_{k}" in present for c in CELLS)]
    if not present:
        return None
    grouped = arms(records)
    colours, last = arm_colours(grouped), max(followed(r) for r in records)
    widths, alpha = arm_widths(grouped), line_alpha(max(len(v) for v in grouped.values()))
    figure = new_figure(1.9 * len(places) + 0.7)
    panels = figure.subplots(len(places), len(cells), sharex=True, squeeze=False)
    table = []
    for row, place in enumerate(places):
        for column, cell in enumerate(cells):
            axes, name = panels[row, column], f"{cell}_{place}"
            if name not in present:
                axes.set_axis_off()
                continue
            for record in records:
                if name not in record.body:
                    continue
                keep = daily_alive(record)
                days, values = record.time_days[keep], record.body[name][keep]
                axes.plot(days, values, color=colours[record.arm], lw=widths[record.arm], alpha=alpha)
                head = identity(record) | {"state": name, "unit": record.body_units.get(name, "")}
                table += [
                    head | {"day": float(d), "value": float(v)} for d, v in zip(days, values, strict=True)
                ]
            _finish(axes, last)
            axes.set_title(CELLS[cell] if row == 0 else "")
            if column == 0:
                axes.set_ylabel(f"{COMPARTMENTS[place]}\n(cells/L)")
            if row == len(places) - 1:
                axes.set_xlabel("day")
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in grouped]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "One line a run, logarithmic axes. Where lattice and body meet, the tumour row follows the lattice "
        "(weighted counts); lymph node and blood are the equations alone."
    )
    return Drawing("immune-body", figure, table, caption)


def _finish(axes, last: float) -> None:
    low, high = axes.dataLim.y0, axes.dataLim.y1
    if low > 0.0:
        axes.set_yscale("log")
        plain_log(axes.yaxis)
        middle = (low * high) ** 0.5
        if high / low < 10.0:  # a flat series must look flat
            axes.set_ylim(middle / 3.6, middle * 3.6)
    visit_ticks(axes, last)
    axes.tick_params(which="minor", length=2, color=FAINT, labelleft=False)
