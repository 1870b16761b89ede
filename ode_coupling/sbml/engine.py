"""libRoadRunner behind the protocol of a body: CVODE from one exchange to the next, restarted at each.

Somogyi et al. 2015 (10.1093/bioinformatics/btv363); Hindmarsh et al. 2005 (10.1145/1089014.1089020).
"""

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..integrate import NON_FINITE, OK, STEP_TOO_SMALL, TOO_MANY_STEPS, Advance
from .runnable import Runnable

RTOL = 1e-9
SHARE = 1e-3  # absolute over relative tolerance times the scale of a state
SMALL = 1e-15  # least scale of a state, of the largest of its kind
MOST_STEPS, FEW_STEPS = 1_000_000, 20_000
LOOSER = (1e-6, 1.0, 1e3, 1e6)
BEFORE = -1.0  # all time
NARROW = 10.0  # a stretch of more of the steps that are asked for in it is no flank
FIRST_PIECE, MOST_GROWTH, SHARE_OF_A_PHASE = 1e-6, 4.0, 0.2


def roadrunner() -> Any:
    """Return the package, its log silenced; ImportError where the extra is not installed."""
    import roadrunner as package

    package.Logger.disableLogging()
    os.environ.setdefault("SUNLOGGER_WARNING_FILENAME", os.devnull)  # CVODE prints by itself
    os.environ.setdefault("SUNLOGGER_ERROR_FILENAME", os.devnull)
    return package


