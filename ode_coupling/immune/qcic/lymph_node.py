"""The tumour-draining lymph node (A): priming of naive cells, plasticity, proliferation and death."""

# ruff: noqa: F403, F405
from numba import njit

from .molecules import hill, inhibit, sat
from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def lymph_node(y, p, u, m, dy) -> None:
    """Write the change of the ten cell types of the lymph node (cells/L/d), traffic with blood apart."""
    primed = hill(y[D_A], p[K_D], p[n])
    I2, I4, I6 = sat(m[I2_A], p[K_I2]), sat(m[I4_A], p[K_I4]), sat(m[I6_A], p[K_I6])
    I12, I21, IFN = sat(m[I12_A], p[K_I12]), sat(m[I21_A], p[K_I21]), sat(m[Igamma_A], p[K_Igamma])
    TGF, I6_TGF = sat(m[Tbeta_A], p[K_Tbeta]), sat(m[I6_A] * m[Tbeta_A], p[K_I6Tbeta])

    naive_4, naive_8 = primed * y[TN4_A], primed * y[TN8_A]
    to_T1 = p[kappa_T1] * (1.0 + p[lambda_T1I12] * I12 + p[lambda_T1Igamma] * IFN)
    to_T1 *= inhibit(m[I4_A], p[K_T1I4]) * inhibit(m[Tbeta_A], p[K_T1Tbeta]) * naive_4
    to_T2 = p[kappa_T2] * (1.0 + p[lambda_kappaT2I4] * I4)
    to_T2 *= inhibit(m[Igamma_A], p[K_T2Igamma]) * inhibit(m[Tbeta_A], p[K_T2Tbeta]) * naive_4
    to_T17 = p[kappa_T17] * (1.0 + p[lambda_T17I6Tbeta] * I6_TGF)
    to_T17 *= inhibit(m[Igamma_A], p[K_T17Igamma]) * inhibit(m[I4_A], p[K_T17I4]) * naive_4
    to_Treg = p[kappa_Treg] * (1.0 + p[lambda_TregTbeta] * TGF)
    to_Treg *= inhibit(m[Igamma_A], p[K_TregIgamma]) * naive_4
    to_Tfh = p[kappa_Tfh] * (1.0 + p[lambda_TfhI6] * I6 + p[lambda_TfhI21] * I21)
    to_Tfh *= inhibit(m[I2_A], p[K_TfhI2]) * naive_4
    to_T8 = p[kappa_T8] * (1.0 + p[lambda_T8I12] * I12)
    to_T8 *= inhibit(m[I10_A], p[K_T8I10]) * inhibit(m[Tbeta_A], p[K_T8Tbeta]) * naive_8

    T17_to_T1 = p[rho_T1T17] * I12 * y[T17_A]
    T17_to_T2 = p[rho_T2T17] * I4 * y[T17_A]
    Treg_to_T17 = p[rho_T17Treg] * (I6 + I21) * y[Treg_A]

    dy[D_A] = -p[d_D] * y[D_A]
    dy[TN4_A] = p[beta_TN4] * y[TN4_A] * (1.0 - y[TN4_A] / p[K_TN4]) - p[d_TN4] * y[TN4_A]
    dy[TN4_A] -= to_T1 + to_T2 + to_T17 + to_Treg + to_Tfh
    dy[TN8_A] = p[beta_TN8] * y[TN8_A] * (1.0 - y[TN8_A] / p[K_TN8]) - p[d_TN8] * y[TN8_A] - to_T8

    # proliferation less death, which crowding raises; then what arrives from other types
    growth_T1 = p[beta_T1] * (1.0 + p[lambda_T1I2] * I2 * inhibit(m[I4_A], p[K_T1I4]))
    growth_T1 -= p[d_T1] * (1.0 + p[lambda_T1] * sat(y[T1_A], p[K_T1]))
    dy[T1_A] = growth_T1 * y[T1_A] + to_T1 + T17_to_T1

    growth_T2 = p[beta_T2] * (1.0 + p[lambda_betaT2I4] * I4 * inhibit(m[Igamma_A], p[K_T2Igamma]))
    growth_T2 -= p[d_T2] * (1.0 + p[lambda_T2] * sat(y[T2_A], p[K_T2]))
    dy[T2_A] = growth_T2 * y[T2_A] + to_T2 + T17_to_T2

    growth_T17 = p[beta_T17] * (1.0 + p[lambda_T17I21] * I21)
    growth_T17 -= p[d_T17] * (1.0 + p[lambda_T17] * sat(y[T17_A], p[K_T17]))
    dy[T17_A] = growth_T17 * y[T17_A] + to_T17 - T17_to_T1 - T17_to_T2 + Treg_to_T17

    growth_Treg = p[beta_Treg] * (1.0 - p[lambda_TregI21] * I21)
    growth_Treg -= p[d_Treg] * (1.0 + p[lambda_Treg] * sat(y[Treg_A], p[K_Treg]) - p[lambda_TregI2] * I2)
    dy[Treg_A] = growth_Treg * y[Treg_A] + to_Treg - Treg_to_T17

    # Published: one number, defined twice, serves differentiation and proliferation.
    by_I21 = p[lambda_betaTfhI21] if int(u[variant]) & D4 else p[lambda_TfhI21]
    growth_Tfh = p[beta_Tfh] * (1.0 + by_I21 * I21)
    growth_Tfh -= p[d_Tfh] * (1.0 + p[lambda_Tfh] * sat(y[Tfh_A], p[K_Tfh]))
    dy[Tfh_A] = growth_Tfh * y[Tfh_A] + to_Tfh

    # Published: CTL proliferate in proportion to Th1, not to themselves.
    growth_T8 = p[beta_T8] * (1.0 + p[lambda_T8I2] * I2 + p[lambda_T8I21] * I21)
    death_T8 = p[d_T8] * (1.0 + p[lambda_T8] * sat(y[T8_A], p[K_T8]))
    dividing = y[T8_A] if int(u[variant]) & D2 else y[T1_A]
    dy[T8_A] = growth_T8 * dividing - death_T8 * y[T8_A] + to_T8

    growth_NK = p[beta_NK] * (1.0 + p[lambda_NKI12] * I12 + p[lambda_NKI21] * I21)
    growth_NK *= inhibit(m[I10_A], p[K_NKI10])
    growth_NK -= p[d_NK] * (1.0 + p[lambda_NK] * sat(y[NK_A], p[K_NK]))
    dy[NK_A] = growth_NK * y[NK_A]
