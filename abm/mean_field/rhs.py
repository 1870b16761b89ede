"""The right-hand side of every mean field: one compiled interpreter over a program that travels in ``p``.

An ODE model is a function of (t, y, p, u) alone, and a compiled function that is cached cannot close over tables.
So ``p`` holds, first, the numbers with a meaning (rates, half-effects, defaults of body signals), then the
program: blocks of rows that say which flow runs between which classes and where in ``p`` its numbers stand, then
the position and shape of each block.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, types

from ..cells.sense import respond
from ..vocabulary import BODY, CONTACT, CROWDING, DECREASES, DENSITY, FIELD, INCREASES, NO_SIGNAL, OWN
from .neighbours import first_neighbourhood, next_neighbourhood, probabilities, weight

VECTOR = types.float64[::1]
SIGNATURE = types.void(types.float64, VECTOR, VECTOR, VECTOR, VECTOR)
SWEEPS, SETTLED = 200, 1e-13  # of the fields that secretion or uptake sense

# kinds of term: a cell is lost or becomes another one, divides, kills, secretes, takes up
LOSE, SPLIT, SLAY, GIVE, TAKE = range(5)
# columns of a term; classes are positions in y, -1 for none
CLASS, KIND, SLOT, MODIFIER_FIRST, MODIFIER_LAST, SEEKS, REACH, MOTHER, DAUGHTER, BELOW, SET, LEFT, FIELD_AT, \
    LAYER, CATEGORY_FIRST, CATEGORY_LAST = range(16)  # fmt: skip
BASE, RULE_FIRST, RULE_LAST = range(3)  # columns of a slot; BASE is a position in p
# columns of a rule; the first three are positions in p
HALF, POWER, FOLD, EFFECT, RESPONSE, SENSE, SUBJECT, SENSE2, SUBJECT2 = range(9)
KILLS, GOES_TO = 1, 2  # columns of a modifier after its slot: kills the divider, class of daughter or remains
# columns of a field; the first five are positions in p (LEVEL: -1, or what a fixed boundary holds)
DECAY, BACKGROUND, EXCHANGE, VESSEL_LEVEL, LEVEL, BACKGROUND_SIGNAL, VESSELS, NORMALISE, SCALE = range(9)
BELOW_ZERO, PLAIN, FIRST_MODIFIER = range(3)  # what a division leads to, in this order, then its modifiers
N_BLOCKS = 15


class Program(NamedTuple):
    """The blocks of a program, all float64 matrices; positions in ``p`` point at numbers with a meaning."""

    types: np.ndarray  # layer, sites in contact on the own layer (the same for all)
    classes: np.ndarray  # type
    own: np.ndarray  # (class, attribute): value
    terms: np.ndarray
    modifiers: np.ndarray
    slots: np.ndarray
    rules: np.ndarray
    sets: np.ndarray  # (set, type): member
    categories: np.ndarray  # run, sites, type that stands for it, whether it fills the own layer
    members: np.ndarray  # (category, type): member
    fields: np.ndarray
    densities: np.ndarray  # position of the reference in p, then the weight per type
    body: np.ndarray  # position in p, free of which signal (-1), position of the affinity
    arrivals: np.ndarray  # class
    leftovers: np.ndarray  # (type left, class killed): class of what remains, -1


class Mixed(NamedTuple):
    """What a cell of a well-mixed tissue senses."""

    share: np.ndarray  # occupied fraction per type; [0] unused
    filled: np.ndarray  # occupied fraction per layer
    body: np.ndarray
    fields: np.ndarray
    densities: np.ndarray


@njit(cache=True)
def block(p: np.ndarray, k: int) -> np.ndarray:
    """Return one block of the program as a matrix (a view)."""
    at = p.size - 3 * (N_BLOCKS - k)
    first, rows, columns = int(p[at]), int(p[at + 1]), int(p[at + 2])
    return p[first : first + rows * columns].reshape((rows, columns))


@njit(cache=True)
def unpack(p: np.ndarray) -> Program:
    """Return the program that stands in ``p``."""
    return Program(
        block(p, 0), block(p, 1), block(p, 2), block(p, 3), block(p, 4), block(p, 5), block(p, 6), block(p, 7),
        block(p, 8), block(p, 9), block(p, 10), block(p, 11), block(p, 12), block(p, 13), block(p, 14),
    )  # fmt: skip


@njit(cache=True)
def contact_sites(layer: int, t: int, program: Program) -> float:
    """Return how many sites a cell of a layer touches on the layer of a type (own site: other layers only)."""
    sites = program.types[t, 1]
    return sites if program.types[t, 0] == layer else sites + 1.0


@njit(cache=True)
def signal(
    sense: int, subject: int, term: np.ndarray, counts: np.ndarray, mixed: Mixed, program: Program
) -> float:
    """Return one signal: in the neighbourhood that ``counts`` describes, or its mean if the term has none."""
    if sense == BODY:
        return mixed.body[subject]
    if sense == FIELD:
        return mixed.fields[subject] * field_scale(subject, mixed, program)
    if sense == DENSITY:
        return mixed.densities[subject]
    if sense == OWN:
        return program.own[int(term[CLASS]), subject]
    first, last, layer = int(term[CATEGORY_FIRST]), int(term[CATEGORY_LAST]), int(term[LAYER])
    total = 0.0
    if sense == CONTACT:
        for k in range(first, last):
            total += counts[k - first] * program.sets[subject, int(program.categories[k, 2])]
        if first == last:
            for t in range(1, mixed.share.size):
                total += program.sets[subject, t] * mixed.share[t] * contact_sites(layer, t, program)
        return total
    if sense == CROWDING:
        for k in range(first, last):
            total += counts[k - first] * program.categories[k, 3]
        return total / program.types[0, 1] if last > first else mixed.filled[layer]
    return 1.0  # a relative field, where all is well mixed, and the absent second factor of a product


@njit(cache=True)
def field_scale(field: int, mixed: Mixed, program: Program) -> float:
    """Return the body signal that multiplies a field, 1 if none."""
    scale = int(program.fields[field, SCALE])
    return mixed.body[scale] if scale >= 0 else 1.0


@njit(cache=True)
def rate(
    slot: int, term: np.ndarray, counts: np.ndarray, mixed: Mixed, program: Program, p: np.ndarray
) -> float:
    """Return the rate of a behaviour, as ``abm.sense.rate`` combines its rules."""
    row = program.slots[slot]
    up, down, drive = 1.0, 1.0, 1.0
    for r in range(int(row[RULE_FIRST]), int(row[RULE_LAST])):
        rule = program.rules[r]
        s = signal(int(rule[SENSE]), int(rule[SUBJECT]), term, counts, mixed, program)
        if rule[SENSE2] != NO_SIGNAL:
            s *= signal(int(rule[SENSE2]), int(rule[SUBJECT2]), term, counts, mixed, program)
        h = respond(int(rule[RESPONSE]), s, p[int(rule[HALF])], p[int(rule[POWER])])
        fold = p[int(rule[FOLD])]
        if rule[EFFECT] == INCREASES:
            up += (fold - 1.0) * h
        elif rule[EFFECT] == DECREASES:
            down *= 1.0 - (1.0 - fold) * h
        else:
            drive *= h
    return p[int(row[BASE])] * up * down * drive


@njit(cache=True)
def site_found(term: np.ndarray, counts: np.ndarray, mixed: Mixed, program: Program) -> float:
    """Return the probability that a division finds a site for the daughter."""
    sites, filled = program.types[0, 1], mixed.filled[int(term[LAYER])]
    first, last = int(term[CATEGORY_FIRST]), int(term[CATEGORY_LAST])
    near = 0.0
    for k in range(first, last):
        near += counts[k - first] * program.categories[k, 3]
    if term[SEEKS] == 1.0:
        return 1.0 - near / sites if last > first else 1.0 - filled
    if last > first:
        return 1.0 if near < sites else 1.0 - filled ** (term[REACH] - sites)
    return 1.0 - filled ** term[REACH]


@njit(cache=True)
def add(
    chance: float,
    term: np.ndarray,
    counts: np.ndarray,
    mixed: Mixed,
    program: Program,
    p: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add what a term does in one neighbourhood, weighted with the chance of meeting it."""
    r = rate(int(term[SLOT]), term, counts, mixed, program, p)
    first, last = int(term[CATEGORY_FIRST]), int(term[CATEGORY_LAST])
    if term[KIND] == SLAY:
        for k in range(first, last):
            kind = int(program.categories[k, 2])
            out[k - first] += chance * r * counts[k - first] * program.sets[int(term[SET]), kind]
        return
    if term[KIND] != SPLIT:
        out[PLAIN] += chance * (r if term[KIND] >= GIVE else abs(r))
        return
    if r < 0.0:
        out[BELOW_ZERO] -= chance * r
        return
    flow = chance * r * site_found(term, counts, mixed, program)
    for killing in (1.0, 0.0):  # first whether the divider dies of it, then what the daughter is
        left = flow
        at = FIRST_MODIFIER
        for m in range(int(term[MODIFIER_FIRST]), int(term[MODIFIER_LAST])):
            row = program.modifiers[m]
            if row[KILLS] == killing:
                share = rate(int(row[0]), term, counts, mixed, program, p)
                share = min(max(share, 0.0) * flow, left)
                out[at] += share
                left -= share
            at += 1
        flow = left
    out[PLAIN] += flow


