"""Tissue taken from a table of real cells."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError, some, unknown_word
from ..snapshot import CellTypeInfo
from .checks import check_mapping, check_number, target_words
from .lattice import Lattice, Placement, empty_lattice
from .luck import generator, shuffled_ids
from .said import said_of_table
from .settle import settle

FILLS = ("mirror", "density", "none")
_MOST_SIDE = 2**31  # sites; beyond it a site has no number


def place_table(
    shape: tuple[int, ...] | None,
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    x_um: np.ndarray,
    y_um: np.ndarray,
    phenotype: Sequence[str],
    mapping: Mapping[str, Any],
    seed: int,
    fill: str = "mirror",
    max_sites: float = 3.0,
    provenance: Mapping[str, Any] | None = None,
    least: Mapping[str, int] | None = None,
    z_um: np.ndarray | None = None,
    room: tuple[int, ...] | None = None,
) -> Placement:
    """Put the cells of a table on the lattice, each on its own or the nearest free site.

    On every layer a site goes to the cell nearest to its centre (ties: smaller z, then y, then x, then
    phenotype); the others, in order of z, y, x and phenotype, take the nearest free site (ties: smaller
    plane, then row, then column). So the order of rows does not matter.

    Parameters
    ----------
    shape : tuple of int or None
        (Planes,) rows and columns; None for the bounding box of the table (the core). The core sits in the
        middle.
    site_um : float
        Lattice pitch, um.
    types, layers
        Cell types and layer names of the model.
    x_um, y_um : ndarray, shape (cell,)
        Positions, um; rows run along y.
    phenotype : sequence of str, shape (cell,)
    mapping : mapping
        Phenotype = cell type, composition {type: share} (exact over the placed cells, mixed at random) or
        "ignore". Phenotypes without an entry are left out and counted.
    seed : int
    fill : str
        What surrounds the core: "mirror" (mirrored copies of the placed core), "density" (cells at random at
        the densities of the core) or "none".
    max_sites : float
        Farthest that a cell may be put from its position, in sites; beyond it the cell is lost.
    provenance : mapping, optional
        Kept in the report.
    least : mapping of str to int, optional
        Fewest cells of a type; what is missing is added at random and reported.
    z_um : ndarray, shape (cell,), in 3-D
        Positions, um; planes run along z.
    room : tuple of int, optional
        The lattice that the core is to fit into where ``shape`` is None.

    Raises
    ------
    InputError
        Unknown word or type, no phenotype mapped, a position that is no number, core larger than lattice,
        2-D cells on a 3-D lattice or the reverse.
    """
    names = np.asarray(phenotype, dtype=str)
    axes = [np.asarray(u, dtype=np.float64) for u in (z_um, y_um, x_um) if u is not None]
    if fill not in FILLS:
        raise unknown_word("fill", fill, FILLS, "[tissue] table_fill")
    check_number(max_sites, "placement of a cell table", "max_sites", 1.0)
    if not names.size or any(u.shape != names.shape for u in axes) or not np.isfinite(sum(axes)).all():
        raise InputError("a cell table needs one finite x, y and phenotype a cell, and at least one cell")
    if shape is not None and len(shape) != len(axes):
        raise InputError(
            f"the cell table is {len(axes)}-D and the lattice {len(shape)}-D; give the table "
            f"{'a column for z' if len(shape) == 3 else 'no column for z'} or use a model of {len(axes)} dimensions"
        )
    shares = check_mapping(mapping, tuple(types))
    counts = {str(n): int(c) for n, c in zip(*np.unique(names, return_counts=True), strict=True)}
    if not shares.keys() & counts.keys():
        present = some(f"{n} ({c})" for n, c in sorted(counts.items(), key=lambda item: -item[1]))
        raise InputError(
            "no phenotype of the cell table is mapped to a cell type; map some of those present "
            f"with [tissue.table_mapping] or --map PHENOTYPE=TYPE: {present}"
        )
    axes = [(u - u.min()) / site_um for u in axes]
    core = tuple(int(min(u.max(), _MOST_SIDE)) + 1 for u in axes)
    centred(core, room or shape or core, site_um, "the cell table")
    shape = core if shape is None else shape
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    corner, window = centred(core, shape, site_um, "the cell table")
    placed = empty_lattice(core, site_um, types, layers, seed)
    found = _put_cells(placed, axes, names, shares, max_sites)
    region = np.ones(shape, np.uint8)
    region[window] = 0
    lattice.occupant[(slice(None), *window)] = placed.occupant
    if fill == "mirror":
        around = [(c, n - m - c) for c, n, m in zip(corner, shape, core, strict=True)]
        lattice.occupant[:] = np.pad(placed.occupant, ((0, 0), *around), mode="symmetric")
    elif fill == "density":
        _fill_at_density(lattice, placed, region == 1)
    added = {}
    for name, number in (least or {}).items():
        missing = max(0, number - lattice.count(name))
        lattice.add(name, missing, lattice.everywhere(), "added")
        if missing:
            added[name] = missing
    report = {
        "kind": "table",
        "table": dict(provenance or {}),
        "rules": _words(fill, max_sites, mapping),
        "core": {"corner": list(corner), "sites": list(core), "fill": fill},
        "phenotypes": found.pop("phenotypes"),
        "collisions": found,
        "unmapped": {n: c for n, c in counts.items() if n not in mapping},
        "ignored": {n: c for n, c in counts.items() if n in mapping and n not in shares},
        "absent": sorted(n for n in mapping if n not in counts),
        "added_to_least": added,
    }
    words = {name: " or ".join(target) for name, target in shares.items()}
    report["notes"] = said_of_table(report, max_sites * site_um, words)
    region_names = ("core", "surround") if (region == 1).any() else ("core",)
    return lattice.finished(region, region_names, report)


def centred(
    core: tuple[int, ...], shape: tuple[int, ...], site_um: float, what: str
) -> tuple[tuple[int, ...], tuple[slice, ...]]:
    """Return first corner and window of a core in the middle of a lattice.

    Raises
    ------
    InputError
        The core is larger than the lattice.
    """
    if any(c > n for c, n in zip(core, shape, strict=True)):
        words = ("planes", "rows", "columns")[-len(core) :]
        covers = " x ".join(f"{c} {word}" for c, word in zip(core, words, strict=True))
        raise InputError(
            f"{what} covers {covers} of {site_um:g} um, the lattice has {' x '.join(map(str, shape))}; "
            f"raise {' and '.join(f'lattice.{word}' for word in words)}"
        )
    corner = tuple((n - c) // 2 for c, n in zip(core, shape, strict=True))
    return corner, tuple(slice(a, a + c) for a, c in zip(corner, core, strict=True))


def _put_cells(
    core: Lattice,
    axes: Sequence[np.ndarray],
    names: np.ndarray,
    shares: Mapping[str, Mapping[str, float]],
    max_sites: float,
) -> dict[str, Any]:
    """Put the mapped cells on the core's own lattice; return what became of them."""
    phenotypes: dict[str, dict[str, int]] = {}
    distances: list[np.ndarray] = []
    for number in range(len(core.layers)):
        here = [p for p, types in shares.items() if core.layer_of[next(iter(types))] == number]
        rows = np.flatnonzero(np.isin(names, here))
        *z, y, x = (u[rows] for u in axes)
        site, moved = settle(x, y, names[rows], core.shape, max_sites, *z)
        distances.append(moved[moved > 0] * core.site_um)
        for name in sorted(here):
            mine = names[rows] == name
            found = mine & (site >= 0)
            total = int(np.count_nonzero(found))
            # by site, not by row: the same cells get the same types whatever the order of rows
            rng = generator(core.seed, f"composition {name}")
            ids = shuffled_ids(total, shares[name], core.ids, rng)
            core.occupant[number].reshape(-1)[np.sort(site[found])] = ids
            phenotypes[name] = {
                "cells": int(np.count_nonzero(mine)),
                "placed": total,
                "moved": int(np.count_nonzero(moved[mine] > 0)),
                "lost": int(np.count_nonzero(mine)) - total,
            }
    moved_um = np.sort(np.concatenate(distances))  # a sum that no order of rows changes
    return {
        "phenotypes": phenotypes,
        **{key: sum(p[key] for p in phenotypes.values()) for key in ("cells", "placed", "moved", "lost")},
        "mean_moved_um": float(moved_um.mean()) if moved_um.size else 0.0,
        "max_moved_um": float(moved_um.max()) if moved_um.size else 0.0,
    }


def _fill_at_density(lattice: Lattice, core: Lattice, outside: np.ndarray) -> None:
    share = float(np.count_nonzero(outside)) / math.prod(core.shape)
    for info in lattice.types:
        lattice.add(info.name, round(core.count(info.name) * share), outside, "surround")


def _words(fill: str, max_sites: float, mapping: Mapping[str, Any]) -> list[str]:
    """Return the rules of a placed table as sentences."""
    surround = {
        "mirror": "the surround repeats the placed core, mirrored at its edges",
        "density": "the surround holds cells at random at the densities of the core's bounding box",
        "none": "nothing is placed outside the core",
    }
    return [
        "on each layer a site goes to the cell nearest to its centre; the others take the nearest free site "
        f"within {max_sites:g} sites of their position, or are lost",
        "the order of rows does not matter: ties go by y, x, phenotype",
        surround[fill],
        *(f"{name}: {target_words(target)}" for name, target in mapping.items()),
    ]
