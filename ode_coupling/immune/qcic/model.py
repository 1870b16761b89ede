"""QCIC as an ``OdeModel``: tables of states, molecules and parameters joined with the compiled functions."""

import functools

import numpy as np

from ....abm.errors import InputError
from ....abm.ode_model import OdeModel, Parameter, Variable
from .names import CONSERVE, D1, D2, D3, D4, D5, X1_C, X2_C, resistant_share
from .rhs import observe, rhs
from .tables import table_rows

TUMOUR_TYPES = ("X1_C", "X2_C", "X3_C")
OWNABLE_IMMUNE = ("T1_C", "T2_C", "T17_C", "Treg_C", "Tfh_C", "T8_C")
CORRECTIONS = {"D1": D1, "D2": D2, "D3": D3, "D4": D4, "D5": D5}
VARIANTS = {
    "paper_exact": 0.0,
    "conservative": float(CONSERVE),
    "corrected": float(sum(CORRECTIONS.values())),
}


def _inputs() -> tuple[Variable, ...]:
    return (
        Variable("dose_rate_TAS102", "amount/d", "TAS-102 entering the central compartment"),
        Variable("dose_rate_bevacizumab", "amount/d", "bevacizumab entering the central compartment"),
        Variable(
            "variant", "1", "0 as published, 1 conservative, else the sum of the corrections that are on"
        ),
        Variable("freeze_tumour", "1", "1 holds X1, X2 and X3 (burn-in)"),
        *(
            Variable(f"owned_{name}", "1", f"1 if a lattice owns {name}")
            for name in TUMOUR_TYPES + OWNABLE_IMMUNE
        ),
        Variable("antigen_rate", "cell-equivalents/L/d", "antigen released where a lattice owns the tumour"),
        Variable("PD1_occupancy", "1", "share of PD-1 that an antibody occupies, 0 to 1"),
        Variable("PDL1_occupancy", "1", "share of PD-L1 that an antibody occupies, 0 to 1"),
    )


@functools.cache
def _published_start() -> np.ndarray:
    return np.array([float(row["initial"]) for row in table_rows("states.csv")])


def _start(p: np.ndarray) -> np.ndarray:
    """Return the published initial state, its tumour cells divided by the resistant share."""
    share = float(p[resistant_share])
    if not share <= 1.0:
        raise InputError(f"qcic: parameter 'resistant_share' must be 0 to 1, not {share:g}")
    y = _published_start().copy()
    cells = y[X1_C] + y[X2_C]
    y[X1_C], y[X2_C] = cells * (1.0 - share), cells * share
    return y


@functools.cache
def qcic() -> OdeModel:
    """Return the QCIC model: 57 states and two audits of eliminated drug, 440 parameters, time in days.

    Cells in cells/L of their compartment, drugs in the published, undeclared amounts (mg by inference).
    Source: 10.1038/s41540-025-00513-1.
    """
    states, molecules = table_rows("states.csv"), table_rows("molecules.csv")
    arrivals = (
        Variable(
            f"arrival_{name.removesuffix('_C')}", "cells/d", f"{name} reaching the whole tumour from blood"
        )
        for name in OWNABLE_IMMUNE
    )
    return OdeModel(
        name="qcic",
        time_unit="d",
        states=tuple(Variable(row["name"], row["unit"], row["description"]) for row in states),
        inputs=_inputs(),
        outputs=(*arrivals, *(Variable(row["name"], row["unit"], row["description"]) for row in molecules)),
        parameters=tuple(
            Parameter(row["name"], float(row["value"]), row["unit"], row["source"], row["description"])
            for row in table_rows("parameters.csv")
        ),
        initial=_published_start().copy(),
        rhs=rhs,
        observe=observe,
        notes="variant 0 is as published; 1 (conservative) moves cells without making or losing any; "
        "62 (corrected) puts right all five slips of the published code and is no longer calibrated",
        start=_start,
    )
