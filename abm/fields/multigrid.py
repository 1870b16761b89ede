"""Implicit or quasi-steady reaction and diffusion: q c - D lap c = s on a lattice, by geometric multigrid."""

import math

from numba import njit

from .conductance import prepare_varying
from .grids import Array, Workspace, make_workspace
from .operator import prepare
from .split import give_out, relative_residual, sums_of_residual, take_in
from .visit import cycle, visit

__all__ = ["CONVERGED", "INVALID", "MAX_CYCLES", "Workspace", "make_workspace", "solve", "solve_varying"]

CONVERGED, MAX_CYCLES, INVALID = 0, 1, 2


@njit(cache=True, nogil=True)
def _fits(shape: tuple[int, ...], work: Workspace, varying: bool) -> bool:
    """Return whether the memory was made for this shape and kind of diffusivity."""
    rows = 1 if len(shape) == 2 else shape[1]
    same = work.levels[0, 0] == shape[0] and work.levels[0, 1] == rows and work.levels[0, 2] == shape[-1]
    return same and varying == (work.faces.size > 0)


@njit(cache=True, nogil=True)
def _iterate(
    c: Array,
    q: Array,
    sums: tuple[float, float],
    varying: bool,
    periodic: bool,
    tol: float,
    max_cycles: int,
    work: Workspace,
) -> tuple[int, int, float]:
    """Do cycles with the operator at hand until the tolerance; sums are those of s and s s."""
    total, square = sums
    cycles = 0
    visit(work, 0, False, 1, True, varying, periodic)
    residual = relative_residual(total, square, sums_of_residual(work))
    while not residual <= tol and cycles < max_cycles:
        cycle(work, varying, periodic)
        residual = relative_residual(total, square, sums_of_residual(work))
        cycles += 1
    give_out(c, q, work, total)
    return (CONVERGED if residual <= tol else MAX_CYCLES), cycles, residual


@njit(cache=True, nogil=True)
def _solve(
    c: Array,
    q: Array,
    s: Array,
    diffusion_per_h: float,
    periodic: bool,
    tol: float,
    max_cycles: int,
    work: Workspace,
) -> tuple[int, int, float]:
    """Solve on slabs, rows and columns with one diffusivity."""
    total, square, absorbed, bad = take_in(c, q, s, work, periodic)
    if bad or not (0.0 < absorbed < math.inf and square < math.inf and 0.0 <= diffusion_per_h < math.inf):
        return INVALID, 0, math.inf
    if square == 0.0:
        c[:] = 0.0
        return CONVERGED, 0, 0.0
    prepare(work, q, diffusion_per_h, periodic)
    return _iterate(c, q, (total, square), False, periodic, tol, max_cycles, work)


@njit(cache=True, nogil=True)
def _solve_varying(
    c: Array,
    q: Array,
    s: Array,
    diffusion_per_h: Array,
    periodic: bool,
    tol: float,
    max_cycles: int,
    work: Workspace,
) -> tuple[int, int, float]:
    """Solve on slabs, rows and columns with a diffusivity of each site."""
    total, square, absorbed, bad = take_in(c, q, s, work, periodic)
    for z in range(c.shape[0]):
        for y in range(c.shape[1]):
            for x in range(c.shape[2]):
                bad += not 0.0 <= diffusion_per_h[z, y, x] < math.inf
    if bad or not (0.0 < absorbed < math.inf and square < math.inf):
        return INVALID, 0, math.inf
    if square == 0.0:
        c[:] = 0.0
        return CONVERGED, 0, 0.0
    prepare_varying(work, q, diffusion_per_h, periodic)
    return _iterate(c, q, (total, square), True, periodic, tol, max_cycles, work)


@njit(cache=True, nogil=True)
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
        Start (negative values count as zero) and result, nM.
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
    if q.shape != c.shape or s.shape != c.shape or not _fits(c.shape, workspace, False):
        return INVALID, 0, math.inf
    grid = (workspace.levels[0, 0], workspace.levels[0, 1], workspace.levels[0, 2])
    return _solve(
        c.reshape(grid),
        q.reshape(grid),
        s.reshape(grid),
        diffusion_per_h,
        periodic,
        tol,
        max_cycles,
        workspace,
    )


@njit(cache=True, nogil=True)
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
    same = q.shape == c.shape and s.shape == c.shape and diffusion_per_h.shape == c.shape
    if not (same and _fits(c.shape, workspace, True)):
        return INVALID, 0, math.inf
    grid = (workspace.levels[0, 0], workspace.levels[0, 1], workspace.levels[0, 2])
    return _solve_varying(
        c.reshape(grid),
        q.reshape(grid),
        s.reshape(grid),
        diffusion_per_h.reshape(grid),
        periodic,
        tol,
        max_cycles,
        workspace,
    )
