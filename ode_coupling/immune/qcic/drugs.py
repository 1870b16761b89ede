"""TAS-102 (Chem) and bevacizumab (Targ): two compartments each, and the amount eliminated so far."""

# ruff: noqa: F403, F405
from numba import njit

from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def drugs(y, p, u, dy) -> None:
    """Write the change of the drug amounts (amount/d); dose in = central + peripheral + eliminated."""
    to_tissue, to_blood = p[k_12_Chem] * y[Chem_C], p[k_21_Chem] * y[Chem_P]
    lost = p[k_10_Chem] * y[Chem_C]
    dy[Chem_C] = u[dose_rate_TAS102] + to_blood - to_tissue - lost
    dy[Chem_P] = to_tissue - to_blood
    dy[Chem_eliminated] = lost

    to_tissue, to_blood = p[k_12_Trag] * y[Targ_C], p[k_21_Trag] * y[Targ_P]
    lost = p[k_10_Trag] * y[Targ_C]
    dy[Targ_C] = u[dose_rate_bevacizumab] + to_blood - to_tissue - lost
    dy[Targ_P] = to_tissue - to_blood
    dy[Targ_eliminated] = lost
