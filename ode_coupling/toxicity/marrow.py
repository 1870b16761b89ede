"""The pools that neutrophils pass through, shared by every model of neutropenia."""

import numpy as np
from numba import njit

from ...abm.errors import InputError
from ...abm.ode_model import Parameter, Variable

CELLS = 5
POOLS = ("proliferating", "transit_1", "transit_2", "transit_3", "circulating")


@njit(cache=True, error_model="numpy")
def marrow(cells, effect, transit_time, feedback, baseline, change) -> None:
    """Write the change (cells/L/d) of the five pools.

    Parameters
    ----------
    cells, change : ndarray, shape (5,)
        Proliferating, three transits, circulating (cells/L).
    effect : float
        Drug effect; proliferation goes on at 1 - effect of its rate.
    transit_time : float
        Mean transit time (d) over four steps.
    feedback, baseline : float
        Exponent, and count (cells/L) that the feedback strives for.
    """
    k = 4.0 / transit_time
    born = k * cells[0] * (1.0 - effect) * (baseline / cells[4]) ** feedback
    change[0] = born - k * cells[0]
    for i in range(1, 5):
        change[i] = k * (cells[i - 1] - cells[i])


def marrow_parameters(
    transit_time_h: float, feedback: float, baseline: float, source: str
) -> tuple[Parameter, ...]:
    """Return the three parameters of the neutrophils, times in d.

    Raises
    ------
    InputError
        A number is not positive.
    """
    named = {"transit_time_h": transit_time_h, "feedback": feedback, "baseline_cells_per_L": baseline}
    for name, value in named.items():
        if not value > 0.0:
            raise InputError(f"neutropenia: {name} must be above 0, got {value}")
    return (
        Parameter("MTT", transit_time_h / 24.0, "d", source, "mean transit time from proliferation to blood"),
        Parameter("gamma", feedback, "1", source, "exponent of the feedback of the circulating count"),
        Parameter("Circ0", baseline, "cells/L", source, "circulating neutrophils without drug"),
    )


def marrow_start(baseline: float, before: int = 0) -> tuple[tuple[Variable, ...], np.ndarray]:
    """Return the pools as states, and the undisturbed state behind ``before`` zeros."""
    states = tuple(Variable(name, "cells/L") for name in POOLS)
    return states, np.concatenate([np.zeros(before), np.full(CELLS, baseline)])
