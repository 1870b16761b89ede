"""Cells that pass between blood (B) and tumour (C), and between the lymph node (A) and both."""

# ruff: noqa: F403, F405
from numba import njit

from .names import *


@njit(cache=True, error_model="numpy")
def blood_tumour(z_B, z_C, c_Z, V_BC, V_CB, C_over_B, debit, owned) -> tuple[float, float]:
    """Return the change of a cell type in blood and in the tumour (cells/L/d) by traffic between the two.

    As published, chemotaxis takes c_Z Z_B from a litre of blood and gives c_Z Z_B to a litre of tumour;
    ``debit`` is 1 then, and V_C/V_B where blood loses exactly what the tumour gains. A type that a lattice
    owns has no traffic here: the coupling carries its cells.
    """
    if owned > 0.0:
        return 0.0, 0.0
    back, chemotaxis = V_CB * z_C, c_Z * z_B
    blood = back * C_over_B - V_BC * z_B - chemotaxis * debit
    return blood, V_BC / C_over_B * z_B - back + chemotaxis


@njit(cache=True, error_model="numpy")
def traffic(y, p, u, m, dy) -> None:
    """Start dy of every cell type that both blood and tumour have with its traffic between them."""
    r = p[V_C] / p[V_B]
    q = r if u[variant] > 0.0 else 1.0
    dy[T1_B], dy[T1_C] = blood_tumour(y[T1_B], y[T1_C], m[c_T1], p[V_T1_BC], p[V_T1_CB], r, q, u[owned_T1_C])
    dy[T2_B], dy[T2_C] = blood_tumour(y[T2_B], y[T2_C], m[c_T2], p[V_T2_BC], p[V_T2_CB], r, q, u[owned_T2_C])
    dy[T17_B], dy[T17_C] = blood_tumour(
        y[T17_B], y[T17_C], m[c_T17], p[V_T17_BC], p[V_T17_CB], r, q, u[owned_T17_C]
    )
    dy[Treg_B], dy[Treg_C] = blood_tumour(
        y[Treg_B], y[Treg_C], m[c_Treg], p[V_Treg_BC], p[V_Treg_CB], r, q, u[owned_Treg_C]
    )
    dy[Tfh_B], dy[Tfh_C] = blood_tumour(
        y[Tfh_B], y[Tfh_C], m[c_Tfh], p[V_Tfh_BC], p[V_Tfh_CB], r, q, u[owned_Tfh_C]
    )
    dy[T8_B], dy[T8_C] = blood_tumour(y[T8_B], y[T8_C], m[c_T8], p[V_T8_BC], p[V_T8_CB], r, q, u[owned_T8_C])
    dy[D0_B], dy[D0_C] = blood_tumour(y[D0_B], y[D0_C], m[c_D0], p[V_D0_BC], p[V_D0_CB], r, q, 0.0)
    dy[NK_B], dy[NK_C] = blood_tumour(y[NK_B], y[NK_C], m[c_NK], p[V_NK_BC], p[V_NK_CB], r, q, 0.0)
    dy[MMDSC_B], dy[MMDSC_C] = blood_tumour(
        y[MMDSC_B], y[MMDSC_C], m[c_MMDSC], p[V_MMDSC_BC], p[V_MMDSC_CB], r, q, 0.0
    )
    dy[GMDSC_B], dy[GMDSC_C] = blood_tumour(
        y[GMDSC_B], y[GMDSC_C], m[c_GMDSC], p[V_GMDSC_BC], p[V_GMDSC_CB], r, q, 0.0
    )
    dy[M_B], dy[M_C] = blood_tumour(y[M_B], y[M_C], m[c_M], p[V_M_BC], p[V_M_CB], r, q, 0.0)
    dy[M1_B], dy[M1_C] = blood_tumour(y[M1_B], y[M1_C], m[c_M1], p[V_M1_BC], p[V_M1_CB], r, q, 0.0)
    dy[M2_B], dy[M2_C] = blood_tumour(y[M2_B], y[M2_C], m[c_M2], p[V_M2_BC], p[V_M2_CB], r, q, 0.0)
    dy[N_B], dy[N_C] = blood_tumour(y[N_B], y[N_C], m[c_N], p[V_N_BC], p[V_N_CB], r, q, 0.0)
    dy[N1_B], dy[N1_C] = blood_tumour(y[N1_B], y[N1_C], m[c_N1], p[V_N1_BC], p[V_N1_CB], r, q, 0.0)
    dy[N2_B], dy[N2_C] = blood_tumour(y[N2_B], y[N2_C], m[c_N2], p[V_N2_BC], p[V_N2_CB], r, q, 0.0)
    dy[Eos_B], dy[Eos_C] = blood_tumour(y[Eos_B], y[Eos_C], m[c_Eos], p[V_Eos_BC], p[V_Eos_CB], r, q, 0.0)
    dy[Bas_B], dy[Bas_C] = blood_tumour(y[Bas_B], y[Bas_C], m[c_Bas], p[V_Bas_BC], p[V_Bas_CB], r, q, 0.0)
    dy[D_B], dy[D_C] = blood_tumour(y[D_B], y[D_C], 0.0, p[V_D_BC], p[V_D_CB], r, q, 0.0)


