"""Check any file of the package, and print the JSON Schema of those that people write."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...abm import vocabulary as v
from ...abm.compile.keys import bounds
from ...abm.compile.model_file import LIBRARY as MODELS
from ...abm.compile.model_file import ModelSpec, as_list, read_part, read_toml
from ...abm.compile.quantities import names_in, parse_unit
from ...abm.compile.rules import split_behaviour
from ...abm.compile.toml_text import is_file
from ...abm.errors import InputError, unknown_word
from ...abm.model import load_model
from ...ode_coupling.pk.drug_file import LIBRARY as PK_LIBRARY
from ...ode_coupling.pk.drug_file import load_drug
from ..files.keys import (
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
from ..files.scenario import LIBRARY, load_scenario
from ..files.study import load_study
from ..patients.sample import load_population
from ..simulate.check import check_scenario

_HDF5 = b"\x89HDF\r\n\x1a\n"


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
    if os.path.exists(name):
        what = "a folder" if os.path.isdir(name) else "a pipe or device"
        raise InputError(f"{name}: {what}, not a file; give a .toml, .h5 or .xml file, or a library name")
    if Path(name).suffix:
        raise InputError(f"{name}: no such file; give a .toml, .h5 or .xml file, or a library name")
    choices = [path.stem for folder in folders for path in folder.glob("*.toml")]
    raise unknown_word("name", name, choices, "check (a file or a library name)", "list")


def _check(path: Path) -> list[str]:
    if path.suffix in (".h5", ".hdf5") or _starts_with(path, _HDF5):
        from ..store import check_run, open_books
        from ..store.replicates import check_replicates, is_replicates

        return check_replicates(path) if is_replicates(path) else check_run(path) or open_books(path)
    if path.suffix in (".xml", ".sbml"):
        from ...ode_coupling.sbml import read_sbml

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
