"""Between a level and the next coarser one: average the residual and q, interpolate the correction."""

from numba import njit

from .grids import PAD, Array, Indices, Links, Size
from .relax import wrap


@njit(cache=True)
def restrict_residual(
    v: Array,
    f: Array,
    diagonal: Array,
    links: Links,
    x_share: Array,
    y_share: Array,
    parent: Indices,
    coarse_f: Array,
    lines: Array,
    size: Size,
    both: bool,
    measure: bool,
) -> tuple[float, float, float]:
    """Average the residual over the coarse cells; size is (rows, columns, coarse rows, coarse columns).

    After a sweep the residual of the second colour is zero, so only the first is evaluated unless `both`
    (a ring of odd length, where two neighbours share a colour). With `measure`, returns the sums of r, r r
    and r f, added column by column and so in an order that does not depend on the machine.
    """
    west, east, north, south = links
    ny, nx, _, mx = size
    residual, mean = lines[0], lines[1]
    if measure:
        for k in range(nx):
            lines[2, k] = 0.0
            lines[3, k] = 0.0
            lines[4, k] = 0.0
    for k in range(mx + 1):
        mean[k] = 0.0
    for j in range(ny):
        up, down = north[j], south[j]
        for colour in range(2 if both else 1):
            h = (j + colour) & 1
            n = (nx + 1 - h) // 2
            r = 2 * j + 2 + h
            other = 2 * j + 3 - h
            for k in range(n):
                residual[k] = (
                    f[r, k + PAD]
                    + (up * v[r - 2, k + PAD] + down * v[r + 2, k + PAD])
                    + (
                        west[h, k + PAD] * v[other, k + (h + PAD - 1)]
                        + east[h, k + PAD] * v[other, k + (h + PAD)]
                    )
                    - diagonal[r, k + PAD] * v[r, k + PAD]
                )
            if measure:
                for k in range(n):
                    lines[2, k] += residual[k]
                    lines[3, k] += residual[k] * residual[k]
                    lines[4, k] += residual[k] * f[r, k + PAD]
            share = y_share[j]
            if mx == nx:
                for k in range(n):
                    mean[2 * k + h] += share * residual[k]
            else:
                for k in range(min(n, mx)):
                    mean[k] += share * x_share[h, k + PAD] * residual[k]
                if n > mx:
                    mean[mx - 1] += share * x_share[h, n - 1 + PAD] * residual[n - 1]
        row = parent[j]
        if j == ny - 1 or parent[j + 1] != row:
            # Beyond an odd size this writes a ghost that nothing reads.
            for k in range((mx + 1) // 2):
                coarse_f[2 * row + 2, k + PAD] = mean[2 * k]
                coarse_f[2 * row + 3, k + PAD] = mean[2 * k + 1]
            for k in range(mx):
                mean[k] = 0.0
    total = square = product = 0.0
    if measure:
        for k in range((nx + 1) // 2):
            total += lines[2, k]
            square += lines[3, k]
            product += lines[4, k]
    return total, square, product


@njit(cache=True)
def prolong(
    v: Array,
    coarse: Array,
    x_left: Array,
    y_left: Array,
    low: Indices,
    lines: Array,
    size: Size,
    periodic: bool,
    floor: float,
) -> int:
    """Add the coarse correction, interpolated linearly each way; return how many values met the floor.

    A floor of zero on the finest level only moves values towards the solution, which is positive.
    """
    ny, nx, my, mx = size
    line = lines[0]
    met = 0
    for j in range(ny):
        below, above, weight = low[j], low[j] + 1, y_left[j]
        if periodic:
            below = my - 1 if below < 0 else below
            above = 0 if above >= my else above
        else:
            below = 0 if below < 0 else below
            above = my - 1 if above >= my else above
        p, q = 2 * below + 2, 2 * above + 2
        # Both halves at once, so that stores are contiguous; beyond an odd size a ghost is overwritten below.
        for k in range((mx + 1) // 2):
            even, odd = coarse[q, k + PAD], coarse[q + 1, k + PAD]
            line[2 * k + PAD] = even + weight * (coarse[p, k + PAD] - even)
            line[2 * k + (PAD + 1)] = odd + weight * (coarse[p + 1, k + PAD] - odd)
        line[PAD - 1] = line[mx - 1 + PAD] if periodic else line[PAD]
        line[mx + PAD] = line[PAD] if periodic else line[mx - 1 + PAD]
        for h in range(2):
            r = 2 * j + 2 + h
            if mx == nx:
                for k in range((nx + 1 - h) // 2):
                    new = v[r, k + PAD] + line[2 * k + (h + PAD)]
                    met += new < floor
                    v[r, k + PAD] = floor if new < floor else new
            else:
                for k in range((nx + 1 - h) // 2):
                    right = line[k + (h + PAD)]
                    new = v[r, k + PAD] + (right + x_left[h, k + PAD] * (line[k + (h + PAD - 1)] - right))
                    met += new < floor
                    v[r, k + PAD] = floor if new < floor else new
    if periodic:
        wrap(v, ny, nx)
    return met


@njit(cache=True)
def mean_absorption(
    q: Array, coarse: Array, x_share: Array, y_share: Array, parent: Indices, size: Size, most: float
) -> None:
    """Average q, limited to `most` at each site, over the coarse cells (both row-major)."""
    ny, nx, my, mx = size
    for row in range(my):
        for k in range(mx):
            coarse[row, k] = 0.0
    for j in range(ny):
        row, share = parent[j], y_share[j]
        if mx == nx:
            for k in range(nx):
                coarse[row, k] += share * (q[j, k] if q[j, k] < most else most)
        else:
            for k in range(mx):
                even, odd = q[j, 2 * k], q[j, 2 * k + 1]
                even_part = x_share[0, k + PAD] * (even if even < most else most)
                odd_part = x_share[1, k + PAD] * (odd if odd < most else most)
                coarse[row, k] += share * (even_part + odd_part)
            if nx & 1:
                coarse[row, mx - 1] += share * x_share[0, mx + PAD] * min(q[j, nx - 1], most)
