"""The 42 quasi-steady molecules (secretion over degradation), the checkpoint factor and chemotaxis rates."""

# ruff: noqa: F403, F405  (positions of several hundred names; the type checker and Numba see through the star)
from numba import njit

from .names import *


@njit(cache=True, error_model="numpy", forceinline=True)
def sat(x: float, half: float) -> float:
    """Return the saturation M(x; K) = x / (K + x)."""
    return x / (half + x)


@njit(cache=True, error_model="numpy", forceinline=True)
def inhibit(x: float, half: float) -> float:
    """Return the inhibition R(x; K) = K / (K + x)."""
    return half / (half + x)


@njit(cache=True, error_model="numpy", forceinline=True)
def hill(x: float, half: float, power: float) -> float:
    """Return x^n / (K^n + x^n)."""
    if power == 2.0:
        return x * x / (half * half + x * x)
    return x**power / (half**power + x**power)


@njit(cache=True, error_model="numpy", forceinline=True)
def lymph_node_molecules(y, p, m) -> None:
    """Write the ten molecules of the lymph node (pg/L)."""
    m[I2_A] = (p[delta_I2T1] * y[T1_A] + p[delta_I2T8] * y[T8_A]) / p[d_I2]
    m[I4_A] = (p[delta_I4T2] * y[T2_A] + p[delta_I4Tfh] * y[Tfh_A]) / p[d_I4]
    m[I6_A] = p[delta_I6T2] * y[T2_A] / p[d_I6]
    m[I10_A] = (p[delta_I10T2] * y[T2_A] + p[delta_I10Treg] * y[Treg_A]) / p[d_I10]
    m[I12_A] = p[delta_I12D] * y[D_A] / p[d_I12]
    m[I21_A] = (
        p[delta_I21T2] * y[T2_A]
        + p[delta_I21T17] * y[T17_A]
        + p[delta_I21Tfh] * y[Tfh_A]
        + p[delta_I21NK] * y[NK_A]
    ) / p[d_I21]
    m[Igamma_A] = (
        p[delta_IgammaT1] * y[T1_A] + p[delta_IgammaT8] * y[T8_A] + p[delta_IgammaNK] * y[NK_A]
    ) / p[d_Igamma]
    m[Tbeta_A] = p[delta_TbetaTreg] * y[Treg_A] / p[d_Tbeta]
    m[L19_A] = p[delta_L19D] * y[D_A] / p[d_L19]
    m[L21_A] = p[delta_L21D] * y[D_A] / p[d_L21]


@njit(cache=True, error_model="numpy", forceinline=True)
def tumour_cytokines(y, p, m) -> None:
    """Write the interleukins, interferon, growth and necrosis factors of the tumour (pg/L)."""
    x = y[X1_C] + y[X2_C] + y[X3_C]
    m[I2_C] = (p[delta_I2T1] * y[T1_C] + p[delta_I2T8] * y[T8_C]) / p[d_I2]
    m[I4_C] = (
        p[delta_I4T2] * y[T2_C]
        + p[delta_I4Tfh] * y[Tfh_C]
        + p[delta_I4Eos] * y[Eos_C]
        + p[delta_I4Bas] * y[Bas_C]
    ) / p[d_I4]
    m[I10_C] = (
        p[delta_I10T2] * y[T2_C]
        + p[delta_I10Treg] * y[Treg_C]
        + p[delta_I10M2] * y[M2_C]
        + p[delta_I10N2] * y[N2_C]
        + p[delta_I10MMDSC] * y[MMDSC_C]
        + p[delta_I10GMDSC] * y[GMDSC_C]
        + p[delta_I10X] * x
    ) / p[d_I10]
    m[I12_C] = (p[delta_I12D] * y[D_C] + p[delta_I12M1] * y[M1_C] + p[delta_I12Eos] * y[Eos_C]) / p[d_I12]
    m[Igamma_C] = (
        p[delta_IgammaT1] * y[T1_C]
        + p[delta_IgammaT8] * y[T8_C]
        + p[delta_IgammaNK] * y[NK_C]
        + p[delta_IgammaN1] * y[N1_C]
    ) / p[d_Igamma]
    m[Tbeta_C] = (
        p[delta_TbetaTreg] * y[Treg_C]
        + p[delta_TbetaX] * x
        + p[delta_TbetaM2] * y[M2_C]
        + p[delta_TbetaN2] * y[N2_C]
    ) / p[d_Tbeta]
    m[Talpha_C] = (
        p[delta_TalphaM1] * y[M1_C]
        + p[delta_TalphaT1] * y[T1_C]
        + p[delta_TalphaT8] * y[T8_C]
        + p[delta_TalphaN1] * y[N1_C]
    ) / p[d_Talpha]
    m[MCSF_C] = p[delta_MCSFX] * x / p[d_MCSF]
    m[GCSF_C] = p[delta_GCSFX] * x / p[d_GCSF]


