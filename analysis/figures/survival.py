"""Expected survival by one death function, Kaplan-Meier of drawn deaths, and progression-free survival."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..outcomes.death import deaths
from ..outcomes.expected import arm_curves
from ..outcomes.published import recourse
from ..outcomes.study_table import OVERALL, PROGRESSION, by_arm, times_of
from ..outcomes.table import progression
from ..series import Row, arms
from ..survival import DAYS_PER_MONTH, Times, kaplan_meier
from .drawing import Drawing
from .style import arm_colours, arm_widths, new_figure, styled

TICKS = np.arange(0, 13, 3)  # months


@styled
def draw_survival(
    records: Sequence[RunRecord], rows: Sequence[Row] | None = None, law: str = "log volume"
) -> Drawing | None:
    """Draw expected survival by arm beside Kaplan-Meier of drawn deaths, both with RECOURSE points.

    Parameters
    ----------
    records : list of RunRecord
    rows : list of dict, optional
        Their rows of outcomes, which hold the deaths; drawn here if absent.
    law : str
        One of ``death.LAWS``, for all arms.

    Returns
    -------
    Drawing or None
        Table: kind (expected, Kaplan-Meier, RECOURSE), arm, month, survival, at_risk. None for runs that lack what
        the law reads.
    """
    grouped, drawn = arms(records), _deaths(records, rows, law)
    if not drawn:
        return None
    expected = arm_curves(records, law)
    colours, table = arm_colours(grouped), []
    figure, (left, right) = _panels(len(grouped))
    for arm, curve in expected.items():
        months = np.arange(len(curve)) / DAYS_PER_MONTH
        left.plot(months, 100 * curve, color=colours[arm], lw=2.2)
        table += [_row("expected", arm, m, s) for m, s in zip(months, curve, strict=True)]
    table += _steps(right, drawn, colours, "Kaplan-Meier of drawn deaths")
    for axes in (left, right):
        shown = _recourse(axes, "OS", list(grouped), colours)
    _frame(left, "Expected overall survival", "alive (%)")
    _frame(right, "Kaplan-Meier of one drawn death a run", "")
    _risk_table(left, {arm: _followed(runs) for arm, runs in grouped.items()}, colours, "runs followed")
    _risk_table(right, drawn, colours, "at risk")
    figure.legend(handles=_handles(colours, shown), loc="outside upper center", ncols=4)
    caption = (
        "Left: mean over patients of the chance to be alive, exp(−integrated hazard), nothing drawn. Right: one "
        "drawn death a run, the same luck for a patient in every arm; bars mark censoring at the end of "
        f"a run. Diamonds: RECOURSE (10.1056/NEJMoa1414325). One law of death, '{law}', serves all arms."
    )
    return Drawing("survival", figure, table + shown, caption)


def _deaths(records: Sequence[RunRecord], rows: Sequence[Row] | None, law: str) -> dict[str, Times]:
    """Return the one drawn death a run by arm; empty for runs that lack what the law reads."""
    if rows is not None:
        found = {arm: times_of(own, OVERALL) for arm, own in by_arm(rows).items()}
        return {arm: times for arm, times in found.items() if times is not None}
    dead = deaths(records, law)
    names = np.array([r.arm for r in records])
    return {} if dead is None else {arm: dead[names == arm] for arm in arms(records)}


@styled
def draw_progression(
    records: Sequence[RunRecord],
    rows: Sequence[Row] | None = None,
    criterion: str = "qcic_tri",
    every_days: float = 56.0,
) -> Drawing | None:
    """Draw survival without progression at visits, beside RECOURSE; None if no run reached a visit.

    Parameters
    ----------
    records : list of RunRecord
    rows : list of dict, optional
        Their rows of outcomes by ``criterion`` at visits every ``every_days``; if absent, progression is by
        ``qcic_tri`` every eight weeks.
    criterion : str
    every_days : float

    Returns
    -------
    Drawing
        Table: kind, arm, month, survival, at_risk.
    """
    grouped = arms(records)
    if rows is None:
        seen = {arm: [progression(r) for r in runs] for arm, runs in grouped.items()}
        times = {
            arm: Times(np.array([p.days for p in found]), np.array([p.event for p in found]))
            for arm, found in seen.items()
        }
    else:
        read = {arm: times_of(own, PROGRESSION) for arm, own in by_arm(rows).items()}
        times = {arm: found for arm, found in read.items() if found is not None}
    if not any(found.time.max() > 0.0 for found in times.values()):
        return None
    by = "TRI" if criterion == "qcic_tri" else criterion
    colours = arm_colours(grouped)
    figure, (axes,) = _panels(len(grouped), columns=1)
    table = _steps(axes, times, colours, f"{by} at visits")
    shown = _recourse(axes, "PFS", list(grouped), colours)
    _frame(axes, f"Without progression by {by}, visits every {every_days:g} days", "without progression (%)")
    _risk_table(axes, times, colours, "at risk")
    figure.legend(handles=_handles(colours, shown), loc="outside upper center", ncols=4)
    caption = (
        f"Progression by {criterion} at a visit every {every_days:g} days, dated on that visit; death is no event, and "
        "nobody is followed beyond it. "
        "Diamonds: RECOURSE (10.1056/NEJMoa1414325), where scans were RECIST 1.1 every 8 weeks and "
        "death counted."
    )
    return Drawing("progression", figure, table + shown, caption)


def _panels(arm_count: int, columns: int = 2):
    figure = new_figure(3.7 + 0.2 * arm_count, width=10.5 if columns == 2 else 6.6)
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _row(kind: str, arm: str, month: float, survival: float, at_risk: int | None = None) -> Row:
    return {"kind": kind, "arm": arm, "month": float(month), "survival": float(survival), "at_risk": at_risk}


def _steps(axes: Axes, drawn: Mapping[str, Times], colours: dict[str, str], kind: str) -> list[Row]:
    table: list[Row] = []
    widths = arm_widths(drawn, 3.4)
    for arm, times in drawn.items():
        at, survival = kaplan_meier(times)
        months = at / DAYS_PER_MONTH
        axes.step(months, 100 * survival, where="post", color=colours[arm], lw=widths[arm])
        ends = np.unique(times.time[~times.observed])
        level = survival[np.searchsorted(at, ends, side="right") - 1]
        axes.plot(ends / DAYS_PER_MONTH, 100 * level, "|", color=colours[arm], ms=8, mew=1.5)
        table += [
            _row(kind, arm, m, s, int(n)) for m, s, n in zip(months, survival, times.at_risk(at), strict=True)
        ]
    return table


def _recourse(axes: Axes, endpoint: str, names: Sequence[str], colours: dict[str, str]) -> list[Row]:
    table = []
    for arm in names:
        points = recourse(endpoint, arm, "survival")
        for p in points:
            axes.plot(
                p["months"], 100 * p["value"], "D", ms=6.5, mfc="white", mec=colours[arm], mew=1.6, zorder=5
            )
        table += [_row(f"RECOURSE {endpoint}", arm, p["months"], p["value"]) for p in points]
    return table


def _frame(axes: Axes, title: str, label: str) -> None:
    axes.set(title=title, ylabel=label, xlim=(0, 12.4), ylim=(0, 102), xticks=TICKS)
    axes.set_xlabel("months")
    axes.grid(axis="y")
    axes.axhline(50, color="#C9C9C9", lw=0.9, ls="--")


def _followed(runs: Sequence[RunRecord]) -> Times:
    ends = np.array([np.floor(r.time_days[-1] + 1e-9) for r in runs])
    return Times(ends, np.zeros(len(runs), dtype=bool))


def _risk_table(axes: Axes, times: Mapping[str, Times], colours: dict[str, str], title: str) -> None:
    """Write numbers at risk under the time axis, a line an arm."""
    lift = axes.get_xaxis_transform()
    axes.annotate(title, (0, 0), (-6, -38), xycoords="axes fraction", textcoords="offset points", ha="right",
                  va="center", fontsize=8, style="italic")  # fmt: skip
    for k, (arm, group) in enumerate(times.items()):
        for month, number in zip(TICKS, group.at_risk(TICKS * DAYS_PER_MONTH), strict=True):
            axes.annotate(
                str(number), (month, 0), (0, -38 - 13 * k), xycoords=lift, textcoords="offset points",
                ha="center", va="center", fontsize=8.5, color=colours[arm], weight="bold",
            )  # fmt: skip


def _handles(colours: dict[str, str], shown: Sequence[Row]) -> list[Line2D]:
    handles = [Line2D([], [], color=colour, lw=2.4, label=arm) for arm, colour in colours.items()]
    if shown:
        handles.append(
            Line2D(
                [],
                [],
                ls="",
                marker="D",
                mfc="white",
                mec="#555555",
                mew=1.6,
                ms=6.5,
                label="RECOURSE, same colours",
            )
        )
    return handles
