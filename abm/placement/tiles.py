"""Tissue drawn from a map of tissue classes, tile by tile."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, some
from ..snapshot import CellTypeInfo
from .checks import IGNORE, check_number, check_types, check_whole
from .lattice import Placement, empty_lattice
from .numbers import check_room
from .said import counted, said_of_absent

MOST_TILES = 10_000_000  # of the bounding box of a map
MOST_REGIONS = 255  # a site holds its region in one byte
_MOST_PER_MM2 = 1e9
_MOST_TILE_UM = 1e6  # a metre
OUTSIDE = "outside"  # sites that no tile covers, or whose class is ignored


def place_tiles(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rows: np.ndarray,
    columns: np.ndarray,
    classes: Sequence[str],
    tile_um: float,
    mapping: Mapping[str, Any],
    seed: int,
    corner: Sequence[int] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Placement:
    """Draw cells at the densities of the tissue class of every tile; each class is a region of that name.

    The number of a type is exact over all tiles of a class together, so that single tiles vary as in a section.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``; the lattice must be 2-D.
    rows, columns : ndarray of int, shape (tile,)
        Position of every tile in the grid of tiles.
    classes : sequence of str, shape (tile,)
    tile_um : float
        Side of a tile, um.
    mapping : mapping
        Class = {type: cells per mm2}, or "ignore" (nothing is placed there).
    corner : (int, int), optional
        Row and column of the tile in the first corner of the lattice; without, the map lies in the middle of
        the lattice and has to fit.
    provenance : mapping, optional
        Kept in the report.

    Raises
    ------
    InputError
        Class without an entry, unknown type, densities beyond the sites, a map larger than the lattice, two
        tiles in one place, a 3-D lattice.
    """
    if len(shape) != 2:
        raise InputError("tissue tiles are 2-D and the lattice 3-D; use a model of 2 dimensions")
    check_number(tile_um, "[tissue]", "tile_um", site_um, max(site_um, _MOST_TILE_UM))
    rows, columns = np.asarray(rows, np.int64), np.asarray(columns, np.int64)
    kinds, number = np.unique(np.asarray(classes, dtype=str), return_inverse=True)
    names = [str(name) for name in kinds]
    counts = dict(zip(names, np.bincount(number, minlength=len(names)).tolist(), strict=True))
    densities = _check_classes(mapping, counts, types)
    grid, first = _grid(rows, columns)
    if corner is None:
        offset = _centred(grid.shape, shape, site_um, tile_um)
    else:
        offset = tuple((c - f) * tile_um for c, f in zip(check_corner(corner), first, strict=True))
    tile = _look_up(grid, shape, site_um, tile_um, offset)
    seen = np.where(tile >= 0, number[tile], -1)
    if not (seen >= 0).any():
        raise InputError(
            f"[tissue]: no tile lies on the lattice with 'tile_corner' {list(corner or ())}; the map holds rows "
            f"{rows.min()} to {rows.max()} and columns {columns.min()} to {columns.max()}"
        )
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    site_mm2, found = site_um**2 * 1e-6, {}
    for index, name in enumerate(names):
        mask = seen == index
        area_mm2 = int(np.count_nonzero(mask)) * site_mm2
        cells = {cell: round(value * area_mm2) for cell, value in densities.get(name, {}).items()}
        for cell, amount in check_room(cells, lattice).items():
            lattice.add(cell, amount, mask, f"tiles of class {name}")
        found[name] = {"tiles": counts[name], "area_mm2": area_mm2, "per_mm2": dict(densities.get(name, {}))}
    shown = {name for index, name in enumerate(names) if name in densities and (seen == index).any()}
    drawn = np.isin(seen, [names.index(name) for name in shown])
    # in the order of their names, so that a report whose keys are sorted still tells which is which
    region_names = tuple(sorted(shown if drawn.all() else {*shown, OUTSIDE}))
    if len(region_names) > MOST_REGIONS:
        raise InputError(
            f"the map holds {len(region_names)} tissue classes; a tissue has {MOST_REGIONS} at most"
        )
    region = np.full(shape, region_names.index(OUTSIDE) if not drawn.all() else 0, np.uint8)
    for name in shown:
        region[seen == names.index(name)] = region_names.index(name)
    report = {
        "kind": "tiles",
        "tiles": dict(provenance or {}),
        "rules": ["cells sit at random at the densities of the tissue class of their tile"],
        "tile_um": tile_um,
        "classes": found,
        "ignored": sorted(name for name in names if name not in densities),
        "absent": sorted(name for name in mapping if name not in counts),
    }
    report["notes"] = _notes(report, classes, tile)
    return lattice.finished(region, region_names, report)


def check_corner(corner: Any) -> tuple[int, int]:
    """Return the row and the column of the tile in the first corner of a lattice.

    Raises
    ------
    InputError
    """
    if not isinstance(corner, Sequence) or isinstance(corner, str) or len(corner) != 2:
        raise InputError(f"[tissue]: 'tile_corner' must be the row and the column of a tile, got {corner!r}")
    for value in corner:
        check_whole(value, "[tissue]", "tile_corner", -MOST_TILES)
        check_number(value, "[tissue]", "tile_corner", -MOST_TILES, MOST_TILES)
    return int(corner[0]), int(corner[1])


def _check_classes(
    mapping: Mapping[str, Any], counts: Mapping[str, int], types: Sequence[CellTypeInfo]
) -> dict[str, Mapping[str, float]]:
    """Return class -> {type: cells per mm2} of every class that is to be drawn."""
    unknown = [f"{name} ({number})" for name, number in counts.items() if name not in mapping]
    if unknown:
        known = some(mapping) or "none"
        raise InputError(
            f"the map holds tissue classes without an entry: {some(unknown)} tiles; mapped are {known}; give "
            "each { type = cells per mm2 } or 'ignore' in [tissue.tile_classes]"
        )
    densities = {}
    for name, target in mapping.items():
        where = f"[tissue] tile_classes {name}"
        if target == IGNORE:
            continue
        if not isinstance(target, Mapping):
            raise InputError(f"{where}: write cell types and cells per mm2, or 'ignore', got {target!r}")
        check_types(target, types, where)
        for cell, value in target.items():
            check_number(value, where, cell, 0.0, _MOST_PER_MM2)
        densities[name] = target
    return densities


def _grid(rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return the index of the tile in every place of the bounding box (-1 where there is none) and its first place."""
    first = int(rows.min()), int(columns.min())
    sides = int(rows.max()) - first[0] + 1, int(columns.max()) - first[1] + 1
    if sides[0] * sides[1] > MOST_TILES:
        raise InputError(
            f"the map of tiles covers {sides[0]:,} x {sides[1]:,} tiles; it may cover {MOST_TILES:,}; mend the rows "
            f"and columns that lie apart (rows {first[0]} to {rows.max()}, columns {first[1]} to {columns.max()})"
        )
    grid = np.full(sides, -1)
    places = np.stack([rows, columns], axis=1)
    if len(np.unique(places, axis=0)) < len(places):
        raise InputError("the map of tiles holds two tiles in one place; keep one slide with 'slide'")
    grid[rows - first[0], columns - first[1]] = np.arange(len(rows))
    return grid, first


