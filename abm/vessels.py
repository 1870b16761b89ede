"""Bring cells from blood into tissue through entry points, usually vessels.

An entry point is a cell with an ``admit`` behaviour; its rate is its relative weight, times the factor of
the region it lies in. A cell that arrives settles on a free site of its layer at or next to the entry point
it drew; if there is none it does not enter.
"""

import numpy as np
from numba import njit

from . import draws
from .sense import rate, senses_of
from .tables import RateTables, Tables, View


@njit(cache=True)
def list_entry_points(view: View, tables: Tables, points: np.ndarray) -> int:
    """List the cells that admit anything as flat (layer, y, x) indices; return how many there are."""
    layers, ny, nx = view.occupant.shape
    types = tables.types
    n = 0
    for layer in range(layers):
        used = False
        for t in range(1, types.size):
            used = used or (types[t]["layer"] == layer and types[t]["admit_last"] > types[t]["admit_first"])
        if not used:
            continue
        for y in range(ny):
            for x in range(nx):
                entry = types[view.occupant[layer, y, x]]
                if entry["admit_last"] > entry["admit_first"]:
                    points[n] = (layer * ny + y) * nx + x
                    n += 1
    return n


@njit(cache=True)
def weigh_entry_points(
    arriving: int,
    points: np.ndarray,
    region_factor: np.ndarray,
    region: np.ndarray,
    view: View,
    tables: Tables,
    cumulated: np.ndarray,
) -> None:
    """Write the cumulated weights of entry points for one cell type.

    ``region_factor`` has shape (regions,), ``region`` is the uint8 map of region numbers.
    """
    _, ny, nx = view.occupant.shape
    types, slots = tables.types, tables.slots
    senses = senses_of(view)
    rates = RateTables(slots, tables.rules, tables.sets)
    total = 0.0
    for k in range(points.size):
        layer, y, x = points[k] // (ny * nx), (points[k] // nx) % ny, points[k] % nx
        t = view.occupant[layer, y, x]
        for slot in range(types[t]["admit_first"], types[t]["admit_last"]):
            if slots[slot]["object"] == arriving:
                total += rate(slot, layer, y, x, senses, rates) * region_factor[region[y, x]]
        cumulated[k] = total


@njit(cache=True)
def free_site(layer: int, y: int, x: int, key: np.uint64, view: View) -> int:
    """Return a random free site among a site and its eight neighbours as y * nx + x, or -1."""
    _, ny, nx = view.occupant.shape
    free = chosen = 0
    for attempt in range(2):
        if attempt == 1:
            if free == 0:
                return -1
            chosen, free = int(draws.uniform(key) * free), 0
        for j in range(max(0, y - 1), min(ny, y + 2)):
            for i in range(max(0, x - 1), min(nx, x + 2)):
                if view.occupant[layer, j, i] == 0:
                    if attempt == 1 and free == chosen:
                        return j * nx + i
                    free += 1
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
    tables: Tables,
) -> int:
    """Let the arrivals of a type that fall into one half of the interval enter; return how many found a site.

    Each arrival draws its half (``late`` 0 or 1), its uid, its entry point and its site by hashes of (seed,
    step, type, number).
    """
    _, ny, nx = view.occupant.shape
    key = draws.mix(draws.step_key(seed, step, draws.ARRIVAL) ^ np.uint64(arriving))
    layer = tables.types[arriving]["layer"]
    entered = 0
    for k in range(number):
        luck = draws.mix(key + np.uint64(k))
        if (luck & np.uint64(1)) != np.uint64(late) or points.size == 0:
            continue
        pick = draws.uniform(draws.mix(luck ^ np.uint64(draws.ENTRY))) * cumulated[-1]
        point = min(np.searchsorted(cumulated, pick, side="right"), points.size - 1)
        y, x = (points[point] // nx) % ny, points[point] % nx
        target = free_site(layer, y, x, draws.mix(luck ^ np.uint64(draws.PLACE)), view)
        if target < 0:
            continue
        view.occupant[layer, target // nx, target % nx] = arriving
        view.uid[layer, target // nx, target % nx] = draws.mix(luck ^ np.uint64(draws.RECRUIT))
        entered += 1
    return entered


def first_uids(occupant: np.ndarray, seed: int) -> np.ndarray:
    """Return the uids of the cells placed at time 0, hashes of (seed, site), shape of ``occupant``."""
    uid = np.zeros(occupant.shape, np.uint64)
    _fill_uids(occupant.reshape(-1), np.uint64(seed), uid.reshape(-1))
    return uid


@njit(cache=True)
def _fill_uids(occupant: np.ndarray, seed: np.uint64, uid: np.ndarray) -> None:
    key = draws.step_key(seed, -1, draws.RECRUIT)
    for k in range(occupant.size):
        if occupant[k]:
            uid[k] = draws.mix(key ^ np.uint64(k))
