"""What a cell senses, and how its rules turn that into a rate.

A behaviour's rate is ``base * (1 + sum (fold - 1) h) * prod (1 - (1 - fold) h) * prod h`` over its
increasing, decreasing and driving rules, with h the response to the sensed signal.
"""

import numpy as np
from numba import njit

from ..lattice import LAYERS, NEIGHBOURS, Lattice
from ..tables import Tables, View
from ..vocabulary import (
    BODY,
    CLOCK,
    CONTACT,
    COUNT,
    CROWDING,
    DECREASES,
    DENSITY,
    EXPONENTIAL,
    FIELD,
    INCREASES,
    LINEAR,
    NO_SIGNAL,
    OWN,
    RELATIVE_FIELD,
    STEP,
)
from .pointers import row
from .world import World, across, neighbour, site_of, world_of

# The three below are inlined wherever they are called: handing the world on costs more than most of them do.
UNBOUNDED = 1e300  # upper end of an attribute, whose response is bounded all the same
LIBRARY_ERROR = 16 * 2.0**-53  # of pow and expm1, relative: C libraries keep within 2 units in the last place


@njit(cache=True)
def contacts(members: int, place: int, w: World) -> int:
    """Return how many of the cells around a place (its neighbours on all layers, and its own site on the
    others) belong to a set."""
    row_of_set = members * w.types_1
    site = site_of(place, w)
    n = 0
    for layer in range(w.layers):
        start = layer * w.sites
        if start + site != place:
            n += w.sets[row_of_set + w.occupant[start + site]]
        if w.room[site] >= 1:
            for k in range(w.neighbours):
                n += w.sets[row_of_set + w.occupant[start + site + w.flat[k]]]
            continue
        for k in range(w.neighbours):
            other = across(site, k, w)
            if other >= 0:
                n += w.sets[row_of_set + w.occupant[start + other]]
    return n


@njit(cache=True)
def crowding(place: int, w: World) -> float:
    """Return the occupied fraction of the neighbours on the own layer."""
    site = site_of(place, w)
    start = place - site
    n = occupied = 0
    for k in range(w.neighbours):
        other = neighbour(site, k, 1, w)
        if other >= 0:
            n += 1
            occupied += w.occupant[start + other] != 0
    return occupied / n


@njit(cache=True)
def attribute_value(stored: float, kind: int, now_h: float) -> float:
    """Return an attribute as rules see it: clocks and timers are stored as a point in time."""
    if kind == COUNT:
        return max(0.0, stored)
    if kind == CLOCK:
        return max(0.0, now_h - stored)  # float32 may round a time up
    return max(0.0, stored - now_h)


@njit(cache=True)
def attribute_stored(value: float, kind: int, now_h: float) -> float:
    """Return what is stored for an attribute that has a value now."""
    if kind == COUNT:
        return value
    if kind == CLOCK:
        return now_h - value
    return now_h + value


@njit(cache=True, forceinline=True)
def signal(sense: int, subject: int, place: int, w: World) -> float:
    """Return one signal at a place."""
    if sense == BODY:
        return w.body[subject]
    if sense == FIELD:
        return w.fields[subject * w.sites + site_of(place, w)] * row(w.stats, subject)["scale"]
    if sense == RELATIVE_FIELD:
        mean = row(w.stats, subject)["mean"]
        return w.fields[subject * w.sites + site_of(place, w)] / mean if mean > 0.0 else 1.0
    if sense == DENSITY:
        return w.densities[subject * w.sites + site_of(place, w)]
    if sense == CONTACT:
        return float(contacts(subject, place, w))
    if sense == CROWDING:
        return crowding(place, w)
    if sense == OWN:
        kind = row(w.carries, w.occupant[place] * w.attributes_n + subject)["kind"]
        return attribute_value(w.attributes[subject * w.places + place], kind, w.now_h)
    return 1.0


@njit(cache=True, forceinline=True)
def respond(response: int, s: float, half: float, power: float) -> float:
    """Return the response to a signal: Hill, linear, saturating exponential or step."""
    if response == LINEAR:
        return s / half
    if response == EXPONENTIAL:
        return -np.expm1(-s / half)
    if response == STEP:
        return 1.0 if s >= half else 0.0
    if s <= 0.0:
        return 0.0
    ratio = half / s
    if power == 2.0:
        ratio *= ratio
    elif power == 4.0:
        ratio *= ratio
        ratio *= ratio
    elif power == 8.0:
        ratio *= ratio
        ratio *= ratio
        ratio *= ratio
    elif power != 1.0:
        ratio = ratio**power
    return 1.0 / (1.0 + ratio)


@njit(cache=True, forceinline=True)
def rate(slot: int, place: int, w: World) -> float:
    """Return the rate of a behaviour at a place (1/h; negative where a linear rule overshoots)."""
    behaviour = row(w.slots, slot)
    up, down, drive = 1.0, 1.0, 1.0
    for r in range(behaviour["rule_first"], behaviour["rule_last"]):
        rule = row(w.rules, r)
        s = signal(rule["sense"], rule["subject"], place, w)
        if rule["sense2"] != NO_SIGNAL:
            s *= signal(rule["sense2"], rule["subject2"], place, w)
        h = respond(rule["response"], s, rule["half"], rule["power"])
        if rule["effect"] == INCREASES:
            up += (rule["fold"] - 1.0) * h
        elif rule["effect"] == DECREASES:
            down *= 1.0 - (1.0 - rule["fold"]) * h
        else:
            drive *= h
    return behaviour["base"] * up * down * drive


