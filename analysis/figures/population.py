"""Where the spatial patients lie among an ODE-only population at week 8."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...abm.snapshot import RunRecord
from ..series import Row, arms, week8_tri
from .drawing import Drawing
from .style import FAINT, arm_colours, new_figure, styled


@styled
def draw_population(
    records: Sequence[RunRecord], ode_only: Mapping[str, Mapping[str, Any]]
) -> Drawing | None:
    """Draw TRI (%) at week 8 of ODE-only patients as small dots and of spatial patients as diamonds.

    Parameters
    ----------
    records : list of RunRecord
    ode_only : mapping
        arm -> {"tri_week8": array, "label": str}.

    Returns
    -------
    Drawing or None
        None if no arm of the runs has an ODE-only population. Table: arm, kind, patient, TRI.
    """
    shown = {arm: runs for arm, runs in arms(records).items() if arm in ode_only}
    if not shown:
        return None
    colours = arm_colours(arms(records))
    figure = new_figure(0.75 * len(shown) + 1.6)
    axes = figure.subplots()
    table: list[Row] = []
    for k, (arm, runs) in enumerate(shown.items()):
        y = len(shown) - 1 - k
        ode = np.sort(np.asarray(ode_only[arm]["tri_week8"], dtype=float))
        ode = ode[~np.isnan(ode)]
        # A fixed low-discrepancy jitter: the picture is the same each time.
        jitter = 0.28 * (2 * ((np.arange(ode.size) * 0.6180339887) % 1.0) - 1)
        axes.plot(100 * ode, y + jitter, ".", ms=4, color="#9A9A9A", mew=0, zorder=1)
        if ode.size:
            low, middle, high = 100 * np.quantile(ode, (0.25, 0.5, 0.75))
            axes.plot([low, high], [y, y], color="#555555", lw=6, alpha=0.35, solid_capstyle="butt", zorder=2)
            axes.plot([middle, middle], [y - 0.3, y + 0.3], color="#333333", lw=2, zorder=3)
        spatial = [(r, week8_tri(r)) for r in runs]
        axes.plot(
            [100 * t for _, t in spatial],
            [y] * len(spatial),
            "D",
            ms=7,
            color=colours[arm],
            mec="white",
            zorder=4,
        )
        table += [{"arm": arm, "kind": "ODE only", "patient": "", "TRI": float(t)} for t in ode]
        table += [
            {"arm": arm, "kind": "spatial", "patient": r.patient, "TRI": t}
            for r, t in spatial
            if not math.isnan(t)
        ]
    for edge in (-30, 20):
        axes.axvline(edge, color=FAINT, ls="--", lw=0.9, zorder=0)
    axes.set(yticks=range(len(shown)), yticklabels=list(shown)[::-1], ylim=(-0.6, len(shown) - 0.4))
    axes.set(xlabel="change of volume at week 8 (%)", title="Spatial patients among the ODE-only population")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    caption = (
        "Diamonds: spatial runs. Small dots: ODE-only patients (no lattice), with median and quartiles. "
        "Dashed lines are +20 % and −30 %."
    )
    return Drawing("population", figure, table, caption)
