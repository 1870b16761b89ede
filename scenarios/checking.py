"""Check any file of the package, and print the JSON Schema of those that people write."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..abm import vocabulary as v
from ..abm.compile_rules import split_behaviour
from ..abm.errors import InputError, unknown_word
from ..abm.keys import bounds
from ..abm.model import Model, load_model
from ..abm.model_file import LIBRARY as MODELS
from ..abm.model_file import ModelSpec, as_list, read_part, read_toml
from ..abm.ode_model import OdeModel
from ..abm.quantities import names_in, parse_unit
from ..abm.toml_text import is_file
from ..ode_coupling.immune.qcic.model import VARIANTS, qcic
from ..ode_coupling.pk.drug_file import LIBRARY as PK_LIBRARY
from ..ode_coupling.pk.drug_file import load_drug
from ..ode_coupling.toxicity.friberg import ANC
from .companion_side import body_model_of
from .keys import (
    DESIGNS,
    ENTRY_KEYS,
    LIST_SECTIONS,
    NESTED,
    REQUIRED_SECTIONS,
    SCENARIO_KEYS,
    SEVERAL,
    STUDY_KEYS,
    WORDS,
)
from .listing import scenario_model
from .patients import load_population
from .radiation import Radiation
from .scenario import LIBRARY, Scenario, load_scenario
from .study import load_study
from .tissue_keys import placed_types
from .tissue_numbers import resolve_numbers
from .trial import Trial
from .trial_keys import observed_names

_HDF5 = b"\x89HDF\r\n\x1a\n"
_DOSE_RATE = "dose_rate_"


def check_file(path: str | Path) -> list[str]:
    """Return what is wrong with a model, scenario, study or run file, one sentence each; nothing if valid.

    Parameters
    ----------
    path : str or Path
        A file (TOML, SBML or HDF5), or the name of a library model, drug, scenario, study or population. A file with
        parameters or rules but no [model] is read as a part that models include, and checked word by word.
    """
    try:
        return _check(_locate(str(path)))
    except InputError as error:
        return [str(error)]


def _locate(name: str) -> Path:
    folders = (MODELS, MODELS / "drugs", LIBRARY, LIBRARY / "populations", PK_LIBRARY)
    for path in (Path(name), *(folder / f"{name}.toml" for folder in folders)):
        if is_file(path):
            return path
    if os.path.exists(name) or Path(name).suffix:
        raise InputError(f"{name}: no such file; give a .toml, .h5 or .xml file, or a library name")
    choices = [path.stem for folder in folders for path in folder.glob("*.toml")]
    raise unknown_word("name", name, choices, "check (a file or a library name)", "list")


def _check(path: Path) -> list[str]:
    if path.suffix in (".h5", ".hdf5") or _starts_with(path, _HDF5):
        from .store import check_run
        from .store.replicates import check_replicates, is_replicates

        return check_replicates(path) if is_replicates(path) else check_run(path)
    if path.suffix in (".xml", ".sbml"):
        from ..ode_coupling.sbml import read_sbml

        read_sbml(path)
        return []
    tables, _ = read_toml(path)
    if "model" in tables:
        load_model(str(path))
    elif "scenario" in tables:
        return check_scenario(load_scenario(str(path)))
    elif "study" in tables:
        study = load_study(str(path))
        return [
            f"arm {arm}: {problem}"
            for arm in study.arms
            for problem in check_scenario(load_scenario(arm, study.settings))
        ]
    elif "population" in tables:
        load_population(path)
    elif "drug" in tables:
        load_drug(path)
    elif tables.keys() & {"parameters", *v.MODEL_KEYS}:
        check_part(read_part(path))
    else:
        found = ", ".join(tables) or "none"
        return [
            f"{path}: needs a [model], [scenario], [study], [population] or [drug] table (sections found: {found})"
        ]
    return []


def _starts_with(path: Path, head: bytes) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(len(head)) == head
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check path and permissions") from None


def check_part(spec: ModelSpec) -> None:
    """Check the words of a file that models include, as far as they do not depend on the rest of a model.

    Raises
    ------
    InputError
    """
    for name, entry in spec.parameters.items():
        parse_unit(entry["unit"], f"parameter '{name}'")
        if "expr" in entry:
            names_in(entry["expr"], f"parameter '{name}'")
    for section, entries in spec.sections.items():
        for entry in entries:
            for key, (kind, *_) in v.MODEL_KEYS[section].items():
                if kind == "expression" and key in entry:
                    names_in(entry[key], f"{entry['where']} {key}")
                if (section, key) in _MODEL_WORDS and key in entry:
                    _one_of(entry[key], _MODEL_WORDS[section, key], key, entry["where"])
            if "unit" in entry:
                parse_unit(entry["unit"], entry["where"])
            if section in ("behaviour", "rule"):
                split_behaviour(entry["do" if section == "behaviour" else "behaviour"], entry["where"])
            for signal in as_list(entry["signal"]) if section == "rule" else ():
                _one_of(signal.partition(" ")[0], v.SENSES, "signal", entry["where"])


def _one_of(word: str, choices: Mapping[str, int] | tuple[str, ...], kind: str, where: str) -> None:
    if word not in choices:
        raise unknown_word(kind, word, choices, where)


def check_scenario(scenario: Scenario) -> list[str]:
    """Return which names of a scenario do not exist in its tissue model or its body, one sentence each.

    Raises
    ------
    InputError
        The tissue model does not compile, or controller and stopping rule do not fit it.
    """
    model, tables = scenario_model(scenario), scenario.tables
    Trial(tables, model)
    Radiation(tables, model)
    resolve_numbers(tables["tissue"], model)
    declared = set(scenario.model_spec.parameters)
    names = list(_body_names(tables, model)) if "body" in tables else []
    if "body" in tables:
        declared |= {p.name for p in qcic().parameters}
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
    body = body_model_of(tables, qcic())
    yield from _coupled(tables["coupling"], model, body)
    yield "model", tables["body"]["model"], {qcic().name}
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
    let_in = {model.types[slot["object"] - 1].name for slot in model.tables.slots if slot["verb"] == v.ADMIT}
    known = {info.name for info in model.types}
    for cell in cells:
        if "arrival" in cell and cell["type"] in known - let_in:
            yield (
                f"{scenario.name}: [coupling] brings {cell['type']} from blood, and no cell of the tissue has the "
                f"behaviour 'admit {cell['type']}', so none would enter; add that behaviour to the model or take "
                "'arrival' out"
            )


def _drugs(body: OdeModel) -> set[str]:
    return {i.name.removeprefix(_DOSE_RATE) for i in body.inputs if i.name.startswith(_DOSE_RATE)}


def _coupled(table: Mapping[str, Any], model: Model, body: OdeModel) -> Iterator[tuple[str, str, set[str]]]:
    """Yield (kind, word, valid words) of every name in [coupling]."""
    types, signals = {info.name for info in model.types}, {signal.name for signal in model.signals}
    states, outputs, inputs = ({i.name for i in part} for part in (body.states, body.outputs, body.inputs))
    parameters = {p.name for p in body.parameters}
    for key in ("blood_volume", "tissue_volume"):
        yield "body parameter", table[key], parameters
    for cell in table["cells"]:
        yield "cell type", cell["type"], types
        yield "body state", cell["tissue"], {name.removeprefix("owned_") for name in inputs} & states
        if "blood" in cell:
            yield "body state", cell["blood"], states
        if "arrival" in cell:
            yield "body output", cell["arrival"], outputs
    for entry in table["signals"]:
        yield "body signal", entry["signal"], signals
        yield "body state or output", entry["body"], states | outputs
    for release in table["releases"]:
        yield "body parameter", release["amount"], parameters
        for event in as_list(release["events"]):
            yield "event", f"{release['type']}: {event}", set(model.events)
    for drug in table["drugs"]:
        yield "drug", drug["drug"], _drugs(body)
        yield from (("body state", state, states) for state in as_list(drug["states"]))
    yield from (("body state", entry["body"], states) for entry in table.get("plasma", []))


_MODEL_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("model", "update"): v.UPDATES,
    ("model", "neighbourhood"): v.NEIGHBOURHOODS,
    ("model", "boundary"): v.BOUNDARIES,
    ("field", "solver"): v.FIELD_SOLVERS,
    ("field", "boundary"): v.FIELD_BOUNDARIES,
    ("attribute", "kind"): tuple(v.ATTRIBUTE_KINDS),
    ("behaviour", "target"): v.TARGETS,
    ("field", "normalise"): v.NORMALISATIONS,
    ("rule", "effect"): tuple(v.EFFECTS),
    ("rule", "response"): tuple(v.RESPONSES),
}
_TEXT = {"type": "string", "pattern": r"\S"}
_TYPES: dict[str, dict[str, Any]] = {
    "text": _TEXT,
    "expression": _TEXT,
    "words": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
    "number": {"type": "number"},
    "whole": {"type": "integer"},
    "texts": {"type": "array", "items": _TEXT},
    "list": {"type": "array"},
    "table": {"type": "object"},
}
_LIMITS = {">": "exclusiveMinimum", ">=": "minimum", "<": "exclusiveMaximum", "<=": "maximum"}
_Keys = Mapping[str, tuple[str, bool, str]]


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a file that people write, from the tables that check it.

    Parameters
    ----------
    kind : str
        model, scenario or study.

    Raises
    ------
    InputError
        Another kind.
    """
    makers = {"model": _model_schema, "scenario": _scenario_schema, "study": _study_schema}
    if kind not in makers:
        raise unknown_word("kind of file", kind, makers, "schema")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"oncolattice {kind} file"}
    return head | {"type": "object", "additionalProperties": False} | makers[kind]()


