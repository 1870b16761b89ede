"""The CSV tables of QCIC, read without compiling its equations."""

import csv
import functools
import pathlib
from collections.abc import Mapping

FOLDER = pathlib.Path(__file__).parent


def table_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of ``states.csv``, ``molecules.csv``, ``parameters.csv`` or ``dosing.csv``."""
    with open(FOLDER / name, newline="", encoding="ascii") as lines:
        return list(csv.DictReader(lines))


@functools.cache
def parameter_names() -> frozenset[str]:
    """Return the names of all parameters."""
    return frozenset(parameter_units())


@functools.cache
def parameter_units() -> Mapping[str, str]:
    """Return the unit of every parameter."""
    return {row["name"]: row["unit"] for row in table_rows("parameters.csv")}


@functools.cache
def sampled_names() -> tuple[str, ...]:
    """Return the names of the 21 parameters that vary between patients, in the order of the published tables."""
    return tuple(row["name"] for row in table_rows("parameters.csv") if row["group"] == "virtual patient")
