"""Formulae of time alone, evaluated for many times at once."""

import itertools
import math
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from .contents import Contents
from .formulae import Formulae, is_relation, is_time, number

_AVOGADRO = 6.02214179e23  # the value of SBML Level 3
_CONSTANTS = {
    "pi": math.pi,
    "exponentiale": math.e,
    "true": 1.0,
    "false": 0.0,
    "infinity": math.inf,
    "notanumber": math.nan,
}
_ONE: dict[str, Callable] = {
    "abs": np.abs,
    "exp": np.exp,
    "ln": np.log,
    "floor": np.floor,
    "ceiling": np.ceil,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "not": lambda a: a == 0.0,
    "sec": lambda a: 1.0 / np.cos(a),
    "csc": lambda a: 1.0 / np.sin(a),
    "cot": lambda a: 1.0 / np.tan(a),
}
_TWO: dict[str, Callable] = {
    "divide": np.divide,
    "power": np.power,
    "rem": np.fmod,
    "quotient": lambda a, b: np.trunc(a / b),
    "lt": np.less,
    "leq": np.less_equal,
    "gt": np.greater,
    "geq": np.greater_equal,
    "eq": np.equal,
    "neq": np.not_equal,
    "implies": lambda a, b: (a == 0.0) | (b != 0.0),
}
_MANY: dict[str, Callable] = {
    "plus": np.add,
    "times": np.multiply,
    "max": np.maximum,
    "min": np.minimum,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}
_KNOWN = {*_ONE, *_TWO, *_MANY, "minus", "root", "log"}
_Line = tuple[float, float]


class Timed:
    """Which formulae depend on time alone, and what they are worth.

    Parameters
    ----------
    formulae : Formulae
    contents : Contents
    """

    def __init__(self, formulae: Formulae, contents: Contents):
        self._formulae, self._contents = formulae, contents
        self._known: dict[tuple[str, int], bool] = {}

    def alone(self, e: Element) -> bool:
        """Tell whether nothing but time and what keeps its value is in a formula, and all of it is known here."""
        return self._remembered("alone", e, self._is_alone)

    def depends(self, e: Element) -> bool:
        """Tell whether time is in a formula, by itself or by a rule."""
        return self._remembered("depends", e, self._is_dependent)

    def is_linear(self, e: Element) -> bool:
        """Tell whether a formula of time alone is linear in it."""
        return self._remembered("linear", e, self._is_line)

    def _remembered(self, what: str, e: Element, tell: Callable[[Element], bool]) -> bool:
        key = (what, id(e))
        if key not in self._known:
            self._known[key] = False  # the answer for a rule that comes back to itself
            self._known[key] = tell(e)
        return self._known[key]

    def _is_alone(self, e: Element) -> bool:
        parts = list(e)
        if e.tag == "ci":
            rule = self._formulae.rule_of(e)
            return (e.text or "").strip() in self._contents.kept if rule is None else self.alone(rule)
        if e.tag == "csymbol":
            return is_time(e) or (e.get("definitionURL") or "").endswith("/avogadro")
        if e.tag == "cn":
            return number(e) is not None
        if e.tag == "apply":
            if len(e) < 2 or e[0].tag not in _KNOWN:
                return False
            parts = parts[1:]
        elif e.tag not in ("piecewise", "piece", "otherwise", "degree", "logbase"):
            return e.tag in _CONSTANTS
        return all(map(self.alone, parts))

    def _is_dependent(self, e: Element) -> bool:
        rule = self._formulae.rule_of(e)
        if is_time(e) or (rule is not None and self.depends(rule)):
            return True
        return any(map(self.depends, e))

    def _is_line(self, e: Element) -> bool:
        rule = self._formulae.rule_of(e)
        if rule is not None:
            return self.is_linear(rule)
        if is_time(e) or not self.depends(e):
            return True
        if e.tag != "apply":
            return False
        moving = [part for part in e[1:] if self.depends(part)]
        if e[0].tag == "times" or (e[0].tag == "divide" and not self.depends(e[2])):
            return len(moving) == 1 and self.is_linear(moving[0])
        return e[0].tag in ("plus", "minus") and all(map(self.is_linear, moving))

    def relations_in(self, e: Element) -> Iterator[Element]:
        """Yield the comparisons in a formula and in the rules that it names."""
        return filter(is_relation, self._formulae.within(e))

    def lines_in(self, e: Element) -> list[Element]:
        """Return the parts of a formula of time alone that are linear in time."""
        parts = [p for p in self._formulae.within(e) if p.tag in ("apply", "csymbol")]
        return [p for p in parts if self.alone(p) and self.depends(p) and self.is_linear(p)]

    def zero(self, line: Element, value: Callable[[str], float]) -> float:
        """Return when a line is 0; NaN where it never is."""
        at_0, at_1 = float(self.at(line, 0.0, value)), float(self.at(line, 1.0, value))
        return at_0 / (at_0 - at_1) if math.isfinite(at_0 - at_1) and at_0 != at_1 else math.nan

    def at(self, e: Element, time: Any, value: Callable[[str], float]) -> Any:
        """Return what a formula is worth, as float or in the shape of ``time``; true is 1."""
        times = np.asarray(time, dtype=float)
        with np.errstate(all="ignore"):
            found = np.broadcast_to(self._at(e, times, value, {}), times.shape) * 1.0
        return found if times.shape else float(found)

    def _at(self, e: Element, time: np.ndarray, value: Callable[[str], float], known: dict[str, Any]) -> Any:
        if e.tag == "ci":
            name = (e.text or "").strip()
            if name not in known:
                rule = self._formulae.rule_of(e)
                known[name] = value(name) if rule is None else self._at(rule, time, value, known)
            return known[name]
        if e.tag == "csymbol":
            return time if is_time(e) else _AVOGADRO
        if e.tag == "cn":
            return number(e)
        if e.tag in _CONSTANTS:
            return _CONSTANTS[e.tag]
        if e.tag == "piecewise":
            otherwise = [self._at(part[0], time, value, known) for part in e if part.tag == "otherwise"]
            made = np.broadcast_to(otherwise[0] if otherwise else math.nan, time.shape)
            for part in [part for part in e if part.tag == "piece"][::-1]:
                chosen = np.not_equal(self._at(part[1], time, value, known), 0.0)
                made = np.where(chosen, np.multiply(self._at(part[0], time, value, known), 1.0), made)
            return made
        degree = [self._at(part[0], time, value, known) for part in e if part.tag in ("degree", "logbase")]
        parts = [
            self._at(part, time, value, known) for part in e[1:] if part.tag not in ("degree", "logbase")
        ]
        return _applied(e[0].tag, [np.multiply(part, 1.0) for part in parts], degree)


def _applied(operator: str, parts: list[Any], degree: list[Any]) -> Any:
    if operator == "minus":
        return -parts[0] if len(parts) == 1 else parts[0] - parts[1]
    if operator == "root":
        return parts[0] ** (1.0 / (degree[0] if degree else 2.0))
    if operator == "log":
        return np.log(parts[0]) / np.log(degree[0] if degree else 10.0)
    if operator in _ONE:
        return _ONE[operator](parts[0])
    if operator in _MANY:
        return reduce(_MANY[operator], parts)
    pairs = [_TWO[operator](a, b) for a, b in itertools.pairwise(parts)]
    return reduce(np.logical_and, pairs) if len(pairs) > 1 else pairs[0]
