"""Plausible patients: what a model makes of them lies in the ranges that people have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...abm.errors import InputError, unknown_word


@dataclass(frozen=True)
class Plausibility:
    """Which of the proposed patients are plausible.

    Attributes
    ----------
    mask : ndarray of bool, shape (patients,)
    outside : dict of str to int
        Patients outside the range of each quantity; one patient may fail several.
    """

    mask: np.ndarray
    outside: dict[str, int]

    @property
    def proposed(self) -> int:
        """Return how many were proposed."""
        return int(self.mask.size)

    @property
    def kept(self) -> int:
        """Return how many are plausible."""
        return int(self.mask.sum())


def plausible(values: Mapping[str, np.ndarray], ranges: Mapping[str, tuple[float, float]]) -> Plausibility:
    """Return which patients lie within all ranges; NaN lies in none.

    Parameters
    ----------
    values : mapping of str to ndarray, shape (patients,)
        Quantities of the model, in the unit of their ranges.
    ranges : mapping of str to (lowest, highest)
        Ends included.

    Raises
    ------
    InputError
        A range for a quantity that is not there, or whose ends are the wrong way round.
    """
    mask: np.ndarray | None = None
    outside = {}
    for name, (low, high) in ranges.items():
        if name not in values:
            raise unknown_word("quantity", name, values, "plausible ranges")
        if not low <= high:
            raise InputError(f"plausible range of '{name}': {low:g} to {high:g} holds nothing; swap the ends")
        found = np.asarray(values[name], dtype=float)
        inside = (found >= low) & (found <= high)
        outside[name] = int(np.count_nonzero(~inside))
        mask = inside if mask is None else mask & inside
    if mask is None:
        raise InputError("plausible ranges: name one or more quantities; there is nothing to judge by")
    return Plausibility(mask, outside)
