"""Read a scenario: one TOML file, or a chain of them, resolved into plain tables."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..abm.errors import InputError, unknown_word
from ..abm.model_file import ModelSpec, add_part, check_keys, check_source, find_file, read_model, read_toml
from ..ode_coupling.immune.qcic.tables import parameter_names
from .inputs import beside, settle
from .keys import (
    BODY_ONLY,
    BODY_SECTIONS,
    ENTRY_KEYS,
    LIST_SECTIONS,
    NESTED,
    REQUIRED_SECTIONS,
    SCENARIO_KEYS,
    SEVERAL,
    TREATMENTS,
    WORDS,
)
from .observe import blocks
from .regimen_keys import check_regimens
from .tissue_keys import check_tissue, lattice_shape
from .trial_keys import check_trial

LIBRARY = Path(__file__).parent / "library"
LATTICE_BOUNDS = {"rows": (16, 8192), "columns": (16, 8192), "planes": (2, 1024)}
_SETTING = re.compile(r"([\w.]+)\s*=\s*(.+)$", re.DOTALL)
_NAME = re.compile(r"\w[\w.-]*")
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%0-9/][\w/^%* -]*)?$")


@dataclass
class Scenario:
    """A resolved scenario.

    Attributes
    ----------
    tables : dict
        Section to settings, as in docs/format.md, after ``extends`` and ``--set``.
    user_parameters : dict of str to (value, unit or None)
        Parameters set from outside; their source reads ``user``.
    model_spec : ModelSpec
        The tissue model as written.
    """

    tables: dict[str, Any]
    model_spec: ModelSpec
    user_parameters: dict[str, tuple[float, str | None]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name of the scenario."""
        return self.tables["scenario"]["name"]


def library_scenarios() -> list[str]:
    """Return the names of the scenarios that ship with the package."""
    return sorted(p.stem for p in LIBRARY.glob("*.toml") if "[scenario]" in p.read_text(encoding="utf-8"))


def load_scenario(name_or_path: str, settings: Iterable[str] = ()) -> Scenario:
    """Return a resolved scenario.

    Parameters
    ----------
    name_or_path : str
        Library name or path of a TOML file.
    settings : iterable of str
        ``key=value[unit]``: a parameter of tissue or body, or a key of the scenario (``section.key`` or,
        where it is unique, just the key).

    Raises
    ------
    InputError
        Unknown scenario, section, key or word; wrong kind of value.
    """
    tables, folder = _read(name_or_path, None, ())
    _check_sections(tables, name_or_path)
    tables["scenario"].setdefault("treatment", TREATMENTS[0])
    for section, entry in tables.items():
        _check_section(section, entry, f"{name_or_path} [{section}]")
    scenario = Scenario(tables, _model_of(tables, tables["scenario"]["model"], folder))
    _declare(scenario)
    for setting in settings:
        apply_setting(scenario, setting)
    _check_values(scenario, name_or_path)
    return scenario


def _model_of(tables: Mapping[str, Any], name: str, folder: Path | None = None) -> ModelSpec:
    """Return a model with the parts that the scenario includes."""
    spec = read_model(name, folder)
    for part in tables["scenario"].get("include", []):
        add_part(spec, part, folder)
    return spec


def _check_sections(tables: Mapping[str, Any], where: str) -> None:
    """Check that what a scenario needs is there, and nothing that it cannot use."""
    needed = (*REQUIRED_SECTIONS, *(BODY_SECTIONS if "body" in tables else ()))
    for section in needed:
        if section not in tables:
            raise InputError(f"{where}: section [{section}] is missing; see docs/format.md")
    for section in BODY_ONLY:
        if section in tables and "body" not in tables:
            raise InputError(
                f"{where}: [{section}] belongs to a body, and the scenario has none; add a [body] or remove it"
            )


def _declare(scenario: Scenario) -> None:
    """Add the parameters that [parameters] declares, with a description, to those of the model."""
    known = scenario.model_spec.parameters
    for name, entry in scenario.tables.get("parameters", {}).items():
        if name not in known and "description" in entry:
            if "unit" not in entry:
                raise InputError(
                    f"[parameters] {name}: a parameter of the scenario's own needs a unit; 1 for none"
                )
            known[name] = dict(entry)


