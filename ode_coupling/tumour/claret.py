"""Tumour growth inhibition with resistance (Claret 2009, 10.1200/JCO.2008.21.0807).

y' = KL y - KD drug exp(-lambda t) y, with ``drug`` the exposure over its usual value. The resistance is carried
as a state that falls from 1, so that the model does not depend on where time starts.
"""

import math

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import observe_one

GROWTH, SHRINKAGE, RESISTANCE = range(3)
WEEK_DAYS = 7.0


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change of the size (mm/d) and of what the drug can still do (1/d)."""
    dy[0] = (p[GROWTH] - p[SHRINKAGE] * u[0] * y[1]) * y[0]
    dy[1] = -p[RESISTANCE] * y[1]


@tumour
def claret() -> OdeModel:
    """Return the sum of longest diameters under a drug to which the tumour becomes resistant."""
    return OdeModel(
        name="claret",
        time_unit="d",
        states=(Variable("size", "mm"), Variable("sensitivity", "1")),
        inputs=(Variable("drug", "1", "exposure over its usual value"),),
        outputs=(Variable("burden", "mm", "sum of longest diameters"),),
        parameters=(
            Parameter("KL", 0.021 / WEEK_DAYS, "1/d", "assumed", "growth rate"),
            Parameter("KD", 0.06 / WEEK_DAYS, "1/d", "assumed", "shrinkage rate at the usual exposure"),
            Parameter("lambda", 0.053 / WEEK_DAYS, "1/d", "assumed", "rate of resistance"),
        ),
        initial=np.array([100.0, 1.0]),
        rhs=rhs,
        observe=observe_one,
        notes="y' = KL y - KD drug s y, s' = -lambda s, s(0) = 1",
    )


def claret_size(
    time_days: np.ndarray | float, start: float, KL: float, KD: float, resistance: float
) -> np.ndarray | float:
    """Return the size under constant usual exposure in closed form, in the unit of ``start``.

    Parameters
    ----------
    time_days : float or ndarray
    start : float
    KL, KD, resistance : float
        Rates (1/d); ``resistance`` positive.
    """
    gone = -np.expm1(-resistance * np.asarray(time_days)) / resistance
    return start * np.exp(KL * np.asarray(time_days) - KD * gone)


def time_to_growth_days(KL: float, KD: float, resistance: float) -> float:
    """Return the time of the nadir (d): ln(KD / KL) / lambda, 0 for a tumour that never shrinks."""
    return max(0.0, math.log(KD / KL) / resistance)
