"""Assemble a scenario: body burnt in, tissue placed, model compiled, both sides coupled."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.advance import Tissue
from ..abm.errors import InputError, unknown_word
from ..abm.model import Model, compile_model, read_types
from ..abm.parameters import Override
from ..abm.placement import Placement
from ..abm.state import first_state
from ..abm.vocabulary import ADMIT
from ..ode_coupling.couple import CellPort, CoupledRun, DrugAccount, Ports, ReleasePort, SignalPort
from ..ode_coupling.dosing import Dose, cycle_doses
from ..ode_coupling.immune.qcic.model import VARIANTS, qcic
from ..ode_coupling.system import Body, BodyError
from .patients import load_population, sample
from .scenario import Scenario
from .store import to_json
from .tissue import draw_densities, place_scenario, read_cell_table

MOST_PATIENTS = 10_000  # patient k is the k-th of a stream, so a number beyond reason would draw for hours
MOST_SEED = 2**63 - 1  # the run file holds seeds as 64-bit integers


@dataclass
class Simulation:
    """A scenario ready to run.

    Attributes
    ----------
    scenario : Scenario
    seed : int
    coupled : CoupledRun
    placement : Placement
    patient : str
        Name of the virtual patient.
    patient_values : dict of str to float
    doses : list of Dose
        As scheduled.
    tissue_provenance : dict
        What identifies a cell table (empty without one).
    """

    scenario: Scenario
    seed: int
    coupled: CoupledRun
    placement: Placement
    patient: str
    patient_values: dict[str, float]
    doses: list[Dose]
    tissue_provenance: dict[str, Any]

    @property
    def model(self) -> Model:
        """Return the compiled tissue model."""
        return self.coupled.tissue.model


def patient_of(scenario: Scenario) -> tuple[str, dict[str, float]]:
    """Return name and parameter values of the scenario's virtual patient.

    Raises
    ------
    InputError
    """
    table = scenario.tables.get("patient", {})
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


def build(scenario: Scenario, seed: int, tissue_file: Path | None = None, threads: int = 1) -> Simulation:
    """Assemble a simulation at time 0.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        Decides placement, luck of every cell and recruitment; patients and arms may share it.
    tissue_file : Path, optional
        Cell table that replaces the drawn tissue.
    threads : int

    Raises
    ------
    InputError
    """
    if not 0 <= seed <= MOST_SEED:
        raise InputError(f"the seed must be a whole number from 0 to {MOST_SEED}, got {seed}")
    # keys in sorted order, as the run key sees them: the order in a file must not change a result
    tables, spec = json.loads(to_json(scenario.tables)), scenario.model_spec
    patient, values = patient_of(scenario)
    doses = schedule_of(scenario.tables)
    body_model = qcic()
    body_names = {p.name for p in body_model.parameters}
    tissue_overrides, body_overrides = _route(scenario, values, body_names)

    burnt = burn_in(body_model, body_overrides, tables["body"])
    types = read_types(spec)
    table = read_cell_table(tissue_file) if tissue_file else None
    # lattice pitch and other numbers that placement needs do not depend on what is placed
    draft = compile_model(spec, tissue_overrides, {})
    densities = draw_densities(tables["tissue"], seed)
    placement = place_scenario(tables, types, draft, densities, seed, table)
    measured = measure(placement, draft, tables, burnt)
    model = compile_model(spec, tissue_overrides, measured)
    state = first_state(
        model, placement, seed, _entry_factors(model, placement, densities, table is not None)
    )
    tissue = Tissue(model, state, threads)

    body = Body(body_model, body_overrides, doses, rtol=tables["body"]["tolerance"])
    body.y[:] = burnt.y
    body.set_input("variant", _variant(tables["body"]["variant"]))
    coupled = CoupledRun(tissue, body, _ports(tables["coupling"], model, body))
    coupled.open()
    provenance = table.provenance if table else {}
    return Simulation(scenario, seed, coupled, placement, patient, values, doses, provenance)


def _variant(name: str) -> float:
    if name not in VARIANTS:
        raise unknown_word("variant", name, VARIANTS, "[body]")
    if name != "conservative":
        raise InputError(
            f"[body] variant '{name}' creates and destroys cells, so a lattice cannot own part of it; "
            "use 'conservative' (the ODE-only comparison runs either)"
        )
    return VARIANTS[name]


def _route(
    scenario: Scenario, patient: Mapping[str, float], body_names: set[str]
) -> tuple[dict[str, Override], dict[str, float]]:
    """Send patient, scenario and user values to the tissue, the body or both, by name."""
    tissue: dict[str, Override] = {}
    body: dict[str, float] = {}
    known = scenario.model_spec.parameters
    entries: list[tuple[str, float, str | None, str]] = [
        (name, value, None, "virtual patient") for name, value in patient.items()
    ]
    for name, entry in scenario.tables.get("parameters", {}).items():
        entries.append((name, entry["value"], entry.get("unit"), entry["source"]))
    entries += [(name, value, unit, "user") for name, (value, unit) in scenario.user_parameters.items()]
    for name, value, unit, source in entries:
        if name not in known and name not in body_names:
            raise unknown_word("parameter", name, set(known) | body_names, f"{source} value")
        if name in known:
            tissue[name] = Override(value, unit, source)
        if name in body_names:
            body[name] = _in_body_unit(name, value, unit, known)
    return tissue, body


def _in_body_unit(name: str, value: float, unit: str | None, known: Mapping[str, Any]) -> float:
    """Return a value in the body model's unit; a shared parameter has the same unit on both sides."""
    if unit is None:
        return value
    if name not in known:
        raise InputError(
            f"--set {name}: give body parameters without a unit, in the unit that describe prints"
        )
    from ..abm.quantities import in_unit, quantity

    return in_unit(quantity(value, unit, name), known[name]["unit"], name)


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
    body.set_input("variant", _variant(settings["variant"]))
    body.set_input("freeze_tumour", 1.0)
    try:
        body.advance_to(float(settings["burn_in_days"]))
    except BodyError as error:
        raise InputError(
            f"{error}; set body parameters and body.burn_in_days nearer to their defaults"
        ) from None
    return body


