"""The size of a patient, as far as doses depend on it: surface, weight, filtration of the kidneys."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ...abm.errors import InputError, unknown_word

SEXES = ("female", "male")


def mosteller(weight_kg: float, height_cm: float) -> float:
    """Return the body surface (m2); source: 10.1056/NEJM198710223171717."""
    return math.sqrt(weight_kg * height_cm / 3600.0)


def dubois(weight_kg: float, height_cm: float) -> float:
    """Return the body surface (m2); source: 10.1001/archinte.1916.00080130010002."""
    return 0.007184 * weight_kg**0.425 * height_cm**0.725


BSA_FORMULAS: dict[str, Callable[[float, float], float]] = {"mosteller": mosteller, "dubois": dubois}


def cockcroft_gault(weight_kg: float, age_years: float, sex: str, creatinine_mg_per_dL: float) -> float:
    """Return the creatinine clearance (mL/min) from serum creatinine; source: 10.1159/000180580."""
    clearance = (140.0 - age_years) * weight_kg / (72.0 * creatinine_mg_per_dL)
    return 0.85 * clearance if sex == "female" else clearance


@dataclass(frozen=True)
class BodySize:
    """What is known of a patient; a dose that needs more than is known is refused.

    Attributes
    ----------
    weight_kg, height_cm, age_years : float, optional
    sex : str, optional
        female or male.
    gfr_mL_per_min : float, optional
        Glomerular filtration rate. If absent, creatinine clearance stands for it.
    creatinine_mg_per_dL : float, optional
        In serum.
    bsa_formula : str
        mosteller or dubois.

    Raises
    ------
    InputError
        A number is not positive, or a word is unknown.
    """

    weight_kg: float | None = None
    height_cm: float | None = None
    sex: str | None = None
    age_years: float | None = None
    gfr_mL_per_min: float | None = None
    creatinine_mg_per_dL: float | None = None
    bsa_formula: str = "mosteller"

    def __post_init__(self) -> None:
        for key in ("weight_kg", "height_cm", "age_years", "gfr_mL_per_min", "creatinine_mg_per_dL"):
            value = getattr(self, key)
            if value is not None and not 0.0 < value < math.inf:
                raise InputError(f"body size: {key} must be a positive number, it is {value}")
        if self.age_years is not None and self.age_years >= 140.0:
            raise InputError(f"body size: age_years must be below 140, it is {self.age_years:g}")
        if self.sex is not None and self.sex not in SEXES:
            raise unknown_word("sex", self.sex, SEXES, "body size")
        if self.bsa_formula not in BSA_FORMULAS:
            raise unknown_word("bsa_formula", self.bsa_formula, BSA_FORMULAS, "body size")

    @property
    def surface_m2(self) -> float:
        """Body surface (m2); InputError without weight and height."""
        weight, height = self._need("body surface", "weight_kg", "height_cm")
        return BSA_FORMULAS[self.bsa_formula](weight, height)

    @property
    def mass_kg(self) -> float:
        """Body weight (kg); InputError where it is unknown."""
        return self._need("body weight", "weight_kg")[0]

    @property
    def filtration_mL_per_min(self) -> float:
        """Glomerular filtration, measured or from creatinine; InputError where neither can be had."""
        if self.gfr_mL_per_min is not None:
            return self.gfr_mL_per_min
        if self.sex is None:
            raise InputError("filtration of the kidneys: give gfr_mL_per_min, or sex with the rest")
        needed = ("weight_kg", "age_years", "creatinine_mg_per_dL")
        weight, age, creatinine = self._need("filtration of the kidneys without gfr_mL_per_min", *needed)
        return cockcroft_gault(weight, age, self.sex, creatinine)

    def _need(self, what: str, *keys: str) -> list[float]:
        """Return known numbers."""
        if missing := [key for key in keys if getattr(self, key) is None]:
            raise InputError(f"{what}: {' and '.join(missing)} of the patient must be given")
        return [getattr(self, key) for key in keys]