def _centred(
    tiles: tuple[int, ...], shape: tuple[int, ...], site_um: float, tile_um: float
) -> tuple[float, ...]:
    """Return where the lattice begins within the map (um, negative), if the map fits."""
    sites = tuple(math.ceil(n * tile_um / site_um) for n in tiles)
    if any(s > n for s, n in zip(sites, shape, strict=True)):
        raise InputError(
            f"the map of tiles covers {tiles[0]} x {tiles[1]} tiles of {tile_um:g} um, {sites[0]} x {sites[1]} sites "
            f"of {site_um:g} um; the lattice has {shape[0]} x {shape[1]}: raise lattice.rows and lattice.columns, or "
            "choose a window with 'tile_corner'"
        )
    return tuple(-((n - s) // 2) * site_um for n, s in zip(shape, sites, strict=True))


def _look_up(
    grid: np.ndarray, shape: tuple[int, ...], site_um: float, tile_um: float, offset: tuple[float, ...]
) -> np.ndarray:
    """Return the index of the tile under the centre of every site, -1 where there is none."""
    index_of, valid = [], []
    for n, size, start in zip(shape, grid.shape, offset, strict=True):
        index = np.floor(((np.arange(n) + 0.5) * site_um + start) / tile_um).astype(np.int64)
        valid.append((index >= 0) & (index < size))
        index_of.append(np.clip(index, 0, size - 1))
    return np.where(np.logical_and.outer(*valid), grid[np.ix_(*index_of)], -1)


def _notes(report: Mapping[str, Any], classes: Sequence[str], tile: np.ndarray) -> list[str]:
    """Return which tiles the lattice does not show, and how much of it no tile covers."""
    file, notes = report["tiles"].get("file", "the map of tiles"), []
    shown = np.bincount(tile[tile >= 0], minlength=len(classes)) > 0
    if not shown.all():
        lost = Counter(name for name, seen in zip(classes, shown.tolist(), strict=True) if not seen)
        notes.append(
            f"{file}: {lost.total()} of {len(classes)} tiles lie outside the lattice: {counted(lost)}"
        )
    if bare := int((tile < 0).sum()):
        notes.append(f"{file}: {bare} of {tile.size} sites lie under no tile and are empty")
    return notes + said_of_absent(report["absent"], (), f"{file}: tile_classes names classes")
