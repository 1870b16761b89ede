"""Where the amount of a field comes from and where it goes."""

from typing import NamedTuple

from numba import njit

from .grids import Array


class Account(NamedTuple):
    """Rates summed over the lattice, in nM sites per hour (times site volume: amount per hour)."""

    secreted: float
    delivered: float
    taken_up: float
    decayed: float
    change: float


@njit(cache=True)
def account(
    c: Array,
    before: Array,
    source: Array,
    uptake: Array,
    exchange: Array,
    decay: float,
    level: float,
    per_h: float,
) -> Account:
    """Return what a field gained and lost, such that secreted + delivered = taken_up + decayed + change.

    The identity holds to round-off for the result of `solve` with q = decay + uptake + exchange + per_h and
    s = source + exchange x level + per_h x before; sums run by rows, then over rows, in a fixed order.

    Parameters
    ----------
    c, before : float64[ny, nx]
        Field now and at the start of the step, nM (`before` is not counted if per_h is 0).
    source : float64[ny, nx]
        Secretion, nM/h.
    uptake, exchange : float64[ny, nx]
        Uptake by cells and exchange with blood, 1/h.
    decay : float
        Decay everywhere, 1/h.
    level : float
        Level in blood, nM.
    per_h : float
        1/dt in 1/h, or 0 for a quasi-steady field.
    """
    ny, nx = c.shape
    secreted = delivered = taken_up = total = change = 0.0
    for j in range(ny):
        row_s = row_d = row_u = row_t = row_c = 0.0
        for i in range(nx):
            row_s += source[j, i]
            row_d += exchange[j, i] * (level - c[j, i])
            row_u += uptake[j, i] * c[j, i]
            row_t += c[j, i]
            row_c += c[j, i] - before[j, i]
        secreted += row_s
        delivered += row_d
        taken_up += row_u
        total += row_t
        change += row_c
    return Account(secreted, delivered, taken_up, decay * total, per_h * change if per_h > 0.0 else 0.0)
