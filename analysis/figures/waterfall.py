"""Change of tumour volume at week 8, one bar a patient, ordered within each arm."""

import math
from collections.abc import Sequence

from matplotlib.patches import Patch

from ...abm.response import classify
from ...abm.snapshot import RunRecord
from ..outcomes import CLASSES, class_counts
from ..series import arms, identity, week8_tri
from .drawing import Drawing
from .style import CLASS_COLOURS, FAINT, INK, new_figure, styled

MOST_LABELS = 24  # bars that still leave room for names and values


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return names without a head that all share: ``qcic_treated-4`` becomes ``4``."""
    heads = {name.rpartition("-")[0] for name in names}
    cut = len(heads.pop()) + 1 if len(heads) == 1 and "-" in names[0] else 0
    return {name: name[cut:] for name in names}


@styled
def draw_waterfall(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw TRI (%) on day 56 as ordered bars coloured by class, a panel an arm; None if no run reached it.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a run that reached day 56, in the order of the bars.
    """
    reached = {arm: [(r, week8_tri(r)) for r in runs] for arm, runs in arms(records).items()}
    reached = {
        arm: sorted([(r, t) for r, t in runs if not math.isnan(t)], key=lambda pair: -pair[1])
        for arm, runs in reached.items()
    }
    reached = {arm: runs for arm, runs in reached.items() if runs}
    if not reached:
        return None
    figure = new_figure(3.9)
    panels = figure.subplots(1, len(reached), sharey=True, squeeze=False)[0]
    table = []
    highest = max(20.0, *(100 * t for runs in reached.values() for _, t in runs))
    lowest = min(-30.0, *(100 * t for runs in reached.values() for _, t in runs))
    short = short_names([r.patient for runs in reached.values() for r, _ in runs])
    for axes, (arm, runs) in zip(panels, reached.items(), strict=True):
        heights = [100 * t for _, t in runs]
        names = [classify(t) for _, t in runs]
        few = len(runs) <= MOST_LABELS
        axes.bar(
            range(len(runs)),
            heights,
            width=0.72 if few else 0.95,
            color=[CLASS_COLOURS[name] for name in names],
            edgecolor=INK if few else "none",
            linewidth=0.6,
        )
        for edge in (20, -30):
            axes.axhline(edge, color=FAINT, lw=0.9, ls="--")
        axes.axhline(0, color=INK, lw=0.8)
        axes.spines["bottom"].set_visible(False)
        axes.set_xticks(range(len(runs)) if few else [], [short[r.patient] for r, _ in runs] if few else [])
        axes.tick_params(axis="x", length=0, rotation=0 if len(runs) <= 6 else 90)
        if few:
            for k, height in enumerate(heights):
                axes.annotate(
                    f"{height:+.0f}",
                    (k, height),
                    (0, 3 if height >= 0 else -3),
                    textcoords="offset points",
                    ha="center",
                    va="bottom" if height >= 0 else "top",
                    fontsize=8,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
                )
        counts = class_counts([t for _, t in runs])
        text = ", ".join(f"{counts[c]} {c}" for c in CLASSES if counts[c])
        axes.set_title(f"{arm}\n{text} of {len(runs)}")
        table += [
            identity(r) | {"order": k + 1, "TRI": t, "class": name}
            for k, ((r, t), name) in enumerate(zip(runs, names, strict=True))
        ]
    reach = highest - lowest
    panels[0].set_ylim(lowest - 0.09 * reach, highest + 0.09 * reach)
    panels[0].set_ylabel("change of volume at week 8 (%)")
    handles = [Patch(facecolor=CLASS_COLOURS[c], edgecolor=INK, lw=0.6, label=c) for c in CLASSES]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    caption = (
        "Change of tumour volume from baseline on day 56, worst first. Colour is the class by qcic_tri; "
        "dashed lines are +20 % and −30 %. The name under a bar is the patient."
    )
    return Drawing("waterfall", figure, table, caption)
