"""Units of an SBML file as short text, and its unit of time."""

from typing import Any

_KINDS = {"litre": "L", "liter": "L", "mole": "mol", "gram": "g", "second": "s", "metre": "m", "meter": "m",
          "kilogram": "kg", "item": "cells", "dimensionless": "1"}  # fmt: skip
_PREFIXES = {3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p", -15: "f"}
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week"}
UNDECLARED = "not declared"


def unit_text(definition: Any) -> str:
    """Return a unit definition as text such as ``nmol/L``; ``not declared`` where there is none.

    Parameters
    ----------
    definition : libsbml.UnitDefinition or None
    """
    if definition is None or definition.getNumUnits() == 0:
        return UNDECLARED
    above: list[str] = []
    below: list[str] = []
    for i in range(definition.getNumUnits()):
        text, exponent = _one(definition.getUnit(i))
        if text != "1":
            (above if exponent > 0 else below).append(
                f"{text}^{abs(exponent):g}" if abs(exponent) != 1 else text
            )
    return "/".join(["*".join(above) or "1", *below])


def _one(unit: Any) -> tuple[str, float]:
    import libsbml

    kind = libsbml.UnitKind_toString(unit.getKind())
    size = unit.getMultiplier() * 10.0 ** unit.getScale()
    exponent = unit.getExponentAsDouble()
    if kind == "second" and size in _TIMES:
        return _TIMES[size], exponent
    name = _KINDS.get(kind, kind)
    if unit.getMultiplier() == 1.0 and unit.getScale() in _PREFIXES and name != "1":
        return _PREFIXES[unit.getScale()] + name, exponent
    return (name if size == 1.0 else f"{size:g} {name}"), exponent


def seconds_per_time_unit(model: Any) -> float | None:
    """Return the unit of time in seconds, or None where the file declares none.

    Parameters
    ----------
    model : libsbml.Model
    """
    name = model.getTimeUnits() if model.getLevel() > 2 else "time"
    definition = model.getUnitDefinition(name) if name else None
    if definition is None:
        return 1.0 if name == "second" or model.getLevel() < 3 else None
    import libsbml

    if definition.getNumUnits() != 1 or definition.getUnit(0).getKind() != libsbml.UNIT_KIND_SECOND:
        return None
    unit = definition.getUnit(0)
    return float(unit.getMultiplier() * 10.0 ** unit.getScale())
