"""Between a level and the next coarser one: average the residual and q, interpolate the correction."""

import numpy as np
from numba import njit

from .grids import BELOW, FIRST, HIGH, LEFT, LOW, PAD, SHARE, Array, Workspace
from .prefetch import LARGE, prefetch
from .relax import wrap_columns


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(work: Workspace, level: int, start: int, stop: int, both: bool) -> None:
    """Average the residual over the cells of the coarse slabs from start to stop (exclusive).

    After a sweep the residual of the second colour is zero, so only the first is evaluated unless `both`
    (a ring of odd length, where two neighbours share a colour). The diagonal is read from its inverse.
    """
    v, f, inverse, cells, edges = work.value, work.rhs, work.inverse, work.cells, work.edges[level]
    n0, n1, n2 = work.levels[level, 0], work.levels[level, 1], work.levels[level, 2]
    slots, stride = work.levels[level, 5], work.levels[level, 6] * work.levels[level, 5]
    base, across, uneven = work.levels[level, 3] + PAD, edges[0], edges[9] > 0.0
    m1, tree, residual = work.levels[level + 1, 1], work.tree, work.lines[0]
    nothing = v.dtype.type(0.0)
    colours = 2 if both else 1
    for coarse_z in range(start, stop):
        for coarse_y in range(m1):
            first_y = tree[FIRST, level, 1, coarse_y]
            rows = tree[FIRST, level, 1, coarse_y + 1] - first_y
            first_z = tree[FIRST, level, 0, coarse_z]
            half_rows = (tree[FIRST, level, 0, coarse_z + 1] - first_z) * rows * colours
            begin_mean(work, level)
            for child in range(half_rows):
                z, y = first_z + child // (rows * colours), first_y + child // colours % rows
                h = (z + y + child % colours) & 1
                n = (n2 + 1 - h) // 2
                half = (2 * y + h) * slots
                here = base + z * stride
                r = here + half
                ra = base + (z - 1 if z else n0 - 1) * stride + half
                rb = base + (z + 1 if z + 1 < n0 else 0) * stride + half
                west = r + (slots if h == 0 else -slots) + (h - 1)
                a, b = cells[LOW, level, 0, z], cells[HIGH, level, 0, z]
                if n1 == 1:
                    for k in range(n):
                        weight = inverse[np.uintp(r + k)]
                        residual[k] = (
                            f[np.uintp(r + k)]
                            + (a * v[np.uintp(ra + k)] + b * v[np.uintp(rb + k)])
                            + across * (v[np.uintp(west + k)] + v[np.uintp(west + 1 + k)])
                        ) - (v[np.uintp(r + k)] / weight if weight > nothing else nothing)
                else:
                    rc = here + (2 * (y - 1 if y else n1 - 1) + h) * slots
                    rd = here + (2 * (y + 1 if y + 1 < n1 else 0) + h) * slots
                    c, d = cells[LOW, level, 1, y], cells[HIGH, level, 1, y]
                    for k in range(n):
                        weight = inverse[np.uintp(r + k)]
                        residual[k] = (
                            f[np.uintp(r + k)]
                            + (
                                (a * v[np.uintp(ra + k)] + b * v[np.uintp(rb + k)])
                                + (c * v[np.uintp(rc + k)] + d * v[np.uintp(rd + k)])
                            )
                            + across * (v[np.uintp(west + k)] + v[np.uintp(west + 1 + k)])
                        ) - (v[np.uintp(r + k)] / weight if weight > nothing else nothing)
                if uneven:
                    for end in range(2 if n > 1 else 1):
                        k, at = (0 if end else n - 1), 1 + 4 * h + 2 * end
                        residual[k] += edges[at] * v[west + k] + edges[at + 1] * v[west + 1 + k]
                add_to_mean(work, level, r, h, cells[SHARE, level, 0, z] * cells[SHARE, level, 1, y])
            end_mean(work, level, coarse_z, coarse_y)


