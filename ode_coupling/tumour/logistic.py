"""Logistic growth with kill: N' = r N (1 - N/K) - k drug N.

The model in which radiotherapy acts on the proliferating share 1 - N/K (10.1186/s13014-015-0465-x).
"""

from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import one_population

GROWTH, CAPACITY, KILL = range(3)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d)."""
    dy[0] = (p[GROWTH] * (1.0 - y[0] / p[CAPACITY]) - p[KILL] * u[0]) * y[0]


@tumour
def logistic() -> OdeModel:
    """Return logistic growth under a cytotoxic drug."""
    return one_population(
        "logistic",
        (
            Parameter("r", 0.1, "1/d", "10.1186/s13014-015-0465-x", "growth rate of a small tumour"),
            Parameter("K", 1e10, "cells", "assumed", "carrying capacity"),
            Parameter("k", 0.05, "1/d", "assumed", "kill rate at the full dose"),
        ),
        5e9,
        rhs,
        "N' = r N (1 - N/K) - k drug N",
    )
