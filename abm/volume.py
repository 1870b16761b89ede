"""Tumour volume from the weighted number of tumour cells, by the rule of QCIC."""

import numpy as np

# Li, Wei, Lei 2025, 10.1038/s41540-025-00513-1
CELL_VOLUME_CM3 = 2.572e-9
TISSUE_VOLUME_L = 0.8
CELL_FRACTION = 0.37


def tumour_volume_cm3(
    density: float | np.ndarray,
    tissue_volume_L: float = TISSUE_VOLUME_L,
    cell_volume_cm3: float = CELL_VOLUME_CM3,
    cell_fraction: float = CELL_FRACTION,
) -> float | np.ndarray:
    """Return the volume of a lesion whose tumour cells fill ``cell_fraction`` of it: v_cell X V_C / V_e.

    Parameters
    ----------
    density : float or ndarray
        Tumour cells of all types, each weighted by the body cells it stands for, per litre of tissue
        (X, cells/L).
    tissue_volume_L : float
        Volume of the tumour micro-environment (V_C), L.
    cell_volume_cm3 : float
        Volume of one tumour cell, cm3.
    cell_fraction : float
        Share of the lesion that is tumour cells (V_e).

    Returns
    -------
    float or ndarray, cm3
        2.224 cm3 at the baseline of 4e8 cells/L (10.1038/s41540-025-00513-1).
    """
    return cell_volume_cm3 * density * tissue_volume_L / cell_fraction
