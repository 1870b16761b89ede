"""Run a study: every arm for every patient, over any ``concurrent.futures`` executor."""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ..abm.errors import InputError
from .study import Study, load_study


@dataclass(frozen=True)
class Job:
    """One run of a study."""

    scenario: str
    patient: int
    seed: int
    settings: tuple[str, ...]


def jobs_of(study: Study, settings: Sequence[str]) -> list[Job]:
    """Return the runs of a study; the arms of one patient share patient and seed, so they share luck."""
    return [
        Job(arm, patient, study.seed + patient - 1, (f"patient.number={patient}", *study.settings, *settings))
        for patient in range(1, study.patients + 1)
        for arm in study.arms
    ]


def run_job(job: Job, out: str) -> str:
    """Run one job to its file and return the path; what is there already is not run again.

    Raises
    ------
    InputError
    """
    from .run import prepare
    from .scenario import load_scenario

    scenario = load_scenario(job.scenario, job.settings)
    current = prepare(scenario, job.seed, Path(out), resume="if interrupted")
    if isinstance(current, Path):
        return str(current)
    for _ in current.steps():
        pass
    return str(current.finish())


def run_jobs(
    jobs: Sequence[Job], out: Path, executor: Executor, console: Console | None
) -> list[tuple[Job, str]]:
    """Run jobs on an executor; return those that failed, each with its reason."""
    failures: list[tuple[Job, str]] = []
    with Progress(console=console, disable=console is None) as bar:
        task = bar.add_task("runs", total=len(jobs))
        futures: dict[Future[str], Job] = {executor.submit(run_job, job, str(out)): job for job in jobs}
        for future in as_completed(futures):
            job, error = futures[future], future.exception()
            if error is not None:
                failures.append((job, f"{type(error).__name__}: {error}"))
            bar.advance(task)
    return failures


def run_study(
    name: str, out: Path, settings: Sequence[str], workers: int, console: Console | None
) -> list[tuple[Job, str]]:
    """Run a study on processes; return what failed.

    Parameters
    ----------
    name : str
        Study file, library study, or scenario (a study of one arm).
    out : Path
    settings : sequence of str
        ``key=value[unit]`` for every run, after those of the study.
    workers : int
        Processes; 0 is one a core.
    console : Console or None
        Where progress and failures are printed.

    Raises
    ------
    InputError
        The study is wrong, or the folder cannot be written.
    """
    study = load_study(name)
    jobs = jobs_of(study, settings)
    check_writable(out)
    warm_up(jobs[0])
    count = workers or os.cpu_count() or 1
    os.environ["NUMBA_NUM_THREADS"] = "1"  # one thread a run: threads beside other load collapse
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(count, len(jobs)), mp_context=context) as pool:
        failures = run_jobs(jobs, out, pool, console)
    if console:
        for job, reason in failures:
            again = " ".join(f"--set '{setting}'" for setting in job.settings)
            console.print(
                f"failed: {reason}\n  again: oncolattice run {job.scenario} --seed {job.seed} {again}"
            )
        console.print(f"{len(jobs) - len(failures)} of {len(jobs)} runs complete in {out}")
    return failures


def warm_up(job: Job) -> None:
    """Compile the kernels once, so that every worker finds them in the cache."""
    from .run import Run
    from .scenario import load_scenario

    settings = (*job.settings, "duration_days=0.1", "rows=32", "columns=32", "margin_um=0")
    for _ in Run(load_scenario(job.scenario, settings), 1).steps():
        pass


def check_writable(folder: Path) -> None:
    """Make a folder, or say why it cannot be written.

    Raises
    ------
    InputError
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror}); choose another --out folder"
        ) from None
