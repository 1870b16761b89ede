"""The trial around a run: a controller that sets a body signal, and the rule that ends the run."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..abm.advance import Tissue
from ..abm.errors import InputError, unknown_word
from ..abm.model import Model
from ..abm.model_file import as_list
from .controllers import CONTROLLERS

END = "end of the simulated time"
PROGRESSION = "progression"
EXTINCTION = "extinction"


class Visits:
    """Regular times at which the cells of some types are counted against a baseline.

    Parameters
    ----------
    table : mapping
        ``types``, ``every_days`` and ``first_day`` of a section; all, 1 and 0 if absent.
    model : Model
    where : str
        Section, for messages.

    Attributes
    ----------
    baseline : float
        The number of cells at the first visit; 0 before it.

    Raises
    ------
    InputError
        Unknown type, or an interval that is no multiple of the time step.
    """

    def __init__(self, table: Mapping[str, Any], model: Model, where: str):
        words = as_list(table.get("types", "all"))
        chosen = [info.id for info in model.types] if words == ["all"] else []
        for word in words if not chosen else ():
            chosen += model.members(word, f"{where} types")
        self._columns = np.array(sorted(set(chosen))) - 1
        self.every = whole_steps(table.get("every_days", 1), model, f"{where} every_days")
        self.first = round(table.get("first_day", 0) * 24 / model.dt_h)
        self.baseline = 0.0

    def due(self, step: int) -> bool:
        """Return whether there is a visit at a step."""
        return step >= self.first and (step - self.first) % self.every == 0

    def next(self, step: int) -> int:
        """Return the first visit after a step."""
        return max(self.first, step + self.every - (step - self.first) % self.every)

    def observe(self, counts: np.ndarray, step: int) -> float:
        """Return the number of cells, and keep that of the first visit as the baseline."""
        number = float(counts[self._columns].sum())
        if step == self.first:
            self.baseline = number
        return number


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


class Trial:
    """A controller and a stopping rule; either may be absent, and both only read counts.

    Parameters
    ----------
    tables : mapping
        The scenario; [controller] and [stop] are read.
    model : Model

    Attributes
    ----------
    dose : float
        In force, from 0 (off) to 1 (on).
    ended : str
        Why the run is over, empty while it is not.

    Raises
    ------
    InputError
    """

    def __init__(self, tables: Mapping[str, Any], model: Model):
        self._day = model.dt_h / 24.0
        self._settings = tables.get("controller")
        self._rule = tables.get("stop", {}).get("progression")
        self.signal, self.unit = "", "1"
        self.dose, self.treated, self.pauses, self._since = 0.0, 0.0, 0, 0
        self._told = np.nan  # level that the tissue was told, which need not be told twice
        self.ended, self.progressed, self._streak, self._began = "", False, 0, 0
        if self._settings:
            self._visits = Visits(self._settings, model, "[controller]")
            self._kind = CONTROLLERS[self._settings["kind"]]
            self._memory = dict(self._kind.memory)
            self.signal, self.unit = _signal(self._settings, model)
        if self._rule:
            self._watch = Visits(self._rule, model, "[stop] progression")

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self._settings or self._rule)

    @property
    def level(self) -> float:
        """Return the value of the controlled body signal."""
        assert self._settings is not None
        off, on = self._settings.get("off", 0.0), self._settings.get("on", 1.0)
        return off + self.dose * (on - off)

    def next(self, step: int) -> int:
        """Return the next step that wants attention after ``step``."""
        due = [self._visits.next(step)] if self._settings else []
        due += [self._watch.next(step)] if self._rule else []
        return min(due)

    def attend(self, tissue: Tissue, step: int, counts: np.ndarray) -> None:
        """Count, judge and treat if a visit is due; call at step 0 and at every ``next``."""
        if self._rule and self._watch.due(step):
            self._judge(self._watch.observe(counts, step), step)
        if self._settings and (self._visits.due(step) or step == 0):
            before = self.dose
            self.treated += before * (step - self._since) * self._day
            self._since = step
            if self._visits.due(step):
                number = self._visits.observe(counts, step)
                relative = number / self._visits.baseline if self._visits.baseline else 0.0
                self.dose = self._kind.decide(self._settings, relative, self._memory)
            self.pauses += before > 0.0 == self.dose
            if self.level != self._told:
                self._told = self.level
                tissue.set_body({self.signal: self._told})

    def _judge(self, number: float, step: int) -> None:
        """Note progression after so many visits in a row, and extinction at once."""
        rule = self._rule
        assert rule is not None
        if number == 0:
            self.ended = EXTINCTION
        if number <= rule["above"] * self._watch.baseline:
            self._streak = 0
            return
        self._streak += 1
        if self._streak == 1:
            self._began = step
        if self._streak >= rule.get("consecutive", 1):
            self.ended, self.progressed = PROGRESSION, True

    def outcome(self, step: int) -> dict[str, Any]:
        """Return what the trial found up to a step.

        Returns
        -------
        dict
            With a stopping rule ``ttp_days`` (day of the first of the visits in a row; None without
            progression) and ``ttp_event``; with a controller ``treated_days`` (full doses times days) and
            ``pauses`` (how often treatment was suspended).
        """
        found: dict[str, Any] = {}
        if self._rule:
            found["ttp_days"] = self._began * self._day if self.progressed else None
            found["ttp_event"] = int(self.progressed)
        if self._settings:
            found["treated_days"] = self.treated + self.dose * (step - self._since) * self._day
            found["pauses"] = self.pauses
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact; nothing without controller and rule."""
        arrays = {}
        if self._settings:
            memory = [self._memory[name] for name in sorted(self._memory)]
            arrays["trial_memory"] = np.array(memory, dtype=np.float64)
            arrays["trial_control"] = np.array(
                [self._visits.baseline, self.dose, self.treated, self.pauses, self._since]
            )
        if self._rule:
            arrays["trial_stop"] = np.array([self._watch.baseline, self._streak, self._began])
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        if self._settings:
            self._memory = dict(zip(sorted(self._memory), arrays["trial_memory"].tolist(), strict=True))
            self._visits.baseline, self.dose, self.treated, pauses, since = arrays["trial_control"].tolist()
            self.pauses, self._since = int(pauses), int(since)
        if self._rule:
            self._watch.baseline, streak, began = arrays["trial_stop"].tolist()
            self._streak, self._began = int(streak), int(began)


def _signal(settings: Mapping[str, Any], model: Model) -> tuple[str, str]:
    """Return name and unit of the body signal that a controller sets."""
    units = {signal.name: signal.unit for signal in model.signals if signal.free_of < 0}
    if settings["signal"] not in units:
        raise unknown_word("body signal", settings["signal"], units, "[controller] signal")
    return settings["signal"], units[settings["signal"]]
