"""Three types of prostate cancer cell under abiraterone (Zhang 2017, 10.1038/s41467-017-01968-5).

T+ needs testosterone, which TP cells make and T- cells do without: x_i' = r_i x_i (1 - sum_j a_ij x_j / K_i).
The carrying capacity of T+ is a multiple of the TP cells. Abiraterone lowers that multiple and the capacity of TP.
PSA is made by every cell and decays. The growth rates are those of three cell lines times 0.01.

The paper draws the six coefficients a_ij from 0.4, 0.5 ... 0.9 such that a31 > a21, a32 > a12, a13 > a23,
a13 > a12, a23 > a21 and a32 > a31, which leaves 22 of 720 orders; the one used here is our choice.
"""

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .catalogue import tumour
from .single import DRUG

ZHANG = "10.1038/s41467-017-01968-5"
MATRIX = ("a12", "a13", "a21", "a23", "a31", "a32")
(GROWTH, A12, A13, A21, A23, A31, A32) = (0, *range(3, 9))
(HELP_OFF, HELP_ON, TP_OFF, TP_ON, TM_CAPACITY, DECAY, LEAST) = range(9, 16)
PSA = 3


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (cells/d) of T+, TP and T-, and of PSA (units/d)."""
    drug = u[0]
    support = p[HELP_OFF] + drug * (p[HELP_ON] - p[HELP_OFF])
    plus = max(support * y[1], p[LEAST])
    producers = p[TP_OFF] + drug * (p[TP_ON] - p[TP_OFF])
    dy[0] = p[0] * y[0] * (1.0 - (y[0] + p[A12] * y[1] + p[A13] * y[2]) / plus)
    dy[1] = p[1] * y[1] * (1.0 - (p[A21] * y[0] + y[1] + p[A23] * y[2]) / producers)
    dy[2] = p[2] * y[2] * (1.0 - (p[A31] * y[0] + p[A32] * y[1] + y[2]) / p[TM_CAPACITY])
    dy[PSA] = y[0] + y[1] + y[2] - p[DECAY] * y[PSA]


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the burden (cells), PSA and the T- cells."""
    out[0] = y[0] + y[1] + y[2]
    out[1] = y[PSA]
    out[2] = y[2]


@tumour
def three_types() -> OdeModel:
    """Return the three-type game with its PSA."""
    rates = (("r_plus", 0.27726e-2, "T+"), ("r_producer", 0.34657e-2, "TP"), ("r_minus", 0.66542e-2, "T-"))
    coefficients = dict(zip(MATRIX, (0.7, 0.8, 0.4, 0.6, 0.5, 0.9), strict=True))
    return OdeModel(
        name="three_types",
        time_unit="d",
        states=(
            Variable("T_plus", "cells", "need testosterone"),
            Variable("T_producer", "cells", "make testosterone"),
            Variable("T_minus", "cells", "do without testosterone"),
            Variable("PSA", "units", "in blood"),
        ),
        inputs=(DRUG,),
        outputs=(
            Variable("burden", "cells", "cells of the three types"),
            Variable("PSA", "units", "in blood"),
            Variable("T_minus", "cells", "cells that no treatment reaches"),
        ),
        parameters=(
            *(Parameter(name, value, "1/d", ZHANG, f"growth rate of {word}") for name, value, word in rates),
            *(
                Parameter(name, value, "1", "assumed (one of the 22 orders of the paper)",
                          f"competition of type {name[2]} on type {name[1]}")
                for name, value in coefficients.items()
            ),
            Parameter("support_off", 1.5, "1", ZHANG, "T+ cells that a TP cell sustains without drug"),
            Parameter("support_on", 0.5, "1", ZHANG, "T+ cells that a TP cell sustains under the full dose"),
            Parameter("K_producer_off", 1e4, "cells", ZHANG, "capacity of TP without drug"),
            Parameter("K_producer_on", 1e2, "cells", ZHANG, "capacity of TP under the full dose"),
            Parameter("K_minus", 1e4, "cells", ZHANG, "capacity of T-"),
            Parameter("decay", 0.5, "1/d", ZHANG, "decay of PSA; every cell makes one unit a day"),
            Parameter("least", 1.0, "cells", "assumed", "floor of the capacity of T+, for want of TP cells"),
        ),
        initial=np.array([4848.0, 6061.0, 1.0, 21820.0]),  # 80 % of where T+ and TP settle
        rhs=rhs,
        observe=observe,
        notes="x_i' = r_i x_i (1 - sum_j a_ij x_j / K_i); PSA' = sum x - decay PSA",
    )  # fmt: skip
