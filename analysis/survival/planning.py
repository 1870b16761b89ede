"""How many events a trial needs."""

import math

from scipy import stats

from ...abm.errors import InputError
from ..columns import chance, choice

METHODS = ("freedman", "schoenfeld")


def required_events(
    hazard_ratio: float,
    power: float = 0.8,
    alpha: float = 0.05,
    share: float = 0.5,
    method: str = "freedman",
) -> int:
    """Return the number of events with which a log-rank test finds a hazard ratio.

    Parameters
    ----------
    hazard_ratio : float
        Of treatment against control; positive and not 1.
    power : float
    alpha : float
        Two-sided.
    share : float
        Share of the patients who are treated.
    method : str
        freedman, z^2 (1 + share/(1 - share) HR)^2 / (share/(1 - share) (1 - HR)^2)
        (10.1002/sim.4780010204), or schoenfeld, z^2 / (share (1 - share) (ln HR)^2) (10.2307/2531021), with
        z the sum of the normal quantiles of 1 - alpha/2 and of the power.

    Raises
    ------
    InputError
        For a hazard ratio of 1 or below 0, and chances outside 0..1.
    """
    choice("method", method, METHODS, "required_events")
    if not (hazard_ratio > 0.0 and math.isfinite(hazard_ratio)) or hazard_ratio == 1.0:
        raise InputError(f"hazard_ratio must be positive and not 1, not {hazard_ratio:g}")
    quantiles = stats.norm.ppf([1.0 - chance(alpha, "alpha") / 2.0, chance(power, "power")])
    z = float(quantiles.sum())
    treated = chance(share, "share")
    if method == "schoenfeld":
        events = z**2 / (treated * (1.0 - treated) * math.log(hazard_ratio) ** 2)
    else:
        ratio = treated / (1.0 - treated)
        events = z**2 * (1.0 + ratio * hazard_ratio) ** 2 / (ratio * (1.0 - hazard_ratio) ** 2)
    return math.ceil(events - 1e-9)
