"""The exact solution of any linear compartment model between dose edges, by the matrix exponential.

A compartment model moves amounts along rates that are not negative. Its matrix plus a multiple of the identity has
no negative entry, so the exponential is a sum and product of such matrices: nothing cancels, every amount keeps its
relative accuracy, and none turns negative.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel
from ..dosing import Dose, Regimen
from ..system import DOSE_RATE

TERMS = 18  # of the Taylor series at norm 1/2: the next one is below 1e-22
PROBED_DAYS = (0.0, 1e-3, 0.1, 1.0, 7.7, 33.3, 365.0, 1e4, 1e6)


def parameter_vector(model: OdeModel, parameters: Mapping[str, float] | None) -> np.ndarray:
    """Return the parameter vector of a model with some values changed by name."""
    p = model.parameter_values()
    for name, value in (parameters or {}).items():
        p[model.index("parameters", name)] = value
    return p


def flow_matrices(
    model: OdeModel, parameters: Mapping[str, float] | None = None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return A and B of y' = A y + B u, or None if the model is not linear with constant rates.

    The columns are what the right-hand side makes of unit amounts and unit inputs; states and inputs at random, at
    other times, must then agree with them.

    Returns
    -------
    (A, B) : ndarray, shapes (states, states) and (states, inputs), or None
    """
    p = parameter_vector(model, parameters)
    n, m = len(model.states), len(model.inputs)

    def rates(t: float, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        dy = np.zeros(n)
        model.rhs(t, y, p, u, dy)
        return dy

    flows = np.array([rates(0.0, unit, np.zeros(m)) for unit in np.eye(n)]).T
    inflows = np.array([rates(0.0, np.zeros(n), unit) for unit in np.eye(m)]).T.reshape(n, m)
    rng = np.random.default_rng(1)
    for t in PROBED_DAYS:
        y, u = rng.lognormal(0.0, 2.0, n), rng.random(m)
        expected = flows @ y + inflows @ u
        scale = np.abs(flows) @ y + np.abs(inflows) @ u
        if (np.abs(rates(t, y, u) - expected) > 1e-12 * scale).any():
            return None
    return flows, inflows


def transitions(flows: np.ndarray, inflow: np.ndarray, durations: np.ndarray) -> np.ndarray:
    """Return exp of [[flows, inflow], [0, 0]] times each duration.

    Parameters
    ----------
    flows : ndarray, shape (states, states)
        No entry off the diagonal is negative.
    inflow : ndarray, shape (states,)
        Constant input, not negative.
    durations : ndarray, shape (durations,)
        Not negative (d).

    Returns
    -------
    ndarray, shape (durations, states + 1, states + 1)
    """
    n = len(flows)
    matrix = np.zeros((n + 1, n + 1))
    matrix[:n, :n], matrix[:n, n] = flows, inflow
    shift = float(-np.diag(flows).min(initial=0.0))
    closed = np.abs(flows.sum(axis=0)).max(initial=0.0) <= 1e-12 * shift  # nothing leaves: columns sum to one
    longest = float(durations.max(initial=0.0)) * shift
    halvings = max(0, math.ceil(math.log2(2.0 * longest))) if longest > 0.0 else 0
    step = np.asarray(durations, dtype=np.float64)[:, None, None] / 2.0**halvings
    shifted = (matrix + shift * np.eye(n + 1)) * step
    result = term = np.broadcast_to(np.eye(n + 1), (len(step), n + 1, n + 1))
    for order in range(1, TERMS + 1):
        term = term @ shifted / order
        result = result + term
    result = result * np.exp(-shift * step)
    for halving in range(halvings + 1):
        if halving > 0:
            result = result @ result
        result[:, n, n] = 1.0
        if closed:  # or rounding would double with every squaring
            result[:, :, :n] /= result[:, :, :n].sum(axis=1, keepdims=True)
    return result


def _port(model: OdeModel, drug: str, route: str) -> int:
    names = {variable.name.removeprefix(DOSE_RATE): i for i, variable in enumerate(model.inputs)}
    for name in (f"{drug}_{route}", drug):
        if name in names:
            return names[name]
    raise unknown_word("drug", drug, names, f"doses of {model.name}")


def amounts(
    times_days: np.ndarray,
    doses: Iterable[Dose],
    model: OdeModel,
    parameters: Mapping[str, float] | None = None,
    start_days: float = 0.0,
) -> np.ndarray:
    """Return the states of a linear model at given times, exact whatever the distance between them.

    At the time of a bolus the value is the one before it, as ``Body`` has it.

    Parameters
    ----------
    times_days : ndarray, shape (times,)
        Not before ``start_days``, in any order.
    doses : iterable of Dose
        They enter where ``Body`` lets them.
    model : OdeModel
    parameters : mapping, optional
        Parameter name to value, over the model's own.
    start_days : float
        Time of the model's initial state.

    Returns
    -------
    ndarray, shape (times, states)

    Raises
    ------
    InputError
        The model is not linear; an unknown drug or parameter; a dose or a time before the start.
    """
    matrices = flow_matrices(model, parameters)
    if matrices is None:
        raise InputError(f"{model.name}: not linear with constant rates; integrate it with Body instead")
    flows, inflows = matrices
    times = np.asarray(times_days, dtype=np.float64)
    regimen = Regimen(doses)
    entries = inflows[:, [_port(model, drug, route) for drug, route in regimen.columns]]
    if min([*regimen.edges, *times], default=start_days) < start_days:
        raise InputError(
            f"{model.name}: a dose or an output time lies before the start at day {start_days:g}"
        )
    result = np.empty((times.size, len(model.states)))
    result[times == start_days] = model.initial
    y, begin, inflow = model.initial, start_days, np.zeros(len(flows))
    for number, edge in enumerate([*regimen.edges, math.inf]):
        wanted = np.flatnonzero((times > begin) & (times <= edge))
        ends = times[wanted] if edge == math.inf else np.append(times[wanted], edge)
        after = (transitions(flows, inflow, ends - begin) @ np.append(y, 1.0))[:, :-1]
        result[wanted] = after[: wanted.size]
        if edge < math.inf:
            y, begin = after[-1] + entries @ regimen.boluses[number], edge
            inflow = entries @ regimen.rates[number]
    return result
