"""Maps of every field at every snapshot, one figure an arm."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from ...abm.snapshot import RunRecord, Snapshot
from ..series import exemplars, field_names, identity
from .drawing import Drawing
from .style import FAINT, WIDTH, new_figure, slug, styled
from .tissue import scale_bar

COLOUR_MAPS = ("viridis", "cividis", "magma", "plasma", "inferno")
# Below this share of its largest value in the run, a field is called absent.
ABSENT = 1e-4
QUANTILES = (0.05, 0.5, 0.95)


def draw_fields(records: Sequence[RunRecord]) -> list[Drawing]:
    """Draw the fields of one exemplary patient of each arm; empty without snapshots that hold fields."""
    return [_draw(record) for record in exemplars(records).values() if _names(record)]


@styled
def _draw(record: RunRecord) -> Drawing:
    names, snapshots, shown = _names(record), record.snapshots, field_names(record)
    cell = min(WIDTH / len(names), 2.6)
    aspect = np.mean([next(iter(s.layers.values())).shape for s in snapshots], axis=0)
    figure = new_figure(
        len(snapshots) * (cell * 0.86 * aspect[0] / aspect[1] + 0.1) + 1.0, width=max(cell * len(names), 4.0)
    )
    panels = figure.subplots(len(snapshots), len(names), squeeze=False)
    table = []
    for k, name in enumerate(names):
        largest = max(_largest(record, name), 1e-300)
        present = [s for s in snapshots if float(s.fields[name].max()) > ABSENT * largest]
        low, high = _limits([s.fields[name] for s in present])
        image = None
        for axes, snapshot in zip(panels[:, k], snapshots, strict=True):
            ny, nx = snapshot.fields[name].shape
            width, height = nx * snapshot.site_um, ny * snapshot.site_um
            if snapshot in present:
                image = axes.imshow(
                    snapshot.fields[name], extent=(0, width, height, 0), vmin=low, vmax=high,
                    cmap=COLOUR_MAPS[k % len(COLOUR_MAPS)], interpolation="nearest",
                )  # fmt: skip
            else:
                _none(axes, snapshot, name, width, height)
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(visible=True, color="#999999", lw=0.7)
            table.append(_summary(record, snapshot, name))
        unit = snapshots[0].field_units.get(name, "")
        panels[0, k].set_title(shown.get(name, name.replace("_", " ")))
        if image is not None:
            bar = figure.colorbar(
                image, ax=panels[:, k], location="bottom", shrink=0.85, aspect=18, pad=0.015
            )
            bar.set_label(unit)
            bar.ax.locator_params(nbins=4)
            bar.ax.ticklabel_format(axis="x", scilimits=(-2, 4))
    for axes, snapshot in zip(panels[:, 0], snapshots, strict=True):
        axes.set_ylabel(f"day {snapshot.time_days:g}", weight="bold")
    first = snapshots[0].fields[names[0]].shape
    scale_bar(panels[0, 0], first[1] * snapshots[0].site_um, first[0] * snapshots[0].site_um)
    figure.suptitle(f"{record.arm}, {record.patient}", weight="bold", x=0.01, ha="left")
    caption = (
        "Each column has one colour scale, from the 0.5th to the 99.5th percentile over its maps. A map "
        "is left blank where the substance is absent, as a drug is between cycles."
    )
    return Drawing(f"fields-{slug(record.arm)}", figure, table, caption)


def _names(record: RunRecord) -> list[str]:
    if not record.snapshots:
        return []
    return [n for n in record.snapshots[0].fields if all(n in s.fields for s in record.snapshots)]


def _largest(record: RunRecord, name: str) -> float:
    means = record.field_mean.get(name, np.zeros(1))
    return max(float(np.max(means)), *(float(s.fields[name].max()) for s in record.snapshots))


def _limits(maps: Sequence[np.ndarray]) -> tuple[float, float]:
    if not maps:
        return 0.0, 1.0
    low, high = np.percentile(np.concatenate([m.ravel() for m in maps]), [0.5, 99.5])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _none(axes: Axes, snapshot: Snapshot, name: str, width: float, height: float) -> None:
    largest, unit = float(snapshot.fields[name].max()), snapshot.field_units.get(name, "")
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", facecolor="#F4F4F4")
    text = "absent" if largest == 0.0 else f"absent\n(≤ {largest:.1g} {unit})"
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=9)


def _summary(record: RunRecord, snapshot: Snapshot, name: str) -> dict:
    values = snapshot.fields[name].astype(np.float64)
    low, middle, high = np.quantile(values, QUANTILES)
    return identity(record) | {
        "day": snapshot.time_days,
        "field": name,
        "unit": snapshot.field_units.get(name, ""),
        "mean": float(values.mean()),
        "p05": float(low),
        "median": float(middle),
        "p95": float(high),
        "max": float(np.max(values)),
    }
