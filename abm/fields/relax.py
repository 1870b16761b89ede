"""Smoothing on split rows (see grids.py), and the exact solution of the coarsest level.

A split block has rows 2 (j + 1) + h for lattice row j and parity h of the column, and slot k + PAD for column
2 k + h. Ghost slots hold the periodic images; without flux their weights are zero.
"""

from numba import njit

from .grids import PAD, Array, Links


@njit(cache=True)
def wrap_rows(v: Array, ny: int) -> None:
    """Copy the first and last rows of a split block to the ghost rows on the far side."""
    for h in range(2):
        for k in range(v.shape[1]):
            v[h, k] = v[2 * ny + h, k]
            v[2 * ny + 2 + h, k] = v[2 + h, k]


@njit(cache=True)
def wrap(v: Array, ny: int, nx: int) -> None:
    """Fill every ghost of a split block with its periodic image."""
    last, odd = (nx + 1) // 2 - 1 + PAD, nx & 1
    for j in range(ny):
        r = 2 * j + 2
        v[r + 1, PAD - 1] = v[r + 1 - odd, last]
        v[r + odd, last + 1 - odd] = v[r, PAD]
    wrap_rows(v, ny)


@njit(cache=True)
def relax(
    v: Array,
    f: Array,
    inverse: Array,
    links: Links,
    ny: int,
    nx: int,
    periodic: bool,
    sweeps: int,
) -> None:
    """Do red-black Gauss-Seidel sweeps in one pass: each half sweep follows one row behind the one before.

    The half sweep number m cannot reach the m first and last rows in step, because on a ring they wait for
    each other; they are done at the end, in turn. Positive values stay positive, since every weight is.
    """
    west, east, north, south = links
    last, odd = (nx + 1) // 2 - 1 + PAD, nx & 1
    halves = 2 * sweeps
    in_step = ny + halves - 1
    for turn in range(in_step + halves - 1):
        for step in range(halves if turn < in_step else 2 * (turn - in_step + 1)):
            if turn < in_step:
                m, j = step, turn - step
                if j < m or j > ny - 1 - m:
                    continue
            else:
                m = turn - in_step + 1
                if periodic and step == 0:
                    wrap_rows(v, ny)
                if step >= ny:
                    continue
                j = (ny - m + step) % ny
            h = (j + m) & 1
            r = 2 * j + 2 + h
            other = 2 * j + 3 - h
            up, down = north[j], south[j]
            for k in range((nx + 1 - h) // 2):
                v[r, k + PAD] = (
                    f[r, k + PAD]
                    + (up * v[r - 2, k + PAD] + down * v[r + 2, k + PAD])
                    + (
                        west[h, k + PAD] * v[other, k + (h + PAD - 1)]
                        + east[h, k + PAD] * v[other, k + (h + PAD)]
                    )
                ) * inverse[r, k + PAD]
            if periodic:
                r -= h
                v[r + 1, PAD - 1] = v[r + 1 - odd, last]
                v[r + odd, last + 1 - odd] = v[r, PAD]
    if periodic:
        wrap_rows(v, ny)


@njit(cache=True)
def solve_coarsest(
    v: Array,
    f: Array,
    diagonal: Array,
    links: Links,
    ny: int,
    nx: int,
    small: Array,
    periodic: bool,
) -> None:
    """Solve the level of at most 3 x 3 cells by elimination (an M-matrix needs no pivoting)."""
    west, east, north, south = links
    n = ny * nx
    for a in range(n):
        j, i = a // nx, a % nx
        h, k = i & 1, i // 2 + PAD
        for b in range(n):
            small[a, b] = 0.0
        small[a, a] = diagonal[2 * j + 2 + h, k]
        small[a, j * nx + (i + nx - 1) % nx] -= west[h, k]
        small[a, j * nx + (i + 1) % nx] -= east[h, k]
        small[a, (j + ny - 1) % ny * nx + i] -= north[j]
        small[a, (j + 1) % ny * nx + i] -= south[j]
        small[a, 9] = f[2 * j + 2 + h, k]
    for a in range(n):
        # Round-off may eat the last pivot where q is tiny; the floor keeps the correction finite.
        pivot = max(small[a, a], 1e-14 * diagonal[2 * (a // nx) + 2 + (a % nx & 1), a % nx // 2 + PAD])
        small[a, a] = pivot
        for b in range(a + 1, n):
            factor = small[b, a] / pivot if pivot > 0.0 else 0.0
            for c in range(a + 1, n):
                small[b, c] -= factor * small[a, c]
            small[b, 9] -= factor * small[a, 9]
    for back in range(n):
        a = n - 1 - back
        j, i = a // nx, a % nx
        total = small[a, 9]
        for b in range(a + 1, n):
            total -= small[a, b] * small[b, 9]
        small[a, 9] = total / small[a, a] if small[a, a] > 0.0 else 0.0
        v[2 * j + 2 + (i & 1), i // 2 + PAD] = small[a, 9]
    if periodic:
        wrap(v, ny, nx)
