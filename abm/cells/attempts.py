"""Random attempts: as many draws a step as there are cells, with replacement.

The update of exclusion-process models (Baker and Simpson 2010, 10.1103/PhysRevE.82.041905): first N cells are
drawn one after another and may hop, then N are drawn and may divide, die, become or leave, then N may kill.
A drawn cell acts with probability rate * dt. Serial by definition, so the same on any number of threads.
"""

import numpy as np
from numba import njit

from ..lattice import Lattice
from ..tables import Tables, View
from . import draws
from .act import settle_fate, settle_kill
from .decide import FATE_CLOCK, KILL_CLOCK, SURE_HOPS, SURELY, Agenda, Worker, scratch_of
from .hop import carry, ground_of, hop
from .pointers import pointer
from .sense import rate
from .world import world_of


@njit(cache=True)
def list_cells(occupant: np.ndarray, cells: np.ndarray) -> int:
    """List the places of all cells; return their number."""
    n = 0
    for place in range(occupant.size):
        if occupant[place]:
            cells[n] = place
            n += 1
    return n


@njit(cache=True, nogil=True)
def attempt_moves(
    keys: np.ndarray,
    persist_key: np.uint64,
    view: View,
    lattice: Lattice,
    tables: Tables,
    cells: np.ndarray,
    worker: Worker,
) -> None:
    """Let N drawn cells try to hop."""
    n = list_cells(view.occupant, cells)
    w = world_of(view, lattice, tables)
    key = draws.mix(keys[draws.ATTEMPT] ^ keys[draws.MOVE])
    for k in range(n):
        bits = draws.mix(key + np.uint64(k))
        i = draws.below(bits, n)
        t = view.occupant[cells[i]]
        slot = tables.types[t]["move_first"]
        if tables.types[t]["move_last"] == slot:
            continue
        p = rate(slot, cells[i], w) * tables.dt_h
        if p > SURELY:
            worker.tally[1 + w.events + w.types_1 + SURE_HOPS] += 1
        p = min(1.0, p)
        luck = draws.uniform(draws.mix(bits))
        if luck < p:
            now_h = view.clock[0] + tables.dt_h * k / n
            here, who = cells[i], view.uid[cells[i]]
            cells[i] = hop(here, slot, who, luck, p, now_h, persist_key, ground_of(w))
            carry(here, cells[i], w)


@njit(cache=True, nogil=True)
def attempt_acts(
    clock: int,
    keys: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
    agenda: Agenda,
    cells: np.ndarray,
    worker: Worker,
) -> None:
    """Let N drawn cells try to act on one clock; one that has died in this step wastes the attempt."""
    w, scratch = world_of(view, lattice, tables), scratch_of(worker)
    present = n = list_cells(view.occupant, cells)
    key = draws.mix(keys[draws.ATTEMPT] ^ keys[draws.FATE if clock == FATE_CLOCK else draws.KILL])
    for k in range(n):
        bits = draws.mix(key + np.uint64(k))
        place = cells[draws.below(bits, present)]
        t = view.occupant[place]
        luck, allowed = draws.mix(bits), agenda.allowed[clock, t]
        if luck >= agenda.threshold[clock, t]:
            continue
        if clock == KILL_CLOCK:
            settle_kill(place, t, luck, allowed, pointer(keys), w, scratch)
        else:
            daughter = settle_fate(place, t, luck, allowed, pointer(keys), w, scratch)
            if daughter >= 0 and present < cells.size:
                cells[present] = daughter  # newborns may be drawn by what is left of the N attempts
                present += 1
