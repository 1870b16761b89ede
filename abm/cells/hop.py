"""One hop of one cell: to a random neighbour, in a direction that it keeps, or up or down a field."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from . import draws
from .pointers import row
from .world import World, across, neighbour, site_of


class Ground(NamedTuple):
    """What a hop needs of the world, and no more: a longer tuple would cost more to hand on than a hop does."""

    occupant: Any
    fields: Any
    slots: Any
    offset: Any
    flat: Any
    room: Any
    neighbours: int
    sites: int
    nz: int
    ny: int
    nx: int
    periodic: int


@njit(cache=True)
def ground_of(w: World) -> Ground:
    """Return the part of the world that a hop needs."""
    return Ground(
        w.occupant, w.fields, w.slots, w.offset, w.flat, w.room,
        w.neighbours, w.sites, w.nz, w.ny, w.nx, w.periodic,
    )  # fmt: skip


@njit(cache=True)
def climb(place: int, site: int, field: int, slope: float, g: Ground) -> int:
    """Return the free neighbour's place where a field is highest (slope 1) or lowest (-1), -1 if no better."""
    start, values = place - site, field * g.sites
    best, target = slope * g.fields[values + site], -1
    if g.room[site] >= 1:
        for k in range(g.neighbours):
            other = site + g.flat[k]
            value = slope * g.fields[values + other]
            better = (g.occupant[start + other] == 0) & (value > best)
            best = value if better else best
            target = start + other if better else target
        return target
    for k in range(g.neighbours):
        other = across(site, k, g)
        if other >= 0 and g.occupant[start + other] == 0 and slope * g.fields[values + other] > best:
            best, target = slope * g.fields[values + other], start + other
    return target


@njit(cache=True)
def kept_direction(uid: np.uint64, persistence: float, now_h: float, key: np.uint64) -> np.uint64:
    """Return the bits of the direction that a cell keeps for a time, each cell with a phase of its own."""
    own = draws.mix(uid ^ key)
    epoch = np.uint64(np.floor(now_h / persistence + draws.uniform(own)))
    return draws.mix(own + epoch)


@njit(cache=True, forceinline=True)
def hop(
    place: int,
    slot: int,
    who: np.uint64,
    luck: float,
    p: float,
    now_h: float,
    persist_key: np.uint64,
    g: Ground,
) -> int:
    """Move one cell on its layer by one hop if it can, with a uniform draw below p for the direction; return where it
    is then. Its identity and attributes are left to the caller."""
    behaviour = row(g.slots, slot)
    climbing = p * behaviour["bias"]
    site = site_of(place, g)
    if luck < climbing:
        target = climb(place, site, behaviour["climbs"], behaviour["slope"], g)
        if target < 0:
            return place
    else:
        if behaviour["persistence"] > 0.0:
            bits = kept_direction(who, behaviour["persistence"], now_h, persist_key)
            k = draws.below(bits, g.neighbours)
        else:
            k = min(int((luck - climbing) * (g.neighbours / (p - climbing))), g.neighbours - 1)
        other = neighbour(site, k, 1, g)
        if other < 0:
            return place
        target = place - site + other
        # without a branch, which half of the hops would make the processor guess wrong
        target = target if g.occupant[target] == 0 else place
    kind = g.occupant[place]
    g.occupant[place] = 0
    g.occupant[target] = kind
    return target


@njit(cache=True)
def carry(here: int, there: int, w: World) -> None:
    """Let the identity and the attributes of one cell follow its hop."""
    if there == here:
        return
    w.uid[there], w.uid[here] = w.uid[here], np.uint64(0)
    for a in range(w.attributes_n):
        w.attributes[a * w.places + there] = w.attributes[a * w.places + here]
        w.attributes[a * w.places + here] = 0.0