def _check_section(section: str, entry: Any, where: str) -> None:
    """Check keys and kinds of one section, entry by entry where it is a list."""
    if section in LIST_SECTIONS or (section in SEVERAL and isinstance(entry, list)):
        if not isinstance(entry, list):
            raise InputError(f"{where}: write [[{section}]], one block an entry")
        for number, part in enumerate(entry, start=1):
            check_keys(part, SCENARIO_KEYS[section], f"{where} {number}")
        return
    if section == "parameters":
        for name, part in entry.items() if isinstance(entry, dict) else [("", entry)]:
            check_keys(part, ENTRY_KEYS[section], f"{where} {name}")
            check_source(part["source"], f"{where} {name}")
        return
    check_keys(entry, _settled(SCENARIO_KEYS[section], entry), where)
    for key in SCENARIO_KEYS[section] if section == "coupling" else ():
        if key in ENTRY_KEYS:
            for number, part in enumerate(entry.get(key, []), start=1):
                check_keys(part, ENTRY_KEYS[key], f"{where} {key} {number}")
    for key in NESTED.get(section, ()):
        if key in entry:
            check_keys(entry[key], ENTRY_KEYS[key], f"{where} {key}")


def _settled(keys: Mapping[str, tuple[str, bool, str]], entry: Any) -> dict[str, tuple[str, bool, str]]:
    """Return keys with every amount, which is a number or an expression, as the one that is given."""
    texts = (
        {key for key, value in entry.items() if isinstance(value, str)} if isinstance(entry, dict) else set()
    )
    return {
        key: (kind if kind != "amount" else "expression" if key in texts else "number", required, meaning)
        for key, (kind, required, meaning) in keys.items()
    }


def _read(
    name_or_path: str, beside: Path | None, above: tuple[Path, ...]
) -> tuple[dict[str, Any], Path | None]:
    """Return the merged tables of a chain, and the folder of the file that names the model."""
    path = find_file(name_or_path, LIBRARY, library_scenarios(), "scenario", beside).resolve()
    if path in above:
        raise InputError(f"{path}: extends itself ({' -> '.join(p.name for p in (*above, path))})")
    tables, _ = read_toml(path)
    for section in tables:
        if section not in SCENARIO_KEYS:
            raise unknown_word("section", section, SCENARIO_KEYS, path.name)
    settle(tables, path.parent)
    head = tables.get("scenario")
    if not isinstance(head, dict):
        raise InputError(f"{path}: a scenario file needs a [scenario] table; see docs/format.md")
    base = head.pop("extends", None)
    if base is None:
        return tables, path.parent
    if not isinstance(base, str):
        raise InputError(f"{path.name} [scenario]: 'extends' must be text (a scenario), got {base!r}")
    merged, folder = _read(base, path.parent, (*above, path))
    for section, entry in tables.items():
        if isinstance(entry, dict) and isinstance(merged.get(section), dict):
            merged[section] = merged[section] | entry
        else:
            merged[section] = entry
    return merged, path.parent if "model" in head else folder


def apply_setting(scenario: Scenario, setting: str) -> None:
    """Apply one ``key=value[unit]`` to a scenario in place.

    Raises
    ------
    InputError
        The key names neither a parameter nor a scenario key, or the value is of the wrong kind.
    """
    match = _SETTING.match(setting.strip())
    if not match:
        raise InputError(f"--set '{setting}': write key=value, for example --set duration_days=56")
    name, text = match[1], match[2].strip()
    number = _NUMBER.match(text)
    plain = name.removeprefix("parameters.")
    if plain in known_parameters(scenario):
        if name == plain and (places := [".".join(p) for p in _settable() if p[-1] == name]):
            raise InputError(
                f"--set {name}: ambiguous, write one of {', '.join(places)} or parameters.{name}"
            )
        if not number:
            raise InputError(f"--set {name}: '{text}' is not a number with an optional unit, such as 0.05/d")
        if not math.isfinite(float(number[1])):
            raise InputError(f"--set {name}: '{text}' is too large a number")
        scenario.user_parameters[plain] = (float(number[1]), number[2] or None)
        return
    section, *path, key = _find_key(scenario, name)
    kind, _, meaning = (ENTRY_KEYS[path[0]] if path else SCENARIO_KEYS[section])[key]
    table = scenario.tables.setdefault(section, {})
    if isinstance(table, list):
        raise InputError(
            f"--set {name}: the scenario has {len(table)} [[{section}]] blocks; write them in a scenario file that "
            "extends this one"
        )
    for part in path:
        table = table.setdefault(part, {})
    table[key] = beside(_value(name, text, kind, meaning), Path())
    if (section, key) == ("scenario", "model"):
        scenario.model_spec = _model_of(scenario.tables, table[key])
        _declare(scenario)


