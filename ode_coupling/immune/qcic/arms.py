"""The three arms of QCIC: doses as published, or on the clinical calendar."""

from ....abm.errors import unknown_word
from ...dosing import Dose, cycle_doses
from .model import qcic

ARMS = {"placebo": (), "tas102": ("TAS102",), "tas102_bev": ("TAS102", "bevacizumab")}
SCHEDULES = ("published", "clinical")
INFUSION_DAYS = 0.1
CYCLES = 6


def arm_doses(arm: str, schedule: str = "published", until_days: float | None = None) -> list[Dose]:
    """Return the doses of an arm, first dose on day 1.

    TAS-102 on days 1-5 and 8-12 of 28. Bevacizumab every 15 days from day 1, ten times ("published"), or on
    days 1 and 15 of 28 ("clinical"). Amounts are the parameters ``k_in_Chem`` and ``k_in_Targ``, each infused
    over 0.1 d. Source: 10.1038/s41540-025-00513-1, amounts and times inferred from its published outputs.

    Parameters
    ----------
    arm : str
        placebo, tas102 or tas102_bev.
    schedule : str
        published or clinical.
    until_days : float, optional
        Treat in cycles until this time; six cycles of TAS-102 if absent.
    """
    if arm not in ARMS:
        raise unknown_word("arm", arm, ARMS, "qcic")
    if schedule not in SCHEDULES:
        raise unknown_word("schedule", schedule, SCHEDULES, "qcic")
    amounts = {q.name: q.value for q in qcic().parameters if q.name in ("k_in_Chem", "k_in_Targ")}
    cycles = CYCLES if until_days is None else None
    doses: list[Dose] = []
    if "TAS102" in ARMS[arm]:
        doses += cycle_doses(
            "TAS102", amounts["k_in_Chem"], cycles=cycles, duration_days=INFUSION_DAYS, until_days=until_days
        )
    if "bevacizumab" in ARMS[arm]:
        days, cycle_days, repeats = ((1,), 15.0, 10) if schedule == "published" else ((1, 15), 28.0, CYCLES)
        doses += cycle_doses(
            "bevacizumab",
            amounts["k_in_Targ"],
            days,
            cycle_days,
            repeats if until_days is None else None,
            INFUSION_DAYS,
            until_days=until_days,
        )
    return sorted(doses, key=lambda dose: (dose.time_days, dose.drug))
