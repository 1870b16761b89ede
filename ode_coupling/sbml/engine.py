"""libRoadRunner behind the protocol of a body: CVODE from one exchange to the next, restarted at each.

Somogyi et al. 2015 (10.1093/bioinformatics/btv363); Hindmarsh et al. 2005 (10.1145/1089014.1089020).
"""

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..integrate import NON_FINITE, OK, STEP_TOO_SMALL, TOO_MANY_STEPS, Advance
from .contents import Contents
from .document import Document
from .switches import Switches

RTOL = 1e-9
SHARE = 1e-3  # absolute over relative tolerance times the scale of a state
SMALL = 1e-15  # least scale of a state, of the largest of its kind
MOST_STEPS = 1_000_000


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
    document : Document
        Checked already.
    contents : Contents
    dosed : sequence of (port, species)
        Parameter -> species that it enters as a rate (amount a unit of time).
    """

    def __init__(self, document: Document, contents: Contents, dosed: Sequence[tuple[str, str]] = ()):
        self.contents, self.rr = contents, roadrunner().RoadRunner(document.text)
        for port, species in dosed:
            self.rr.addParameter(port, 0.0, False)
            self.rr.addReaction(f"{port}_enters", [], [species], port, True)
        self.model = self.rr.model
        self._begun: float | None = None
        self.rr.integrator.maximum_num_steps = MOST_STEPS
        self._switches = Switches(document.model)
        self._constants = set(contents.constants)
        self._amounts = {name for name in contents.species if contents.is_amount(name)}

    def symbol(self, name: str) -> str:
        """Return what the engine calls the value of an identifier of the file."""
        return f"[{name}]" if name in self.contents.species and name not in self._amounts else name

    def get(self, names: Iterable[str]) -> np.ndarray:
        """Return the values of identifiers as they are now."""
        return np.array([self.rr.getValue(self.symbol(name)) for name in names], dtype=np.float64)

    def set(self, names: Iterable[str], values: Iterable[float]) -> None:
        """Set the values of identifiers: compartments and parameters before concentrations."""
        pairs = sorted(zip(names, values, strict=True), key=lambda pair: pair[0] in self.contents.species)
        for name, value in pairs:
            self.model.setValue(self.symbol(name), float(value))

    def start_at(self, time: float) -> None:
        """Begin to integrate anew from the state as it is; events that wait go on waiting."""
        self.model.setTime(time)
        self.rr.integrator.restart(time)
        self._begun = time

    def run(self, start: float, end: float, rtol: float = RTOL) -> None:
        """Integrate, stopping wherever a condition on time changes.

        Raises
        ------
        RuntimeError
            CVODE gives up; the message says why.
        """
        self.rr.integrator.maximum_time_step = self._longest_step(end - start)
        stops = sorted({t for t in self._switches.times(self._constant) if start < t < end} | {end})
        for stop in stops:
            self._tolerate(min(rtol, RTOL), stop - start)
            if self._begun != start:  # the engine dies of tolerances that change without a new start
                self.start_at(start)
            self._begun = None
            self.rr.oneStep(start, stop - start, False)
            start = stop

    def _longest_step(self, span: float) -> float:
        step = self._switches.longest_step(self._constant)
        return max(step, span / MOST_STEPS) if step < span else 0.0

    def _constant(self, name: str) -> float | None:
        return self.rr.getValue(self.symbol(name)) if name in self._constants else None

    def _tolerate(self, rtol: float, span: float) -> None:
        """Set tolerances: absolute ones from the size of each state, or of what is like it where that is 0."""
        integrator = self.rr.integrator
        integrator.relative_tolerance = rtol
        names = [*self.model.getFloatingSpeciesIds(), *self.rr.getRateRuleIds()]
        names = [n for n in dict.fromkeys(names) if n not in self.contents.assigned]
        values = np.abs(np.nan_to_num([self.rr.getValue(name) for name in names], posinf=0.0, neginf=0.0))
        is_species = np.array([name in self.contents.species for name in names], dtype=bool)
        scale = values.copy()
        for kind in (is_species, ~is_species):
            most = SMALL * values[kind].max(initial=0.0)
            scale[kind] = np.maximum(values[kind], most or self._reach(np.array(names)[kind], span))
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
        The file's units of time in a day.
    inputs : sequence of str
        In the order of ``u``; those from ``doses`` on are amounts a day.
    """

    def __init__(self, engine: Engine, per_day: float, inputs: Sequence[str], doses: int):
        self.engine, self.per_day, self.inputs = engine, per_day, list(inputs)
        self._is_dose = np.arange(len(self.inputs)) >= len(self.inputs) - doses

    def put(self, t: float, y: np.ndarray, p: np.ndarray, u: np.ndarray) -> None:
        """Bring the engine to a state."""
        contents = self.engine.contents
        self.engine.model.setTime(t * self.per_day)
        self.engine.set(contents.constants, p)
        self.engine.set(self.inputs, np.where(self._is_dose, u / self.per_day, u))
        self.engine.set(contents.states, y)

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
            self.engine.start_at(t * self.per_day)
            self.engine.run(t * self.per_day, end * self.per_day, rtol)
        except RuntimeError as error:
            return Advance(TOO_MANY_STEPS if "TOO_MUCH_WORK" in str(error) else STEP_TOO_SMALL, t, h, 0)
        reached = self.engine.state()
        if not np.isfinite(reached).all():
            return Advance(NON_FINITE, t, h, 0)
        y[:] = reached
        return Advance(OK, end, h, 0)

    def start(self, p: np.ndarray) -> np.ndarray:
        """Return the initial state that a parameter vector gives, as initial assignments have it."""
        self.engine.rr.resetToOrigin()
        self.engine.set(self.engine.contents.constants, p)
        self.engine.rr.reset()
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
