"""Bring the fields and density signals up to date with the cells."""

import numpy as np
from numba import njit

from ..sense import rate, senses_of
from ..tables import RateTables, Tables, View
from ..vocabulary import SECRETE
from .grids import Workspace
from .multigrid import solve
from .smooth import box_smooth

SMOOTHING_PASSES = 3  # three box blurs are close to a Gaussian


@njit(cache=True)
def constant_exchange(field: int, tables: Tables, source: np.ndarray, sink: np.ndarray) -> np.ndarray:
    """Write what one cell of each type secretes and takes up by behaviours without rules, shape (type + 1,);
    return which types have behaviours with rules besides."""
    row, types, slots = tables.fields[field], tables.types, tables.slots
    ruled = np.zeros(types.size, np.bool_)
    for t in range(1, types.size):
        for slot in range(types[t]["exchange_first"], types[t]["exchange_last"]):
            behaviour = slots[slot]
            if behaviour["object"] != field:
                continue
            if behaviour["rule_last"] > behaviour["rule_first"]:
                ruled[t] = True
            elif behaviour["verb"] == SECRETE:
                source[t] += behaviour["base"]
            else:
                sink[t] += behaviour["base"]
        if t == row["vessel_type"]:
            sink[t] += row["vessel_exchange"]
            source[t] += row["vessel_exchange"] * row["vessel_level"]
    return ruled


@njit(cache=True)
def sources_and_sinks(field: int, view: View, tables: Tables, source: np.ndarray, sink: np.ndarray) -> None:
    """Write the source (unit/h) and the sink (1/h) of a field at every site."""
    row, types, slots = tables.fields[field], tables.types, tables.slots
    senses = senses_of(view)
    rates = RateTables(slots, tables.rules, tables.sets)
    layers, ny, nx = view.occupant.shape
    background = row["background"]
    if row["background_signal"] >= 0:
        background += view.body[row["background_signal"]]
    source[:] = background
    sink[:] = row["decay"]
    given, taken = np.zeros(types.size), np.zeros(types.size)
    ruled = constant_exchange(field, tables, given, taken)
    for layer in range(layers):
        active = False
        for t in range(1, types.size):
            active = active or (types[t]["layer"] == layer and (ruled[t] or given[t] > 0.0 or taken[t] > 0.0))
        if not active:
            continue
        for y in range(ny):
            for x in range(nx):
                t = view.occupant[layer, y, x]
                if t == 0:
                    continue
                source[y, x] += given[t]
                sink[y, x] += taken[t]
                if not ruled[t]:
                    continue
                for slot in range(types[t]["exchange_first"], types[t]["exchange_last"]):
                    behaviour = slots[slot]
                    if behaviour["object"] != field or behaviour["rule_last"] == behaviour["rule_first"]:
                        continue
                    amount = rate(slot, layer, y, x, senses, rates)
                    if behaviour["verb"] == SECRETE:
                        source[y, x] += amount
                    else:
                        sink[y, x] += amount


@njit(cache=True)
def take_stats(c: np.ndarray, normalise: int, stats: np.ndarray) -> None:
    """Note mean and extremes of a field in one pass, after scaling it to mean 1 where asked for."""
    total, low, high = 0.0, c[0, 0], c[0, 0]
    for y in range(c.shape[0]):
        for x in range(c.shape[1]):
            value = c[y, x]
            total += value
            low = min(low, value)
            high = max(high, value)
    mean = total / c.size
    factor = 1.0 / mean if normalise and mean > 0.0 else 1.0
    if factor != 1.0:
        for y in range(c.shape[0]):
            for x in range(c.shape[1]):
                c[y, x] *= factor
    stats["mean"], stats["low"], stats["high"] = mean * factor, low * factor, high * factor
    stats["solved_mean"] = mean


@njit(cache=True)
def update_field(
    field: int,
    steady: bool,
    view: View,
    tables: Tables,
    source: np.ndarray,
    sink: np.ndarray,
    most_cycles: int,
    work: Workspace,
) -> tuple[int, int]:
    """Solve one field for the present cells, if ``steady`` a transient one, too, at its steady state.

    Returns (status, multigrid cycles).
    """
    row = tables.fields[field]
    c = view.fields[field]
    sources_and_sinks(field, view, tables, source, sink)
    if row["normalise"]:
        c *= view.stats[field]["solved_mean"]  # start from the last solution, not from its pattern
    if row["transient"] and not steady:
        per_h = 1.0 / (row["every"] * tables.dt_h)
        sink += per_h
        source += per_h * c
    if not source.any():
        c[:] = 0.0
        status, cycles = 0, 0
    else:
        status, cycles, _ = solve(
            c, sink, source, row["diffusion_per_h"], False, row["tolerance"], most_cycles, work
        )
    take_stats(c, row["normalise"], view.stats[field])
    return status, cycles


@njit(cache=True)
def crowd(
    density: int, view: View, tables: Tables, weights: np.ndarray, source: np.ndarray, scratch: np.ndarray
) -> None:
    """Write the smoothed weighted number of cells a site into the density signal (before normalising)."""
    layers, ny, nx = view.occupant.shape
    source[:] = 0.0
    for layer in range(layers):
        counts = False
        for t in range(1, weights.size):
            counts = counts or (weights[t] != 0.0 and tables.types[t]["layer"] == layer)
        if not counts:
            continue
        for y in range(ny):
            for x in range(nx):
                source[y, x] += weights[view.occupant[layer, y, x]]
    box_smooth(
        source, tables.densities[density]["radius"], SMOOTHING_PASSES, view.densities[density], scratch
    )


@njit(cache=True)
def mean_crowd(density: int, members: np.ndarray, view: View) -> float:
    """Return the mean of a density signal over the cells of a set."""
    layers, ny, nx = view.occupant.shape
    total, n = 0.0, 0
    for layer in range(layers):
        for y in range(ny):
            for x in range(nx):
                if members[view.occupant[layer, y, x]]:
                    total += view.densities[density, y, x]
                    n += 1
    return total / n if n else 0.0


@njit(cache=True)
def update_density(
    density: int, reference: float, view: View, tables: Tables, source: np.ndarray, scratch: np.ndarray
) -> None:
    """Bring one density signal up to date; values are divided by ``reference`` (1 if not normalised)."""
    crowd(density, view, tables, tables.density_weight[density], source, scratch)
    view.densities[density] /= reference
    view.density_max[density] = view.densities[density].max()
