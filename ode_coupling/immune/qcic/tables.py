"""The CSV tables of QCIC, read without compiling its equations."""

import csv
import functools
import pathlib

FOLDER = pathlib.Path(__file__).parent


def table_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of ``states.csv``, ``molecules.csv`` or ``parameters.csv``."""
    with open(FOLDER / name, newline="", encoding="ascii") as lines:
        return list(csv.DictReader(lines))


@functools.cache
def parameter_names() -> frozenset[str]:
    """Return the names of all parameters."""
    return frozenset(row["name"] for row in table_rows("parameters.csv"))
