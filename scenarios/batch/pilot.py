"""What a batch would take: time, memory and disk, from the first steps of one run of every arm."""

import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...abm.errors import InputError
from ..files.scenario import Scenario, load_scenario
from ..simulate.model import scenario_model
from ..store import parts_folder
from ..store.file import opened
from .executors import open_workers
from .follow import duration, size
from .jobs import Job

PILOT_SECONDS = 2.0
_COUNT_SHARE = 0.3  # of the plain size of counts, packed
_ROW_BYTES = 400  # of a replicate besides its counts: keys, digest, outcome
_COLUMNS, _FIXED_BYTES = 500, 2_000_000  # more than any run has: columns of the series; tables and texts
_SITE_BYTES, _VALUE_BYTES = 64, 8  # of a checkpoint, per site and layer or field


@dataclass(frozen=True)
class Measured:
    """One run, measured over its first steps and drawn out to its end.

    Attributes
    ----------
    seconds : float
    memory : float
        Peak of the process, bytes.
    file_bytes, parts_bytes : float
        Run file, or its share of the file of replicates; segments while the run is going on.
    """

    seconds: float
    memory: float
    file_bytes: float
    parts_bytes: float


@dataclass(frozen=True)
class Plan:
    """What a batch would take.

    Attributes
    ----------
    runs, done : int
    workers : int
    seconds : float
        Of the whole batch.
    memory, disk, free : float
        Bytes: of all workers together; that the runs to come need; that the disk has.
    arms : dict of str to Measured
        By arm, those with runs to do.
    folder : Path
    """

    runs: int
    done: int
    workers: int
    seconds: float
    memory: float
    disk: float
    free: float
    arms: Mapping[str, Measured]
    folder: Path

    def text(self) -> str:
        """Return the plan for people to read."""
        lines = [f"runs    {self.runs} ({self.done} done, {self.runs - self.done} to do)"]
        if self.arms:
            each = ", ".join(f"{Path(arm).stem} {duration(one.seconds)}" for arm, one in self.arms.items())
            lines += [
                f"time    about {duration(self.seconds)} with {self.workers} at a time ({each} a run)",
                f"memory  about {size(self.memory)}",
                f"disk    about {size(self.disk)} of {size(self.free)} free in {self.folder}",
            ]
        return "\n".join(lines)

    def refuse(self) -> None:
        """Refuse what the disk cannot hold.

        Raises
        ------
        InputError
        """
        if self.disk > self.free:
            raise _too_large(self.runs - self.done, self.disk, self.free, self.folder)


def plan_of(jobs: Sequence[Job], todo: Sequence[Job], out: Path, together: bool, workers: int) -> Plan:
    """Return what the jobs to do would take, from a pilot of every arm in a process of its own."""
    arms: dict[str, Measured] = {}
    left = Counter(job.scenario for job in todo)
    if todo:
        with open_workers("processes", 1, 1) as pool:
            for job in {job.scenario: job for job in reversed(todo)}.values():
                arms[job.scenario] = pool.executor.submit(measure, job, together).result()
    need = sum(left[arm] * one.file_bytes for arm, one in arms.items())
    parts = max((one.parts_bytes for one in arms.values()), default=0.0)
    memory = max((one.memory for one in arms.values()), default=0.0)
    seconds = sum(left[arm] * one.seconds for arm, one in arms.items()) / workers
    if arms:
        seconds = max(seconds, *(one.seconds for one in arms.values()))
    return Plan(
        len(jobs),
        len(jobs) - len(todo),
        workers,
        seconds,
        workers * memory,
        need + workers * parts,
        free_bytes(out),
        dict(sorted(arms.items(), key=lambda item: [job.scenario for job in jobs].index(item[0]))),
        out,
    )


