"""Read a population file: laws of body and tissue, pharmacokinetics, what it extends, what it selects."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...abm.compile.keys import table_of
from ...abm.compile.model_file import check_keys, check_source, find_file, read_toml
from ...abm.compile.quantities import convert, parse_unit
from ...abm.errors import InputError, unknown_word
from ...ode_coupling.immune.qcic.tables import parameter_names, parameter_units
from ..files.inputs import beside
from ..files.scenario import LIBRARY
from .laws import DESIGNS, LAW_KINDS, Kinetic, Law, Population, Selection

POPULATIONS = LIBRARY / "populations"
SECTIONS = ("population", "parameters", "tissue", "pk", "selection")
_HEAD = {
    "name": ("text", True, "name of the population"),
    "title": ("text", True, "one line for figures and reports"),
    "source": ("text", True, "source of the laws"),
    "extends": ("text", False, "population whose laws hold where this one is silent"),
}
_COMMON = {
    "law": ("text", False, "beta or log-normal; beta if absent"),
    "min": ("number", True, "lowest value"),
    "max": ("number", True, "highest value"),
    "unit": ("text", True, "unit of the value"),
    "source": ("text", True, "source of the law"),
    "factor": ("number > 0", False, "multiplies every draw; 1 if absent"),
    "factor_source": ("text", False, "source of the factor; needed with it"),
}
_BETA = _COMMON | {
    "a": ("number > 0", True, "first shape of the Beta law"),
    "b": ("number > 0", True, "second shape of the Beta law"),
}
_LOG_NORMAL = _COMMON | {
    "min": ("number > 0", True, "lowest value"),
    "median": ("number > 0", True, "median before truncation"),
    "log_sd": ("number > 0 <= 10", True, "standard deviation of the natural logarithm"),
}
_FACTOR_ALONE = {key: (_COMMON[key][0], True, _COMMON[key][2]) for key in ("factor", "factor_source")}
_KINETIC = {
    "drug": ("text", True, "drug of the PK library whose random effects are followed"),
    "powers": ("named", True, "PK parameter of the drug = power with which it enters"),
    "typical": ("number > 0", True, "value of the typical patient"),
    "unit": ("text", True, "unit of the value"),
    "source": ("text", True, "source of the typical value"),
}
_SELECTION = {
    "of": ("text", True, "population that the patients were picked from"),
    "seed": ("whole >= 0", True, "seed of the sample"),
    "size": ("whole >= 1 <= 1000000", True, "patients of the sample"),
    "design": ("text", True, "how the sample was drawn"),
    "numbers": ("numbers >= 1", True, "numbers of the patients, 1 is the first of the sample"),
}


def library_populations() -> list[str]:
    """Return the names of the populations that ship with the package."""
    return sorted(path.stem for path in POPULATIONS.glob("*.toml"))


def load_population(name_or_path: str | Path) -> Population:
    """Return a population.

    Parameters
    ----------
    name_or_path : str or Path
        Library name or path of a TOML file.

    Raises
    ------
    InputError
        Unknown population, section, key or law; missing unit or source; a law that cannot be; a selection
        of patients who do not exist.
    """
    return _load(name_or_path, None, ())


def _load(name_or_path: str | Path, beside: Path | None, above: tuple[Path, ...]) -> Population:
    path = find_file(str(name_or_path), POPULATIONS, library_populations(), "population", beside).resolve()
    if path in above:
        raise InputError(f"{path}: extends itself ({' -> '.join(p.name for p in (*above, path))})")
    tables, _ = read_toml(path)
    for section in tables:
        if section not in SECTIONS:
            raise unknown_word("section", section, SECTIONS, path.name)
    head = _table(tables, "population", path)
    if "extends" not in head and "selection" not in tables:
        _table(tables, "parameters", path)
    check_keys(head, _HEAD, f"{path.name} [population]")
    check_source(head["source"], f"{path.name} [population]")
    if "selection" in tables:
        return _selected(tables, head, path, above)
    base = _load(head["extends"], path.parent, (*above, path)) if "extends" in head else None
    if base and base.selection:
        raise InputError(
            f"{path.name}: extends '{base.name}', a selection; extend the population that it is of"
        )
    where = f"{path.name} [parameters]"
    laws = _laws(
        table_of(tables, "parameters", path.name), base.laws if base else (), where, parameter_units()
    )
    tissue = _laws(
        table_of(tables, "tissue", path.name), base.tissue if base else (), f"{path.name} [tissue]", {}
    )
    for law in tissue:
        if law.name in parameter_names():
            raise InputError(
                f"{path.name} [tissue] {law.name}: the body has a parameter of that name, which would be set with it; "
                "give that of the tissue another name"
            )
    kinetics = {entry.name: entry for entry in (base.kinetics if base else ())}
    for name, entry in table_of(tables, "pk", path.name).items():
        kinetics[name] = _read_kinetic(name, entry, path)
    names = [law.name for law in (*laws, *tissue)] + list(kinetics)
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path.name}: '{name}' has two laws; keep it in one section")
    return Population(head["name"], head["title"], head["source"], laws, tissue, tuple(kinetics.values()))


def _table(tables: Mapping[str, Any], section: str, path: Path) -> dict[str, Any]:
    if not isinstance(tables.get(section), dict) or not tables[section]:
        raise InputError(f"{path.name}: a population file needs a [{section}] table with entries")
    return tables[section]


def _laws(
    table: Mapping[str, Any], base: tuple[Law, ...], where: str, units: Mapping[str, str]
) -> tuple[Law, ...]:
    """Return the laws of a section over those of the population that it extends, in the units of their owner."""
    laws = {law.name: law for law in base}
    for name, entry in table.items():
        laws[name] = _read_law(name, entry, laws.get(name), f"{where} {name}", units)
    return tuple(laws.values())


def _read_law(name: str, entry: Any, base: Law | None, where: str, units: Mapping[str, str]) -> Law:
    if base and isinstance(entry, dict) and entry.keys() <= _FACTOR_ALONE.keys():
        check_keys(entry, _FACTOR_ALONE, where)
        return replace(base, **_factor(entry, where))
    kind = entry.get("law", LAW_KINDS[0]) if isinstance(entry, dict) else LAW_KINDS[0]
    if kind not in LAW_KINDS:
        raise unknown_word("law", str(kind), LAW_KINDS, where)
    check_keys(entry, _BETA if kind == "beta" else _LOG_NORMAL, where)
    check_source(entry["source"], where)
    if not entry["max"] > entry["min"]:
        raise InputError(f"{where}: 'max' must exceed 'min', got {entry['min']:g} and {entry['max']:g}")
    a, b, median, log_sd = (float(entry.get(key, math.nan)) for key in ("a", "b", "median", "log_sd"))
    law = Law(
        name=name,
        lowest=float(entry["min"]),
        highest=float(entry["max"]),
        unit=entry["unit"],
        source=entry["source"],
        kind=kind,
        a=a,
        b=b,
        median=median,
        log_sd=log_sd,
        **_factor(entry, where),
    )
    if name not in units:
        parse_unit(law.unit, f"{where}: 'unit'")
    return law.in_unit(units.get(name, law.unit), f"{where}: 'unit'")


def _factor(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    if ("factor" in entry) != ("factor_source" in entry):
        raise InputError(f"{where}: 'factor' and 'factor_source' go together; give both or neither")
    if "factor" not in entry:
        return {}
    check_source(entry["factor_source"], where)
    return {"factor": float(entry["factor"]), "factor_source": entry["factor_source"]}


def _read_kinetic(name: str, entry: Any, path: Path) -> Kinetic:
    from ...ode_coupling.pk.drug_file import load_drug

    where = f"{path.name} [pk] {name}"
    check_keys(entry, _KINETIC, where)
    check_source(entry["source"], where)
    drug = beside(entry["drug"], path.parent)
    effects = load_drug(drug).random_effects
    for word in entry["powers"]:
        if word not in effects:
            raise unknown_word("random effect", word, effects, where)
    powers = {word: float(power) for word, power in entry["powers"].items()}
    unit = parameter_units().get(name, entry["unit"])
    typical = convert(float(entry["typical"]), entry["unit"], unit, f"{where}: 'unit'")
    return Kinetic(name, drug, powers, typical, unit, entry["source"])


def _selected(
    tables: Mapping[str, Any], head: Mapping[str, Any], path: Path, above: tuple[Path, ...]
) -> Population:
    """Return a population of picked patients."""
    where, table = f"{path.name} [selection]", tables["selection"]
    for section in tables:
        if section not in ("population", "selection"):
            raise InputError(f"{path.name}: a selection has the laws of its population; remove [{section}]")
    if "extends" in head:
        raise InputError(f"{where}: 'of' names the population; remove 'extends'")
    check_keys(table, _SELECTION, where)
    base = _load(table["of"], path.parent, (*above, path))
    if base.selection:
        raise InputError(f"{where}: '{table['of']}' is a selection itself; name the population that it is of")
    if table["design"] not in DESIGNS:
        raise unknown_word("design", table["design"], DESIGNS, where)
    numbers = table["numbers"]
    if not numbers or not all(type(k) is int and 1 <= k <= table["size"] for k in numbers):
        raise InputError(
            f"{where}: 'numbers' must be one or more whole numbers from 1 to size ({table['size']})"
        )
    selection = Selection(table["of"], table["seed"], table["size"], table["design"], tuple(numbers))
    return replace(base, name=head["name"], title=head["title"], source=head["source"], selection=selection)
