"""The operator q - D lap on every level, and the exact solution of the coarsest one."""

import math

from numba import njit

from .grids import HIGH, HIGH_UNIT, LOW, LOW_UNIT, MOST_COARSEST, PAD, Array, Indices, Workspace
from .relax import wrap_columns
from .transfer import mean_absorption

SINK_LIMIT = 2.0  # most absorption of a site seen from afar, in D/h^2 and axis: what its neighbours can send


@njit(cache=True, nogil=True)
def absorption_view(flat: Array, levels: Indices, level: int) -> Array:
    """Return the mean absorption of a coarse level as slabs, rows and columns."""
    n0, n1, n2, start = levels[level, 0], levels[level, 1], levels[level, 2], levels[level, 4]
    return flat[start : start + n0 * n1 * n2].reshape((n0, n1, n2))


@njit(cache=True, nogil=True)
def set_weights(work: Workspace, level: int, diffusion: float, periodic: bool) -> None:
    """Scale the geometric weights of one level by the diffusion and cut them at a wall."""
    cells, edges = work.cells, work.edges[level]
    for axis in range(3):
        for i in range(work.levels[level, axis]):
            cells[LOW, level, axis, i] = diffusion * cells[LOW_UNIT, level, axis, i]
            cells[HIGH, level, axis, i] = diffusion * cells[HIGH_UNIT, level, axis, i]
    # Without flux the ghosts of a row are zero, so the columns at its ends may have the weight of the others.
    n2, across = work.levels[level, 2], cells[HIGH, level, 2, 0]
    edges[:] = 0.0
    edges[0] = across
    for h in range(2):
        n = (n2 + 1 - h) // 2
        for end in range(2):
            i, at = (0 if end else 2 * (n - 1)) + h, 1 + 4 * h + 2 * end
            if n > end:
                edges[at] = cells[LOW, level, 2, i] - across if periodic or i > 0 else 0.0
                edges[at + 1] = cells[HIGH, level, 2, i] - across if periodic or i + 1 < n2 else 0.0
                edges[9] = 1.0 if edges[at] != 0.0 or edges[at + 1] != 0.0 else edges[9]
    if not periodic:
        for axis in range(3):
            cells[LOW, level, axis, 0] = 0.0
            cells[HIGH, level, axis, work.levels[level, axis] - 1] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def set_inverse(work: Workspace, level: int, q: Array) -> None:
    """Fill the inverse of the diagonal of q - D lap (zero where nothing leaves the voxel)."""
    inverse, low, high = work.inverse, work.cells[LOW, level], work.cells[HIGH, level]
    line, slots, pitch = work.lines[2], work.levels[level, 5], work.levels[level, 6]
    n0, n1, n2 = q.shape
    for i in range(n2):
        line[i] = low[2, i] + high[2, i]
    for z in range(n0):
        for y in range(n1):
            along = (low[0, z] + high[0, z]) + (low[1, y] + high[1, y])
            even = work.levels[level, 3] + PAD + (z * pitch + 2 * y) * slots
            for h in range(2):
                half = inverse[even + h * slots : even + (h + 1) * slots]
                for k in range((n2 + 1 - h) // 2):
                    d = q[z, y, 2 * k + h] + (along + line[2 * k + h])
                    half[k] = 1.0 / d if d > 0.0 else 0.0


@njit(cache=True, nogil=True)
def set_coarsest(work: Workspace, q: Array) -> None:
    """Set up and factorise the level of at most 3 x 3 x 3 cells."""
    level = work.levels.shape[0] - 1
    low, high = work.cells[LOW, level], work.cells[HIGH, level]
    n0, n1, n2 = q.shape
    n, small = n0 * n1 * n2, work.small
    small[:] = 0.0
    for a in range(n):
        z, y, x = a // (n1 * n2), a // n2 % n1, a % n2
        along = (low[0, z] + high[0, z]) + (low[1, y] + high[1, y]) + (low[2, x] + high[2, x])
        small[MOST_COARSEST, a] = q[z, y, x] + along
        small[a, a] += q[z, y, x] + along
        small[a, ((z + n0 - 1) % n0 * n1 + y) * n2 + x] -= low[0, z]
        small[a, ((z + 1) % n0 * n1 + y) * n2 + x] -= high[0, z]
        small[a, (z * n1 + (y + n1 - 1) % n1) * n2 + x] -= low[1, y]
        small[a, (z * n1 + (y + 1) % n1) * n2 + x] -= high[1, y]
        small[a, (z * n1 + y) * n2 + (x + n2 - 1) % n2] -= low[2, x]
        small[a, (z * n1 + y) * n2 + (x + 1) % n2] -= high[2, x]
    factorise(small, n)


@njit(cache=True, nogil=True, error_model="numpy")
def factorise(small: Array, n: int) -> None:
    """Split a matrix into its triangles in place (an M-matrix needs no pivoting); its last row is its diagonal.

    Round-off may eat the last pivot where q is tiny; a floor keeps the correction finite.
    """
    for a in range(n):
        small[a, a] = max(small[a, a], 1e-14 * small[MOST_COARSEST, a])
        pivot = small[a, a]
        for b in range(a + 1, n):
            small[b, a] = small[b, a] / pivot if pivot > 0.0 else 0.0
            for c in range(a + 1, n):
                small[b, c] -= small[b, a] * small[a, c]


@njit(cache=True, nogil=True, error_model="numpy")
def solve_coarsest(work: Workspace, periodic: bool) -> None:
    """Solve the coarsest level exactly."""
    levels, small, x = work.levels, work.small, work.small[MOST_COARSEST]
    level = levels.shape[0] - 1
    n0, n1, n2, start = levels[level, 0], levels[level, 1], levels[level, 2], levels[level, 3] + PAD
    slots, pitch = levels[level, 5], levels[level, 6]
    n = n0 * n1 * n2
    for a in range(n):
        at = start + (a // (n1 * n2) * pitch + 2 * (a // n2 % n1) + (a % n2 & 1)) * slots + a % n2 // 2
        x[a] = work.rhs[at]
        for b in range(a):
            x[a] -= small[a, b] * x[b]
    for back in range(n):
        a = n - 1 - back
        for b in range(a + 1, n):
            x[a] -= small[a, b] * x[b]
        x[a] = x[a] / small[a, a] if small[a, a] > 0.0 else 0.0
    for a in range(n):
        row = start + (a // (n1 * n2) * pitch + 2 * (a // n2 % n1)) * slots
        work.value[row + (a % n2 & 1) * slots + a % n2 // 2] = x[a]
        if periodic:
            wrap_columns(work.value, row, slots, n2)


@njit(cache=True, nogil=True)
def prepare(work: Workspace, q: Array, diffusion_per_h: float, periodic: bool) -> None:
    """Set the operators of all levels: q averaged over the cells, diffusion on their widths.

    A strong sink in one site takes no more than diffusion brings to it, so q is limited on its way to the
    first coarse level; averaged as it is, it would hold the corrections back (where 1 % of the sites are
    strong sinks a cycle would leave 0.64 of the residual instead of 0.45).
    """
    axes = 2.0 if q.shape[1] == 1 else 3.0
    most = axes * SINK_LIMIT * diffusion_per_h if diffusion_per_h > 0.0 else math.inf
    set_weights(work, 0, diffusion_per_h, periodic)
    set_inverse(work, 0, q)
    finer = absorption_view(work.absorption, work.levels, 1)
    mean_absorption(work, 0, q, finer, most)
    for level in range(1, work.levels.shape[0]):
        if level > 1:
            mean = absorption_view(work.absorption, work.levels, level)
            mean_absorption(work, level - 1, finer, mean, math.inf)
            finer = mean
        set_weights(work, level, diffusion_per_h, periodic)
        set_inverse(work, level, finer)
    set_coarsest(work, finer)
