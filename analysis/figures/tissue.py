"""Pictures of the lattice: tissue as an image, immune cells on top as dots."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from ...abm.measures.response import WEEK_8_DAYS
from ...abm.snapshot import CellTypeInfo, RunRecord, Snapshot
from ..series import Row, exemplars, identity, snapshot_on
from .drawing import Drawing
from .style import WIDTH, new_figure, styled

GROUND = "#FBFAF7"
# Shapes tell immune types apart where colours fail.
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
MOST_COLUMNS = 4
TISSUE_DPI = 175
DETAIL_UM = 1050.0
LONG = 0.4  # height over width below which sections are stacked
MOST_DOTTED = 0.2  # share of a picture that dots may cover


@styled
def draw_tissue(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw the snapshots of one exemplary patient, a row an arm; None without snapshots.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing
        Table: one row a snapshot and cell type with count and density (1/mm2).
    """
    shown = exemplars(records)
    if not shown:
        return None
    sections = [s for r in shown.values() for s in r.snapshots]
    aspect = float(np.mean([_shape(s)[0] / _shape(s)[1] for s in sections]))
    long = aspect < LONG
    columns = 1 if long else min(MOST_COLUMNS, max(len(r.snapshots) for r in shown.values()))
    lines = [(arm, r, list(r.snapshots[k : k + columns])) for arm, r in shown.items()
             for k in range(0, len(r.snapshots), columns)]  # fmt: skip
    cell = WIDTH - 0.6 if long else min((WIDTH - 0.6) / columns, 3.7)
    figure = new_figure(len(lines) * (cell * aspect + 0.3) + 0.7, width=max(cell * columns + 0.6, 6.0))
    panels = figure.subplots(len(lines), columns, squeeze=False)
    for panel_row, (arm, record, row) in zip(panels, lines, strict=True):
        for axes, snapshot in zip(panel_row, row, strict=False):
            paint(axes, snapshot, cell)
            title = _title(record, snapshot.time_days)
            axes.set_title(f"{arm}, {record.patient}: {title}" if long else title, fontsize=9.5)
        for axes in panel_row[len(row) :]:
            axes.set_axis_off()
        if not long:
            panel_row[0].set_ylabel(f"{arm}\n{record.patient}", fontsize=10, weight="bold")
    types = {t.name: t for r in shown.values() for t in r.types if r.counts_of(t.name).any()}
    figure.legend(
        handles=_legend(list(types.values()), _base(lines[0][2][0])), loc="outside lower center", ncols=5
    )
    table = [row for r in shown.values() for s in r.snapshots for row in _census(r, s)]
    caption = (
        "One patient, the one whose response is nearest to the median of the arms. Immune cells are "
        "drawn larger than life so that they can be seen. The black bar is the scale."
    )
    return Drawing("tissue", figure, table, caption, TISSUE_DPI)


@styled
def draw_detail(records: Sequence[RunRecord]) -> Drawing | None:
    """Draw the middle millimetre of the first snapshot and of week 8 (or the last), a column an arm.

    Parameters
    ----------
    records : list of RunRecord

    Returns
    -------
    Drawing or None
        None without snapshots, or if the section is hardly larger than the window. Table: as for the tissue,
        of the window alone.
    """
    shown = exemplars(records)
    sections = {
        arm: (r, [r.snapshots[0], snapshot_on(r, WEEK_8_DAYS) or r.snapshots[-1]]) for arm, r in shown.items()
    }
    if not sections or any(
        min(_shape(s)) * s.site_um < 2 * DETAIL_UM for _, pair in sections.values() for s in pair
    ):
        return None
    cell = min((WIDTH - 0.4) / len(sections), 4.2)
    figure = new_figure(2 * (cell + 0.3) + 0.7, width=max(cell * len(sections) + 0.4, 6.0))
    panels = figure.subplots(2, len(sections), squeeze=False)
    table: list[Row] = []
    for column, (arm, (record, pair)) in enumerate(sections.items()):
        for axes, snapshot in zip(panels[:, column], pair, strict=True):
            window = _crop(snapshot)
            paint(axes, window, cell)
            axes.set_title(f"{arm}, day {snapshot.time_days:g}", fontsize=9.5)
            table += _census(record, window)
    types = {t.name: t for r in shown.values() for t in r.types if r.counts_of(t.name).any()}
    base = _base(next(iter(shown.values())).snapshots[0])
    figure.legend(handles=_legend(list(types.values()), base), loc="outside lower center", ncols=5)
    caption = (
        "The middle of the same sections, one lattice cell a square. Immune cells lie on a layer of "
        "their own and share sites with tumour cells."
    )
    return Drawing("detail", figure, table, caption, TISSUE_DPI)


