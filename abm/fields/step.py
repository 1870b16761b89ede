"""Bring one field to its steady state, or forward in time by a step that is positive and keeps its books.

Three ways, one solver: the quasi-steady field (an infinite step), backward Euler (first order), and the
L-stable diagonally implicit Runge-Kutta method of two stages (second order; Alexander 1977,
10.1137/0714068). The second stage of the latter extrapolates the first, which may ask for negative amounts.
So long as they are within the tolerance of the solver (noise in far tails) the other sites bear them; else
the whole step is taken by backward Euler instead, and says so.
"""

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..errors import InputError
from .account import Account, account
from .faces import FACES, Faces, add_faces, face_flow
from .grids import Array, check_shape
from .multigrid import CONVERGED, INVALID, MAX_CYCLES, Workspace, make_workspace, solve, solve_varying
from .precision import mean_of, suffices
from .stage import assemble, extrapolate, mend, square

EULER, RUNGE_KUTTA = 1, 2  # orders in time
GAMMA = 1.0 - math.sqrt(0.5)  # length of either implicit stage of the second-order step
AHEAD = 1.0 / GAMMA - 1.0  # how far the second stage extrapolates the change of the first
SHARPEST, FINEST = 0.02, 1e-12  # least factor by which a tolerance is sharpened, and where that ends
NOWHERE = np.zeros((0, 0, 0))  # stands for a diffusivity that is the same everywhere
NOTHING = Account(*([math.nan] * len(Account._fields)))


class Terms(NamedTuple):
    """What cells and vessels do to a field, by site.

    Attributes
    ----------
    source : float64[(nz,) ny, nx]
        Secretion, nM/h.
    uptake, exchange : float64[(nz,) ny, nx]
        Uptake by cells, and exchange with blood in vessels, 1/h.
    """

    source: Array
    uptake: Array
    exchange: Array


class Law(NamedTuple):
    """What a field does of itself, and what is around it.

    Attributes
    ----------
    decay : float
        Decay everywhere, 1/h.
    diffusion : float or float64[(nz,) ny, nx]
        D/h^2 of the lattice or of each site, 1/h.
    level : float
        Level in blood, nM.
    faces : Faces
        Levels beyond the outer faces.
    periodic : bool
        Ring in all directions (no open faces then).
    """

    decay: float
    diffusion: float | Array
    level: float
    faces: Faces
    periodic: bool


class StepWork:
    """Memory of a step for one lattice shape; most of it is made when first needed, and serves all fields.

    Parameters
    ----------
    shape : tuple of int
        Lattice size in sites, (ny, nx) or (nz, ny, nx), each at least 3.

    Attributes
    ----------
    q, s, before : float64[(nz,) ny, nx]
        Absorption and right-hand side of the present solution, and the field before a step in time.
    line : float64[nx]
        Sums by column.
    single, double : Workspace
        For a diffusivity that is the same everywhere, in either precision.
    uneven : Workspace
        For one that differs between sites.

    Raises
    ------
    InputError
        A lattice of fewer than 3 sites in a direction.
    """

    def __init__(self, shape: tuple[int, ...]):
        check_shape(shape)
        self.q, self.s, self.line = np.zeros(shape), np.zeros(shape), np.zeros(shape[-1])

    @cached_property
    def before(self) -> Array:
        return np.zeros_like(self.q)

    @cached_property
    def single(self) -> Workspace:
        return make_workspace(self.q.shape, single=True)

    @cached_property
    def double(self) -> Workspace:
        return make_workspace(self.q.shape)

    @cached_property
    def uneven(self) -> Workspace:
        return make_workspace(self.q.shape, varying=True)


class Step(NamedTuple):
    """How a step went: status of the solver, its cycles, whether it fell back to first order, its account."""

    status: int
    cycles: int
    fell_back: bool
    account: Account


