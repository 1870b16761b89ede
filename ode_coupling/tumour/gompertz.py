"""Gompertz growth with the kill of Norton and Simon: what does not grow is not killed.

N' = b N ln(K/N) (1 - L drug): under treatment the tumour shrinks at L - 1 times the rate at which it would grow,
so that ln(K/N) is multiplied by exp(-b (1 - L drug) t) whatever its size. Below one cell the logarithm stays what it
is at one, or the last share of a cell would die at a rate without bound.
"""

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import one_population

RETARDATION, CAPACITY, KILL = range(3)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d)."""
    growth = p[RETARDATION] * np.log(p[CAPACITY] / max(y[0], 1.0))
    dy[0] = growth * (1.0 - p[KILL] * u[0]) * y[0]


@tumour
def gompertz() -> OdeModel:
    """Return Gompertz growth under a drug that kills in proportion to growth."""
    return one_population(
        "gompertz",
        (
            Parameter("b", 0.002, "1/d", "assumed", "rate at which growth slows down"),
            Parameter("K", 3.1e12, "cells", "assumed", "carrying capacity"),
            Parameter("L", 5.0, "1", "assumed", "kill at the full dose as a multiple of growth"),
        ),
        4.8e9,
        rhs,
        "N' = b N ln(K/N) (1 - L drug)",
    )
