"""Move the cells that move: exclusion walks in sub-steps, with an optional climb of a field's gradient.

Each sub-step a cell hops with probability rate * dt / sub-steps (so the mean number of hops, and with it the
motility coefficient D = rate * site^2 * <offset^2> / (2 dimensions), is exact), to a random neighbour, in the
direction it keeps for a while, or, for a share of hops, to the free neighbour where the field is highest (or
lowest). An occupied target aborts the hop.

A block's movers go through up to seven sub-steps before the next colour of blocks, which keeps blocks of one
colour apart (three in volumes, whose blocks are half as wide); more sub-steps are further rounds with new cuts.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..lattice import NZ, Lattice
from ..tables import Tables, View
from ..vocabulary import RATES
from . import draws
from .blocks import Box, Plan, box_of, run_of
from .decide import HAIR, SURE_HOPS, SURELY, WINDOW, Worker, draws_below, nobody, types_within
from .hop import ground_of, hop
from .pointers import lowest, pointer, row
from .sense import rate, rate_bound
from .world import World, world_of

MOST_HOPS_A_SUBSTEP = 0.95


def _primes_above(first: int, number: int) -> np.ndarray:
    """Return primes spread out above a number: of those that pass Fermat's test, what trial division lets pass."""
    found: list[int] = []
    value = first | 1
    while len(found) < number:
        divisors = np.arange(3, math.isqrt(value) + 1, 2)
        if pow(2, value - 1, value) == 1 and (value % divisors).all():
            found.append(value)
            value += 1_000_000
        value += 2
    return np.array(found, np.int64)


PRIMES = _primes_above(2**30, 64)
# Half a block less one, as a climbing cell looks one site further.
SUBSTEPS_OF_SECTION, SUBSTEPS_OF_VOLUME = 7, 3


class Movers(NamedTuple):
    """The movers of a block, from a worker and the plan.

    Within a round only ``occupant`` follows the movers; identities and attributes wait in these lists, since
    nothing but the movers themselves asks for them before the round is over.
    """

    place: Any
    began: Any
    who: Any
    slot: Any
    chance: Any
    moved: Any
    tally: Any


@njit(cache=True)
def rounds_of(view: View, lattice: Lattice, tables: Tables) -> int:
    """Return the rounds of sub-steps that the fastest movers need; 0 if nothing moves."""
    highest = highest_bound(view, lattice, tables)
    if highest == 0.0:
        return 0
    if tables.update != RATES:
        return 1
    most = SUBSTEPS_OF_SECTION if lattice.size[NZ] == 1 else SUBSTEPS_OF_VOLUME
    return max(1, int(np.ceil(highest * tables.dt_h / (MOST_HOPS_A_SUBSTEP * most))))


@njit(cache=True)
def highest_bound(view: View, lattice: Lattice, tables: Tables) -> float:
    """Return an upper bound of the hop rate of any cell, 1/h."""
    highest = 0.0
    for t in range(1, tables.types.size):
        for slot in range(tables.types[t]["move_first"], tables.types[t]["move_last"]):
            highest = max(highest, rate_bound(slot, view, lattice, tables))
    return highest


@njit(cache=True)
def moving_types(layer: int, w: World) -> tuple[int, int]:
    """Return the first and the last type of a layer that moves, (0, -1) if none does."""
    first, last = 0, -1
    for t in range(1, w.types_1):
        kind = row(w.types, t)
        if kind["layer"] == layer and kind["move_last"] > kind["move_first"]:
            first, last = t if last < 0 else first, t
    return first, last


@njit(cache=True)
def list_hoppers(
    move_key: np.uint64, most: np.uint64, span: float, w: World, box: Box, movers: Movers
) -> int:
    """List the cells that hop in the only sub-step, with what is left of their luck; return their number."""
    n = 0
    for layer in range(w.layers):
        first, last = moving_types(layer, w)
        if last < 0:
            continue
        for k in range(2 * box.planes):
            begin, length = run_of(k, box, w)
            start = layer * w.sites + begin
            for x in range(0, length, WINDOW):
                number = min(WINDOW, length - x)
                if nobody(w.occupant, start + x, number):
                    continue
                bits = types_within(w.occupant, start + x, number, first, last)
                if bits == 0:
                    continue
                bits &= draws_below(w.uid, start + x, number, move_key, most)
                while bits:
                    place = start + x + lowest(bits)
                    bits &= bits - np.uint64(1)
                    kind = row(w.types, w.occupant[place])
                    slot = kind["move_first"]
                    if kind["move_last"] == slot or movers.moved[place]:
                        continue
                    p = rate(slot, place, w) * span
                    if p > SURELY:
                        movers.tally[1 + w.events + w.types_1 + SURE_HOPS] += 1
                    p = min(1.0, p)
                    luck = draws.uniform(draws.mix(w.uid[place] ^ move_key))
                    if luck < p:
                        enlist(n, place, slot, luck / p, w, movers)
                        n += 1
    return n


@njit(cache=True)
def enlist(n: int, place: int, slot: int, chance: float, w: World, movers: Movers) -> None:
    """Note a mover as the n-th of its block."""
    movers.place[n] = movers.began[n] = place
    movers.who[n] = w.uid[place]
    movers.slot[n] = slot
    movers.chance[n] = chance


@njit(cache=True)
def arrive_all(n: int, w: World, movers: Movers) -> None:
    """Let identities and attributes follow the movers to where they are, and mark them as moved."""
    began, place, kept = movers.began, movers.place, movers.chance
    for k in range(n):
        w.uid[began[k]] = 0
    for k in range(n):
        w.uid[place[k]] = movers.who[k]
        movers.moved[place[k]] = 1
    for a in range(w.attributes_n):
        values = a * w.places
        for k in range(n):
            kept[k] = w.attributes[values + began[k]]
        for k in range(n):
            w.attributes[values + began[k]] = 0.0
        for k in range(n):
            w.attributes[values + place[k]] = kept[k]


