"""Run a scenario: a generator that advances to the next time anyone wants attention."""

import importlib.metadata
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..abm.kernel_cache import source_hash
from ..abm.response import classify, tumour_response_index
from .build import Simulation, build
from .record import Recorder
from .scenario import Scenario, load_scenario, resolved
from .store import (
    SegmentWriter,
    finish_run,
    load_segments,
    open_run,
    parts_folder,
    run_key,
    run_path,
    state_digest,
)
from .tissue import read_cell_table

# Raised whenever the same scenario and seed give other numbers than before (CHANGELOG, "Changes results").
RESULTS_VERSION = 1


@dataclass
class Progress:
    """Where a run stands when the generator yields."""

    day: float
    end_day: float
    counts: dict[str, int]
    simulation: Simulation


@dataclass
class _Schedule:
    """Steps at which something happens besides advancing."""

    end: int
    record: int
    assess: int
    checkpoint: int
    snapshots: frozenset[int]

    def next(self, step: int) -> int:
        """Return the next step that wants attention after ``step``."""
        due = [step + every - step % every for every in (self.record, self.assess, self.checkpoint)]
        due += [s for s in self.snapshots if s > step]
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
        self.warnings = resumed.warnings if resumed else []
        self.stop_reason = "end of the simulated time"
        self.progressed_on = 0.0
        self.wall = {"build": time.perf_counter() - self._started, "simulate": 0.0, "store": 0.0}
        self._done: list[tuple[dict[str, np.ndarray], list]] = []
        start = 0
        if resumed:
            self._restore(resumed.checkpoint)
            self._done.append((resumed.rows, resumed.snapshots))
            start = resumed.next_segment
        self.writer = SegmentWriter(parts_folder(self.path), self._header(), start) if self.path else None
        self._plan = self._make_plan()

    def _make_plan(self) -> _Schedule:
        tables, dt_h = self.simulation.scenario.tables, self.simulation.model.dt_h
        end = round(tables["scenario"]["duration_days"] * 24 / dt_h)
        days = tables["output"]["snapshot_days"]
        return _Schedule(
            end=max(end, 1),
            record=max(1, round(tables["output"]["record_every_hours"] / dt_h)),
            assess=max(1, round(tables["scenario"].get("assessment_days", 56) * 24 / dt_h)),
            checkpoint=max(1, round(tables["output"]["checkpoint_every_days"] * 24 / dt_h)),
            snapshots=frozenset(round(day * 24 / dt_h) for day in days),
        )

    def steps(self) -> Iterator[Progress]:
        """Advance to each time of attention in turn, record and store there, and yield.

        The numbers do not depend on when it yields: records, snapshots and checkpoints only read.
        """
        simulation, plan = self.simulation, self._plan
        coupled, state = simulation.coupled, simulation.coupled.tissue.state
        if state.step == 0 and not self._done:
            self.recorder.record()
            if 0 in plan.snapshots:
                self.recorder.snapshot()
        while state.step < plan.end:
            clock = time.perf_counter()
            target = plan.next(state.step)
            while state.step < target:
                coupled.step()
            self.wall["simulate"] += time.perf_counter() - clock
            if state.step % plan.record == 0 or state.step == plan.end:
                self.recorder.record()
            if state.step in plan.snapshots or state.step == plan.end:
                self.recorder.snapshot()
            self.assess_if_due()
            if state.step % plan.checkpoint == 0 and state.step < plan.end:
                self.checkpoint()
            yield self.progress()

    def progress(self) -> Progress:
        """Return where the run stands."""
        model, state = self.simulation.model, self.simulation.coupled.tissue.state
        counts = dict(zip((t.name for t in model.types), state.counts(model).tolist(), strict=True))
        return Progress(state.day(model), self._plan.end * model.dt_h / 24, counts, self.simulation)

    def assess_if_due(self) -> None:
        """At an assessment read the volume as a clinic would; stop treatment at progression if so asked."""
        table = self.simulation.scenario.tables["scenario"]
        if self.simulation.coupled.tissue.state.step % self._plan.assess:
            return
        if table["treatment"] != "until progression" or self.progressed_on:
            return
        volume = self.recorder.volume_cm3()
        if classify(float(tumour_response_index(volume, self._first_volume))) == "PD":
            self.progressed_on = self.simulation.coupled.tissue.state.day(self.simulation.model)
            self.simulation.coupled.body.stop_dosing(self.progressed_on)

    def checkpoint(self) -> None:
        """Write rows, snapshots and the whole state as the next segment."""
        clock = time.perf_counter()
        rows, snapshots = self.recorder.take()
        if self.writer:
            self.writer.append(rows, snapshots, self._checkpoint())
        self._done.append((rows, snapshots))
        self.wall["store"] += time.perf_counter() - clock

    def _checkpoint(self) -> dict[str, Any]:
        return {**self.simulation.coupled.to_arrays(), "run_progressed_on": np.array(self.progressed_on)}

    def _restore(self, arrays: dict[str, Any]) -> None:
        from ..abm.state import State

        coupled = self.simulation.coupled
        coupled.tissue.state = State.from_arrays(arrays)
        coupled.restore(arrays)
        self.progressed_on = float(arrays["run_progressed_on"])
        if self.progressed_on:
            coupled.body.stop_dosing(self.progressed_on)

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
        return finish_run(self.path, self._header(), rows, snapshots, self._checkpoint())

    def _header(self) -> dict[str, Any]:
        simulation = self.simulation
        model, scenario, body = simulation.model, simulation.scenario, simulation.coupled.body
        table = scenario.tables["scenario"]
        _, ny, nx = simulation.placement.occupant.shape
        cycles = dict(
            zip(
                (f.name for f in model.fields),
                simulation.coupled.tissue.state.field_cycles.tolist(),
                strict=True,
            )
        )
        unconverged = dict(
            zip(
                (f.name for f in model.fields),
                simulation.coupled.tissue.state.field_fallbacks.tolist(),
                strict=True,
            )
        )
        refused = {
            p.type: int(n)
            for p, n in zip(simulation.coupled.ports.cells, simulation.coupled.refused, strict=True)
            if p.blood
        }
        return {
            "scenario": scenario.name,
            "arm": table["arm"],
            "patient": simulation.patient,
            "seed": simulation.seed,
            "run_key": self.key,
            "title": table["title"],
            "scenario_text": scenario.tables,
            "model_text": scenario.model_spec.text,
            "user_parameters": {k: list(v) for k, v in scenario.user_parameters.items()},
            "versions": versions(),
            "source_hash": source_hash(),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "tissue_report": simulation.placement.report,
            "wall_seconds": {k: round(v, 3) for k, v in self.wall.items()},
            "stop_reason": self.stop_reason,
            "progressed_on_day": self.progressed_on,
            "multigrid_cycles": cycles,
            "field_solves_above_tolerance": unconverged,
            "arrivals_refused": refused,
            "area_mm2": ny * nx * model.site_um**2 * 1e-6,
            "types": model.types,
            "weights": {p.type: p.weight for p in simulation.coupled.ports.cells},
            "parameters": parameter_rows(simulation),
            "doses": [(d.time_days, d.drug, d.amount) for d in body.regimen.doses],
            "columns": self.recorder.columns,
            "units": self.recorder.units,
        }


