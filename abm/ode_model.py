"""What every ordinary differential equation model, systemic or mean-field, offers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .compile.quantities import Unit


@dataclass(frozen=True)
class Variable:
    """A named quantity of an ODE model, with its unit; ``measure`` is that unit where its text is none of ours."""

    name: str
    unit: str
    description: str = ""
    measure: Unit | None = None


@dataclass(frozen=True)
class Parameter:
    """A number with unit and source (DOI, PMID, ``fitted``, ``assumed``, ``user`` or ``derived``)."""

    name: str
    value: float
    unit: str
    source: str
    description: str = ""
    measure: Unit | None = None


@dataclass(frozen=True)
class OdeModel:
    """An ODE model y' = rhs(t, y; p, u) that the body, a surrogate or a mean field can run.

    Attributes
    ----------
    name : str
    time_unit : str
        Unit of ``t`` ("d" for every shipped model).
    states, inputs, outputs : tuple of Variable
        The state vector y, the inputs u (held constant between exchanges) and what ``observe`` writes.
    parameters : tuple of Parameter
    initial : ndarray, shape (states,)
        At the parameters as they stand.
    rhs : compiled ``rhs(t, y, p, u, dy)``
        Writes dy. All arrays are C-contiguous float64.
    observe : compiled ``observe(t, y, p, u, out)``
        Writes the outputs (fluxes, exposures, signals) at (t, y).
    start : ``start(p) -> y``, optional
        The initial state of other parameters, where it depends on them.
    engine : callable, optional
        Makes what advances one body, ``engine().advance(t, end, y, p, u, rtol, atol, h)``, where the model brings
        an integrator of its own; ``rhs`` and ``observe`` are then not compiled.
    memory : str
        What such an integrator remembers between two advances beside the states, in words; a body of the model
        cannot be saved then.
    """

    name: str
    time_unit: str
    states: tuple[Variable, ...]
    inputs: tuple[Variable, ...]
    outputs: tuple[Variable, ...]
    parameters: tuple[Parameter, ...]
    initial: np.ndarray
    rhs: Callable
    observe: Callable
    notes: str = ""
    start: Callable[[np.ndarray], np.ndarray] | None = None
    engine: Callable[[], Any] | None = None
    memory: str = ""
    _index: dict[str, dict[str, int]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for kind in ("states", "inputs", "outputs", "parameters"):
            names = [item.name for item in getattr(self, kind)]
            if len(set(names)) != len(names):
                raise ValueError(f"{self.name}: a name occurs twice among its {kind}")
            self._index[kind] = {name: i for i, name in enumerate(names)}
        if self.initial.shape != (len(self.states),):
            raise ValueError(f"{self.name}: {len(self.states)} states but initial has {self.initial.shape}")

    def index(self, kind: str, name: str) -> int:
        """Return the position of a name among ``states``, ``inputs``, ``outputs`` or ``parameters``."""
        try:
            return self._index[kind][name]
        except KeyError:
            from .errors import unknown_word

            raise unknown_word(f"{self.name} {kind[:-1]}", name, self._index[kind], self.name) from None

    def initial_of(self, p: np.ndarray) -> np.ndarray:
        """Return a copy of the initial state that a parameter vector gives, shape (states,)."""
        return self.initial.copy() if self.start is None else self.start(p)

    def parameter_values(self) -> np.ndarray:
        """Return the parameter values as a float64 vector in table order."""
        return np.array([parameter.value for parameter in self.parameters])