@njit(cache=True)
def hop_once(
    block: int,
    most: np.uint64,
    keys: Any,
    persist_key: np.uint64,
    w: World,
    box: Box,
    movers: Movers,
) -> None:
    """Move the cells of a block by their only sub-step, in random order."""
    salt = draws.mix(np.uint64(0))
    n = list_hoppers(keys[draws.MOVE] ^ salt, most, w.dt_h, w, box, movers)
    if n == 0:
        return
    order = draws.mix(keys[draws.DIRECTION] ^ salt ^ np.uint64(block))
    stride = stride_of(order, n)
    k = draws.below(draws.mix(order), n)
    g = ground_of(w)
    for _ in range(n):
        k += stride
        if k >= n:
            k -= n
        here, slot, who = movers.place[k], movers.slot[k], movers.who[k]
        movers.place[k] = hop(here, slot, who, movers.chance[k], 1.0, w.now_h + 0.5 * w.dt_h, persist_key, g)
    arrive_all(n, w, movers)


@njit(cache=True)
def list_movers(w: World, box: Box, movers: Movers) -> tuple[int, float]:
    """List the cells of a block that may move, in memory order; return their number and the highest rate."""
    occupant = w.occupant
    n, highest = 0, 0.0
    for layer in range(w.layers):
        first, last = moving_types(layer, w)
        if last < 0:
            continue
        for k in range(2 * box.planes):
            begin, length = run_of(k, box, w)
            start = layer * w.sites + begin
            for x in range(0, length, WINDOW):
                number = min(WINDOW, length - x)
                if nobody(occupant, start + x, number):
                    continue
                bits = types_within(occupant, start + x, number, first, last)
                while bits:
                    place = start + x + lowest(bits)
                    bits &= bits - np.uint64(1)
                    kind = row(w.types, occupant[place])
                    slot = kind["move_first"]
                    if kind["move_last"] == slot or movers.moved[place]:
                        continue
                    behaviour = row(w.slots, slot)
                    r = behaviour["base"]
                    if behaviour["rule_last"] > behaviour["rule_first"]:
                        r = rate(slot, place, w)
                    if r > 0.0:
                        enlist(n, place, slot, r, w, movers)
                        highest = max(highest, r)
                        n += 1
    return n, highest


@njit(cache=True)
def stride_of(bits: np.uint64, n: int) -> int:
    """Return a random number that is coprime to n, so that its multiples visit everyone once.

    It is a prime above any n (modulo n), which needs no search.
    """
    return PRIMES[int(bits & np.uint64(63))] % n


@njit(cache=True)
def move_block(
    block: int,
    turn: int,
    turns: int,
    keys: Any,
    persist_key: np.uint64,
    w: World,
    box: Box,
    movers: Movers,
) -> None:
    """Move the cells of a block through one round of sub-steps.

    In every sub-step the cells move in another random order (a random stride through the list), so that no
    direction of the lattice is favoured where two want one site.
    """
    n, highest = list_movers(w, box, movers)
    if n == 0:
        return
    span = w.dt_h / turns
    substeps = 1
    if w.update == RATES:
        substeps = max(1, int(np.ceil(highest * span / MOST_HOPS_A_SUBSTEP)))
    place, who, slot, chance = movers.place, movers.who, movers.slot, movers.chance
    scale = span / substeps
    start_h = w.now_h + turn * span
    g = ground_of(w)
    for sub in range(substeps):
        salt = draws.mix(np.uint64(turn * 64 + sub))
        move_key = keys[draws.MOVE] ^ salt
        order = draws.mix(keys[draws.DIRECTION] ^ salt ^ np.uint64(block))
        stride = stride_of(order, n)
        k = draws.below(draws.mix(order), n)
        now_h = start_h + (sub + 0.5) * scale
        for _ in range(n):
            k += stride
            if k >= n:
                k -= n
            luck = draws.uniform(draws.mix(who[k] ^ move_key))
            p = min(1.0, chance[k] * scale)
            if luck < p:
                place[k] = hop(place[k], slot[k], who[k], luck, p, now_h, persist_key, g)
    arrive_all(n, w, movers)


@njit(cache=True, nogil=True)
def move_blocks(
    first: int,
    stop: int,
    colour: int,
    turn: int,
    turns: int,
    keys: np.ndarray,
    persist_key: np.uint64,
    view: View,
    lattice: Lattice,
    tables: Tables,
    plan: Plan,
    worker: Worker,
) -> None:
    """Move the cells of the blocks of one colour among first to stop; these blocks do not touch."""
    w = world_of(view, lattice, tables)
    movers = Movers(
        pointer(worker.place),
        pointer(worker.began),
        pointer(worker.who),
        pointer(worker.slot),
        pointer(worker.chance),
        pointer(plan.moved),
        pointer(worker.tally),
    )
    highest = highest_bound(view, lattice, tables) * tables.dt_h
    once = turns == 1 and (tables.update != RATES or highest <= MOST_HOPS_A_SUBSTEP)
    most = draws.threshold(min(1.0, highest) * HAIR)
    for block in range(first, stop):
        if plan.colour[block] != colour:
            continue
        box = box_of(block, plan)
        if once:
            hop_once(block, most, pointer(keys), persist_key, w, box, movers)
        else:
            move_block(block, turn, turns, pointer(keys), persist_key, w, box, movers)
