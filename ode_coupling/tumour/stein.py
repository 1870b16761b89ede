"""Regression and growth side by side (Stein 2011, 10.1158/1078-0432.CCR-10-1762).

y/y(0) = exp(-d t) + exp(g t) - 1 under treatment. As an ODE: S' = -d drug S from S = y(0), and R' = g (R + y0)
from R = 0, so that both parts stay positive.
"""

import math

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import DRUG, observe_two

GROWTH, REGRESSION, START = range(3)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change of the part that regresses and of the part that has grown (mm/d)."""
    dy[0] = -p[REGRESSION] * u[0] * y[0]
    dy[1] = p[GROWTH] * (y[1] + p[START])


@tumour
def stein() -> OdeModel:
    """Return the g-d model of a tumour of 100 mm."""
    return OdeModel(
        name="stein",
        time_unit="d",
        states=(Variable("regressing", "mm"), Variable("grown", "mm")),
        inputs=(DRUG,),
        outputs=(Variable("burden", "mm", "size of the tumour"),),
        parameters=(
            Parameter("g", 0.004, "1/d", "assumed", "growth rate"),
            Parameter("d", 0.02, "1/d", "assumed", "regression rate under the full dose"),
            Parameter("y0", 100.0, "mm", "assumed", "size at time 0"),
        ),
        initial=np.array([100.0, 0.0]),
        rhs=rhs,
        observe=observe_two,
        notes="y/y0 = exp(-d t) + exp(g t) - 1 at the full dose",
    )


def stein_share(time_days: np.ndarray | float, g: float, d: float) -> np.ndarray | float:
    """Return the size over the starting size in closed form; rates in 1/d."""
    return np.exp(-d * np.asarray(time_days)) + np.expm1(g * np.asarray(time_days))


def nadir_days(g: float, d: float) -> float:
    """Return the time of the smallest size (d): ln(d/g) / (g + d), 0 for a tumour that never shrinks."""
    return max(0.0, math.log(d / g) / (g + d))
