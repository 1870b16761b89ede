"""The linear-quadratic law of radiotherapy: survival S = exp(-alpha D - beta Q) after a dose D.

Q is the sum over all pairs of instants of the dose that the first and the second deposit, weakened by the repair in
between (Lea and Catcheside 1942, 10.1007/BF02982830). For fractions at which the dose rate is constant it has a
closed form, in which every fraction adds its own share and what the earlier ones have left unrepaired.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...abm.errors import InputError

HOURS = 24.0
QI = "10.3390/cancers4020566"  # head-and-neck cancer cells


@dataclass(frozen=True)
class Fraction:
    """One fraction.

    Attributes
    ----------
    time_days : float
        Start.
    dose_Gy : float
    duration_days : float
        Time of delivery at a constant rate; 0 is at once.
    """

    time_days: float
    dose_Gy: float
    duration_days: float = 0.0

    def __post_init__(self) -> None:
        for key in ("time_days", "dose_Gy", "duration_days"):
            value = getattr(self, key)
            if not (math.isfinite(value) and (value >= 0.0 or key == "time_days")):
                raise InputError(f"fraction: {key} must be a finite number from 0 on, got {value}")


@dataclass(frozen=True)
class LinearQuadratic:
    """How cells answer to radiation; the default is head-and-neck cancer.

    Attributes
    ----------
    alpha_per_Gy, beta_per_Gy2 : float
    repair_half_time_h : float
        Half-time of the repair of sublethal damage; 0 leaves nothing from one fraction to the next and takes
        every fraction as given at once.
    source : str
    """

    alpha_per_Gy: float = 0.22
    beta_per_Gy2: float = 0.22 / 8.1
    repair_half_time_h: float = 17.0 / 60.0
    source: str = QI

    def __post_init__(self) -> None:
        for key in ("alpha_per_Gy", "beta_per_Gy2", "repair_half_time_h"):
            value = getattr(self, key)
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(f"radiosensitivity: {key} must be a finite number from 0 on, got {value}")

    def log_kills(self, fractions: Sequence[Fraction]) -> np.ndarray:
        """Return what every fraction adds to -ln S, shape (fractions,), in order of time."""
        linear = np.array([f.dose_Gy for f in sorted(fractions, key=lambda f: f.time_days)])
        return self.alpha_per_Gy * linear + self.beta_per_Gy2 * squares(fractions, self.repair_half_time_h)

    def survival(self, fractions: Sequence[Fraction]) -> float:
        """Return the surviving share after a course without growth."""
        return math.exp(-float(self.log_kills(fractions).sum()))


def protraction(duration_days: float, repair_half_time_h: float) -> float:
    """Return the factor g by which repair during a fraction weakens the quadratic part, 0 to 1.

    g = 2 (x - 1 + exp(-x)) / x^2 with x = ln 2 duration / half-time; 1 at once, and without repair.
    """
    if not (duration_days > 0.0 and repair_half_time_h > 0.0):
        return 1.0
    x = math.log(2.0) * duration_days * HOURS / repair_half_time_h
    if x < 1e-4:  # the closed form cancels
        return 1.0 - x / 3.0 + x * x / 12.0
    return 2.0 * (x + math.expm1(-x)) / (x * x)


def squares(fractions: Iterable[Fraction], repair_half_time_h: float) -> np.ndarray:
    """Return what every fraction adds to Q, Gy^2, shape (fractions,), in order of time.

    Fraction j adds g d_j^2 + 2 d_j U_j with the dose U_j that is unrepaired, averaged over its delivery.

    Parameters
    ----------
    fractions : iterable of Fraction
        Not overlapping.
    repair_half_time_h : float
        0 for d^2 each.

    Raises
    ------
    InputError
        Two fractions overlap.
    """
    ordered = sorted(fractions, key=lambda f: f.time_days)
    added = np.zeros(len(ordered))
    unrepaired, since = 0.0, -math.inf
    rate = math.log(2.0) * HOURS / repair_half_time_h if repair_half_time_h > 0.0 else math.inf
    for j, fraction in enumerate(ordered):
        if fraction.time_days < since:
            raise InputError(
                f"radiotherapy: the fraction of day {fraction.time_days:g} overlaps the one before"
            )
        dose = fraction.dose_Gy
        added[j] = protraction(fraction.duration_days, repair_half_time_h) * dose * dose
        if rate < math.inf:
            x = rate * fraction.duration_days
            left = -math.expm1(-x) / x if x > 0.0 else 1.0  # of a dose spread over the delivery, at its end
            unrepaired *= math.exp(-rate * (fraction.time_days - since)) if since > -math.inf else 0.0
            added[j] += 2.0 * dose * unrepaired * left
            unrepaired = unrepaired * math.exp(-x) + dose * left
        since = fraction.time_days + fraction.duration_days
    return added


def incomplete_repair(fractions: int, interval_h: float, repair_half_time_h: float) -> float:
    """Return the factor h of equally spaced fractions: Q = n d^2 (1 + h).

    Parameters
    ----------
    fractions : int
    interval_h, repair_half_time_h : float
        Thames 1985 (10.1080/09553008514550461).

    Raises
    ------
    InputError
        Fewer than one fraction, or an interval that is not positive.
    """
    if fractions < 1 or not interval_h > 0.0:
        raise InputError(
            f"incomplete repair: needs 1 fraction or more at a positive interval, got {fractions}, {interval_h}"
        )
    if not repair_half_time_h > 0.0:
        return 0.0
    left = 2.0 ** (-interval_h / repair_half_time_h)
    return 2.0 * left / (1.0 - left) * (1.0 - (1.0 - left**fractions) / (fractions * (1.0 - left)))


def bed_Gy(
    fractions: int,
    dose_Gy: float,
    alpha_beta_Gy: float,
    quadratic_factor: float = 1.0,
    repopulation_days: float = 0.0,
    alpha_per_Gy: float = 0.35,
    doubling_days: float = 3.0,
) -> float:
    """Return the biologically effective dose, Gy (Fowler 2010, 10.1259/bjr/31372149).

    BED = n d (1 + f d / (alpha/beta)) - ln 2 T / (alpha T_p).

    Parameters
    ----------
    fractions : int
    dose_Gy : float
        A fraction.
    alpha_beta_Gy : float
    quadratic_factor : float
        1, or 1 + h of ``incomplete_repair``, or ``protraction``.
    repopulation_days : float
        T: days of the course after the tumour has begun to repopulate.
    alpha_per_Gy, doubling_days : float
        Only used with repopulation; T_p is the doubling time.

    Raises
    ------
    InputError
        A number that must be positive is not.
    """
    for name, value in (
        ("alpha_beta_Gy", alpha_beta_Gy), ("alpha_per_Gy", alpha_per_Gy), ("doubling_days", doubling_days)
    ):  # fmt: skip
        if not value > 0.0:
            raise InputError(f"biologically effective dose: {name} must be above 0, got {value}")
    lost = math.log(2.0) * repopulation_days / (alpha_per_Gy * doubling_days)
    return fractions * dose_Gy * (1.0 + quadratic_factor * dose_Gy / alpha_beta_Gy) - lost


def eqd2_Gy(bed: float, alpha_beta_Gy: float) -> float:
    """Return the dose in fractions of 2 Gy that has the same biologically effective dose, Gy."""
    if not alpha_beta_Gy > 0.0:
        raise InputError(f"equivalent dose: alpha_beta_Gy must be above 0, got {alpha_beta_Gy}")
    return bed / (1.0 + 2.0 / alpha_beta_Gy)


def oxygen_factor(oxygen_mmHg: np.ndarray | float, most: float = 3.0, half_mmHg: float = 3.0):
    """Return the share of a dose that counts at an oxygen pressure, 1 / most to 1.

    (most p + half) / (most (p + half)) (Alper and Howard-Flanders 1956, 10.1038/178978a0): the linear part of
    the kill scales with the factor, the quadratic part with its square.

    Parameters
    ----------
    oxygen_mmHg : float or ndarray
    most : float
        Oxygen enhancement ratio at full oxygen.
    half_mmHg : float
        Pressure of half the enhancement.
    """
    pressure = np.asarray(oxygen_mmHg, dtype=np.float64)
    return (most * pressure + half_mmHg) / (most * (pressure + half_mmHg))
