"""The body model of a scenario: the cancer-immunity cycle by its name, or an SBML file in the units of the coupling."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...abm.compile.model_file import as_list
from ...abm.compile.quantities import parse_unit
from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel, Parameter, Variable
from ...ode_coupling.immune.qcic.model import qcic
from ...ode_coupling.in_units import Wanted, in_units, measure_of
from ...ode_coupling.ports import ANTIGEN_INPUT
from ...ode_coupling.system import DOSE_RATE

SUFFIXES = (".xml", ".sbml")
Tables = Mapping[str, Any]


def of_file(tables: Tables) -> bool:
    """Tell whether the body of a scenario, if it has one, is a file."""
    return Path(str(tables.get("body", {}).get("model", ""))).suffix in SUFFIXES


def body_model(tables: Tables) -> OdeModel:
    """Return the body model of a scenario that has a body.

    Raises
    ------
    InputError
        No such model; a file that is refused, or that has not what [coupling] and [body] doses name.
    """
    name = str(tables["body"]["model"])
    if not of_file(tables):
        if name != qcic().name:
            raise unknown_word("model", name, [qcic().name], "[body] (or an SBML file, .xml)")
        return qcic()
    path, coupling = Path(name), tables.get("coupling", {})
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    owned = tuple(cell["tissue"] for cell in coupling.get("cells", []))
    doses = tuple(sorted(_entrances(tables["body"]).items()))
    model, rooms = _imported(name, stamp, doses, owned)
    return in_units(model, dict(_wanted(model, rooms, coupling)), path.name)


Rooms = Mapping[str, tuple[str, bool]]  # of species: compartment, and whether it is kept as an amount


def _entrances(table: Tables) -> Mapping[str, str]:
    """Return which species of the file each drug enters."""
    doses: Mapping[str, str] = table.get("doses", {})
    for drug, species in doses.items():
        if not isinstance(species, str):
            raise InputError(f"[body] doses: '{drug}' must name a species of the file, got {species!r}")
    return doses


@lru_cache(maxsize=16)
def _imported(
    name: str, stamp: int, doses: tuple[tuple[str, str], ...], owned: tuple[str, ...]
) -> tuple[OdeModel, Rooms]:
    from ...ode_coupling.sbml.read import read_sbml, rooms

    return read_sbml(name, dict(doses), owned), rooms(name)


def _wanted(model: OdeModel, rooms: Rooms, coupling: Tables) -> Iterator[tuple[str, Wanted]]:
    """Yield in which units [coupling] wants what it names: cells, litres and days; drugs as amounts, masses in mg."""
    for key in ("blood_volume", "tissue_volume"):
        yield coupling.get(key, ""), Wanted("L")
    for cell in coupling.get("cells", []):
        for key in ("tissue", "blood"):
            room, is_amount = rooms.get(cell.get(key, ""), ("", False))
            yield cell.get(key, ""), Wanted("cells/L", room, -1) if is_amount else Wanted("cells/L")
        yield cell.get("arrival", ""), Wanted("cells/d")
    by_mass = {port.name for port in model.inputs if port.name.startswith(DOSE_RATE) and _is(port, "mg/d")}
    for port in by_mass:
        yield port, Wanted("mg/d")
    for drug in coupling.get("drugs", []):
        if drug.get("volume") in {parameter.name for parameter in model.parameters}:
            yield drug["volume"], Wanted("L")
        unit = "mg" if DOSE_RATE + drug["drug"] in by_mass else ""
        for state in as_list(drug["states"]):
            room, is_amount = rooms.get(state, ("", True))
            yield state, Wanted(unit) if is_amount else Wanted(unit, room, 1)
    if "releases" in coupling:
        yield coupling.get("antigen_input", ANTIGEN_INPUT), Wanted("cells/L/d")


def _is(item: Variable, unit: str) -> bool:
    own = measure_of(item)
    return own is not None and own.dimension == parse_unit(unit).dimension


def check_dose_unit(tables: Tables, drug: str, unit: str, place: str) -> None:
    """Check that an order comes out in what the file counts the drug in, where it says so.

    Raises
    ------
    InputError
    """
    ports = {port.name: port for port in body_model(tables).inputs}
    port = ports.get(DOSE_RATE + drug)
    if port is not None and measure_of(port) is not None and not _is(port, f"{unit}/d"):
        counted = port.unit.removesuffix("/d")
        raise InputError(
            f"{place}: the order comes out in {unit}, and the file counts {drug} in {counted}; give 'amount' in "
            f"{counted} in place of an order"
        )


def body_parameters(tables: Tables) -> dict[str, Parameter]:
    """Return the parameters of the body of a scenario by name, none without a body.

    Raises
    ------
    InputError
        As ``body_model``.
    """
    if "body" not in tables:
        return {}
    return {parameter.name: parameter for parameter in body_model(tables).parameters}


def in_body_unit(parameter: Parameter, value: float, unit: str | None) -> float:
    """Return a value of some unit in that of a parameter of the body, itself where either is not known.

    Raises
    ------
    InputError
        The units measure different things.
    """
    own = measure_of(parameter)
    if unit is None or own is None or unit == parameter.unit:
        return value
    given = parse_unit(unit, parameter.name)
    if given == own:  # the very same number
        return value
    if given.dimension != own.dimension:
        raise InputError(
            f"{parameter.name}: wrong dimension, got {unit} where {parameter.unit} is needed; check the units"
        )
    return value * given.size / own.size


def check_body(tables: Tables, where: str) -> None:
    """Check what the keys of [body] say together.

    Raises
    ------
    InputError
        A key is missing that the cancer-immunity cycle needs, or a key is there that only a file can have.
    """
    table = tables.get("body", {})
    if not of_file(tables):
        for key in ("variant", "burn_in_days") if table else ():
            if key not in table:
                raise InputError(
                    f"{where} [body]: '{key}' is missing; the body model '{table['model']}' needs it"
                )
        if "doses" in table:
            raise InputError(
                f"{where} [body]: 'doses' says which species of an SBML file a drug enters; '{table['model']}' knows "
                "where its drugs go, take it out"
            )
    _entrances(table)


def needs_cycle(tables: Tables, what: str) -> None:
    """Refuse what only the cancer-immunity cycle can serve.

    Raises
    ------
    InputError
    """
    if of_file(tables):
        file = Path(tables["body"]["model"]).name
        raise InputError(
            f"{what} needs the body model '{qcic().name}'; the body of this scenario is the file {file}"
        )
