"""Two-compartment linear pharmacokinetics with micro-constants, as an ODE and in closed form."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numba import njit

from ...abm.errors import InputError
from ...abm.ode_model import OdeModel, Parameter, Variable
from ..dosing import Dose
from ..integrate import ODE_SIGNATURE
from .compartments import CONCENTRATIONS
from .plasma import NM_PER_MG_PER_L

CENTRAL, PERIPHERAL, ELIMINATED = range(3)
K12, K21, K10, VOLUME, MOLAR_MASS = range(5)

PARAMETERS = {
    "k12": ("1/d", "positive", "central to peripheral"),
    "k21": ("1/d", "positive", "peripheral to central"),
    "k10": ("1/d", "positive", "elimination from the central compartment"),
    "volume": ("L", "positive", "volume of the central compartment"),
    "molar_mass": ("g/mol", "positive", "molar mass"),
}


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg/d) of central, peripheral and eliminated amount."""
    out, back, lost = p[K12] * y[CENTRAL], p[K21] * y[PERIPHERAL], p[K10] * y[CENTRAL]
    dy[CENTRAL] = u[0] + back - out - lost
    dy[PERIPHERAL] = out - back
    dy[ELIMINATED] = lost


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentration in the central compartment, mg/L and, where the molar mass is known, nM."""
    out[0] = y[CENTRAL] / p[VOLUME]
    if out.size > 1:
        out[1] = out[0] / p[MOLAR_MASS] * NM_PER_MG_PER_L


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str] = ("iv",)) -> OdeModel:
    """Return the model of a drug whose doses all enter the central compartment, as micro-constants give it."""
    given = [name for name in PARAMETERS if name in parameters]
    return OdeModel(
        name=f"two_compartment_{drug}",
        time_unit="d",
        states=tuple(Variable(name, "mg") for name in ("central", "peripheral", "eliminated")),
        inputs=(Variable(f"dose_rate_{drug}", "mg/d", "into the central compartment"),),
        outputs=CONCENTRATIONS if "molar_mass" in given else CONCENTRATIONS[:1],
        parameters=tuple(parameters[name] for name in given),
        initial=np.zeros(3),
        rhs=rhs,
        observe=observe,
    )


def two_compartment(
    drug: str, k12: float, k21: float, k10: float, volume_L: float, source: str = "user"
) -> OdeModel:
    """Return the model of a drug without a file, from its numbers alone.

    Parameters
    ----------
    drug : str
        Doses of this drug enter the central compartment.
    k12, k21, k10 : float
        Micro-constants (1/d): central to peripheral, back, elimination; positive.
    volume_L : float
        Volume of the central compartment; positive.
    source : str

    Raises
    ------
    InputError
        If a number is not positive.
    """
    parameters = {}
    for name, value in (("k12", k12), ("k21", k21), ("k10", k10), ("volume", volume_L)):
        if not value > 0.0:
            raise InputError(f"two-compartment model of {drug}: {name} must be positive, it is {value}")
        unit, _, meaning = PARAMETERS[name]
        parameters[name] = Parameter(name, value, unit, source, meaning)
    return build(drug, parameters)


def exact_amounts(
    times_days: np.ndarray, doses: Iterable[Dose], k12: float, k21: float, k10: float
) -> np.ndarray:
    """Return central, peripheral and eliminated amounts in closed form, shape (times, 3).

    With the roots of s^2 + (k12 + k21 + k10) s + k21 k10 as -fast and -slow, a unit bolus leaves
    central = sum of (k21 - r) / (other - r) exp(-r t) and peripheral = sum of k12 / (other - r) exp(-r t);
    an infusion is the integral of boluses. At the time of a bolus the value is the one before it.

    Parameters
    ----------
    times_days : ndarray, shape (times,)
    doses : iterable of Dose
        All into the central compartment, whatever the drug's name.
    k12, k21, k10 : float
        Micro-constants (1/d), positive.
    """
    times = np.asarray(times_days, dtype=np.float64)
    total, product = k12 + k21 + k10, k21 * k10
    fast = 0.5 * (total + np.sqrt(total * total - 4.0 * product))
    slow = product / fast  # not the difference, which cancels
    amounts = np.zeros((times.size, 3))
    for dose in doses:
        since = np.maximum(times - dose.time_days, 0.0)
        infused = np.minimum(since, dose.duration_days)
        given = dose.amount * (
            infused / dose.duration_days if dose.duration_days > 0.0 else times > dose.time_days
        )
        for rate, other in ((fast, slow), (slow, fast)):
            if dose.duration_days > 0.0:
                decay = np.exp(-rate * (since - infused)) * -np.expm1(-rate * infused)
                decay *= dose.amount / dose.duration_days / rate
            else:
                decay = given * np.exp(-rate * since)
            amounts[:, CENTRAL] += (k21 - rate) / (other - rate) * decay
            amounts[:, PERIPHERAL] += k12 / (other - rate) * decay
        amounts[:, ELIMINATED] += given
    amounts[:, ELIMINATED] -= amounts[:, CENTRAL] + amounts[:, PERIPHERAL]
    return amounts