def body_parameter(body: Body, name: str) -> float:
    """Return a parameter of a body by name."""
    return float(body.p[body.model.index("parameters", name)])


def measure(placement: Placement, draft: Model, tables: Mapping[str, Any], burnt: Body) -> dict[str, float]:
    """Return what the placed tissue defines: ``sites``, ``count <word>`` and ``weight <type>``.

    The weight of an immune type is the body's amount at time 0 over the number placed, so that the lattice
    starts with exactly what the body had.
    """
    _, ny, nx = placement.occupant.shape
    counts = np.bincount(placement.occupant.reshape(-1), minlength=len(draft.types) + 1)
    measured = {"sites": float(ny * nx)}
    for word in {info.name for info in draft.types} | {info.group for info in draft.types}:
        measured[f"count {word}"] = float(sum(counts[i] for i in draft.members(word)))
    if not measured.get("count tumour", 1.0):
        raise InputError("the placed tissue holds no tumour cell; check the mapping of phenotypes")
    volume = body_parameter(burnt, tables["coupling"]["tissue_volume"])
    for cell in tables["coupling"]["cells"]:
        placed = measured.get(f"count {cell['type']}", 0.0)
        if cell.get("blood"):
            if not placed:
                raise InputError(
                    f"the placed tissue holds no {cell['type']}, so its weight is undefined; "
                    f"map a phenotype to it or raise tissue.least_immune"
                )
            measured[f"weight {cell['type']}"] = burnt.get(cell["tissue"]) * volume / placed
    return measured


def _entry_factors(
    model: Model, placement: Placement, densities: Mapping[str, Mapping[str, float]], real: bool
) -> np.ndarray:
    """Return the relative weight of an entry point by arriving type and region.

    Recruitment keeps up the regional densities that the tissue starts with: drawn tissue uses the densities
    that were drawn; a cell table uses what was placed, per entry point of the region.
    """
    factor = np.ones((len(model.types) + 1, len(placement.region_names)))
    slots = model.tables.slots
    admitting = [t for t, row in enumerate(model.tables.types) if row["admit_last"] > row["admit_first"]]
    inside = [placement.occupant[:, placement.region == r] for r in range(len(placement.region_names))]
    for type_id in sorted({int(slot["object"]) for slot in slots if slot["verb"] == ADMIT}):
        name = model.types[type_id - 1].name
        for r, region in enumerate(placement.region_names):
            if real:
                entries = np.isin(inside[r], admitting).sum()
                factor[type_id, r] = (inside[r] == type_id).sum() / max(entries, 1)
            else:
                factor[type_id, r] = densities.get(name, {}).get(region, 1.0)
        if not factor[type_id].any():
            factor[type_id] = 1.0
    return factor


def _ports(table: Mapping[str, Any], model: Model, body: Body) -> Ports:
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
