"""Columns of numbers, events and groups as the statistics take them: checked, or refused in one sentence."""

import importlib
import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from ..abm.errors import InputError, unknown_word


class Table(Protocol):
    """Columns by name: a dict of arrays or a pandas DataFrame."""

    def keys(self) -> Any:
        """Return the names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column by its name."""


def column(table: Table, name: str, where: str = "table") -> np.ndarray:
    """Return a column of a table as an array; InputError with the nearest name where there is none."""
    names = [str(key) for key in table.keys()]  # noqa: SIM118 (a DataFrame iterates alike, the protocol need not)
    if name not in names:
        raise unknown_word("column", name, names, where)
    return np.asarray(table[name])


def _as_float(values: Any, name: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind in "USOT":
        try:
            array = np.array([math.nan if v is None or v == "" else float(v) for v in array.ravel()]).reshape(
                array.shape
            )
        except (TypeError, ValueError) as problem:
            raise InputError(f"column '{name}' must hold numbers: {problem}") from None
    array = np.asarray(array, dtype=float)
    if array.ndim != 1:
        raise InputError(f"column '{name}' must be one-dimensional, not of shape {array.shape}")
    return array


def numbers(values: Any, name: str, missing: bool = False, cure: str = "leave those rows out") -> np.ndarray:
    """Return a column as finite floats.

    Parameters
    ----------
    values : array_like, shape (n,)
        Numbers, or their text (an empty text is a missing number).
    name : str
        Named in the error.
    missing : bool
        Whether NaN may stay; without it a missing value raises InputError.
    cure : str
        What the error advises.
    """
    array = _as_float(values, name)
    bad = np.isinf(array) if missing else ~np.isfinite(array)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"column '{name}' must hold finite numbers, but {np.count_nonzero(bad)} of {array.size} are not "
            f"(first in row {row}: {array[row]:g}); {cure}"
        )
    return array


def binary(values: Any, name: str) -> np.ndarray:
    """Return a column of 0 and 1 (or False and True) as bool; anything else raises InputError."""
    array = _as_float(values, name)
    bad = (array != 0.0) & (array != 1.0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"column '{name}' must be 0 or 1 throughout, but row {row} holds {array[row]:g}; "
            "recode it (an event is 1, a censored time 0)"
        )
    return array.astype(bool)


def labels(values: Any, name: str) -> np.ndarray:
    """Return the names of groups, one a row; InputError where one is missing (None or NaN)."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise InputError(f"column '{name}' must be one-dimensional, not of shape {array.shape}")
    lost = [row for row, value in enumerate(array.tolist()) if value is None or value != value]
    if lost:
        raise InputError(
            f"column '{name}' must name a group in every row, but {len(lost)} of {array.size} are empty (first: row "
            f"{lost[0]}); give those a name of their own or leave them out"
        )
    return array.astype(str) if array.dtype == object else array


def groups(values: Any, name: str, at_least: int = 2) -> tuple[np.ndarray, list[Any]]:
    """Return the group number of each row and the groups' names, sorted.

    Raises
    ------
    InputError
        For fewer than two groups, or a group of fewer than ``at_least`` members.
    """
    array = labels(values, name)
    if array.size == 0:
        raise InputError(f"column '{name}' must not be empty")
    names, number, sizes = np.unique(array, return_inverse=True, return_counts=True)
    if names.size < 2:
        raise InputError(f"column '{name}' must hold at least two groups, but all rows are '{names[0]}'")
    fewest = int(np.min(sizes))
    if fewest < at_least:
        small = names[int(np.argmin(sizes))]
        raise InputError(
            f"column '{name}': group '{small}' has {fewest} member{'s' if fewest > 1 else ''}, a "
            f"comparison needs at least {at_least}; join it with another group or leave it out"
        )
    return number, names.tolist()


def same_length(**columns: np.ndarray) -> None:
    """Raise InputError unless all columns have one length."""
    sizes = {name: len(values) for name, values in columns.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(f"columns must have one length, not {told}")


def weights_of(values: Any, size: int) -> np.ndarray:
    """Return weights of patients, ones for None; InputError for a negative weight or a wrong number of them."""
    if values is None:
        return np.ones(size)
    array = numbers(values, "weights")
    if array.size != size:
        raise InputError(f"weights must be one a patient ({size}), not {array.size}")
    if (array < 0.0).any() or not array.any():
        raise InputError(f"weights must be 0 or more and not all 0 (smallest: {array.min():g})")
    return array


def chance(value: float, name: str) -> float:
    """Return a number strictly between 0 and 1, InputError otherwise."""
    if not 0.0 < value < 1.0:
        raise InputError(f"{name} must lie strictly between 0 and 1, not {value:g}")
    return float(value)


def choice(kind: str, word: str, choices: Sequence[str], where: str) -> str:
    """Return a word if it is among the choices, InputError with the nearest one otherwise."""
    if word not in choices:
        raise unknown_word(kind, word, choices, where)
    return word


def need(module: str, what: str) -> ModuleType:
    """Import a module of the extra ``stats``; InputError that names the extra where it is absent."""
    try:
        return importlib.import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        raise InputError(
            f"{what} needs {library}, which is not installed; install the extra: pip install 'oncolattice[stats]'"
        ) from None
