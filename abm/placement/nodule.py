"""A disc or ball of tumour, alone or in stroma."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..snapshot import CellTypeInfo
from .checks import REGIONS, check_number, check_whole
from .clusters import check_nest, nearest_sites, random_centres, reach_of
from .drawn import add_surroundings, check_surroundings, surroundings_words
from .lattice import Lattice, Placement, empty_lattice
from .luck import exact_numbers, generator
from .numbers import scatter, split
from .texture import distance_to

PLACES = ("random", "centre", "rim")
_WHERE = "[tissue]"


def place_nodule(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
    surrounded: bool = False,
) -> Placement:
    """Put a disc (in 3-D a ball) of tumour around the middle site of the lattice, index n // 2 along each axis.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``.
    rules : mapping
        Size: ``radius_um`` (all sites whose centre lies within it) or ``nodule_cells``. ``packing``: share of
        the nodule's sites that hold a cell (1 if absent). ``composition``, ``counts`` and ``ceil`` as for
        ``place_scattered``; the types are mixed at random. ``nest`` { type, count, places } gathers one type
        in so many equal clusters: around "random" cells of the nodule, at its "rim" or at its "centre" (one).
        With ``surrounded`` also ``stroma``, ``vessels``, ``immune``, ``least_immune`` and ``scale_um`` as for
        ``place_drawn``; the nodule is the region "core", all around it "margin".
    surrounded : bool
        Whether stroma, vessels and immune cells are placed around it.

    Raises
    ------
    InputError
        Size missing or too large for the lattice, unknown type or word, more cells than sites.
    """
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    inside, total = _extent(rules, lattice)
    numbers = split(total, rules, lattice)
    centre = tuple(n // 2 for n in shape)
    distance = distance_to(centre, shape)
    report: dict[str, Any] = {
        "kind": "nodule",
        "rules": [
            "the nodule is the sites nearest to the middle; its types are mixed at random in exact numbers"
        ],
        "nodule": {
            "centre_um": [(c + 0.5) * site_um for c in centre],
            "radius_um": float(distance[inside].max()) * site_um if inside.any() else 0.0,
            "sites": int(inside.sum()),
            "cells": total,
        },
        "asked": numbers,
    }
    if "nest" in rules:
        check_nest(rules["nest"], lattice.types, PLACES)
        report["clusters"] = _clusters(lattice, rules["nest"], numbers, inside, centre)
        if report["clusters"]:
            numbers = {name: number for name, number in numbers.items() if name != rules["nest"]["type"]}
    scatter(lattice, numbers, inside, "nodule")
    if not surrounded:
        return lattice.finished_in_one_region(report)
    check_surroundings(rules, lattice.types, shape[-1] * site_um, REGIONS)
    region = (~inside).astype(np.uint8)
    affinity = -(distance - distance.mean()) / max(distance.std(), 1e-12)
    report["kind"] = "nodule in stroma"
    report["rules"] += surroundings_words(rules)
    around = add_surroundings(lattice, rules, inside, affinity, region, REGIONS)
    return lattice.finished(region, REGIONS, report | around)


def _extent(rules: Mapping[str, Any], lattice: Lattice) -> tuple[np.ndarray, int]:
    """Return the sites of the nodule as a mask and how many of them hold a cell."""
    shape, pitch = lattice.shape, lattice.site_um
    if ("radius_um" in rules) == ("nodule_cells" in rules):
        raise InputError(f"{_WHERE}: a nodule needs 'radius_um' or 'nodule_cells', one of them")
    packing = rules.get("packing", 1.0)
    check_number(packing, _WHERE, "packing", 0.0, 1.0)
    centre = tuple(n // 2 for n in shape)
    first_outside = min(min(c + 1, n - c) for c, n in zip(centre, shape, strict=True))
    if "radius_um" in rules:
        check_number(rules["radius_um"], _WHERE, "radius_um", 0.0)
        radius = rules["radius_um"] / pitch
        inside = distance_to(centre, shape) <= radius
        total = round(packing * int(inside.sum()))
        words = f"of radius {rules['radius_um']:g} um"
    else:
        check_whole(rules["nodule_cells"], _WHERE, "nodule_cells", 0)
        total = int(rules["nodule_cells"])
        sites = math.ceil(total / packing) if packing else 0
        if total > sites or sites > math.prod(shape):
            raise InputError(
                f"{_WHERE}: a nodule of {total} cells at a packing of {packing:g} does not fit on "
                f"{math.prod(shape)} sites; lower 'nodule_cells'"
            )
        luck = generator(lattice.seed, "nodule").random(shape)
        inside = nearest_sites(centre, sites, lattice.everywhere(), luck)
        radius = float(distance_to(centre, shape)[inside].max()) if sites else 0.0
        words = f"of {total} cells (radius {radius * pitch:g} um)"
    if radius >= first_outside:
        raise InputError(
            f"{_WHERE}: a nodule {words} crosses the edge of the lattice, {first_outside * pitch:g} um from its "
            "centre; make it smaller or the lattice larger"
        )
    return inside, total


def _clusters(
    lattice: Lattice,
    nest: Mapping[str, Any],
    numbers: Mapping[str, int],
    inside: np.ndarray,
    middle: tuple[int, ...],
) -> list[dict[str, Any]]:
    """Put one type into clusters within the nodule; return where they are."""
    name, count, places = nest["type"], int(nest["count"]), nest.get("places", PLACES[0])
    for key in ("cells", "radius_um", "distance_um"):
        if key in nest:
            raise InputError(f"{_WHERE} nest: '{key}' is for nests outside a nodule; give 'counts' of {name}")
    number = numbers.get(name, 0)
    if not count or not number:
        return []
    if number < count or (places == "centre" and count > 1):
        most = 1 if places == "centre" else number
        raise InputError(
            f"{_WHERE} nest: {count} clusters of {number} {name} ({places}); at most {most} can be"
        )
    sizes = list(exact_numbers(number, dict.fromkeys(map(str, range(count)), 1.0)).values())
    centres: list[tuple[int, ...]] = [middle]
    if places != "centre":
        candidates = inside & _touches(~inside) if places == "rim" else inside
        apart = 2 * reach_of(max(sizes), inside.ndim) + 2
        centres, _ = random_centres(candidates, count, apart, lattice.seed, shrink=True)
    luck = generator(lattice.seed, "clusters").random(inside.shape)
    found = []
    for centre, size in zip(centres, sizes, strict=True):
        sites = nearest_sites(centre, size, inside & lattice.free(name), luck)
        lattice.put(name, sites)
        found.append({"centre_um": [(c + 0.5) * lattice.site_um for c in centre], "cells": int(sites.sum())})
    return found


def _touches(mask: np.ndarray) -> np.ndarray:
    """Return the sites that have a site of the mask beside them along an axis."""
    near = np.zeros_like(mask)
    for axis in range(mask.ndim):
        low, high = [slice(None)] * mask.ndim, [slice(None)] * mask.ndim
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        near[tuple(low)] |= mask[tuple(high)]
        near[tuple(high)] |= mask[tuple(low)]
    return near
