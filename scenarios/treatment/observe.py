"""What a clinic sees of a run: something measured at visits, with error, known some days later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...abm.cells.draws import mix, normal, step_key
from ...abm.compile.model_file import as_list
from ...abm.errors import InputError
from ...abm.model import Model

LN2 = float(np.log(2.0))
OF_THE_BODY = ("level", "rise", "area")  # what names a state or output of the body with ``of``
OBSERVED = ("cells", "volume", "marker", *OF_THE_BODY)
# Keys of the draws of measurement errors, apart from those of cells (up to 17) and of arrivals (100).
STOP_PURPOSE, CONTROL_PURPOSE = 199, 200


class Scene(Protocol):
    """What can be measured of whatever a run advances; a ``Course`` is one."""

    def volume_cm3(self) -> float:
        """Return the volume of the tumour, cm3."""

    def level(self, name: str) -> float:
        """Return a state or output of the body."""

    def level_unit(self, name: str) -> str:
        """Return its unit."""


@dataclass(frozen=True)
class Result:
    """A measurement.

    Attributes
    ----------
    step : int
        Of the visit.
    true, observed : float
        What there was, and what is reported.
    at_limit : bool
        Whether the detection limit was reported in place of something lower.
    dose : float
        In force at the visit.
    """

    step: int
    true: float
    observed: float
    at_limit: bool
    dose: float


class Quantity:
    """What is measured: cells, volume, a blood marker, or something of the body.

    A marker M follows the cells N: dM/dt = shed N - ln 2 / half-life M, in its steady state at the start. An area
    is the integral of a body quantity since the last visit, a rise its increase. Marker and area are integrated
    over a grid of days or time steps, exactly for what is linear between two of its points.

    Parameters
    ----------
    table : mapping
        ``observe``, ``of``, ``types``, ``marker_half_life_days``, ``marker_per_cell_day`` of a section.
    model : Model
    where : str
        Section, for messages.

    Attributes
    ----------
    grid : int
        Steps between the points at which it must be followed; 0 where looking at visits is enough.
    memory : ndarray of float64
        Level, and value and step of the last point.
    """

    def __init__(self, table: Mapping[str, Any], model: Model, where: str):
        self.what, self._of = table.get("observe", "cells"), table.get("of", "")
        words = as_list(table.get("types", "all"))
        chosen = [info.id for info in model.types] if words == ["all"] else []
        for word in words if not chosen else ():
            chosen += model.members(word, f"{where} types")
        self._columns = np.array(sorted(set(chosen))) - 1
        self._day = model.dt_h / 24.0
        self._decay, self._shed, self.grid = 0.0, 1.0, 0
        if self.what == "marker":
            self._decay = LN2 / table["marker_half_life_days"]
            self._shed = table.get("marker_per_cell_day", 1.0)
            self.grid = max(1, round(1.0 / self._day))
        elif self.what == "area":
            self.grid = 1
        self.memory = np.zeros(3 if self.what in ("marker", "rise", "area") else 0)

    def unit(self, scene: Scene | None) -> str:
        """Return the unit of what is measured; a marker has that of what one cell sheds."""
        if self.what in OF_THE_BODY and scene is not None:
            return scene.level_unit(self._of) + (" d" if self.what == "area" else "")
        return "cm3" if self.what == "volume" else "1"

    def _now(self, scene: Scene, counts: np.ndarray) -> float:
        if self.what in OF_THE_BODY:
            return scene.level(self._of)
        if self.what == "volume":
            return scene.volume_cm3()
        return float(counts[self._columns].sum())

    def follow(self, scene: Scene, step: int, counts: np.ndarray) -> None:
        """Carry level and last point on to a step; call at step 0, on the grid and at visits."""
        if not self.grid and not (self.memory.size and step == 0):
            return
        new = self._now(scene, counts)
        level, old, last = self.memory.tolist()
        days = (step - last) * self._day
        if step == 0:
            level = self._shed * new / self._decay if self._decay else 0.0
        elif self._decay:
            kept = float(np.exp(-self._decay * days))
            flat = float(-np.expm1(-self._decay * days)) / self._decay
            tilt = 1.0 - flat / days if days else 0.0
            level = level * kept + self._shed * (old * flat + (new - old) * tilt / self._decay)
        else:
            level += 0.5 * (old + new) * days
        self.memory[:] = level, new, step

    def measure(self, scene: Scene, step: int, counts: np.ndarray) -> float:
        """Return the true value at a visit; area and rise begin anew."""
        self.follow(scene, step, counts)
        if self.what == "marker":
            return float(self.memory[0])
        if self.what == "area":
            level, self.memory[0] = float(self.memory[0]), 0.0
            return level
        now = self._now(scene, counts)
        if self.what == "rise":
            now, self.memory[1] = now - float(self.memory[1]), now
        return now


class Visits:
    """Regular times at which something is measured against a baseline, and reported later.

    Parameters
    ----------
    table : mapping
        ``every_days``, ``first_day``, ``delay_days``, ``error_cv``, ``error_sd``, ``detection_limit`` of a
        section, and what a `Quantity` wants; without them all cells are counted daily and known at once.
    model : Model
    where : str
        Section, for messages.
    purpose : int
        Key of its draws.

    Attributes
    ----------
    baseline : float
        What was observed at the first visit; 0 before it.
    quantity : Quantity

    Raises
    ------
    InputError
        Unknown type, or times that are no multiple of the time step.
    """

    def __init__(self, table: Mapping[str, Any], model: Model, where: str, purpose: int):
        self.quantity = Quantity(table, model, where)
        self.every = whole_steps(table.get("every_days", 1), model, f"{where} every_days")
        self.first = round(table.get("first_day", 0) * 24 / model.dt_h)
        late = table.get("delay_days", 0)
        self.delay = whole_steps(late, model, f"{where} delay_days") if late else 0
        self._cv, self._sd = table.get("error_cv", 0.0), table.get("error_sd", 0.0)
        self._limit, self._purpose = table.get("detection_limit", 0.0), purpose
        self.baseline = 0.0
        self._pending: list[Result] = []

    def due(self, step: int) -> bool:
        """Return whether there is a visit at a step."""
        return step >= self.first and (step - self.first) % self.every == 0

    def next(self, step: int) -> int:
        """Return the first step after ``step`` with a visit, a result, or a point of the grid."""
        times = [max(self.first, step + self.every - (step - self.first) % self.every)]
        times += [result.step + self.delay for result in self._pending if result.step + self.delay > step]
        if grid := self.quantity.grid:
            times.append(step + grid - step % grid)
        return min(times)

    def attend(self, scene: Scene, seed: int, step: int, counts: np.ndarray, dose: float) -> list[Result]:
        """Measure if a visit is due, and return the results that become known at this step."""
        if self.due(step):
            true = self.quantity.measure(scene, step, counts)
            observed, at_limit = self.reported(true, seed, step)
            if step == self.first:
                self.baseline = observed
            self._pending.append(Result(step, true, observed, at_limit, dose))
        elif step == 0 or (self.quantity.grid and step % self.quantity.grid == 0):
            self.quantity.follow(scene, step, counts)
        known = [result for result in self._pending if result.step + self.delay <= step]
        self._pending = self._pending[len(known) :]
        return known

    def reported(self, true: float, seed: int, step: int) -> tuple[float, bool]:
        """Return what is reported of a true value, and whether it is the detection limit.

        The error is log-normal with mean 1 and the coefficient of variation, then normal with mean 0; the draws
        follow from seed, step and purpose alone. Nothing is reported below 0 or below the detection limit.
        """
        observed = true
        if self._cv or self._sd:
            key = np.uint64(step_key(np.uint64(seed), step, self._purpose))
            if self._cv:
                variance = np.log1p(self._cv**2)
                drawn = normal(np.uint64(mix(key ^ np.uint64(1))))
                observed *= float(np.exp(np.sqrt(variance) * drawn - 0.5 * variance))
            if self._sd:
                observed += self._sd * float(normal(np.uint64(mix(key ^ np.uint64(2)))))
            observed = max(observed, 0.0)
        return (self._limit, True) if observed < self._limit else (observed, False)

    def to_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Return pending results and what is integrated, exact; nothing where there can be none."""
        arrays: dict[str, np.ndarray] = {}
        if self.delay:
            rows = [(r.step, r.true, r.observed, r.at_limit, r.dose) for r in self._pending]
            arrays[f"{name}_pending"] = np.array(rows, dtype=np.float64).reshape(-1, 5)
        if self.quantity.memory.size:
            arrays[f"{name}_measured"] = self.quantity.memory.copy()
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray], name: str) -> None:
        """Take over what ``to_arrays`` returned."""
        if self.delay:
            rows = arrays[f"{name}_pending"].tolist()
            self._pending = [
                Result(int(step), true, observed, bool(flag), dose)
                for step, true, observed, flag, dose in rows
            ]
        if self.quantity.memory.size:
            self.quantity.memory[:] = arrays[f"{name}_measured"]


def blocks(entry: Mapping[str, Any] | list[dict[str, Any]]) -> list[Any]:
    """Return the tables of a section that may be written once or as a list."""
    return entry if isinstance(entry, list) else [entry]


def whole_steps(days: float, model: Model, where: str) -> int:
    """Return an interval as a number of time steps.

    Raises
    ------
    InputError
        It is not a positive multiple of the time step.
    """
    steps = days * 24 / model.dt_h
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
        raise InputError(
            f"{where} must be a positive multiple of the time step of the model ({model.dt_h:g} h), "
            f"got {days:g} d"
        )
    return round(steps)
