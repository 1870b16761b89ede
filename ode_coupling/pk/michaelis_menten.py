"""Linear disposition with a second elimination that saturates (Michaelis and Menten), parallel to clearance."""

from collections.abc import Mapping, Sequence

from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .compartments import CLEARANCE, VOLUME, depot_states, disposition_model, exchange, observe_central

PARAMETERS = {
    "maximal_rate": ("mg/d", "not negative", "saturable elimination at high concentration"),
    "half_rate_concentration": ("mg/L", "positive", "concentration at half of the maximal rate"),
}
OWN = len(PARAMETERS)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg/d) of every amount."""
    n = p.size - OWN
    concentration = y[depot_states(n)] / p[VOLUME]
    lost = p[CLEARANCE] * concentration + p[n] * concentration / (p[n + 1] + concentration)
    exchange(y, p, n, u, concentration, lost, dy)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentration in the central compartment, mg/L and nM."""
    observe_central(y, p, p.size - OWN, out)


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of a drug with saturable beside linear elimination."""
    return disposition_model("michaelis_menten", drug, parameters, routes, (rhs, observe), PARAMETERS)
