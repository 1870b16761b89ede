"""A body: one ODE model with a patient's parameters and doses, advanced from dose edge to dose edge."""

import bisect
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from ..abm.errors import InputError, unknown_word
from ..abm.ode_model import OdeModel
from .dosing import Dose, Regimen
from .integrate import NON_FINITE, OK, STEP_TOO_SMALL, TOO_MANY_STEPS, advance

DOSE_RATE, OWNED = "dose_rate_", "owned_"  # what the names of some inputs begin with
REASONS = {
    NON_FINITE: "is no longer finite",
    STEP_TOO_SMALL: "changes too fast for any step",
    TOO_MANY_STEPS: "changes too fast: too many steps",
}
MOST_NAMED = 5  # changed parameters in a message, those furthest from the model's own value first


class BodyError(RuntimeError):
    """The ODE of a body cannot be carried on: the message names state, time and changed parameters."""


class Body:
    """An ODE model under treatment.

    Parameters
    ----------
    model : OdeModel
    parameters : mapping, optional
        Parameter name to value, over the model's own values (a virtual patient). Not negative.
    doses : iterable of Dose
        Each drug needs an input ``dose_rate_<drug>`` in the model, or one for its route,
        ``dose_rate_<drug>_<route>``.
    rtol, atol : float
        Tolerances of the integrator; ``atol`` in the units of the states (cells/L and drug amounts).
    start_days : float
        Time of the initial state.

    Attributes
    ----------
    y, p, u : ndarray
        States, parameters, inputs. ``y`` may be written to between advances.
    t : float
        Time (d).
    halved : int
        Steps halved because a state would have turned negative.

    Raises
    ------
    InputError
        For an unknown parameter or drug, a value that is negative or not finite, or a dose before the start.
    """

    def __init__(
        self,
        model: OdeModel,
        parameters: Mapping[str, float] | None = None,
        doses: Iterable[Dose] = (),
        rtol: float = 1e-6,
        atol: float = 1e-4,
        start_days: float = 0.0,
    ):
        self.model, self.rtol, self.atol = model, rtol, atol
        self.p = model.parameter_values()
        self.u, self._out = np.zeros(len(model.inputs)), np.zeros(len(model.outputs))
        self.t, self.h, self.halved = float(start_days), 0.0, 0
        self.changed = dict(parameters or {})
        for name, value in self.changed.items():
            if not (math.isfinite(value) and value >= 0.0):
                raise InputError(
                    f"{model.name}: parameter '{name}' must be a finite number from 0 on, not {value}"
                )
            self.p[model.index("parameters", name)] = value
        self.y = model.initial_of(self.p)
        self._engine = model.engine() if model.engine else None
        self._advance = self._engine.advance if self._engine else partial(advance, model.rhs)
        self._stopped_days = math.inf
        self._changes: list[tuple[float, int, float]] = []  # (from day, drug by number, factor), as set
        self._planned = Regimen(doses)
        if self._planned.edges and (first := self._planned.edges[0]) < start_days:
            raise InputError(f"{model.name}: dose at day {first:g} lies before the start at {start_days:g}")
        self._use(self._planned)

    def _use(self, regimen: Regimen) -> None:
        self.regimen = regimen
        self._ports = [self._port(drug, route) for drug, route in regimen.columns]
        own = regimen.boluses.any() and self._engine is None
        self._entries = [self._entry(port) for port in self._ports] if own else []

    def _port(self, drug: str, route: str) -> int:
        """Return the input of a drug by a route: its own one, or else that of the drug."""
        dosable = {v.name.removeprefix(DOSE_RATE) for v in self.model.inputs if v.name.startswith(DOSE_RATE)}
        for name in (f"{drug}_{route}", drug):
            if name in dosable:
                return self.model.index("inputs", DOSE_RATE + name)
        raise unknown_word("drug", drug, dosable, f"doses of {self.model.name}")

    def _entry(self, port: int) -> np.ndarray:
        """Return what one unit of a bolus adds to y: the change that a unit rate makes to dy."""
        without, unit = np.zeros_like(self.y), np.zeros_like(self.y)
        u = np.zeros_like(self.u)
        self.model.rhs(self.t, self.model.initial, self.p, u, without)
        u[port] = 1.0
        self.model.rhs(self.t, self.model.initial, self.p, u, unit)
        return unit - without

    def _enters(self, port: int) -> np.ndarray:
        """Return what one unit of a bolus adds to y now, where an engine knows."""
        assert self._engine is not None
        return self._engine.entry(self.t, self.y, self.p, self.u, port)

    def advance_to(self, time_days: float) -> None:
        """Advance to a time (d); doses that start at that very time are given by the next advance.

        Raises
        ------
        InputError
            If the time is not finite or lies in the past.
        BodyError
            If the equations blow up; ``y`` and ``t`` then hold the last good state.
        """
        if not self.t <= time_days < math.inf:
            raise InputError(f"{self.model.name}: cannot go from day {self.t:g} to day {time_days:g}")
        edges = self.regimen.edges
        while self.t < time_days:
            here = bisect.bisect_right(edges, self.t) - 1
            on_edge = here >= 0 and edges[here] == self.t
            self.u[self._ports] = 0.0
            for k, port in enumerate(self._ports):  # two routes may share a port
                self.u[port] += self.regimen.rates[here, k] if here >= 0 else 0.0
                if on_edge and self.regimen.boluses[here, k] > 0.0:
                    entry = self._entries[k] if self._engine is None else self._enters(port)
                    self.y += self.regimen.boluses[here, k] * entry
            end = min(time_days, edges[here + 1]) if here + 1 < len(edges) else time_days
            self._integrate(end)

    def _integrate(self, end: float) -> None:
        result = self._advance(self.t, end, self.y, self.p, self.u, self.rtol, self.atol, self.h)
        self.t, self.h = result.t, result.h
        self.halved += result.negative
        if result.status != OK:
            raise self._failure(result.status)

    def _failure(self, status: int) -> BodyError:
        speed = self._stiffness() if status == TOO_MANY_STEPS else self._speed()
        worst = self.model.states[int(np.argmax(np.where(np.isfinite(speed), speed, np.inf)))].name
        changed = ", ".join(f"{name} = {self.changed[name]:g}" for name in self._furthest()) or "none"
        if len(self.changed) > MOST_NAMED:
            changed += f" and {len(self.changed) - MOST_NAMED} nearer to the model's"
        return BodyError(
            f"{self.model.name}: state {worst} {REASONS[status]} at day {self.t:.6g} (parameters changed: {changed})"
        )

    def _speed(self) -> np.ndarray:
        """Return how fast every state changes relative to itself, 1/d."""
        return np.abs(self._slope(self.y)) / (self.atol + np.abs(self.y))

    def _stiffness(self) -> np.ndarray:
        """Return how fast every state would come back after a push, 1/d: what limits an explicit step."""
        found, here = np.zeros_like(self.y), self._slope(self.y)
        for k, value in enumerate(self.y):
            pushed, push = self.y.copy(), 1e-6 * (self.atol + abs(value))
            pushed[k] += push
            found[k] = abs(self._slope(pushed)[k] - here[k]) / push
        return found

    def _slope(self, y: np.ndarray) -> np.ndarray:
        dy = np.zeros_like(y)
        self.model.rhs(self.t, y, self.p, self.u, dy)
        return dy

    def _furthest(self) -> list[str]:
        """Return the changed parameters that are furthest from the model's own values, in ratio."""
        own = {parameter.name: parameter.value for parameter in self.model.parameters}

        def ratio(name: str) -> float:
            new, old = self.changed[name], own.get(name, 0.0)
            return abs(math.log(new / old)) if new > 0.0 < old else (0.0 if new == old else math.inf)

        return sorted(self.changed, key=ratio, reverse=True)[:MOST_NAMED]

    def stop_dosing(self, time_days: float) -> None:
        """Drop the doses that start at or after a time (d), as on progression; a running infusion goes on."""
        self._stopped_days = min(self._stopped_days, float(time_days))
        self._use(self._effective())

    def set_dose(self, drug: str, factor: float, from_days: float) -> None:
        """Give a share of every planned dose of a drug that starts at or after a time (d).

        A dose that starts before runs on as it is; a later call governs the doses from its own time on.

        Parameters
        ----------
        drug : str
        factor : float
            Times the planned amount: 1 as planned, 0 held.
        from_days : float
            Not before the present time.

        Raises
        ------
        InputError
            A drug without planned dose, a factor that is negative or not finite, or a time in the past.
        """
        if drug not in self._planned.drugs:
            raise unknown_word("drug", drug, self._planned.drugs, f"planned doses of {self.model.name}")
        if not (math.isfinite(factor) and factor >= 0.0):
            raise InputError(
                f"{self.model.name}: the share of the doses of {drug} must be a finite number from 0 on, not {factor}"
            )
        if not self.t <= from_days < math.inf:
            raise InputError(
                f"{self.model.name}: doses of {drug} can change from day {self.t:g} on, not from {from_days:g}"
            )
        self._changes.append((float(from_days), self._planned.drugs.index(drug), float(factor)))
        self._use(self._effective())

    def _effective(self) -> Regimen:
        """Return the planned doses as changed and stopped; a held dose stays, with nothing in it."""
        regimen = self._planned
        if self._changes:
            regimen = Regimen(replace(dose, amount=dose.amount * self._share(dose)) for dose in regimen.doses)
        return regimen.stopped(self._stopped_days) if self._stopped_days < math.inf else regimen

    def _share(self, dose: Dose) -> float:
        """Return the factor of the last change that reaches a dose."""
        drug = self._planned.drugs.index(dose.drug)
        for from_days, of, factor in reversed(self._changes):
            if of == drug and from_days <= dose.time_days:
                return factor
        return 1.0

    def planned(self, drug: str) -> float:
        """Return the amount of a drug that the plan, as given at the start, foresaw up to now."""
        return self._planned.delivered(drug, self.t)

    @property
    def dosed(self) -> dict[str, float]:
        """Amount of every planned drug given so far."""
        return {drug: self.regimen.delivered(drug, self.t) for drug in self._planned.drugs}

    def outputs(self) -> np.ndarray:
        """Return what the model shows now, shape (outputs,), in the order and units of ``model.outputs``."""
        self.model.observe(self.t, self.y, self.p, self.u, self._out)
        return self._out.copy()

    def output(self, name: str) -> float:
        """Return one output by name."""
        return float(self.outputs()[self.model.index("outputs", name)])

    def get(self, name: str) -> float:
        """Return a state by name."""
        return float(self.y[self.model.index("states", name)])

    def set(self, name: str, value: float) -> None:
        """Set a state by name; InputError if the value is negative or not finite."""
        if not (math.isfinite(value) and value >= 0.0):
            raise InputError(
                f"{self.model.name}: state '{name}' must be a finite number from 0 on, not {value}"
            )
        self.y[self.model.index("states", name)] = value

    def set_input(self, name: str, value: float) -> None:
        """Set an input by name; InputError if not finite or if the doses govern it."""
        if name.startswith(DOSE_RATE):
            raise InputError(
                f"{self.model.name}: input '{name}' is governed by the doses; give a dose instead"
            )
        if not math.isfinite(value):
            raise InputError(f"{self.model.name}: input '{name}' must be finite, not {value}")
        self.u[self.model.index("inputs", name)] = value

    def take_over(self, other: "Body") -> None:
        """Begin where another body of the same model has come to, at one's own time and doses."""
        self.y[:] = other.y
        if self._engine and other._engine:
            self._engine.recall(other._engine.memory())

    def state(self) -> dict[str, np.ndarray]:
        """Return all that changes, to restart from bit for bit.

        Raises
        ------
        InputError
            The model's engine remembers what no state holds.
        """
        if self.model.memory:
            raise InputError(
                f"{self.model.name}: has {self.model.memory}, which a saved state cannot hold; run it in one go"
            )
        clock = np.array([self.t, self.h, self._stopped_days, float(self.halved)])
        changes = {"body_dose_changes": np.array(self._changes)} if self._changes else {}
        memory = {"body_memory": self._engine.memory()} if self._engine else {}
        return {"body_y": self.y.copy(), "body_u": self.u.copy(), "body_clock": clock, **changes, **memory}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take over what ``state`` returned, in a body made with the same arguments; ignore other keys."""
        y, u, clock = (np.asarray(state[key], dtype=np.float64) for key in ("body_y", "body_u", "body_clock"))
        if y.shape != self.y.shape or u.shape != self.u.shape or clock.shape != (4,):
            raise InputError(f"{self.model.name}: the saved state belongs to another model or version")
        self.y[:], self.u[:] = y, u
        self.t, self.h, self.halved = float(clock[0]), float(clock[1]), int(clock[3])
        self._stopped_days = float(clock[2])
        if self._engine:
            self._engine.recall(state["body_memory"])
        changes = np.asarray(state.get("body_dose_changes", ())).reshape(-1, 3).tolist()
        self._changes = [(day, int(drug), factor) for day, drug, factor in changes]
        self._use(self._effective())