class Engine:
    """A model as libRoadRunner has compiled it.

    Parameters
    ----------
    runnable : Runnable
        Checked already.
    dosed : sequence of (port, species)
        Parameter -> species that it enters as a rate (amount a unit of time).
    """

    def __init__(self, runnable: Runnable, dosed: Sequence[tuple[str, str]] = ()):
        self.runnable, self.contents = runnable, runnable.contents
        self.rr = roadrunner().RoadRunner(runnable.text)
        for port, species in dosed:
            self.rr.addParameter(port, 0.0, False)
            self.rr.addReaction(f"{port}_enters", [], [species], port, True)
        self.model = self.rr.model
        self._begun: float | None = None
        self.rr.integrator.maximum_num_steps = MOST_STEPS
        self._amounts = {name for name in self.contents.species if self.contents.is_amount(name)}

    def symbol(self, name: str) -> str:
        """Return what the engine calls the value of an identifier of the file."""
        return f"[{name}]" if name in self.contents.species and name not in self._amounts else name

    def value(self, name: str) -> float:
        """Return the value of an identifier as it is now."""
        return float(self.rr.getValue(self.symbol(name)))

    def get(self, names: Iterable[str]) -> np.ndarray:
        """Return the values of identifiers as they are now."""
        return np.array([self.value(name) for name in names], dtype=np.float64)

    def set(self, names: Iterable[str], values: Iterable[float]) -> None:
        """Set the values of identifiers: compartments and parameters before concentrations."""
        pairs = sorted(zip(names, values, strict=True), key=lambda pair: pair[0] in self.contents.species)
        for name, value in pairs:
            self.model.setValue(self.symbol(name), float(value))

    def start_at(self, time: float) -> None:
        """Begin to integrate anew from the state as it is; events that wait go on waiting."""
        if self.runnable.ahead:
            self.model.setValue(self.runnable.ahead, time)
        self.model.setTime(0.0 if self.runnable.ahead else time)
        self.rr.integrator.restart(time)
        if self.runnable.ahead:
            self.model.setValue(self.runnable.ahead, 0.0)
            self.model.setTime(time)
        self._begun = time

    def run(self, start: float, end: float, rtol: float = RTOL) -> None:
        """Integrate, stopping wherever a function of time alone turns or leaps.

        Raises
        ------
        RuntimeError
            CVODE gives up; the message says why.
        """
        longest = math.inf
        for stop, then in [*self.runnable.clock.stops(start, end, self.value), (end, math.inf)]:
            if stop > start:
                self._go(start, stop, longest, min(rtol, RTOL))
            start, longest = stop, then

    def _go(self, start: float, end: float, longest: float, rtol: float) -> None:
        """Integrate in one piece, or in pieces of a share of the period of every condition on states."""
        piece = (end - start) * (FIRST_PIECE if self.runnable.phases else 1.0)
        while start < end:
            stop = end if start + 1.5 * piece >= end else start + piece
            before = self._phases()
            self.rr.integrator.maximum_time_step = (
                longest if longest < stop - start < NARROW * longest else 0.0
            )
            self._piece(start, stop, rtol)
            turned = np.abs(self._phases() - before).max(initial=0.0)
            piece *= min(MOST_GROWTH, SHARE_OF_A_PHASE / turned) if turned else MOST_GROWTH
            start = stop

    def _piece(self, start: float, end: float, rtol: float) -> None:
        """Integrate; with less exact small states where a leap of a rate cannot be crossed otherwise.

        A state that is 0, or as good as 0, takes a leap of its rate at an error of rate times the distance of
        two floating-point times at best. Tolerances below that stop the integrator at the leap.
        """
        if not self.contents.delayed:  # what waits for its delay cannot be brought back
            saved = self.state()
            first = self._try(start, end, rtol, SMALL, FEW_STEPS, saved)
            if first is None:
                return
            again = self._try(start, end, rtol, SMALL, 2 * FEW_STEPS, saved)
            if again is None:
                return
            if again == first:  # not slow, but stuck
                for floor in LOOSER:
                    self.model.setTime(first + 1e-12 * (abs(first) + end - start))  # behind the leap
                    if self._try(start, end, rtol, floor, FEW_STEPS, saved) is None:
                        return
        self._step(start, end, rtol, SMALL, MOST_STEPS)

    def _try(
        self, start: float, end: float, rtol: float, floor: float, steps: int, saved: np.ndarray
    ) -> float | None:
        """Integrate; return None, or the time that was come to, back at the start."""
        try:
            self._step(start, end, rtol, floor, steps)
        except RuntimeError as error:
            if "TOO_MUCH_WORK" not in str(error):
                raise
            reached = float(self.model.getTime())
            self.model.setTime(start)
            self.set(self.contents.states, saved)
            self._begun = None
            return reached
        return None

    def _step(self, start: float, end: float, rtol: float, floor: float, steps: int) -> None:
        self.rr.integrator.maximum_num_steps = steps
        self._tolerate(rtol, end - start, floor)
        if self._begun != start:  # the engine dies of tolerances that change without a new start
            self.start_at(start)
        self._begun = None
        self.rr.oneStep(start, end - start, False)

    def _phases(self) -> np.ndarray:
        return np.array([self.rr.getValue(name) for name in self.runnable.phases])

    def begin(self) -> None:
        """Begin at time 0, with the events that are due there."""
        for event in self.runnable.events:
            self.model.setValue(event.held, BEFORE)
        self.model.setTime(BEFORE)
        self.rr.integrator.restart(0.0)
        self._begun = 0.0

    def _tolerate(self, rtol: float, span: float, floor: float) -> None:
        """Set tolerances: absolute ones from the size of each state, or of what is like it where that is 0."""
        integrator = self.rr.integrator
        integrator.relative_tolerance = rtol
        names = [*self.model.getFloatingSpeciesIds(), *self.rr.getRateRuleIds()]
        names = [n for n in dict.fromkeys(names) if n not in self.contents.assigned]
        values = np.abs(np.nan_to_num([self.rr.getValue(name) for name in names], posinf=0.0, neginf=0.0))
        is_species = np.array([name in self.contents.species for name in names], dtype=bool)
        scale = values.copy()
        for kind in (is_species, ~is_species):
            most = floor * values[kind].max(initial=0.0)
            if floor > SMALL or not most:
                most = max(most, max(floor, 1.0) * self._reach(np.array(names)[kind], span))
            scale[kind] = np.maximum(values[kind], most)
        for name, size in zip(names, scale, strict=True):
            integrator.setIndividualTolerance(name, max(rtol * SHARE * float(size), 1e-290))

    def _reach(self, names: Sequence[str], span: float) -> float:
        """Return how far states that are all 0 get at their speed of now."""
        rates = [abs(self.rr.getValue(f"{name}'")) for name in names]
        reach = max((r * span for r in rates if math.isfinite(r)), default=0.0)
        return reach or 1.0

    def state(self) -> np.ndarray:
        """Return the values of all states."""
        return self.get(self.contents.states)


