"""Positions of every name in the vectors of the QCIC right-hand side: y, u, m (algebraic) and p.

The names and their order are those of states.csv, molecules.csv and parameters.csv.
"""

# --- y: cells/L in lymph node (_A), blood (_B) and tumour (_C), then drug amounts ---
(
    D_A, TN4_A, T1_A, T2_A, T17_A, Treg_A, Tfh_A, TN8_A, T8_A, NK_A, TN4_B, T1_B, T2_B, T17_B, Treg_B,
    Tfh_B, TN8_B, T8_B, D0_B, D_B, NK_B, MMDSC_B, GMDSC_B, M_B, M1_B, M2_B, N_B, N1_B, N2_B, Eos_B, Bas_B,
    X1_C, X2_C, X3_C, T1_C, T2_C, T17_C, Treg_C, Tfh_C, T8_C, D0_C, D_C, NK_C, MMDSC_C, GMDSC_C, M_C, M1_C,
    M2_C, N_C, N1_C, N2_C, Eos_C, Bas_C, Targ_C, Targ_P, Chem_C, Chem_P, Chem_eliminated, Targ_eliminated,
) = range(59)  # fmt: skip

# --- u: what holds still between two exchanges ---
(
    dose_rate_TAS102, dose_rate_bevacizumab, variant, freeze_tumour, owned_X1_C, owned_X2_C, owned_X3_C,
    owned_T1_C, owned_T2_C, owned_T17_C, owned_Treg_C, owned_Tfh_C, owned_T8_C, antigen_rate,
    PD1_occupancy, PDL1_occupancy,
) = range(16)  # fmt: skip

# --- bits of u[variant]: what is put right in the published equations (D1 to D5 as in docs/qcic.md) ---
CONSERVE, D1, D2, D3, D4, D5 = 1, 2, 4, 8, 16, 32

# --- m: quasi-steady molecules ---
(
    I2_A, I4_A, I6_A, I10_A, I12_A, I21_A, Igamma_A, Tbeta_A, L19_A, L21_A, P_C, L_C, PL_C, TA_C, I2_C,
    I4_C, I10_C, I12_C, Igamma_C, Tbeta_C, Talpha_C, MCSF_C, GCSF_C, C1_C, C2_C, C5_C, C8_C, C9_C, C10_C,
    C12_C, C13_C, L1_C, L2_C, L3_C, L4_C, L5_C, L11_C, L17_C, L19_C, L20_C, L21_C, L22_C,
) = range(42)  # fmt: skip

# --- m, continued: checkpoint factor, tumour fluxes (cells/L/d), chemotaxis rates (1/d) ---
# of tumour type j: grow G_j, turn (into X3) W_j, apoptosis A_j, immune_kill I_j, chemo_kill C_j
(
    kill_efficiency, grow_X1, grow_X2, grow_X3, turn_X1, turn_X2, apoptosis_X1, apoptosis_X2, apoptosis_X3,
    immune_kill_X1, immune_kill_X2, immune_kill_X3, chemo_kill_X1, chemo_kill_X2, chemo_kill_X3, c_TN4,
    c_TN8, c_D, c_T1, c_T2, c_T17, c_Treg, c_Tfh, c_T8, c_D0, c_NK, c_MMDSC, c_GMDSC, c_M, c_M1, c_M2, c_N,
    c_N1, c_N2, c_Eos, c_Bas,
) = range(42, 78)  # fmt: skip
ALGEBRAIC = 78

