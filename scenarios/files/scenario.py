"""Read a scenario: one TOML file, or a chain of them, resolved into plain tables."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...abm.compile.keys import check_value
from ...abm.compile.model_file import (
    ModelSpec,
    add_part,
    check_keys,
    check_source,
    find_file,
    read_model,
    read_toml,
)
from ...abm.compile.quantities import number_and_unit
from ...abm.errors import InputError, shortened, unknown_word
from ..treatment.observe import blocks
from ..treatment.trial_keys import check_trial
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
from .limits import check_days, check_size, leave_late_days
from .regimen_keys import check_regimens
from .systemic import body_parameters, check_body
from .tissue_keys import check_tissue, lattice_shape

LIBRARY = Path(__file__).parent.parent / "library"
_SETTING = re.compile(r"([\w.]+)\s*=\s*(.+)$", re.DOTALL)
_NAME = re.compile(r"\w[\w.-]{0,99}")


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
    notes : list of str
        What a user should be told before it runs, one sentence each.
    """

    tables: dict[str, Any]
    model_spec: ModelSpec
    user_parameters: dict[str, tuple[float, str | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

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
    notes: list[str] = []
    tables, folder = _read(name_or_path, None, (), notes)
    _check_sections(tables, name_or_path)
    tables["scenario"].setdefault("treatment", TREATMENTS[0])
    for section, entry in tables.items():
        _check_section(section, entry, f"{name_or_path} [{section}]")
    scenario = Scenario(tables, _model_of(tables, tables["scenario"]["model"], folder), notes=notes)
    _declare(scenario)
    check_days(tables)
    written = tables["scenario"]["duration_days"], tables["output"]["snapshot_days"]
    for setting in settings:
        apply_setting(scenario, setting)
    if tables["scenario"]["duration_days"] < written[0] and tables["output"]["snapshot_days"] is written[1]:
        leave_late_days(tables, notes)
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
        key: ("expression" if "amount" in kind and key in texts else as_number(kind), required, meaning)
        for key, (kind, required, meaning) in keys.items()
    }


def as_number(kind: str) -> str:
    """Return a kind with an amount as the number that it is, or that its expression comes to."""
    return kind.replace("amount", "number")


def _read(
    name_or_path: str, beside: Path | None, above: tuple[Path, ...], notes: list[str]
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
    merged, folder = _read(base, path.parent, (*above, path), notes)
    for section, entry in tables.items():
        if isinstance(entry, dict) and isinstance(merged.get(section), dict):
            merged[section] = merged[section] | entry
        else:
            merged[section] = entry
    if "duration_days" in head and "snapshot_days" not in _table_of(tables, "output"):
        leave_late_days(merged, notes)
    return merged, path.parent if "model" in head else folder


def _table_of(tables: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """Return a section that may be missing, or no table at all, which is said later."""
    return tables[section] if isinstance(tables.get(section), dict) else {}


def apply_setting(scenario: Scenario, setting: str) -> None:
    """Apply one ``key=value[unit]`` to a scenario in place.

    Raises
    ------
    InputError
        The key names neither a parameter nor a scenario key, or the value is of the wrong kind.
    """
    match = _SETTING.match(setting.strip())
    if not match:
        raise InputError(f"--set '{shortened(setting)}': write key=value, for example --set duration_days=56")
    name, text = match[1], match[2].strip()
    number = number_and_unit(text)
    plain = name.removeprefix("parameters.")
    if plain in known_parameters(scenario):
        if name == plain and (places := [".".join(p) for p in _settable() if p[-1] == name]):
            raise InputError(
                f"--set {name}: ambiguous, write one of {', '.join(places)} or parameters.{name}"
            )
        if not number:
            raise InputError(
                f"--set {name}: '{shortened(text)}' is not a number with an optional unit, such as 0.05/d"
            )
        if not math.isfinite(number[0]):
            raise InputError(f"--set {name}: '{shortened(text)}' is too large a number")
        scenario.user_parameters[plain] = number
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
    table[key] = beside(_value(name, ".".join((section, *path, key)), text, kind, meaning), Path())
    if (section, key) == ("scenario", "model"):
        scenario.model_spec = _model_of(scenario.tables, table[key])
        _declare(scenario)


def _value(name: str, place: str, text: str, kind: str, meaning: str) -> Any:
    """Return the value of a setting in the kind that its key wants."""
    shape = kind.partition(" ")[0]
    if shape == "amount":
        kind = as_number(kind) if _is_plain_number(text) else "expression"
    match kind.partition(" ")[0]:
        case "number" | "whole" as wanted:
            if not _is_plain_number(text):
                raise InputError(f"--set {name}: '{shortened(text)}' is not a plain number ({meaning})")
            value: Any = _finite(text, name)
            if wanted == "whole":
                if value != int(value):
                    raise InputError(f"--set {name}: '{shortened(text)}' is not a whole number")
                value = int(value)
        case "numbers":
            try:
                value = [float(part) for part in text.strip("[]").split(",") if part.strip()]
            except ValueError:
                raise InputError(
                    f"--set {name}: '{shortened(text)}' is not a list of numbers such as 0,28,56"
                ) from None
        case "texts":
            value = [part.strip() for part in text.strip("[]").split(",") if part.strip()]
        case "table" | "named" | "list":
            raise InputError(
                f"--set {name}: this is a table; write it in a scenario file that extends this one"
            )
        case _:
            value = text
    check_value(value, kind, f"--set {place}", meaning)
    return value


def _is_plain_number(text: str) -> bool:
    number = number_and_unit(text)
    return number is not None and number[1] is None


def _finite(text: str, name: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InputError(f"--set {name}: '{shortened(text)}' is too large a number")
    return value


def known_parameters(scenario: Scenario) -> set[str]:
    """Return the names of all parameters of tissue and, where there is one, body."""
    return set(scenario.model_spec.parameters) | body_parameters(scenario.tables).keys()


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
    check_tissue(tables["tissue"])
    check_body(tables, where)
    check_regimens(tables, where)
    if tables["scenario"]["treatment"] == "until progression" and "body" not in tables:
        raise InputError(
            f"{where} [scenario]: treatment = 'until progression' needs a [body] that is dosed; "
            "write [stop] progression to end the run there"
        )
    check_trial(tables, where)
    lattice_shape(tables["lattice"], scenario.model_spec.model["dimensions"])
    check_size(tables, scenario.model_spec)
    check_days(tables)
    if not _NAME.fullmatch(tables["scenario"]["name"]):
        raise InputError(
            f"scenario.name '{shortened(tables['scenario']['name'])}' begins the names of files: at most 100 letters, "
            "digits, _ - and . only"
        )
