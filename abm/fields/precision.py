"""Whether a problem may be solved with numbers of half the width, and so of half the memory traffic.

What flows between two sites is a small difference of large terms, of which single precision keeps 7 digits. Against
what a site gains it leaves a residual of about round-off x (diagonal of the operator) / (absorption); that has to be
small beside the tolerance. The final scaling, the account and the field itself stay in double precision.
"""

from numba import njit

from .grids import Array

ROUND_OFF = 2.0**-24  # of a number in single precision
SHARE = 0.25  # most that round-off may claim of the tolerance


@njit(cache=True)
def mean_of(q: Array, line: Array) -> float:
    """Return the mean of q, float64[row, column], summed column by column."""
    rows, columns = q.shape
    line[:] = 0.0
    for j in range(rows):
        for i in range(columns):
            line[i] += q[j, i]
    total = 0.0
    for i in range(columns):
        total += line[i]
    return total / (rows * columns)


def suffices(absorption: float, diagonal: float, tolerance: float) -> bool:
    """Return whether single precision reaches a tolerance.

    Parameters
    ----------
    absorption : float
        Mean q of the lattice, 1/h.
    diagonal : float
        What diffusion takes out of a site, 2 x dimensions x D/h^2, 1/h.
    tolerance : float
        Residual asked for, relative to the right-hand side.
    """
    return ROUND_OFF * (absorption + diagonal) <= SHARE * tolerance * absorption
