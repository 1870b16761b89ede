"""Find the cells that may act in this step, by thinning.

Every cell draws one hash a clock and compares it with its type's upper-bound probability; only the few below
it are listed, and ``act`` evaluates their rules and confirms or drops the event. That is exact: the confirmed
probability uses the same draw.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ..lattice import LAYERS, NX, NY, NZ, Lattice
from ..tables import MOST_EVENTS_A_STEP, MOST_PROBABILITY, Tables, View
from ..vocabulary import RATES
from . import draws
from .blocks import Box, Plan, box_of, most_block_sites, run_of
from .pointers import eight, lowest, pointer, set_bits
from .sense import most_contacts, rate_bound
from .world import World, world_of

FATE_CLOCK, KILL_CLOCK = 0, 1
HAIR = 1.0 + 1e-12  # above the chance of a bound, more than the exponential of a C library errs
WINDOW = 64  # places looked at together: one bit each
FEW = 8  # cells of interest in a window up to which they are looked at one by one
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
    allowed : float64[2, type + 1]
        The bound, or what the limit on events a step leaves of it: a rate above it ends the run.
    threshold : uint64[2, type + 1]
        The hash below which a cell of the type is listed.
    most : uint64[2, layer]
        Highest threshold of the types of a layer.
    range : int64[2, layer, 2]
        First and last type of a layer with a threshold above 0.
    """

    rank: np.ndarray
    entry: np.ndarray
    listed: np.ndarray
    bound: np.ndarray
    allowed: np.ndarray
    threshold: np.ndarray
    most: np.ndarray
    range: np.ndarray


class Worker(NamedTuple):
    """Scratch of one thread.

    Attributes
    ----------
    order, first : int32[candidate + 1]
        Candidates by rank.
    rates : float64[slot]
        Rates of the behaviours of one cell.
    place, began : int64[mover]
        Where the movers of a block are, and where they were.
    who : uint64[mover]
    slot : int64[mover]
        Identities, and the behaviours that move them.
    chance : float64[mover]
    tally : int64[1 + event + type + 1 + 2]
        Rates above what is allowed, events, changes of the number of cells; then probabilities above 1: of a hop,
        of what a division turns out to be.
    free : int64[offset + 1]
        Free sites around a dividing cell.
    """

    order: np.ndarray
    first: np.ndarray
    rates: np.ndarray
    place: np.ndarray
    began: np.ndarray
    who: np.ndarray
    slot: np.ndarray
    chance: np.ndarray
    tally: np.ndarray
    free: np.ndarray


class Scratch(NamedTuple):
    """What a settling cell needs of a worker: rates and tally."""

    rates: Any
    tally: Any
    free: Any


EXCESS = 0  # column of the tally
SURE_HOPS, SURE_OUTCOMES, SURE = 0, 1, 2  # columns behind those of events and types
SURELY = 1.0 + 1e-9  # a sum of probabilities that is 1 may come out a little above


@njit(cache=True)
def scratch_of(worker: Worker) -> Scratch:
    """Return the scratch of a worker."""
    return Scratch(pointer(worker.rates), pointer(worker.tally), pointer(worker.free))


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
        np.zeros((2, n_types + 1)),
        np.zeros((2, n_types + 1), np.uint64),
        np.zeros((2, layers), np.uint64),
        np.zeros((2, layers, 2), np.int64),
    )


def make_worker(lattice: Lattice, slots: int, columns: int, candidates: int, movers: int) -> Worker:
    """Return the scratch of one thread; ``columns`` is the length of its tally."""
    return Worker(
        np.zeros(candidates + 1, np.int32),
        np.zeros(candidates + 1, np.int32),
        np.zeros(max(1, slots)),
        np.zeros(movers, np.int64),
        np.zeros(movers, np.int64),
        np.zeros(movers, np.uint64),
        np.zeros(movers, np.int64),
        np.zeros(movers),
        np.zeros(columns, np.int64),
        np.zeros(int(np.diff(lattice.ring).max()) + 1, np.int64),
    )


@njit(cache=True)
def chance_of(rate: float, dt_h: float, update: int) -> float:
    """Return the probability of an event of this rate in one step: competing clocks, or p = r dt."""
    return -np.expm1(-rate * dt_h) if update == RATES else rate * dt_h