def measure(job: Job, together: bool, seconds: float = PILOT_SECONDS) -> Measured:
    """Return what a run takes, after some seconds of it.

    The part that was not done is taken to be like the later half of what was: tissue that grows is slower
    later, and the estimate is low where it grows much.

    Parameters
    ----------
    job : Job
    together : bool
        The run becomes part of a file of replicates.
    seconds : float
        How long to run; a run that ends before is measured whole.

    Raises
    ------
    InputError
    """
    from ..simulate.run import Run, Schedule

    scenario = load_scenario(job.scenario, job.settings)
    for _ in Run(scenario, job.seed).steps():
        break  # kernels are compiled or loaded
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        run = Run(scenario, job.seed, None if together else Path(folder))
        built = time.perf_counter() - began
        steps, times = [0], [time.perf_counter()]
        for _ in run.steps():
            steps.append(run.step)
            times.append(time.perf_counter())
            if times[-1] - times[0] > seconds:
                break
        plan, half = Schedule(run.simulation), len(steps) // 2
        whole = run.step >= run.progress().end_day * 24 / run.simulation.model.dt_h - 0.5
        left = 0 if whole else plan.end - run.step
        a_step = (times[-1] - times[half]) / max(steps[-1] - steps[half], 1)
        spent = built + times[-1] - times[0] + left * a_step
        records = (run.step + left) // plan.record + 2
        if together:
            counts = records * len(run.simulation.model.types) * 8
            return Measured(spent, peak_memory(), counts * _COUNT_SHARE + _ROW_BYTES, 0.0)
        parts = 0.0
        if left:
            run.checkpoint()
            segments = [p.stat().st_size for p in parts_folder(run.path or Path(folder)).glob("0*.h5")]
            parts = max(segments) * (plan.end // plan.checkpoint)
        clock = time.perf_counter()
        path = run.finish()
        spent += time.perf_counter() - clock
        assert path is not None
        snapshots = len([step for step in plan.snapshots if step <= plan.end]) + 1
        return Measured(spent, peak_memory(), _drawn_out(path, records, snapshots), parts)


def _drawn_out(path: Path, records: int, snapshots: int) -> float:
    """Return the size of a run file with so many records and snapshots, from one with fewer."""
    with opened(path) as file:
        held = file["series"]["time"].shape[0]
        series = [data for data in file["series"].values() if len(data) == held]
        rows = sum(min(data.id.get_storage_size(), data.nbytes) for data in series)
        group = file["snapshots"]
        taken = group["time"].shape[0] if "time" in group else 0
        images = sum(group[name].id.get_storage_size() for name in ("occupancy", "fields") if name in group)
    more = rows * max(records - held, 0) / held + (
        images * max(snapshots - taken, 0) / taken if taken else 0.0
    )
    return path.stat().st_size + more


def peak_memory() -> float:
    """Return the most memory that this process has held, bytes; 0 where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024.0 * int(line.split()[1])
    except OSError:
        pass
    if sys.platform == "win32":
        return 0.0
    import resource

    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (
        1 if sys.platform == "darwin" else 1024
    )


def free_bytes(folder: Path) -> float:
    """Return the free space of the disk that holds a folder, or will."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return float(shutil.disk_usage(place).free)


def refuse_full_disk(todo: Sequence[Job], scenarios: Mapping[str, Scenario], out: Path) -> None:
    """Refuse run files that the disk cannot hold; only where a plain bound does not settle it, a pilot is run.

    Raises
    ------
    InputError
    """
    free = free_bytes(out)
    left = Counter(job.scenario for job in todo)
    if sum(n * _at_most(scenarios[arm]) for arm, n in left.items()) > free:
        first = {job.scenario: job for job in reversed(todo)}
        one = {arm: measure(job, False, 0.0).file_bytes for arm, job in first.items()}
        need = sum(n * one[arm] for arm, n in left.items())
        if need > free:
            raise _too_large(len(todo), need, free, out)


def _at_most(scenario: Scenario) -> float:
    """Return more bytes than a run file of a scenario can have."""
    tables, model = scenario.tables, scenario_model(scenario)
    lattice = tables["lattice"]
    sites = lattice["rows"] * lattice["columns"] * lattice.get("planes", 1)
    snapshots = len(tables["output"]["snapshot_days"]) + 1
    records = tables["scenario"]["duration_days"] * 24 / tables["output"]["record_every_hours"] + 2
    parts = len(model.layers) + len(model.fields)
    frame = len(model.layers) + 4 * len(model.fields)
    return (
        sites * (snapshots * frame + parts * _SITE_BYTES) + records * _COLUMNS * _VALUE_BYTES + _FIXED_BYTES
    )


def _too_large(runs: int, need: float, free: float, folder: Path) -> InputError:
    return InputError(
        f"{folder}: {runs} runs need about {size(need)}, the disk has {size(free)} free; make the study smaller, "
        "take fewer snapshots (output.snapshot_days), or choose another --out folder"
    )
