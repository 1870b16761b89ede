"""Drugs as data: one TOML file a drug, checked word by word."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.compile.keys import table_of, tables_of
from ...abm.compile.model_file import check_keys, check_source, find_file, read_toml
from ...abm.compile.quantities import in_unit, quantity
from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import Parameter
from ..regimens import Order
from .covariates import Covariate, Effect, read_covariate, read_effect
from .structures import START, STRUCTURES, check_names, check_routes, check_value, find_structure

LIBRARY = Path(__file__).parent / "drugs"
SECTIONS = ("drug", "covariates", "parameters", "covariance")

_DRUG = {
    "name": ("text", True, "name that doses use"),
    "title": ("text", True, "one line for lists"),
    "structure": ("text", True, "structural model"),
    "routes": ("texts", True, "iv and at most one of po, sc and im"),
    "source": ("text", True, "source of the model"),
    "note": ("text", False, "what a user must know"),
}
_PARAMETER = {
    "value": ("number", True, "value for the reference patient"),
    "unit": ("text", True, "unit of the value"),
    "source": ("text", True, "source of the value"),
    "description": ("text", False, "meaning, where the name is not enough"),
    "cv": ("number >= 0 <= 10", False, "variation between patients, sqrt(exp(omega^2) - 1)"),
    "omega2": ("number >= 0 <= 25", False, "variance between patients of the log of the parameter"),
    "follows": ("named", False, "random effects of other parameters that act here, times a number"),
    "covariates": ("list", False, "effects of covariates"),
}
_COVARIANCE = {
    "between": ("texts", True, "two parameters with variation of their own"),
    "value": ("number", True, "covariance of their logs"),
    "source": ("text", True, "source of the value"),
}


@dataclass(frozen=True)
class DrugParameter:
    """A parameter for the reference patient, and how it varies.

    Attributes
    ----------
    parameter : Parameter
        In house units.
    kind : str
        What a value may be: "positive", "not negative" or "a fraction".
    omega2 : float
        Variance of its own random effect, on the log scale; 0 without.
    follows : dict of str to float
        Random effects that act on its log, its own included, and their factors.
    effects : tuple of Effect
    """

    parameter: Parameter
    kind: str
    omega2: float
    follows: dict[str, float]
    effects: tuple[Effect, ...]


@dataclass(frozen=True)
class Drug:
    """A drug of the library.

    Attributes
    ----------
    name, title, structure, source, note : str
    routes : tuple of str
    parameters : dict of str to DrugParameter
    covariates : dict of str to Covariate
    random_effects : tuple of str
        Parameters with variation of their own, in the order of the file.
    omega : ndarray, shape (random effects, random effects)
        Covariance of the random effects.
    """

    name: str
    title: str
    structure: str
    routes: tuple[str, ...]
    source: str
    note: str
    parameters: dict[str, DrugParameter]
    covariates: dict[str, Covariate]
    random_effects: tuple[str, ...] = ()
    omega: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def amount_unit(self) -> str:
        """Return what doses of the drug are counted in: mg or cells."""
        return STRUCTURES[self.structure].amount

    def check_order(self, order: Order, where: str) -> None:
        """Check that an order counts in what the drug is counted in.

        Raises
        ------
        InputError
        """
        if order.unit != self.amount_unit:
            raise InputError(
                f"{where}: {self.name} is dosed in {self.amount_unit}, and the order comes out in {order.unit}; "
                f"order an amount in {self.amount_unit}"
            )


def library_drugs() -> list[str]:
    """Return the names of the drug files that ship with the package."""
    return sorted(path.stem for path in LIBRARY.glob("*.toml"))


def load_drug(drug: "str | Path | Drug") -> Drug:
    """Return a drug by library name or path of a TOML file (a Drug is returned as it is).

    Raises
    ------
    InputError
        Unknown drug, section, key, unit, parameter, route, covariate or structural model; a missing parameter, unit
        or source; a value out of its range; covariances that no law can have.
    """
    if isinstance(drug, Drug):
        return drug
    path = find_file(str(drug), LIBRARY, library_drugs(), "drug")
    tables, _ = read_toml(path)
    for section in tables:
        if section not in SECTIONS:
            raise unknown_word("section", section, SECTIONS, path.name)
    for section in ("drug", "parameters"):
        if not isinstance(tables.get(section), dict):
            raise InputError(f"{path.name}: a drug file needs a [{section}] table")
    head = tables["drug"]
    where = f"{path.name} [drug]"
    check_keys(head, _DRUG, where)
    check_source(head["source"], where)
    structure = find_structure(head["structure"], where)
    check_routes(structure, head["routes"], where)
    where = f"{path.name} [parameters]"
    check_names(structure, tables["parameters"], head["routes"], where)
    if START in tables["parameters"]:
        raise InputError(f"{where}: '{START}' follows from the doses; leave it out")
    covariates = {
        name: read_covariate(name, entry, f"{path.name} [covariates.{name}]")
        for name, entry in table_of(tables, "covariates", path.name).items()
    }
    parameters = {
        name: _read_parameter(
            name, entry, structure.specs[name], covariates, f"{path.name} [parameters.{name}]"
        )
        for name, entry in tables["parameters"].items()
    }
    random_effects = tuple(name for name, entry in parameters.items() if entry.omega2 > 0.0)
    _check_follows(parameters, random_effects, path.name)
    omega = _covariances(parameters, random_effects, tables_of(tables, "covariance", path.name), path.name)
    return Drug(
        head["name"],
        head["title"],
        head["structure"],
        tuple(head["routes"]),
        head["source"],
        head.get("note", ""),
        parameters,
        covariates,
        random_effects,
        omega,
    )


def _read_parameter(
    name: str, entry: Any, spec: tuple[str, str, str], covariates: Mapping[str, Covariate], where: str
) -> DrugParameter:
    check_keys(entry, _PARAMETER, where)
    check_source(entry["source"], where)
    unit, kind, meaning = spec
    value = float(entry["value"])
    if entry["unit"] != unit:
        value = in_unit(quantity(value, entry["unit"], where), unit, where)
    check_value(value, kind, f"{where}: value")
    if "cv" in entry and "omega2" in entry:
        raise InputError(f"{where}: give the variation as cv or as omega2, not as both")
    omega2 = float(np.log1p(entry["cv"] ** 2)) if "cv" in entry else float(entry.get("omega2", 0.0))
    follows = {key: float(factor) for key, factor in entry.get("follows", {}).items()}
    if omega2 > 0.0:
        follows[name] = 1.0
    effects = tuple(read_effect(effect, covariates, where) for effect in entry.get("covariates", []))
    parameter = Parameter(name, value, unit, entry["source"], entry.get("description", meaning))
    return DrugParameter(parameter, kind, omega2, follows, effects)


def _check_follows(parameters: Mapping[str, DrugParameter], names: Iterable[str], file: str) -> None:
    for name, entry in parameters.items():
        for other in entry.follows:
            if other not in names:
                raise unknown_word("random effect", other, names, f"{file} [parameters.{name}] follows")


def _covariances(
    parameters: Mapping[str, DrugParameter], names: tuple[str, ...], entries: Any, file: str
) -> np.ndarray:
    omega = np.diag([parameters[name].omega2 for name in names])
    where = f"{file} [[covariance]]"
    for entry in entries:
        check_keys(entry, _COVARIANCE, where)
        check_source(entry["source"], where)
        for name in entry["between"]:
            if name not in names:
                raise unknown_word("random effect", str(name), names, where)
        if len(set(entry["between"])) != 2:
            raise InputError(f"{where}: 'between' must name two different parameters, got {entry['between']}")
        i, j = (names.index(name) for name in entry["between"])
        omega[i, j] = omega[j, i] = entry["value"]
    if names and np.min(np.linalg.eigvalsh(omega)) < 0.0:
        raise InputError(f"{where}: no law has these variances and covariances; check 'value'")
    return omega
