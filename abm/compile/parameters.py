"""Resolve the parameters of a model: values, overrides, measured numbers and expressions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError, unknown_word
from ..ode_model import Parameter
from .model_file import ModelSpec
from .quantities import Quantity, evaluate, in_unit, names_in, parse_unit, quantity


@dataclass(frozen=True)
class Override:
    """A value given from outside the model file (patient, scenario or user), in the declared unit if none."""

    value: float
    unit: str | None
    source: str


class Scope:
    """The parameters of one model, resolved: names to quantities, with where each came from.

    Attributes
    ----------
    parameters : tuple of Parameter
        In declared units, in the order of declaration.
    """

    def __init__(self, spec: ModelSpec, overrides: Mapping[str, Override], measured: Mapping[str, float]):
        self._spec, self._overrides, self._measured = spec, overrides, measured
        self._quantities: dict[str, Quantity] = {}
        self._sources: dict[str, str] = {}
        for name in overrides:
            if name not in spec.parameters:
                raise unknown_word("parameter", name, spec.parameters, "override")
        for name in spec.parameters:
            self._resolve(name, ())
        self.parameters = tuple(
            Parameter(
                name,
                in_unit(self._quantities[name], entry["unit"], name),
                entry["unit"],
                self._sources[name],
                entry.get("description", ""),
            )
            for name, entry in spec.parameters.items()
        )

    def _resolve(self, name: str, above: tuple[str, ...]) -> None:
        if name in self._quantities:
            return
        where = f"parameter '{name}'"
        if name in above:
            raise InputError(f"{where}: defined by itself ({' -> '.join((*above, name))})")
        entry = self._spec.parameters[name]
        unit = entry["unit"]
        parse_unit(unit, where)
        override = self._overrides.get(name)
        if override is not None:
            given = quantity(override.value, override.unit or unit, where)
            value, source = quantity(in_unit(given, unit, where), unit), override.source
        elif "measured" in entry and entry["measured"] in self._measured:
            value, source = quantity(self._measured[entry["measured"]], unit), "measured"
        elif "expr" in entry:
            for word in names_in(entry["expr"], where):
                if word not in self._spec.parameters:
                    raise unknown_word("parameter", word, self._spec.parameters, f"{where} '{entry['expr']}'")
                self._resolve(word, (*above, name))
            value, source = evaluate(entry["expr"], self._quantities, where), "derived"
            value = quantity(in_unit(value, unit, where), unit)
        elif "value" in entry:
            value, source = quantity(float(entry["value"]), unit, where), entry.get("source", "measured")
        else:
            raise InputError(f"{where}: '{entry['measured']}' was not measured and no value is given")
        self._check_range(name, entry, value)
        self._quantities[name], self._sources[name] = value, source

    def _check_range(self, name: str, entry: dict, value: Quantity) -> None:
        number = in_unit(value, entry["unit"], name)
        if not math.isfinite(number):
            raise InputError(f"parameter '{name}': {number} is not a finite number")
        if "range" in entry:
            low, high = entry["range"]
            if not low <= number <= high:
                unit = "" if entry["unit"] == "1" else f" {entry['unit']}"
                raise InputError(
                    f"parameter '{name}': {number:g}{unit} lies outside its range {low:g} to {high:g}{unit}; "
                    "choose a value within it, or change 'range' in the model file"
                )

    def number(self, expression: str, unit: str, where: str) -> float:
        """Return an expression over the parameters as a number in ``unit``.

        Raises
        ------
        InputError
            Unknown name, wrong dimension, or a number that is not finite.
        """
        value = in_unit(evaluate(expression, self._quantities, where), unit, where)
        if not math.isfinite(value):
            raise InputError(f"{where}: '{expression}' is {value}, not a finite number")
        return value

    def positive(self, expression: str, unit: str, where: str, *, zero: bool = True) -> float:
        """Return an expression as a number that may not be negative (nor zero if ``zero`` is false).

        Raises
        ------
        InputError
        """
        value = self.number(expression, unit, where)
        if value < 0 or (value == 0 and not zero):
            bound = "negative" if zero else "zero or negative"
            raise InputError(f"{where}: '{expression}' is {value:g} {unit}, and it cannot be {bound}")
        return value

    def within(self, expression: str, unit: str, where: str, least: float, most: float) -> float:
        """Return an expression as a number above 0 that lies in a range.

        Raises
        ------
        InputError
        """
        value = self.positive(expression, unit, where, zero=False)
        if not least <= value <= most:
            raise InputError(
                f"{where}: '{expression}' is {value:g} {unit}, and it must be {least:g} to {most:g}"
            )
        return value
