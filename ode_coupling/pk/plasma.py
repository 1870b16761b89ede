"""From amounts of drug to plasma concentrations."""

from dataclasses import dataclass

import numpy as np

NM_PER_MG_PER_L = 1e6  # (mg/L) / (g/mol) = mmol/L


@dataclass(frozen=True)
class Plasma:
    """What turns the central amount of a drug (mg) into nM.

    Attributes
    ----------
    volume_L, molar_mass_g_per_mol : float
    volume_source, molar_mass_source : str
    """

    volume_L: float
    molar_mass_g_per_mol: float
    volume_source: str
    molar_mass_source: str


# TAS-102 is dosed by its trifluridine (296.2 g/mol by its formula), V/F; an IgG1 weighs about 149 kDa.
PLASMA = {
    "TAS102": Plasma(21.0, 296.2, "assumed", "derived"),
    "bevacizumab": Plasma(2.678, 149_000.0, "assumed", "assumed"),
}


def plasma_concentration(amount_mg: np.ndarray, volume_L: float, molar_mass_g_per_mol: float) -> np.ndarray:
    """Return the plasma concentration (nM) of an amount (mg) in a volume (L)."""
    return amount_mg / volume_L / molar_mass_g_per_mol * NM_PER_MG_PER_L