def parameter_rows(simulation: Simulation) -> list[dict[str, Any]]:
    """Return every parameter of tissue and body with value, unit, source and owner."""
    rows = [
        {"name": p.name, "value": p.value, "unit": p.unit, "source": p.source, "owner": "tissue"}
        for p in simulation.model.parameters
    ]
    body = simulation.coupled.body
    user, patient = simulation.scenario.user_parameters, simulation.patient_values
    own = simulation.scenario.tables.get("parameters", {})
    for p, value in zip(body.model.parameters, body.p, strict=True):
        source = "virtual patient" if p.name in patient else p.source
        source = "user" if p.name in user else own[p.name]["source"] if p.name in own else source
        rows.append(
            {"name": p.name, "value": float(value), "unit": p.unit, "source": source, "owner": "body"}
        )
    return rows


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide numbers."""
    names = ("oncolattice", "numpy", "scipy", "numba", "h5py")
    return {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in names}


def prepare(
    scenario: Scenario,
    seed: int,
    out: Path | None = None,
    tissue_file: Path | None = None,
    threads: int = 1,
    resume: bool | str = False,
) -> Path | Run:
    """Return a run that is ready to advance, or the path of its file if it is complete already.

    Parameters
    ----------
    resume : bool or "if interrupted"
        Continue from segments: True insists that there are some.

    Raises
    ------
    InputError
    """
    key = key_of(scenario, seed, tissue_file)
    if out is not None:
        path = run_path(out, scenario.name, key)
        if path.exists():
            open_run(path)  # a truncated or foreign file of this name is an error, not a result
            return path
        if resume == "if interrupted":
            resume = parts_folder(path).is_dir()
    return Run(scenario, seed, out, tissue_file, threads, bool(resume))


def key_of(scenario: Scenario, seed: int, tissue_file: Path | None = None) -> str:
    """Return the key of a result: the hash of everything that decides it.

    Raises
    ------
    InputError
    """
    provenance = read_cell_table(tissue_file).provenance if tissue_file else {}
    return run_key(resolved(scenario, seed, provenance), RESULTS_VERSION)


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
        The run file (also if it was there already), or the finished run itself if nothing is written.

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
    return current.finish() or current
