"""The structural models by name, and a checked way to make one from numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel, Parameter
from ..dosing import ROUTES
from . import (
    car_t,
    compartments,
    decaying_clearance,
    metabolite,
    michaelis_menten,
    sigmoid_clearance,
    target_mediated,
    two_compartment,
)
from .compartments import CENTRAL, DEEP, DEPOT, IV, PERIPHERAL

START = "treatment_start"
SMALLEST, LARGEST = 1e-30, 1e30  # beyond them products of rates leave the range of double precision
Specs = Mapping[str, tuple[str, str, str]]  # parameter -> (unit, what it may be, meaning)


@dataclass(frozen=True)
class Structure:
    """A structural model.

    Attributes
    ----------
    build : callable
        (drug, parameters by name, routes) -> OdeModel.
    own : mapping
        Parameters of its own: name -> (unit, what it may be, meaning).
    disposition : bool
        Whether those of one to three compartments and a depot come on top.
    linear : bool
        Whether all rates are constant multiples of amounts.
    amount : str
        What doses are counted in: mg or cells.
    """

    build: Callable[[str, Mapping[str, Parameter], Sequence[str]], OdeModel]
    own: Specs
    disposition: bool = True
    linear: bool = False
    amount: str = "mg"

    @property
    def specs(self) -> dict[str, tuple[str, str, str]]:
        """Return all parameters that the structure knows."""
        base = {**CENTRAL, **PERIPHERAL, **DEEP, **DEPOT} if self.disposition else {}
        return {**base, **self.own}

    def needed(self, given: Mapping[str, object], routes: Sequence[str]) -> list[str]:
        """Return the names of the parameters that a model of these routes needs beside what is given."""
        base = compartments.disposition_names(given, routes) if self.disposition else []
        return [*base, *self.own]


STRUCTURES = {
    "linear": Structure(compartments.build, {}, linear=True),
    "two_compartment": Structure(two_compartment.build, two_compartment.PARAMETERS, False, True),
    "sigmoid_clearance": Structure(sigmoid_clearance.build, sigmoid_clearance.PARAMETERS),
    "decaying_clearance": Structure(decaying_clearance.build, decaying_clearance.PARAMETERS),
    "michaelis_menten": Structure(michaelis_menten.build, michaelis_menten.PARAMETERS),
    "target_mediated": Structure(target_mediated.build, target_mediated.PARAMETERS),
    "metabolite": Structure(metabolite.build, metabolite.PARAMETERS, linear=True),
    "car_t": Structure(car_t.build, car_t.PARAMETERS, disposition=False, amount="cells"),
}


def find_structure(name: str, where: str) -> Structure:
    """Return a structural model by name; InputError if there is none."""
    if name not in STRUCTURES:
        raise unknown_word("structural model", name, STRUCTURES, where)
    return STRUCTURES[name]


def check_routes(structure: Structure, routes: Sequence[str], where: str) -> None:
    """Check the routes of a drug: known, one depot at most, none where the structure has no depot.

    Raises
    ------
    InputError
    """
    for route in routes:
        if route not in ROUTES:
            raise unknown_word("route", str(route), ROUTES, where)
    depots = [route for route in routes if route != IV]
    if not routes or len(set(routes)) < len(routes) or len(depots) > 1:
        raise InputError(
            f"{where}: 'routes' must hold iv, one of po, sc and im, or both, got {list(routes)}; "
            "a second depot needs a file of its own"
        )
    if depots and not structure.disposition:
        raise InputError(f'{where}: this structural model has no depot; give routes = ["iv"]')


def check_value(value: float, kind: str, where: str) -> None:
    """Check a number against what it may be: "positive", "not negative" or "a fraction".

    Raises
    ------
    InputError
    """
    good = {"positive": value > 0.0, "not negative": value >= 0.0, "a fraction": 0.0 <= value <= 1.0}[kind]
    if not (good and value <= LARGEST and (kind != "positive" or value >= SMALLEST)):
        limits = f", {SMALLEST:g} to {LARGEST:g}" if good else ""
        raise InputError(f"{where} must be {kind}{limits}, it is {value:g}")


def check_names(structure: Structure, given: Mapping[str, object], routes: Sequence[str], where: str) -> None:
    """Check that all parameters are there that the structure needs for these routes, and no other.

    Raises
    ------
    InputError
    """
    needed = structure.needed(given, routes)
    for name in given:
        if name not in needed:
            if name in structure.specs:
                raise InputError(
                    f"{where}: parameter '{name}' stands alone; deep_* go with peripheral ones, "
                    "and absorption, bioavailability and lag with a route other than iv"
                )
            raise unknown_word("parameter", name, structure.specs, where)
    for name in needed:
        if name not in given and name != START:
            unit, _, meaning = structure.specs[name]
            raise InputError(f"{where}: parameter '{name}' is missing ({meaning}, {unit})")
    if "deep_flow" in needed and "flow" not in needed:
        raise InputError(
            f"{where}: a deep compartment comes after a peripheral one; give flow and peripheral_volume"
        )


def structural_model(
    structure: str,
    drug: str,
    values: Mapping[str, float | Parameter],
    routes: Sequence[str] = (IV,),
) -> OdeModel:
    """Return a structural model with the given parameters.

    Parameters
    ----------
    structure : str
        One of ``STRUCTURES``.
    drug : str
        Doses enter through ``dose_rate_<drug>`` (iv) and ``dose_rate_<drug>_<route>``.
    values : mapping
        Parameter name to value in house units (days, L, mg, nM) or to a ``Parameter``. ``treatment_start`` is 0 if
        absent.
    routes : sequence of str
        "iv" and at most one of "po", "sc" and "im".

    Raises
    ------
    InputError
        Unknown structure, route or parameter; a parameter that is missing or out of its range.
    """
    where = f"PK model of {drug}"
    found = find_structure(structure, where)
    check_routes(found, routes, where)
    check_names(found, values, routes, where)
    parameters = {}
    for name in found.needed(values, routes):
        unit, kind, meaning = found.specs[name]
        value = values.get(name, 0.0)
        if not isinstance(value, Parameter):
            value = Parameter(name, float(value), unit, "user", meaning)
        check_value(value.value, kind, f"{where}: {name}")
        parameters[name] = value
    return found.build(drug, parameters, routes)
