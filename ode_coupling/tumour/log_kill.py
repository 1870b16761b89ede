"""Skipper's log-kill: exponential growth, and a dose kills the same share of a tumour of any size.

N' = r N - k drug N, so that treatment for a time T leaves the share exp(-k T) of what would have been.
"""

from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import one_population

GROWTH, KILL = range(2)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d)."""
    dy[0] = (p[GROWTH] - p[KILL] * u[0]) * y[0]


@tumour
def log_kill() -> OdeModel:
    """Return exponential growth under a drug that kills a constant share."""
    return one_population(
        "log_kill",
        (
            Parameter("r", 0.01, "1/d", "assumed", "net growth rate"),
            Parameter("k", 0.05, "1/d", "assumed", "kill rate at the full dose"),
        ),
        1e9,
        rhs,
        "N' = r N - k drug N",
    )
