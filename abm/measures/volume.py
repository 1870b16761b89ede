"""Size of a lesion from lattice counts, by a rule that is named: volume, and the diameter that goes with it."""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import InputError, unknown_word

# Li, Wei, Lei 2025, 10.1038/s41540-025-00513-1
CELL_VOLUME_CM3 = 2.572e-9
TISSUE_VOLUME_L = 0.8
CELL_FRACTION = 0.37

RULES = {
    "weighted count": "V = v_cell X V_C / V_e of the body cells that the lattice stands for; any lattice",
    "section area": "d = 2 sqrt(A / pi) of the area of the tumour sites, V = pi d^3 / 6; sections",
    "sphere equivalent": "V = volume of the tumour sites, d of the sphere of that volume; sections",
    "3-D direct": "V = volume of the tumour sites, d of the sphere of that volume; blocks",
}
_DIMENSIONS = {"section area": 2, "sphere equivalent": 2, "3-D direct": 3}


@dataclass(frozen=True)
class LesionSize:
    """Size of a lesion by one rule.

    Attributes
    ----------
    volume_cm3, diameter_mm : float or ndarray
    rule : str
        One of ``RULES``.
    """

    volume_cm3: float | np.ndarray
    diameter_mm: float | np.ndarray
    rule: str


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


def sphere_volume_cm3(diameter_mm: float | np.ndarray) -> float | np.ndarray:
    """Return the volume of a sphere, cm3."""
    return math.pi / 6.0 * np.asarray(diameter_mm, dtype=float) ** 3 * 1e-3


def sphere_diameter_mm(volume_cm3: float | np.ndarray) -> float | np.ndarray:
    """Return the diameter of the sphere of a volume, mm."""
    return np.cbrt(6.0 / math.pi * np.asarray(volume_cm3, dtype=float) * 1e3)


def lesion_size(
    rule: str,
    sites: int | np.ndarray,
    site_um: float,
    dimensions: int = 2,
    *,
    density: float | np.ndarray | None = None,
    tissue_volume_L: float = TISSUE_VOLUME_L,
    cell_volume_cm3: float = CELL_VOLUME_CM3,
    cell_fraction: float = CELL_FRACTION,
    feret_mm: float | np.ndarray | None = None,
) -> LesionSize:
    """Return volume and diameter of a lesion by a named rule.

    The rules disagree by construction: a nodule that doubles its cells doubles its volume by ``weighted
    count``, ``sphere equivalent`` and ``3-D direct``, but by ``section area`` it grows 2.83-fold, because a
    section of a sphere that doubles its area belongs to a sphere of 2.83 times the volume. Choose ``section
    area`` only for a lattice that holds the whole nodule.

    Parameters
    ----------
    rule : str
        One of ``RULES``.
    sites : int or ndarray
        Lattice sites that tumour cells hold.
    site_um : float
        Pitch of the lattice, um; a section is one site thick.
    dimensions : int
        2 or 3, of the lattice.
    density, tissue_volume_L, cell_volume_cm3, cell_fraction : float
        Of ``tumour_volume_cm3``; ``weighted count`` alone needs and uses them.
    feret_mm : float or ndarray, optional
        ``section area``: the longest caliper, in place of the diameter of the disc of equal area.

    Raises
    ------
    InputError
        For an unknown rule, one that is not for this lattice, or ``weighted count`` without a density.
    """
    if rule not in RULES:
        raise unknown_word("rule of volume", rule, RULES, "lesion size")
    if rule == "weighted count":
        if density is None:
            raise InputError(
                "lesion size: 'weighted count' needs the density of tumour cells in a body; a tissue alone "
                "is measured by 'section area', 'sphere equivalent' (sections) or '3-D direct' (blocks)"
            )
        volume = tumour_volume_cm3(density, tissue_volume_L, cell_volume_cm3, cell_fraction)
        return LesionSize(volume, sphere_diameter_mm(volume), rule)
    if dimensions != _DIMENSIONS[rule]:
        fitting = [name for name, needed in _DIMENSIONS.items() if needed == dimensions]
        raise InputError(
            f"lesion size: '{rule}' is for lattices of {_DIMENSIONS[rule]} dimensions, and this one has "
            f"{dimensions}; choose {' or '.join(repr(name) for name in ['weighted count', *fitting])}"
        )
    if rule == "section area":
        area_mm2 = np.asarray(sites, dtype=float) * site_um**2 * 1e-6
        diameter = (
            2.0 * np.sqrt(area_mm2 / math.pi) if feret_mm is None else np.asarray(feret_mm, dtype=float)
        )
        return LesionSize(sphere_volume_cm3(diameter), diameter, rule)
    volume = np.asarray(sites, dtype=float) * site_um**3 * 1e-12
    return LesionSize(volume, sphere_diameter_mm(volume), rule)


def feret_diameter_mm(mask: np.ndarray, site_um: float) -> float:
    """Return the longest caliper of the marked sites, corner to corner; 0 where none is marked.

    Parameters
    ----------
    mask : ndarray of bool, shape (ny, nx)
        A section; the longest distance between any two marked sites counts, whether joined or not.
    site_um : float

    Raises
    ------
    InputError
        If the mask is not a section.
    """
    mask = np.asarray(mask, dtype=bool)
    if mask.ndim != 2:
        raise InputError(f"longest caliper: needs a section (2 dimensions), got {mask.ndim}")
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return 0.0
    # The two ends of every row hold every corner of the convex hull.
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    corners = np.concatenate([np.column_stack([y, x]) for y in (rows, rows + 1) for x in (left, right)])
    corners = corners.astype(float)
    longest = max(float(((corners - corner) ** 2).sum(axis=1).max()) for corner in corners)
    return math.sqrt(longest) * site_um * 1e-3
