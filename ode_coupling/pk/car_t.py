"""Expansion, contraction and memory of infused CAR-T cells (Stein et al. 2019, 10.1002/psp4.12388).

Effectors grow exponentially to their peak and then contract at a rate that includes what turns into memory;
effectors and memory together decline as (1 - f) exp(-contraction t) + f exp(-decline t) of the peak. Where
memory would decline faster than effectors contract (a rare draw), none forms.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE

PARAMETERS = {
    "fold_expansion": ("1", "positive", "effectors at the peak over effectors infused"),
    "peak_time": ("d", "positive", "time of the peak after the infusion"),
    "contraction": ("1/d", "positive", "fast decline after the peak"),
    "memory_fraction": ("1", "a fraction", "share of the peak that declines slowly"),
    "decline": ("1/d", "not negative", "slow decline of memory"),
    "peak_level": ("copies/ug", "positive", "transgene level at the peak after the reference dose"),
    "reference_dose": ("cells", "positive", "dose that the peak level belongs to"),
    "treatment_start": ("d", "not negative", "time of the infusion"),
}
FOLD, PEAK_TIME, CONTRACTION, MEMORY, DECLINE, PEAK_LEVEL, REFERENCE, START = range(len(PARAMETERS))
E_CELLS, M_CELLS, EXPANDED, ELIMINATED = range(4)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d) of effectors, memory, cells born and cells lost."""
    born = lost = turned = 0.0
    if t - p[START] < p[PEAK_TIME]:
        born = np.log(p[FOLD]) / p[PEAK_TIME] * y[E_CELLS]
    else:
        turned = p[MEMORY] * max(p[CONTRACTION] - p[DECLINE], 0.0) * y[E_CELLS]
        lost = p[CONTRACTION] * y[E_CELLS] - turned
    forgotten = p[DECLINE] * y[M_CELLS]
    dy[E_CELLS] = u[0] + born - turned - lost
    dy[M_CELLS] = turned - forgotten
    dy[EXPANDED] = born
    dy[ELIMINATED] = lost + forgotten


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the transgene level (copies per ug of DNA)."""
    out[0] = (y[E_CELLS] + y[M_CELLS]) * p[PEAK_LEVEL] / (p[FOLD] * p[REFERENCE])


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the model of CAR-T cells: doses in cells; infused + expanded = effector + memory + eliminated."""
    return OdeModel(
        name=f"car_t_{drug}",
        time_unit="d",
        states=tuple(Variable(name, "cells") for name in ("effector", "memory", "expanded", "eliminated")),
        inputs=(Variable(f"dose_rate_{drug}", "cells/d", "infused effectors"),),
        outputs=(Variable("transgene", "copies/ug", "effectors and memory in blood, per ug of DNA"),),
        parameters=tuple(parameters[name] for name in PARAMETERS),
        initial=np.zeros(4),
        rhs=rhs,
        observe=observe,
    )
