"""Sensitivity: how much an outcome follows each input, as a tornado."""

from collections.abc import Sequence

from ...abm.errors import InputError
from ..series import Row
from .drawing import Drawing
from .style import INK, new_figure, styled

COLUMNS = ("parameter", "value")
MOST_BARS = 25


@styled
def draw_tornado(table: Sequence[Row]) -> Drawing | None:
    """Draw indices of sensitivity as bars, the largest first, a panel an outcome.

    Parameters
    ----------
    table : list of dict
        ``parameter`` and ``value`` (for example a PRCC); may have ``low`` and ``high`` (limits), ``method``
        and ``outcome``.

    Returns
    -------
    Drawing or None
        None without rows. Table: as given.

    Raises
    ------
    InputError
        If a column is missing or a value is no number.
    """
    if not table:
        return None
    for name in COLUMNS:
        if name not in table[0]:
            raise InputError(
                f"sensitivity table: column '{name}' is missing (it has {', '.join(map(str, table[0]))}); needed are "
                "parameter and value, and low, high, method and outcome may be there"
            )
    for row in table:
        if not isinstance(row["value"], int | float):
            raise InputError(
                f"sensitivity table: value of '{row['parameter']}' is no number: {row['value']!r}"
            )
    outcomes: dict[str, list[Row]] = {}
    for row in table:
        outcomes.setdefault(str(row.get("outcome", "outcome")), []).append(row)
    longest = min(max(len(rows) for rows in outcomes.values()), MOST_BARS)
    figure = new_figure(1.2 + 0.24 * longest, width=max(5.2 * len(outcomes), 6.0))
    panels = figure.subplots(1, len(outcomes), squeeze=False)[0]
    methods = list(dict.fromkeys(str(row["method"]) for row in table if row.get("method")))
    for axes, (outcome, rows) in zip(panels, outcomes.items(), strict=True):
        ordered = sorted(rows, key=lambda row: -abs(float(row["value"])))[:MOST_BARS]
        for y, row in enumerate(ordered):
            value = float(row["value"])
            axes.barh(y, value, height=0.66, color="#0072B2" if value >= 0 else "#D55E00")
            low, high = float(row.get("low", value)), float(row.get("high", value))
            axes.plot([low, high], [y, y], color=INK, lw=1.2)
        axes.axvline(0.0, color=INK, lw=0.8)
        axes.set_yticks(range(len(ordered)), [str(row["parameter"]) for row in ordered])
        axes.set(ylim=(longest - 0.4, -0.6), title=outcome, xlabel=f"{', '.join(methods) or 'index'} (1)")
    by = f" by {', '.join(methods)}" if methods else ""
    caption = (
        f"How the outcome follows each input{by}; blue: it rises with the input, orange: it falls. Lines are "
        "limits where they were given."
    )
    if any(len(rows) > MOST_BARS for rows in outcomes.values()):
        caption += f" The {MOST_BARS} largest are drawn; the table has all."
    return Drawing("tornado", figure, list(table), caption)
