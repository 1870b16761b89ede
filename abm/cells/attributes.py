"""Numbers that a cell carries: counters, clocks and timers.

They begin when a cell begins to carry them, pass to daughters, and change with what the cell does.
"""

import numpy as np
from numba import njit

from ..lattice import Lattice
from ..tables import Tables, View
from . import draws
from .pointers import row
from .sense import attribute_stored, attribute_value
from .world import World, world_of

_TRIES = 64  # a normal start below 0 is drawn again


@njit(cache=True)
def start_value(initial: float, spread: float, uid: np.uint64, attribute: int) -> float:
    """Return the value that a cell starts with: fixed, or normal and cut off at 0."""
    if spread == 0.0:
        return initial
    bits = draws.mix(uid ^ draws.mix(np.uint64(draws.INITIAL) + (np.uint64(attribute) << np.uint64(8))))
    for _ in range(_TRIES):
        value = initial + spread * draws.normal(bits)
        if value >= 0.0:
            return value
        bits = draws.mix(draws.mix(bits))  # the next number has been the angle of this one
    return initial


@njit(cache=True)
def begin(place: int, source: int, source_type: int, w: World) -> None:
    """Set the attributes of the cell at a place: those that its source carries, too, are inherited.

    ``source`` is the place of the mother or of the cell it was (its type before is ``source_type``, 0: none).
    """
    t = w.occupant[place]
    for a in range(w.attributes_n):
        mine = row(w.carries, t * w.attributes_n + a)
        if mine["carried"] == 0:
            w.attributes[a * w.places + place] = 0.0
        elif source_type > 0 and row(w.carries, source_type * w.attributes_n + a)["carried"] != 0:
            w.attributes[a * w.places + place] = w.attributes[a * w.places + source]
        else:
            value = start_value(mine["initial"], mine["spread"], w.uid[place], a)
            w.attributes[a * w.places + place] = attribute_stored(value, mine["kind"], w.now_h)


@njit(cache=True)
def change(place: int, slot: int, w: World) -> None:
    """Apply what a behaviour changes to the attributes of a cell; nothing falls below 0."""
    t = w.occupant[place]
    for c in range(row(w.slots, slot)["change_first"], row(w.slots, slot)["change_last"]):
        step = row(w.changes, c)
        a = step["attribute"]
        mine = row(w.carries, t * w.attributes_n + a)
        if mine["carried"] == 0:
            continue
        value = step["amount"]
        if step["sets"] == 0:
            value += attribute_value(w.attributes[a * w.places + place], mine["kind"], w.now_h)
        w.attributes[a * w.places + place] = attribute_stored(max(0.0, value), mine["kind"], w.now_h)


@njit(cache=True)
def at_zero(place: int, slot: int, w: World) -> int:
    """Return the row of the first change of a behaviour that left an attribute of this cell at 0, or -1."""
    t = w.occupant[place]
    for c in range(row(w.slots, slot)["change_first"], row(w.slots, slot)["change_last"]):
        step = row(w.changes, c)
        a = step["attribute"]
        mine = row(w.carries, t * w.attributes_n + a)
        if step["at_zero"] < 0 or mine["carried"] == 0:
            continue
        if attribute_value(w.attributes[a * w.places + place], mine["kind"], w.now_h) <= 0.0:
            return c
    return -1


@njit(cache=True)
def begin_all(view: View, lattice: Lattice, tables: Tables) -> None:
    """Start the attributes of every cell at time 0."""
    w = world_of(view, lattice, tables)
    for place in range(w.places):
        if w.occupant[place]:
            begin(place, place, 0, w)
