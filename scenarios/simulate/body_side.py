"""The body of a scenario: its patient, its doses, its burn-in and the ports to the tissue."""

import math
from collections.abc import Mapping
from typing import Any

from ...abm.compile.model_file import as_list
from ...abm.compile.quantities import Unit, convert, parse_unit
from ...abm.errors import InputError, unknown_word
from ...abm.model import Model
from ...abm.ode_model import Variable
from ...ode_coupling.dosing import Dose
from ...ode_coupling.immune.qcic.model import VARIANTS
from ...ode_coupling.in_units import measure_of
from ...ode_coupling.ports import (
    ANTIGEN_BUFFER_DAYS,
    ANTIGEN_INPUT,
    DIRICHLET,
    EXCHANGED,
    EXCHANGES,
    PATTERN,
    STRANG,
    CellPort,
    DrugAccount,
    Flux,
    Ports,
    ReleasePort,
    SignalPort,
)
from ...ode_coupling.system import Body, BodyError
from ..files.regimen_keys import doses_of, size_of
from ..files.scenario import Scenario
from ..files.systemic import body_parameters, in_body_unit
from ..patients.sample import Kinetic, Law, load_population, sample, sample_tissue
from ..store.names import NO_PATIENT
from ..treatment.course import body_parameter, tumour_types

MOST_PATIENTS = 10_000  # patient k is the k-th of a stream, so a number beyond reason would draw for hours
FROZEN = "freeze_tumour"  # input of QCIC
# What a drug needs, or may have, in [coupling] to cross into tissue.
FLUX_KEYS = {"field", "central", "volume", "molar_mass", "scale", "partition", "mg_per_unit"}
_AMOUNT_UNITS = {"amount": ("dose", "mg")}  # drug in a body model that declares no unit


def patient_of(scenario: Scenario) -> tuple[str, dict[str, float]]:
    """Return name and parameter values of the scenario's virtual patient.

    Raises
    ------
    InputError
    """
    table = scenario.tables.get("patient", {})
    if "body" not in scenario.tables:
        return NO_PATIENT, {}
    if "values" in table:
        return "given", {name: float(value) for name, value in table["values"].items()}
    if "population" not in table:
        return "baseline", {}
    number = table.get("number", 1)
    if not 1 <= number <= MOST_PATIENTS:
        raise InputError(
            f"patient.number must be 1 to {MOST_PATIENTS}, got {number}; "
            "further patients come with another patient.population_seed"
        )
    population = load_population(table["population"])
    seed = table.get("population_seed", 1)
    values = (
        sample(population, number, seed)[number - 1] | sample_tissue(population, number, seed)[number - 1]
    )
    declared, body = scenario.model_spec.parameters, body_parameters(scenario.tables)
    laws: tuple[Law | Kinetic, ...] = (*population.laws, *population.tissue, *population.kinetics)
    for law in laws:
        if law.name in declared:  # the tissue may write the unit of a parameter of both in another way
            where = f"{table['population']}: {law.name}"
            values[law.name] = convert(values[law.name], law.unit, declared[law.name]["unit"], where)
        elif law.name in body:
            values[law.name] = in_body_unit(body[law.name], values[law.name], law.unit)
    return f"{population.name}-{number}", values


def density_stream(scenario: Scenario, seed: int) -> tuple[int, int]:
    """Return seed and number of the patient by whom the immune densities of a tissue are drawn.

    Densities are the patient's: they come with ``patient.number`` and ``patient.population_seed``, whatever the run's
    ``seed``, which decides placement and luck. A tissue without a body has no patient but its seed.

    Raises
    ------
    InputError
    """
    if "body" not in scenario.tables:
        return seed, 1
    table = scenario.tables.get("patient", {})
    number, of = table.get("number", 1), table.get("population_seed", 1)
    picked = load_population(table["population"]).selection if "population" in table else None
    return of, picked.numbers[number - 1] if picked else number


def schedule_of(tables: Mapping[str, Any]) -> list[Dose]:
    """Return the doses of all regimens of a scenario over the whole run.

    Raises
    ------
    InputError
    """
    days = tables["scenario"]["duration_days"]
    open_ended = tables["scenario"]["treatment"] == "until progression"
    size = size_of(tables)
    doses: list[Dose] = []
    for regimen in tables.get("regimen", []):
        doses += doses_of(regimen, size, days, open_ended)
    return sorted(doses, key=lambda dose: (dose.time_days, dose.drug))


