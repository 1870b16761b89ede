"""Slow, obvious versions of the kernels, in plain Python, for sections and blocks."""

import itertools

import numpy as np

from oncolattice.abm.model import Model
from oncolattice.abm.state import State
from oncolattice.abm.vocabulary import (
    CLOCK,
    COUNT,
    DECREASES,
    EXPONENTIAL,
    INCREASES,
    LINEAR,
    NO_SIGNAL,
    STEP,
)

MASK = (1 << 64) - 1


def mix(z: int) -> int:
    """SplitMix64 in Python integers."""
    z = (z + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def neighbours(site: tuple[int, ...], shape: tuple[int, ...], moore: bool, periodic: bool) -> list[tuple]:
    """The neighbours of a site inside the lattice."""
    found = []
    for step in itertools.product((-1, 0, 1), repeat=len(shape)):
        if not any(step) or (not moore and sum(map(abs, step)) > 1):
            continue
        other = tuple(a + b for a, b in zip(site, step, strict=True))
        if periodic:
            other = tuple(a % n for a, n in zip(other, shape, strict=True))
        elif not all(0 <= a < n for a, n in zip(other, shape, strict=True)):
            continue
        found.append(other)
    return found


def contacts(members: np.ndarray, layer: int, site: tuple, state: State, model: Model) -> int:
    """Cells of a set around a site on all layers, without the one that senses."""
    moore = model.spec.model["neighbourhood"] == "moore"
    around = neighbours(site, state.shape, moore, model.periodic)
    return sum(
        int(members[state.occupant[(other, *place)]])
        for other in range(state.occupant.shape[0])
        for place in [*around, site]
        if (other, *place) != (layer, *site)
    )


def crowding(layer: int, site: tuple, state: State, model: Model) -> float:
    """Occupied share of the neighbours on the own layer."""
    moore = model.spec.model["neighbourhood"] == "moore"
    around = neighbours(site, state.shape, moore, model.periodic)
    return sum(state.occupant[(layer, *place)] != 0 for place in around) / len(around)


def rate(slot: int, layer: int, site: tuple, state: State, model: Model) -> float:
    """A behaviour's rate, read off the rule grammar."""
    tables, view = model.tables, state.view(model)
    t = state.occupant[(layer, *site)]

    def own(subject: int) -> float:
        stored, kind = state.attributes[(subject, layer, *site)], tables.carries[t, subject]["kind"]
        now = state.step * model.dt_h
        return float(stored if kind == COUNT else now - stored if kind == CLOCK else max(0.0, stored - now))

    def sensed(sense: int, subject: int) -> float:
        return [
            lambda: state.fields[(subject, *site)] * view.stats[subject]["scale"],
            lambda: state.fields[(subject, *site)] / view.stats[subject]["mean"],
            lambda: view.body[subject],
            lambda: contacts(tables.sets[subject], layer, site, state, model),
            lambda: crowding(layer, site, state, model),
            lambda: state.densities[(subject, *site)],
            lambda: own(subject),
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
        elif rule["response"] == STEP:
            h = float(s >= half)
        else:
            h = s**power / (half**power + s**power)
        if rule["effect"] == INCREASES:
            increases += (fold - 1) * h
        elif rule["effect"] == DECREASES:
            factor *= 1 - (1 - fold) * h
        else:
            factor *= h
    return behaviour["base"] * increases * factor
