"""When the conditions of an SBML file change with time, so that an integrator steps over no pulse."""

import itertools
import math
from collections.abc import Callable
from xml.etree.ElementTree import Element

RELATIONS = ("lt", "leq", "gt", "geq", "eq", "neq")
TIME = "http://www.sbml.org/sbml/symbols/time"
STEPS_A_PERIOD = 4
_Value = Callable[[str], float | None]
_Affine = tuple[float, float]


class Switches:
    """The conditions on time of a model.

    Parameters
    ----------
    model : Element
        <model> of a document.

    Notes
    -----
    Both sides of a condition that are linear in time give the time at which it changes. Others (``rem``,
    ``floor``) give a longest step: a quarter of the smallest number that they name.
    """

    def __init__(self, model: Element):
        self._rules = {
            rule.get("variable", ""): rule[0][0]
            for rule in model.iter("assignmentRule")
            if rule.find("math/*") is not None and rule[0].tag == "math"
        }
        functions = [(f.get("id", ""), f.find("math/lambda")) for f in model.iter("functionDefinition")]
        self._functions = {name: f for name, f in functions if f is not None and len(f)}
        self._conditions = [e for e in model.iter("apply") if len(e) > 2 and e[0].tag in RELATIONS]

    def times(self, value: _Value) -> list[float]:
        """Return the times at which a condition changes, unsorted.

        Parameters
        ----------
        value : callable
            Name of a constant -> its value; None for what is no constant.
        """
        found = []
        for _, *sides in self._conditions:
            lines = [self._affine(side, value, {}, 0) for side in sides]
            for left, right in itertools.pairwise(lines):
                if left and right and left[1] != right[1]:
                    found.append((right[0] - left[0]) / (left[1] - right[1]))
        return [time for time in found if math.isfinite(time)]

    def longest_step(self, value: _Value) -> float:
        """Return the longest step (in the file's unit of time) that no condition is missed by; infinite if any is."""
        longest = math.inf
        for _, *sides in self._conditions:
            if all(self._affine(side, value, {}, 0) for side in sides) or not any(map(self._timed, sides)):
                continue
            for side in sides:
                numbers = [number(e) for e in side.iter("cn")]
                numbers += [value((e.text or "").strip()) for e in side.iter("ci")]
                longest = min([longest, *(n / STEPS_A_PERIOD for n in numbers if n and n > 0.0)])
        return longest

    def _timed(self, formula: Element, depth: int = 0) -> bool:
        """Tell whether a formula depends on time by itself, through rules and functions."""
        if any(e.get("definitionURL") == TIME for e in formula.iter("csymbol")):
            return True
        names = {(e.text or "").strip() for e in formula.iter("ci")}
        return depth < 50 and any(
            self._timed(self._rules[name], depth + 1) for name in names & self._rules.keys()
        )

    def _affine(
        self, e: Element, value: _Value, bound: dict[str, _Affine | None], depth: int
    ) -> _Affine | None:
        """Return (a, b) of a formula a + b time, None where it is no such thing."""
        if depth > 50:
            return None
        if e.tag == "cn":
            found = number(e)
            return None if found is None else (found, 0.0)
        if e.tag == "csymbol":
            return (0.0, 1.0) if e.get("definitionURL") == TIME else None
        if e.tag == "ci":
            name = (e.text or "").strip()
            if name in bound:
                return bound[name]
            if name in self._rules:
                return self._affine(self._rules[name], value, {}, depth + 1)
            constant = value(name)
            return None if constant is None else (constant, 0.0)
        if e.tag != "apply" or not len(e):
            return None
        parts = [self._affine(part, value, bound, depth + 1) for part in e[1:]]
        if e[0].tag == "ci" and (name := (e[0].text or "").strip()) in self._functions:
            *arguments, body = self._functions[name]
            names = ["".join(a.itertext()).strip() for a in arguments]
            return self._affine(body, value, dict(zip(names, parts, strict=False)), depth + 1)
        return combined(e[0].tag, [part for part in parts if part]) if all(parts) else None


def combined(operator: str, parts: list[_Affine]) -> _Affine | None:
    """Return the line that an operator makes of lines, None where it makes another thing."""
    if operator == "plus":
        return sum(a for a, _ in parts), sum(b for _, b in parts)
    if operator == "minus" and len(parts) == 1:
        return -parts[0][0], -parts[0][1]
    if operator == "minus" and len(parts) == 2:
        return parts[0][0] - parts[1][0], parts[0][1] - parts[1][1]
    if operator == "times":
        a, b = 1.0, 0.0
        for c, d in parts:
            if b and d:
                return None
            a, b = a * c, a * d + b * c
        return a, b
    if operator == "divide" and len(parts) == 2 and not parts[1][1] and parts[1][0]:
        return parts[0][0] / parts[1][0], parts[0][1] / parts[1][0]
    return None


def number(e: Element) -> float | None:
    """Return the number of a <cn>, None where it is none."""
    texts = [e.text or "", *(part.tail or "" for part in e)]
    try:
        values = [float(text) for text in texts]
    except ValueError:
        return None
    if e.get("type") == "e-notation" and len(values) == 2:
        return values[0] * 10.0 ** values[1] if abs(values[1]) < 300 else None
    if e.get("type") == "rational" and len(values) == 2:
        return values[0] / values[1] if values[1] else None
    return values[0]
