"""The whole QCIC right-hand side and what it shows to the outside (10.1038/s41540-025-00513-1)."""

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
from .traffic import lymph_node_traffic, traffic
from .tumour import tumour, tumour_fluxes

MOLECULES = 42


@njit(cache=True, error_model="numpy")
def algebra(y, p, u, m) -> None:
    """Write everything that follows from the cells of the moment: see ``names`` for the order of m."""
    lymph_node_molecules(y, p, m)
    tumour_cytokines(y, p, m)
    tumour_chemokines(y, p, m)
    checkpoint(y, p, m)
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
    p : ndarray, shape (438,)
    u : ndarray, shape (14,)
        Dose rates (amount/d), variant (0 paper_exact, 1 conservative), flags and antigen rate (per L and d).
    """
    m = np.empty(ALGEBRAIC)
    algebra(y, p, u, m)
    tumour(u, m, dy)
    lymph_node(y, p, m, dy)
    traffic(y, p, u, m, dy)
    lymph_node_traffic(y, p, u, m, dy)
    blood(y, p, dy)
    lymphocytes(y, p, u, m, dy)
    myeloid_cells(y, p, m, dy)
    drugs(y, p, u, dy)
    for flag in range(owned_X1_C, owned_X3_C + 1):
        if u[flag] > 0.0:
            dy[X1_C + flag - owned_X1_C] = 0.0


@njit(cache=True, error_model="numpy")
def arrival(z_B, c_Z, V_BC, p) -> float:
    """Return the cells a day that reach the whole tumour from blood."""
    return (V_BC * p[V_B] + c_Z * p[V_C]) * z_B


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the arrivals (cells/d) of the six T-cell types a lattice may own, then the 42 molecules."""
    m = np.empty(ALGEBRAIC)
    algebra(y, p, u, m)
    out[0] = arrival(y[T1_B], m[c_T1], p[V_T1_BC], p)
    out[1] = arrival(y[T2_B], m[c_T2], p[V_T2_BC], p)
    out[2] = arrival(y[T17_B], m[c_T17], p[V_T17_BC], p)
    out[3] = arrival(y[Treg_B], m[c_Treg], p[V_Treg_BC], p)
    out[4] = arrival(y[Tfh_B], m[c_Tfh], p[V_Tfh_BC], p)
    out[5] = arrival(y[T8_B], m[c_T8], p[V_T8_BC], p)
    out[6:] = m[:MOLECULES]
