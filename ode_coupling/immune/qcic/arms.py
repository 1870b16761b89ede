"""The three arms of QCIC: doses as published, or on the clinical calendar."""

from collections.abc import Mapping

from ....abm.errors import unknown_word
from ...dosing import TAS102_DAYS, Dose, cycle_doses
from .tables import table_rows

ARMS = {"placebo": (), "tas102": ("TAS102",), "tas102_bev": ("TAS102", "bevacizumab")}
SCHEDULES = ("published", "clinical")
AMOUNTS = {"TAS102": "k_in_Chem", "bevacizumab": "k_in_Targ"}
CLINICAL_DAYS: dict[str, tuple[int, ...]] = {"TAS102": TAS102_DAYS, "bevacizumab": (1, 15)}  # of 28
INFUSION_DAYS = 0.1
CYCLES = 6


def arm_doses(
    arm: str,
    schedule: str = "published",
    until_days: float | None = None,
    patient: Mapping[str, float] | None = None,
) -> list[Dose]:
    """Return the doses of an arm, first dose on day 1.

    Published: the times and amounts of ``dosing.csv``, with which the published outputs were computed (TAS-102
    on days 1-5 and 8-12 of 28, six times; bevacizumab every 15 days, ten times). Clinical: the same TAS-102,
    and bevacizumab on days 1 and 15 of 28. Each dose is infused over 0.1 d. Source:
    10.1038/s41540-025-00513-1, amounts and times inferred from its outputs.

    Parameters
    ----------
    arm : str
        placebo, tas102 or tas102_bev.
    schedule : str
        published or clinical.
    until_days : float, optional
        No dose starts at or after this time (d). The clinical schedule goes on in cycles until then; without
        it, it has six cycles.
    patient : mapping, optional
        Parameter values; ``k_in_Chem`` and ``k_in_Targ`` are amounts a dose, where they are given.

    Raises
    ------
    InputError
        For an unknown arm or schedule.
    """
    if arm not in ARMS:
        raise unknown_word("arm", arm, ARMS, "qcic")
    if schedule not in SCHEDULES:
        raise unknown_word("schedule", schedule, SCHEDULES, "qcic")
    table = table_rows("dosing.csv")
    doses: list[Dose] = []
    for drug in ARMS[arm]:
        rows = [row for row in table if row["drug"] == drug]
        amount = (patient or {}).get(AMOUNTS[drug], float(rows[0]["amount"]))
        if schedule == "clinical":
            doses += cycle_doses(
                drug,
                amount,
                CLINICAL_DAYS[drug],
                cycles=CYCLES if until_days is None else None,
                duration_days=INFUSION_DAYS,
                until_days=until_days,
            )
        else:
            starts = [float(row["start_day"]) for row in rows]
            doses += [
                Dose(start, drug, amount, INFUSION_DAYS)
                for start in starts
                if until_days is None or start < until_days
            ]
    return sorted(doses, key=lambda dose: (dose.time_days, dose.drug))