@njit(cache=True)
def expect(term: np.ndarray, mixed: Mixed, program: Program, p: np.ndarray, out: np.ndarray) -> None:
    """Write the expected flows of one cell of a term over independent neighbours.

    A killing term leaves in ``out[t]`` the rate per cell of type t and unit fraction of it.
    """
    out[:] = 0.0
    first, last = int(term[CATEGORY_FIRST]), int(term[CATEGORY_LAST])
    categories = program.categories[first:last]
    chances = probabilities(categories, program.members[first:last], mixed.share)
    counts = np.zeros(max(1, last - first))
    if first == last:
        if term[KIND] == SLAY:
            r = rate(int(term[SLOT]), term, counts, mixed, program, p)
            for t in range(1, mixed.share.size):
                out[t] = r * program.sets[int(term[SET]), t] * contact_sites(int(term[LAYER]), t, program)
        else:
            add(1.0, term, counts, mixed, program, p, out)
        return
    first_neighbourhood(categories, counts)
    while True:
        chance = weight(categories, chances, counts)
        if chance > 0.0:
            add(chance, term, counts, mixed, program, p, out)
        if not next_neighbourhood(categories, counts):
            break
    if term[KIND] == SLAY:
        met = out[: last - first].copy()
        out[:] = 0.0
        for k in range(last - first):
            for t in range(1, mixed.share.size):
                if program.members[first + k, t] == 1.0 and chances[k] > 0.0:
                    out[t] = met[k] / chances[k]


