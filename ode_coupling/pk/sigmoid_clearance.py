"""Linear disposition with a clearance that drifts with the time on treatment along a sigmoid."""

from collections.abc import Mapping, Sequence

from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .compartments import CLEARANCE, VOLUME, depot_states, disposition_model, exchange, observe_central

PARAMETERS = {
    "late_ratio": ("1", "positive", "clearance after long treatment over that at the start, exp(Emax)"),
    "half_time": ("d", "positive", "time on treatment at half of the change in the log of clearance"),
    "steepness": ("1", "positive", "Hill exponent of the time on treatment"),
    "treatment_start": ("d", "not negative", "time of the first dose"),
}
OWN = len(PARAMETERS)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg/d) of every amount; clearance(t) = clearance late_ratio^(x / (1 + x))."""
    n = p.size - OWN
    since = max(t - p[n + 3], 0.0)
    x = (since / p[n + 1]) ** p[n + 2]
    clearance = p[CLEARANCE] * p[n] ** (x / (1.0 + x))
    concentration = y[depot_states(n)] / p[VOLUME]
    exchange(y, p, n, u, concentration, clearance * concentration, dy)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentration in the central compartment, mg/L and nM."""
    observe_central(y, p, p.size - OWN, out)


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of a drug whose clearance follows a sigmoid in time (form: 10.1002/psp4.12143)."""
    return disposition_model("sigmoid_clearance", drug, parameters, routes, (rhs, observe), PARAMETERS)
