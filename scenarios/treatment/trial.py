"""The trial around a run: controllers that treat by what they see, and the rule that ends the run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...abm.compile.model_file import as_list
from ...abm.errors import unknown_word
from ...abm.model import Model
from .controllers import CONTROLLERS, Seen
from .course import Course
from .observe import CONTROL_PURPOSE, STOP_PURPOSE, Result, Visits, blocks

END = "end of the simulated time"
PROGRESSION = "progression"
EXTINCTION = "extinction"


@dataclass
class Target:
    """What a controller doses: a body signal of the tissue, or the planned doses of drugs of the body."""

    name: str
    unit: str
    drugs: list[str]
    off: float
    on: float
    dose: float
    told: float

    @property
    def level(self) -> float:
        """Return the value of the signal, or the share of the planned doses."""
        return self.off + self.dose * (self.on - self.off)

    def tell(self, course: Course) -> None:
        """Pass the level on if it is news."""
        if self.level == self.told:
            return
        self.told = self.level
        for drug in self.drugs:
            course.set_dose(drug, self.level)
        if not self.drugs:
            course.tissue.set_body({self.name: self.level})


class Control:
    """One controller at work.

    Parameters
    ----------
    settings : mapping
        One [controller].
    model : Model
    number : int
        Position among the controllers, from 0.

    Attributes
    ----------
    targets : list of Target
    visits : Visits
    treated : float
        Full doses times days, over all targets.
    pauses : int
        How often treatment was suspended.
    last : list of float
        Day of the visit, true and observed value, at the limit or not: the last result.
    """

    def __init__(self, settings: Mapping[str, Any], model: Model, number: int):
        where = "[controller]"
        self.name = str(number + 1)
        self._settings, self._dt_h, self._day = settings, model.dt_h, model.dt_h / 24.0
        self._kind = CONTROLLERS[settings["kind"]]
        self._memory = dict(self._kind.memory)
        self.visits = Visits(settings, model, where, CONTROL_PURPOSE + number)
        self.targets = [_target(settings, model, "")]
        if self._kind.targets == 2:
            self.targets.append(_target(settings, model, "second_"))
        self.treated, self.pauses, self._since = 0.0, 0, 0
        self.last = [0.0] * 4

    @property
    def dose(self) -> float:
        """Return the dose in force, over all targets."""
        return sum(target.dose for target in self.targets)

    def attend(self, course: Course, step: int, counts: np.ndarray) -> bool:
        """Measure and decide if it is time to; return whether a decision was taken."""
        known = self.visits.attend(course, course.tissue.state.seed, step, counts, self.dose)
        if known or step == 0:
            before = self.dose
            self.treated += before * (step - self._since) * self._day
            self._since = step
            for result in known:
                self._decide(result, step)
            self.pauses += before > 0.0 == self.dose
            for target in self.targets:
                target.tell(course)
        return bool(known)

    def _decide(self, result: Result, step: int) -> None:
        visit, today = result.step * self._dt_h / 24.0, step * self._dt_h / 24.0
        seen = Seen(result.observed, self.visits.baseline, result.at_limit, visit, today, result.dose)
        doses = self._kind.decide(self._settings, seen, self._memory)
        for target, dose in zip(self.targets, doses if isinstance(doses, tuple) else (doses,), strict=True):
            target.dose = dose
        self.last = [visit, result.true, result.observed, float(result.at_limit)]

    def treated_to(self, step: int) -> float:
        """Return full doses times days up to a step."""
        return self.treated + self.dose * (step - self._since) * self._day

    def to_arrays(self, suffix: str) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact."""
        memory = [self._memory[name] for name in sorted(self._memory)]
        doses = [target.dose for target in self.targets]
        return {
            f"trial_memory{suffix}": np.array(memory, dtype=np.float64),
            f"trial_control{suffix}": np.array(
                [self.visits.baseline, *doses, self.treated, self.pauses, self._since]
            ),
            **self.visits.to_arrays(f"trial_control{suffix}"),
        }

    def restore(self, arrays: Mapping[str, np.ndarray], suffix: str) -> None:
        """Take over what ``to_arrays`` returned."""
        memory = arrays[f"trial_memory{suffix}"].tolist()
        self._memory = dict(zip(sorted(self._memory), memory, strict=True))
        numbers = arrays[f"trial_control{suffix}"].tolist()
        self.visits.baseline, *doses, self.treated, pauses, since = numbers
        self.pauses, self._since = int(pauses), int(since)
        for target, dose in zip(self.targets, doses, strict=True):
            target.dose = dose
            if target.drugs:  # the body remembers its doses
                target.told = target.level
        self.visits.restore(arrays, f"trial_control{suffix}")


