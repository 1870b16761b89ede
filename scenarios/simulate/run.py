"""Run a scenario: a generator that advances to the next time anyone wants attention."""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...abm.measures.response import classify, tumour_response_index
from ..files.scenario import Scenario, load_scenario
from ..store import (
    SegmentWriter,
    finish_run,
    load_segments,
    open_books,
    open_run,
    parts_folder,
    run_key,
    run_path,
    state_digest,
)
from ..store.index import tidy
from ..treatment.trial import END
from .build import Simulation, build
from .contents import Known, resolved
from .header import header_of, outcome_of
from .record import PAIR_STEPS, Recorder

# Raised whenever the same scenario and seed give other numbers than before (CHANGELOG, "Changes results").
RESULTS_VERSION = 5


@dataclass
class Progress:
    """Where a run stands when the generator yields."""

    day: float
    end_day: float
    counts: dict[str, int]
    simulation: Simulation


class Schedule:
    """Steps at which something happens besides advancing.

    Parameters
    ----------
    simulation : Simulation

    Attributes
    ----------
    end : int
        Last step; brought forward when the trial ends.
    record, assess, checkpoint, pairs : int
        Steps between records, assessments, checkpoints, and measurements of pair correlations.
    snapshots : frozenset of int
    """

    def __init__(self, simulation: Simulation):
        tables, model = simulation.scenario.tables, simulation.model
        self._due = [part for part in (simulation.trial, simulation.radiation) if part]
        output, a_day = tables["output"], 24 / model.dt_h
        self.end = max(round(tables["scenario"]["duration_days"] * a_day), 1)
        self.record = max(1, round(output["record_every_hours"] / model.dt_h))
        self.assess = max(1, round(tables["scenario"].get("assessment_days", 56) * a_day))
        self.checkpoint = max(1, round(output["checkpoint_every_days"] * a_day))
        self.snapshots = frozenset(round(day * a_day) for day in output["snapshot_days"])
        self.pairs = self.record * -(-PAIR_STEPS // self.record)

    def next(self, step: int) -> int:
        """Return the next step that wants attention after ``step``."""
        due = [step + every - step % every for every in (self.record, self.assess, self.checkpoint)]
        due += [s for s in self.snapshots if s > step]
        due += [part.next(step) for part in self._due]
        return min(*due, self.end)


class Run:
    """A simulation with its records and its place on disk.

    Parameters
    ----------
    scenario : Scenario
    seed : int
    out : Path, optional
        Folder of the run file; nothing is written without one.
    tissue_file : Path, optional
        Cell table.
    threads : int
    resume : bool
        Continue from the segments of an interrupted run.

    Raises
    ------
    InputError
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        out: Path | None = None,
        tissue_file: Path | None = None,
        threads: int = 1,
        resume: bool = False,
    ):
        self._started = time.perf_counter()
        self.key = key_of(scenario, seed, tissue_file)
        self.path = run_path(out, scenario.name, self.key) if out is not None else None
        resumed = load_segments(parts_folder(self.path), self.key) if resume and self.path else None
        self.simulation = build(scenario, seed, tissue_file, threads)
        self.recorder = Recorder(self.simulation)
        self._first_volume = self.recorder.volume_cm3()
        self._until_progression = scenario.tables["scenario"]["treatment"] == "until progression"
        found = resumed.warnings if resumed else self.simulation.tissue.notes
        self.warnings = [*self.simulation.placement.notes, *found]
        self.progressed_on = 0.0
        self.wall = {"build": time.perf_counter() - self._started, "simulate": 0.0, "store": 0.0}
        self._done: list[tuple[dict[str, np.ndarray], list]] = []
        start = 0
        if resumed:
            self._restore(resumed.checkpoint)
            self._done.append((resumed.rows, resumed.snapshots))
            start = resumed.next_segment
        self.writer = SegmentWriter(parts_folder(self.path), self._header(), start) if self.path else None
        self._plan = Schedule(self.simulation)

    def steps(self) -> Iterator[Progress]:
        """Advance to each time of attention in turn, record and store there, and yield.

        The numbers do not depend on when it yields: records, snapshots and checkpoints only read.
        """
        plan = self._plan
        if self.step == 0 and not self._done:
            self.open()
            self.recorder.record(pairs=True)
            if 0 in plan.snapshots:
                self.recorder.snapshot()
        while self.step < plan.end:
            clock = time.perf_counter()
            self.advance(plan.next(self.step) - self.step)
            self.wall["simulate"] += time.perf_counter() - clock
            step, last = self.step, self.step == plan.end
            if step % plan.record == 0 or last:
                self.recorder.record(pairs=step % plan.pairs == 0 or last)
            if step in plan.snapshots or last:
                self.recorder.snapshot()
            if step % plan.checkpoint == 0 and not last:
                self.checkpoint()
            yield self.progress()

    @property
    def step(self) -> int:
        """Return the number of steps done."""
        return self.simulation.tissue.state.step

    def open(self) -> None:
        """Let trial and radiation see the placed tissue; call once, at step 0."""
        self._attend_if_due()

    def advance(self, steps: int) -> None:
        """Advance by a number of steps; at those that trial or assessment ask for they have their say."""
        plan, until = self._plan, min(self.step + steps, self._plan.end)
        while self.step < until and self.step < plan.end:
            self.simulation.course.advance(min(plan.next(self.step), until) - self.step)
            self._attend_if_due()
            self._assess_if_due()

    def _attend_if_due(self) -> None:
        if attend(self.simulation, self.step):
            self._plan.end = self.step

    def progress(self) -> Progress:
        """Return where the run stands."""
        model, state = self.simulation.model, self.simulation.tissue.state
        counts = dict(zip((t.name for t in model.types), state.counts(model).tolist(), strict=True))
        return Progress(state.day(model), self._plan.end * model.dt_h / 24, counts, self.simulation)

    def _assess_if_due(self) -> None:
        """At an assessment read the volume as a clinic would; stop treatment at progression if so asked."""
        if self.step % self._plan.assess or not self._until_progression or self.progressed_on:
            return
        volume = self.recorder.volume_cm3()
        if classify(float(tumour_response_index(volume, self._first_volume))) == "PD":
            self.progressed_on = self.simulation.tissue.state.day(self.simulation.model)
            self.simulation.course.stop_dosing(self.progressed_on)

    def checkpoint(self) -> None:
        """Write rows, snapshots and the whole state as the next segment."""
        clock = time.perf_counter()
        rows, snapshots = self.recorder.take()
        if self.writer:
            self.writer.append(rows, snapshots, self._checkpoint())
        self._done.append((rows, snapshots))
        self.wall["store"] += time.perf_counter() - clock

    def _checkpoint(self) -> dict[str, Any]:
        return final_state(self.simulation, self.progressed_on)

    def _restore(self, arrays: dict[str, Any]) -> None:
        self.simulation.course.restore(arrays)
        self.simulation.trial.restore(arrays)
        self.progressed_on = float(arrays["run_progressed_on"])
        if self.progressed_on:
            self.simulation.course.stop_dosing(self.progressed_on)

    def digest(self) -> str:
        """Return the hash of the whole state."""
        return state_digest(self._checkpoint())

    def finish(self) -> Path | None:
        """Merge everything into the run file; return its path, or None if nothing is written."""
        clock = time.perf_counter()
        self._done.append(self.recorder.take())
        rows = {key: np.concatenate([part[0][key] for part in self._done]) for key in self._done[0][0]}
        snapshots = [snapshot for _, taken in self._done for snapshot in taken]
        if not self.path:
            return None
        self.wall["store"] += time.perf_counter() - clock
        header = self._header() | {"outcome": outcome_of(self.simulation, rows)}
        return finish_run(self.path, header, rows, snapshots, self._checkpoint())

    def _header(self) -> dict[str, Any]:
        return header_of(self.simulation) | {
            "run_key": self.key,
            "wall_seconds": {k: round(v, 3) for k, v in self.wall.items()},
            "stop_reason": self.simulation.trial.ended or END,
            "progressed_on_day": self.progressed_on,
            "columns": self.recorder.columns,
            "units": self.recorder.units,
        }


def attend(simulation: Simulation, step: int) -> bool:
    """Let trial and radiation have their turn at a step if they are due; return whether the trial is over."""
    trial, radiation, tissue = simulation.trial, simulation.radiation, simulation.tissue
    if radiation and (step == 0 or radiation.next(step - 1) == step):
        radiation.attend(tissue, step)
    if trial and (step == 0 or trial.next(step - 1) == step):
        trial.attend(step, tissue.state.counts(tissue.model))
    return bool(trial.ended)


def final_state(simulation: Simulation, progressed_on: float = 0.0) -> dict[str, Any]:
    """Return everything that changes in a run as named arrays: what its digest is taken of."""
    own = {"run_progressed_on": np.array(progressed_on)}
    return {**simulation.course.to_arrays(), **simulation.trial.to_arrays(), **own}


def prepare(
    scenario: Scenario,
    seed: int,
    out: Path | None = None,
    tissue_file: Path | None = None,
    threads: int = 1,
    resume: bool = False,
) -> Path | Run:
    """Return a run that is ready to advance, or the path of its file if it is complete already.

    Parameters
    ----------
    resume : bool
        Continue from segments, and insist that there are some.

    Raises
    ------
    InputError
    """
    key = key_of(scenario, seed, tissue_file)
    if out is not None:
        path = run_path(out, scenario.name, key)
        if path.exists():
            open_run(path)  # a truncated or foreign file of this name is an error, not a result
            tidy(out, [path.name], [path.name])  # a kill may have left its segments and a draft
            return path
    return Run(scenario, seed, out, tissue_file, threads, resume)


def key_of(scenario: Scenario, seed: int, tissue_file: Path | None = None, known: Known | None = None) -> str:
    """Return the key of a result: the hash of everything that decides it; parameters as for `resolved`.

    Raises
    ------
    InputError
    """
    return run_key(resolved(scenario, seed, tissue_file, known), RESULTS_VERSION)


def run(
    scenario: str | Scenario,
    seed: int = 1,
    settings: Iterable[str] = (),
    out: str | Path | None = None,
    tissue: str | Path | None = None,
    threads: int = 1,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Path | Run:
    """Run a scenario to its end.

    Parameters
    ----------
    scenario : str or Scenario
        Library name, path of a TOML file, or a loaded scenario.
    seed : int
    settings : iterable of str
        ``key=value[unit]``.
    out : path, optional
        Folder for the run file.
    tissue : path, optional
        Cell table (CSV).
    progress : callable, optional
        Called with a `Progress` at every time of attention.

    Returns
    -------
    Path or Run
        The run file (also if it was there already), or the finished run itself if nothing is written. A
        RuntimeWarning says where its books do not close.

    Raises
    ------
    InputError
    """
    loaded = load_scenario(scenario, settings) if isinstance(scenario, str) else scenario
    current = prepare(
        loaded, seed, Path(out) if out else None, Path(tissue) if tissue else None, threads, resume
    )
    if isinstance(current, Path):
        return current
    for step in current.steps():
        if progress:
            progress(step)
    path = current.finish()
    for problem in open_books(path) if path else ():
        warnings.warn(f"{path}: {problem}", RuntimeWarning, stacklevel=2)
    return path or current
