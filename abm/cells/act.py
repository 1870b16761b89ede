"""Carry out the listed decisions: divide, die, become, leave, kill.

Inside a block candidates act in hash order; blocks of one colour are independent. So the result depends
neither on the number of threads nor on the direction of sweeping.
"""

from typing import Any

import numpy as np
from numba import njit

from ..lattice import Lattice
from ..tables import Tables, View
from ..vocabulary import ANY_NEIGHBOUR, BECOME, BEGET, DIE, DIVIDE, RATES
from . import draws
from .attributes import at_zero, begin, change
from .blocks import Plan
from .decide import (
    EXCESS,
    FATE_CLOCK,
    SURE_OUTCOMES,
    SURELY,
    Agenda,
    Scratch,
    Worker,
    chance_of,
    order_block,
    scratch_of,
)
from .pointers import pointer, prefetch, row
from .sense import contacts, rate
from .world import World, across, neighbour, site_of, world_of

AHEAD = 8  # candidates between asking for a cell's memory and its turn


@njit(cache=True)
def settle(place: int, t: int, event: int, w: World, tally: Any) -> None:
    """Turn the cell at a place into a type (0: empty the site) and count the event."""
    before = w.occupant[place]
    w.occupant[place] = t
    counts = 1 + w.events
    tally[counts + before] -= 1
    tally[1 + event] += 1
    if t == 0:
        w.uid[place] = 0
    else:
        tally[counts + t] += 1
    if w.attributes_n:
        begin(place, place, before, w)


@njit(cache=True)
def react(place: int, slot: int, w: World, tally: Any) -> None:
    """Let a cell whose attribute has fallen to 0 become or die as its change says."""
    c = at_zero(place, slot, w)
    if c >= 0:
        settle(place, row(w.changes, c)["object"], row(w.changes, c)["event"], w, tally)


@njit(cache=True)
def find_site(place: int, slot: int, bits: np.uint64, w: World, free: Any) -> int:
    """Return the place where a daughter goes by the division rule of a behaviour, -1 if there is none."""
    behaviour, occupant, ring_end = row(w.slots, slot), w.occupant, w.ring
    site = site_of(place, w)
    start = place - site
    if behaviour["target"] == ANY_NEIGHBOUR:
        other = neighbour(site, draws.below(bits, w.neighbours), 1, w)
        return start + other if other >= 0 and occupant[start + other] == 0 else -1
    for ring in range(1, behaviour["rings"] + 1):
        n = 0
        if w.room[site] >= ring:
            for k in range(ring_end[ring - 1], ring_end[ring]):
                other = place + w.flat[k]
                free[n] = other
                n += occupant[other] == 0  # no branch: whether a site is free cannot be foreseen
        else:
            for k in range(ring_end[ring - 1], ring_end[ring]):
                other = across(site, k, w)
                if other >= 0 and occupant[start + other] == 0:
                    free[n] = start + other
                    n += 1
        if n > 0:
            return free[draws.below(bits, n)]
    return -1


@njit(cache=True)
def divide(
    place: int,
    slot: int,
    luck: np.uint64,
    keys: Any,
    w: World,
    scratch: Scratch,
) -> int:
    """Divide into a free site by the rule of the behaviour, unless the attempt kills the cell; return where
    the daughter is, or -1."""
    tally = scratch.tally
    target = find_site(place, slot, draws.mix(luck ^ keys[draws.PLACE]), w, scratch.free)
    if target < 0:
        tally[1 + row(w.slots, slot)["blocked"]] += 1
        return -1
    t = w.occupant[place]
    kind, begot = t, -1
    outcome = row(w.types, t)
    if outcome["divide_last"] > outcome["divide_first"]:
        pick = draws.uniform(draws.mix(luck ^ keys[draws.BEGET]))
        daughter = draws.uniform(draws.mix(luck ^ keys[draws.TARGET]))
        begets = dies = 0.0
        for other in range(outcome["divide_first"], outcome["divide_last"]):
            behaviour = row(w.slots, other)
            chance = max(0.0, rate(other, place, w))
            if behaviour["verb"] == BEGET:
                daughter -= chance
                begets += chance
                if daughter < 0.0 and kind == t:
                    kind, begot = behaviour["object"], behaviour["event"]
                continue
            pick -= chance
            dies += chance
            if dies > SURELY:
                tally[1 + w.events + w.types_1 + SURE_OUTCOMES] += 1
            if pick < 0.0:
                settle(place, behaviour["leaves"], behaviour["event"], w, tally)
                return -1
        if begets > SURELY:
            tally[1 + w.events + w.types_1 + SURE_OUTCOMES] += 1
    w.occupant[target] = kind
    w.uid[target] = draws.mix(w.uid[place] ^ draws.mix(luck ^ keys[draws.DAUGHTER]))
    tally[1 + row(w.slots, slot)["event"]] += 1
    if begot >= 0:
        tally[1 + begot] += 1
    tally[1 + w.events + kind] += 1
    if w.attributes_n:
        change(place, slot, w)
        begin(target, place, t, w)
        if kind == t:
            react(target, slot, w, tally)
        react(place, slot, w, tally)
    return target