def variant_code(name: str) -> float:
    """Return the code of a variant of the body's equations that a lattice can own part of.

    Raises
    ------
    InputError
        Unknown variant, or one that is for the ODE alone.
    """
    if name not in VARIANTS:
        raise unknown_word("variant", name, VARIANTS, "[body]")
    if name != "conservative":
        raise InputError(
            f"[body] variant '{name}' is for the ODE alone, a lattice cannot own part of it; use 'conservative' "
            f"(`oncolattice body qcic --variant {name}` runs the ODE)"
        )
    return VARIANTS[name]


def set_variant(body: Body, settings: Mapping[str, Any]) -> None:
    """Let a body follow a variant of its equations, where it has any.

    Raises
    ------
    InputError
    """
    if any(port.name == "variant" for port in body.model.inputs):
        body.set_input("variant", variant_code(settings["variant"]))


def burn_in(body_model, overrides: Mapping[str, float], settings: Mapping[str, Any]) -> Body:
    """Return the body after the burn-in: no doses, the tumour frozen.

    QCIC starts far from its immune quasi-equilibrium (CTL fall 86 % in the first week of every arm). In a file the
    species that the lattice owns stand still.

    Raises
    ------
    InputError
        The variant is unknown, or the equations blow up with these values.
    """
    body = Body(body_model, overrides, [], rtol=settings["tolerance"])
    set_variant(body, settings)
    if any(port.name == FROZEN for port in body_model.inputs):
        body.set_input(FROZEN, 1.0)
    try:
        body.advance_to(float(settings.get("burn_in_days", 0.0)))
    except BodyError as error:
        raise InputError(
            f"{error}; set body parameters and body.burn_in_days nearer to their defaults"
        ) from None
    return body


def weigh(measured: Mapping[str, float], coupling: Mapping[str, Any], burnt: Body) -> dict[str, float]:
    """Return ``weight <type>`` of every circulating type.

    The weight of an immune type is the body's amount at time 0 over the number placed, so that the lattice
    starts with exactly what the body had.

    Raises
    ------
    InputError
        The placed tissue holds no tumour cell, or none of a circulating type.
    """
    if not measured.get("count tumour", 1.0):
        raise InputError("the placed tissue holds no tumour cell; check the mapping of phenotypes")
    volume = body_parameter(burnt, coupling["tissue_volume"])
    weights = {}
    for cell in coupling["cells"]:
        placed = measured.get(f"count {cell['type']}", 0.0)
        if cell.get("blood"):
            if not placed:
                raise InputError(
                    f"the placed tissue holds no {cell['type']}, so its weight is undefined; "
                    f"map a phenotype to it or raise tissue.least_immune"
                )
            weights[f"weight {cell['type']}"] = burnt.get(cell["tissue"]) * volume / placed
    return weights


def make_ports(table: Mapping[str, Any], model: Model, body: Body) -> Ports:
    """Return what [coupling] lets cross, as numbers.

    Raises
    ------
    InputError
        A name that tissue or body do not have, a tumour type that neither crosses nor is left out, units that do
        not match, or a drug whose way is half described.
    """
    _check_tumour(table, model)
    cells = tuple(
        CellPort(
            c["type"],
            c["tissue"],
            model.scope.number(c["weight"], "1", f"[coupling] weight of {c['type']}"),
            c.get("blood", ""),
            c.get("arrival", ""),
        )
        for c in table["cells"]
    )
    signals = tuple(_signal_port(entry, model, body) for entry in table["signals"])
    releases = tuple(
        ReleasePort(f"{r['type']}: {event}", body_parameter(body, r["amount"]))
        for r in table["releases"]
        for event in as_list(r["events"])
    )
    for release in releases:
        if release.event not in model.events:
            raise unknown_word("event", release.event, model.events, "[coupling] releases")
    drugs = tuple(
        DrugAccount(d["drug"], tuple(as_list(d["states"])), _flux(d, model, body)) for d in table["drugs"]
    )
    volumes = body_parameter(body, table["blood_volume"]), body_parameter(body, table["tissue_volume"])
    return Ports(
        cells,
        signals,
        releases,
        drugs,
        *volumes,
        splitting=table.get("splitting", STRANG),
        buffer_days=float(table.get("antigen_buffer_days", ANTIGEN_BUFFER_DAYS)),
        release_at_start=_release_at_start(table, volumes[1], body),
        release_input=table.get("antigen_input", ANTIGEN_INPUT),
    )


def _check_tumour(table: Mapping[str, Any], model: Model) -> None:
    """Refuse a tumour type that would be missing from the volume without anyone having said so."""
    tumour, crossing, left_out = (
        tumour_types(model),
        [c["type"] for c in table["cells"]],
        table.get("left_out", []),
    )
    for name in left_out:
        if name not in tumour:
            raise unknown_word("tumour type", name, tumour, "[coupling] left_out")
        if name in crossing:
            raise InputError(f"[coupling]: '{name}' is in cells and in left_out; it is one of them")
    for name in tumour:
        if name not in crossing and name not in left_out:
            raise InputError(
                f"[coupling] cells: the tumour type '{name}' is missing, and would be from body and volume; "
                f'name it there, or say left_out = ["{name}"]'
            )


