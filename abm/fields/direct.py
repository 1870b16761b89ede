"""A field whose sources are cells of fixed rates, updated without maps of what they do.

The maps of secretion, uptake and exchange (`sources.fill_sources`) cost as much memory traffic as the solution
itself. Where rates do not depend on anything that a cell senses, a row of each is looked up from the types of the
cells when it is needed, which stays in the processor's cache.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..tables import Tables
from .account import Account
from .grids import Array
from .multigrid import CONVERGED, INVALID
from .sources import constant_exchange
from .step import FINEST, NOTHING, SHARPEST, Law, Step, StepWork, solve_even

GIVEN, TAKEN, EXCHANGED = range(3)


class Giving(NamedTuple):
    """What one cell of each type does to one field.

    Attributes
    ----------
    rates : float64[3, type + 1]
        Secretion (unit/h), uptake and exchange with blood (1/h).
    acts : uint8[3, layer]
        Whether any type of a layer does so.
    lines : float64[10, nx]
        Scratch: a row of each, then sums by column.
    """

    rates: Array
    acts: np.ndarray
    lines: Array


class Sums(NamedTuple):
    """Sums over the sites of a field, and its extremes."""

    delivered: float
    given_up: float
    taken_up: float
    present: float
    change: float
    low: float
    high: float


def make_giving(layers: int, types: int, columns: int) -> Giving:
    """Return the memory for one lattice and model; ``types`` counts the empty type."""
    return Giving(np.zeros((3, types)), np.zeros((3, layers), np.uint8), np.zeros((10, columns)))


@njit(cache=True)
def find_giving(field: int, tables: Tables, giving: Giving) -> bool:
    """Write what one cell of each type does to a field; return whether all of it is of fixed rates."""
    rates, acts, types = giving.rates, giving.acts, tables.types
    ruled = constant_exchange(field, tables, rates[GIVEN], rates[TAKEN])
    rates[EXCHANGED] = 0.0
    vessels = tables.fields[field]["vessels"]
    if vessels >= 0:
        for t in range(1, types.size):
            rates[EXCHANGED, t] = tables.fields[field]["vessel_exchange"] * tables.sets[vessels, t]
    acts[:] = 0
    for t in range(1, types.size):
        for kind in range(3):
            if rates[kind, t] > 0.0:
                acts[kind, types[t]["layer"]] = 1
    return not ruled


@njit(cache=True)
def look_up(kind: int, begin: int, sites: int, occupant: np.ndarray, giving: Giving, floor: float) -> None:
    """Write the row of what cells do that begins at a site."""
    line, rates = giving.lines[kind], giving.rates[kind]
    for i in range(line.size):
        line[i] = floor
    for layer in range(giving.acts.shape[1]):
        if giving.acts[kind, layer]:
            cells = occupant[layer * sites + begin : layer * sites + begin + line.size]
            for i in range(line.size):
                line[i] += rates[cells[i]]


@njit(cache=True)
def total(line: Array) -> float:
    """Return the sum of a row from left to right (NumPy's own sum has an order of its own)."""
    added = 0.0
    for value in line:
        added += value
    return added


@njit(cache=True, error_model="numpy")
def assemble_cells(
    c: Array,
    occupant: np.ndarray,
    giving: Giving,
    background: float,
    decay: float,
    level: float,
    per_h: float,
    reach: float,
    q: Array,
    s: Array,
) -> tuple[float, float, float]:
    """Fill q and s as `stage.assemble` does; return the squares of what flows and of s, and secretion, summed."""
    rows, columns = c.shape
    lines, acts = giving.lines, giving.acts
    source, uptake, exchange, flows, squares, secreted = (
        lines[0], lines[1], lines[2], lines[3], lines[4], lines[5],
    )  # fmt: skip
    lines[3:6] = 0.0
    sites = rows * columns
    for j in range(rows):
        for kind in range(3):
            if j == 0 or acts[kind].any():
                look_up(kind, j * columns, sites, occupant, giving, background if kind == GIVEN else 0.0)
        for i in range(columns):
            loss, gain = decay + (uptake[i] + exchange[i]), source[i] + exchange[i] * level
            q[j, i] = loss + per_h
            right = gain + per_h * c[j, i]
            s[j, i] = right
            lost = loss * c[j, i]
            flow = (gain if gain > lost else lost) * (reach / (reach + loss))
            flows[i] += flow * flow
            squares[i] += right * right
            secreted[i] += source[i]
    return total(flows), total(squares), total(secreted)


@njit(cache=True, error_model="numpy")
def account_cells(
    c: Array,
    before: Array,
    occupant: np.ndarray,
    giving: Giving,
    level: float,
    timed: bool,
) -> Sums:
    """Return what `account.account` sums, by column and then over columns, with the extremes of the field."""
    rows, columns = c.shape
    lines, acts = giving.lines, giving.acts
    uptake, exchange = lines[1], lines[2]
    lines[3:] = 0.0
    delivered, given_up, taken_up, present, change, low, high = (
        lines[3], lines[4], lines[5], lines[6], lines[7], lines[8], lines[9],
    )  # fmt: skip
    low[:] = math.inf
    sites = rows * columns
    takes, leaks = acts[TAKEN].any(), acts[EXCHANGED].any()
    for j in range(rows):
        if takes:
            look_up(TAKEN, j * columns, sites, occupant, giving, 0.0)
        if leaks:
            look_up(EXCHANGED, j * columns, sites, occupant, giving, 0.0)
        for i in range(columns):
            here = c[j, i]
            present[i] += here
            low[i] = here if here < low[i] else low[i]
            high[i] = here if here > high[i] else high[i]
        if takes:
            for i in range(columns):
                taken_up[i] += uptake[i] * c[j, i]
        if leaks:
            for i in range(columns):
                delivered[i] += exchange[i] * (level - c[j, i])
                given_up[i] += exchange[i] * c[j, i]
        if timed:
            for i in range(columns):
                change[i] += c[j, i] - before[j, i]
    return Sums(
        total(delivered), total(given_up), total(taken_up), total(present), total(change),
        low.min(), high.max(),
    )  # fmt: skip


def step_direct(
    c: Array,
    occupant: np.ndarray,
    giving: Giving,
    background: float,
    law: Law,
    dt_h: float,
    work: StepWork,
    tolerance: float,
    most_cycles: int,
) -> tuple[Step, Sums]:
    """Advance c in place as `step.step_field` does to first order, for cells of fixed rates and closed faces.

    Parameters
    ----------
    c : float64[(nz,) ny, nx]
        Field, not negative: start and result.
    occupant : uint8[layer * site]
        Types of the cells.
    giving : Giving
        As `find_giving` left it.
    background : float
        Secretion everywhere, unit/h.
    law : Law
        With one diffusivity everywhere.
    dt_h, work, tolerance, most_cycles
        See `step_field`.

    Returns
    -------
    Step
    Sums
        Of the result.
    """
    timed = not math.isinf(dt_h)
    per_h = 1.0 / dt_h if timed else 0.0
    rows, q, s = (array.reshape((-1, array.shape[-1])) for array in (c, work.q, work.s))
    before = rows
    if timed:
        np.copyto(work.before, c)
        before = work.before.reshape(rows.shape)
    assert not isinstance(law.diffusion, np.ndarray)
    reach = max(2.0 * c.ndim * law.diffusion, math.ulp(0.0))
    flow, whole, secreted = assemble_cells(
        rows, occupant, giving, background, law.decay, law.level, per_h, reach, q, s
    )
    status, cycles = CONVERGED, 0
    if whole > 0.0:
        sharpened = tolerance * max(SHARPEST, min(1.0, math.sqrt(flow / whole)))
        tolerance = max(sharpened, min(tolerance, FINEST))
        status, cycles = solve_even(c, law.diffusion, law.periodic, tolerance, most_cycles, work)
    elif math.isnan(whole):
        status = INVALID
    else:
        c[...] = 0.0  # also where nothing removes what is not there
    sums = account_cells(rows, before, occupant, giving, law.level, timed)
    if status == INVALID:
        return Step(INVALID, 0, False, NOTHING), sums
    turnover = sums.taken_up + sums.given_up + (law.decay + per_h) * sums.present
    book = Account(
        secreted, sums.delivered, sums.taken_up, law.decay * sums.present, 0.0, per_h * sums.change, turnover
    )  # fmt: skip
    return Step(status, cycles, False, book), sums
