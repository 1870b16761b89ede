"""Doses to concentrations: the exact solution where the model is linear, the integrator elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel, Variable
from ..dosing import Dose
from ..system import DOSE_RATE, Body
from .compartments import IV
from .drug_file import Drug, load_drug
from .linear import amounts
from .patients import pk_model
from .structures import STRUCTURES

RTOL = 1e-9  # of the integrator; absolute tolerance: this share of the largest dose


def delayed(doses: Iterable[Dose], lag_days: float) -> list[Dose]:
    """Return the doses a lag time (d) later: a dose whose absorption lags is a later dose."""
    return [replace(dose, time_days=dose.time_days + lag_days) for dose in doses]


def checked_doses(doses: Iterable[Dose], model: OdeModel, drug: str, lag_days: float = 0.0) -> list[Dose]:
    """Return the doses of a drug with those into a depot delayed by the lag.

    Parameters
    ----------
    doses : iterable of Dose
    model : OdeModel
        With inputs ``dose_rate_<drug>`` (iv) and ``dose_rate_<drug>_<route>``.
    drug : str
    lag_days : float

    Raises
    ------
    InputError
        A dose of another drug, or by a route that the model has no input for.
    """
    inputs = [variable.name.removeprefix(DOSE_RATE + drug) for variable in model.inputs]
    routes = [name.removeprefix("_") or IV for name in inputs]
    checked = []
    for dose in doses:
        if dose.drug != drug:
            raise unknown_word("drug", dose.drug, [drug], f"doses of {model.name}")
        if dose.route not in routes:
            raise unknown_word("route", dose.route, routes, f"doses of {drug}")
        checked += [dose] if dose.route == IV else delayed([dose], lag_days)
    return checked


def column(variable: Variable) -> str:
    """Return the name of a column with its unit: central_mg, concentration_mg_per_L."""
    unit = variable.unit.replace("/", "_per_")
    return (
        variable.name
        if variable.unit == "1" or variable.name.endswith(f"_{unit}")
        else f"{variable.name}_{unit}"
    )


def simulate_pk(
    drug: str | Path | Drug,
    doses: Iterable[Dose],
    times_days: np.ndarray,
    covariates: Mapping[str, object] | None = None,
    eta: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Return amounts and concentrations of a drug in one patient.

    Parameters
    ----------
    drug : str, Path or Drug
    doses : iterable of Dose
        In mg (CAR-T: cells), each with its route. A bolus counts after its time, not at it.
    times_days : ndarray, shape (times,)
        In ascending order.
    covariates, eta
        As for ``pk_model``.

    Returns
    -------
    dict of str to ndarray, shape (times,)
        ``time_days``, then states and outputs with their units in their names.

    Raises
    ------
    InputError
        Unknown drug, route, covariate or random effect; times out of order.
    BodyError
        The equations cannot be integrated.
    """
    found = load_drug(drug)
    given = sorted(doses, key=lambda dose: dose.time_days)
    times = np.asarray(times_days, dtype=np.float64)
    if not (np.diff(times) >= 0.0).all():
        raise InputError(f"{found.name}: the output times must be in ascending order")
    start = min([0.0, *times[:1], *(dose.time_days for dose in given)])
    first = given[0].time_days if given else 0.0
    model, parameters = pk_model(found, covariates, eta, treatment_start=first)
    checked = checked_doses(given, model, found.name, parameters.get("lag", 0.0))
    if STRUCTURES[found.structure].linear:
        states = amounts(times, checked, model, start_days=start)
    else:
        states = _integrated(times, checked, model, start)
    columns = {"time_days": times}
    columns |= {column(state): states[:, i] for i, state in enumerate(model.states)}
    outputs = np.zeros((times.size, len(model.outputs)))
    p, u = model.parameter_values(), np.zeros(len(model.inputs))
    for i, t in enumerate(times):
        model.observe(t, np.ascontiguousarray(states[i]), p, u, outputs[i])
    return columns | {column(output): outputs[:, i] for i, output in enumerate(model.outputs)}


def _integrated(times: np.ndarray, doses: list[Dose], model: OdeModel, start: float) -> np.ndarray:
    atol = RTOL * max((dose.amount for dose in doses), default=1.0)
    body = Body(model, doses=doses, rtol=RTOL, atol=max(atol, 1e-12), start_days=start)
    states = np.empty((times.size, len(model.states)))
    for i, t in enumerate(times):
        body.advance_to(float(t))
        states[i] = body.y
    return states
