"""The persister variant: drug-pressure cells that divide slowly, so that treatment prolongs life.

As published, the cells that come through chemotherapy (X3) outgrow those that they replace, and no single law of
death makes treatment prolong life. Slow-cycling persisters were seen in colorectal cancer by Rehman et al. 2021
(10.1016/j.cell.2020.11.018). The numbers here are assumed: chosen so that one population and one law of death
give the published response at week 8 and order of survival. Equations: the conservative variant.
"""

from collections.abc import Mapping

from ....abm.errors import InputError

PUBLISHED_BETA_X3 = (0.01, 0.07, 0.6, 0.3)  # 1/d: lowest, highest, shapes of the Beta law of treated patients
BETA_X3 = (0.005, 0.018, 2.0, 2.0)  # 1/d, assumed
FACTORS = {
    "rho_X3X1": 0.065,
    "rho_X3X2": 0.065,
    "sigma_X1": 0.67,
    "sigma_X2": 0.67,
    "varepsilon_TX1": 0.71,
    "varepsilon_TX2": 0.71,
    "varepsilon_TX3": 0.71,
}  # assumed
SHIFTS = {"d_X1": -0.001, "d_X2": -0.001}  # 1/d, assumed
DEATH = (1.60, 0.195)  # P(death per day) = logistic((ln(X / X0) - first) / second), assumed


def persister_patient(values: Mapping[str, float]) -> dict[str, float]:
    """Return a treated QCIC patient as the persister variant sees him.

    beta_X3 keeps its rank: the value at the same quantile of the new law. The others are multiplied or shifted.

    Parameters
    ----------
    values : mapping
        Parameter name to value, all that ``FACTORS`` and ``SHIFTS`` name and beta_X3.

    Raises
    ------
    InputError
        If beta_X3 lies outside the law of treated patients, or d_X1 or d_X2 below what is taken off.
    """
    from scipy.special import betainc, betaincinv

    low, high, a, b = PUBLISHED_BETA_X3
    if not low <= values["beta_X3"] <= high:
        raise InputError(
            f"variant persister: beta_X3 must lie in {low:g} to {high:g}/day, where the law of treated patients "
            f"has a rank for it, not at {values['beta_X3']:g}; choose another patient or variant"
        )
    rank = betainc(a, b, (values["beta_X3"] - low) / (high - low))
    low, high, a, b = BETA_X3
    changed = dict(values) | {"beta_X3": float(low + (high - low) * betaincinv(a, b, rank))}
    for name, factor in FACTORS.items():
        changed[name] = factor * values[name]
    for name, shift in SHIFTS.items():
        changed[name] = values[name] + shift
        if changed[name] < 0.0:
            raise InputError(
                f"variant persister: {name} must be at least {-shift:g}/day, not {values[name]:g}; "
                "choose another patient or variant"
            )
    return changed
