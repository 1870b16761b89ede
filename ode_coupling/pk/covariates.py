"""Covariates of a drug and how they change its parameters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...abm.compile.model_file import check_keys
from ...abm.compile.quantities import convert, number_and_unit, parse_unit
from ...abm.errors import InputError, unknown_word

CONTINUOUS = ("power", "exponential", "proportional")
UNITS_OF_SIZE = {"weight": "kg", "bsa": "m2", "height": "cm"}  # what doses by size are worked out from
BY_LEVEL = ("factor", "exponential", "proportional")

_NUMBER = {
    "reference": ("number > 0", True, "value of the reference patient"),
    "unit": ("text", True, "unit of the covariate"),
    "description": ("text", False, "meaning"),
}
_LEVELS = {
    "levels": ("texts", True, "names of the levels, that of the reference patient first"),
    "description": ("text", False, "meaning"),
}
_EFFECT = {
    "name": ("text", True, "covariate"),
    "effect": ("text", True, "form of the effect"),
    "coefficient": ("number", True, "exponent, slope or factor"),
    "level": ("text", False, "level that has the effect, for a covariate with levels"),
}


@dataclass(frozen=True)
class Covariate:
    """A number with a reference value, or one of several levels of which the first is the reference.

    Attributes
    ----------
    name, unit, description : str
    reference : float or str
    levels : tuple of str
        Empty for a number.
    """

    name: str
    reference: float | str
    unit: str = ""
    levels: tuple[str, ...] = ()
    description: str = ""

    def checked(self, value: object, where: str) -> float | str:
        """Return a value of this covariate, converted if it is text with a unit.

        Raises
        ------
        InputError
            No positive number, a unit of another dimension, or none of the levels.
        """
        if self.levels:
            if value not in self.levels:
                raise unknown_word(self.name, str(value), self.levels, where)
            return str(value)
        found = (value, None) if isinstance(value, int | float) else number_and_unit(str(value))
        number, unit = found if found and not isinstance(value, bool) else (math.nan, None)
        if not 0.0 < number < math.inf:
            raise InputError(
                f"{where}: covariate '{self.name}' must be a positive number ({self.unit}), not {value}"
            )
        return convert(float(number), unit, self.unit, f"{where}: {self.name}") if unit else float(number)


@dataclass(frozen=True)
class Effect:
    """One covariate's effect on one parameter.

    Attributes
    ----------
    name : str
        Covariate.
    effect : str
        Of a number x with reference r: "power" (x/r)^c, "exponential" exp(c (x - r)), "proportional"
        1 + c (x - r). Of a level: "factor" c, "exponential" exp(c), "proportional" 1 + c.
    coefficient : float
    level : str
        Level that has the effect; empty for a number.
    """

    name: str
    effect: str
    coefficient: float
    level: str = ""

    def factor(self, value: float | str, reference: float | str) -> float:
        """Return what the parameter is multiplied with."""
        if self.level:
            if value != self.level:
                return 1.0
            change = 1.0
        else:
            assert isinstance(value, float)
            change = value - float(reference)
        match self.effect:
            case "power":
                return (float(value) / float(reference)) ** self.coefficient
            case "factor":
                return self.coefficient
            case "exponential":
                return math.exp(self.coefficient * change)
        return 1.0 + self.coefficient * change


def read_covariate(name: str, entry: Any, where: str) -> Covariate:
    """Return a covariate from its table.

    Raises
    ------
    InputError
    """
    keys = _LEVELS if isinstance(entry, dict) and "levels" in entry else _NUMBER
    check_keys(entry, keys, where)
    if keys is _NUMBER:
        parse_unit(entry["unit"], f"{where}: 'unit'")
        if (house := UNITS_OF_SIZE.get(name)) and house != entry["unit"]:
            convert(1.0, entry["unit"], house, f"{where}: 'unit'")
        return Covariate(name, float(entry["reference"]), entry["unit"], (), entry.get("description", ""))
    levels = entry["levels"]
    if len(levels) < 2 or len(set(levels)) < len(levels):
        raise InputError(f"{where}: 'levels' must hold at least two different names, got {levels}")
    return Covariate(name, levels[0], "", tuple(levels), entry.get("description", ""))


def read_effect(entry: Any, covariates: Mapping[str, Covariate], where: str) -> Effect:
    """Return the effect of a covariate from its table.

    Raises
    ------
    InputError
    """
    where = f"{where} covariates"
    check_keys(entry, _EFFECT, where)
    if entry["name"] not in covariates:
        raise unknown_word("covariate", entry["name"], covariates, where)
    covariate = covariates[entry["name"]]
    forms = BY_LEVEL if covariate.levels else CONTINUOUS
    if entry["effect"] not in forms:
        raise unknown_word(f"effect of {covariate.name}", entry["effect"], forms, where)
    if bool(covariate.levels) != ("level" in entry):
        raise InputError(
            f"{where}: 'level' goes with covariates that have levels, and with them alone ({covariate.name})"
        )
    if covariate.levels and entry["level"] not in covariate.levels[1:]:
        raise unknown_word(f"level of {covariate.name}", entry["level"], covariate.levels[1:], where)
    return Effect(covariate.name, entry["effect"], float(entry["coefficient"]), entry.get("level", ""))
