"""Between row-major arrays and split rows, and what is known of a solution from its sums."""

import math

import numpy as np
from numba import njit

from .grids import FIRST, PAD, SHARE, Array, Workspace
from .relax import wrap_columns


@njit(cache=True, nogil=True)
def take_in(c: Array, q: Array, s: Array, work: Workspace, periodic: bool) -> tuple[float, float, float, int]:
    """Split c and s; return sum s, sum s s, sum q and the number of negative or not finite inputs."""
    value, rhs = work.value, work.rhs
    slots, pitch = work.levels[0, 5], work.levels[0, 6]
    n0, n1, n2 = c.shape
    pairs, odd = n2 // 2, n2 & 1
    work.sums[:, :n2] = 0.0
    bad = 0
    for z in range(n0):
        for y in range(n1):
            even = PAD + (z * pitch + 2 * y) * slots
            for k in range(n2):
                work.sums[0, k] += s[z, y, k]
                work.sums[1, k] += s[z, y, k] * s[z, y, k]
                work.sums[2, k] += q[z, y, k]
            for k in range(n2):
                bad += not (s[z, y, k] >= 0.0 and q[z, y, k] >= 0.0)
            # A start of any sign or NaN is allowed; only the solution must be positive.
            for k in range(pairs):
                first, second = c[z, y, 2 * k], c[z, y, 2 * k + 1]
                value[np.uintp(even + k)] = first if first > 0.0 else 0.0
                value[np.uintp(even + slots + k)] = second if second > 0.0 else 0.0
            for k in range(pairs):
                rhs[np.uintp(even + k)] = s[z, y, 2 * k]
                rhs[np.uintp(even + slots + k)] = s[z, y, 2 * k + 1]
            if odd:
                value[even + pairs] = c[z, y, n2 - 1] if c[z, y, n2 - 1] > 0.0 else 0.0
                rhs[even + pairs] = s[z, y, n2 - 1]
            if periodic:
                wrap_columns(value, even, slots, n2)
            else:
                value[even + pairs + odd] = 0.0
                value[even + slots - 1] = 0.0
                value[even + slots + pairs] = 0.0
    total = square = absorbed = 0.0
    for k in range(n2):
        total += work.sums[0, k]
        square += work.sums[1, k]
        absorbed += work.sums[2, k]
    return total, square, absorbed, bad


@njit(cache=True, nogil=True)
def give_out(c: Array, q: Array, work: Workspace, total: float) -> None:
    """Write the solution to c, scaled so that sum(q c) is the total of the sources."""
    value = work.value
    slots, pitch = work.levels[0, 5], work.levels[0, 6]
    n0, n1, n2 = c.shape
    work.sums[0, :n2] = 0.0
    for z in range(n0):
        for y in range(n1):
            even = PAD + (z * pitch + 2 * y) * slots
            for k in range(n2 // 2):
                c[z, y, 2 * k] = value[np.uintp(even + k)]
                c[z, y, 2 * k + 1] = value[np.uintp(even + slots + k)]
            if n2 & 1:
                c[z, y, n2 - 1] = value[even + n2 // 2]
            for k in range(n2):
                work.sums[0, k] += q[z, y, k] * c[z, y, k]
    lost = 0.0
    for k in range(n2):
        lost += work.sums[0, k]
    scale = total / lost if lost > 0.0 else 1.0
    for z in range(n0):
        for y in range(n1):
            for k in range(n2):
                c[z, y, k] *= scale


@njit(cache=True, nogil=True, error_model="numpy")
def sums_of_residual(work: Workspace) -> tuple[float, float, float]:
    """Return the sums of r, r r and r s over the lattice from those by column."""
    share = work.cells[SHARE, 0, 2]
    total = square = product = 0.0
    for k in range(work.levels[1, 2]):
        total += work.sums[0, k] / share[work.tree[FIRST, 0, 2, k]]
    for k in range((work.levels[0, 2] + 1) // 2):
        square += work.sums[1, k]
        product += work.sums[2, k]
    return total, square, product


@njit(cache=True, nogil=True, error_model="numpy")
def relative_residual(total: float, square: float, sums: tuple[float, float, float]) -> float:
    """Return |s - f A c| / |s|, f = sum(s) / sum(q c) being the final scale, from sums of r."""
    r_sum, r_square, r_s = sums
    if not total - r_sum > 0.0:
        return math.inf
    extra = r_sum / (total - r_sum)
    scale = 1.0 + extra
    # r = s - A c and so f A c = f (s - r): the scaled residual is f r - extra s.
    norm = scale * scale * r_square - 2.0 * scale * extra * r_s + extra * extra * square
    return math.sqrt(max(norm, 0.0) / square)
