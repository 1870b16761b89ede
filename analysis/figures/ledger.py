"""Residual of the ledger between lattice and body over time."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..series import BOOKS_TOLERANCE, arms, daily, end_day, identity
from .drawing import Drawing
from .style import FAINT, arm_colours, arm_widths, line_alpha, new_figure, plain_log, styled, visit_ticks

FLOOR = 1e-17  # where an exact balance is drawn on the logarithmic axis


@styled
def draw_ledger(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw the largest relative residual over all exchanged species, a line a run; None without a ledger.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a run and day with the largest residual and its species.
    """
    kept = [r for r in records if r.ledger]
    if not kept:
        return None
    grouped = arms(kept)
    colours, widths = arm_colours(arms(records)), arm_widths(arms(records))
    table = []
    figure = new_figure(3.0, width=7.5)
    axes = figure.subplots()
    for record in kept:
        names = list(record.ledger)
        keep = daily(record)
        residual = np.abs(np.array([record.ledger[name] for name in names]))[:, keep]
        worst, largest = residual.argmax(axis=0), residual.max(axis=0)
        axes.plot(
            record.time_days[keep], np.maximum(largest, FLOOR), color=colours[record.arm],
            lw=widths[record.arm],
            alpha=line_alpha(len(kept)),
        )  # fmt: skip
        table += [
            identity(record) | {"day": float(d), "residual": float(v), "species": names[w]}
            for d, v, w in zip(record.time_days[keep], largest, worst, strict=True)
        ]
    axes.axhline(BOOKS_TOLERANCE, color=FAINT, ls="--", lw=1.0)
    axes.text(
        1.0,
        BOOKS_TOLERANCE * 1.4,
        f"allowed {BOOKS_TOLERANCE:g}",
        transform=axes.get_yaxis_transform(),
        ha="right",
        fontsize=8.5,
    )
    axes.set(yscale="log", xlabel="day", ylabel="relative residual (1)", title="Ledger, worst species")
    top = max(
        10 * BOOKS_TOLERANCE,
        3 * max((r["residual"] for r in table if math.isfinite(r["residual"])), default=0.0),
    )
    axes.set_ylim(FLOOR / 2, top)
    plain_log(axes.yaxis)
    visit_ticks(axes, max(end_day(r) for r in kept))
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in grouped]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "Whatever lattice and body exchange is booked twice; a line is the largest relative difference of the two "
        "books of a run, which must stay below the dashed one. An exact balance is drawn at 1e-17."
    )
    return Drawing("ledger", figure, table, caption)
