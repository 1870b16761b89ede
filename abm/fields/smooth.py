"""Neighbourhood signals: repeated box blurs whose cost does not depend on the radius."""

from numba import njit

from .grids import Array


@njit(cache=True, nogil=True)
def _span(index: int, size: int, periodic: bool) -> tuple[float, float, int, bool]:
    """Return (sign, tiles, slot, fold) that locate a prefix sum of a line reflected or repeated without end.

    The sum of the first `index` values is sign x (tiles x 2 T + P[slot]) or, folded, sign x (tiles x 2 T
    + 2 T - P[slot]), where P are the prefix sums of the line and T = P[size].
    """
    if periodic:
        return 1.0, 0.5 * (index // size), index % size, False
    sign = -1.0 if index < 0 else 1.0
    index = -index if index < 0 else index
    tiles = 0.0
    if index > 2 * size:
        tiles, index = float(index // (2 * size)), index % (2 * size)
    if index > size:
        return sign, tiles, 2 * size - index, True
    return sign, tiles, index, False


@njit(cache=True, nogil=True)
def _sum_rows(values: Array, prefix: Array) -> None:
    """Write the prefix sums of every row, four rows abreast since each sum waits for the one before."""
    ny, nx = values.shape
    for j in range(0, ny - 3, 4):
        a = b = c = d = 0.0
        for i in range(nx):
            a += values[j, i]
            b += values[j + 1, i]
            c += values[j + 2, i]
            d += values[j + 3, i]
            prefix[j, i] = a
            prefix[j + 1, i] = b
            prefix[j + 2, i] = c
            prefix[j + 3, i] = d
    for j in range(ny - ny % 4, ny):
        a = 0.0
        for i in range(nx):
            a += values[j, i]
            prefix[j, i] = a


@njit(cache=True, nogil=True)
def _along_rows(values: Array, prefix: Array, radius: int, periodic: bool) -> None:
    """Replace every row by its box mean; prefix is scratch of the same shape."""
    ny, nx = values.shape
    width = 1.0 / (2 * radius + 1)
    _sum_rows(values, prefix)
    first = min(radius + 1, nx)
    inside = max(nx - radius - first, 0)
    for j in range(ny):
        middle, upto_end = (
            values[j, first : first + inside],
            prefix[j, first + radius : first + radius + inside],
        )
        for k in range(inside):
            middle[k] = (upto_end[k] - prefix[j, k]) * width
        total = prefix[j, nx - 1]
        for edge in range(nx - inside):
            i = edge if edge < first else edge + inside
            part = 0.0
            for side in range(2):
                sign, tiles, slot, fold = _span(i + radius + 1 if side else i - radius, nx, periodic)
                at = prefix[j, slot - 1] if slot else 0.0
                upto = sign * (tiles * 2.0 * total + (2.0 * total - at if fold else at))
                part = upto - part
            values[j, i] = part * width


@njit(cache=True, nogil=True)
def _along_columns(values: Array, prefix: Array, radius: int, periodic: bool) -> None:
    """Replace every column by its box mean; prefix is scratch of the same shape."""
    ny, nx = values.shape
    width = 1.0 / (2 * radius + 1)
    for i in range(nx):
        prefix[0, i] = values[0, i]
    for j in range(1, ny):
        for i in range(nx):
            prefix[j, i] = prefix[j - 1, i] + values[j, i]
    for j in range(ny):
        if j - radius >= 1 and j + radius < ny:
            high, low = j + radius, j - radius - 1
            for i in range(nx):
                values[j, i] = (prefix[high, i] - prefix[low, i]) * width
            continue
        sign_a, tiles_a, slot_a, fold_a = _span(j - radius, ny, periodic)
        sign_b, tiles_b, slot_b, fold_b = _span(j + radius + 1, ny, periodic)
        for i in range(nx):
            total = prefix[ny - 1, i]
            a = prefix[slot_a - 1, i] if slot_a else 0.0
            b = prefix[slot_b - 1, i] if slot_b else 0.0
            a = sign_a * (tiles_a * 2.0 * total + (2.0 * total - a if fold_a else a))
            b = sign_b * (tiles_b * 2.0 * total + (2.0 * total - b if fold_b else b))
            values[j, i] = (b - a) * width


@njit(cache=True, nogil=True)
def box_smooth(
    source: Array, radius_sites: int, passes: int, out: Array, scratch: Array, periodic: bool
) -> None:
    """Write the repeated box mean of a map of two or three dimensions into `out`.

    A pass averages the (2 radius + 1)^2 or (2 radius + 1)^3 sites around each site. Three passes are close to a
    Gaussian of standard deviation sqrt(radius (radius + 1)) sites. The sum of the map is conserved to round-off
    and no result is negative: means are differences of prefix sums, which cannot decrease.

    Parameters
    ----------
    source : float64[ny, nx] or float64[nz, ny, nx]
        Map, not negative; may be `out` itself.
    radius_sites : int
        Half width of the box in sites, of any size, 0 to copy.
    passes : int
        Number of repeats.
    out : float64, same shape
        Result, in the unit of the map.
    scratch : float64, same shape
        Working memory.
    periodic : bool
        Whether the map goes round along every axis; else it is reflected at the edges.
    """
    out[:] = source
    if radius_sites <= 0:
        return
    ny, nx = source.shape[-2], source.shape[-1]
    planes = source.size // (ny * nx)
    rows, spare = out.reshape((planes * ny, nx)), scratch.reshape((planes * ny, nx))
    for _ in range(passes):
        _along_rows(rows, spare, radius_sites, periodic)
    for plane in range(planes):
        part = slice(plane * ny, (plane + 1) * ny)
        for _ in range(passes):
            _along_columns(rows[part], spare[part], radius_sites, periodic)
    if source.ndim == 3:
        stack, spare = out.reshape((planes, ny * nx)), scratch.reshape((planes, ny * nx))
        for _ in range(passes):
            _along_columns(stack, spare, radius_sites, periodic)