@njit(cache=True)
def rates_at(
    slot: int, places: np.ndarray, view: View, lattice: Lattice, tables: Tables, out: np.ndarray
) -> None:
    """Write the rate of one behaviour at many places."""
    w = world_of(view, lattice, tables)
    for i in range(places.size):
        out[i] = rate(slot, places[i], w)


@njit(cache=True)
def most_contacts(lattice: Lattice) -> int:
    """Return the highest number of contacts that a cell can have."""
    return (lattice.size[NEIGHBOURS] + 1) * lattice.size[LAYERS] - 1


@njit(cache=True)
def signal_range(sense: int, subject: int, view: View, lattice: Lattice) -> tuple[float, float]:
    """Return the lowest and highest value that `signal` can return anywhere in this step.

    Ends come from the expressions of `signal`, applied to the extremes of what it reads.
    """
    if sense == BODY:
        return view.body[subject], view.body[subject]
    if sense == FIELD:
        stats = view.stats[subject]
        return ordered(stats["low"] * stats["scale"], stats["high"] * stats["scale"])
    if sense == RELATIVE_FIELD:
        stats = view.stats[subject]
        if not stats["mean"] > 0.0:
            return 1.0, 1.0
        return stats["low"] / stats["mean"], stats["high"] / stats["mean"]
    if sense == DENSITY:
        return 0.0, view.density_max[subject]
    if sense == CONTACT:
        return 0.0, float(most_contacts(lattice))
    if sense == CROWDING:
        return 0.0, 1.0
    if sense == OWN:
        return 0.0, UNBOUNDED
    return 1.0, 1.0


@njit(cache=True)
def ordered(a: float, b: float) -> tuple[float, float]:
    """Return two numbers, the lower one first."""
    return min(a, b), max(a, b)


@njit(cache=True)
def times(low: float, high: float, low2: float, high2: float) -> tuple[float, float]:
    """Return the range of the products of two ranges, whose ends are among the products of ends."""
    a, b, c, d = low * low2, low * high2, high * low2, high * high2
    return min(a, b, c, d), max(a, b, c, d)


@njit(cache=True)
def response_range(response: int, low: float, high: float, half: float, power: float) -> tuple[float, float]:
    """Return the range of `respond`, which rises with the signal, over a range of signals.

    Division, products and sums round in order: from x <= y follows round(x) <= round(y). Powers and exponentials of
    the C library do not, so their ends are moved outwards by more than its error; neither response exceeds 1.
    """
    at_low, at_high = respond(response, low, half, power), respond(response, high, half, power)
    if response != LINEAR and response != STEP:
        at_low *= 1.0 - LIBRARY_ERROR if at_low > 0.0 else 1.0 + LIBRARY_ERROR
        at_high = min(1.0, at_high * (1.0 + LIBRARY_ERROR if at_high > 0.0 else 1.0 - LIBRARY_ERROR))
    return at_low, at_high


@njit(cache=True)
def rate_range(slot: int, view: View, lattice: Lattice, tables: Tables) -> tuple[float, float]:
    """Return the lowest and highest value that `rate` can return anywhere in this step.

    It is `rate` operation by operation, each on ranges: as every operation rounds in order, what `rate` finds from
    numbers within the ranges is within the range that results, to the last bit.
    """
    behaviour = tables.slots[slot]
    up_low = up_high = down_low = down_high = drive_low = drive_high = 1.0
    for r in range(behaviour["rule_first"], behaviour["rule_last"]):
        rule = tables.rules[r]
        low, high = signal_range(rule["sense"], rule["subject"], view, lattice)
        if rule["sense2"] != NO_SIGNAL:
            low2, high2 = signal_range(rule["sense2"], rule["subject2"], view, lattice)
            low, high = times(low, high, low2, high2)
        low, high = response_range(rule["response"], low, high, rule["half"], rule["power"])
        if rule["effect"] == INCREASES:
            low, high = ordered((rule["fold"] - 1.0) * low, (rule["fold"] - 1.0) * high)
            up_low += low
            up_high += high
        elif rule["effect"] == DECREASES:
            low, high = ordered(1.0 - (1.0 - rule["fold"]) * low, 1.0 - (1.0 - rule["fold"]) * high)
            down_low, down_high = times(down_low, down_high, low, high)
        else:
            drive_low, drive_high = times(drive_low, drive_high, low, high)
    low, high = behaviour["base"] * up_low, behaviour["base"] * up_high
    low, high = times(low, high, down_low, down_high)
    return times(low, high, drive_low, drive_high)


@njit(cache=True)
def rate_bound(slot: int, view: View, lattice: Lattice, tables: Tables) -> float:
    """Return an upper bound of |rate| of a behaviour over all places in this step."""
    low, high = rate_range(slot, view, lattice, tables)
    return max(abs(low), abs(high))