def _model_schema() -> dict[str, Any]:
    sections = {section: _table(keys, section, _MODEL_WORDS) for section, keys in v.MODEL_KEYS.items()}
    verbs = "|".join(f"{verb} .+" if verb in v.VERB_OBJECT else verb for verb in v.VERBS)
    senses = "|".join(sense if sense == "crowding" else f"{sense} .+" for sense in v.SENSES)
    sections["behaviour"]["properties"]["do"]["pattern"] = f"^({verbs})$"
    sections["rule"]["properties"]["behaviour"]["pattern"] = f"^({verbs})$"
    signal = {"type": "string", "pattern": f"^({senses})$"}
    sections["rule"]["properties"]["signal"]["anyOf"] = [
        signal, {"type": "array", "items": signal, "minItems": 1, "maxItems": 2},
    ]  # fmt: skip
    sections["cell_type"]["properties"]["colour"]["pattern"] = "^#[0-9A-Fa-f]{6}$"
    sections["model"]["properties"]["dimensions"]["enum"] = [2, 3]
    parameter = sections.pop("parameter") | {
        "anyOf": [{"required": ["value", "source"]}, {"required": ["expr"]}, {"required": ["measured"]}],
        "not": {"required": ["value", "expr"]},
    }
    properties = {
        section: table if section == "model" else {"type": "array", "items": table}
        for section, table in sections.items()
    }
    properties["parameters"] = {"type": "object", "additionalProperties": parameter}
    return {"properties": properties, "required": ["model"]}