class BodyEngine:
    """What advances a body in place of the explicit pair, in days; one body has one.

    Parameters
    ----------
    engine : Engine
    per_day : float
        Units of time of the file a day.
    inputs : sequence of str
        The last ones are rates of doses.
    dosed : sequence of str
        The species that these enter.
    """

    def __init__(self, engine: Engine, per_day: float, inputs: Sequence[str], dosed: Sequence[str]):
        self.engine, self.per_day, self.inputs, self.dosed = engine, per_day, list(inputs), list(dosed)
        self._is_dose = np.arange(len(self.inputs)) >= len(self.inputs) - len(dosed)
        self._p: np.ndarray | None = None
        self._met = np.array([event.initially for event in engine.runnable.events], dtype=bool)

    def put(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray) -> None:
        """Bring the engine to a state."""
        contents = self.engine.contents
        if self._p is None or not np.array_equal(p, self._p):
            self._restart(p)
        self.engine.model.setTime(t * self.per_day)
        own = u[: len(self.inputs)]  # behind them are marks of what a lattice owns
        self.engine.set(self.inputs, np.where(self._is_dose, own / self.per_day, own))
        self.engine.set(contents.states, y)

    def _restart(self, p: np.ndarray) -> None:
        """Set the parameters, and anew what initial assignments make of them."""
        self._p = p.copy()
        names = self.engine.contents.constants
        for name, value in zip(names, p, strict=True):
            self.engine.model.setValue(f"init({self.engine.symbol(name)})", float(value))
        self.engine.rr.resetAll()
        self.engine.set(names, p)

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
        """Advance ``y`` in place from ``t`` to ``end``; ``atol`` is left to the engine, which scales it."""
        self.put(t, y, p, u)
        try:
            self._hold(t * self.per_day)
            self.engine.start_at(t * self.per_day)
            self.engine.run(t * self.per_day, end * self.per_day, rtol)
        except RuntimeError as error:
            return Advance(TOO_MANY_STEPS if "TOO_MUCH_WORK" in str(error) else STEP_TOO_SMALL, t, h, 0)
        reached = self.engine.state()
        if not np.isfinite(reached).all():
            return Advance(NON_FINITE, t, h, 0)
        self._met = self._triggers()
        y[:] = reached
        return Advance(OK, end, h, 0)

    def _triggers(self) -> np.ndarray:
        events = self.engine.runnable.events
        return np.array([self.engine.rr.getValue(event.met) != 0.0 for event in events], dtype=bool)

    def _hold(self, time: float) -> None:
        """Let triggers that were false, and that a dose or a write has made true, become true just after now."""
        now = self._triggers()
        for event, was, met in zip(self.engine.runnable.events, self._met, now, strict=True):
            self.engine.model.setValue(event.held, time if met and not was else BEFORE)

    def memory(self) -> np.ndarray:
        """Return which triggers were true when the body was left, as numbers."""
        return self._met.astype(np.float64)

    def recall(self, memory: np.ndarray) -> None:
        """Take over what ``memory`` returned."""
        self._met = np.asarray(memory) != 0.0

    def entry(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, port: int) -> np.ndarray:
        """Return what one unit of a bolus by an input adds to the states, now."""
        self.put(t, y, p, u)
        contents, added = self.engine.contents, np.zeros(len(y))
        species = self.dosed[port - (len(self.inputs) - len(self.dosed))]
        room = contents.species[species].get("compartment", "")
        added[contents.states.index(species)] = (
            1.0 if contents.is_amount(species) else 1.0 / self.engine.value(room)
        )
        return added

    def start(self, p: np.ndarray) -> np.ndarray:
        """Return the initial state that a parameter vector gives, as initial assignments have it."""
        self._restart(p)
        return self.engine.state()

    def slope(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, dy: np.ndarray) -> None:
        """Write the rates of change a day; 0 for what only events change."""
        self.put(t, y, p, u)
        contents, rr = self.engine.contents, self.engine.rr
        dy[:] = 0.0
        for i, name in enumerate(contents.states):
            if name in contents.rated or name in contents.species:
                dy[i] = rr.getValue(f"{name}'") * self.per_day
                if (
                    name in contents.species
                    and name not in contents.rated
                    and self.engine.symbol(name) != name
                ):
                    dy[i] /= rr.getValue(contents.species[name].get("compartment", ""))

    def observe(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray, out: np.ndarray) -> None:
        """Write the outputs."""
        self.put(t, y, p, u)
        out[:] = self.engine.get(self.engine.contents.outputs)
