"""Target-mediated disposition, binding at quasi-steady state.

The states are the total drug (free and bound) and the total target in the central compartment; the free drug alone
is cleared and distributes; the complex is internalised. Gibiansky et al. 2008 (10.1007/s10928-008-9102-8).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .compartments import (
    CLEARANCE,
    MOLAR_MASS,
    VOLUME,
    depot_states,
    disposition_model,
    exchange,
    observe_central,
)
from .plasma import NM_PER_MG_PER_L

PARAMETERS = {
    "half_binding": ("nM", "positive", "quasi-steady-state constant KSS = (koff + kint)/kon"),
    "internalisation": ("1/d", "not negative", "elimination of the complex, kint"),
    "synthesis": ("nM/d", "not negative", "synthesis of target, ksyn"),
    "degradation": ("1/d", "positive", "degradation of free target, kdeg"),
}
OWN = len(PARAMETERS)


@njit(cache=True, error_model="numpy")
def bound(drug_nM, target_nM, half_binding_nM) -> float:
    """Return the complex (nM) of total drug and total target at quasi-steady state.

    The smaller root of x^2 - (C + R + K) x + C R = 0, as a quotient that does not cancel.
    """
    total = drug_nM + target_nM + half_binding_nM
    root = np.sqrt(max(total * total - 4.0 * drug_nM * target_nM, 0.0))
    return 2.0 * drug_nM * target_nM / (total + root)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change of drug amounts (mg/d) and of the total target (nM/d)."""
    n = p.size - OWN
    per_nM = p[MOLAR_MASS] / NM_PER_MG_PER_L  # mg/L
    drug, target = y[depot_states(n)] / p[VOLUME] / per_nM, y[y.size - 1]
    complexes = bound(drug, target, p[n])
    free = (drug - complexes) * per_nM
    lost = p[CLEARANCE] * free + p[n + 1] * complexes * per_nM * p[VOLUME]
    exchange(y, p, n, u, free, lost, dy)
    dy[y.size - 1] = p[n + 2] - p[n + 3] * (target - complexes) - p[n + 1] * complexes


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write total drug (mg/L, nM), free drug (nM), free target (nM) and the share of target bound."""
    n, target = p.size - OWN, y[y.size - 1]
    observe_central(y, p, n, out)
    complexes = bound(out[1], target, p[n])
    out[2], out[3] = out[1] - complexes, target - complexes
    out[4] = complexes / target if target > 0.0 else 0.0


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of a drug and its target, which starts at its balance without drug."""
    return disposition_model(
        "target_mediated",
        drug,
        parameters,
        routes,
        (rhs, observe),
        PARAMETERS,
        states=(Variable("target", "nM", "free and bound, in the central compartment"),),
        outputs=(
            Variable("free_concentration_nM", "nM", "drug not bound to target"),
            Variable("free_target_nM", "nM", "target without drug"),
            Variable("occupancy", "1", "share of the target that is bound"),
        ),
        initial=[parameters["synthesis"].value / parameters["degradation"].value],
    )
