"""One to three compartments, an optional depot and the eliminated amount: one right-hand side for all layouts.

The sizes of the parameter vector tell the layout: molar mass, central volume and clearance, then a pair of flow
and volume a peripheral compartment, then, with a depot, absorption, bioavailability and lag: an even number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numba import njit

from ...abm.ode_model import OdeModel, Parameter, Variable
from ..integrate import ODE_SIGNATURE
from .plasma import NM_PER_MG_PER_L

MOLAR_MASS, VOLUME, CLEARANCE, PAIRS = range(4)
IV = "iv"

# name -> (unit, what it may be, meaning); what is optional comes in groups that go together
CENTRAL = {
    "molar_mass": ("g/mol", "positive", "molar mass"),
    "volume": ("L", "positive", "volume of the central compartment"),
    "clearance": ("L/d", "not negative", "elimination clearance from the central compartment"),
}
PERIPHERAL = {
    "flow": ("L/d", "not negative", "flow to the peripheral compartment and back"),
    "peripheral_volume": ("L", "positive", "volume of the peripheral compartment"),
}
DEEP = {
    "deep_flow": ("L/d", "not negative", "flow to the deep peripheral compartment and back"),
    "deep_volume": ("L", "positive", "volume of the deep peripheral compartment"),
}
DEPOT = {
    "absorption": ("1/d", "positive", "first-order absorption from the depot"),
    "bioavailability": ("1", "a fraction", "share of a depot dose that is absorbed"),
    "lag": ("d", "not negative", "time from a depot dose to the start of its absorption"),
}


@njit(cache=True, error_model="numpy")
def depot_states(n) -> int:
    """Return 1 if n disposition parameters describe a model with a depot, else 0."""
    return 1 - n % 2


@njit(cache=True, error_model="numpy")
def eliminated_state(n) -> int:
    """Return the position of the eliminated amount for n disposition parameters."""
    depot = depot_states(n)
    return depot + 1 + (n - PAIRS - 3 * depot) // 2


@njit(cache=True, error_model="numpy")
def exchange(y, p, n, u, concentration, lost, dy) -> None:
    """Write the change (mg/d) of depot, central, peripheral and eliminated amounts.

    Parameters
    ----------
    n : int
        The first n parameters are those of disposition.
    u : ndarray
        Dose rates (mg/d), into the central compartment first, into the depot last.
    concentration : float
        In the central compartment (mg/L), of what exchanges with the periphery.
    lost : float
        Elimination from the central compartment (mg/d).
    """
    depot = depot_states(n)
    eliminated = eliminated_state(n)
    dy[depot], dy[eliminated] = -lost, lost
    for pair in range(eliminated - depot - 1):
        here = depot + 1 + pair
        out = p[PAIRS + 2 * pair] * (concentration - y[here] / p[PAIRS + 2 * pair + 1])
        dy[depot] -= out
        dy[here] = out
    if depot == 0:
        dy[0] += u[0]
        return
    given, absorbed = u[u.size - 1], p[n - 3] * y[0]
    dy[0] = p[n - 2] * given - absorbed
    dy[1] += absorbed
    dy[eliminated] += (1.0 - p[n - 2]) * given  # not absorbed: eliminated at once, so that nothing vanishes
    if u.size > 1:
        dy[1] += u[0]


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def rhs(t, y, p, u, dy) -> None:
    """Write the change (mg/d) of every amount under linear elimination."""
    concentration = y[depot_states(p.size)] / p[VOLUME]
    exchange(y, p, p.size, u, concentration, p[CLEARANCE] * concentration, dy)


@njit(cache=True, error_model="numpy")
def observe_central(y, p, n, out) -> None:
    """Write the concentration in the central compartment, mg/L and nM."""
    out[0] = y[depot_states(n)] / p[VOLUME]
    out[1] = out[0] / p[MOLAR_MASS] * NM_PER_MG_PER_L


@njit(ODE_SIGNATURE, cache=True, error_model="numpy")
def observe(t, y, p, u, out) -> None:
    """Write the concentration in the central compartment, mg/L and nM."""
    observe_central(y, p, p.size, out)


CONCENTRATIONS = (
    Variable("concentration", "mg/L", "in the central compartment"),
    Variable("concentration_nM", "nM", "in the central compartment"),
)


def disposition_names(given: Mapping[str, object], routes: Sequence[str]) -> list[str]:
    """Return the names of the disposition parameters in their order, for what is given and the routes."""
    names = list(CENTRAL)
    for pair in (PERIPHERAL, DEEP):
        if any(name in given for name in pair):
            names += pair
    return names + list(DEPOT if any(route != IV for route in routes) else ())


def disposition_states(given: Mapping[str, object], routes: Sequence[str]) -> tuple[Variable, ...]:
    """Return the states of disposition in their order."""
    depot = [Variable("depot", "mg", "dose to be absorbed")] if any(r != IV for r in routes) else []
    pairs = [name for name, pair in (("peripheral", PERIPHERAL), ("deep", DEEP)) if next(iter(pair)) in given]
    names = ["central", *pairs, "eliminated"]
    return (*depot, *(Variable(name, "mg") for name in names))


def dose_inputs(drug: str, routes: Sequence[str]) -> tuple[Variable, ...]:
    """Return the inputs that doses enter through, the intravenous one first."""
    iv = [Variable(f"dose_rate_{drug}", "mg/d", "into the central compartment")] if IV in routes else []
    depot = [
        Variable(f"dose_rate_{drug}_{route}", "mg/d", "into the depot") for route in routes if route != IV
    ]
    return (*iv, *depot)


def disposition_model(
    structure: str,
    drug: str,
    parameters: Mapping[str, Parameter],
    routes: Sequence[str],
    kernels: tuple[Callable, Callable],
    own: Iterable[str] = (),
    states: tuple[Variable, ...] = (),
    outputs: tuple[Variable, ...] = (),
    initial: Sequence[float] = (),
) -> OdeModel:
    """Return a model of disposition with what a structure adds after it.

    Parameters
    ----------
    structure, drug : str
    parameters : mapping
        By name, in house units, as ``structural_model`` checks them.
    routes : sequence of str
    kernels : (rhs, observe)
    own : iterable of str
        The structure's own parameters, after those of disposition.
    states, outputs : tuple of Variable
        The structure's own, after those of disposition.
    initial : sequence of float
        Of the structure's own states.
    """
    base = disposition_states(parameters, routes)
    return OdeModel(
        name=f"{structure}_{drug}",
        time_unit="d",
        states=base + states,
        inputs=dose_inputs(drug, routes),
        outputs=CONCENTRATIONS + outputs,
        parameters=tuple(parameters[name] for name in (*disposition_names(parameters, routes), *own)),
        initial=np.array([0.0] * len(base) + list(initial)),
        rhs=kernels[0],
        observe=kernels[1],
    )


def build(drug: str, parameters: Mapping[str, Parameter], routes: Sequence[str]) -> OdeModel:
    """Return the linear model of a drug."""
    return disposition_model("linear", drug, parameters, routes, (rhs, observe))
