"""Immune cells of the tumour (C): death, activation of dendritic cells, polarisation of myeloid cells."""

# ruff: noqa: F403, F405
from numba import njit

from .molecules import hill, sat
from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def lymphocytes(y, p, u, m, dy) -> None:
    """Add death, which PD-1/PD-L1 and Treg hasten and IL-2 spares Treg; owned types stand still."""
    bound = sat(m[PL_C], p[K_PL])
    by_Treg_T1 = p[lambda_T1Treg] * sat(y[Treg_C], p[K_T1Treg])
    by_Treg_T8 = p[lambda_T8Treg] * sat(y[Treg_C], p[K_T8Treg])
    spared = p[lambda_TregI2] * sat(m[I2_C], p[K_I2])
    dy[NK_C] -= p[d_NK] * (1.0 + p[lambda_NKPL] * bound) * y[NK_C]
    if u[owned_T1_C] == 0.0:
        dy[T1_C] -= p[d_T1] * (1.0 + p[lambda_T1PL] * bound + by_Treg_T1) * y[T1_C]
    if u[owned_T2_C] == 0.0:
        dy[T2_C] -= p[d_T2] * (1.0 + p[lambda_T2PL] * bound) * y[T2_C]
    if u[owned_T17_C] == 0.0:
        dy[T17_C] -= p[d_T17] * (1.0 + p[lambda_T17PL] * bound) * y[T17_C]
    if u[owned_Treg_C] == 0.0:
        dy[Treg_C] -= p[d_Treg] * (1.0 - spared) * y[Treg_C]
    if u[owned_Tfh_C] == 0.0:
        dy[Tfh_C] -= p[d_Tfh] * (1.0 + p[lambda_TfhPL] * bound) * y[Tfh_C]
    if u[owned_T8_C] == 0.0:
        dy[T8_C] -= p[d_T8] * (1.0 + p[lambda_T8PL] * bound + by_Treg_T8) * y[T8_C]


@njit(cache=True, error_model="numpy", forceinline=True)
def myeloid_cells(y, p, m, dy) -> None:
    """Add activation by antigen, polarisation of macrophages and neutrophils, and death."""
    activated = p[rho_DD0] * hill(m[TA_C], p[K_TA], p[n]) * y[D0_C]
    dy[D0_C] -= activated + p[d_D0] * y[D0_C]
    dy[D_C] += activated - p[d_D] * y[D_C]
    dy[MMDSC_C] -= p[d_MMDSC] * y[MMDSC_C]
    dy[GMDSC_C] -= p[d_GMDSC] * y[GMDSC_C]
    dy[Eos_C] -= p[d_Eos] * y[Eos_C]
    dy[Bas_C] -= p[d_Bas] * y[Bas_C]

    I4, I10, I12 = sat(m[I4_C], p[K_I4]), sat(m[I10_C], p[K_I10]), sat(m[I12_C], p[K_I12])
    IFN, TGF, TNF = sat(m[Igamma_C], p[K_Igamma]), sat(m[Tbeta_C], p[K_Tbeta]), sat(m[Talpha_C], p[K_Talpha])
    MCSF, GCSF = sat(m[MCSF_C], p[K_MCSF]), sat(m[GCSF_C], p[K_GCSF])

    M_to_M1 = p[psi_M1] * (1.0 + p[lambda_MIgamma] * IFN) * y[M_C]
    M_to_M2 = p[psi_M2] * (1.0 + p[lambda_MTbeta] * TGF + p[lambda_MI10] * I10 + p[lambda_MI4] * I4) * y[M_C]
    M2_to_M1 = p[rho_M1M2] * (I12 + TNF + IFN) * y[M2_C]
    M1_to_M2 = p[rho_M2M1] * (TGF + I10 + MCSF) * y[M1_C]
    dy[M_C] -= M_to_M1 + M_to_M2 + p[d_M] * y[M_C]
    dy[M1_C] += M_to_M1 + M2_to_M1 - M1_to_M2 - p[d_M1] * y[M1_C]
    dy[M2_C] += M_to_M2 - M2_to_M1 + M1_to_M2 - p[d_M2] * y[M2_C]

    N_to_N1 = p[psi_N1] * (1.0 + p[lambda_NIgamma] * IFN + p[lambda_NTalpha] * TNF) * y[N_C]
    N_to_N2 = 1.0 + p[lambda_NI10] * I10 + p[lambda_NTbeta] * TGF + p[lambda_NGCSF] * GCSF
    N_to_N2 *= p[psi_N2] * y[N_C]
    N2_to_N1 = p[rho_N1N2] * (IFN + TNF) * y[N2_C]
    N1_to_N2 = p[rho_N2N1] * TGF * y[N1_C]
    dy[N_C] -= N_to_N1 + N_to_N2 + p[d_N] * y[N_C]
    dy[N1_C] += N_to_N1 + N2_to_N1 - N1_to_N2 - p[d_N1] * y[N1_C]
    dy[N2_C] += N_to_N2 - N2_to_N1 + N1_to_N2 - p[d_N2] * y[N2_C]