@njit(cache=True)
def bound_rates(view: View, lattice: Lattice, tables: Tables, agenda: Agenda) -> None:
    """Set every type's upper-bound rates and thresholds from the present range of each signal.

    Sums and products run as they do over the rates of a cell (`act.settle_fate`, `act.settle_kill`), so that a bound
    holds to the last bit. The limit on events a step is per contact where cells kill.
    """
    types, contacts = tables.types, most_contacts(lattice)
    most = (MOST_EVENTS_A_STEP if tables.update == RATES else MOST_PROBABILITY) * (1.0 + 1e-9) / tables.dt_h
    agenda.most[:] = 0
    for t in range(1, types.size):
        fate = kill = 0.0
        free_fate, free_kill = most, most * contacts
        for slot in range(types[t]["fate_first"], types[t]["fate_last"]):
            bound = rate_bound(slot, view, lattice, tables)
            fate += bound
            free_fate += bound * tables.slots[slot]["pulsed"]
        for slot in range(types[t]["kill_first"], types[t]["kill_last"]):
            bound = rate_bound(slot, view, lattice, tables) * contacts
            kill += bound
            free_kill += bound * tables.slots[slot]["pulsed"]
        agenda.bound[FATE_CLOCK, t], agenda.bound[KILL_CLOCK, t] = fate, kill
        agenda.allowed[FATE_CLOCK, t], agenda.allowed[KILL_CLOCK, t] = (
            min(fate, free_fate),
            min(kill, free_kill),
        )
        for clock in range(2):
            chance = chance_of(agenda.bound[clock, t], tables.dt_h, tables.update)
            at = draws.threshold(min(1.0, chance) * HAIR)
            agenda.threshold[clock, t] = at
            layer = types[t]["layer"]
            if at > 0:
                if agenda.most[clock, layer] == 0:
                    agenda.range[clock, layer, 0] = t
                agenda.range[clock, layer, 1] = t
            agenda.most[clock, layer] = max(agenda.most[clock, layer], at)


@njit(cache=True)
def draws_below(uid: Any, start: int, number: int, key: np.uint64, most: np.uint64) -> np.uint64:
    """Return, as bits, which of up to 64 places have a draw below a threshold (compiles to vectors)."""
    bits = np.uint64(0)
    if number == WINDOW:  # a loop of known length
        for x in range(WINDOW):
            bits |= np.uint64(draws.mix(uid[start + x] ^ key) < most) << np.uint64(x)
    else:
        for x in range(number):
            bits |= np.uint64(draws.mix(uid[start + x] ^ key) < most) << np.uint64(x)
    return bits


@njit(cache=True)
def types_within(occupant: Any, start: int, number: int, first: int, last: int) -> np.uint64:
    """Return, as bits, which of up to 64 places hold a type from first to last (compiles to vectors)."""
    low, span = np.uint8(first), np.uint8(last - first)
    bits = np.uint64(0)
    if number == WINDOW:  # a loop of known length
        for x in range(WINDOW):
            bits |= np.uint64(np.uint8(occupant[start + x] - low) <= span) << np.uint64(x)
    else:
        for x in range(number):
            bits |= np.uint64(np.uint8(occupant[start + x] - low) <= span) << np.uint64(x)
    return bits


@njit(cache=True)
def nobody(occupant: Any, start: int, number: int) -> bool:
    """Return whether a whole window of places is empty (a shorter one counts as occupied)."""
    if number < WINDOW:
        return False
    anyone = np.uint64(0)
    for x in range(0, WINDOW, 8):
        anyone |= eight(occupant, start + x)
    return anyone == 0


@njit(cache=True)
def list_block(block: int, keys: Any, w: World, box: Box, agenda: Agenda) -> None:
    """List the candidates of one block; what does not fit is counted only."""
    occupant, uid = w.occupant, w.uid
    rank, entry, room = pointer(agenda.rank), pointer(agenda.entry), agenda.rank.shape[1]
    threshold = pointer(agenda.threshold)
    order_key = keys[draws.ORDER]
    n, at = 0, block * room
    for clock in range(2):
        key = keys[draws.FATE if clock == FATE_CLOCK else draws.KILL]
        for layer in range(w.layers):
            most = agenda.most[clock, layer]
            if most == 0:
                continue
            first, last = agenda.range[clock, layer, 0], agenda.range[clock, layer, 1]
            for k in range(2 * box.planes):
                begin, length = run_of(k, box, w)
                start = layer * w.sites + begin
                for x in range(0, length, WINDOW):
                    number = min(WINDOW, length - x)
                    if nobody(occupant, start + x, number):
                        continue
                    bits = types_within(occupant, start + x, number, first, last)
                    if bits == 0:
                        continue
                    if set_bits(bits) > FEW:
                        bits &= draws_below(uid, start + x, number, key, most)
                    while bits:
                        place = start + x + lowest(bits)
                        bits &= bits - np.uint64(1)
                        t, who = occupant[place], uid[place]
                        if draws.mix(who ^ key) >= threshold[clock * w.types_1 + t]:
                            continue
                        if n < room:
                            rank[at + n] = draws.mix((who ^ order_key) + np.uint64(clock))
                            entry[at + n] = place * 512 + 2 * np.int64(t) + clock
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
        list_block(block, pointer(keys), w, box_of(block, plan), agenda)
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
