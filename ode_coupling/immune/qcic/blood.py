"""Peripheral blood (B): cells from marrow and thymus, and death. Traffic is elsewhere."""

# ruff: noqa: F403, F405
from numba import njit

from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def blood(y, p, dy) -> None:
    """Add supply and death (cells/L/d) to the change of the 21 cell types in blood."""
    dy[TN4_B] += p[theta_TN4_DB] - p[d_TN4] * y[TN4_B]
    dy[TN8_B] += p[theta_TN8_DB] - p[d_TN8] * y[TN8_B]
    dy[D0_B] += p[theta_D0_DB] - p[d_D0] * y[D0_B]
    dy[NK_B] += p[theta_NK_DB] - p[d_NK] * y[NK_B]
    dy[MMDSC_B] += p[theta_MMDSC_DB] - p[d_MMDSC] * y[MMDSC_B]
    dy[GMDSC_B] += p[theta_GMDSC_DB] - p[d_GMDSC] * y[GMDSC_B]
    dy[M_B] += p[theta_M_DB] - p[d_M] * y[M_B]
    dy[N_B] += p[theta_N_DB] - p[d_N] * y[N_B]
    dy[Eos_B] += p[theta_Eos_DB] - p[d_Eos] * y[Eos_B]
    dy[Bas_B] += p[theta_Bas_DB] - p[d_Bas] * y[Bas_B]
    dy[T1_B] -= p[d_T1] * y[T1_B]
    dy[T2_B] -= p[d_T2] * y[T2_B]
    dy[T17_B] -= p[d_T17] * y[T17_B]
    dy[Treg_B] -= p[d_Treg] * y[Treg_B]
    dy[Tfh_B] -= p[d_Tfh] * y[Tfh_B]
    dy[T8_B] -= p[d_T8] * y[T8_B]
    dy[D_B] -= p[d_D] * y[D_B]
    dy[M1_B] -= p[d_M1] * y[M1_B]
    dy[M2_B] -= p[d_M2] * y[M2_B]
    dy[N1_B] -= p[d_N1] * y[N1_B]
    dy[N2_B] -= p[d_N2] * y[N2_B]
