"""A linear parent drug and its metabolite of two compartments, all amounts as mg of parent."""

from collections.abc import Mapping, Sequence

from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .compartments import (
    CLEARANCE,
    MOLAR_MASS,
    VOLUME,
    depot_states,
    disposition_model,
    eliminated_state,
    exchange,
    observe_central,
)
from .plasma import NM_PER_MG_PER_L

PARAMETERS = {
    "formed_fraction": ("1", "a fraction", "share of the parent's clearance that makes metabolite"),
    "metabolite_molar_mass": ("g/mol", "positive", "molar mass of the metabolite"),
    "metabolite_volume": ("L", "positive", "central volume of the metabolite"),
    "metabolite_clearance": ("L/d", "not negative", "clearance of the metabolite"),
    "metabolite_flow": ("L/d", "not negative", "flow of metabolite to its peripheral compartment and back"),
    "metabolite_peripheral_volume": ("L", "positive", "peripheral volume of the metabolite"),
}
OWN = len(PARAMETERS)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg of parent a day) of every amount."""
    n, blood = p.size - OWN, y.size - 2
    eliminated = eliminated_state(n)
    concentration = y[depot_states(n)] / p[VOLUME]
    lost = p[CLEARANCE] * concentration
    exchange(y, p, n, u, concentration, lost, dy)
    formed, level = p[n] * lost, y[blood] / p[n + 2]
    cleared, out = p[n + 3] * level, p[n + 4] * (level - y[blood + 1] / p[n + 5])
    dy[eliminated] += cleared - formed
    dy[blood] = formed - cleared - out
    dy[blood + 1] = out


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentrations of parent (mg/L, nM) and metabolite (mg/L of its own mass, nM)."""
    n = p.size - OWN
    observe_central(y, p, n, out)
    out[3] = y[y.size - 2] / p[n + 2] / p[MOLAR_MASS] * NM_PER_MG_PER_L
    out[2] = out[3] * p[n + 1] / NM_PER_MG_PER_L


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of a drug and its metabolite; ``eliminated`` holds what has left as either."""
    return disposition_model(
        "metabolite",
        drug,
        parameters,
        routes,
        (rhs, observe),
        PARAMETERS,
        states=(
            Variable("metabolite", "mg", "in blood, as mg of parent"),
            Variable("metabolite_peripheral", "mg", "as mg of parent"),
        ),
        outputs=(
            Variable("metabolite_concentration", "mg/L", "in blood, as mg of metabolite"),
            Variable("metabolite_concentration_nM", "nM", "in blood"),
        ),
        initial=[0.0, 0.0],
    )
