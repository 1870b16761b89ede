"""Move the cells that move: exclusion walks in sub-steps, with an optional climb of a field's gradient.

Each sub-step a cell hops with probability rate * dt / sub-steps (so the mean number of hops, and with it
the motility coefficient D = 3/8 * rate * site^2 of the eight-neighbour walk, is exact), to a random neighbour
or, for a share of hops, to the free neighbour where the field is highest. An occupied target aborts the hop.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from . import draws
from .sense import rate, senses_of
from .tables import RateTables, Tables, View

MOST_HOPS_A_SUBSTEP = 0.8
_Y = np.array([-1, -1, -1, 0, 0, 1, 1, 1])
_X = np.array([-1, 0, 1, -1, 1, -1, 0, 1])


class Movers(NamedTuple):
    """Scratch list of moving cells."""

    layer: np.ndarray  # int32
    y: np.ndarray
    x: np.ndarray
    rate: np.ndarray  # float64, 1/h


def make_movers(layers: int, ny: int, nx: int) -> Movers:
    """Return an empty list with room for every site."""
    n = layers * ny * nx
    return Movers(np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n))


@njit(cache=True)
def list_movers(view: View, tables: Tables, movers: Movers) -> tuple[int, float]:
    """List the cells that may move, in memory order; return their number and the highest rate."""
    layers, ny, nx = view.occupant.shape
    types = tables.types
    senses = senses_of(view)
    rates = RateTables(tables.slots, tables.rules, tables.sets)
    n, highest = 0, 0.0
    moves = np.zeros(types.size, np.bool_)
    for t in range(1, types.size):
        moves[t] = types[t]["move_last"] > types[t]["move_first"]
    for layer in range(layers):
        moving = False
        for t in range(1, types.size):
            moving = moving or (types[t]["layer"] == layer and moves[t])
        if not moving:
            continue
        for y in range(ny):
            for x in range(nx):
                t = view.occupant[layer, y, x]
                if not moves[t]:
                    continue
                slot = types[t]["move_first"]
                behaviour = tables.slots[slot]
                r = behaviour["base"]
                if behaviour["rule_last"] > behaviour["rule_first"]:
                    r = rate(slot, layer, y, x, senses, rates)
                if r > 0.0:
                    movers.layer[n], movers.y[n], movers.x[n] = layer, y, x
                    movers.rate[n] = r
                    highest = max(highest, r)
                    n += 1
    return n, highest


@njit(cache=True)
def climb(field: int, layer: int, y: int, x: int, fields: np.ndarray, occupant: np.ndarray) -> int:
    """Return the direction (0..7) of the free neighbour where a field is highest, -1 if nowhere higher."""
    _, ny, nx = occupant.shape
    best, direction = fields[field, y, x], -1
    for d in range(8):
        j, i = y + _Y[d], x + _X[d]
        if 0 <= j < ny and 0 <= i < nx and occupant[layer, j, i] == 0 and fields[field, j, i] > best:
            best, direction = fields[field, j, i], d
    return direction


@njit(cache=True)
def migrate(seed: np.uint64, step: int, view: View, tables: Tables, movers: Movers) -> int:
    """Move all moving cells through one time step; return the number of sub-steps.

    Cells move in the order of their hashes, the same order in every sub-step, so that no direction of the
    lattice is favoured where two want one site.
    """
    _, ny, nx = view.occupant.shape
    n, highest = list_movers(view, tables, movers)
    if n == 0:
        return 0
    substeps = max(1, int(np.ceil(highest * tables.dt_h / MOST_HOPS_A_SUBSTEP)))
    occupant, uids = view.occupant, view.uid
    order_key = draws.step_key(seed, step, draws.ORDER)
    rank = np.empty(n, np.uint64)
    for k in range(n):
        rank[k] = draws.mix(uids[movers.layer[k], movers.y[k], movers.x[k]] ^ order_key)
    order = np.argsort(rank)
    chance = movers.rate[:n] * (tables.dt_h / substeps)
    move_key = draws.step_key(seed, step, draws.MOVE)
    direction_key = draws.step_key(seed, step, draws.DIRECTION)
    for sub in range(substeps):
        salt = draws.mix(np.uint64(sub))
        for k in order:
            layer, y, x = movers.layer[k], movers.y[k], movers.x[k]
            uid = uids[layer, y, x]
            if draws.uniform(draws.mix(uid ^ move_key ^ salt)) >= chance[k]:
                continue
            t = occupant[layer, y, x]
            behaviour = tables.slots[tables.types[t]["move_first"]]
            u = draws.uniform(draws.mix(uid ^ direction_key ^ salt))
            bias = behaviour["bias"]
            if u < bias:
                d = climb(behaviour["up"], layer, y, x, view.fields, occupant)
                if d < 0:
                    continue
            else:
                d = int((u - bias) / (1.0 - bias) * 8.0)
            j, i = y + _Y[d], x + _X[d]
            if 0 <= j < ny and 0 <= i < nx and occupant[layer, j, i] == 0:
                occupant[layer, j, i], uids[layer, j, i] = t, uid
                occupant[layer, y, x], uids[layer, y, x] = 0, 0
                movers.y[k], movers.x[k] = j, i
    return substeps
