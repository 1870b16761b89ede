"""The list of well-mixed tumour models: a file beside this one that decorates a function adds to it."""

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from ...abm.errors import InputError, unknown_word
from ...abm.ode_model import OdeModel

Build = Callable[[], OdeModel]
_MODELS: dict[str, Build] = {}


def tumour(build: Build) -> Build:
    """Register a function that returns a model under its own name.

    The model has an input ``drug``, 0 without treatment, and an output ``burden``; the states in the unit of
    ``burden`` are the cells that radiation kills.
    """
    _MODELS[build.__name__] = build
    return build


@cache
def _load() -> None:
    package = importlib.import_module(str(__package__))
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")


def tumour_models() -> list[str]:
    """Return the names of all models, in alphabetical order."""
    _load()
    return sorted(_MODELS)


def tumour_model(
    name: str,
    parameters: Mapping[str, float] | None = None,
    initial: Mapping[str, float] | None = None,
    source: str = "user",
) -> OdeModel:
    """Return a tumour model, with numbers of one's own where given.

    Parameters
    ----------
    name : str
        One of ``tumour_models()``.
    parameters, initial : mapping, optional
        Name of a parameter or state to value, in the unit that the model states; not negative.
    source : str
        Of the parameters given.

    Raises
    ------
    InputError
        Unknown model, parameter or state, or a value that is negative or not finite.
    """
    _load()
    if name not in _MODELS:
        raise unknown_word("tumour model", name, _MODELS, "tumour models")
    model = _MODELS[name]()
    given = dict(parameters or {})
    start = model.initial.copy()
    for kind, values in (("parameters", given), ("states", dict(initial or {}))):
        for key, value in values.items():
            index = model.index(kind, key)
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(f"{name}: {key} must be a finite number from 0 on, got {value}")
            if kind == "states":
                start[index] = value
    table = tuple(
        replace(p, value=float(given[p.name]), source=source) if p.name in given else p
        for p in model.parameters
    )
    return replace(model, parameters=table, initial=start, _index={})


def cell_states(model: OdeModel) -> np.ndarray:
    """Return the positions of the states in the unit of ``burden``: the cells of the tumour.

    Raises
    ------
    InputError
        The model has no output ``burden``.
    """
    unit = model.outputs[model.index("outputs", "burden")].unit
    return np.array([i for i, state in enumerate(model.states) if state.unit == unit], dtype=np.int64)
