"""Units of an SBML file as short text, and its unit of time."""

import math
from xml.etree.ElementTree import Element

from ...abm.compile.quantities import Unit, parse_unit
from ...abm.errors import InputError
from .document import Document

_KINDS = {"litre": "L", "liter": "L", "mole": "mol", "gram": "g", "second": "s", "metre": "m", "meter": "m",
          "kilogram": "kg", "item": "cells", "dimensionless": "1"}  # fmt: skip
_PREFIXES = {3: "k", 0: "", -3: "m", -6: "u", -9: "n", -12: "p", -15: "f"}
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week"}
UNDECLARED = "not declared"
# Kinds that ours are made of.
_OURS = {"litre": "L", "liter": "L", "mole": "mol", "gram": "g", "kilogram": "kg", "second": "s", "metre": "m",
         "meter": "m", "item": "cell", "dimensionless": "1"}  # fmt: skip
# Units that Levels 1 and 2 give where a file defines none (Level 2 Version 4, section 4.4.3).
_BUILT_IN = {"substance": "mol", "volume": "L", "area": "m^2", "length": "m", "time": "s"}


class Units:
    """The units of a document by name.

    Raises
    ------
    InputError
        A unit whose size is not a number above 0, or a unit of time that is none.
    """

    def __init__(self, document: Document):
        self._of = document
        self._made = {
            unit.get("id") or unit.get("name") or "": list(unit.iter("unit"))
            for unit in document.model.iter("unitDefinition")
        }
        for name, parts in self._made.items():
            for part in parts:
                size = _size(part)
                if not (0.0 < size < math.inf and math.isfinite(_exponent(part))):
                    raise InputError(
                        f"{document.path}: unit '{name}': multiplier, scale and exponent must make a size that is "
                        f"finite and above 0, not {size:g}"
                    )

    def text(self, name: str | None) -> str:
        """Return a unit as text such as ``nmol/L``; ``not declared`` where there is none."""
        if not name:
            return UNDECLARED
        if name not in self._made:
            return (
                _BUILT_IN.get(name, _KINDS.get(name, name)) if self._of.level < 3 else _KINDS.get(name, name)
            )
        above: list[str] = []
        below: list[str] = []
        for part in self._made[name]:
            text, exponent = _one(part)
            if text != "1":
                power = f"{text}^{abs(exponent):g}" if abs(exponent) != 1 else text
                (above if exponent > 0 else below).append(power)
        return "/".join(["*".join(above) or "1", *below])

    def measure(self, name: str | None) -> Unit | None:
        """Return a unit in base units; None where the file does not define it, or our units have no such kind.

        What Levels 1 and 2 take for granted is as good as undefined, but for litres and seconds: whoever counts cells
        in a file without units did not mean moles.
        """
        if name in self._made:
            found = Unit(1.0, parse_unit("1").dimension)
            for part in self._made[name]:
                own = _OURS.get(part.get("kind", ""))
                if own is None:
                    return None
                one, power = parse_unit(own), _exponent(part)
                size = (_size(part) * one.size) ** power
                dimension = tuple(a + power * b for a, b in zip(found.dimension, one.dimension, strict=True))
                found = Unit(found.size * size, dimension)
            return found
        if self._of.level < 3 and name in ("volume", "time"):
            return parse_unit(_BUILT_IN[name])
        return parse_unit(_OURS[name]) if name in _OURS else None

    def seconds_per_time_unit(self) -> float | None:
        """Return the unit of time in seconds, None where the file declares none.

        Raises
        ------
        InputError
            It is not a multiple of a second.
        """
        name = self._of.model.get("timeUnits") if self._of.level > 2 else "time"
        if not name:
            return None
        if name not in self._made:
            if name == "second" or self._of.level < 3:
                return 1.0
            return None
        power, size = 0.0, 1.0
        for part in self._made[name]:
            kind, exponent = part.get("kind"), _exponent(part)
            if kind not in ("second", "dimensionless"):
                return None if self._of.level > 2 else self._no_time(name)
            power += exponent if kind == "second" else 0.0
            size *= _size(part) ** exponent
        if power != 1.0 or not 0.0 < size < math.inf:
            return self._no_time(name)
        return size

    def _no_time(self, name: str) -> float:
        raise InputError(
            f"{self._of.path}: unit of time '{name}' is no multiple of a second; give it kind second, exponent 1"
        )


def _float(text: str | None, default: float) -> float:
    try:
        return default if text is None else float(text)
    except ValueError:
        return math.nan


def _exponent(part: Element) -> float:
    return _float(part.get("exponent"), 1.0)


def _size(part: Element) -> float:
    scale = _float(part.get("scale"), 0.0)
    return _float(part.get("multiplier"), 1.0) * 10.0**scale if abs(scale) <= 300 else math.nan


def _one(part: Element) -> tuple[str, float]:
    kind, size, exponent = part.get("kind", "?"), _size(part), _exponent(part)
    if kind == "second" and size in _TIMES:
        return _TIMES[size], exponent
    name = _KINDS.get(kind, kind)
    scale = int(_float(part.get("scale"), 0.0))
    if _float(part.get("multiplier"), 1.0) == 1.0 and scale in _PREFIXES and name != "1":
        return _PREFIXES[scale] + name, exponent
    return (name if size == 1.0 else f"{size:g} {name}"), exponent
