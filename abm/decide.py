"""Find the cells that may act in this step, by thinning.

Every cell draws one hash a clock and compares it with its type's upper-bound probability; only the few below
it are listed, and ``act`` evaluates their rules and confirms or drops the event. That is exact: the confirmed
probability uses the same draw.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from . import draws
from .blocks import Box, Plan, box_of, most_block_sites, row_of
from .lattice import LAYERS, NX, NY, NZ, Lattice
from .pointers import pointer
from .sense import most_contacts, rate_bound
from .tables import Tables, View
from .vocabulary import RATES
from .world import World, world_of

FATE_CLOCK, KILL_CLOCK = 0, 1
HAIR = 1.0 + 1e-12  # above the bound, so that round-off in the rules can never exceed it
FIRST_SHARE = 8  # the lists hold this fraction of all places at first, and grow when they must


class Agenda(NamedTuple):
    """Who may act: a list of candidates a block, and each type's bounds.

    Attributes
    ----------
    rank : uint64[block, candidate]
        Hash of uid and clock: the order of acting, and proof that the cell is still the same.
    entry : int64[block, candidate]
        place * 512 + type * 2 + clock.
    listed : int64[block]
        Candidates, also those for which there was no room.
    bound : float64[2, type + 1]
        Upper-bound rate on each clock, 1/h.
    threshold : uint64[2, type + 1]
        The hash below which a cell of the type is listed.
    most : uint64[2, layer]
        Highest threshold of the types of a layer.
    """

    rank: np.ndarray
    entry: np.ndarray
    listed: np.ndarray
    bound: np.ndarray
    threshold: np.ndarray
    most: np.ndarray


class Worker(NamedTuple):
    """Scratch of one thread.

    Attributes
    ----------
    order, first : int32[candidate + 1]
        Candidates by rank.
    flag : uint8[column], word : uint64[column / 8]
        A row of candidates, byte by byte and eight at a time (the same memory).
    rates : float64[slot]
        Rates of the behaviours of one cell.
    place : int64[mover]
        Where the movers of a block are.
    chance : float64[mover]
    tally : int64[1 + event + type + 1]
        Rates above their bound, events and changes of the number of cells.
    """

    order: np.ndarray
    first: np.ndarray
    flag: np.ndarray
    word: np.ndarray
    rates: np.ndarray
    place: np.ndarray
    chance: np.ndarray
    tally: np.ndarray


class Scratch(NamedTuple):
    """What a settling cell needs of a worker: rates and tally."""

    rates: Any
    tally: Any


EXCESS = 0  # column of the tally


@njit(cache=True)
def scratch_of(worker: Worker) -> Scratch:
    """Return the scratch of a worker."""
    return Scratch(pointer(worker.rates), pointer(worker.tally))


def make_agenda(lattice: Lattice, n_types: int, blocks: int, capacity: int = 0) -> Agenda:
    """Return an empty agenda; ``capacity`` is the candidates that a block can hold (0: a first guess)."""
    nz, ny, nx = lattice.size[NZ], lattice.size[NY], lattice.size[NX]
    layers = int(lattice.size[LAYERS])
    room = capacity or max(64, layers * most_block_sites(nz, ny, nx) // (2 * FIRST_SHARE))
    return Agenda(
        np.zeros((blocks, room), np.uint64),
        np.zeros((blocks, room), np.int64),
        np.zeros(blocks, np.int64),
        np.zeros((2, n_types + 1)),
        np.zeros((2, n_types + 1), np.uint64),
        np.zeros((2, layers), np.uint64),
    )


def make_worker(lattice: Lattice, slots: int, columns: int, candidates: int, movers: int) -> Worker:
    """Return the scratch of one thread; ``columns`` is the length of its tally."""
    nx = int(lattice.size[NX])
    word = np.zeros(nx // 8 + 1, np.uint64)
    return Worker(
        np.zeros(candidates + 1, np.int32),
        np.zeros(candidates + 1, np.int32),
        word.view(np.uint8),
        word,
        np.zeros(max(1, slots)),
        np.zeros(movers, np.int64),
        np.zeros(movers),
        np.zeros(columns, np.int64),
    )


@njit(cache=True)
def chance_of(rate: float, dt_h: float, update: int) -> float:
    """Return the probability of an event of this rate in one step: competing clocks, or p = r dt."""
    return -np.expm1(-rate * dt_h) if update == RATES else rate * dt_h


@njit(cache=True)
def bound_rates(view: View, lattice: Lattice, tables: Tables, agenda: Agenda) -> None:
    """Set every type's upper-bound rates and thresholds from the present range of each signal."""
    types = tables.types
    agenda.most[:] = 0
    for t in range(1, types.size):
        fate = kill = 0.0
        for slot in range(types[t]["fate_first"], types[t]["fate_last"]):
            fate += rate_bound(slot, view, lattice, tables)
        for slot in range(types[t]["kill_first"], types[t]["kill_last"]):
            kill += rate_bound(slot, view, lattice, tables) * most_contacts(lattice)
        agenda.bound[FATE_CLOCK, t], agenda.bound[KILL_CLOCK, t] = fate, kill
        for clock in range(2):
            chance = chance_of(agenda.bound[clock, t], tables.dt_h, tables.update)
            at = draws.threshold(min(1.0, chance) * HAIR)
            agenda.threshold[clock, t] = at
            layer = types[t]["layer"]
            agenda.most[clock, layer] = max(agenda.most[clock, layer], at)