@njit(cache=True)
def settle_fate(
    place: int,
    t: int,
    luck: np.uint64,
    allowed: float,
    keys: Any,
    w: World,
    scratch: Scratch,
) -> int:
    """Confirm one candidate of the fate clock, choose among its behaviours and carry the chosen one out.

    Returns the place of a daughter, or -1.
    """
    tally, found = scratch.tally, scratch.rates
    first, last = row(w.types, t)["fate_first"], row(w.types, t)["fate_last"]
    total = 0.0
    for slot in range(first, last):
        value = rate(slot, place, w)
        if value < 0.0 and row(w.slots, slot)["below"] < 0:
            value = 0.0  # only a division may turn negative, where the model says what happens then
        found[slot - first] = value
        total += abs(value)
    if total > allowed:
        tally[EXCESS] += 1
    if draws.uniform(luck) >= chance_of(total, w.dt_h, w.update):
        return -1
    pick = draws.uniform(draws.mix(luck ^ keys[draws.CHOICE])) * total
    chosen = -1
    for slot in range(first, last):
        if found[slot - first] != 0.0:
            chosen = slot  # the last one that can happen, should round-off leave pick above the sum
            pick -= abs(found[slot - first])
            if pick < 0.0:
                break
    if chosen < 0:
        return -1
    behaviour = row(w.slots, chosen)
    verb = behaviour["verb"]
    if verb == DIVIDE:
        if found[chosen - first] > 0.0:
            return divide(place, chosen, luck, keys, w, scratch)
        settle(place, 0, behaviour["below"], w, tally)
    elif verb == BECOME:
        settle(place, behaviour["object"], behaviour["event"], w, tally)
        if behaviour["change_last"] > behaviour["change_first"]:
            change(place, chosen, w)
            react(place, chosen, w, tally)
    else:  # die or leave
        left = behaviour["leaves"] if verb == DIE else 0
        settle(place, left, behaviour["event"], w, tally)
    return -1


@njit(cache=True)
def settle_kill(
    place: int,
    t: int,
    luck: np.uint64,
    allowed: float,
    keys: Any,
    w: World,
    scratch: Scratch,
) -> None:
    """Confirm one candidate of the kill clock and kill a random cell among its contacts."""
    tally, found = scratch.tally, scratch.rates
    first, last = row(w.types, t)["kill_first"], row(w.types, t)["kill_last"]
    total, spared = 0.0, 1.0
    for slot in range(first, last):
        n = contacts(row(w.slots, slot)["object"], place, w)
        found[slot - first] = max(0.0, rate(slot, place, w)) if n else 0.0
        total += n * found[slot - first]
        if w.update != RATES:
            spared *= (1.0 - min(1.0, found[slot - first] * w.dt_h)) ** n
    if total > allowed:
        tally[EXCESS] += 1
    # rates add up over contacts; a probability a step is an attempt at each contact
    chance = chance_of(total, w.dt_h, w.update) if w.update == RATES else 1.0 - spared
    if draws.uniform(luck) >= chance:
        return
    pick = draws.uniform(draws.mix(luck ^ keys[draws.CHOICE])) * total
    site = site_of(place, w)
    for slot in range(first, last):
        if found[slot - first] == 0.0:
            continue
        behaviour = row(w.slots, slot)
        members = behaviour["object"] * w.types_1
        for layer in range(w.layers):
            start = layer * w.sites
            for k in range(-1, w.neighbours):
                other = site if k < 0 else neighbour(site, k, 1, w)
                if other < 0 or start + other == place:
                    continue
                victim = w.occupant[start + other]
                if w.sets[members + victim] == 0:
                    continue
                pick -= found[slot - first]
                if pick < 0.0:
                    event = w.victim_event[slot * w.types_1 + victim]
                    settle(start + other, behaviour["leaves"], event, w, tally)
                    if behaviour["change_last"] > behaviour["change_first"]:
                        change(place, slot, w)
                        react(place, slot, w, tally)
                    return


@njit(cache=True)
def fetch(place: int, w: World) -> None:
    """Ask for the memory that a cell and its neighbours live in, some candidates before its turn."""
    prefetch(w.uid, place)
    prefetch(w.occupant, place)
    prefetch(w.occupant, place - w.nx)
    prefetch(w.occupant, place + w.nx)


@njit(cache=True)
def act_block(block: int, keys: Any, w: World, agenda: Agenda, worker: Worker, scratch: Scratch) -> None:
    """Let the candidates of one block act in hash order; a candidate that is gone or has changed is void."""
    order_block(block, agenda, worker)
    order, order_key = pointer(worker.order), keys[draws.ORDER]
    n, room = agenda.listed[block], agenda.rank.shape[1]
    rank, entries = pointer(agenda.rank), pointer(agenda.entry)
    at = block * room
    for i in range(n):
        if i + AHEAD < n:
            fetch(entries[at + order[i + AHEAD]] >> 9, w)
        k = at + order[i]
        entry = entries[k]
        place, t, clock = entry >> 9, (entry >> 1) & 255, entry & 1
        uid = w.uid[place]
        if w.occupant[place] != t or draws.mix((uid ^ order_key) + np.uint64(clock)) != rank[k]:
            continue
        allowed = agenda.allowed[clock, t]
        if clock == FATE_CLOCK:
            luck = draws.mix(uid ^ keys[draws.FATE])
            settle_fate(place, t, luck, allowed, keys, w, scratch)
        else:
            luck = draws.mix(uid ^ keys[draws.KILL])
            settle_kill(place, t, luck, allowed, keys, w, scratch)


@njit(cache=True, nogil=True)
def act_blocks(
    first: int,
    stop: int,
    colour: int,
    keys: np.ndarray,
    view: View,
    lattice: Lattice,
    tables: Tables,
    plan: Plan,
    agenda: Agenda,
    worker: Worker,
) -> None:
    """Let the blocks of one colour among first to stop act; they are independent of one another."""
    w, scratch = world_of(view, lattice, tables), scratch_of(worker)
    for block in range(first, stop):
        if plan.colour[block] == colour:
            act_block(block, pointer(keys), w, agenda, worker, scratch)