# --- p ---
(
    V_D_CA, V_D_BA, V_D_AB, V_D_CB, V_D0_CB, V_D_BC, V_D0_BC, V_TN4_BA, V_TN8_BA, V_TN4_AB, V_TN8_AB,
    V_T1_BA, V_T2_BA, V_T17_BA, V_Treg_BA, V_Tfh_BA, V_T8_BA, V_T1_AB, V_T2_AB, V_T17_AB, V_Treg_AB,
    V_Tfh_AB, V_T8_AB, V_T1_CB, V_T2_CB, V_T17_CB, V_Treg_CB, V_Tfh_CB, V_T8_CB, V_T1_BC, V_T2_BC, V_T17_BC,
    V_Treg_BC, V_Tfh_BC, V_T8_BC, V_NK_BA, V_NK_AB, V_NK_CB, V_NK_BC, V_MMDSC_CB, V_M_CB, V_M1_CB, V_M2_CB,
    V_MMDSC_BC, V_M_BC, V_M1_BC, V_M2_BC, V_GMDSC_CB, V_N_CB, V_N1_CB, V_N2_CB, V_Eos_CB, V_Bas_CB,
    V_GMDSC_BC, V_N_BC, V_N1_BC, V_N2_BC, V_Eos_BC, V_Bas_BC, V_A, V_B, V_C, beta_TN4, beta_TN8, beta_T1,
    beta_T2, beta_T17, beta_Treg, beta_Tfh, beta_T8, beta_NK, lambda_T1I2, lambda_betaT2I4, lambda_T17I21,
    lambda_TregI21, lambda_TfhI21, lambda_T8I2, lambda_T8I21, lambda_NKI12, lambda_NKI21, kappa_T1,
    kappa_T2, kappa_T17, kappa_Treg, kappa_Tfh, kappa_T8, lambda_T1I12, lambda_T1Igamma, lambda_kappaT2I4,
    lambda_T17I6Tbeta, lambda_TregTbeta, lambda_TfhI6, lambda_T8I12, psi_M1, psi_M2, psi_N1, psi_N2,
    lambda_MIgamma, lambda_MTbeta, lambda_MI10, lambda_MI4, lambda_NIgamma, lambda_NTalpha, lambda_NI10,
    lambda_NTbeta, lambda_NGCSF, rho_T1T17, rho_T2T17, rho_T17Treg, rho_M1M2, rho_M2M1, rho_N1N2, rho_N2N1,
    X_DL19_CA, X_DL21_CA, X_TN4L19_BA, X_TN4L21_BA, X_TN8L19_BA, X_TN8L21_BA, X_T1C9_BC, X_T1C10_BC,
    X_T1L3_BC, X_T1L4_BC, X_T1L5_BC, X_T2L1_BC, X_T2L17_BC, X_T2L22_BC, X_T17L17_BC, X_T17L20_BC,
    X_T17L22_BC, X_T17C12_BC, X_TregL1_BC, X_TregL17_BC, X_TregL22_BC, X_TfhC13_BC, X_T8C9_BC, X_T8C10_BC,
    X_T8C12_BC, X_D0L20_BC, X_NKC9_BC, X_NKC10_BC, X_MMDSCL2_BC, X_MMDSCC12_BC, X_GMDSCL5_BC, X_GMDSCC8_BC,
    X_ML2_BC, X_ML5_BC, X_M1L2_BC, X_M1L5_BC, X_M2L2_BC, X_M2L5_BC, X_NC1_BC, X_NC2_BC, X_NC5_BC, X_NC8_BC,
    X_N1L5_BC, X_N1L19_BC, X_N1L21_BC, X_N1C9_BC, X_N1C10_BC, X_N2C12_BC, X_EosL11_BC, X_BasL2_BC,
    X_BasL11_BC, K_D, K_T1, K_T2, K_T17, K_Treg, K_Tfh, K_NK, K_T8, K_I2, K_I4, K_I6, K_I10, K_I12, K_I21,
    K_Igamma, K_Talpha, K_Tbeta, K_MCSF, K_GCSF, K_I6Tbeta, K_T1I4, K_T1Tbeta, K_T2Igamma, K_T2Tbeta,
    K_T17Igamma, K_T17I4, K_TregIgamma, K_TfhI2, K_T8I10, K_T8Tbeta, K_NKI10, K_L1, K_L2, K_L3, K_L4, K_L5,
    K_L11, K_L17, K_L19, K_L20, K_L21, K_L22, K_C1, K_C2, K_C5, K_C8, K_C9, K_C10, K_C12, K_C13, d_D, d_D0,
    d_TN4, d_TN8, d_T1, d_T2, d_T17, d_Treg, d_Tfh, d_T8, d_NK, d_MMDSC, d_GMDSC, d_M, d_M1, d_M2, d_N,
    d_N1, d_N2, d_Eos, d_Bas, lambda_TregI2, lambda_T1, lambda_T2, lambda_T17, lambda_Treg, lambda_Tfh,
    lambda_T8, lambda_NK, theta_TN4_DB, theta_TN8_DB, theta_D0_DB, theta_NK_DB, theta_MMDSC_DB,
    theta_GMDSC_DB, theta_M_DB, theta_N_DB, theta_Eos_DB, theta_Bas_DB, delta_I2T1, delta_I2T8, delta_I4T2,
    delta_I4Tfh, delta_I4Eos, delta_I4Bas, delta_I6T2, delta_I10T2, delta_I10Treg, delta_I10M2, delta_I10N2,
    delta_I10MMDSC, delta_I10GMDSC, delta_I10X, delta_I12D, delta_I12M1, delta_I12Eos, delta_I21T2,
    delta_I21T17, delta_I21Tfh, delta_I21NK, delta_IgammaT1, delta_IgammaT8, delta_IgammaNK, delta_IgammaN1,
    delta_TbetaTreg, delta_TbetaX, delta_TbetaM2, delta_TbetaN2, delta_TalphaM1, delta_TalphaT1,
    delta_TalphaT8, delta_TalphaN1, delta_MCSFX, delta_GCSFX, delta_C1X, delta_C2X, delta_C5X, delta_C8Treg,
    delta_C8X, delta_C9D, delta_C9X, delta_C9M1, delta_C10D, delta_C10X, delta_C10M1, delta_C12X,
    delta_C13D, delta_C13Tfh, delta_C13M2, delta_L1Treg, delta_L1M2, delta_L2M1, delta_L2N1, delta_L2X,
    delta_L3M1, delta_L3N1, delta_L3MMDSC, delta_L3X, delta_L4M1, delta_L4N2, delta_L4MMDSC, delta_L5M1,
    delta_L5N2, delta_L5X, delta_L5T8, delta_L5MMDSC, delta_L5NK, delta_L11X, delta_L11Eos, delta_L17D,
    delta_L17M2, delta_L17N2, delta_L19D, delta_L20X, delta_L21D, delta_L22D, delta_L22M2, delta_L22X, d_TA,
    d_I2, d_I4, d_I6, d_I10, d_I12, d_I21, d_Igamma, d_Tbeta, d_Talpha, d_MCSF, d_GCSF, d_C1, d_C2, d_C5,
    d_C8, d_C9, d_C10, d_C12, d_C13, d_L1, d_L2, d_L3, d_L4, d_L5, d_L11, d_L17, d_L19, d_L20, d_L21, d_L22,
    kappa_1, kappa_2, kappa_3, n, K_TA, alpha_PL, varepsilon_NK, lambda_PL, K_PL, K_T1Treg, K_T8Treg,
    lambda_T1PL, lambda_T2PL, lambda_T17PL, lambda_TfhPL, lambda_T8PL, lambda_NKPL, lambda_T1Treg,
    lambda_T8Treg, k_in_Targ, k_in_Chem, k_12_Trag, k_21_Trag, k_10_Trag, k_12_Chem, k_21_Chem, k_10_Chem,
    a11, a12, a13, a21, a22, a23, a31, a32, a33, n_c, sigma_X3, K_Chem, varepsilon_CX1, varepsilon_CX2,
    varepsilon_CX3, eta_X1T1, eta_X2T1, eta_X3T1, eta_X1T8, eta_X2T8, eta_X3T8, eta_X1NK, eta_X2NK,
    eta_X3NK, K_TN4, K_TN8, rho_DD0, phi_P, phi_L, beta_X1, beta_X2, beta_X3, K1, K2, K3, d_X1, d_X2, d_X3,
    rho_X3X1, rho_X3X2, sigma_X1, sigma_X2, varepsilon_TX1, varepsilon_TX2, varepsilon_TX3, v_tumor, V_e,
    X_baseline, lambda_betaTfhI21, resistant_share,
) = range(440)  # fmt: skip
