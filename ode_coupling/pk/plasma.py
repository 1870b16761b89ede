"""From amounts of drug to plasma concentrations."""

import numpy as np

NM_PER_MG_PER_L = 1e6  # (mg/L) / (g/mol) = mmol/L


def plasma_concentration(amount_mg: np.ndarray, volume_L: float, molar_mass_g_per_mol: float) -> np.ndarray:
    """Return the plasma concentration (nM) of an amount (mg) in a volume (L)."""
    return amount_mg / volume_L / molar_mass_g_per_mol * NM_PER_MG_PER_L
