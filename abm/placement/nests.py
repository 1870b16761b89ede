"""Circular nests of one type in a scattered population of the others."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import InputError
from ..snapshot import CellTypeInfo
from .clusters import check_nest, nearest_sites, random_centres, reach_of, regular_centres
from .lattice import Lattice, Placement, empty_lattice
from .luck import exact_numbers, generator
from .numbers import scatter, split, tumour_total
from .texture import distance_to

PLACES = ("random", "regular", "row")


def place_nests(
    shape: tuple[int, ...],
    site_um: float,
    types: Sequence[CellTypeInfo],
    layers: Sequence[str],
    rules: Mapping[str, Any],
    seed: int,
) -> Placement:
    """Put one type into circular (in 3-D spherical) nests and scatter the others around them.

    Parameters
    ----------
    shape, site_um, types, layers, seed
        As for ``place_drawn``.
    rules : mapping
        ``occupancy``, ``composition``, ``counts`` and ``ceil`` as for ``place_scattered``; ``nest`` { type,
        count } (0: scattered as the others), and if wanted: ``places`` ("random", "regular" or "row"),
        ``distance_um`` (between neighbouring centres of a grid or row), ``cells`` or ``radius_um`` of a nest.
        Without the last two all cells of the type are divided equally; with them the others share the rest
        of the total.

    Raises
    ------
    InputError
        Unknown type or word, more cells than sites, nests that overlap, cross the edge or find no place.
    """
    lattice = empty_lattice(shape, site_um, types, layers, seed)
    check_nest(rules.get("nest"), lattice.types, PLACES)
    nest, total = rules["nest"], tumour_total(rules, math.prod(shape))
    name, count = nest["type"], int(nest["count"])
    report: dict[str, Any] = {"kind": "nests", "rules": _words(nest), "nests": []}
    if count:
        sizes = _sizes(nest, count, total, rules, lattice)
        centres = _centres(nest, sizes, lattice)
        report["nests"] = [_fill(lattice, nest, c, n) for c, n in zip(centres, sizes, strict=True)]
        rules = {**rules, "counts": {**rules.get("counts", {}), name: lattice.count(name)}}
    numbers = split(total, rules, lattice)
    scatter(
        lattice,
        {n: k for n, k in numbers.items() if n != name or not count},
        lattice.everywhere(),
        "scattered",
    )
    return lattice.finished_in_one_region(report | {"asked": numbers})


def _sizes(
    nest: Mapping[str, Any], count: int, total: int, rules: Mapping[str, Any], lattice: Lattice
) -> list[int]:
    """Return the number of cells of every nest."""
    if "radius_um" in nest:
        reach = nest["radius_um"] / lattice.site_um
        side = 2 * math.floor(reach) + 1
        middle = (side // 2,) * len(lattice.shape)
        return [int((distance_to(middle, (side,) * len(lattice.shape)) <= reach).sum())] * count
    if "cells" in nest:
        return [int(nest["cells"])] * count
    number = split(total, rules, lattice).get(nest["type"], 0)
    if number < count:
        raise InputError(
            f"[tissue] nest: {count} nests need as many cells, there are {number} {nest['type']}"
        )
    return list(exact_numbers(number, dict.fromkeys(map(str, range(count)), 1.0)).values())


def _centres(nest: Mapping[str, Any], sizes: list[int], lattice: Lattice) -> list[tuple[float, ...]]:
    """Return the centres of the nests in sites; random ones lie apart and inside."""
    places, count, shape = nest.get("places", PLACES[0]), len(sizes), lattice.shape
    distance = nest.get("distance_um")
    if places != "random":
        return regular_centres(shape, count, places, None if distance is None else distance / lattice.site_um)
    reach = reach_of(max(sizes), len(shape))
    inside = np.ones(shape, bool)
    for axis, n in enumerate(shape):
        place = np.arange(n)
        fits = (place >= math.floor(reach)) & (place <= n - 1 - math.floor(reach))
        inside &= fits.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    # two sites between the rims: no cell of one nest is a neighbour of another one, in any neighbourhood
    apart = 2 * reach + 2 if distance is None else distance / lattice.site_um
    centres, _ = random_centres(inside, count, apart, lattice.seed, shrink=False)
    if len(centres) < count:
        raise InputError(
            f"[tissue] nest: {count} nests of {max(sizes)} cells (radius {reach * lattice.site_um:g} um), "
            f"centres {apart * lattice.site_um:g} um apart, do not fit: {len(centres)} found a place on "
            f"{' x '.join(map(str, shape))} sites of {lattice.site_um:g} um; ask for fewer or smaller ones"
        )
    return [tuple(map(float, centre)) for centre in centres]


def _fill(lattice: Lattice, nest: Mapping[str, Any], centre: tuple[float, ...], cells: int) -> dict[str, Any]:
    """Put one nest; return its centre and size."""
    name, pitch = nest["type"], lattice.site_um
    if "radius_um" in nest:
        distance = distance_to(centre, lattice.shape)
        sites = distance <= nest["radius_um"] / pitch
        reach = nest["radius_um"] / pitch
    else:
        label = " ".join(f"{c:g}" for c in centre)
        luck = generator(lattice.seed, f"nest {label}").random(lattice.shape)
        sites = nearest_sites(centre, cells, lattice.everywhere(), luck)
        reach = float(distance_to(centre, lattice.shape)[sites].max())
    words = f"the nest of {cells} {name} around site ({', '.join(f'{c:g}' for c in centre)})"
    if any(min(c + 1, n - c) <= reach for c, n in zip(centre, lattice.shape, strict=True)):
        raise InputError(
            f"[tissue] nest: {words}, radius {reach * pitch:g} um, crosses the edge of the lattice of "
            f"{' x '.join(map(str, lattice.shape))} sites of {pitch:g} um; lower 'distance_um' or its size"
        )
    if (sites & ~lattice.free(name)).any():
        raise InputError(
            f"[tissue] nest: {words}, radius {reach * pitch:g} um, overlaps another one; raise 'distance_um', "
            "or ask for fewer or smaller nests"
        )
    lattice.put(name, sites)
    return {
        "centre_um": [(c + 0.5) * pitch for c in centre],
        "cells": int(np.count_nonzero(sites)),
        "radius_um": reach * pitch,
    }


def _words(nest: Mapping[str, Any]) -> list[str]:
    if not nest["count"]:
        return ["no nests: every type sits on random free sites, in its exact number"]
    places = {
        "random": "random sites, apart from one another and inside the lattice",
        "regular": "a grid in the middle of the lattice",
        "row": "a row along x in the middle of the lattice",
    }[nest.get("places", PLACES[0])]
    return [
        f"{nest['type']} sits in {int(nest['count'])} nests, each the sites nearest to its centre; centres: {places}",
        "every other type sits on random free sites, in its exact number",
    ]
