"""Exponential growth that a drug slows down: N' = r (1 - drug) N - d N."""

from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import one_population

GROWTH, DEATH = range(2)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d)."""
    dy[0] = (p[GROWTH] * (1.0 - u[0]) - p[DEATH]) * y[0]


@tumour
def exponential() -> OdeModel:
    """Return exponential growth under a cytostatic drug."""
    return one_population(
        "exponential",
        (
            Parameter("r", 0.02, "1/d", "assumed", "division rate"),
            Parameter("d", 0.01, "1/d", "assumed", "death rate"),
        ),
        1e9,
        rhs,
        "N' = r (1 - drug) N - d N",
    )
