"""Slow, obvious versions of the kernels, in plain Python."""

import numpy as np
from oncolattice.abm.tables import Tables, View
from oncolattice.abm.vocabulary import DECREASES, EXPONENTIAL, INCREASES, LINEAR, NO_SIGNAL

MASK = (1 << 64) - 1


def mix(z: int) -> int:
    """SplitMix64 in Python integers."""
    z = (z + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def around(shape: tuple[int, int], y: int, x: int) -> list[tuple[int, int]]:
    """The site and its neighbours inside the lattice."""
    ny, nx = shape
    return [(j, i) for j in range(y - 1, y + 2) for i in range(x - 1, x + 2) if 0 <= j < ny and 0 <= i < nx]


def contacts(members: np.ndarray, layer: int, y: int, x: int, occupant: np.ndarray) -> int:
    """Cells of a set around a site on all layers, without the one that senses."""
    return sum(
        int(members[occupant[other, j, i]])
        for other in range(occupant.shape[0])
        for j, i in around(occupant.shape[1:], y, x)
        if (other, j, i) != (layer, y, x)
    )


def crowding(layer: int, y: int, x: int, occupant: np.ndarray) -> float:
    """Occupied share of the neighbours on the own layer."""
    sites = [site for site in around(occupant.shape[1:], y, x) if site != (y, x)]
    return sum(occupant[layer, j, i] != 0 for j, i in sites) / len(sites)


def rate(slot: int, layer: int, y: int, x: int, view: View, tables: Tables) -> float:
    """A behaviour's rate, read off the rule grammar."""

    def sensed(sense: int, subject: int) -> float:
        return [
            lambda: view.fields[subject, y, x] * view.stats[subject]["scale"],
            lambda: view.fields[subject, y, x] / view.stats[subject]["mean"],
            lambda: view.body[subject],
            lambda: contacts(tables.sets[subject], layer, y, x, view.occupant),
            lambda: crowding(layer, y, x, view.occupant),
            lambda: view.densities[subject, y, x],
            lambda: 1.0,
        ][sense]()

    increases, factor = 1.0, 1.0
    behaviour = tables.slots[slot]
    for rule in tables.rules[behaviour["rule_first"] : behaviour["rule_last"]]:
        s = sensed(rule["sense"], rule["subject"])
        if rule["sense2"] != NO_SIGNAL:
            s *= sensed(rule["sense2"], rule["subject2"])
        half, power, fold = rule["half"], rule["power"], rule["fold"]
        if rule["response"] == LINEAR:
            h = s / half
        elif rule["response"] == EXPONENTIAL:
            h = 1 - np.exp(-s / half)
        else:
            h = s**power / (half**power + s**power)
        if rule["effect"] == INCREASES:
            increases += (fold - 1) * h
        elif rule["effect"] == DECREASES:
            factor *= 1 - (1 - fold) * h
        else:
            factor *= h
    return behaviour["base"] * increases * factor
