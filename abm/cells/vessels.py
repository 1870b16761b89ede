"""Bring cells from blood into tissue through entry points, usually vessels.

An entry point is a cell with an ``admit`` behaviour; its rate is its relative weight (0 where it is negative), times
the factor of the region it lies in. A cell that arrives settles on a free site of its layer at or next to the entry
point it drew; if there is none it does not enter, nor does it through an entry point that has died meanwhile, nor
where all weights are 0.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from ..lattice import LAYERS, SITES, Lattice
from ..tables import Tables, View
from . import draws
from .attributes import begin
from .pointers import row
from .sense import rate
from .world import World, neighbour, site_of, world_of


class Entries(NamedTuple):
    """Where cells come in.

    Attributes
    ----------
    points : int64[entry point]
        Their places.
    weights : float64[type + 1, entry point]
        Cumulated weights by arriving type.
    """

    points: np.ndarray
    weights: np.ndarray


@njit(cache=True)
def list_entry_points(view: View, lattice: Lattice, tables: Tables, points: np.ndarray) -> int:
    """List the places that admit anything; return how many there are, also those for which there is no room."""
    types, sites = tables.types, lattice.size[SITES]
    n = 0
    for layer in range(lattice.size[LAYERS]):
        used = False
        for t in range(1, types.size):
            used = used or (types[t]["layer"] == layer and types[t]["admit_last"] > types[t]["admit_first"])
        if not used:
            continue
        for place in range(layer * sites, (layer + 1) * sites):
            entry = types[view.occupant[place]]
            if entry["admit_last"] > entry["admit_first"]:
                if n < points.size:
                    points[n] = place
                n += 1
    return n


@njit(cache=True)
def weigh_entry_points(
    arriving: int,
    points: np.ndarray,
    region_factor: np.ndarray,
    region: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
    cumulated: np.ndarray,
) -> None:
    """Write the cumulated weights of entry points for one cell type.

    ``region_factor`` has shape (regions,), ``region`` is the flat uint8 map of region numbers.
    """
    w = world_of(view, lattice, tables)
    total = 0.0
    for k in range(points.size):
        place = points[k]
        t = view.occupant[place]
        for slot in range(tables.types[t]["admit_first"], tables.types[t]["admit_last"]):
            if tables.slots[slot]["object"] == arriving:
                total += max(0.0, rate(slot, place, w)) * region_factor[region[site_of(place, w)]]
        cumulated[k] = total


@njit(cache=True)
def admits(place: int, arriving: int, w: World) -> bool:
    """Return whether the cell at a place lets a type in."""
    gate = row(w.types, w.occupant[place])
    found = False
    for slot in range(gate["admit_first"], gate["admit_last"]):
        found = found or row(w.slots, slot)["object"] == arriving
    return found


@njit(cache=True)
def free_place(site: int, start: int, key: np.uint64, w: World) -> int:
    """Return a random free place among a site and its neighbours on the layer that begins at ``start``, or -1."""
    free = 0
    for k in range(-1, w.neighbours):
        other = site if k < 0 else neighbour(site, k, 1, w)
        free += other >= 0 and w.occupant[start + other] == 0
    if free == 0:
        return -1
    chosen = draws.below(key, free)
    for k in range(-1, w.neighbours):
        other = site if k < 0 else neighbour(site, k, 1, w)
        if other >= 0 and w.occupant[start + other] == 0:
            if chosen == 0:
                return start + other
            chosen -= 1
    return -1


@njit(cache=True)
def arrive(
    number: int,
    late: int,
    arriving: int,
    seed: np.uint64,
    step: int,
    points: np.ndarray,
    cumulated: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
) -> int:
    """Let the arrivals of a type that fall into one half of the interval enter; return how many found a site.

    Each arrival draws its half (``late`` 0 or 1), its uid, its entry point and its site by hashes of (seed,
    step, type, number).
    """
    w = world_of(view, lattice, tables)
    key = draws.mix(draws.step_key(seed, step, draws.ARRIVAL) ^ np.uint64(arriving))
    start = tables.types[arriving]["layer"] * w.sites
    entered = 0
    if points.size == 0 or not cumulated[-1] > 0.0:
        return entered
    for k in range(number):
        luck = draws.mix(key + np.uint64(k))
        if (luck & np.uint64(1)) != np.uint64(late):
            continue
        pick = draws.uniform(draws.mix(luck ^ np.uint64(draws.ENTRY))) * cumulated[-1]
        point = points[min(np.searchsorted(cumulated, pick, side="right"), points.size - 1)]
        if not admits(point, arriving, w):
            continue
        target = free_place(site_of(point, w), start, draws.mix(luck ^ np.uint64(draws.PLACE)), w)
        if target < 0:
            continue
        view.occupant[target] = arriving
        view.uid[target] = draws.mix(luck ^ np.uint64(draws.RECRUIT))
        begin(target, target, 0, w)
        entered += 1
    return entered


@njit(cache=True, nogil=True)
def arrive_types(
    wanted: np.ndarray,
    late: int,
    seed: np.uint64,
    step: int,
    entries: Entries,
    view: View,
    lattice: Lattice,
    tables: Tables,
    entered: np.ndarray,
) -> None:
    """Let one half of the arrivals of a step enter, type by type, and count those that found a site.

    ``wanted`` and ``entered`` have shape (type + 1,).
    """
    for t in range(wanted.size):
        if wanted[t] > 0:
            entered[t] += arrive(
                wanted[t], late, t, seed, step, entries.points, entries.weights[t], view, lattice, tables
            )


def first_uids(occupant: np.ndarray, seed: int) -> np.ndarray:
    """Return the uids of the cells placed at time 0, hashes of (seed, site), shape of ``occupant``."""
    uid = np.zeros(occupant.shape, np.uint64)
    _fill_uids(occupant.reshape(-1), np.uint64(seed), uid.reshape(-1))
    return uid


@njit(cache=True)
def _fill_uids(occupant: np.ndarray, seed: np.uint64, uid: np.ndarray) -> None:
    key = draws.step_key(seed, draws.NO_STEP, draws.RECRUIT)
    for k in range(occupant.size):
        if occupant[k]:
            uid[k] = draws.mix(key ^ np.uint64(k))
