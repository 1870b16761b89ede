"""Where the amount of a field comes from and where it goes."""

from typing import NamedTuple

from numba import njit

from ..compile.quantities import parse_unit
from .grids import Array

AMOUNTS = ("fmol", "pg", "cells", "U", "dose")  # that a concentration times a volume may be; of a handy size


def amount_unit(unit: str, site_um: float) -> tuple[str, float]:
    """Return the unit of amounts of a field in some unit, and the amount that one of it at one site is.

    What is no concentration, such as a partial pressure, is given times the volume, in mm3.
    """
    field, volume = parse_unit(unit), parse_unit("um^3")
    dimension = tuple(a + b for a, b in zip(field.dimension, volume.dimension, strict=True))
    for name in AMOUNTS:
        amount = parse_unit(name)
        if amount.dimension == dimension:
            return name, field.size * site_um**3 / amount.size
    return " ".join(part for part in (unit, "mm3") if part not in ("1", "-")), site_um**3 * 1e-9


class Account(NamedTuple):
    """Mean rates over one update, summed over the lattice, in nM sites/h.

    Times the length of the update and the volume of a site they are amounts.

    Attributes
    ----------
    secreted : float
        Given off by cells and background.
    delivered : float
        Net exchange with blood in vessels, negative where blood takes up.
    taken_up : float
        Removed by cells.
    decayed : float
    boundary : float
        Net flow in through the outer faces.
    change : float
        Gain of the amount present, 0 for a quasi-steady field.
    turnover : float
        Gross loss at all sites (uptake, decay, to blood, through faces) and amount present over the length of
        the update: the net entries may cancel, this one does not.
    """

    secreted: float
    delivered: float
    taken_up: float
    decayed: float
    boundary: float
    change: float
    turnover: float

    @property
    def imbalance(self) -> float:
        """Secreted + delivered + boundary - taken up - decayed - change, relative to turnover."""
        gained, lost = self.secreted + self.delivered + self.boundary, self.taken_up + self.decayed
        scale = max(self.turnover, self.secreted)
        return 0.0 if scale == 0.0 else abs(gained - lost - self.change) / scale


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
    """Return what a field without open faces gained and lost.

    The account closes to round-off for the result of `solve` with q = decay + uptake + exchange + per_h and
    s = source + exchange x level + per_h x before. Sums run by rows, then over rows, in a fixed order.

    Parameters
    ----------
    c, before : float64[row, column]
        Field now and at the start of the step, nM (`before` is not counted if per_h is 0). Three dimensions
        come as rows of planes one after the other.
    source : float64[row, column]
        Secretion, nM/h.
    uptake, exchange : float64[row, column]
        Uptake by cells and exchange with blood, 1/h.
    decay : float
        Decay everywhere, 1/h.
    level : float
        Level in blood, nM.
    per_h : float
        1/dt in 1/h, or 0 for a quasi-steady field.
    """
    rows, columns = c.shape
    secreted = delivered = taken_up = total = change = given_up = 0.0
    for j in range(rows):
        row_s = row_d = row_u = row_t = row_c = row_g = 0.0
        for i in range(columns):
            row_s += source[j, i]
            row_d += exchange[j, i] * (level - c[j, i])
            row_g += exchange[j, i] * c[j, i]
            row_u += uptake[j, i] * c[j, i]
            row_t += c[j, i]
            row_c += c[j, i] - before[j, i]
        secreted += row_s
        delivered += row_d
        given_up += row_g
        taken_up += row_u
        total += row_t
        change += row_c
    turnover = taken_up + given_up + (decay + per_h) * total
    gained = per_h * change if per_h > 0.0 else 0.0
    return Account(secreted, delivered, taken_up, decay * total, 0.0, gained, turnover)
