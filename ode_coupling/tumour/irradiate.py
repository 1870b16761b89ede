"""Radiotherapy of a well-mixed tumour: every fraction is a jump of its cells at an exact time."""

from collections.abc import Iterable, Sequence

import numpy as np

from ...abm.errors import InputError
from ..system import Body
from .catalogue import cell_states
from .linear_quadratic import Fraction, LinearQuadratic


def irradiate(
    body: Body,
    fractions: Sequence[Fraction],
    until_days: float,
    response: LinearQuadratic | None = None,
    saturation: str = "",
    at_days: Iterable[float] = (),
) -> np.ndarray:
    """Advance a tumour under a course of radiotherapy and return its burden.

    Without saturation a fraction leaves the share S = exp(-log kill) of every cell state. With it only the
    proliferating share is hit: V falls by V (1 - S) (1 - V/K), the law of the proliferation saturation index V/K
    (Prokopiou 2015, 10.1186/s13014-015-0465-x).

    Parameters
    ----------
    body : Body
        Of a tumour model, at a time before the fractions; other treatment goes on as it is set.
    fractions : sequence of Fraction
        Those of a time before the body's must not be among them. A fraction acts at its start.
    until_days : float
        Where to stop; fractions after it are not given.
    response : LinearQuadratic, optional
        Head-and-neck cancer cells if absent.
    saturation : str
        Name of the parameter that is the carrying capacity, such as K; empty for none.
    at_days : iterable of float
        Times of record; a value at the time of a fraction is the one before it.

    Returns
    -------
    ndarray, shape (times of record,)
        The burden at ``at_days``, in their order.

    Raises
    ------
    InputError
        A fraction or a time of record lies before the body's time, or after the end for a record.
    """
    law = response or LinearQuadratic()
    ordered = sorted(fractions, key=lambda f: f.time_days)
    if ordered and ordered[0].time_days < body.t:
        raise InputError(f"radiotherapy: the first fraction lies before day {body.t:g}, where the tumour is")
    wanted = [float(day) for day in at_days]
    if wanted and not body.t <= min(wanted) <= max(wanted) <= until_days:
        raise InputError(f"radiotherapy: records must lie from day {body.t:g} to day {until_days:g}")
    cells = cell_states(body.model)
    capacity = body.p[body.model.index("parameters", saturation)] if saturation else np.inf
    kills = zip((f.time_days for f in ordered), law.log_kills(ordered), strict=True)
    # at one time: first the record, then the fraction
    events = sorted([(day, 0, 0.0) for day in set(wanted)] + [(day, 1, kill) for day, kill in kills])
    found: dict[float, float] = {}
    for day, is_fraction, kill in events:
        if day > until_days or (is_fraction and day == until_days):
            break
        body.advance_to(day)
        if is_fraction:
            hit = max(0.0, 1.0 - float(body.y[cells].sum()) / capacity)
            body.y[cells] *= 1.0 + np.expm1(-kill) * hit
        else:
            found[day] = body.output("burden")
    body.advance_to(until_days)
    return np.array([found[day] for day in wanted])
