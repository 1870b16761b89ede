"""Linear disposition with a part of the clearance that dies away exponentially with the time on treatment."""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter
from ..integrate import ODE_SIGNATURE
from .compartments import CLEARANCE, VOLUME, depot_states, disposition_model, exchange, observe_central

PARAMETERS = {
    "early_clearance": ("L/d", "not negative", "clearance that is there at the start and dies away"),
    "early_decay": ("1/d", "not negative", "rate at which the early clearance dies away"),
    "treatment_start": ("d", "not negative", "time of the first dose"),
}
OWN = len(PARAMETERS)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg/d) of every amount; clearance(t) = clearance + early_clearance exp(-decay t)."""
    n = p.size - OWN
    clearance = p[CLEARANCE] + p[n] * np.exp(-p[n + 1] * max(t - p[n + 2], 0.0))
    concentration = y[depot_states(n)] / p[VOLUME]
    exchange(y, p, n, u, concentration, clearance * concentration, dy)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentration in the central compartment, mg/L and nM."""
    observe_central(y, p, p.size - OWN, out)


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of a drug with an early clearance that dies away (form: 10.1007/s11523-023-00989-z)."""
    return disposition_model("decaying_clearance", drug, parameters, routes, (rhs, observe), PARAMETERS)
