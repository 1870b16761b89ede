"""The whole QCIC right-hand side and what it shows to the outside (10.1038/s41540-025-00513-1).

All that it calls is inlined by force: the parts of five arrays, passed a dozen times, cost a fifth of its time.
"""

# ruff: noqa: F403, F405
import numpy as np
from numba import njit

from ...integrate import ODE_SIGNATURE
from .blood import blood
from .chemotaxis import lymph_node_chemotaxis, tumour_chemotaxis
from .drugs import drugs
from .lymph_node import lymph_node
from .molecules import checkpoint, lymph_node_molecules, tumour_chemokines, tumour_cytokines
from .names import *
from .tme import lymphocytes, myeloid_cells
from .traffic import IN_BLOOD, lymph_node_traffic, traffic
from .tumour import tumour, tumour_fluxes

MOLECULES = 42


@njit(cache=True, error_model="numpy", forceinline=True)
def algebra(y, p, u, m) -> None:
    """Write everything that follows from the cells of the moment: see ``names`` for the order of m."""
    lymph_node_molecules(y, p, m)
    tumour_cytokines(y, p, m)
    tumour_chemokines(y, p, m)
    checkpoint(y, p, u, m)
    tumour_fluxes(y, p, u, m)
    lymph_node_chemotaxis(p, m)
    tumour_chemotaxis(p, m)


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write dy/dt (cells/L/d, amount/d) of the 59 states; the model is autonomous, so t is not used.

    Parameters
    ----------
    t : float
        Days.
    y, dy : ndarray, shape (59,)
    p : ndarray, shape (440,)
    u : ndarray, shape (16,)
        Dose rates (amount/d), variant (0 as published, else a sum of corrections), flags, antigen rate (per L
        and d) and occupied shares of PD-1 and PD-L1.
    """
    m = np.empty(ALGEBRAIC)
    algebra(y, p, u, m)
    tumour(u, m, dy)
    lymph_node(y, p, u, m, dy)
    traffic(y, p, u, m, dy)
    lymph_node_traffic(y, p, u, m, dy)
    blood(y, p, dy)
    lymphocytes(y, p, u, m, dy)
    myeloid_cells(y, p, m, dy)
    drugs(y, p, u, dy)
    for flag in range(owned_X1_C, owned_X3_C + 1):
        if u[flag] > 0.0:
            dy[X1_C + flag - owned_X1_C] = 0.0


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the arrivals (cells/d) of the six T-cell types a lattice may own, then the 42 molecules."""
    m = np.empty(ALGEBRAIC)
    algebra(y, p, u, m)
    called = p[V_B] if int(u[variant]) & D5 else p[V_C]
    for k in range(6):
        out[k] = (p[V_T1_BC + k] * p[V_B] + m[c_T1 + k] * called) * y[IN_BLOOD[k]]
    out[6:] = m[:MOLECULES]
