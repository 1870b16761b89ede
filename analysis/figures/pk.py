"""Plasma concentration of every drug over time, with its doses, and the first cycle enlarged."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ...abm.snapshot import RunRecord
from ..series import arms, followed, identity
from .drawing import Drawing
from .style import arm_colours, arm_widths, line_alpha, new_figure, styled, visit_ticks

PREFIX = "plasma "
FIRST_CYCLE_DAYS = 27.5  # stops short of the first dose of the second cycle


@styled
def draw_pk(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw plasma curves, a row a drug: whole run and first cycle; None for runs without a dose.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a treated run, drug and record.
    """
    treated = [r for r in records if r.doses and any(k.startswith(PREFIX) for k in r.body)]
    drugs = list(
        dict.fromkeys(k for r in treated for k, v in r.body.items() if k.startswith(PREFIX) and np.any(v))
    )
    if not drugs:
        return None
    grouped = arms([r for r in treated if any(np.any(r.body.get(k, 0)) for k in drugs)])
    colours, widths = arm_colours(arms(records)), arm_widths(grouped, 1.8)
    figure = new_figure(2.4 * len(drugs) + 0.5)
    panels = figure.subplots(len(drugs), 2, squeeze=False, width_ratios=(1.6, 1))
    table = []
    for row, key in zip(panels, drugs, strict=True):
        having = [r for runs in grouped.values() for r in runs if np.any(r.body.get(key, 0))]
        unit = having[0].body_units.get(key, "")
        alpha = line_alpha(len(having))
        doses = {(t, r.arm) for r in having for t in doses_of(r, key)}
        first = min((t for t, _ in doses), default=0.0)
        for record in having:
            seen = record.time_days <= followed(record) + 1e-9
            days, level = record.time_days[seen], record.body[key][seen]
            for axes in row:
                axes.plot(
                    days,
                    level,
                    color=colours[record.arm],
                    lw=widths[record.arm],
                    alpha=alpha,
                )
            head = identity(record) | {"drug": key.removeprefix(PREFIX), "unit": unit}
            table += [head | {"day": float(d), "plasma": float(c)} for d, c in zip(days, level, strict=True)]
        visit_ticks(row[0], max(float(r.time_days[-1]) for r in having))
        start = max(0.0, first - 1.0)
        row[1].set_xlim(start, min(first + FIRST_CYCLE_DAYS, max(float(r.time_days[-1]) for r in having)))
        row[0].set(title=key.removeprefix(PREFIX).capitalize(), ylabel=f"plasma ({unit})")
        row[1].set_title("first cycle")
        for axes in row:
            axes.set_xlabel("day")
            _dose_ticks(axes, sorted(doses), list(grouped), colours)
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in grouped]
    handles.append(Line2D([], [], color="#555555", ls="", marker="|", ms=9, mew=1.4, label="dose"))
    figure.legend(handles=handles, loc="outside upper center", ncols=5)
    step_h = 24 * max(float(np.median(np.diff(r.time_days))) for r in treated if r.time_days.size > 1)
    caption = (
        f"Drawn at the records, every {step_h:g} h: peaks between records are not seen, so a short-lived "
        "drug peaks higher than its curve. Ticks below the axis are doses. Plasma volumes are assumed."
    )
    return Drawing("pk", figure, table, caption)


def doses_of(record: RunRecord, key: str) -> list[float]:
    """Return the days of the doses that feed one plasma series.

    The coupling table of the scenario says which drug feeds which body state; without it a dose counts if
    it has the name of the series, and all doses do if the names tell nothing.
    """
    drug = key.removeprefix(PREFIX)
    coupling = record.attributes.get("scenario_text", {})
    coupling = coupling.get("coupling", {}) if isinstance(coupling, dict) else {}
    states = {p["body"] for p in coupling.get("plasma", []) if p["drug"] == drug}
    named = {d["drug"] for d in coupling.get("drugs", []) if states & set(d["states"])}
    known = {name for _, name, _ in record.doses}
    wanted = named or ({drug} & known) or known
    return [day for day, name, _ in record.doses if name in wanted]


def _dose_ticks(
    axes: Axes, doses: Sequence[tuple[float, str]], names: Sequence[str], colours: dict[str, str]
) -> None:
    top = axes.get_ylim()[1]
    axes.set_ylim(-0.07 * top * len(names), top)
    for day, arm in doses:
        y = -0.045 * top * (1 + names.index(arm))
        axes.plot([day], [y], "|", color=colours[arm], ms=5.5, mew=1.0)
    axes.axhline(0.0, color="#BBBBBB", lw=0.7)
    axes.set_yticks([t for t in axes.get_yticks() if 0.0 <= t <= top])
