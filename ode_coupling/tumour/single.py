"""What the models of one population share: one state, one drug, the burden as output."""

from collections.abc import Callable

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE

DRUG = Variable("drug", "1", "0 without treatment, 1 at the full dose")
CELLS = Variable("burden", "cells", "tumour cells")


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe_one(t, y, p, u, out) -> None:
    """Write the burden: the first state."""
    out[0] = y[0]


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe_two(t, y, p, u, out) -> None:
    """Write the burden: the sum of the first two states."""
    out[0] = y[0] + y[1]


def one_population(
    name: str, parameters: tuple[Parameter, ...], start: float, rhs: Callable, notes: str
) -> OdeModel:
    """Return a model of one population of tumour cells.

    Parameters
    ----------
    name : str
    parameters : tuple of Parameter
    start : float
        Cells at time 0.
    rhs : compiled ``rhs(t, y, p, u, dy)``
    notes : str
        The equation in one line.
    """
    return OdeModel(
        name=name,
        time_unit="d",
        states=(Variable("tumour", "cells"),),
        inputs=(DRUG,),
        outputs=(CELLS,),
        parameters=parameters,
        initial=np.array([start]),
        rhs=rhs,
        observe=observe_one,
        notes=notes,
    )