@njit(cache=True)
def settle_fields(y: np.ndarray, mixed: Mixed, program: Program, p: np.ndarray, out: np.ndarray) -> None:
    """Bring the fields to the balance of source and sink, together where they depend on one another."""
    for _ in range(SWEEPS):
        change = 0.0
        for f in range(program.fields.shape[0]):
            row = program.fields[f]
            source, sink = p[int(row[BACKGROUND])], p[int(row[DECAY])]
            if row[BACKGROUND_SIGNAL] >= 0:
                source += mixed.body[int(row[BACKGROUND_SIGNAL])]
            vessels = 0.0
            if row[VESSELS] >= 0:
                for t in range(1, mixed.share.size):
                    vessels += program.sets[int(row[VESSELS]), t] * mixed.share[t] * p[int(row[EXCHANGE])]
            source += vessels * p[int(row[VESSEL_LEVEL])]
            sink += vessels
            for i in range(program.terms.shape[0]):
                term = program.terms[i]
                if term[KIND] < GIVE or int(term[FIELD_AT]) != f:
                    continue
                expect(term, mixed, program, p, out)
                if term[KIND] == GIVE:
                    source += out[PLAIN] * y[int(term[CLASS])]
                else:
                    sink += out[PLAIN] * y[int(term[CLASS])]
            value = source / sink if source != 0.0 else 0.0
            if row[LEVEL] >= 0:
                value = p[int(row[LEVEL])]
            if row[NORMALISE] > 0 and value > 0.0:
                value = 1.0
            change = max(change, abs(value - mixed.fields[f]) - SETTLED * abs(value))
            mixed.fields[f] = value
        if change <= 0.0:
            return


