"""Sensitive and resistant cells that compete for room (Strobl 2021, 10.1158/0008-5472.CAN-20-0806).

S' = r (1 - (S + R)/K) (1 - 2 kill drug) S - turnover r S
R' = (1 - cost) r (1 - (S + R)/K) R - turnover r R

The drug kills dividing cells: each division of a sensitive cell is lethal with probability ``kill``, which turns
its gain of one cell into a loss.
"""

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import DRUG, observe_two

STROBL = "10.1158/0008-5472.CAN-20-0806"
GROWTH, COST, TURNOVER, CAPACITY, KILL = range(5)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (1/d)."""
    divide = p[GROWTH] * (1.0 - (y[0] + y[1]) / p[CAPACITY])
    die = p[TURNOVER] * p[GROWTH]
    dy[0] = (divide * (1.0 - 2.0 * p[KILL] * u[0]) - die) * y[0]
    dy[1] = (divide * (1.0 - p[COST]) - die) * y[1]


@tumour
def lotka_volterra() -> OdeModel:
    """Return sensitive and resistant cells, in shares of the carrying capacity."""
    return OdeModel(
        name="lotka_volterra",
        time_unit="d",
        states=(Variable("sensitive", "1"), Variable("resistant", "1")),
        inputs=(DRUG,),
        outputs=(Variable("burden", "1", "sensitive and resistant cells"),),
        parameters=(
            Parameter("r", 0.027, "1/d", STROBL, "division rate of sensitive cells with room"),
            Parameter("cost", 0.0, "1", STROBL, "share of growth that resistance costs"),
            Parameter("turnover", 0.0, "1", STROBL, "death rate over division rate"),
            Parameter("K", 1.0, "1", STROBL, "carrying capacity"),
            Parameter("kill", 0.75, "1", STROBL, "share of divisions that the full dose makes lethal"),
        ),
        initial=np.array([0.495, 0.005]),
        rhs=rhs,
        observe=observe_two,
        notes="S' = r (1 - (S+R)/K) (1 - 2 kill drug) S - turnover r S; R likewise without kill, growth (1 - cost) r",
    )