def step_field(
    c: Array,
    terms: Terms,
    law: Law,
    dt_h: float,
    work: StepWork,
    order: int = EULER,
    tolerance: float = 1e-4,
    most_cycles: int = 40,
) -> Step:
    """Advance c in place over dt_h by d c/dt = source + exchange (level - c) - (uptake + decay) c + D lap c.

    The result is never negative, and the account closes to round-off whatever the tolerance. Short steps and
    strong exchange (vessels, open faces) swell the right-hand side by terms that cancel on the left; the
    tolerance is therefore relative to what flows, down to 1/50 of its value relative to the whole.

    Parameters
    ----------
    c : float64[(nz,) ny, nx]
        Field, nM, not negative: start and result.
    terms : Terms
    law : Law
    dt_h : float
        Length of the step, h; inf for the steady state.
    work : StepWork
        From `StepWork(c.shape)`.
    order : int
        1 (backward Euler) or 2; a steady state has none.
    tolerance : float
        Largest residual relative to secretion, uptake and decay, L2.
    most_cycles : int
        Most multigrid cycles of one solution (a step of second order has two).

    Returns
    -------
    Step
        Status CONVERGED, MAX_CYCLES (the best so far, still positive and balanced) or INVALID (a term is
        negative or not finite, or the steady field is fed but nothing removes it: c is untouched and the
        account NaN).

    Raises
    ------
    InputError
        Step not above 0, unknown order, arrays of different shapes, open faces on a ring.
    """
    _check(c, terms, law, dt_h, work, order)
    if math.isinf(dt_h):
        return _implicit(c, terms, law, 0.0, 0.0, work, tolerance, most_cycles)[0]
    np.copyto(work.before, c)
    if order == EULER:
        return _implicit(c, terms, law, 1.0 / dt_h, 1.0 / dt_h, work, tolerance, most_cycles)[0]
    per_h = 1.0 / (GAMMA * dt_h)
    first, sharpened = _implicit(c, terms, law, per_h, 1.0 / dt_h, work, tolerance, most_cycles)
    if first.status == INVALID:
        return first
    s = _rows(work.s)
    missing = extrapolate(_rows(c), _rows(work.before), AHEAD * per_h, s, work.line)
    if missing > 0.0 and not mend(s, missing, tolerance, work.line):
        np.copyto(c, work.before)
        euler, _ = _implicit(c, terms, law, 1.0 / dt_h, 1.0 / dt_h, work, tolerance, most_cycles)
        return euler._replace(cycles=first.cycles + euler.cycles, fell_back=True)
    status, cycles = _solve(c, law, sharpened, most_cycles, work)
    last = _account(c, terms, law, 1.0 / dt_h, work)
    flows = [(1.0 - GAMMA) * a + GAMMA * b for a, b in zip(first.account, last, strict=True)]
    book = Account(*flows)._replace(change=last.change, turnover=last.turnover)
    return Step(max(first.status, status), first.cycles + cycles, False, book)


def _check(c: Array, terms: Terms, law: Law, dt_h: float, work: StepWork, order: int) -> None:
    """Raise InputError where the arguments of a step do not fit together."""
    if not dt_h > 0.0:
        raise InputError(f"a field needs a step above 0 h, not {dt_h:g} (inf for its steady state)")
    if order not in (EULER, RUNGE_KUTTA):
        raise InputError(f"a field is stepped with order {EULER} or {RUNGE_KUTTA} in time, not {order}")
    arrays = [*terms, work.q]
    if isinstance(law.diffusion, np.ndarray):
        arrays.append(law.diffusion)
    for array in arrays:
        if array.shape != c.shape:
            raise InputError(
                f"all arrays of a field step have the shape {c.shape} of the field, not {array.shape}"
            )
    if law.periodic and law.faces.permeation.any():
        raise InputError("a periodic field has no outer faces: choose either 'periodic' or the open faces")