def _release_at_start(table: Mapping[str, Any], litres: float, body: Body) -> float:
    """Return the antigen (cell equivalents/d) that the burnt-in body releases, 0 where it is not asked for."""
    if ("antigen_output" in table) != ("antigen_turnover" in table):
        raise InputError("[coupling]: antigen_output and antigen_turnover belong together")
    if "antigen_output" not in table:
        return 0.0
    return body.output(table["antigen_output"]) * body_parameter(body, table["antigen_turnover"]) * litres


def _signal_port(entry: Mapping[str, Any], model: Model, body: Body) -> SignalPort:
    """Return what a body signal follows; units of body, factor and signal must match."""
    where = f"[coupling] factor of {entry['signal']}"
    factor_unit = entry.get("unit", "1")
    factor = model.scope.number(entry["factor"], factor_unit, where) if "factor" in entry else 1.0
    parts = {part.name: part for part in (*body.model.states, *body.model.outputs)}
    wanted = {signal.name: signal.unit for signal in model.signals}
    if entry["body"] in parts and entry["signal"] in wanted:
        part, need = parts[entry["body"]], parse_unit(wanted[entry["signal"]], where)
        by = parse_unit(factor_unit, where)
        supplied = [measure for measure in _measures(part) if _same(measure, by, need)]
        if _measures(part) and not supplied:
            raise InputError(
                f"[coupling] signals: '{entry['signal']}' is in {wanted[entry['signal']]}, but {entry['body']} in "
                f"{part.unit} times a factor in {factor_unit} is not; give a factor with its unit"
            )
        if supplied and not math.isclose(size := supplied[0].size * by.size, need.size):
            factor *= size / need.size
    return SignalPort(entry["signal"], entry["body"], factor)


def _measures(part: Variable) -> list[Unit]:
    """Return in what units a quantity of the body may be read; nothing where the body does not say."""
    own = _AMOUNT_UNITS.get(part.unit)
    found = map(parse_unit, own) if own and part.measure is None else [measure_of(part)]
    return [measure for measure in found if measure is not None]


def _same(own: Unit, by: Unit, need: Unit) -> bool:
    """Tell whether one unit times another measures what a third does."""
    pairs = zip(own.dimension, by.dimension, need.dimension, strict=True)
    return all(abs(a + b - c) < 1e-9 for a, b, c in pairs)


def _mg_per_unit(central: str, molar_mass: float, body: Body) -> float:
    """Return the milligrams in a unit of a body state that counts moles; 1 for any other."""
    states = {state.name: state for state in body.model.states}
    own = measure_of(states[central]) if central in states else None
    is_moles = own is not None and own.dimension == parse_unit("nmol").dimension
    return own.size * 1e-6 * molar_mass if own is not None and is_moles else 1.0


def _flux(entry: Mapping[str, Any], model: Model, body: Body) -> Flux | None:
    """Return where a drug crosses into the tissue, None for one that is a pattern or acts from blood."""
    where = f"[coupling] drug {entry['drug']}"
    word = entry.get("exchange", PATTERN)
    if word not in EXCHANGES:
        raise unknown_word("exchange", word, EXCHANGES, where)
    needed, given = ("field", "central", "volume", "molar_mass"), entry.keys() & FLUX_KEYS
    if word == PATTERN:
        if given:
            raise InputError(
                f"{where}: '{sorted(given)[0]}' has a meaning for exchange = '{EXCHANGED}' or '{DIRICHLET}' only"
            )
        return None
    if missing := [key for key in needed if key not in entry]:
        raise InputError(f"{where}: exchange = '{word}' needs '{missing[0]}' (in all: {', '.join(needed)})")

    def number(key: str, unit: str) -> float:
        return model.scope.positive(entry[key], unit, f"{where} {key}", zero=False)

    volume = entry["volume"]
    named = volume in {parameter.name for parameter in body.model.parameters}
    return Flux(
        entry["field"],
        entry["central"],
        body_parameter(body, volume) if named else number("volume", "L"),
        number("molar_mass", "Da"),
        number("scale", "1") if "scale" in entry else None,
        number("partition", "1") if "partition" in entry else 1.0,
        float(entry.get("mg_per_unit", _mg_per_unit(entry["central"], number("molar_mass", "Da"), body))),
        word == DIRICHLET,
    )
