"""One QCIC patient without a lattice: the trajectory that spatial patients are compared with."""

from collections.abc import Iterable, Mapping

import numpy as np

from ..abm.errors import InputError, unknown_word
from .dosing import Dose
from .immune.qcic.model import TUMOUR_TYPES, VARIANTS, qcic
from .system import Body


def simulate(
    patient: Mapping[str, float],
    doses: Iterable[Dose],
    days: float,
    every_days: float = 7.0,
    variant: str = "conservative",
    burn_in_days: float = 0.0,
    rtol: float = 1e-6,
) -> dict[str, np.ndarray]:
    """Integrate one ODE-only QCIC patient.

    Parameters
    ----------
    patient : mapping
        Parameter name to value, over the published values.
    doses : iterable of Dose
        Times count from day 0, the end of the burn-in.
    days, every_days : float
        Horizon and interval of the records; the horizon is recorded too.
    variant : str
        paper_exact or conservative.
    burn_in_days : float
        Days before day 0 during which the tumour is frozen and no drug is given.
    rtol : float
        Relative tolerance.

    Returns
    -------
    dict of ndarray, shape (records,)
        ``time_days``, every state by name (cells/L, amounts), ``tumour_volume_cm3`` and ``TRI`` (volume over
        that of day 0, less 1).

    Raises
    ------
    InputError
        For an unknown variant or parameter, a negative horizon or an interval that is not positive.
    BodyError
        If the equations blow up.
    """
    if variant not in VARIANTS:
        raise unknown_word("variant", variant, VARIANTS, "qcic")
    if not (days >= 0.0 and every_days > 0.0 and burn_in_days >= 0.0):
        raise InputError(
            f"qcic: days and burn_in_days must not be negative and every_days positive, "
            f"they are {days}, {burn_in_days} and {every_days}"
        )
    model = qcic()
    body = Body(model, patient, doses, rtol=rtol, start_days=-burn_in_days)
    body.set_input("variant", VARIANTS[variant])
    if burn_in_days > 0.0:
        body.set_input("freeze_tumour", 1.0)
        body.advance_to(0.0)
        body.set_input("freeze_tumour", 0.0)
    times = np.arange(0.0, days, every_days)
    times = np.append(times, days)
    records = np.empty((len(model.states), times.size))
    for k, time in enumerate(times):
        body.advance_to(time)
        records[:, k] = body.y
    result = {"time_days": times, **{v.name: records[i] for i, v in enumerate(model.states)}}
    cells = sum(result[name] for name in TUMOUR_TYPES)
    value = {q.name: q.value for q in model.parameters} | dict(patient)
    result["tumour_volume_cm3"] = value["v_tumor"] * cells * value["V_C"] / value["V_e"]
    result["TRI"] = cells / cells[0] - 1.0
    return result
