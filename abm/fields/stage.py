"""The compiled parts of a step in time: right-hand sides and their norms, all by rows.

A lattice of three dimensions comes as the rows of all planes one after the other.
"""

from numba import njit

from .grids import Array


@njit(cache=True)
def assemble(
    c: Array,
    source: Array,
    uptake: Array,
    exchange: Array,
    decay: float,
    level: float,
    per_h: float,
    reach: float,
    highest: float,
    q: Array,
    s: Array,
    line: Array,
) -> tuple[int, float]:
    """Fill q and s without faces; return the number of invalid terms and the square of what flows.

    What flows at a site is its gain or its loss (at its own level, or the `highest` outside), nM/h, whichever
    is larger, so far as diffusion, of rate `reach`, can bring it to or from the neighbours. Sums run column by
    column, which a compiler turns into vector code.
    """
    rows, columns = c.shape
    bad = 0
    for i in range(columns):
        line[i] = 0.0
    for j in range(rows):
        for i in range(columns):
            loss, gain = decay + (uptake[j, i] + exchange[j, i]), source[j, i] + exchange[j, i] * level
            q[j, i] = loss + per_h
            s[j, i] = gain + per_h * c[j, i]
            lost = loss * (c[j, i] if c[j, i] > highest else highest)
            flow = (gain if gain > lost else lost) * (reach / (reach + loss))
            line[i] += flow * flow
            bad += not (
                (source[j, i] >= 0.0) & (uptake[j, i] >= 0.0) & (exchange[j, i] >= 0.0) & (c[j, i] >= 0.0)
            )
    total = 0.0
    for i in range(columns):
        total += line[i]
    return bad, total


@njit(cache=True)
def square(s: Array, line: Array) -> float:
    """Return the sum of squares, column by column."""
    rows, columns = s.shape
    for i in range(columns):
        line[i] = 0.0
    for j in range(rows):
        for i in range(columns):
            line[i] += s[j, i] * s[j, i]
    total = 0.0
    for i in range(columns):
        total += line[i]
    return total


@njit(cache=True)
def extrapolate(c: Array, before: Array, weight: float, s: Array, line: Array) -> float:
    """Add the weighted change so far to s; return the sum of what is missing where s is negative."""
    rows, columns = c.shape
    for i in range(columns):
        line[i] = 0.0
    for j in range(rows):
        for i in range(columns):
            s[j, i] += weight * (c[j, i] - before[j, i])
            line[i] += s[j, i] if s[j, i] < 0.0 else 0.0
    total = 0.0
    for i in range(columns):
        total += line[i]
    return -total


@njit(cache=True)
def mend(s: Array, missing: float, share: float, line: Array) -> bool:
    """Take a small missing amount, in proportion, from where s is positive; False if it is not small."""
    rows, columns = s.shape
    for i in range(columns):
        line[i] = 0.0
    for j in range(rows):
        for i in range(columns):
            line[i] += s[j, i]
    total = 0.0
    for i in range(columns):
        total += line[i]
    if missing > share * total:
        return False
    scale = total / (total + missing)
    for j in range(rows):
        for i in range(columns):
            s[j, i] = scale * s[j, i] if s[j, i] > 0.0 else 0.0
    return True
