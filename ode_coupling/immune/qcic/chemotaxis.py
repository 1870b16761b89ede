"""Chemotaxis rates (1/d): blood to tumour by 14 chemokines, naive cells to the node, dendritic cells out."""

# ruff: noqa: F403, F405
from numba import njit

from .molecules import sat
from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def lymph_node_chemotaxis(p, m) -> None:
    """Write the rates towards the lymph node, where CCL19 and CCL21 of dendritic cells attract."""
    L19, L21 = sat(m[L19_A], p[K_L19]), sat(m[L21_A], p[K_L21])
    m[c_TN4] = p[X_TN4L19_BA] * L19 + p[X_TN4L21_BA] * L21
    m[c_TN8] = p[X_TN8L19_BA] * L19 + p[X_TN8L21_BA] * L21
    m[c_D] = p[X_DL19_CA] * L19 + p[X_DL21_CA] * L21


@njit(cache=True, error_model="numpy", forceinline=True)
def tumour_chemotaxis(p, m) -> None:
    """Write the rates c_Z at which tumour chemokines draw each cell type Z out of blood."""
    C1, C2, C5 = sat(m[C1_C], p[K_C1]), sat(m[C2_C], p[K_C2]), sat(m[C5_C], p[K_C5])
    C8, C9, C10 = sat(m[C8_C], p[K_C8]), sat(m[C9_C], p[K_C9]), sat(m[C10_C], p[K_C10])
    C12, C13 = sat(m[C12_C], p[K_C12]), sat(m[C13_C], p[K_C13])
    L1, L2, L3 = sat(m[L1_C], p[K_L1]), sat(m[L2_C], p[K_L2]), sat(m[L3_C], p[K_L3])
    L4, L5, L11 = sat(m[L4_C], p[K_L4]), sat(m[L5_C], p[K_L5]), sat(m[L11_C], p[K_L11])
    L17, L19, L20 = sat(m[L17_C], p[K_L17]), sat(m[L19_C], p[K_L19]), sat(m[L20_C], p[K_L20])
    L21, L22 = sat(m[L21_C], p[K_L21]), sat(m[L22_C], p[K_L22])
    m[c_T1] = (
        p[X_T1C9_BC] * C9 + p[X_T1C10_BC] * C10 + p[X_T1L3_BC] * L3 + p[X_T1L4_BC] * L4 + p[X_T1L5_BC] * L5
    )
    m[c_T2] = p[X_T2L1_BC] * L1 + p[X_T2L17_BC] * L17 + p[X_T2L22_BC] * L22
    m[c_T17] = p[X_T17L17_BC] * L17 + p[X_T17L20_BC] * L20 + p[X_T17L22_BC] * L22 + p[X_T17C12_BC] * C12
    m[c_Treg] = p[X_TregL1_BC] * L1 + p[X_TregL17_BC] * L17 + p[X_TregL22_BC] * L22
    m[c_Tfh] = p[X_TfhC13_BC] * C13
    m[c_T8] = p[X_T8C9_BC] * C9 + p[X_T8C10_BC] * C10 + p[X_T8C12_BC] * C12
    m[c_D0] = p[X_D0L20_BC] * L20
    m[c_NK] = p[X_NKC9_BC] * C9 + p[X_NKC10_BC] * C10
    m[c_MMDSC] = p[X_MMDSCL2_BC] * L2 + p[X_MMDSCC12_BC] * C12
    m[c_GMDSC] = p[X_GMDSCL5_BC] * L5 + p[X_GMDSCC8_BC] * C8
    m[c_M] = p[X_ML2_BC] * L2 + p[X_ML5_BC] * L5
    m[c_M1] = p[X_M1L2_BC] * L2 + p[X_M1L5_BC] * L5
    m[c_M2] = p[X_M2L2_BC] * L2 + p[X_M2L5_BC] * L5
    m[c_N] = p[X_NC1_BC] * C1 + p[X_NC2_BC] * C2 + p[X_NC5_BC] * C5 + p[X_NC8_BC] * C8
    m[c_N1] = (
        p[X_N1L5_BC] * L5
        + p[X_N1L19_BC] * L19
        + p[X_N1L21_BC] * L21
        + p[X_N1C9_BC] * C9
        + p[X_N1C10_BC] * C10
    )
    m[c_N2] = p[X_N2C12_BC] * C12
    m[c_Eos] = p[X_EosL11_BC] * L11
    m[c_Bas] = p[X_BasL2_BC] * L2 + p[X_BasL11_BC] * L11
