"""A body model in the units of whoever couples it: some of its quantities times constant factors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..abm.compile.quantities import Unit, describe_dimension, parse_unit
from ..abm.errors import InputError
from ..abm.ode_model import OdeModel, Parameter, Variable
from .integrate import Advance

AMOUNT = "amount"  # in whatever the model counts it
KINDS = ("states", "inputs", "outputs", "parameters")


@dataclass(frozen=True)
class Wanted:
    """In which unit a quantity is wanted.

    Attributes
    ----------
    unit : str
        Empty to leave it as it is.
    room : str
        Parameter (a volume) that turns an amount into a density (``power`` -1) or back (1); empty for neither.
    power : int
    """

    unit: str
    room: str = ""
    power: int = 0


def factor_to(item: Variable | Parameter, unit: str, where: str) -> float:
    """Return what a value is multiplied by to be in a unit; 1 where the model does not say what its own is.

    Raises
    ------
    InputError
        The two units measure different things.
    """
    own, target = measure_of(item), parse_unit(unit, where)
    if own is None or own == target:
        return 1.0
    counted = _bare(own.dimension) == _bare(target.dimension)  # pure numbers may count cells
    if not counted:
        raise InputError(
            f"{where}: '{item.name}' is in {item.unit} ({describe_dimension(own.dimension)}), which cannot be turned "
            f"into {unit}; couple a quantity of that kind, or mend the units of the file"
        )
    return own.size / target.size


def measure_of(item: Variable | Parameter) -> Unit | None:
    """Return the unit of a quantity in base units, None where the model does not say or our units have none such."""
    if item.measure is not None:
        return item.measure
    try:
        return parse_unit(item.unit)
    except InputError:
        return None


_CELL = next(k for k, power in enumerate(parse_unit("cell").dimension) if power)


def _bare(dimension: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(round(power, 9) for k, power in enumerate(dimension) if k != _CELL)


def in_units(model: OdeModel, wanted: Mapping[str, Wanted], where: str) -> OdeModel:
    """Return a model whose quantities of some names are in the units that are wanted.

    Parameters
    ----------
    model : OdeModel
        With an engine of its own.
    wanted : mapping of str to Wanted
        By name; names that the model lacks are passed over.
    where : str
        For messages.

    Raises
    ------
    InputError
        Units that measure different things, or a volume that is none of the parameters.
    """
    factors = {kind: np.ones(len(getattr(model, kind))) for kind in KINDS}
    rooms: list[tuple[int, int, int]] = []  # state, parameter, power
    made: dict[str, list[Any]] = {kind: list(getattr(model, kind)) for kind in KINDS}
    for kind in KINDS:
        for k, item in enumerate(getattr(model, kind)):
            if item.name not in wanted:
                continue
            want = wanted[item.name]
            if want.room:
                rooms.append((k, _parameter(model, want.room, where), want.power))
                item = _through(item, model.parameters[rooms[-1][1]], want.power)
            if want.unit:
                factors[kind][k] = factor_to(item, want.unit, where)
                item = replace(item, unit=want.unit, measure=None)
            made[kind][k] = item
    if not rooms and all((part == 1.0).all() for part in factors.values()):
        return _renamed(model, made)
    return _Converted(model, factors, rooms).model(_renamed(model, made))


def _renamed(model: OdeModel, made: Mapping[str, list[Any]]) -> OdeModel:
    """Return a model with its quantities described anew."""
    return replace(
        model,
        states=tuple(made["states"]),
        inputs=tuple(made["inputs"]),
        outputs=tuple(made["outputs"]),
        parameters=tuple(made["parameters"]),
        _index={},
    )


def _parameter(model: OdeModel, name: str, where: str) -> int:
    names = [parameter.name for parameter in model.parameters]
    if name not in names or not model.parameters[names.index(name)].value > 0.0:
        raise InputError(
            f"{where}: compartment '{name}' has no size that is constant and above 0, so that amounts in it and "
            "densities cannot be turned into one another; couple species of a compartment of constant size"
        )
    return names.index(name)


def _through(item: Variable, room: Parameter, power: int) -> Variable:
    """Return a quantity times or over a volume."""
    own, size = measure_of(item), measure_of(room)
    if own is None or size is None:
        return replace(item, unit=AMOUNT, measure=None)
    dimension = tuple(a + power * b for a, b in zip(own.dimension, size.dimension, strict=True))
    return replace(item, unit=AMOUNT, measure=Unit(own.size * size.size**power, dimension))


class _Converted:
    """A model behind factors: ours = factor x its own."""

    def __init__(self, model: OdeModel, factors: Mapping[str, np.ndarray], rooms: list[tuple[int, int, int]]):
        self.own, self.factors, self.rooms = model, factors, rooms

    def of_states(self, p: np.ndarray) -> np.ndarray:
        """Return the factors of the states for a vector of parameters in our units."""
        found, own = self.factors["states"].copy(), p / self.factors["parameters"]
        for state, room, power in self.rooms:
            found[state] *= own[room] ** power
        return found

    def back(self, p: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return parameters and inputs in the model's own units."""
        return p / self.factors["parameters"], u / self.factors["inputs"]

    def model(self, described: OdeModel) -> OdeModel:
        """Return the model in our units, from one that is only described in them."""
        own = self.own
        values = own.parameter_values() * self.factors["parameters"]
        parameters = tuple(
            replace(item, value=float(value))
            for item, value in zip(described.parameters, values, strict=True)
        )
        return replace(
            described,
            parameters=parameters,
            initial=own.initial * self.of_states(values),
            rhs=self._rhs,
            observe=self._observe,
            start=self._start if own.start else None,
            engine=(lambda: _Engine(self)) if own.engine else None,
            _index={},
        )

    def _rhs(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, dy: np.ndarray) -> None:
        scale = self.of_states(p)
        self.own.rhs(t, y / scale, *self.back(p, u), dy)
        dy *= scale

    def _observe(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, out: np.ndarray) -> None:
        self.own.observe(t, y / self.of_states(p), *self.back(p, u), out)
        out *= self.factors["outputs"]

    def _start(self, p: np.ndarray) -> np.ndarray:
        assert self.own.start is not None
        return self.own.start(p / self.factors["parameters"]) * self.of_states(p)