def _implicit(
    c: Array,
    terms: Terms,
    law: Law,
    per_h: float,
    report_per_h: float,
    work: StepWork,
    tolerance: float,
    most_cycles: int,
) -> tuple[Step, float]:
    """Do one implicit stage of length 1/per_h from c; return it, for a step of 1/report_per_h, and the tolerance."""
    even, uneven = _diffusion(law)
    reach = 2.0 * c.ndim * (even or float(uneven.mean() if uneven.size else 0.0))
    now, q, s, source, uptake, exchange = (_rows(array) for array in (c, work.q, work.s, *terms))
    bad, flow = assemble(
        now,
        source,
        uptake,
        exchange,
        law.decay,
        law.level,
        per_h,
        reach if reach > 0.0 else math.ulp(0.0),
        float(np.max(law.faces.level)),
        q,
        s,
        work.line,
    )
    if bad or not (law.decay >= 0.0 and 0.0 <= law.level < math.inf):
        return Step(INVALID, 0, False, NOTHING), tolerance
    add_faces(_block(work.q), _block(work.s), law.faces, even, uneven)
    whole = square(s, work.line)
    if whole > 0.0:
        sharpened = tolerance * max(SHARPEST, min(1.0, math.sqrt(flow / whole)))
        tolerance = max(sharpened, min(tolerance, FINEST))
    status, cycles = _solve(c, law, tolerance, most_cycles, work)
    if status == INVALID:
        return Step(INVALID, 0, False, NOTHING), tolerance
    return Step(status, cycles, False, _account(c, terms, law, report_per_h, work)), tolerance


def _solve(c: Array, law: Law, tolerance: float, most_cycles: int, work: StepWork) -> tuple[int, int]:
    """Solve for c with the q and s in the workspace; return status and cycles."""
    if not work.s.any():
        c[...] = 0.0  # also where nothing removes what is not there
        return CONVERGED, 0
    if isinstance(law.diffusion, np.ndarray):
        status, cycles, _ = solve_varying(
            c, work.q, work.s, law.diffusion, law.periodic, tolerance, most_cycles, work.uneven
        )
        return status, cycles
    return solve_even(c, law.diffusion, law.periodic, tolerance, most_cycles, work)


def solve_even(
    c: Array, diffusion_per_h: float, periodic: bool, tolerance: float, most_cycles: int, work: StepWork
) -> tuple[int, int]:
    """Solve for c with the q and s in the workspace and one diffusivity; return status and cycles.

    In single precision where that suffices; should it get stuck, double precision goes on from there.
    """
    problem = (c, work.q, work.s, diffusion_per_h, periodic, tolerance, most_cycles)
    absorption, cycles = mean_of(_rows(work.q), work.line), 0
    if suffices(absorption, 2.0 * c.ndim * diffusion_per_h, tolerance):
        status, cycles, _ = solve(*problem, work.single)
        if status != MAX_CYCLES:
            return status, cycles
    status, more, _ = solve(*problem, work.double)
    return status, cycles + more


def _account(c: Array, terms: Terms, law: Law, per_h: float, work: StepWork) -> Account:
    """Return the account of the step so far, faces included."""
    before = work.before if per_h > 0.0 else c
    source, uptake, exchange, before, now = (_rows(array) for array in (*terms, before, c))
    book = account(now, before, source, uptake, exchange, law.decay, law.level, per_h)
    even, uneven = _diffusion(law)
    boundary, turnover = 0.0, book.turnover
    for face in range(len(FACES)):
        net, out = face_flow(_block(c), face, law.faces, even, uneven)
        boundary, turnover = boundary + net, turnover + out
    return book._replace(boundary=boundary, turnover=turnover)


def _diffusion(law: Law) -> tuple[float, Array]:
    """Return D/h^2 as a number and as a block, of which one is void."""
    if isinstance(law.diffusion, np.ndarray):
        return 0.0, _block(law.diffusion)
    return law.diffusion, NOWHERE


def _block(array: Array) -> Array:
    """Return planes, rows and columns; a 2-D lattice is one plane."""
    return array.reshape((-1, *array.shape[-2:]))


def _rows(array: Array) -> Array:
    """Return the rows of all planes one after the other."""
    return array.reshape((-1, array.shape[-1]))
