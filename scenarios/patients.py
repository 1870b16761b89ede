"""Virtual patients: body parameters drawn from a population file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.errors import InputError, unknown_word
from ..abm.model_file import check_keys, check_source, find_file, read_toml
from ..abm.placement.luck import generator
from .scenario import LIBRARY

POPULATIONS = LIBRARY / "populations"
_HEAD = {
    "name": ("text", True, "name of the population"),
    "title": ("text", True, "one line for figures and reports"),
    "source": ("text", True, "source of the laws"),
}
_LAW = {
    "min": ("number", True, "lowest value"),
    "max": ("number", True, "highest value"),
    "a": ("number", True, "first shape of the Beta law"),
    "b": ("number", True, "second shape of the Beta law"),
    "unit": ("text", True, "unit of the value"),
    "source": ("text", True, "source of the law"),
    "factor": ("number", False, "multiplies every draw; 1 if absent"),
    "factor_source": ("text", False, "source of the factor; needed with it"),
}


@dataclass(frozen=True)
class Law:
    """A parameter that varies between patients: factor * (lowest + (highest - lowest) * Beta(a, b)).

    Attributes
    ----------
    name, unit, source : str
    lowest, highest : float
        Range before the factor.
    a, b : float
        Shapes of the Beta law.
    factor : float
    factor_source : str
        Empty where the factor is 1.
    """

    name: str
    lowest: float
    highest: float
    a: float
    b: float
    unit: str
    source: str
    factor: float = 1.0
    factor_source: str = ""

    @property
    def range(self) -> tuple[float, float]:
        """Return the lowest and highest value that a patient can have, factor included."""
        return self.factor * self.lowest, self.factor * self.highest


@dataclass(frozen=True)
class Population:
    """A population of virtual patients.

    Attributes
    ----------
    name, title, source : str
    laws : tuple of Law
        Independent of one another.
    """

    name: str
    title: str
    source: str
    laws: tuple[Law, ...]


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
        Unknown population, section or key; missing unit or source; a law that cannot be.
    """
    path = find_file(str(name_or_path), POPULATIONS, library_populations(), "population")
    tables, _ = read_toml(path)
    for section in tables:
        if section not in ("population", "parameters"):
            raise unknown_word("section", section, ("population", "parameters"), path.name)
    for section in ("population", "parameters"):
        if not isinstance(tables.get(section), dict) or not tables[section]:
            raise InputError(f"{path.name}: a population file needs a [{section}] table with entries")
    head = tables["population"]
    check_keys(head, _HEAD, f"{path.name} [population]")
    check_source(head["source"], f"{path.name} [population]")
    laws = tuple(
        _read_law(name, entry, f"{path.name} [parameters] {name}")
        for name, entry in tables["parameters"].items()
    )
    return Population(head["name"], head["title"], head["source"], laws)


def _read_law(name: str, entry: Any, where: str) -> Law:
    check_keys(entry, _LAW, where)
    check_source(entry["source"], where)
    if not entry["max"] > entry["min"]:
        raise InputError(f"{where}: 'max' must exceed 'min', got {entry['min']:g} and {entry['max']:g}")
    for key in ("a", "b", "factor"):
        if not entry.get(key, 1.0) > 0:
            raise InputError(f"{where}: '{key}' must be above 0, got {entry[key]:g}")
    if ("factor" in entry) != ("factor_source" in entry):
        raise InputError(f"{where}: 'factor' and 'factor_source' go together; give both or neither")
    if "factor" in entry:
        check_source(entry["factor_source"], where)
    return Law(
        name,
        float(entry["min"]),
        float(entry["max"]),
        float(entry["a"]),
        float(entry["b"]),
        entry["unit"],
        entry["source"],
        float(entry.get("factor", 1.0)),
        entry.get("factor_source", ""),
    )


def sample(population: Population, n: int, seed: int) -> list[dict[str, float]]:
    """Return the parameter values of the first n patients.

    A value depends on seed, patient number and parameter name alone: it is the quantile of the parameter's
    law at element i of a random stream keyed by (seed, name). So patient i is the same whatever n, and has
    the same rank in every population that is drawn with the same seed.

    Parameters
    ----------
    population : Population
    n : int
        Number of patients.
    seed : int

    Returns
    -------
    list of dict of str to float
        Values in the unit of each law.

    Raises
    ------
    InputError
        If n is negative.
    """
    from scipy.special import betaincinv

    if n < 0:
        raise InputError(f"the number of patients must be 0 or more, got {n}")
    columns: dict[str, np.ndarray] = {}
    for law in population.laws:
        share = betaincinv(law.a, law.b, generator(seed, f"patient {law.name}").random(n))
        low, high = law.range
        columns[law.name] = np.clip(low + (high - low) * share, low, high)
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(n)]