@njit(cache=True)
def mix(y: np.ndarray, p: np.ndarray, program: Program, out: np.ndarray) -> Mixed:
    """Return what the cells of a well-mixed tissue with these fractions sense."""
    n_types = program.types.shape[0]
    layers = int(program.types[:, 0].max()) + 1
    mixed = Mixed(
        np.zeros(n_types),
        np.zeros(layers),
        np.zeros(program.body.shape[0]),
        np.zeros(program.fields.shape[0]),
        np.zeros(program.densities.shape[0]),
    )
    for c in range(y.size):
        mixed.share[int(program.classes[c, 0])] += y[c]
    for t in range(1, n_types):
        mixed.filled[int(program.types[t, 0])] += mixed.share[t]
    for layer in range(layers):  # an integrator may try a step that ends a hair outside
        mixed.filled[layer] = min(max(mixed.filled[layer], 0.0), 1.0)
    for s in range(program.body.shape[0]):
        mixed.body[s] = p[int(program.body[s, 0])]
    for s in range(program.body.shape[0]):
        if program.body[s, 1] >= 0:
            bound_by = mixed.body[int(program.body[s, 1])]
            mixed.body[s] = 1.0 / (1.0 + bound_by / p[int(program.body[s, 2])])
    for d in range(program.densities.shape[0]):
        for t in range(1, n_types):
            mixed.densities[d] += program.densities[d, 1 + t] * mixed.share[t]
        mixed.densities[d] /= p[int(program.densities[d, 0])]
    settle_fields(y, mixed, program, p, out)
    return mixed


@njit(cache=True)
def move(flow: float, source: int, target: int, dy: np.ndarray) -> None:
    """Let a flow leave one class and enter another, where -1 is nowhere."""
    if source >= 0:
        dy[source] -= flow
    if target >= 0:
        dy[target] += flow


@njit(SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (1/d) of the occupied fraction of every class."""
    program = unpack(p)
    out = np.zeros(program.types.shape[0] + program.modifiers.shape[0] + program.categories.shape[0] + 2)
    mixed = mix(y, p, program, out)
    dy[:] = 0.0
    for i in range(program.terms.shape[0]):
        term = program.terms[i]
        c, kind = int(term[CLASS]), term[KIND]
        if kind >= GIVE or y[c] == 0.0:
            continue
        expect(term, mixed, program, p, out)
        if kind == LOSE:
            move(out[PLAIN] * y[c], c, int(term[MOTHER]), dy)
        elif kind == SPLIT:
            if term[BELOW] >= 0:
                move(out[BELOW_ZERO] * y[c], c, int(term[LEFT]), dy)
            move(out[PLAIN] * y[c], c, int(term[MOTHER]), dy)
            move(out[PLAIN] * y[c], -1, int(term[DAUGHTER]), dy)
            at = FIRST_MODIFIER
            for m in range(int(term[MODIFIER_FIRST]), int(term[MODIFIER_LAST])):
                row = program.modifiers[m]
                move(out[at] * y[c], c, int(row[GOES_TO] if row[KILLS] == 1.0 else term[MOTHER]), dy)
                if row[KILLS] == 0.0:
                    move(out[at] * y[c], -1, int(row[GOES_TO]), dy)
                at += 1
        else:
            for victim in range(y.size):
                of_type = int(program.classes[victim, 0])
                flow = out[of_type] * y[c] * y[victim]
                move(flow, victim, int(program.leftovers[int(term[LEFT]), victim]), dy)
                move(flow, c, int(term[MOTHER]), dy)
    for k in range(program.arrivals.shape[0]):
        c = int(program.arrivals[k, 0])
        layer = int(program.types[int(program.classes[c, 0]), 0])
        dy[c] += u[k] * (1.0 - mixed.filled[layer])


@njit(SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the occupied fraction of every type, then of every layer, then the fields as sensed."""
    program = unpack(p)
    work = np.zeros(program.types.shape[0] + program.modifiers.shape[0] + program.categories.shape[0] + 2)
    mixed = mix(y, p, program, work)
    types, layers = mixed.share.size - 1, mixed.filled.size
    out[:types] = mixed.share[1:]
    out[types : types + layers] = mixed.filled
    for f in range(mixed.fields.size):
        out[types + layers + f] = mixed.fields[f] * field_scale(f, mixed, program)
