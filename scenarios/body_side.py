"""The body of a scenario: its patient, its doses, its burn-in and the ports to the tissue."""

from collections.abc import Mapping
from typing import Any

from ..abm.errors import InputError, unknown_word
from ..abm.model import Model
from ..ode_coupling.couple import CellPort, DrugAccount, Ports, ReleasePort, SignalPort
from ..ode_coupling.dosing import Dose, cycle_doses
from ..ode_coupling.immune.qcic.model import VARIANTS
from ..ode_coupling.system import Body, BodyError
from .course import body_parameter
from .patients import load_population, sample
from .scenario import Scenario

MOST_PATIENTS = 10_000  # patient k is the k-th of a stream, so a number beyond reason would draw for hours
NO_PATIENT = "tissue alone"


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
    values = sample(population, number, table.get("population_seed", 1))[number - 1]
    return f"{table['population']}-{number}", values


def schedule_of(tables: Mapping[str, Any]) -> list[Dose]:
    """Return the doses of all regimens of a scenario over the whole run.

    Raises
    ------
    InputError
    """
    days = tables["scenario"]["duration_days"]
    open_ended = tables["scenario"]["treatment"] == "until progression"
    doses: list[Dose] = []
    for regimen in tables.get("regimen", []):
        doses += cycle_doses(
            regimen["drug"],
            regimen["amount"],
            days=tuple(regimen["days"]),
            cycle_days=regimen["cycle_days"],
            cycles=None if open_ended else regimen.get("cycles"),
            duration_days=regimen["infusion_days"],
            first_day=regimen["first_day"],
            until_days=days,
        )
    return sorted(doses, key=lambda dose: (dose.time_days, dose.drug))


def variant_code(name: str) -> float:
    """Return the code of a variant of the body's equations that a lattice can own part of.

    Raises
    ------
    InputError
        Unknown variant, or one that creates and destroys cells.
    """
    if name not in VARIANTS:
        raise unknown_word("variant", name, VARIANTS, "[body]")
    if name != "conservative":
        raise InputError(
            f"[body] variant '{name}' creates and destroys cells, so a lattice cannot own part of it; "
            "use 'conservative' (the ODE-only comparison runs either)"
        )
    return VARIANTS[name]


def burn_in(body_model, overrides: Mapping[str, float], settings: Mapping[str, Any]) -> Body:
    """Return the body after the burn-in: no doses, the tumour frozen.

    QCIC starts far from its immune quasi-equilibrium (CTL fall 86 % in the first week of every arm).

    Raises
    ------
    InputError
        The body model or variant is unknown, or its equations blow up with these values.
    """
    if settings["model"] != body_model.name:
        raise unknown_word("body model", settings["model"], [body_model.name], "[body]")
    body = Body(body_model, overrides, [], rtol=settings["tolerance"])
    body.set_input("variant", variant_code(settings["variant"]))
    body.set_input("freeze_tumour", 1.0)
    try:
        body.advance_to(float(settings["burn_in_days"]))
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
    """
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
    signals = tuple(
        SignalPort(
            s["signal"],
            s["body"],
            model.scope.number(s["factor"], s["unit"], f"[coupling] factor of {s['signal']}")
            if "factor" in s
            else 1.0,
        )
        for s in table["signals"]
    )
    releases = tuple(
        ReleasePort(f"{r['type']}: {event}", body_parameter(body, r["amount"]))
        for r in table["releases"]
        for event in r["events"]
    )
    for release in releases:
        if release.event not in model.events:
            raise unknown_word("event", release.event, model.events, "[coupling] releases")
    drugs = tuple(DrugAccount(d["drug"], tuple(d["states"])) for d in table["drugs"])
    volumes = body_parameter(body, table["blood_volume"]), body_parameter(body, table["tissue_volume"])
    return Ports(cells, signals, releases, drugs, *volumes)