@njit(cache=True, error_model="numpy")
def lymph_node_traffic(y, p, u, m, dy) -> None:
    """Add the traffic of the lymph node: T and NK cells with blood, dendritic cells with blood and tumour.

    Naive cells that chemotaxis calls in leave blood at c Z_B a litre and arrive at c Z_B a litre in every
    variant: with the volume ratio their number would rise 450-fold and the model lose its calibration.
    """
    B_over_A, A_over_B = p[V_B] / p[V_A], p[V_A] / p[V_B]
    A_over_C = p[V_A] / p[V_C]
    dy[TN4_B] = p[V_TN4_AB] * A_over_B * y[TN4_A] - p[V_TN4_BA] * y[TN4_B] - m[c_TN4] * y[TN4_B]
    dy[TN8_B] = p[V_TN8_AB] * A_over_B * y[TN8_A] - p[V_TN8_BA] * y[TN8_B] - m[c_TN8] * y[TN8_B]
    dy[TN4_A] += p[V_TN4_BA] * B_over_A * y[TN4_B] - p[V_TN4_AB] * y[TN4_A] + m[c_TN4] * y[TN4_B]
    dy[TN8_A] += p[V_TN8_BA] * B_over_A * y[TN8_B] - p[V_TN8_AB] * y[TN8_A] + m[c_TN8] * y[TN8_B]

    called = m[c_D] * y[D_C]
    dy[D_A] += p[V_D_CA] / A_over_C * y[D_C] + called
    dy[D_C] -= p[V_D_CA] * y[D_C] + (called * A_over_C if u[variant] > 0.0 else called)

    entering, leaving = p[V_T1_BA] * y[T1_B], p[V_T1_AB] * y[T1_A]
    dy[T1_A] += entering * B_over_A - leaving
    dy[T1_B] += leaving * A_over_B - entering
    entering, leaving = p[V_T2_BA] * y[T2_B], p[V_T2_AB] * y[T2_A]
    dy[T2_A] += entering * B_over_A - leaving
    dy[T2_B] += leaving * A_over_B - entering
    entering, leaving = p[V_T17_BA] * y[T17_B], p[V_T17_AB] * y[T17_A]
    dy[T17_A] += entering * B_over_A - leaving
    dy[T17_B] += leaving * A_over_B - entering
    entering, leaving = p[V_Treg_BA] * y[Treg_B], p[V_Treg_AB] * y[Treg_A]
    dy[Treg_A] += entering * B_over_A - leaving
    dy[Treg_B] += leaving * A_over_B - entering
    entering, leaving = p[V_Tfh_BA] * y[Tfh_B], p[V_Tfh_AB] * y[Tfh_A]
    dy[Tfh_A] += entering * B_over_A - leaving
    dy[Tfh_B] += leaving * A_over_B - entering
    entering, leaving = p[V_T8_BA] * y[T8_B], p[V_T8_AB] * y[T8_A]
    dy[T8_A] += entering * B_over_A - leaving
    dy[T8_B] += leaving * A_over_B - entering
    entering, leaving = p[V_NK_BA] * y[NK_B], p[V_NK_AB] * y[NK_A]
    dy[NK_A] += entering * B_over_A - leaving
    dy[NK_B] += leaving * A_over_B - entering
    entering, leaving = p[V_D_BA] * y[D_B], p[V_D_AB] * y[D_A]
    dy[D_A] += entering * B_over_A - leaving
    dy[D_B] += leaving * A_over_B - entering
