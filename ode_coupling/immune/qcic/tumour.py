"""The three tumour types: growth, drug-pressure transition, apoptosis, immune and chemotherapy killing."""

# ruff: noqa: F403, F405
from math import exp

from numba import njit

from .molecules import hill
from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def tumour_fluxes(y, p, u, m) -> None:
    """Write the fluxes G, W, A, I, C (cells/L/d) of every tumour type, and the antigen they release."""
    x1, x2, x3, drug, antibody = y[X1_C], y[X2_C], y[X3_C], y[Chem_C], y[Targ_C]
    crowd_1 = (p[a11] * x1 + p[a12] * x2 + p[a13] * x3) / p[K1]
    crowd_2 = (p[a21] * x1 + p[a22] * x2 + p[a23] * x3) / p[K2]
    crowd_3 = (p[a31] * x1 + p[a32] * x2 + p[a33] * x3) / p[K3]
    m[grow_X1] = p[beta_X1] / (1.0 + p[varepsilon_TX1] * antibody) * (1.0 - crowd_1) * x1
    m[grow_X2] = p[beta_X2] / (1.0 + p[varepsilon_TX2] * antibody) * (1.0 - crowd_2) * x2
    m[grow_X3] = p[beta_X3] / (1.0 + p[varepsilon_TX3] * antibody) * (1.0 - crowd_3) * x3

    pressure = hill(drug, p[K_Chem], p[n_c])
    m[turn_X1] = p[rho_X3X1] * pressure * x1
    m[turn_X2] = p[rho_X3X2] * pressure * x2

    m[apoptosis_X1] = p[d_X1] * x1
    m[apoptosis_X2] = p[d_X2] * x2
    m[apoptosis_X3] = p[d_X3] * x3

    t1, t8, nk, left = y[T1_C], y[T8_C], y[NK_C], m[kill_efficiency]
    m[immune_kill_X1] = (p[eta_X1T1] * t1 + p[eta_X1T8] * t8 + p[eta_X1NK] * nk) * left * x1
    m[immune_kill_X2] = (p[eta_X2T1] * t1 + p[eta_X2T8] * t8 + p[eta_X2NK] * nk) * left * x2
    m[immune_kill_X3] = (p[eta_X3T1] * t1 + p[eta_X3T8] * t8 + p[eta_X3NK] * nk) * left * x3

    m[chemo_kill_X1] = p[sigma_X1] * (1.0 - exp(-p[varepsilon_CX1] * drug)) * x1
    m[chemo_kill_X2] = p[sigma_X2] * (1.0 - exp(-p[varepsilon_CX2] * drug)) * x2
    m[chemo_kill_X3] = p[sigma_X3] * (1.0 - exp(-p[varepsilon_CX3] * drug)) * x3

    if u[owned_X1_C] + u[owned_X2_C] + u[owned_X3_C] > 0.0:
        m[TA_C] = u[antigen_rate] / p[d_TA]
        return
    # Published: immune-killed X3 releases kappa_3, as if by chemotherapy.
    from_X3 = p[kappa_2] if int(u[variant]) & D3 else p[kappa_3]
    m[TA_C] = (
        p[kappa_1] * (m[apoptosis_X1] + m[apoptosis_X2] + m[apoptosis_X3])
        + p[kappa_2] * (m[immune_kill_X1] + m[immune_kill_X2])
        + from_X3 * m[immune_kill_X3]
        + p[kappa_3] * (m[chemo_kill_X1] + m[chemo_kill_X2] + m[chemo_kill_X3])
    ) / p[d_TA]


@njit(cache=True, error_model="numpy", forceinline=True)
def tumour(u, m, dy) -> None:
    """Write the change of the tumour types; frozen, they stay as they are."""
    if u[freeze_tumour] > 0.0:
        dy[X1_C] = dy[X2_C] = dy[X3_C] = 0.0
        return
    dy[X1_C] = m[grow_X1] - m[turn_X1] - m[apoptosis_X1] - m[immune_kill_X1] - m[chemo_kill_X1]
    dy[X2_C] = m[grow_X2] - m[turn_X2] - m[apoptosis_X2] - m[immune_kill_X2] - m[chemo_kill_X2]
    # Published: the cells that leave X1 arrive twice and those that leave X2 never do.
    arriving = m[turn_X1] + m[turn_X2] if int(u[variant]) & (CONSERVE | D1) else 2.0 * m[turn_X1]
    dy[X3_C] = m[grow_X3] + arriving - m[apoptosis_X3] - m[immune_kill_X3] - m[chemo_kill_X3]
