"""Pair correlations over time: how far the lattice is from a well-mixed tissue."""

from collections.abc import Sequence

from matplotlib.lines import Line2D

from ...abm.measures.pairs import VALID_BAND
from ...abm.snapshot import RunRecord
from ..series import Row, arms, end_day, identity
from .drawing import Drawing
from .style import FAINT, arm_colours, line_alpha, new_figure, styled, visit_ticks


@styled
def draw_pairs(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw the pair correlation of all occupied sites over time, a panel a layer; None where not recorded.

    Parameters
    ----------
    records : list of RunRecord
        ``more["pair_total"]``, ``more["pair_correlation"]`` and ``more["mean_field_valid"]`` are read.

    Returns
    -------
    Drawing
        Table: one row a run, day and pair: ``pair`` ("all, <layer>" or two types), ``F``, ``mean_field_valid``.
    """
    kept = [r for r in records if "pair_total" in r.more and r.more["pair_total"].time_days.size]
    if not kept:
        return None
    colours, alpha = arm_colours(arms(records)), line_alpha(len(kept))
    layers = list(dict.fromkeys(name for r in kept for name in r.more["pair_total"].values))
    figure = new_figure(3.2, width=max(4.2 * len(layers), 5.5))
    panels = figure.subplots(1, len(layers), squeeze=False)[0]
    table: list[Row] = []
    for record in kept:
        total = record.more["pair_total"]
        for axes, layer in zip(panels, layers, strict=True):
            if layer in total.values:
                axes.plot(
                    total.time_days, total.values[layer], color=colours[record.arm], alpha=alpha, lw=1.2
                )
        table += _rows(record)
    for axes, layer in zip(panels, layers, strict=True):
        axes.axhspan(1 - VALID_BAND, 1 + VALID_BAND, color="#009E73", alpha=0.13, lw=0)
        axes.axhline(1.0, color=FAINT, lw=0.9, ls="--")
        axes.set(title=f"layer {layer}", xlabel="day")
        visit_ticks(axes, max(end_day(r) for r in kept))
    panels[0].set_ylabel("pair correlation F (1)")
    handles = [Line2D([], [], color=colours[arm], lw=2.2, label=arm) for arm in arms(kept)]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption = (
        "Nearest-neighbour pair correlation of all occupied sites of a layer: 1 is well mixed, above 1 cells "
        f"cluster. In the green band, within {VALID_BAND:g} of 1, the mean field may be trusted. The table has every "
        "pair of types."
    )
    return Drawing("pairs", figure, table, caption)


def _rows(record: RunRecord) -> list[Row]:
    valid = record.more.get("mean_field_valid")
    flags = next(iter(valid.values.values())) if valid is not None else None
    named = {f"all, {name}": values for name, values in record.more["pair_total"].values.items()}
    if "pair_correlation" in record.more:
        named |= record.more["pair_correlation"].values
    days = record.more["pair_total"].time_days
    return [
        identity(record)
        | {"day": float(day), "pair": pair, "F": float(values[k])}
        | {"mean_field_valid": int(flags[k]) if flags is not None else None}
        for pair, values in named.items()
        for k, day in enumerate(days)
    ]
