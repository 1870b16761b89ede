"""Biomarkers: one function of a snapshot each, with a unit and the cell types that it needs."""

import inspect
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...abm.errors import unknown_word
from ...abm.snapshot import CellTypeInfo, Snapshot

Measure = Callable[[Snapshot], float]


@dataclass(frozen=True)
class Biomarker:
    """A biomarker as it is listed.

    Attributes
    ----------
    name : str
    unit : str
    needs : tuple of str
        Cell types or groups without which it means nothing.
    definition : str
        One sentence.
    measure : callable
        Snapshot to float, NaN where undefined.
    """

    name: str
    unit: str
    needs: tuple[str, ...]
    definition: str
    measure: Measure

    def missing(self, types: Iterable[CellTypeInfo]) -> list[str]:
        """Return the needed types or groups that are not among these."""
        known = {word for info in types for word in (info.name, info.group)}
        return [word for word in self.needs if word not in known]


BIOMARKERS: dict[str, Biomarker] = {}


def biomarker(unit: str, needs: tuple[str, ...]) -> Callable[[Measure], Measure]:
    """Register a function of a snapshot as a biomarker; its name and docstring become the listing.

    Parameters
    ----------
    unit : str
    needs : tuple of str
        Names of cell types or groups; runs whose model lacks one skip the biomarker.

    Raises
    ------
    ValueError
        If the name is taken.
    """

    def register(function: Measure) -> Measure:
        name = function.__name__
        if name in BIOMARKERS:
            raise ValueError(f"biomarker '{name}' is declared twice")
        definition = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        BIOMARKERS[name] = Biomarker(name, unit, needs, definition, function)
        return function

    return register


def measure(snapshot: Snapshot, names: Iterable[str] | None = None) -> dict[str, float]:
    """Return the biomarkers of a snapshot by name, NaN where undefined.

    Parameters
    ----------
    snapshot : Snapshot
    names : iterable of str, optional
        Which; all that the cell types allow if absent. One that is asked for and lacks a type is NaN.

    Raises
    ------
    InputError
        For an unknown name.
    """
    asked = list(BIOMARKERS) if names is None else list(names)
    values = {}
    for name in asked:
        if name not in BIOMARKERS:
            raise unknown_word("biomarker", name, BIOMARKERS, "biomarkers")
        missing = BIOMARKERS[name].missing(snapshot.types)
        if not missing:
            values[name] = float(BIOMARKERS[name].measure(snapshot))
        elif names is not None:
            values[name] = math.nan
    return values


def skipped(types: Iterable[CellTypeInfo]) -> dict[str, list[str]]:
    """Return the biomarkers that these cell types do not allow, with the types they lack."""
    types = tuple(types)
    lacking = {name: marker.missing(types) for name, marker in BIOMARKERS.items()}
    return {name: missing for name, missing in lacking.items() if missing}
