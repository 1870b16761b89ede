"""Run a study: every arm for every patient, seed and point of its sweeps, on any executor."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from ...abm.errors import InputError, printable
from ..files.limits import duration_notes
from ..files.scenario import Scenario, load_scenario
from ..files.study import Study, load_study
from ..files.systemic import of_file
from ..files.tissue_keys import FILE_KINDS
from ..simulate.body_side import variant_code
from ..simulate.build import build, route
from ..simulate.check import check_scenario
from ..simulate.model import scenario_model
from ..store import open_books
from ..store.guard import Unavailable
from ..store.index import INDEX_FILE, Entry, deep_damage, index_folder, quarantine, tidy, write_index
from ..store.outcomes import FAILURES_FILE, OUTCOMES_FILE, row_of_entry, write_failures, write_outcomes
from ..store.replicates import REPLICATES_FILE, read_replicates
from .executors import Workers, open_workers, usable_cores
from .fan_out import Task, fan_out
from .follow import Follower
from .jobs import Job, as_set, command_of, is_alone, jobs_of, paths_of, recorded_jobs, run_job, share_of
from .pilot import Plan, plan_of, refuse_full_disk
from .together import run_together, seeds_done
from .warm import warm_up, warm_up_with

__all__ = ["Job", "Order", "command_of", "jobs_of", "run_job", "run_study"]
COMPILING = "compiling kernels, a minute the first time"
INDEX_EVERY_SECONDS = 30.0
Failure = tuple[Job, str]


@dataclass(frozen=True)
class Order:
    """What is asked of a batch, besides the study.

    Attributes
    ----------
    out : Path
    settings : tuple of str
        ``key=value[unit]`` for every run, after those of the study.
    replicates : int
        Seeds a patient; 0 for what the study says.
    seed : int, optional
        First seed, in place of the study's.
    keep_runs : bool
        Write a file a run even where one file would hold all replicates.
    workers : int
        Runs at a time; 0 is one a usable core.
    quiet : bool
        Print failures alone.
    executor : str
        serial, processes or dask.
    scheduler : str, optional
        dask: address, or TOML file of a cluster.
    index, of : int, optional
        Which part of how many is done by this call.
    retries : int
        How often a run that failed is tried again.
    rerun_corrupt : bool
        Read the study's files whole, move damaged ones to a quarantine and run them again.
    """

    out: Path
    settings: tuple[str, ...] = ()
    replicates: int = 0
    seed: int | None = None
    keep_runs: bool = False
    workers: int = 0
    quiet: bool = False
    executor: str = "processes"
    scheduler: str | None = None
    index: int | None = None
    of: int | None = None
    retries: int = 0
    rerun_corrupt: bool = False


@dataclass(frozen=True)
class Batch:
    """A study, read and checked.

    Attributes
    ----------
    study : Study
    scenarios : dict of str to Scenario
        By arm, with the settings that all runs share.
    jobs : list of Job
        The part of this call.
    together : bool
        All replicates go into one file.
    share : str
        Name of the part, empty for the whole study.
    """

    study: Study
    scenarios: Mapping[str, Scenario]
    jobs: Sequence[Job]
    together: bool
    share: str


def prepare_batch(name: str, order: Order) -> Batch:
    """Read a study and refuse what would fail in every run.

    Raises
    ------
    InputError
    """
    study = load_study(name)
    if order.seed is not None:
        study = replace(study, seed=order.seed)
    replicates = order.replicates or study.replicates
    settings = (*study.settings, *order.settings)
    jobs = jobs_of(study, order.settings, max(replicates, 1))
    scenarios = {arm: load_scenario(arm, settings) for arm in study.arms}
    for scenario in scenarios.values():
        refuse(scenario)
    share = ""
    if order.index is not None:
        of = order.of or _array_size()
        jobs = share_of(jobs, order.index, of)
        share = f"{order.index % of + 1}-of-{of}"
    elif order.of is not None:
        raise InputError("--of says how many calls share the study; say which one this is with --index")
    together = replicates > 0 and not order.keep_runs and all(map(is_alone, scenarios.values()))
    return Batch(study, scenarios, jobs, together, share)


def run_study(name: str, order: Order, console: Console) -> list[Failure]:
    """Run a study, or the part of it that is not there yet; return what failed.

    Parameters
    ----------
    name : str
        Study file, library study, or scenario (a study of one arm).
    order : Order
    console : Console
        Where progress and failures are printed.

    Raises
    ------
    InputError
        The study is wrong, or would fail in every run, or the folder cannot be written or hold it.
    """
    batch = prepare_batch(name, order)
    jobs = batch.jobs
    check_writable(order.out)
    for note in notes_of(batch):
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    bars = None if order.quiet else console
    if batch.together:
        failures = _run_replicates(batch, order, bars, console)
    else:
        failures = _run_files(batch, order, bars, console)
    paths = paths_of([job for job, _ in failures], batch.scenarios, order.out)
    rows = [(paths[job].stem, reason, command_of(job, order.out)) for job, reason in failures]
    failed = order.out / (f"failures-{batch.share}.csv" if batch.share else FAILURES_FILE)
    write_failures(failed, rows)
    if not batch.share:
        for old in order.out.glob("failures-*-of-*.csv"):
            old.unlink()
    for _, reason, command in rows:
        console.print(printable(f"failed: {reason}\n  again: {command}"), markup=False, soft_wrap=True)
    if not order.quiet:
        part = f" (part {batch.share})" if batch.share else ""
        done = f"{len(jobs) - len(failures)} of {len(jobs)} runs complete in {order.out}{part}"
        console.print(printable(done), markup=False, soft_wrap=True)
    return failures


def _array_size() -> int:
    """Return the number of tasks of a SLURM array, 0 outside one."""
    text = os.environ.get("SLURM_ARRAY_TASK_COUNT", "0")
    if not text.isascii() or not text.isdigit():
        raise InputError(
            f"SLURM_ARRAY_TASK_COUNT={text}: not a whole number; give the number of parts by --of"
        )
    return int(text)


def notes_of(batch: Batch) -> list[str]:
    """Return what is left out or rounded in the arms, and what placing tissues from files loses or assumes, from the
    first run of every arm."""
    notes: list[str] = []
    first = {job.scenario: job for job in reversed(batch.jobs)}
    for arm, job in first.items():
        scenario = batch.scenarios[arm]
        notes += scenario.notes
        with suppress(InputError):  # of this run alone; it is said where the run fails
            notes += duration_notes(
                scenario.tables["scenario"]["duration_days"], scenario_model(scenario, draft=True).dt_h
            )
            if scenario.tables["tissue"].get("kind") in FILE_KINDS:
                notes += build(as_set(scenario, job), job.seed).placement.notes
    return list(dict.fromkeys(notes))


def _run_replicates(batch: Batch, order: Order, bars: Console | None, console: Console) -> list[Failure]:
    path = order.out / REPLICATES_FILE
    if order.rerun_corrupt:
        try:
            read_replicates(path)
        except Unavailable:
            raise
        except InputError as error:
            _say_moved(console, str(error), quarantine(path))
    with open_workers(order.executor, order.workers, len(batch.jobs), order.scheduler) as workers:
        return run_together(
            batch.jobs, batch.scenarios, order.out, workers, workers.count, bars, order.retries, batch.share
        )


def _run_files(batch: Batch, order: Order, bars: Console | None, console: Console) -> list[Failure]:
    out, jobs = order.out, batch.jobs
    entries, refused = index_folder(out)
    paths = paths_of(jobs, batch.scenarios, out)
    if not batch.share:
        tidy(out, {*(path.name for path in paths.values()), INDEX_FILE, OUTCOMES_FILE}, entries)
    if order.rerun_corrupt:
        ours = {paths[job].name for job in jobs} & entries.keys()
        refused |= {file: error for file in sorted(ours) if (error := deep_damage(out / file))}
    failures: list[Failure] = []
    todo: dict[str, Job] = {}
    for job in jobs:
        file = paths[job].name
        if isinstance(refused.get(file), Unavailable):
            failures.append((job, str(refused[file])))
            continue
        if file in refused and not order.rerun_corrupt:
            failures.append((job, f"{refused[file]}; --rerun-corrupt moves it away and runs it again"))
            continue
        if file in refused:
            _say_moved(console, str(refused.pop(file)), quarantine(out / file))
            entries.pop(file, None)
        if file not in entries:
            todo.setdefault(file, job)
    waiting = list(todo.values())
    refuse_full_disk(waiting, batch.scenarios, out)
    try:
        if waiting:
            with open_workers(order.executor, order.workers, len(waiting), order.scheduler) as workers:
                failures += _record(waiting, batch, order, workers, entries, bars)
    finally:
        if not batch.share:
            write_index(out, entries.values())
    there = [(job, entries[file]) for job in jobs if (file := paths[job].name) in entries]
    failures += [(job, _books_of(out / entry.file)) for job, entry in there if not entry.closes]
    if not batch.share:
        rows = [row_of_entry(entry) | dict(job.sweep) for job, entry in there if entry.closes]
        write_outcomes(out, rows, [name for name, _ in jobs[0].sweep])
    return failures


def _books_of(path: Path) -> str:
    """Return why a run that is complete fails nevertheless: each time that a study finds it there."""
    return f"{path}: {open_books(path)[0]}"


def _record(
    waiting: Sequence[Job],
    batch: Batch,
    order: Order,
    workers: Workers,
    entries: dict[str, Entry],
    bars: Console | None,
) -> list[Failure]:
    """Run jobs to their files and enter them into the index; return what failed."""
    failures: list[Failure] = []
    first = waiting[0]
    with bars.status(COMPILING) if bars else nullcontext():
        if is_alone(batch.scenarios[first.scenario]):
            warm_up_with(workers.executor, first.scenario, first.settings, first.seed)
        else:
            warm_up(
                "mcrc", workers.executor
            )  # kernels do not depend on the model, and this one is always there
    written = time.monotonic()
    walls = [0.0, 0.0]  # seconds and runs so far
    with Follower(bars, len(waiting)) as follower:
        tasks = _tasks(waiting, order, workers, walls)

        def one_by_one(task: Task) -> list[Task]:
            return [_task([job], order) for job in task.about]

        for task, found, reason in fan_out(recorded_jobs, tasks, workers, order.retries, one_by_one):
            for job, (entry, why) in zip(
                task.about, found or [(None, reason)] * len(task.about), strict=True
            ):
                if entry is None:
                    failures.append((job, why))
                else:
                    entries[entry.file] = entry
                    walls[0] += entry.wall_seconds
                    walls[1] += 1
                follower.advance(1, entry is None or not entry.closes)
            if time.monotonic() - written > INDEX_EVERY_SECONDS and not batch.share:
                write_index(order.out, entries.values())
                written = time.monotonic()
    return failures


def _tasks(waiting: Sequence[Job], order: Order, workers: Workers, walls: Sequence[float]) -> Iterator[Task]:
    """Yield tasks of one run, or of several where those so far were short and the executor wants it so."""
    start = 0
    while start < len(waiting):
        most = (len(waiting) - start) // (4 * workers.count)
        short = round(workers.bundle_seconds * walls[1] / walls[0]) if walls[0] and not order.retries else 1
        several = max(1, min(most, short))
        yield _task(waiting[start : start + several], order)
        start += several


def _task(jobs: Sequence[Job], order: Order) -> Task:
    return Task(jobs, (jobs, str(order.out.absolute())))


def plan_study(name: str, order: Order) -> Plan:
    """Return what a study would take, from a timed pilot of every arm; nothing is written to the folder.

    Raises
    ------
    InputError
        As for ``run_study``.
    """
    batch = prepare_batch(name, order)
    if batch.together:
        done = seeds_done(batch.jobs, batch.scenarios, order.out)
        todo = [job for job in batch.jobs if job not in done]
    else:
        entries, refused = index_folder(order.out)
        paths = paths_of(batch.jobs, batch.scenarios, order.out)
        kept = {
            f for f, error in refused.items() if isinstance(error, Unavailable) or not order.rerun_corrupt
        }
        there = {*entries, *kept}
        todo = [job for job in batch.jobs if paths[job].name not in there]
    count = min(order.workers or usable_cores(), max(len(todo), 1)) if order.executor != "serial" else 1
    return plan_of(batch.jobs, todo, order.out, batch.together, count)


def _say_moved(console: Console, reason: str, place: Path) -> None:
    console.print(
        printable(f"{reason}\n  moved to {place}; the run is made again"), markup=False, soft_wrap=True
    )


def refuse(scenario: Scenario) -> None:
    """Refuse a scenario that would fail in every run.

    Raises
    ------
    InputError
    """
    if "variant" in scenario.tables.get("body", {}) and not of_file(scenario.tables):
        variant_code(scenario.tables["body"]["variant"])
    route(scenario, {})
    for problem in check_scenario(scenario):
        raise InputError(problem)


def check_writable(folder: Path) -> None:
    """Make a folder, or say why it cannot be written.

    Raises
    ------
    InputError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); make room or give permission there, or begin anew in "
            "another --out folder"
        ) from None
