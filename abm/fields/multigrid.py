"""Implicit or quasi-steady reaction and diffusion: q c - D lap c = s on a lattice, by geometric multigrid."""

import math
from typing import cast

import numpy as np
from numba import njit

from .grids import PAD, Array, Workspace, make_workspace
from .operator import links_view, prepare, split_view
from .relax import relax, solve_coarsest, wrap
from .transfer import prolong, restrict_residual

__all__ = ["CONVERGED", "INVALID", "MAX_CYCLES", "Workspace", "make_workspace", "solve"]

CONVERGED, MAX_CYCLES, INVALID = 0, 1, 2
ONCE, TWICE = cast(int, np.int64(1)), cast(int, np.int64(2))  # plain literals would compile twice


@njit(cache=True)
def _take_in(
    c: Array, q: Array, s: Array, value: Array, rhs: Array, lines: Array
) -> tuple[float, float, float, int]:
    """Split c and s; return sum s, sum s s, sum q and the number of negative or not finite inputs."""
    ny, nx = c.shape
    for k in range(nx):
        lines[2, k] = 0.0
        lines[3, k] = 0.0
        lines[4, k] = 0.0
    bad = 0
    for j in range(ny):
        for k in range(nx):
            lines[2, k] += s[j, k]
            lines[3, k] += s[j, k] * s[j, k]
            lines[4, k] += q[j, k]
            bad += not (s[j, k] >= 0.0 and q[j, k] >= 0.0)
        # A start of any sign or NaN is allowed; only the solution must be positive.
        r = 2 * j + 2
        for k in range(nx // 2):
            even, odd = c[j, 2 * k], c[j, 2 * k + 1]
            value[r, k + PAD] = even if even > 0.0 else 0.0
            value[r + 1, k + PAD] = odd if odd > 0.0 else 0.0
        for k in range(nx // 2):
            rhs[r, k + PAD] = s[j, 2 * k]
            rhs[r + 1, k + PAD] = s[j, 2 * k + 1]
        if nx & 1:
            value[r, nx // 2 + PAD] = c[j, nx - 1] if c[j, nx - 1] > 0.0 else 0.0
            rhs[r, nx // 2 + PAD] = s[j, nx - 1]
    total = square = absorbed = 0.0
    for k in range(nx):
        total += lines[2, k]
        square += lines[3, k]
        absorbed += lines[4, k]
    return total, square, absorbed, bad


@njit(cache=True)
def _give_out(c: Array, q: Array, value: Array, total: float, lines: Array) -> None:
    """Write the solution to c, scaled so that sum(q c) is the total of the sources."""
    ny, nx = c.shape
    for k in range(nx):
        lines[2, k] = 0.0
    for j in range(ny):
        for k in range(nx // 2):
            c[j, 2 * k] = value[2 * j + 2, k + PAD]
            c[j, 2 * k + 1] = value[2 * j + 3, k + PAD]
        if nx & 1:
            c[j, nx - 1] = value[2 * j + 2, nx // 2 + PAD]
        for k in range(nx):
            lines[2, k] += q[j, k] * c[j, k]
    lost = 0.0
    for k in range(nx):
        lost += lines[2, k]
    scale = total / lost if lost > 0.0 else 1.0
    for j in range(ny):
        for k in range(nx):
            c[j, k] *= scale


@njit(cache=True)
def _relative_residual(total: float, square: float, sums: tuple[float, float, float]) -> float:
    """Return |s - f A c| / |s|, f = sum(s) / sum(q c) being the final scale, from sums of r."""
    r_sum, r_square, r_s = sums
    if not total - r_sum > 0.0:
        return math.inf
    extra = r_sum / (total - r_sum)
    scale = 1.0 + extra
    # r = s - A c and so f A c = f (s - r): the scaled residual is f r - extra s.
    norm = scale * scale * r_square - 2.0 * scale * extra * r_s + extra * extra * square
    return math.sqrt(max(norm, 0.0) / square)


@njit(cache=True)
def _sweep(work: Workspace, level: int, periodic: bool, sweeps: int) -> None:
    """Smooth one level."""
    ny, nx = work.levels[level, 0], work.levels[level, 1]
    relax(
        split_view(work.value, work.levels, level),
        split_view(work.rhs, work.levels, level),
        split_view(work.inverse, work.levels, level),
        links_view(work, level),
        ny,
        nx,
        periodic,
        sweeps,
    )


@njit(cache=True)
def _down(work: Workspace, level: int, periodic: bool) -> tuple[float, float, float]:
    """Restrict the residual of a level to the right-hand side of the next, whose unknown is set to zero."""
    ny, nx = work.levels[level, 0], work.levels[level, 1]
    my, mx = work.levels[level + 1, 0], work.levels[level + 1, 1]
    ring_of_odd_length = periodic and (ny | nx) & 1 == 1
    sums = restrict_residual(
        split_view(work.value, work.levels, level),
        split_view(work.rhs, work.levels, level),
        split_view(work.diagonal, work.levels, level),
        links_view(work, level),
        work.x_share[level],
        work.y_share[level],
        work.y_parent[level],
        split_view(work.rhs, work.levels, level + 1),
        work.lines,
        (ny, nx, my, mx),
        ring_of_odd_length,
        level == 0,
    )
    split_view(work.value, work.levels, level + 1)[:] = 0.0
    return sums


@njit(cache=True)
def _up(work: Workspace, level: int, periodic: bool, floor: float) -> int:
    """Correct a level by the solution of the next coarser one."""
    ny, nx = work.levels[level, 0], work.levels[level, 1]
    my, mx = work.levels[level + 1, 0], work.levels[level + 1, 1]
    return prolong(
        split_view(work.value, work.levels, level),
        split_view(work.value, work.levels, level + 1),
        work.x_left[level],
        work.y_left[level],
        work.y_low[level],
        work.lines,
        (ny, nx, my, mx),
        periodic,
        floor,
    )


@njit(cache=True)
def _correct(work: Workspace, periodic: bool) -> None:
    """Do the coarse part of a V(1,1) cycle, whose right-hand side is on level 1, and correct level 0."""
    last = work.levels.shape[0] - 1
    for level in range(1, last):
        _sweep(work, level, periodic, ONCE)
        _down(work, level, periodic)
    solve_coarsest(
        split_view(work.value, work.levels, last),
        split_view(work.rhs, work.levels, last),
        split_view(work.diagonal, work.levels, last),
        links_view(work, last),
        work.levels[last, 0],
        work.levels[last, 1],
        work.small,
        periodic,
    )
    for back in range(1, last):
        _up(work, last - back, periodic, -math.inf)
        _sweep(work, last - back, periodic, ONCE)
    work.counters[0] += _up(work, 0, periodic, 0.0)


@njit(cache=True)
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
    c : float64[ny, nx]
        Start (negative values count as zero) and result, nM.
    q : float64[ny, nx]
        Decay + uptake + exchange (+ 1/dt), 1/h, not negative and somewhere positive.
    s : float64[ny, nx]
        Source + exchange x level (+ c_old/dt), nM/h, not negative.
    diffusion_per_h : float
        D / h^2, 1/h.
    periodic : bool
        Ring in both directions; otherwise no flux through the edges.
    tol : float
        Largest accepted L2 norm of the residual over that of s.
    max_cycles : int
        Most V(1,1) cycles.
    workspace : Workspace
        From `make_workspace(ny, nx)`.

    Returns
    -------
    status : int
        CONVERGED, MAX_CYCLES (c is the best so far, still positive and balanced) or INVALID (q or s negative
        or not finite, q zero everywhere or of another shape: c is untouched).
    cycles : int
    residual : float
    """
    ny, nx = c.shape
    if (
        workspace.levels[0, 0] != ny
        or workspace.levels[0, 1] != nx
        or q.shape != c.shape
        or s.shape != c.shape
    ):
        return INVALID, 0, math.inf
    value = split_view(workspace.value, workspace.levels, 0)
    rhs = split_view(workspace.rhs, workspace.levels, 0)
    total, square, absorbed, bad = _take_in(c, q, s, value, rhs, workspace.lines)
    if bad or not (0.0 < absorbed < math.inf and square < math.inf and 0.0 <= diffusion_per_h < math.inf):
        return INVALID, 0, math.inf
    if square == 0.0:
        c[:] = 0.0
        return CONVERGED, 0, 0.0
    prepare(workspace, q, diffusion_per_h, periodic)
    if periodic:
        wrap(value, ny, nx)
    cycles = 0
    _sweep(workspace, 0, periodic, ONCE)
    residual = _relative_residual(total, square, _down(workspace, 0, periodic))
    while not residual <= tol and cycles < max_cycles:
        _correct(workspace, periodic)
        # The last smoothing of this cycle and the first of the next, whose restriction knows the residual.
        _sweep(workspace, 0, periodic, TWICE)
        cycles += 1
        residual = _relative_residual(total, square, _down(workspace, 0, periodic))
    _give_out(c, q, value, total, workspace.lines)
    return (CONVERGED if residual <= tol else MAX_CYCLES), cycles, residual
