"""The look of every figure: colours safe for the colour-blind (Okabe-Ito), sizes readable in a report."""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogFormatter

from ...abm.errors import printable

WIDTH = 10.5  # inches, the width of the report
ARM_COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
CLASS_COLOURS = {"CR": "#0072B2", "PR": "#56B4E9", "SD": "#B5B5B5", "PD": "#D55E00", "NE": "#FFFFFF"}
INK, FAINT = "#222222", "#8A8A8A"
LONGEST_LINE = 60  # characters
RC: dict[Any, Any] = {
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": "#555555",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "figure.facecolor": "white",
    "text.parse_math": False,  # names are text, whatever is in them
    "text.usetex": False,
    "axes.formatter.use_mathtext": False,
}
P = ParamSpec("P")
R = TypeVar("R")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under the house style; the settings of the caller are untouched."""

    @wraps(function)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(RC):
            return function(*args, **kwargs)

    return inside


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure with constrained layout; sizes in inches. No window, no global state."""
    return Figure(figsize=(width, height), layout="constrained")


def arm_colours(arms: Iterable[str]) -> dict[str, str]:
    """Return one colour an arm, in order; colours repeat after seven arms."""
    return {arm: ARM_COLOURS[i % len(ARM_COLOURS)] for i, arm in enumerate(arms)}


def arm_widths(arms: Iterable[str], widest: float = 2.6) -> dict[str, float]:
    """Return one line width an arm, later ones thinner: arms that coincide still all show."""
    names = list(arms)
    return {arm: widest * (1.0 - 0.6 * i / max(len(names) - 1, 2)) for i, arm in enumerate(names)}


def line_alpha(lines: int) -> float:
    """Return how opaque a line is, so that hundreds of them still show where they crowd."""
    return max(0.12, min(0.9, 4.0 / max(lines, 1) ** 0.5))


def thousands(axes: Axes) -> None:
    """Write the numbers of the vertical axis with thousands separators."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def visit_ticks(axes: Axes, last_day: float) -> None:
    """Put the ticks of a time axis on 8-weekly visits, or 4-weekly or finer in a short run."""
    step = next((s for s in (56, 28, 14, 7, 2, 1) if last_day / s >= 3), 1)
    axes.set_xticks([step * k for k in range(int(last_day // step) + 1)])
    axes.set_xlim(0, max(last_day, 1e-6))


def plain_log(axis: Axis) -> None:
    """Write the numbers of a logarithmic axis as text: its own formatters speak mathtext."""
    axis.set_major_formatter(_PlainLog())
    axis.set_minor_formatter(_PlainLog())


class _PlainLog(LogFormatter):
    """The ticks that are labelled by default, as 0.1, 20 or 1e-15."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""


def legible(figure: Figure) -> None:
    """Shorten the lines of all texts of a figure to what fits, and show control characters by their escapes."""
    for text in figure.findobj(Text):
        text.set_text(_legible(text.get_text()))
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        formatter = axis.get_major_formatter()
        if isinstance(formatter, FuncFormatter):  # writes the names of ticks anew when they are drawn
            axis.set_major_formatter(FuncFormatter(lambda x, k, names=formatter: _legible(names(x, k))))


def _legible(text: str) -> str:
    lines = printable(text).split("\n")
    return "\n".join(f"{n[: LONGEST_LINE - 1]}…" if len(n) > LONGEST_LINE else n for n in lines)


def slug(text: str) -> str:
    """Return a name fit for a file, of at most 60 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60] or "unnamed"
