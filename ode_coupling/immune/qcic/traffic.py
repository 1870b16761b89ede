"""Cells that pass between blood (B) and tumour (C), and between the lymph node (A) and both."""

# ruff: noqa: F403, F405
import numpy as np
from numba import njit

from .names import *

# Types in both blood and tumour, in the order of the chemotaxis rates from c_T1 on; then those without any.
IN_BLOOD = np.array(
    [T1_B, T2_B, T17_B, Treg_B, Tfh_B, T8_B, D0_B, NK_B, MMDSC_B, GMDSC_B, M_B, M1_B, M2_B, N_B, N1_B, N2_B,
     Eos_B, Bas_B, D_B]
)  # fmt: skip
IN_TUMOUR = np.array(
    [T1_C, T2_C, T17_C, Treg_C, Tfh_C, T8_C, D0_C, NK_C, MMDSC_C, GMDSC_C, M_C, M1_C, M2_C, N_C, N1_C, N2_C,
     Eos_C, Bas_C, D_C]
)  # fmt: skip
V_IN = np.array(
    [V_T1_BC, V_T2_BC, V_T17_BC, V_Treg_BC, V_Tfh_BC, V_T8_BC, V_D0_BC, V_NK_BC, V_MMDSC_BC, V_GMDSC_BC,
     V_M_BC, V_M1_BC, V_M2_BC, V_N_BC, V_N1_BC, V_N2_BC, V_Eos_BC, V_Bas_BC, V_D_BC]
)  # fmt: skip
V_OUT = np.array(
    [V_T1_CB, V_T2_CB, V_T17_CB, V_Treg_CB, V_Tfh_CB, V_T8_CB, V_D0_CB, V_NK_CB, V_MMDSC_CB, V_GMDSC_CB,
     V_M_CB, V_M1_CB, V_M2_CB, V_N_CB, V_N1_CB, V_N2_CB, V_Eos_CB, V_Bas_CB, V_D_CB]
)  # fmt: skip
CALLED, OWNABLE = 18, 6  # the first so many follow chemokines; may be a lattice's

# Types in both lymph node and blood.
PAIRS = (
    (T1_A, T1_B, V_T1_BA, V_T1_AB), (T2_A, T2_B, V_T2_BA, V_T2_AB), (T17_A, T17_B, V_T17_BA, V_T17_AB),
    (Treg_A, Treg_B, V_Treg_BA, V_Treg_AB), (Tfh_A, Tfh_B, V_Tfh_BA, V_Tfh_AB),
    (T8_A, T8_B, V_T8_BA, V_T8_AB), (NK_A, NK_B, V_NK_BA, V_NK_AB), (D_A, D_B, V_D_BA, V_D_AB),
)  # fmt: skip


@njit(cache=True, error_model="numpy", forceinline=True)
def traffic(y, p, u, m, dy) -> None:
    """Start dy of every cell type that both blood and tumour have with its traffic between them.

    As published, chemotaxis takes c_Z Z_B from a litre of blood and gives c_Z Z_B to a litre of tumour. Blood
    loses V_C/V_B of that where cells are conserved, and the tumour gains V_B/V_C of it under D5. A type that a
    lattice owns has no traffic here: the coupling carries its cells.
    """
    C_over_B, B_over_C = p[V_C] / p[V_B], p[V_B] / p[V_C]
    debit = C_over_B if int(u[variant]) & CONSERVE else 1.0
    credit = B_over_C if int(u[variant]) & D5 else 1.0
    for k in range(IN_BLOOD.size):
        in_blood, in_tumour = y[IN_BLOOD[k]], y[IN_TUMOUR[k]]
        c = m[c_T1 + k] if k < CALLED else 0.0
        back, chemotaxis = p[V_OUT[k]] * in_tumour, c * in_blood
        dy[IN_BLOOD[k]] = back * C_over_B - p[V_IN[k]] * in_blood - chemotaxis * debit
        dy[IN_TUMOUR[k]] = p[V_IN[k]] * B_over_C * in_blood - back + chemotaxis * credit
    for k in range(OWNABLE):
        if u[owned_T1_C + k] > 0.0:
            dy[IN_BLOOD[k]] = dy[IN_TUMOUR[k]] = 0.0


@njit(cache=True, error_model="numpy", forceinline=True)
def lymph_node_traffic(y, p, u, m, dy) -> None:
    """Add the traffic of the lymph node: T and NK cells with blood, dendritic cells with blood and tumour.

    Naive cells that chemotaxis calls in leave blood at c Z_B a litre and arrive at c Z_B a litre, but under
    D5: with the volume ratio their number rises 450-fold and the model loses its calibration.
    """
    B_over_A, A_over_B = p[V_B] / p[V_A], p[V_A] / p[V_B]
    C_over_A, A_over_C = p[V_C] / p[V_A], p[V_A] / p[V_C]
    by_volume = int(u[variant]) & D5
    credit = B_over_A if by_volume else 1.0
    dy[TN4_B] = p[V_TN4_AB] * A_over_B * y[TN4_A] - p[V_TN4_BA] * y[TN4_B] - m[c_TN4] * y[TN4_B]
    dy[TN8_B] = p[V_TN8_AB] * A_over_B * y[TN8_A] - p[V_TN8_BA] * y[TN8_B] - m[c_TN8] * y[TN8_B]
    dy[TN4_A] += p[V_TN4_BA] * B_over_A * y[TN4_B] - p[V_TN4_AB] * y[TN4_A] + credit * m[c_TN4] * y[TN4_B]
    dy[TN8_A] += p[V_TN8_BA] * B_over_A * y[TN8_B] - p[V_TN8_AB] * y[TN8_A] + credit * m[c_TN8] * y[TN8_B]

    called = m[c_D] * y[D_C]
    dy[D_A] += p[V_D_CA] * C_over_A * y[D_C] + (called * C_over_A if by_volume else called)
    dy[D_C] -= p[V_D_CA] * y[D_C] + (called * A_over_C if int(u[variant]) & CONSERVE else called)

    for in_node, in_blood, entry, exit in PAIRS:
        entering, leaving = p[entry] * y[in_blood], p[exit] * y[in_node]
        dy[in_node] += entering * B_over_A - leaving
        dy[in_blood] += leaving * A_over_B - entering