class _Engine:
    """The engine of a model behind factors. A state that nobody has written to goes back with the bits it came in."""

    def __init__(self, by: _Converted):
        assert by.own.engine is not None
        self._by, self._inner = by, by.own.engine()
        self._shown = np.full(len(by.own.states), np.nan)
        self._held = self._shown.copy()

    def _own(self, y: np.ndarray, p: np.ndarray) -> np.ndarray:
        return np.where(y == self._shown, self._held, y / self._by.of_states(p))

    def advance(
        self,
        t: float,
        end: float,
        y: np.ndarray,
        p: np.ndarray,
        u: np.ndarray,
        rtol: float,
        atol: float,
        h: float,
    ) -> Advance:
        """Advance ``y`` in place from ``t`` to ``end``."""
        own = self._own(y, p)
        result = self._inner.advance(t, end, own, *self._by.back(p, u), rtol, atol, h)
        self._held = own
        y[:] = self._shown = own * self._by.of_states(p)
        return result

    def memory(self) -> np.ndarray:
        """Return what is remembered beside the states, as numbers."""
        return np.concatenate([self._shown, self._held, self._inner.memory()])

    def recall(self, memory: np.ndarray) -> None:
        """Take over what ``memory`` returned."""
        n = len(self._held)
        self._shown, self._held = memory[:n].copy(), memory[n : 2 * n].copy()
        self._inner.recall(memory[2 * n :])

    def entry(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, port: int) -> np.ndarray:
        """Return what one unit of a bolus by an input adds to the states, now."""
        added = self._inner.entry(t, self._own(y, p), *self._by.back(p, u), port)
        return added * self._by.of_states(p) / self._by.factors["inputs"][port]
