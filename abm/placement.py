"""Put cells on the lattice at time 0: drawn by rules, or taken from a table of real cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import placement_rules as r
from .errors import InputError, unknown_word
from .snapshot import CellTypeInfo


@dataclass(frozen=True)
class Placement:
    """Tissue at time 0.

    Attributes
    ----------
    occupant : ndarray of uint8, shape (layer, ny, nx)
        Cell-type id, 0 where empty.
    region : ndarray of uint8, shape (ny, nx)
        Index into ``region_names``.
    region_names : tuple of str
    report : dict
        What was placed, moved and lost, by which rules and from where; plain values that JSON can hold.
    """

    occupant: np.ndarray
    region: np.ndarray
    region_names: tuple[str, ...]
    report: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Lattice:
    """A lattice being filled."""

    site_um: float
    types: tuple[CellTypeInfo, ...]
    layers: tuple[str, ...]
    occupant: np.ndarray
    seed: int

    def __post_init__(self) -> None:
        self.ids = {info.name: info.id for info in self.types}
        self.layer_of = {info.name: self.layers.index(info.layer) for info in self.types}

    def free(self, name: str) -> np.ndarray:
        """Return the empty sites of the layer of a type, shape (ny, nx)."""
        return self.occupant[self.layer_of[name]] == 0

    def put(self, name: str, sites: np.ndarray) -> None:
        """Put a cell of a type on every site of a mask."""
        self.occupant[self.layer_of[name]][sites] = self.ids[name]

    def add(self, name: str, number: int, where: np.ndarray, purpose: str) -> None:
        """Put cells of a type on random free sites of a mask.

        Raises
        ------
        InputError
            There are fewer free sites than cells.
        """
        open_sites = where & self.free(name)
        room = int(np.count_nonzero(open_sites))
        if number > room:
            raise InputError(
                f"[tissue] {name}: {number} cells do not fit on {room} free sites ({purpose}); place fewer"
            )
        luck = r.generator(self.seed, f"{name} {purpose}").random(open_sites.shape)
        luck[~open_sites] = 2.0
        self.put(name, r.first_sites(luck, number, open_sites.shape))

    def count(self, name: str, where: np.ndarray | None = None) -> int:
        """Return the number of cells of a type, all or within a mask."""
        found = self.occupant[self.layer_of[name]] == self.ids[name]
        return int(np.count_nonzero(found if where is None else found & where))

    def finished(
        self, region: np.ndarray, region_names: tuple[str, ...], report: dict[str, Any]
    ) -> Placement:
        """Return the placement with the numbers that every report holds."""
        ny, nx = region.shape
        site_mm2 = self.site_um**2 * 1e-6
        masks = {name: region == i for i, name in enumerate(region_names)}
        head = {
            "sites": [ny, nx],
            "site_um": self.site_um,
            "seed": self.seed,
            "placed": {info.name: self.count(info.name) for info in self.types},
            "regions": {
                name: {
                    "area_mm2": int(mask.sum()) * site_mm2,
                    "placed": {info.name: self.count(info.name, mask) for info in self.types},
                }
                for name, mask in masks.items()
            },
        }
        return Placement(self.occupant, region, region_names, head | report)


def _empty(
    shape: tuple[int, int],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    seed: int,
) -> _Lattice:
    r.check_shape(shape, site_um)
    occupant = np.zeros((len(layers), *shape), np.uint8)
    return _Lattice(site_um, tuple(types), tuple(layers), occupant, seed)


def place_drawn(
    shape: tuple[int, int],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
) -> Placement:
    """Draw tissue by rules.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    site_um : float
        Lattice pitch, um.
    types, layers
        Cell types and layer names of the model; a cell sits on the layer of its type.
    rules : mapping
        ``occupancy`` (share of tumour sites, reached exactly), ``pattern`` (glands, nests, scattered, disc),
        ``scale_um`` (smoothing length of glands or nests), ``composition`` (tumour type = share, exact, mixed
        at random), ``stroma`` {type, fraction of sites}, ``vessels`` {type, per_mm2}, ``margin_um`` (width of
        the region "margin" along the first columns; 0 for none), ``immune`` {type: {region: cells per
        mm2}}, ``least_immune`` (fewest cells of an immune type; its densities are raised in proportion).
    seed : int
        Every kind of cell has luck of its own.

    Raises
    ------
    InputError
        Unknown key or word, value out of bounds, or more cells than sites.
    """
    lattice = _empty(shape, site_um, types, layers, seed)
    r.check_rules(rules, lattice.types, shape[1] * site_um)
    region = np.zeros(shape, np.uint8)
    margin = round(rules.get("margin_um", 0.0) / site_um)
    region[:, :margin] = 1
    region_names = r.REGIONS if margin else r.REGIONS[:1]

    chosen, inside, affinity = r.tumour_sites(shape, site_um, rules, seed)
    tumour = int(np.count_nonzero(chosen))
    layer = lattice.layer_of[next(iter(rules["composition"]))]
    mixed = r.shuffled_ids(tumour, rules["composition"], lattice.ids, r.generator(seed, "composition"))
    lattice.occupant[layer][chosen] = mixed
    report: dict[str, Any] = {
        "kind": "drawn",
        "rules": r.drawn_words(rules, margin, margin * site_um),
        "tumour": {
            "pattern": rules["pattern"],
            "sites": tumour,
            "occupancy": tumour / chosen.size,
            "gland_share": float(inside.mean()),
            "fill_of_glands": float(chosen[inside].mean()) if inside.any() else None,
        },
    }
    if "vessels" in rules:
        report["vessels"] = _add_vessels(lattice, rules["vessels"], inside)
    if "stroma" in rules:
        _add_stroma(lattice, rules, affinity)
    report["immune"] = {
        name: _add_immune(lattice, name, densities, rules.get("least_immune", 0), region, region_names)
        for name, densities in rules.get("immune", {}).items()
    }
    return lattice.finished(region, region_names, report)


def _add_vessels(lattice: _Lattice, table: Mapping[str, Any], inside: np.ndarray) -> dict[str, Any]:
    name, free = table["type"], lattice.free(table["type"])
    number = round(table["per_mm2"] * free.size * lattice.site_um**2 * 1e-6)
    room = int(np.count_nonzero(free))
    if number > room:
        raise InputError(f"[tissue] vessels: {number} do not fit on {room} free sites; lower 'per_mm2'")
    sites, spacing = r.spaced_sites(free, ~inside, number, lattice.seed)
    lattice.put(name, sites)
    return {
        "asked_per_mm2": float(table["per_mm2"]),
        "least_distance_um": spacing * lattice.site_um,
        "inside_glands": int(np.count_nonzero(sites & inside)),
    }


def _add_stroma(lattice: _Lattice, rules: Mapping[str, Any], affinity: np.ndarray) -> None:
    name = rules["stroma"]["type"]
    free, shape = lattice.free(name), affinity.shape
    number = round(rules["stroma"]["fraction"] * free.size)
    room = int(np.count_nonzero(free))
    if number > room:
        raise InputError(f"[tissue] stroma: {number} sites are asked for, {room} are free; lower 'fraction'")
    sigma = rules.get("scale_um", 60.0) / lattice.site_um
    patches = r.texture(shape, sigma, r.generator(lattice.seed, "stroma patches"))
    # The lowest of score - Gumbel noise: a draw without replacement with weights exp(-score).
    score = 1.5 * (affinity - patches) - r.generator(lattice.seed, "stroma").gumbel(size=shape)
    lattice.put(name, r.first_sites(np.where(free, score, np.inf), number, shape))


def _add_immune(
    lattice: _Lattice,
    name: str,
    densities: Mapping[str, float],
    least: int,
    region: np.ndarray,
    region_names: tuple[str, ...],
) -> dict[str, Any]:
    site_mm2 = lattice.site_um**2 * 1e-6
    masks = {word: region == i for i, word in enumerate(region_names)}
    expected = {word: densities[word] * int(mask.sum()) * site_mm2 for word, mask in masks.items()}
    numbers = {word: round(value) for word, value in expected.items()}
    raised = sum(numbers.values()) < least
    if raised:
        shares = expected if sum(expected.values()) > 0 else {w: float(m.sum()) for w, m in masks.items()}
        numbers = r.exact_numbers(least, shares)
    for word, mask in masks.items():
        lattice.add(name, numbers[word], mask, word)
    asked = {word: float(densities[word]) for word in region_names}
    return {"asked_per_mm2": asked, "raised_to_least": raised}


def place_table(
    shape: tuple[int, int] | None,
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
) -> Placement:
    """Put the cells of a table on the lattice, each on its own or the nearest free site.

    On every layer a site goes to the cell nearest to its centre (ties: smaller y, then x, then phenotype);
    the others, in order of y, x and phenotype, take the nearest free site (ties: smaller row, then column).
    So the order of rows does not matter.

    Parameters
    ----------
    shape : (int, int) or None
        Rows and columns; None for the bounding box of the table (the core). The core sits in the middle.
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

    Raises
    ------
    InputError
        Unknown word or type, no phenotype mapped, a position that is no number, core larger than lattice.
    """
    names = np.asarray(phenotype, dtype=str)
    x, y = np.asarray(x_um, dtype=np.float64), np.asarray(y_um, dtype=np.float64)
    if fill not in r.FILLS:
        raise unknown_word("fill", fill, r.FILLS, "[tissue] table_fill")
    r.check_number(max_sites, "placement of a cell table", "max_sites", 1.0)
    if not x.size or not x.shape == y.shape == names.shape or not np.isfinite(x + y).all():
        raise InputError("a cell table needs one finite x, y and phenotype a cell, and at least one cell")
    shares = r.check_mapping(mapping, tuple(types))
    counts = {str(n): int(c) for n, c in zip(*np.unique(names, return_counts=True), strict=True)}
    if not shares.keys() & counts.keys():
        present = ", ".join(f"{n} ({c})" for n, c in sorted(counts.items(), key=lambda item: -item[1]))
        raise InputError(
            "no phenotype of the cell table is mapped to a cell type; map some of those present "
            f"with [tissue.table_mapping] or --map PHENOTYPE=TYPE: {present}"
        )
    x, y = (x - x.min()) / site_um, (y - y.min()) / site_um
    core = (int(y.max()) + 1, int(x.max()) + 1)
    shape = core if shape is None else shape
    lattice = _empty(shape, site_um, types, layers, seed)
    if core[0] > shape[0] or core[1] > shape[1]:
        raise InputError(
            f"the cell table covers {core[0]} rows x {core[1]} columns of {site_um:g} um, the lattice has "
            f"{shape[0]} x {shape[1]}; raise lattice.rows and lattice.columns"
        )
    corner = (shape[0] - core[0]) // 2, (shape[1] - core[1]) // 2
    window = np.s_[corner[0] : corner[0] + core[0], corner[1] : corner[1] + core[1]]
    placed = _empty(core, site_um, types, layers, seed)
    found = _put_cells(placed, x, y, names, shares, max_sites)
    region = np.ones(shape, np.uint8)
    region[window] = 0
    lattice.occupant[(slice(None), *window)] = placed.occupant
    if fill == "mirror":
        rows, columns = ((corner[i], shape[i] - core[i] - corner[i]) for i in (0, 1))
        lattice.occupant[:] = np.pad(placed.occupant, ((0, 0), rows, columns), mode="symmetric")
    elif fill == "density":
        _fill_at_density(lattice, placed, region == 1)
    added = {}
    for name, number in (least or {}).items():
        missing = max(0, number - lattice.count(name))
        lattice.add(name, missing, np.ones(shape, bool), "added")
        if missing:
            added[name] = missing
    report = {
        "kind": "table",
        "table": dict(provenance or {}),
        "rules": r.table_words(fill, max_sites, mapping),
        "core": {"corner": list(corner), "sites": list(core), "fill": fill},
        "phenotypes": found.pop("phenotypes"),
        "collisions": found,
        "unmapped": {n: c for n, c in counts.items() if n not in mapping},
        "ignored": {n: c for n, c in counts.items() if n in mapping and n not in shares},
        "absent": sorted(n for n in mapping if n not in counts),
        "added_to_least": added,
    }
    region_names = ("core", "surround") if (region == 1).any() else ("core",)
    return lattice.finished(region, region_names, report)


def _put_cells(
    core: _Lattice,
    x: np.ndarray,
    y: np.ndarray,
    names: np.ndarray,
    shares: Mapping[str, Mapping[str, float]],
    max_sites: float,
) -> dict[str, Any]:
    """Put the mapped cells on the core's own lattice; return what became of them."""
    phenotypes: dict[str, dict[str, int]] = {}
    distances: list[np.ndarray] = []
    shape = core.occupant.shape[1:]
    for number in range(len(core.layers)):
        here = [p for p, types in shares.items() if core.layer_of[next(iter(types))] == number]
        rows = np.flatnonzero(np.isin(names, here))
        site, moved = r.settle(x[rows], y[rows], names[rows], shape, max_sites)
        distances.append(moved[moved > 0] * core.site_um)
        for name in sorted(here):
            mine = names[rows] == name
            found = mine & (site >= 0)
            total = int(np.count_nonzero(found))
            # by site, not by row: the same cells get the same types whatever the order of rows
            rng = r.generator(core.seed, f"composition {name}")
            ids = r.shuffled_ids(total, shares[name], core.ids, rng)
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


def _fill_at_density(lattice: _Lattice, core: _Lattice, outside: np.ndarray) -> None:
    share = np.count_nonzero(outside) / core.occupant[0].size
    for info in lattice.types:
        lattice.add(info.name, round(core.count(info.name) * share), outside, "surround")
