"""Carry out the listed decisions: divide, die, become, leave, kill.

Strips of rows of one colour (every other strip) are independent, because no act reaches further than a
quarter of a strip; colours follow one another, and inside a strip candidates act in hash order. So the
result depends neither on the number of threads nor on the direction of sweeping.
"""

import numpy as np
from numba import njit

from . import draws
from .decide import FATE_CLOCK, Agenda
from .sense import contacts, rate, senses_of
from .tables import RateTables, Tables, View
from .vocabulary import BECOME, DIVIDE

EXCESS = 0  # column 0 of the tallies counts rates above their bound: any is an error


@njit(cache=True)
def remove(layer: int, y: int, x: int, view: View) -> None:
    """Empty a site."""
    view.occupant[layer, y, x] = 0
    view.uid[layer, y, x] = 0


@njit(cache=True)
def divide(layer: int, y: int, x: int, rings: int, key: np.uint64, view: View) -> bool:
    """Put a daughter on a random free site of the nearest ring that has one; False if there is none."""
    _, ny, nx = view.occupant.shape
    uid = view.uid[layer, y, x]
    for ring in range(1, rings + 1):
        free = 0
        for attempt in range(2):
            chosen = 0
            if attempt == 1:
                if free == 0:
                    break
                chosen = int(draws.uniform(draws.mix(uid ^ key)) * free)
                free = 0
            for j in range(max(0, y - ring), min(ny, y + ring + 1)):
                inner = abs(j - y) < ring
                for i in range(max(0, x - ring), min(nx, x + ring + 1)):
                    if (inner and abs(i - x) < ring) or view.occupant[layer, j, i] != 0:
                        continue
                    if attempt == 1 and free == chosen:
                        view.occupant[layer, j, i] = view.occupant[layer, y, x]
                        view.uid[layer, j, i] = draws.mix(draws.mix(uid) ^ key)
                        return True
                    free += 1
    return False


@njit(cache=True)
def settle_fate(
    t: int,
    layer: int,
    y: int,
    x: int,
    draw: np.uint64,
    keys: np.ndarray,
    view: View,
    tables: Tables,
    bound: float,
    tally: np.ndarray,
) -> None:
    """Confirm one candidate of the fate clock, choose among its behaviours and carry the chosen one out."""
    slots, types = tables.slots, tables.types
    senses = senses_of(view)
    rates = RateTables(slots, tables.rules, tables.sets)
    total = 0.0
    for slot in range(types[t]["fate_first"], types[t]["fate_last"]):
        total += abs(rate(slot, layer, y, x, senses, rates))
    if total > bound * (1.0 + 1e-12):
        tally[EXCESS] += 1
    if draws.uniform(draw) >= -np.expm1(-total * tables.dt_h):
        return
    uid = view.uid[layer, y, x]
    pick = draws.uniform(draws.mix(uid ^ keys[draws.CHOICE])) * total
    chosen, signed = -1, 0.0
    for slot in range(types[t]["fate_first"], types[t]["fate_last"]):
        r = rate(slot, layer, y, x, senses, rates)
        if r != 0.0:
            chosen, signed = (
                slot,
                r,
            )  # the last one that can happen, should round-off leave pick above the sum
            pick -= abs(r)
            if pick < 0.0:
                break
    if chosen < 0:
        return
    behaviour = slots[chosen]
    verb = behaviour["verb"]
    if verb == DIVIDE and signed > 0.0:
        if divide(layer, y, x, behaviour["rings"], keys[draws.DAUGHTER], view):
            tally[1 + behaviour["event"]] += 1
        else:
            tally[1 + behaviour["blocked"]] += 1
    elif verb == DIVIDE:
        if behaviour["below"] >= 0:
            remove(layer, y, x, view)
            tally[1 + behaviour["below"]] += 1
    elif verb == BECOME:
        view.occupant[layer, y, x] = behaviour["object"]
        tally[1 + behaviour["event"]] += 1
    else:  # die or leave
        remove(layer, y, x, view)
        tally[1 + behaviour["event"]] += 1


@njit(cache=True)
def settle_kill(
    t: int,
    layer: int,
    y: int,
    x: int,
    draw: np.uint64,
    keys: np.ndarray,
    view: View,
    tables: Tables,
    bound: float,
    tally: np.ndarray,
) -> None:
    """Confirm one candidate of the kill clock and kill a random cell among its contacts."""
    slots, types = tables.slots, tables.types
    senses = senses_of(view)
    rates = RateTables(slots, tables.rules, tables.sets)
    total = 0.0
    for slot in range(types[t]["kill_first"], types[t]["kill_last"]):
        n = contacts(tables.sets[slots[slot]["object"]], layer, y, x, view.occupant)
        if n:
            total += n * rate(slot, layer, y, x, senses, rates)
    if total > bound * (1.0 + 1e-12):
        tally[EXCESS] += 1
    if draws.uniform(draw) >= -np.expm1(-total * tables.dt_h):
        return
    uid = view.uid[layer, y, x]
    pick = draws.uniform(draws.mix(uid ^ keys[draws.TARGET])) * total
    layers, ny, nx = view.occupant.shape
    for slot in range(types[t]["kill_first"], types[t]["kill_last"]):
        members = tables.sets[slots[slot]["object"]]
        if contacts(members, layer, y, x, view.occupant) == 0:
            continue
        r = rate(slot, layer, y, x, senses, rates)
        for other in range(layers):
            for j in range(max(0, y - 1), min(ny, y + 2)):
                for i in range(max(0, x - 1), min(nx, x + 2)):
                    victim = view.occupant[other, j, i]
                    if members[victim] == 0 or (other == layer and j == y and i == x):
                        continue
                    pick -= r
                    if pick < 0.0:
                        remove(other, j, i, view)
                        tally[1 + tables.victim_event[slot, victim]] += 1
                        return


@njit(cache=True)
def act_strip(
    strip: int, keys: np.ndarray, view: View, tables: Tables, agenda: Agenda, tallies: np.ndarray
) -> None:
    """Let the candidates of one strip act in hash order; a candidate that is gone or has changed is void."""
    _, ny, nx = view.occupant.shape
    n = agenda.listed[strip]
    order_key = keys[draws.ORDER]
    rank = np.empty(n, np.uint64)
    for k in range(n):
        rank[k] = draws.mix(agenda.uid[strip, k] ^ order_key) + np.uint64(agenda.clock[strip, k])
    order = np.argsort(rank)
    tally = tallies[strip]
    for k in order:
        site = agenda.site[strip, k]
        layer = site // (ny * nx)
        y = (site // nx) % ny
        x = site % nx
        t = view.occupant[layer, y, x]
        if view.uid[layer, y, x] != agenda.uid[strip, k] or t != agenda.type[strip, k]:
            continue
        draw = agenda.draw[strip, k]
        if agenda.clock[strip, k] == FATE_CLOCK:
            settle_fate(t, layer, y, x, draw, keys, view, tables, agenda.fate_bound[t], tally)
        else:
            settle_kill(t, layer, y, x, draw, keys, view, tables, agenda.kill_bound[t], tally)


@njit(cache=True, nogil=True)
def act_strips(
    first: int,
    stop: int,
    stride: int,
    keys: np.ndarray,
    view: View,
    tables: Tables,
    agenda: Agenda,
    tallies: np.ndarray,
) -> None:
    """Let strips first, first + stride, ... act; strips of one colour are independent of one another."""
    for strip in range(first, stop, stride):
        act_strip(strip, keys, view, tables, agenda, tallies)
