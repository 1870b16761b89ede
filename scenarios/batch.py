"""Run a study: every arm for every patient, over any ``concurrent.futures`` executor."""

import multiprocessing
import os
import shlex
import signal
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ..abm.errors import InputError
from .scenario import load_scenario
from .study import Study, load_study
from .warm import warm_up


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
    name: str, out: Path, settings: Sequence[str], workers: int, console: Console, quiet: bool = False
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
    console : Console
        Where progress and failures are printed.
    quiet : bool
        Print failures alone.

    Raises
    ------
    InputError
        The study is wrong, or the folder cannot be written.
    """
    study = load_study(name)
    jobs = jobs_of(study, settings)
    for arm in study.arms:
        load_scenario(arm, (*study.settings, *settings))  # a wrong word is refused before anything starts
    check_writable(out)
    count = workers or os.cpu_count() or 1
    os.environ["NUMBA_NUM_THREADS"] = "1"  # one thread a run: threads beside other load collapse
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(count, len(jobs)), context, _die_on_interrupt) as pool:
        try:
            with nullcontext() if quiet else console.status("compiling kernels, a minute the first time"):
                warm_up("mcrc", pool)  # kernels do not depend on the model, and this one is always there
            failures = run_jobs(jobs, out, pool, None if quiet else console)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for job, reason in failures:
        console.print(f"failed: {reason}\n  again: {command_of(job, out)}", markup=False, soft_wrap=True)
    if not quiet:
        done = f"{len(jobs) - len(failures)} of {len(jobs)} runs complete in {out}"
        console.print(done, markup=False, soft_wrap=True)
    return failures


def command_of(job: Job, out: Path) -> str:
    """Return the command line that repeats one job alone."""
    words = ["oncolattice", "run", job.scenario, "--seed", str(job.seed), "--out", str(out)]
    for setting in job.settings:
        words += ["--set", setting]
    return shlex.join(words)


def _die_on_interrupt() -> None:
    """Let Ctrl-C end a worker without a word: its checkpoints are on disk, and the parent speaks."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


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