def paint(axes: Axes, snapshot: Snapshot, inches: float) -> None:
    """Draw one snapshot: the tumour's layer as an image, cells of other layers as dots, and a scale bar.

    Parameters
    ----------
    axes : Axes
    snapshot : Snapshot
    inches : float
        Width of the picture, for the size of the dots: about two sites, large enough to see, but so that they
        leave most of the tissue uncovered.
    """
    base = _base(snapshot)
    colours = np.tile(np.array(to_rgb(GROUND)), (256, 1))
    for info in snapshot.types:
        if info.layer == base:
            colours[info.id] = to_rgb(info.colour)
    ny, nx = _shape(snapshot)
    extent = (0.0, nx * snapshot.site_um, ny * snapshot.site_um, 0.0)
    image = (255 * colours).astype(np.uint8)[snapshot.layers[base]]
    axes.imshow(image, extent=extent, interpolation="nearest")
    dots = _dots(snapshot.types, base)
    site = 72.0 * inches / nx
    number = max(sum(snapshot.count(info.name) for info in dots), 1)
    size = min(max(2.3, 2.0 * site), 7.0, max(site, site * math.sqrt(MOST_DOTTED * nx * ny / number)))
    for info, marker in dots.items():
        y, x = np.nonzero(snapshot.layers[info.layer] == info.id)
        axes.scatter(
            (x + 0.5) * snapshot.site_um, (y + 0.5) * snapshot.site_um, s=size**2, marker=marker,
            color=info.colour, edgecolor="white", linewidth=0.25 if size > 2.0 else 0.0,
        )  # fmt: skip
    axes.set(xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    for spine in axes.spines.values():
        spine.set(visible=True, color="#999999", lw=0.7)
    scale_bar(axes, extent[1], extent[2], 72.0 * inches * ny / nx)


def scale_bar(axes: Axes, width_um: float, height_um: float, points: float = 200.0) -> None:
    """Draw a scale bar of a round length, about a fifth of the width, in the lower left corner.

    Parameters
    ----------
    axes : Axes
    width_um, height_um : float
        Of the picture.
    points : float
        Its height on paper, 1/72 inch, for the room that the text needs.
    """
    rounds = [m * 10.0**p for p in range(0, 5) for m in (1, 2, 5)]
    length = max([r for r in rounds if r <= 0.3 * width_um], default=rounds[0])
    text = f"{length / 1000:g} mm" if length >= 1000 else f"{length:g} µm"
    point = height_um / points
    x, y, h = 0.035 * width_um, height_um - 9.0 * point, 2.4 * point
    axes.add_patch(
        Rectangle(
            (x - 0.015 * width_um, y - 14.0 * point), length + 0.03 * width_um, 19.0 * point,
            color="white", alpha=0.8, lw=0, zorder=5,
        )
    )  # fmt: skip
    axes.add_patch(Rectangle((x, y), length, h, color="black", lw=0, zorder=6))
    axes.text(x + length / 2, y - 2.0 * point, text, ha="center", va="bottom", fontsize=8, zorder=6)


def _census(record: RunRecord, snapshot: Snapshot) -> list[Row]:
    return [
        identity(record)
        | {"day": snapshot.time_days, "type": t.name, "cells": snapshot.count(t.name)}
        | {"per_mm2": snapshot.count(t.name) / snapshot.area_mm2}
        for t in snapshot.types
    ]


def _crop(snapshot: Snapshot) -> Snapshot:
    """Return the middle DETAIL_UM of a section."""
    ny, nx = _shape(snapshot)
    sites = round(DETAIL_UM / snapshot.site_um)
    top, left = (ny - sites) // 2, (nx - sites) // 2
    window = (slice(top, top + sites), slice(left, left + sites))
    return replace(snapshot, layers={k: v[window] for k, v in snapshot.layers.items()}, fields={})


def _shape(snapshot: Snapshot) -> tuple[int, int]:
    ny, nx = next(iter(snapshot.layers.values())).shape
    return ny, nx


def _base(snapshot: Snapshot) -> str:
    tumour = [t.layer for t in snapshot.types if t.group == "tumour"]
    if tumour:
        return tumour[0]
    return max(snapshot.layers, key=lambda name: int(np.count_nonzero(snapshot.layers[name])))


def _dots(types: Sequence[CellTypeInfo], base: str) -> Mapping[CellTypeInfo, str]:
    above = [t for t in types if t.layer != base]
    return {t: MARKERS[k % len(MARKERS)] for k, t in enumerate(above)}


def _legend(types: Sequence[CellTypeInfo], base: str) -> list[Line2D | Patch]:
    patches = [
        Patch(facecolor=t.colour, edgecolor="#999999", lw=0.5, label=t.display)
        for t in types
        if t.layer == base
    ]
    dots = [
        Line2D([], [], ls="", marker=marker, ms=6, color=t.colour, mec="white", mew=0.4, label=t.display)
        for t, marker in _dots(types, base).items()
    ]
    return [*patches, *dots]


def _title(record: RunRecord, day: float) -> str:
    """Return 'day 56, on treatment' and the like; nothing but the day without doses."""
    text = f"day {day:g}"
    if not record.doses:
        return text
    first, last = record.doses[0][0], record.doses[-1][0]
    stopped = float(record.attributes.get("progressed_on_day") or 0.0)
    last = min(last, stopped) if stopped else last
    when = "before" if day < first else "on" if day <= last + 28.0 else "after"
    return f"{text}, {when} treatment"
