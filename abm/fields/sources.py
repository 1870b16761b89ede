"""What cells and vessels put into a field and take out of it, site by site."""

import numpy as np
from numba import njit

from ..cells.sense import rate
from ..cells.world import world_of
from ..lattice import LAYERS, SITES, Lattice
from ..tables import Tables, View
from ..vocabulary import SECRETE


@njit(cache=True)
def constant_exchange(field: int, tables: Tables, given: np.ndarray, taken: np.ndarray) -> bool:
    """Write what one cell of each type secretes and takes up by behaviours without rules, shape (type + 1,);
    return whether any type has behaviours with rules besides."""
    types, slots = tables.types, tables.slots
    ruled = False
    for t in range(types.size):
        given[t] = taken[t] = 0.0
        for slot in range(types[t]["exchange_first"], types[t]["exchange_last"]):
            behaviour = slots[slot]
            if behaviour["object"] != field:
                continue
            if behaviour["rule_last"] > behaviour["rule_first"]:
                ruled = True
            elif behaviour["verb"] == SECRETE:
                given[t] += behaviour["base"]
            else:
                taken[t] += behaviour["base"]
    return ruled


@njit(cache=True, nogil=True)
def fill_sources(
    field: int,
    view: View,
    lattice: Lattice,
    tables: Tables,
    per_type: np.ndarray,
    source: np.ndarray,
    uptake: np.ndarray,
    exchange: np.ndarray,
) -> None:
    """Write secretion (unit/h), uptake and exchange with vessels (1/h) of a field at every site.

    ``per_type`` is scratch of shape (3, type + 1).
    """
    row, types, slots, occupant = tables.fields[field], tables.types, tables.slots, view.occupant
    w = world_of(view, lattice, tables)
    sites = lattice.size[SITES]
    background = row["background"]
    if row["background_signal"] >= 0:
        background += view.body[row["background_signal"]]
    given, taken, exchanged = per_type[0], per_type[1], per_type[2]
    ruled = constant_exchange(field, tables, given, taken)
    exchanged[:] = 0.0
    if row["vessels"] >= 0:
        for t in range(1, types.size):
            exchanged[t] = row["vessel_exchange"] * tables.sets[row["vessels"], t]
    for site in range(sites):
        source[site] = background
        uptake[site] = exchange[site] = 0.0
    for layer in range(lattice.size[LAYERS]):
        gives = takes = leaks = False
        for t in range(1, types.size):
            if types[t]["layer"] == layer:
                gives, takes = gives or given[t] > 0.0, takes or taken[t] > 0.0
                leaks = leaks or exchanged[t] > 0.0
        start = layer * sites
        if gives:
            for site in range(sites):
                source[site] += given[occupant[start + site]]
        if takes:
            for site in range(sites):
                uptake[site] += taken[occupant[start + site]]
        if leaks:
            for site in range(sites):
                exchange[site] += exchanged[occupant[start + site]]
    if not ruled:
        return
    for place in range(occupant.size):
        t = occupant[place]
        for slot in range(types[t]["exchange_first"], types[t]["exchange_last"]):
            behaviour = slots[slot]
            if behaviour["object"] != field or behaviour["rule_last"] == behaviour["rule_first"]:
                continue
            amount = max(0.0, rate(slot, place, w))
            if behaviour["verb"] == SECRETE:
                source[place % sites] += amount
            else:
                uptake[place % sites] += amount


@njit(cache=True, nogil=True)
def fill_diffusion(field: int, view: View, lattice: Lattice, tables: Tables, diffusion: np.ndarray) -> None:
    """Write D / site^2 (1/h) of a field at every site: that of the cells there, the lowest if there are several."""
    sites, table = lattice.size[SITES], tables.diffusion_in
    for site in range(sites):
        lowest = np.inf
        for layer in range(lattice.size[LAYERS]):
            here = table[field, view.occupant[layer * sites + site]]
            if here >= 0.0:
                lowest = min(lowest, here)
        diffusion[site] = tables.fields[field]["diffusion_per_h"] if lowest == np.inf else lowest


@njit(cache=True, nogil=True)
def fill_crowd(weights: np.ndarray, view: View, lattice: Lattice, tables: Tables, crowd: np.ndarray) -> None:
    """Write the weighted number of cells at every site."""
    sites = lattice.size[SITES]
    crowd[:] = 0.0
    for layer in range(lattice.size[LAYERS]):
        counts = False
        for t in range(1, weights.size):
            counts = counts or (weights[t] != 0.0 and tables.types[t]["layer"] == layer)
        if not counts:
            continue
        for site in range(sites):
            crowd[site] += weights[view.occupant[layer * sites + site]]


@njit(cache=True)
def mean_over(members: np.ndarray, values: np.ndarray, occupant: np.ndarray) -> float:
    """Return the mean of a map over the cells of a set."""
    total, n = 0.0, 0
    for place in range(occupant.size):
        if members[occupant[place]]:
            total += values[place % values.size]
            n += 1
    return total / n if n else 0.0


@njit(cache=True, nogil=True)
def take_stats(c: np.ndarray, normalise: int, stats: np.ndarray) -> None:
    """Note mean and extremes of a flat field in one pass, after scaling it to mean 1 where asked for."""
    total, low, high = 0.0, c[0], c[0]
    for i in range(c.size):
        total += c[i]
        low = min(low, c[i])
        high = max(high, c[i])
    mean = total / c.size
    factor = 1.0 / mean if normalise and mean > 0.0 else 1.0
    if factor != 1.0:
        for i in range(c.size):
            c[i] *= factor
    stats["mean"], stats["low"], stats["high"] = mean * factor, low * factor, high * factor
    stats["solved_mean"] = mean
