"""Implicit or quasi-steady reaction and diffusion: q c - D lap c = s on a lattice, by geometric multigrid."""

import math
from collections.abc import Callable

from numba import njit

from .conductance import prepare_varying
from .grids import Array, Workspace, make_workspace
from .operator import prepare, solve_coarsest
from .split import give_out, relative_residual, sums_of_residual, take_in
from .visit import visit

__all__ = ["CONVERGED", "INVALID", "MAX_CYCLES", "Workspace", "make_workspace", "solve", "solve_varying"]

CONVERGED, MAX_CYCLES, INVALID = 0, 1, 2


@njit(cache=True, nogil=True)
def _start(
    c: Array, q: Array, s: Array, diffusion_per_h: float, periodic: bool, work: Workspace
) -> tuple[float, float, bool]:
    """Take in a problem with one diffusivity; return sum s, sum s s and whether it is a valid one."""
    total, square, absorbed, bad = take_in(c, q, s, work, periodic)
    valid = bad == 0 and 0.0 < absorbed < math.inf and square < math.inf and 0.0 <= diffusion_per_h < math.inf
    if valid and square > 0.0:
        prepare(work, q, diffusion_per_h, periodic)
    return total, square, valid


@njit(cache=True, nogil=True)
def _start_varying(
    c: Array, q: Array, s: Array, diffusion_per_h: Array, periodic: bool, work: Workspace
) -> tuple[float, float, bool]:
    """Take in a problem with a diffusivity of each site; return sum s, sum s s and whether it is a valid one."""
    total, square, absorbed, bad = take_in(c, q, s, work, periodic)
    for z in range(c.shape[0]):
        for y in range(c.shape[1]):
            for x in range(c.shape[2]):
                bad += not 0.0 <= diffusion_per_h[z, y, x] < math.inf
    valid = bad == 0 and 0.0 < absorbed < math.inf and square < math.inf
    if valid and square > 0.0:
        prepare_varying(work, q, diffusion_per_h, periodic)
    return total, square, valid


@njit(cache=True, nogil=True)
def _iterate(
    c: Array,
    q: Array,
    total: float,
    square: float,
    periodic: bool,
    tol: float,
    max_cycles: int,
    work: Workspace,
) -> tuple[int, float]:
    """Do V(1,1) cycles to the tolerance and give out the solution; return their number and the residual.

    Each begins after a first sweep and ends with that of the next, after which the residual is known; cycle 0 is
    such a sweep alone.
    """
    last = work.levels.shape[0] - 1
    cycles, residual = -1, math.inf
    while cycles < 0 or (cycles < max_cycles and not residual <= tol):
        cycles += 1
        for step in range(1 if cycles else 0, 2 * last + 1 if cycles else 1):
            if step == last:
                solve_coarsest(work, periodic)
            else:
                visit(work, last - abs(step - last), step > last, periodic)
        residual = relative_residual(total, square, sums_of_residual(work))
    give_out(c, q, work, total)
    return cycles, residual


def _run(
    start: Callable[..., tuple[float, float, bool]],
    c: Array,
    q: Array,
    s: Array,
    diffusion_per_h: float | Array,
    periodic: bool,
    tol: float,
    max_cycles: int,
    work: Workspace,
) -> tuple[int, int, float]:
    """Solve on slabs, rows and columns, a row being a slab in two dimensions."""
    total, square, valid = start(c, q, s, diffusion_per_h, periodic, work)
    if not valid:
        return INVALID, 0, math.inf
    if square == 0.0:
        c[:] = 0.0
        return CONVERGED, 0, 0.0
    cycles, residual = _iterate(c, q, total, square, periodic, tol, max_cycles, work)
    return (CONVERGED if residual <= tol else MAX_CYCLES), cycles, residual


def _grid(arrays: tuple[Array, ...], work: Workspace, varying: bool) -> tuple[int, ...] | None:
    """Return slabs, rows and columns if all arrays are of the shape and kind that the memory was made for."""
    slabs, rows, columns = (int(n) for n in work.levels[0, :3])
    shape = (slabs, columns) if rows == 1 else (slabs, rows, columns)
    fits = all(a.shape == shape for a in arrays) and varying == (work.faces.size > 0)
    return (slabs, rows, columns) if fits else None


def solve(
    c: Array,
    q: Array,
    s: Array,
    diffusion_per_h: float,
    periodic: bool,
    tol: float,
    max_cycles: int,
    workspace: Workspace,
) -> tuple[int, int, float]:
    """Solve q c - D/h^2 (sum over neighbours of c_n - c) = s in place, starting from c.

    The result is never negative (Gauss-Seidel keeps the sign, and a correction that would cross zero is
    stopped there and counted in `workspace.counters`), and it is scaled at the end so that sum(q c) = sum(s)
    closes to round-off. The residual belongs to that final state.

    Parameters
    ----------
    c : float64[ny, nx] or float64[nz, ny, nx]
        Start (negative values count as zero) and result, nM, in C order like all arrays here.
    q : float64, same shape
        Decay + uptake + exchange (+ 1/dt), 1/h, not negative and somewhere positive.
    s : float64, same shape
        Source + exchange x level (+ c_old/dt), nM/h, not negative.
    diffusion_per_h : float
        D / h^2, 1/h.
    periodic : bool
        Ring in every direction; otherwise no flux through the edges.
    tol : float
        Largest accepted L2 norm of the residual over that of s.
    max_cycles : int
        Most V(1,1) cycles.
    workspace : Workspace
        From `make_workspace(c.shape)`.

    Returns
    -------
    status : int
        CONVERGED, MAX_CYCLES (c is the best so far, still positive and balanced) or INVALID (q or s negative
        or not finite, q zero everywhere or of another shape: c is untouched).
    cycles : int
    residual : float
    """
    grid = _grid((c, q, s), workspace, varying=False)
    if grid is None:
        return INVALID, 0, math.inf
    a, b, d = c.reshape(grid), q.reshape(grid), s.reshape(grid)
    return _run(_start, a, b, d, diffusion_per_h, periodic, tol, max_cycles, workspace)


def solve_varying(
    c: Array,
    q: Array,
    s: Array,
    diffusion_per_h: Array,
    periodic: bool,
    tol: float,
    max_cycles: int,
    workspace: Workspace,
) -> tuple[int, int, float]:
    """Solve q c - sum over neighbours of T_n (c_n - c) = s in place, starting from c, where diffusivity varies.

    T_n is the harmonic mean of D/h^2 in the two sites. All else is as in `solve`.

    Parameters
    ----------
    c, q, s, periodic, tol, max_cycles
        See `solve`.
    diffusion_per_h : float64, shape of c
        D / h^2 of each site, 1/h, not negative; none passes through a site where it is 0.
    workspace : Workspace
        From `make_workspace(c.shape, varying=True)`.

    Returns
    -------
    status, cycles, residual
        See `solve`; INVALID also where a diffusivity is negative or not finite.
    """
    grid = _grid((c, q, s, diffusion_per_h), workspace, varying=True)
    if grid is None:
        return INVALID, 0, math.inf
    a, b, d, e = (array.reshape(grid) for array in (c, q, s, diffusion_per_h))
    return _run(_start_varying, a, b, d, e, periodic, tol, max_cycles, workspace)