def _scenario_schema() -> dict[str, Any]:
    """Return the schema: a file that extends another one may leave out what that one holds."""
    properties = {section: _table(keys, section, WORDS) for section, keys in SCENARIO_KEYS.items()}
    required: dict[str, dict[str, Any]] = {}
    for section, table in properties.items():
        if section not in (*LIST_SECTIONS, "parameters"):
            required[section] = {"required": table.pop("required", [])}
    for section in LIST_SECTIONS:
        properties[section] = {"type": "array", "items": properties[section]}
    for section in SEVERAL:
        several = {"type": "array", "items": properties[section] | required[section], "minItems": 1}
        properties[section] = {"anyOf": [properties[section], several]}
    properties["parameters"] = {
        "type": "object", "additionalProperties": _table(ENTRY_KEYS["parameters"], "parameters", {}),
    }  # fmt: skip
    for key in properties["coupling"]["properties"].keys() & ENTRY_KEYS.keys():
        properties["coupling"]["properties"][key]["items"] = _table(ENTRY_KEYS[key], key, {})
    for section, tables in NESTED.items():
        for key in tables:
            properties[section]["properties"][key] |= _table(ENTRY_KEYS[key], key, {})
    extends = {"properties": {"scenario": {"required": ["extends"]}}}
    return {
        "properties": properties,
        "required": ["scenario"],
        "if": extends,
        "else": {"properties": required, "required": list(REQUIRED_SECTIONS)},
    }


def _study_schema() -> dict[str, Any]:
    table = _table(STUDY_KEYS["study"], "study", {})
    table["properties"]["arms"]["minItems"] = 1
    sweep = _table(STUDY_KEYS["sweep"], "sweep", {("sweep", "design"): DESIGNS})
    sweeps = {"type": "array", "items": sweep}
    return {"properties": {"study": table, "sweep": sweeps}, "required": ["study"]}


def _kind_schema(kind: str) -> dict[str, Any]:
    """Return the schema of one kind; bounds of numbers hold for each of a list."""
    shape = kind.partition(" ")[0]
    limits = {_LIMITS[sign]: number for sign, number in bounds(kind)}
    if shape == "numbers":
        return {"type": "array", "items": {"type": "number"} | limits}
    if shape == "amount":
        return {"anyOf": [{"type": "number"} | limits, _TEXT]}
    if shape == "named":
        return {"type": "object", "additionalProperties": {"type": "number"} | limits}
    return _TYPES[shape] | limits


def _table(keys: _Keys, section: str, words: Mapping[tuple[str, str], tuple[str, ...]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for key, (kind, _, meaning) in keys.items():
        properties[key] = _kind_schema(kind) | {"description": meaning}
        if (section, key) in words:
            properties[key]["enum"] = list(words[section, key])
    required = [key for key, (_, needed, _) in keys.items() if needed]
    return {
        "type": "object", "properties": properties, "required": required, "additionalProperties": False,
    }  # fmt: skip