@njit(cache=True)
def flag_row(uid: Any, start: int, nx: int, key: np.uint64, most: np.uint64, flag: Any) -> None:
    """Flag the places of a row whose draw is below the layer's highest threshold (compiles to vectors)."""
    for x in range(nx):
        flag[x] = draws.mix(uid[start + x] ^ key) < most


@njit(cache=True)
def list_block(block: int, keys: Any, w: World, box: Box, agenda: Agenda, worker: Worker) -> None:
    """List the candidates of one block; what does not fit is counted only."""
    nx, occupant, uid = w.nx, w.occupant, w.uid
    rank, entry, room = agenda.rank, agenda.entry, agenda.rank.shape[1]
    flag, word, threshold = pointer(worker.flag), pointer(worker.word), agenda.threshold
    order_key = keys[draws.ORDER]
    n = 0
    for clock in range(2):
        key = keys[draws.FATE if clock == FATE_CLOCK else draws.KILL]
        for layer in range(w.layers):
            most = agenda.most[clock, layer]
            if most == 0:
                continue
            for k in range(box.planes * box.rows):
                start = layer * w.sites + row_of(k, box, w)
                flag_row(uid, start, nx, key, most, flag)
                for eight in range((nx + 7) // 8):
                    if word[eight] == 0:
                        continue
                    for x in range(8 * eight, min(nx, 8 * eight + 8)):
                        if flag[x] == 0:
                            continue
                        t = occupant[start + x]
                        who = uid[start + x]
                        if t == 0 or draws.mix(who ^ key) >= threshold[clock, t]:
                            continue
                        if n < room:
                            rank[block, n] = draws.mix((who ^ order_key) + np.uint64(clock))
                            entry[block, n] = (start + x) * 512 + 2 * np.int64(t) + clock
                        n += 1
    agenda.listed[block] = n


@njit(cache=True, nogil=True)
def list_blocks(
    first: int,
    stop: int,
    keys: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
    plan: Plan,
    agenda: Agenda,
    worker: Worker,
) -> int:
    """List the candidates of blocks first to stop; return the most that any block has."""
    w = world_of(view, lattice, tables)
    most = 0
    for block in range(first, stop):
        list_block(block, pointer(keys), w, box_of(block, plan), agenda, worker)
        most = max(most, agenda.listed[block])
    return most


@njit(cache=True)
def order_block(block: int, agenda: Agenda, worker: Worker) -> None:
    """Put the candidates of a block in the order of their ranks: one bucket a candidate, as ranks are hashes,
    then insertion."""
    n, rank = agenda.listed[block], agenda.rank
    order, first = worker.order, worker.first
    scale = n / 18446744073709551616.0
    for b in range(n + 1):
        first[b] = 0
    for k in range(n):
        first[min(n - 1, int(rank[block, k] * scale)) + 1] += 1
    for b in range(n):
        first[b + 1] += first[b]
    for k in range(n):
        b = min(n - 1, int(rank[block, k] * scale))
        order[first[b]] = k
        first[b] += 1
    for k in range(1, n):
        mine = order[k]
        value = rank[block, mine]
        j = k - 1
        while j >= 0 and rank[block, order[j]] > value:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = mine
