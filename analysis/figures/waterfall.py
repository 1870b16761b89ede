"""Change of tumour volume at week 8, one bar a patient, ordered within each arm."""

import math
from collections import Counter
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ...abm.measures.response import classify
from ...abm.snapshot import RunRecord
from ..outcomes.study_table import HEAD
from ..outcomes.table import CLASSES
from ..series import Row, identity, week8_tri
from .drawing import Drawing
from .style import CLASS_COLOURS, FAINT, INK, new_figure, styled

MOST_LABELS = 24  # bars that still leave room for names and values
CLASS_OF = {"iCR": "CR", "iPR": "PR", "iSD": "SD", "iUPD": "PD", "iCPD": "PD"}


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
    return draw_waterfall_rows([identity(r) | {"tri_week8": week8_tri(r)} for r in records])


@styled
def draw_waterfall_rows(rows: Sequence[Row]) -> Drawing | None:
    """Draw the same from rows of outcomes."""
    bars = [(row, float(row.get("tri_week8", math.nan))) for row in rows]
    bars = [(row, value) for row, value in bars if not math.isnan(value)]
    if not bars:
        return None
    drawn = [(row, value, classify(value)) for row, value in bars]
    figure, ordered = _panels(drawn, "change of volume at week 8 (%)")
    table = [
        {name: row[name] for name in HEAD} | {"order": k, "TRI": value, "class": kind}
        for k, row, value, kind in ordered
    ]
    caption = (
        "Change of tumour volume from baseline on day 56, worst first. Colour is the class by qcic_tri; "
        "dashed lines are +20 % and −30 %. The name under a bar is the patient."
    )
    return Drawing("waterfall", figure, table, caption)


@styled
def draw_best_change(rows: Sequence[Row]) -> Drawing | None:
    """Draw the best change at a visit of what the criterion reads, coloured by best response; None without one."""
    bars = [(row, float(row.get("depth", math.nan))) for row in rows]
    drawn = [
        (row, value, CLASS_OF.get(str(row["best_response"]), str(row["best_response"])))
        for row, value in bars
        if not math.isnan(value)
    ]
    if not drawn:
        return None
    criterion = str(drawn[0][0].get("criterion", ""))
    reads = "volume" if criterion == "qcic_tri" else "sum of diameters"
    figure, ordered = _panels(drawn, f"best change of {reads} (%)")
    table = [
        {name: row[name] for name in HEAD}
        | {"order": k, "criterion": criterion, "depth": value, "best_response": row["best_response"]}
        for k, row, value, _ in ordered
    ]
    caption = (
        f"Best change from baseline at a visit up to progression, of the {reads}, worst first. Colour is the best "
        f"response by {criterion}; dashed lines are +20 % and −30 %. The name under a bar is the patient."
    )
    return Drawing("best-change", figure, table, caption)


def _panels(
    drawn: Sequence[tuple[Row, float, str]], label: str
) -> tuple[Figure, list[tuple[int, Row, float, str]]]:
    """Return the figure of ordered bars, a panel an arm, and the bars in their order, numbered from 1."""
    reached: dict[str, list[tuple[Row, float, str]]] = {}
    for bar in drawn:
        reached.setdefault(str(bar[0]["arm"]), []).append(bar)
    figure = new_figure(3.9)
    panels = figure.subplots(1, len(reached), sharey=True, squeeze=False)[0]
    highest = max(20.0, *(100 * value for _, value, _ in drawn))
    lowest = min(-30.0, *(100 * value for _, value, _ in drawn))
    short = short_names([str(row["patient"]) for row, _, _ in drawn])
    ordered: list[tuple[int, Row, float, str]] = []
    for axes, (arm, runs) in zip(panels, reached.items(), strict=True):
        runs.sort(key=lambda bar: -bar[1])
        ordered += [(k, *bar) for k, bar in enumerate(runs, start=1)]
        heights, few = [100 * value for _, value, _ in runs], len(runs) <= MOST_LABELS
        shades = [CLASS_COLOURS[kind] for _, _, kind in runs]
        if few:
            axes.bar(range(len(runs)), heights, width=0.72, color=shades, edgecolor=INK, linewidth=0.6)
            _label(axes, heights)
        else:
            # one collection however many bars; a line is as wide as its share of the panel
            thick = 72 * 0.92 * figure.get_figwidth() / len(reached) / len(runs)
            axes.vlines(range(len(runs)), 0, heights, colors=shades, lw=max(thick, 0.4))
            axes.set_xlim(-1, len(runs))
        for edge in (20, -30):
            axes.axhline(edge, color=FAINT, lw=0.9, ls="--")
        axes.axhline(0, color=INK, lw=0.8)
        axes.spines["bottom"].set_visible(False)
        names = [short[str(row["patient"])] for row, _, _ in runs] if few else []
        axes.set_xticks(range(len(names)), names)
        axes.tick_params(axis="x", length=0, rotation=0 if len(runs) <= 6 else 90)
        counts = Counter(kind for _, _, kind in runs)
        text = ", ".join(f"{counts[c]} {c}" for c in CLASS_COLOURS if counts[c])
        axes.set_title(f"{arm}\n{text} of {len(runs)}")
    reach = highest - lowest
    panels[0].set_ylim(lowest - 0.09 * reach, highest + 0.09 * reach)
    panels[0].set_ylabel(label)
    handles = [Patch(facecolor=CLASS_COLOURS[c], edgecolor=INK, lw=0.6, label=c) for c in CLASSES]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure, ordered


def _label(axes: Axes, heights: Sequence[float]) -> None:
    """Write the value above or below every bar."""
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
