"""Units and dimension-checked arithmetic for the numbers of a model file.

House units: h, um, cell, nmol, mg, mmHg, Gy, U (of an enzyme) and ``dose`` (the unit-free drug amount of QCIC). A
concentration of 1 nM is 1 nmol/L, and so on: ``convert`` changes between any two units of one dimension.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from ..errors import InputError, shortened, unknown_word

_BASE = ("h", "um", "cell", "nmol", "mg", "mmHg", "dose", "Gy", "U")
_DIMENSIONLESS = (0.0,) * len(_BASE)


def _dims(**powers: float) -> tuple[float, ...]:
    return tuple(float(powers.get(base, 0)) for base in _BASE)


# unit -> (size in base units, dimension)
_UNITS: dict[str, tuple[float, tuple[float, ...]]] = {
    "1": (1.0, _DIMENSIONLESS),
    "-": (1.0, _DIMENSIONLESS),
    "%": (0.01, _DIMENSIONLESS),
    "s": (1 / 3600, _dims(h=1)),
    "min": (1 / 60, _dims(h=1)),
    "h": (1.0, _dims(h=1)),
    "d": (24.0, _dims(h=1)),
    "day": (24.0, _dims(h=1)),
    "week": (168.0, _dims(h=1)),
    "nm": (1e-3, _dims(um=1)),
    "um": (1.0, _dims(um=1)),
    "mm": (1e3, _dims(um=1)),
    "cm": (1e4, _dims(um=1)),
    "m": (1e6, _dims(um=1)),
    "L": (1e15, _dims(um=3)),
    "mL": (1e12, _dims(um=3)),
    "uL": (1e9, _dims(um=3)),
    "cell": (1.0, _dims(cell=1)),
    "cells": (1.0, _dims(cell=1)),
    "mol": (1e9, _dims(nmol=1)),
    "nmol": (1.0, _dims(nmol=1)),
    "pmol": (1e-3, _dims(nmol=1)),
    "fmol": (1e-6, _dims(nmol=1)),
    "M": (1e-6, _dims(nmol=1, um=-3)),
    "mM": (1e-9, _dims(nmol=1, um=-3)),
    "uM": (1e-12, _dims(nmol=1, um=-3)),
    "nM": (1e-15, _dims(nmol=1, um=-3)),
    "pM": (1e-18, _dims(nmol=1, um=-3)),
    "kg": (1e6, _dims(mg=1)),
    "g": (1e3, _dims(mg=1)),
    "mg": (1.0, _dims(mg=1)),
    "ug": (1e-3, _dims(mg=1)),
    "ng": (1e-6, _dims(mg=1)),
    "pg": (1e-9, _dims(mg=1)),
    "Da": (1e-6, _dims(mg=1, nmol=-1)),
    "kDa": (1e-3, _dims(mg=1, nmol=-1)),
    "mmHg": (1.0, _dims(mmHg=1)),
    "dose": (1.0, _dims(dose=1)),
    "amount": (1.0, _dims(dose=1)),  # as the tables of QCIC call it
    "U": (1.0, _dims(U=1)),
    "Gy": (1.0, _dims(Gy=1)),
}
_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%0-9/][\w/^%* -]*)?$")
_FACTOR = re.compile(r"([A-Za-z%]+)(?:\^?(-?\d))?$|([1-])$")


@dataclass(frozen=True)
class Unit:
    """A unit: its size in base units and its dimension (exponents of h, um, cell, nmol, mg, mmHg, dose, Gy, U)."""

    size: float
    dimension: tuple[float, ...]


@dataclass(frozen=True)
class Quantity:
    """A number in base units with its dimension."""

    value: float
    dimension: tuple[float, ...] = _DIMENSIONLESS


@cache
def parse_unit(text: str, where: str = "unit") -> Unit:
    """Return the unit that a string such as ``1/d``, ``um^2/h`` or ``cells/mm2`` names.

    Raises
    ------
    InputError
        A part of the string is not a known unit.
    """
    size, dimension, sign = 1.0, _DIMENSIONLESS, 1
    tokens = [token for token in re.split(r"([*/ ])", text.strip()) if token not in ("", "*", " ")]
    if not tokens or tokens[-1] == "/":
        raise InputError(f"{where} '{text}': a unit is missing; write 1 where there is none")
    for token in tokens:
        if token == "/":
            sign = -1
            continue
        match = _FACTOR.match(token)
        name = match[1] or match[3] if match else ""
        if not match or name not in _UNITS:
            raise unknown_word("unit", token, _UNITS, f"{where} '{text}'")
        power = sign * int(match[2] or 1)
        part_size, part = _UNITS[name]
        size *= part_size**power
        dimension = tuple(a + power * b for a, b in zip(dimension, part, strict=True))
        sign = 1
    return Unit(size, dimension)


def describe_dimension(dimension: tuple[float, ...]) -> str:
    """Return a dimension in words, for messages: ``h^-1 um^2``."""
    parts = [
        base if power == 1 else f"{base}^{power:g}"
        for base, power in zip(_BASE, dimension, strict=True)
        if power
    ]
    return " ".join(parts) or "dimensionless"


def quantity(value: float, unit: str, where: str = "unit") -> Quantity:
    """Return ``value`` of ``unit`` in base units."""
    parsed = parse_unit(unit, where)
    return Quantity(value * parsed.size, parsed.dimension)


def in_unit(q: Quantity, unit: str, where: str) -> float:
    """Return a quantity as a number in ``unit``.

    Raises
    ------
    InputError
        The dimensions differ.
    """
    target = parse_unit(unit, where)
    if any(abs(a - b) > 1e-9 for a, b in zip(q.dimension, target.dimension, strict=True)):
        raise InputError(
            f"{where}: wrong dimension, got {describe_dimension(q.dimension)} "
            f"where {describe_dimension(target.dimension)} ({unit}) is needed; check the units"
        )
    return q.value / target.size


def convert(value: float, unit: str, target: str, where: str) -> float:
    """Return ``value`` of ``unit`` as a number in ``target``, the very same number where the two are the same.

    Raises
    ------
    InputError
        The dimensions differ, or a unit is unknown.
    """
    if unit == target or parse_unit(unit, where) == parse_unit(target, where):
        return value
    return in_unit(quantity(value, unit, where), target, where)


def number_and_unit(text: str) -> tuple[float, str | None] | None:
    """Return the number and the unit that a text such as ``0.05/d`` holds; the unit may be absent, the number not."""
    match = _NUMBER.match(text.strip())
    return (float(match[1]), match[2] or None) if match else None


_ARITHMETIC: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def evaluate(expression: str, names: Mapping[str, Quantity], where: str) -> Quantity:
    """Return the value of an arithmetic expression over named quantities, dimensions checked.

    Operators are ``+ - * / **`` (a plain number as exponent) and brackets; plain numbers are dimensionless.

    Raises
    ------
    InputError
        The expression cannot be read, a name is unknown, or dimensions do not agree.
    """
    shown = shortened(expression)
    try:
        return _evaluate(_parse(expression, where), shown, names, where)
    except OverflowError:
        raise InputError(f"{where}: '{shown}' is too large a number") from None


def names_in(expression: str, where: str) -> list[str]:
    """Return the names that an expression uses.

    Raises
    ------
    InputError
        The expression cannot be read.
    """
    return [node.id for node in ast.walk(_parse(expression, where)) if isinstance(node, ast.Name)]


def _parse(expression: str, where: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise InputError(
            f"{where}: cannot read the expression '{shortened(expression)}'; use names and + - * / **"
        ) from None


def _evaluate(node: ast.expr, text: str, names: Mapping[str, Quantity], where: str) -> Quantity:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Quantity(float(number))
        case ast.Name(id=name):
            if name not in names:
                raise unknown_word("parameter", name, names, f"{where} '{text}'")
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _evaluate(operand, text, names, where)
            return Quantity(-inner.value, inner.dimension)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_evaluate(left, text, names, where), right, text, where)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            a, b = _evaluate(left, text, names, where), _evaluate(right, text, names, where)
            return _combine(a, op, b, text, where)
    raise InputError(f"{where}: '{text}' may hold only names, numbers and + - * / **")


def _power(base: Quantity, exponent: ast.expr, text: str, where: str) -> Quantity:
    match exponent:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            power = -number
        case ast.Constant(value=int() | float() as number):
            power = number
        case _:
            raise InputError(f"{where}: an exponent in '{text}' is not a plain number")
    if base.value == 0 and power < 0:
        raise InputError(f"{where}: '{text}' divides by zero")
    if base.value < 0 and power != int(power):
        raise InputError(f"{where}: '{text}' takes a root of a negative number")
    return Quantity(base.value**power, tuple(power * d for d in base.dimension))


def _combine(a: Quantity, op: ast.operator, b: Quantity, text: str, where: str) -> Quantity:
    if isinstance(op, ast.Add | ast.Sub):
        if a.dimension != b.dimension:
            first, second = describe_dimension(a.dimension), describe_dimension(b.dimension)
            raise InputError(f"{where}: '{text}' adds {first} to {second}")
        dimension = a.dimension
    else:
        sign = 1 if isinstance(op, ast.Mult) else -1
        dimension = tuple(x + sign * y for x, y in zip(a.dimension, b.dimension, strict=True))
        if sign == -1 and b.value == 0:
            raise InputError(f"{where}: '{text}' divides by zero")
    return Quantity(_ARITHMETIC[type(op)](a.value, b.value), dimension)