def _value(name: str, text: str, kind: str, meaning: str) -> Any:
    """Return the value of a setting in the kind that its key wants."""
    number = _NUMBER.match(text)
    if kind == "amount":
        kind = "number" if number and not number[2] else "expression"
    if kind in ("number", "whole"):
        if not number or number[2]:
            raise InputError(f"--set {name}: '{text}' is not a plain number ({meaning})")
        value = float(number[1])
        if not math.isfinite(value):
            raise InputError(f"--set {name}: '{text}' is too large a number")
        if kind == "whole":
            if value != int(value):
                raise InputError(f"--set {name}: '{text}' is not a whole number")
            return int(value)
        return value
    if kind == "list":
        try:
            return [float(part) for part in text.strip("[]").split(",") if part.strip()]
        except ValueError:
            raise InputError(f"--set {name}: '{text}' is not a list of numbers such as 0,28,56") from None
    if kind == "table":
        raise InputError(f"--set {name}: this is a table; write it in a scenario file that extends this one")
    return text


def known_parameters(scenario: Scenario) -> set[str]:
    """Return the names of all parameters of tissue and, where there is one, body."""
    body = parameter_names() if "body" in scenario.tables else set()
    return set(scenario.model_spec.parameters) | body


def _settable() -> list[tuple[str, ...]]:
    """Return (section, key) or (section, table, key) of all that one number or word can set."""
    plain: list[tuple[str, ...]] = [
        (section, key)
        for section, keys in SCENARIO_KEYS.items()
        for key in keys
        if section not in (*LIST_SECTIONS, "coupling")
        and key != "extends"
        and key not in NESTED.get(section, ())
    ]
    return plain + [
        (s, table, key) for s, tables in NESTED.items() for table in tables for key in ENTRY_KEYS[table]
    ]


def _find_key(scenario: Scenario, name: str) -> tuple[str, ...]:
    """Return the one place that a name, or the end of a dotted name, stands for."""
    path = tuple(name.split("."))
    places = [place for place in _settable() if place[-len(path) :] == path]
    here = [place for place in places if place[0] in scenario.tables]
    for found in (places, here):
        if len(found) == 1:
            return found[0]
    if places:
        raise InputError(f"--set {name}: ambiguous, write one of {', '.join(map('.'.join, places))}")
    choices = {".".join(place) for place in _settable()} | known_parameters(scenario)
    raise unknown_word("parameter or key", name, choices, "--set")


def _check_values(scenario: Scenario, where: str) -> None:
    tables = scenario.tables
    for (section, key), words in WORDS.items():
        for table in blocks(tables.get(section, [])):
            word = table.get(key, words[0])
            if word not in words:
                raise unknown_word(key, word, words, f"{where} [{section}]")
    positive = [
        ("scenario", "duration_days"),
        ("scenario", "assessment_days"),
        ("output", "record_every_hours"),
        ("output", "checkpoint_every_days"),
        ("body", "tolerance"),
    ]
    for section, key in positive:
        value = tables.get(section, {}).get(key, 1)
        if not value > 0:
            raise InputError(f"{section}.{key} must be above 0, got {value:g}")
    check_tissue(tables["tissue"])
    check_regimens(tables, where)
    if tables.get("body", {}).get("burn_in_days", 0) < 0:
        raise InputError(f"body.burn_in_days must be 0 or more, got {tables['body']['burn_in_days']:g}")
    if tables["scenario"]["treatment"] == "until progression" and "body" not in tables:
        raise InputError(
            f"{where} [scenario]: treatment = 'until progression' needs a [body] that is dosed; "
            "write [stop] progression to end the run there"
        )
    check_trial(tables, where)
    lattice_shape(tables["lattice"], scenario.model_spec.model["dimensions"])
    for key, (least, most) in LATTICE_BOUNDS.items():
        if not least <= tables["lattice"].get(key, least) <= most:
            raise InputError(f"lattice.{key} must be {least} to {most} sites, got {tables['lattice'][key]}")
    lists = [("output.snapshot_days", tables["output"]["snapshot_days"])]
    lists += [
        (f"regimen of {regimen['drug']}: days", regimen.get("days", []))
        for regimen in tables.get("regimen", [])
    ]
    for name, days in lists:
        if not all(isinstance(day, int | float) and not isinstance(day, bool) for day in days):
            raise InputError(f"{name} must be a list of numbers, got {days!r}")
        if not all(0 <= day < math.inf for day in days):
            raise InputError(f"{name} must be days from 0 on, got {days!r}")
    if not _NAME.fullmatch(tables["scenario"]["name"]):
        raise InputError(
            f"scenario.name '{tables['scenario']['name']}' begins the names of files: letters, digits, _ - and . only"
        )