class Trial:
    """Controllers and a stopping rule; all may be absent.

    Parameters
    ----------
    tables : mapping
        The scenario; [controller] or [[controller]], and [stop], are read.
    model : Model
    course : Course, optional
        What they see and treat; a trial without one only checks the tables.

    Attributes
    ----------
    controls : list of Control
    ended : str
        Why the run is over, empty while it is not.

    Raises
    ------
    InputError
    """

    def __init__(self, tables: Mapping[str, Any], model: Model, course: Course | None = None):
        self._dt_h, self._day, self._course = model.dt_h, model.dt_h / 24.0, course
        given = blocks(tables.get("controller", []))
        self.controls = [Control(settings, model, number) for number, settings in enumerate(given)]
        self._rule = tables.get("stop", {}).get("progression")
        self.ended, self.progressed, self._streak, self._began = "", False, 0, 0
        self._taken: list[tuple[float, list[float]]] = []
        if self._rule:
            self._watch = Visits(self._rule, model, "[stop] progression", STOP_PURPOSE)
        if course is not None:
            for visits in (*(c.visits for c in self.controls), *([self._watch] if self._rule else [])):
                visits.quantity.unit(course)  # an unknown name of the body shows now, not at the first visit

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.controls or self._rule)

    @property
    def targets(self) -> list[Target]:
        """Return what is controlled, controller by controller."""
        return [target for control in self.controls for target in control.targets]

    @property
    def levels(self) -> list[float]:
        """Return the levels of all targets: values of signals, shares of planned doses."""
        return [target.level for target in self.targets]

    def visit_columns(self) -> tuple[list[str], list[str]]:
        """Return names and units of the columns of ``take_visits``; several controllers are numbered."""
        names, units = [], []
        for control in self.controls:
            unit, head = control.visits.quantity.unit(self._course), ""
            if len(self.controls) > 1:
                head = f"{control.name} "
            names += [head + name for name in ("visit_day", "true", "observed", "at_limit")]
            names += [f"{head}dose {target.name}" for target in control.targets]
            units += ["d", unit, unit, "1", *("1" for _ in control.targets)]
        return names, units

    def take_visits(self) -> tuple[np.ndarray, np.ndarray]:
        """Return days of decision and what was known and given then, and start afresh.

        Returns
        -------
        (ndarray of float64, shape (decision,), ndarray of float64, shape (decision, column))
        """
        taken, self._taken = self._taken, []
        days = np.array([day for day, _ in taken], dtype=np.float64)
        return days, np.array([row for _, row in taken], dtype=np.float64).reshape(
            len(taken), len(self.visit_columns()[0])
        )

    def next(self, step: int) -> int:
        """Return the next step that wants attention after ``step``."""
        due = [control.visits.next(step) for control in self.controls]
        due += [self._watch.next(step)] if self._rule else []
        return min(due)

    def attend(self, step: int, counts: np.ndarray) -> None:
        """Measure, judge and treat what is due; call at step 0 and at every ``next``."""
        course = self._course
        assert course is not None, "a trial without a course cannot see"
        if self._rule:
            seed = course.tissue.state.seed
            self._judge(self._watch.attend(course, seed, step, counts, 0.0))
        decided = [control.attend(course, step, counts) for control in self.controls]
        if any(decided):
            rows = [[*control.last, *(t.dose for t in control.targets)] for control in self.controls]
            self._taken.append((step * self._dt_h / 24.0, [number for row in rows for number in row]))

    def _judge(self, results: Iterable[Result]) -> None:
        """Note progression after so many visits in a row, and extinction at once."""
        rule = self._rule
        assert rule is not None
        for result in results:
            if result.true == 0 and self._watch.quantity.what in ("cells", "volume"):
                self.ended = EXTINCTION
            if result.observed <= rule["above"] * self._watch.baseline:
                self._streak = 0
                continue
            self._streak += 1
            if self._streak == 1:
                self._began = result.step
            if self._streak >= rule.get("consecutive", 1):
                self.ended, self.progressed = PROGRESSION, True

    def outcome(self, step: int) -> dict[str, Any]:
        """Return what the trial found up to a step.

        Returns
        -------
        dict
            With a stopping rule ``ttp_days`` (day of the first of the visits in a row; None without
            progression) and ``ttp_event``; with a controller ``treated_days`` (full doses times days) and
            ``pauses`` (how often treatment was suspended), numbered where there are several; for a controlled
            drug ``dose_intensity_<drug>`` (given over planned; None before the first planned dose).
        """
        found: dict[str, Any] = {}
        if self._rule:
            found["ttp_days"] = self._began * self._day if self.progressed else None
            found["ttp_event"] = int(self.progressed)
        for control in self.controls:
            tail = f"_{control.name}" if len(self.controls) > 1 else ""
            found[f"treated_days{tail}"] = control.treated_to(step)
            found[f"pauses{tail}"] = control.pauses
        for drug in (drug for target in self.targets for drug in target.drugs):
            given, planned = self._course.given(drug) if self._course is not None else (0.0, 0.0)
            found[f"dose_intensity_{drug}"] = given / planned if planned else None
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changes as named arrays, exact; nothing without controller and rule."""
        arrays: dict[str, np.ndarray] = {}
        for number, control in enumerate(self.controls):
            arrays |= control.to_arrays(f"_{number + 1}" if number else "")
        if len(self.controls) > 1:
            arrays["trial_last"] = np.array([control.last for control in self.controls])
        if self._rule:
            arrays["trial_stop"] = np.array([self._watch.baseline, self._streak, self._began])
            arrays |= self._watch.to_arrays("trial_stop")
        return arrays

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what ``to_arrays`` returned."""
        for number, control in enumerate(self.controls):
            control.restore(arrays, f"_{number + 1}" if number else "")
            if len(self.controls) > 1:
                control.last = arrays["trial_last"][number].tolist()
        if self._rule:
            self._watch.baseline, streak, began = arrays["trial_stop"].tolist()
            self._streak, self._began = int(streak), int(began)
            self._watch.restore(arrays, "trial_stop")


def _target(settings: Mapping[str, Any], model: Model, prefix: str) -> Target:
    """Return what a controller doses; a drug is given as planned, a signal is off, before the first result."""
    on, off = settings.get("on", 1.0), settings.get("off", 0.0)
    drugs = as_list(settings.get(f"{prefix}drug", []))
    first = settings.get("start_dose", 1.0 if drugs else 0.0) if not prefix else 0.0
    if drugs:
        return Target(" + ".join(drugs), "1", drugs, off, on, first, 1.0)
    name, units = settings[f"{prefix}signal"], {s.name: s.unit for s in model.signals if s.free_of < 0}
    if name not in units:
        raise unknown_word("body signal", name, units, f"[controller] {prefix}signal")
    # what the tissue was told is not known at the start or after a restart, so it is told
    return Target(name, units[name], [], off, on, first, np.nan)