@njit(cache=True, nogil=True, forceinline=True)
def begin_mean(work: Workspace, level: int) -> None:
    """Clear the line of a row of coarse cells."""
    mean = work.lines[1]
    for k in range(work.levels[level + 1, 2] + 1):
        mean[k] = 0.0


@njit(cache=True, nogil=True, forceinline=True)
def add_to_mean(work: Workspace, level: int, r: int, h: int, part: float) -> None:
    """Add a share of the residual line, of a half row that begins at r, to the line of coarse cells.

    On the lattice itself the sums of r r and r f are noted by column, and so in an order that does not depend
    on the machine.
    """
    f, lines, share = work.rhs, work.lines, work.columns[0, level]
    residual, mean = lines[0], lines[1]
    n2, m2 = work.levels[level, 2], work.levels[level + 1, 2]
    n = (n2 + 1 - h) // 2
    if level == 0:
        for k in range(n):
            work.sums[1, k] += residual[k] * residual[k]
            work.sums[2, k] += residual[k] * f[np.uintp(r + k)]
    if m2 == n2:
        for k in range(n):
            mean[2 * k + h] += part * residual[k]
    else:
        for k in range(min(n, m2)):
            mean[k] += part * share[h, k + PAD] * residual[k]
        if n > m2:
            mean[m2 - 1] += part * share[h, n - 1 + PAD] * residual[n - 1]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def end_mean(work: Workspace, level: int, coarse_z: int, coarse_y: int) -> None:
    """Write the line of coarse cells to the right-hand side; on the lattice note the sum of r by column."""
    f, lines, levels = work.rhs, work.lines, work.levels
    m2, slots, mean = levels[level + 1, 2], levels[level + 1, 5], lines[1]
    even = levels[level + 1, 3] + PAD + (coarse_z * levels[level + 1, 6] + 2 * coarse_y) * slots
    # Beyond an odd size this writes a ghost of the right-hand side, which nothing reads.
    for k in range((m2 + 1) // 2):
        f[np.uintp(even + k)] = mean[2 * k]
        f[np.uintp(even + slots + k)] = mean[2 * k + 1]
    if level == 0:
        z, y = work.tree[FIRST, 0, 0, coarse_z], work.tree[FIRST, 0, 1, coarse_y]
        rows = 1.0 / (work.cells[SHARE, 0, 0, z] * work.cells[SHARE, 0, 1, y])
        for k in range(m2):
            work.sums[0, k] += rows * mean[k]


@njit(cache=True, nogil=True)
def neighbours(low: int, n: int, periodic: bool) -> tuple[int, int]:
    """Return the two coarse cells between which a cell lies, beyond an end the image or the last one."""
    high = low + 1
    if low < 0:
        low = n - 1 if periodic else 0
    if high >= n:
        high = 0 if periodic else n - 1
    return low, high


@njit(cache=True, nogil=True)
def prolong(
    work: Workspace, level: int, start: int, stop: int, both: bool, periodic: bool, least: float
) -> int:
    """Add the linearly interpolated correction to the slabs from start to stop; return how many met the floor.

    The next half sweep replaces the first colour without looking at it, so only the second is corrected
    unless `both`. A floor of zero on the finest level only moves values towards the solution, which is positive.
    """
    v, cells, tree, left, line = work.value, work.cells, work.tree, work.columns[1, level], work.lines[2]
    n1, n2, slots, pitch = (
        work.levels[level, 1],
        work.levels[level, 2],
        work.levels[level, 5],
        work.levels[level, 6],
    )
    m0, m1, m2 = work.levels[level + 1, 0], work.levels[level + 1, 1], work.levels[level + 1, 2]
    odd, coarse_pitch = work.levels[level + 1, 5], work.levels[level + 1, 6]
    base, coarse = work.levels[level, 3] + PAD, work.levels[level + 1, 3] + PAD
    met = 0
    floor = v.dtype.type(least)
    one = v.dtype.type(1.0)
    large = n1 * n2 * work.levels[level, 0] > LARGE
    for z in range(start, stop):
        z_low, z_high = neighbours(tree[BELOW, level, 0, z], m0, periodic)
        z_part = cells[LEFT, level, 0, z]
        for y in range(n1):
            p, t = coarse + z_low * coarse_pitch * odd, coarse + z_high * coarse_pitch * odd
            if m1 == 1:
                for k in range((m2 + 1) // 2):
                    even_high, odd_high = v[np.uintp(t + k)], v[np.uintp(t + odd + k)]
                    line[2 * k + PAD] = even_high + z_part * (v[np.uintp(p + k)] - even_high)
                    line[2 * k + (PAD + 1)] = odd_high + z_part * (v[np.uintp(p + odd + k)] - odd_high)
            else:
                y_low, y_high = neighbours(tree[BELOW, level, 1, y], m1, periodic)
                y_part = cells[LEFT, level, 1, y]
                ll, lh = z_part * y_part, z_part * (one - y_part)
                hl, hh = (one - z_part) * y_part, (one - z_part) * (one - y_part)
                q, u = p + 2 * y_high * odd, t + 2 * y_high * odd
                p, t = p + 2 * y_low * odd, t + 2 * y_low * odd
                for k in range((m2 + 1) // 2):
                    line[2 * k + PAD] = (ll * v[np.uintp(p + k)] + lh * v[np.uintp(q + k)]) + (
                        hl * v[np.uintp(t + k)] + hh * v[np.uintp(u + k)]
                    )
                    line[2 * k + (PAD + 1)] = (
                        ll * v[np.uintp(p + odd + k)] + lh * v[np.uintp(q + odd + k)]
                    ) + (hl * v[np.uintp(t + odd + k)] + hh * v[np.uintp(u + odd + k)])
            line[PAD - 1] = line[m2 - 1 + PAD] if periodic else line[PAD]
            line[m2 + PAD] = line[PAD] if periodic else line[m2 - 1 + PAD]
            even = base + (z * pitch + 2 * y) * slots
            if large:
                ahead = even + 2 * slots * (pitch if n1 == 1 else 2)
                prefetch(v, ahead, ahead + 2 * slots)
            for colour in range(0 if both else 1, 2):
                h = (z + y + colour) & 1
                r = even + h * slots
                if m2 == n2:
                    for k in range((n2 + 1 - h) // 2):
                        new = v[np.uintp(r + k)] + line[np.uintp(2 * k + (h + PAD))]
                        met += new < floor
                        v[np.uintp(r + k)] = floor if new < floor else new
                else:
                    for k in range((n2 + 1 - h) // 2):
                        right = line[np.uintp(k + (h + PAD))]
                        step = left[h, k + PAD] * (line[np.uintp(k + (h + PAD - 1))] - right)
                        new = v[np.uintp(r + k)] + (right + step)
                        met += new < floor
                        v[np.uintp(r + k)] = floor if new < floor else new
            if periodic:
                wrap_columns(v, even, slots, n2)
    return met


@njit(cache=True, nogil=True)
def mean_absorption(work: Workspace, level: int, q: Array, coarse: Array, most: float) -> None:
    """Average q, limited to `most` at each site, over the coarse cells (both row-major)."""
    cells, tree, mean = work.cells, work.tree, work.lines[1]
    n2 = q.shape[2]
    m0, m1, m2 = coarse.shape
    for coarse_z in range(m0):
        for coarse_y in range(m1):
            for k in range(n2):
                mean[k] = 0.0
            for z in range(tree[FIRST, level, 0, coarse_z], tree[FIRST, level, 0, coarse_z + 1]):
                for y in range(tree[FIRST, level, 1, coarse_y], tree[FIRST, level, 1, coarse_y + 1]):
                    part = cells[SHARE, level, 0, z] * cells[SHARE, level, 1, y]
                    for k in range(n2):
                        mean[k] += part * (q[z, y, k] if q[z, y, k] < most else most)
            for k in range(m2):
                total = 0.0
                for i in range(tree[FIRST, level, 2, k], tree[FIRST, level, 2, k + 1]):
                    total += cells[SHARE, level, 2, i] * mean[i]
                coarse[coarse_z, coarse_y, k] = total
