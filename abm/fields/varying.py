"""Smoothing and residual where diffusivity varies: the weights are conductances of faces, point by point.

Everything is summed over the volume of a cell, so that a face has one conductance for both its cells. The lower
face of a point has its place in `faces`; the upper one is the lower face of the next point.
"""

import numpy as np
from numba import njit

from .grids import FIRST, PAD, Workspace
from .relax import slab_in_turn, wrap_columns
from .transfer import add_to_mean, begin_mean, end_mean


@njit(cache=True, nogil=True, forceinline=True)
def gather(work: Workspace, level: int, z: int, y: int, h: int, n: int) -> tuple[int, int]:
    """Write source and inflow of n points of a half row to the first line; return where its row and it begin.

    In pieces: a loop over more than eight streams would not become a vector loop.
    """
    v, f, t, line = work.value, work.rhs, work.faces, work.lines[0]
    n0, n1, slots, pitch = (
        work.levels[level, 0],
        work.levels[level, 1],
        work.levels[level, 5],
        work.levels[level, 6],
    )
    base, along_columns, along_rows = work.levels[level, 3] + PAD, v.size, 2 * v.size
    even = base + (z * pitch + 2 * y) * slots
    r = even + h * slots
    below = base + ((z - 1 if z else n0 - 1) * pitch + 2 * y + h) * slots
    above = base + ((z + 1 if z + 1 < n0 else 0) * pitch + 2 * y + h) * slots
    for k in range(n):
        line[k] = f[np.uintp(r + k)] + (
            t[np.uintp(r + k)] * v[np.uintp(below + k)] + t[np.uintp(above + k)] * v[np.uintp(above + k)]
        )
    if n1 > 1:
        below = base + (z * pitch + 2 * (y - 1 if y else n1 - 1) + h) * slots
        above = base + (z * pitch + 2 * (y + 1 if y + 1 < n1 else 0) + h) * slots
        for k in range(n):
            line[k] += (
                t[np.uintp(along_rows + r + k)] * v[np.uintp(below + k)]
                + t[np.uintp(along_rows + above + k)] * v[np.uintp(above + k)]
            )
    west = r + (slots if h == 0 else -slots) + (h - 1)
    for k in range(n):
        line[k] += (
            t[np.uintp(along_columns + r + k)] * v[np.uintp(west + k)]
            + t[np.uintp(along_columns + west + 1 + k)] * v[np.uintp(west + 1 + k)]
        )
    return even, r


@njit(cache=True, nogil=True)
def relax_varying(work: Workspace, level: int, halves: int, start: int, stop: int, periodic: bool) -> None:
    """Do the turns from start to stop (exclusive) of red-black half sweeps."""
    v, inverse, line, slots = work.value, work.inverse, work.lines[0], work.levels[level, 5]
    n0, n1, n2 = work.levels[level, 0], work.levels[level, 1], work.levels[level, 2]
    for turn in range(start, stop):
        for step in range(max(2 * (turn - n0 - halves), halves)):
            m, z = slab_in_turn(turn, step, n0, halves, periodic)
            if z < 0:
                continue
            for y in range(n1):
                h = (z + y + m + 1) & 1
                n = (n2 + 1 - h) // 2
                even, r = gather(work, level, z, y, h, n)
                for k in range(n):
                    v[np.uintp(r + k)] = line[k] * inverse[np.uintp(r + k)]
                if periodic:
                    wrap_columns(v, even, slots, n2)


@njit(cache=True, nogil=True, error_model="numpy")
def restrict_varying(work: Workspace, level: int, start: int, stop: int, both: bool) -> None:
    """Sum the residual over the cells of the coarse slabs from start to stop (see `restrict`)."""
    v, inverse, line, tree = work.value, work.inverse, work.lines[0], work.tree[FIRST, level]
    for coarse_z in range(start, stop):
        for coarse_y in range(work.levels[level + 1, 1]):
            begin_mean(work, level)
            for z in range(tree[0, coarse_z], tree[0, coarse_z + 1]):
                for y in range(tree[1, coarse_y], tree[1, coarse_y + 1]):
                    for colour in range(2 if both else 1):
                        h = (z + y + colour) & 1
                        n = (work.levels[level, 2] + 1 - h) // 2
                        r = gather(work, level, z, y, h, n)[1]
                        for k in range(n):
                            weight = inverse[np.uintp(r + k)]
                            line[k] -= v[np.uintp(r + k)] / weight if weight > 0.0 else 0.0
                        add_to_mean(work, level, r, h, 1.0)
            end_mean(work, level, coarse_z, coarse_y)
