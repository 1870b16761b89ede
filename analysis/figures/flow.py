"""Flow of a study: how many runs were planned, failed, were assessed, progressed and died, by arm."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import FancyBboxPatch

from ..outcomes.study_table import OVERALL, by_arm, numbers_of, progression_endpoint, times_of
from ..series import Row
from .drawing import Drawing
from .style import INK, arm_colours, new_figure, styled


def flow_rows(rows: Sequence[Row], failures: Sequence[Row] = ()) -> list[Row]:
    """Return the flow as a tidy table: arm, stage, runs.

    Stages: planned (completed and failed), failed, completed, assessed (at a visit), progressed, died, and
    followed to the end of the run without either.
    """
    failed = by_arm([{"arm": "all arms", **row} for row in failures])
    table: list[Row] = []
    endpoint = progression_endpoint(rows)
    for arm in dict.fromkeys([*by_arm(rows), *failed]):
        own, lost = by_arm(rows).get(arm, []), len(failed.get(arm, []))
        progressed, died = (_seen(own, name) for name in (endpoint, OVERALL))
        assessed = (numbers_of(own, "last_visit_days") > 0.0) | progressed
        counts: Mapping[str, int] = {
            "planned": len(own) + lost,
            "failed": lost,
            "completed": len(own),
            "assessed": int(np.count_nonzero(assessed)),
            "progressed": int(np.count_nonzero(progressed)),
            "died": int(np.count_nonzero(died)),
            "neither": int(np.count_nonzero(~progressed & ~died)),
        }
        table += [{"arm": arm, "stage": stage, "runs": number} for stage, number in counts.items()]
    return table


def _seen(rows: Sequence[Row], endpoint: str) -> np.ndarray:
    times = times_of(rows, endpoint)
    return np.zeros(len(rows), dtype=bool) if times is None else times.observed


@styled
def draw_flow(rows: Sequence[Row], failures: Sequence[Row] = ()) -> Drawing:
    """Draw the flow of runs through a study, a column an arm.

    Parameters
    ----------
    rows, failures : list of dict
        Rows of outcomes, and of failures.csv.

    Returns
    -------
    Drawing
        Table: arm, stage, runs.
    """
    table = flow_rows(rows, failures)
    arms = list(dict.fromkeys(row["arm"] for row in table))
    number = {(row["arm"], row["stage"]): row["runs"] for row in table}
    colours = arm_colours(arms)
    figure = new_figure(4.2, width=max(3.0 * len(arms), 5.0))
    axes = figure.subplots()
    everyone = sum(number[arm, "planned"] for arm in arms)
    patients = len({(row["patient"], row["seed"]) for row in rows})
    words = f"{everyone} runs planned, {patients} patient{'s' if patients != 1 else ''}"
    _box(axes, (len(arms) - 1) / 2, 4.0, words, INK)
    for k, arm in enumerate(arms):
        steps = (
            f"{arm}\n{number[arm, 'planned']} planned, {number[arm, 'failed']} failed",
            f"{number[arm, 'completed']} completed,\n{number[arm, 'assessed']} assessed at a visit",
            f"{number[arm, 'progressed']} progressed, {number[arm, 'died']} died,\n"
            f"{number[arm, 'neither']} neither at the end",
        )
        for row, text in enumerate(steps):
            y = 3.0 - row
            start = ((len(arms) - 1) / 2, 3.78) if row == 0 else (k, y + 0.7)
            axes.annotate("", (k, y + 0.3), start, arrowprops={"arrowstyle": "-|>", "color": "#777777"})
            _box(axes, k, y, text, colours[arm])
    axes.set(xlim=(-0.6, len(arms) - 0.4), ylim=(0.5, 4.4))
    axes.set_axis_off()
    caption = (
        "Runs by arm. Arms share patients and seeds. A run counts as progressed by the criterion of this report "
        "(or by the runs' own stopping rule where no visit found progression) and as died by the "
        "drawn death; one may do both."
    )
    return Drawing("flow", figure, table, caption)


def _box(axes, x: float, y: float, text: str, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - 0.43, y - 0.24), 0.86, 0.5, boxstyle="round,pad=0.02", fc="white", ec=colour, lw=1.4
        )
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5)
