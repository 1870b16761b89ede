"""The names in a scenario that its tissue model or its body must know."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...abm.compile.model_file import as_list
from ...abm.compile.quantities import parse_unit
from ...abm.errors import InputError, unknown_word
from ...abm.model import Model
from ...abm.ode_model import OdeModel, Parameter, Variable
from ...abm.vocabulary import ADMIT
from ...ode_coupling.immune.qcic.model import VARIANTS
from ...ode_coupling.system import DOSE_RATE, OWNED
from ...ode_coupling.toxicity.friberg import ANC
from ..files.scenario import Scenario
from ..files.systemic import body_model, body_parameters, of_file
from ..files.tissue_keys import placed_types
from ..patients.sample import load_population
from ..tissue.numbers import resolve_numbers
from ..treatment.companions import body_model_of
from ..treatment.radiation import Radiation
from ..treatment.trial import Trial
from ..treatment.trial_keys import observed_names
from .model import scenario_model


def wrong_names(scenario: Scenario) -> list[str]:
    """Return which names of a scenario do not exist in its tissue model or its body, one sentence each.

    Raises
    ------
    InputError
        The tissue model does not compile, or controller and stopping rule do not fit it.
    """
    model, tables = scenario_model(scenario, draft=True), scenario.tables
    Trial(tables, model)
    Radiation(tables, model)
    resolve_numbers(tables["tissue"], model)
    declared = set(scenario.model_spec.parameters)
    names = list(_body_names(tables, model)) if "body" in tables else []
    if "body" in tables:
        declared |= body_parameters(tables).keys()
    outside = tables.get("parameters", {}), tables.get("patient", {}).get("values", {})
    names += [("parameter", name, declared) for table in outside for name in table]
    population = tables.get("patient", {}).get("population")
    if population is not None:
        names += [("parameter", law.name, declared) for law in load_population(population).laws]
    names += [("cell type", word, {t.name for t in model.types}) for word in placed_types(tables["tissue"])]
    problems = [
        str(unknown_word(kind, word, choices, scenario.name))
        for kind, word, choices in names
        if word not in choices
    ]
    coupling = tables.get("coupling", {"cells": [], "signals": []})
    problems += _admitted_by_nobody(scenario, coupling["cells"], model)
    for entry in (*coupling["cells"], *coupling["signals"]):
        for key, unit in (("weight", "1"), ("factor", entry.get("unit", "1"))):
            if key in entry:
                model.scope.positive(entry[key], unit, f"{scenario.name} [coupling] {key}", zero=False)
    return problems


def _body_names(tables: Mapping[str, Any], model: Model) -> Iterator[tuple[str, str, set[str]]]:
    """Yield (kind, word, valid words) of every name that a body must know."""
    body = body_model_of(tables, body_model(tables))
    yield from _coupled(tables["coupling"], model, body)
    if not of_file(tables):
        yield "variant", tables["body"]["variant"], set(VARIANTS)
    yield from (("drug", regimen["drug"], _drugs(body)) for regimen in tables.get("regimen", []))
    named = {part.name for part in (*body.states, *body.outputs)}
    seen = named | ({ANC.name} if "toxicity" in tables else set())
    yield from (("state or output of the body", word, seen) for word in observed_names(tables))
    if "toxicity" in tables:
        yield "state or output of the body", tables["toxicity"]["concentration"], named


def _admitted_by_nobody(
    scenario: Scenario, cells: Iterable[Mapping[str, Any]], model: Model
) -> Iterator[str]:
    """Yield one sentence for every type that arrives from the body and that no cell of the tissue lets in."""
    let_in = {model.types[slot["object"] - 1].name for slot in model.tables.slots if slot["verb"] == ADMIT}
    known = {info.name for info in model.types}
    for cell in cells:
        if "arrival" in cell and cell["type"] in known - let_in:
            yield (
                f"{scenario.name}: [coupling] brings {cell['type']} from blood, and no cell of the tissue has the "
                f"behaviour 'admit {cell['type']}', so none would enter; add that behaviour to the model or take "
                "'arrival' out"
            )


def _drugs(body: OdeModel) -> set[str]:
    return {i.name.removeprefix(DOSE_RATE) for i in body.inputs if i.name.startswith(DOSE_RATE)}


def _of_unit(items: Iterable[Variable | Parameter], unit: str) -> set[str]:
    """Return the names of what a body keeps in a unit; one that a body model writes in its own way is let pass."""
    wanted, found = parse_unit(unit), set()
    for item in items:
        try:
            own = parse_unit(item.unit)
        except InputError:
            found.add(item.name)
            continue
        if own.dimension == wanted.dimension and math.isclose(own.size, wanted.size):
            found.add(item.name)
    return found


def _coupled(table: Mapping[str, Any], model: Model, body: OdeModel) -> Iterator[tuple[str, str, set[str]]]:
    """Yield (kind, word, valid words) of every name in [coupling]."""
    types, signals = {info.name for info in model.types}, {signal.name for signal in model.signals}
    states, outputs, inputs = ({i.name for i in part} for part in (body.states, body.outputs, body.inputs))
    pools = _of_unit(body.states, "cells/L")
    for key in ("blood_volume", "tissue_volume"):
        yield "body parameter", table[key], _of_unit(body.parameters, "L")
    if "antigen_output" in table:
        yield "body output", table["antigen_output"], outputs
    if "antigen_turnover" in table:
        yield "body parameter", table["antigen_turnover"], _of_unit(body.parameters, "1/d")
    for cell in table["cells"]:
        yield "cell type", cell["type"], types
        yield "body state", cell["tissue"], {name.removeprefix(OWNED) for name in inputs} & pools
        if "blood" in cell:
            yield "body state", cell["blood"], pools
        if "arrival" in cell:
            yield "body output", cell["arrival"], _of_unit(body.outputs, "cells/d")
    for entry in table["signals"]:
        yield "body signal", entry["signal"], signals
        yield "body state or output", entry["body"], states | outputs
    for release in table["releases"]:
        yield "body parameter", release["amount"], _of_unit(body.parameters, "1")
        for event in as_list(release["events"]):
            yield "event", f"{release['type']}: {event}", set(model.events)
    for drug in table["drugs"]:
        yield "drug", drug["drug"], _drugs(body)
        yield from (("body state", state, states) for state in as_list(drug["states"]))
    yield from (("body state", entry["body"], states) for entry in table.get("plasma", []))
