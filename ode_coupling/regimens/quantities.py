"""Amounts, lengths of time and intervals of an order, each as written."""

import math
from dataclasses import dataclass

from .body_size import BodySize
from .pointing import Misfit

CALVERT_OFFSET_ML_PER_MIN = 25.0  # carboplatin's clearance beside filtration: 10.1200/JCO.1989.7.11.1748
MOST = 36_500  # days, cycles: a hundred years is a slip of the pen, and would take hours to write out
HOURS = {"min": 1.0 / 60.0, "h": 1.0, "d": 24.0, "w": 168.0}
# unit -> (what a dose comes out in, how many of the unit make one of that, what it is multiplied by)
UNITS: dict[str, tuple[str, float, str]] = {
    f"{mass}{per}": ("mg", many, size)
    for mass, many in (("mg", 1.0), ("g", 1e-3), ("ug", 1e3))
    for per, size in (("", ""), ("/m2", "surface"), ("/kg", "weight"))
} | {
    "AUC": ("mg", 1.0, "filtration"),
    "cells": ("cells", 1.0, ""),
    "cells/kg": ("cells", 1.0, "weight"),
    "units": ("units", 1.0, ""),
}


def plain(value: float) -> str:
    """Return a number as short as it can be read back exactly."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _positive(value: float, what: str, clause: str) -> None:
    if not 0.0 < value < math.inf:
        raise Misfit(f"{what} must be a positive number, it is {value:g}", clause, value)


@dataclass(frozen=True)
class Amount:
    """An amount a dose; ``AUC`` is the target exposure (mg min/mL) of Calvert's formula for carboplatin."""

    value: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise Misfit(f"unknown unit '{self.unit}'", "amount")
        _positive(self.value, "an amount", "amount")

    def __str__(self) -> str:
        return f"AUC {plain(self.value)}" if self.unit == "AUC" else f"{plain(self.value)} {self.unit}"

    @property
    def kind(self) -> str:
        """What a dose comes out in: mg, cells or units (the body model's own)."""
        return UNITS[self.unit][0]

    @property
    def flat(self) -> bool:
        """Whether it is the same for every patient."""
        return not UNITS[self.unit][2]

    def of(self, size: BodySize) -> float:
        """Return the amount for a patient, in mg, cells or units; InputError where the size is unknown.

        Calvert: mg = AUC x (GFR + 25), source 10.1200/JCO.1989.7.11.1748.
        """
        _, many, per = UNITS[self.unit]
        if per == "surface":
            return self.value / many * size.surface_m2
        if per == "weight":
            return self.value / many * size.mass_kg
        if per == "filtration":
            return self.value * (size.filtration_mL_per_min + CALVERT_OFFSET_ML_PER_MIN)
        return self.of_flat()

    def of_flat(self) -> float:
        """Return the amount where it is the same for every patient."""
        return self.value / UNITS[self.unit][1]


@dataclass(frozen=True)
class Span:
    """A length of time in min, h, d or w."""

    value: float
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in HOURS:
            raise Misfit(f"unknown unit of time '{self.unit}'", "span")
        _positive(self.value, "a length of time", "span")
        if self.value > MOST:
            raise Misfit(f"a length of time must be at most {MOST} of its unit", "span")

    def __str__(self) -> str:
        word = {"d": "day", "w": "week"}.get(self.unit, self.unit)
        return f"{plain(self.value)} {word}{'s' if word != self.unit and self.value != 1 else ''}"

    @property
    def hours(self) -> float:
        """Length (h)."""
        return self.value / 60.0 if self.unit == "min" else self.value * HOURS[self.unit]

    @property
    def days(self) -> float:
        """Length (d), as exact as it is written."""
        return self.value if self.unit == "d" else self.hours / 24.0

    @property
    def whole_days(self) -> bool:
        """Whether it is a whole number of days."""
        return self.hours % 24.0 == 0.0


@dataclass(frozen=True)
class Every:
    """The interval of a cycle: q3w, q28d, weekly, q36h.

    Hours that divide a day (q8h) are a frequency within the day, not a cycle.
    """

    value: int
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in ("h", "d", "w"):
            raise Misfit(f"unknown unit of an interval '{self.unit}'", "every")
        if not 1 <= self.value <= MOST or self.value != int(self.value):
            raise Misfit(f"an interval is a whole number from 1 to {MOST}, not {self.value:g}", "every")
        if self.unit == "h" and 24 % self.value == 0:
            raise Misfit(f"q{self.value}h divides a day: it is {24 // self.value} doses a day", "every")

    def __str__(self) -> str:
        return "weekly" if (self.value, self.unit) == (1, "w") else f"q{self.value}{self.unit}"

    @property
    def hours(self) -> float:
        """Length (h)."""
        return self.value * HOURS[self.unit]