@njit(cache=True, error_model="numpy", forceinline=True)
def tumour_chemokines(y, p, m) -> None:
    """Write the 19 chemokines of the tumour (pg/L; C = CXCL, L = CCL)."""
    x = y[X1_C] + y[X2_C] + y[X3_C]
    m[C1_C] = p[delta_C1X] * x / p[d_C1]
    m[C2_C] = p[delta_C2X] * x / p[d_C2]
    m[C5_C] = p[delta_C5X] * x / p[d_C5]
    m[C8_C] = (p[delta_C8Treg] * y[Treg_C] + p[delta_C8X] * x) / p[d_C8]
    m[C9_C] = (p[delta_C9D] * y[D_C] + p[delta_C9X] * x + p[delta_C9M1] * y[M1_C]) / p[d_C9]
    m[C10_C] = (p[delta_C10D] * y[D_C] + p[delta_C10X] * x + p[delta_C10M1] * y[M1_C]) / p[d_C10]
    m[C12_C] = p[delta_C12X] * x / p[d_C12]
    m[C13_C] = (p[delta_C13D] * y[D_C] + p[delta_C13Tfh] * y[Tfh_C] + p[delta_C13M2] * y[M2_C]) / p[d_C13]
    m[L1_C] = (p[delta_L1Treg] * y[Treg_C] + p[delta_L1M2] * y[M2_C]) / p[d_L1]
    m[L2_C] = (p[delta_L2M1] * y[M1_C] + p[delta_L2N1] * y[N1_C] + p[delta_L2X] * x) / p[d_L2]
    m[L3_C] = (
        p[delta_L3M1] * y[M1_C] + p[delta_L3N1] * y[N1_C] + p[delta_L3MMDSC] * y[MMDSC_C] + p[delta_L3X] * x
    ) / p[d_L3]
    m[L4_C] = (p[delta_L4M1] * y[M1_C] + p[delta_L4N2] * y[N2_C] + p[delta_L4MMDSC] * y[MMDSC_C]) / p[d_L4]
    m[L5_C] = (
        p[delta_L5M1] * y[M1_C]
        + p[delta_L5N2] * y[N2_C]
        + p[delta_L5X] * x
        + p[delta_L5T8] * y[T8_C]
        + p[delta_L5MMDSC] * y[MMDSC_C]
        + p[delta_L5NK] * y[NK_C]
    ) / p[d_L5]
    m[L11_C] = (p[delta_L11X] * x + p[delta_L11Eos] * y[Eos_C]) / p[d_L11]
    m[L17_C] = (p[delta_L17D] * y[D_C] + p[delta_L17M2] * y[M2_C] + p[delta_L17N2] * y[N2_C]) / p[d_L17]
    m[L19_C] = p[delta_L19D] * y[D_C] / p[d_L19]
    m[L20_C] = p[delta_L20X] * x / p[d_L20]
    m[L21_C] = p[delta_L21D] * y[D_C] / p[d_L21]
    m[L22_C] = (p[delta_L22D] * y[D_C] + p[delta_L22M2] * y[M2_C] + p[delta_L22X] * x) / p[d_L22]


@njit(cache=True, error_model="numpy", forceinline=True)
def checkpoint(y, p, u, m) -> None:
    """Write PD-1, PD-L1, their complex (g/L) and what killing efficiency they leave (Treg carry no PD-1).

    P_C and L_C are all that the cells carry; an antibody that occupies a share of either keeps that share
    from the complex.
    """
    carriers = y[T1_C] + y[T2_C] + y[T17_C] + y[Tfh_C] + y[T8_C] + p[varepsilon_NK] * y[NK_C]
    m[P_C] = p[phi_P] * carriers
    m[L_C] = p[phi_L] * (y[X1_C] + y[X2_C] + y[X3_C])
    free_P, free_L = (1.0 - u[PD1_occupancy]) * m[P_C], (1.0 - u[PDL1_occupancy]) * m[L_C]
    m[PL_C] = p[alpha_PL] * free_P * free_L
    m[kill_efficiency] = 1.0 - p[lambda_PL] * sat(m[PL_C], p[K_PL])
