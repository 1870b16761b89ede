"""What a cell senses, and how its rules turn that into a rate.

A behaviour's rate is ``base * (1 + sum (fold - 1) h) * prod (1 - (1 - fold) h) * prod h`` over its
increasing, decreasing and driving rules, with h the response to the sensed signal.
"""

import numpy as np
from numba import njit

from .tables import RateTables, Senses, View
from .vocabulary import (
    BODY,
    CONTACT,
    CROWDING,
    DECREASES,
    DENSITY,
    EXPONENTIAL,
    FIELD,
    INCREASES,
    LINEAR,
    NO_SIGNAL,
    RELATIVE_FIELD,
)


@njit(cache=True)
def contacts(members: np.ndarray, layer: int, y: int, x: int, occupant: np.ndarray) -> int:
    """Return how many of the cells around a site (eight neighbours and the site itself, all layers, without
    the sensing cell) belong to a set."""
    layers, ny, nx = occupant.shape
    n = 0
    for other in range(layers):
        for j in range(max(0, y - 1), min(ny, y + 2)):
            for i in range(max(0, x - 1), min(nx, x + 2)):
                if other == layer and j == y and i == x:
                    continue
                n += members[occupant[other, j, i]]
    return n


@njit(cache=True)
def crowding(layer: int, y: int, x: int, occupant: np.ndarray) -> float:
    """Return the occupied fraction of the neighbours on the own layer."""
    _, ny, nx = occupant.shape
    n = occupied = 0
    for j in range(max(0, y - 1), min(ny, y + 2)):
        for i in range(max(0, x - 1), min(nx, x + 2)):
            if j != y or i != x:
                n += 1
                occupied += occupant[layer, j, i] != 0
    return occupied / n


@njit(cache=True)
def signal(sense: int, subject: int, layer: int, y: int, x: int, senses: Senses, sets: np.ndarray) -> float:
    """Return one signal at a site."""
    if sense == BODY:
        return senses.body[subject]
    if sense == FIELD:
        return senses.fields[subject, y, x] * senses.stats[subject]["scale"]
    if sense == RELATIVE_FIELD:
        mean = senses.stats[subject]["mean"]
        return senses.fields[subject, y, x] / mean if mean > 0.0 else 1.0
    if sense == DENSITY:
        return senses.densities[subject, y, x]
    if sense == CONTACT:
        return float(contacts(sets[subject], layer, y, x, senses.occupant))
    if sense == CROWDING:
        return crowding(layer, y, x, senses.occupant)
    return 1.0


@njit(cache=True)
def respond(response: int, s: float, half: float, power: float) -> float:
    """Return the response to a signal: Hill, linear or saturating exponential."""
    if response == LINEAR:
        return s / half
    if response == EXPONENTIAL:
        return -np.expm1(-s / half)
    if s <= 0.0:
        return 0.0
    ratio = half / s
    if power == 2.0:
        ratio *= ratio
    elif power == 4.0:
        ratio *= ratio * ratio * ratio
    elif power != 1.0:
        ratio = ratio**power
    return 1.0 / (1.0 + ratio)


@njit(cache=True)
def rate(slot: int, layer: int, y: int, x: int, senses: Senses, tables: RateTables) -> float:
    """Return the rate of a behaviour at a site (1/h; negative where a linear rule overshoots)."""
    behaviour = tables.slots[slot]
    up, down, drive = 1.0, 1.0, 1.0
    for r in range(behaviour["rule_first"], behaviour["rule_last"]):
        rule = tables.rules[r]
        s = signal(rule["sense"], rule["subject"], layer, y, x, senses, tables.sets)
        if rule["sense2"] != NO_SIGNAL:
            s *= signal(rule["sense2"], rule["subject2"], layer, y, x, senses, tables.sets)
        h = respond(rule["response"], s, rule["half"], rule["power"])
        if rule["effect"] == INCREASES:
            up += (rule["fold"] - 1.0) * h
        elif rule["effect"] == DECREASES:
            down *= 1.0 - (1.0 - rule["fold"]) * h
        else:
            drive *= h
    return behaviour["base"] * up * down * drive


@njit(cache=True)
def senses_of(view: View) -> Senses:
    """Return the arrays that a rate needs of a view."""
    return Senses(view.occupant, view.fields, view.stats, view.densities, view.body)


@njit(cache=True)
def signal_range(sense: int, subject: int, view: View) -> tuple[float, float]:
    """Return the lowest and highest value that a signal can have anywhere in this step."""
    if sense == BODY:
        return view.body[subject], view.body[subject]
    if sense in (FIELD, RELATIVE_FIELD):
        stats = view.stats[subject]
        factor = stats["scale"]
        if sense == RELATIVE_FIELD:
            if not stats["mean"] > 0.0:
                return 1.0, 1.0
            factor = 1.0 / stats["mean"]
        return stats["low"] * factor, stats["high"] * factor
    if sense == DENSITY:
        return 0.0, view.density_max[subject]
    if sense == CONTACT:
        return 0.0, 9.0 * view.occupant.shape[0] - 1.0
    if sense == CROWDING:
        return 0.0, 1.0
    return 1.0, 1.0


@njit(cache=True)
def rate_bound(slot: int, view: View, tables: RateTables) -> float:
    """Return an upper bound of |rate| of a behaviour over all sites in this step."""
    behaviour = tables.slots[slot]
    up, down, drive = 1.0, 1.0, 1.0
    for r in range(behaviour["rule_first"], behaviour["rule_last"]):
        rule = tables.rules[r]
        low, high = signal_range(rule["sense"], rule["subject"], view)
        if rule["sense2"] != NO_SIGNAL:
            low2, high2 = signal_range(rule["sense2"], rule["subject2"], view)
            low *= low2
            high *= high2
        at_low = respond(rule["response"], low, rule["half"], rule["power"])
        at_high = respond(rule["response"], high, rule["half"], rule["power"])
        gain = rule["fold"] - 1.0
        if rule["effect"] == INCREASES:
            up += max(gain * at_low, gain * at_high)
        elif rule["effect"] == DECREASES:
            down *= max(abs(1.0 + gain * at_low), abs(1.0 + gain * at_high))
        else:
            drive *= at_high
    # an "increasing" rule with fold < 1 may pull the sum below 1, even below 0: its size is what counts
    return behaviour["base"] * max(up, 1.0) * down * drive
