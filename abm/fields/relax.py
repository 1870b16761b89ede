"""Smoothing on split rows (see grids.py).

The point of slab z, row y and column 2 k + h lies at start + PAD + (z pitch + 2 y + h) slots + k of a split array.
Ghosts hold the periodic images of columns; without flux they are zero. Slabs and rows wrap by index, with weight
zero at a wall.
"""

import numpy as np
from numba import njit

from .grids import HIGH, LOW, PAD, Array, Workspace
from .prefetch import LARGE, prefetch


@njit(cache=True, nogil=True)
def wrap_columns(v: Array, row: int, slots: int, n2: int) -> None:
    """Fill the ghosts at the ends of the row whose first even column is at `row` with their periodic images."""
    odd_row, last, odd = row + slots, (n2 + 1) // 2 - 1, n2 & 1
    v[odd_row - 1] = v[row + last] if odd else v[odd_row + last]
    if odd:
        v[odd_row + last] = v[row]
    else:
        v[row + last + 1] = v[row]


@njit(cache=True, nogil=True)
def slab_in_turn(turn: int, step: int, n0: int, halves: int, periodic: bool) -> tuple[int, int]:
    """Return the half sweep (from 1) and the slab that is due, or -1 where none is.

    In a turn each half sweep follows the one before at a distance of one slab. On a ring number m cannot reach
    the m first and last slabs in step, because these wait for each other; they follow in turn slabs + halves + m.
    """
    late = turn - n0 - halves
    if late > 0:
        return late, ((n0 - late + step) % n0 if step < min(2 * late, n0) else -1)
    m = step + 1
    z = turn - m
    margin = m if periodic else 0
    return m, (z if margin <= z < n0 - margin else -1)


@njit(cache=True, nogil=True)
def relax(work: Workspace, level: int, halves: int, start: int, stop: int, periodic: bool) -> None:
    """Do the turns from start to stop (exclusive) of red-black half sweeps with constant diffusivity.

    Positive values stay positive, since every weight is.
    """
    v, f, inverse, cells, edges = work.value, work.rhs, work.inverse, work.cells, work.edges[level]
    n0, n1, n2 = work.levels[level, 0], work.levels[level, 1], work.levels[level, 2]
    slots, stride = work.levels[level, 5], work.levels[level, 6] * work.levels[level, 5]
    base, across, uneven = work.levels[level, 3] + PAD, edges[0], edges[9] > 0.0
    large = n0 * n1 * n2 > LARGE
    for turn in range(start, stop):
        for step in range(max(2 * (turn - n0 - halves), halves)):
            m, z = slab_in_turn(turn, step, n0, halves, periodic)
            if z < 0:
                continue
            here = base + z * stride
            under = base + (z - 1 if z else n0 - 1) * stride
            over = base + (z + 1 if z + 1 < n0 else 0) * stride
            a, b = cells[LOW, level, 0, z], cells[HIGH, level, 0, z]
            for y in range(n1):
                h = (z + y + m + 1) & 1
                n = (n2 + 1 - h) // 2
                whole = (n + (PAD - 1)) // PAD * PAD  # beyond the end the inverse is zero
                half = (2 * y + h) * slots
                r, ra, rb = here + half, under + half, over + half
                west = r + (slots if h == 0 else -slots) + (h - 1)
                if n1 == 1:
                    if large and m < 3:
                        prefetch(f, r + 2 * stride, r + 2 * stride + n)
                        prefetch(inverse, r + 2 * stride, r + 2 * stride + n)
                    for k in range(whole):
                        v[np.uintp(r + k)] = (
                            f[np.uintp(r + k)]
                            + (a * v[np.uintp(ra + k)] + b * v[np.uintp(rb + k)])
                            + across * (v[np.uintp(west + k)] + v[np.uintp(west + 1 + k)])
                        ) * inverse[np.uintp(r + k)]
                else:
                    rc = here + (2 * (y - 1 if y else n1 - 1) + h) * slots
                    rd = here + (2 * (y + 1 if y + 1 < n1 else 0) + h) * slots
                    c, d = cells[LOW, level, 1, y], cells[HIGH, level, 1, y]
                    if large:
                        prefetch(f, r + 4 * slots, r + 4 * slots + n)
                        prefetch(inverse, r + 4 * slots, r + 4 * slots + n)
                        prefetch(v, rb + 4 * slots, rb + 4 * slots + n)
                    for k in range(whole):
                        v[np.uintp(r + k)] = (
                            f[np.uintp(r + k)]
                            + (
                                (a * v[np.uintp(ra + k)] + b * v[np.uintp(rb + k)])
                                + (c * v[np.uintp(rc + k)] + d * v[np.uintp(rd + k)])
                            )
                            + across * (v[np.uintp(west + k)] + v[np.uintp(west + 1 + k)])
                        ) * inverse[np.uintp(r + k)]
                if uneven:
                    for end in range(2 if n > 1 else 1):
                        k, at = (0 if end else n - 1), 1 + 4 * h + 2 * end
                        flux = edges[at] * v[west + k] + edges[at + 1] * v[west + 1 + k]
                        v[r + k] += flux * inverse[r + k]
                if periodic:
                    wrap_columns(v, r - h * slots, slots, n2)
