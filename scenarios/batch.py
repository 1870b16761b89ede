"""Run a study: every arm for every patient and seed, over any ``concurrent.futures`` executor."""

import multiprocessing
import os
import shlex
import signal
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ..abm.errors import InputError
from .body_side import variant_code
from .build import route
from .checking import check_scenario
from .outcomes import row_of_file, write_outcomes
from .scenario import Scenario, known_parameters, load_scenario
from .study import Study, load_study
from .warm import warm_up, warm_up_with

COMPILING = "compiling kernels, a minute the first time"


@dataclass(frozen=True)
class Job:
    """One run of a study."""

    scenario: str
    patient: int
    seed: int
    settings: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """What is asked of a batch, besides the study.

    Attributes
    ----------
    out : Path
    settings : tuple of str
        ``key=value[unit]`` for every run, after those of the study.
    replicates : int
        Seeds a patient; 0 where none were asked for, which means one.
    seed : int, optional
        First seed, in place of the study's.
    keep_runs : bool
        Write a file a run even where one file would hold all replicates.
    workers : int
        Processes; 0 is one a core.
    quiet : bool
        Print failures alone.
    """

    out: Path
    settings: tuple[str, ...] = ()
    replicates: int = 0
    seed: int | None = None
    keep_runs: bool = False
    workers: int = 0
    quiet: bool = False


def jobs_of(study: Study, settings: Sequence[str], replicates: int = 1) -> list[Job]:
    """Return the runs of a study; the arms share patients and seeds, so they share luck.

    Replicate i of patient k runs with seed + (k - 1) * replicates + i - 1. A tissue alone has no patients:
    there a patient is one more seed.
    """
    settings = (*study.settings, *settings)
    alone = {arm: _alone(load_scenario(arm, settings)) for arm in study.arms}
    return [
        Job(
            arm,
            patient,
            study.seed + (patient - 1) * replicates + i,
            settings if alone[arm] else (f"patient.number={patient}", *settings),
        )
        for patient in range(1, study.patients + 1)
        for i in range(replicates)
        for arm in study.arms
    ]


def _alone(scenario: Scenario) -> bool:
    return "body" not in scenario.tables


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
) -> tuple[dict[Job, Path], list[tuple[Job, str]]]:
    """Run jobs on an executor; return the files, and the jobs that failed, each with its reason."""
    paths: dict[Job, Path] = {}
    failures: list[tuple[Job, str]] = []
    with Progress(console=console, disable=console is None) as bar:
        task = bar.add_task("runs", total=len(jobs))
        futures: dict[Future[str], Job] = {executor.submit(run_job, job, str(out)): job for job in jobs}
        for future in as_completed(futures):
            job, error = futures[future], future.exception()
            if error is None:
                paths[job] = Path(future.result())
            else:
                failures.append((job, f"{type(error).__name__}: {error}"))
            bar.advance(task)
    return paths, failures


def run_study(name: str, order: Order, console: Console) -> list[tuple[Job, str]]:
    """Run a study on processes; return what failed.

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
        The study is wrong, or would fail in every run, or the folder cannot be written.
    """
    study = load_study(name)
    if order.seed is not None:
        study = replace(study, seed=order.seed)
    settings = (*study.settings, *order.settings)
    scenarios = {arm: load_scenario(arm, settings) for arm in study.arms}
    for scenario in scenarios.values():
        refuse(scenario)
    check_writable(order.out)
    jobs = jobs_of(study, order.settings, max(order.replicates, 1))
    alone = all(map(_alone, scenarios.values()))
    together = order.replicates > 0 and not order.keep_runs and alone
    count = min(order.workers or os.cpu_count() or 1, len(jobs))
    os.environ["NUMBA_NUM_THREADS"] = "1"  # one thread a run: threads beside other load collapse
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, _die_on_interrupt) as pool:
        try:
            bars = None if order.quiet else console
            if together:
                from .together import run_together

                failures = run_together(jobs, scenarios, order.out, pool, count, bars)
            else:
                with nullcontext() if order.quiet else console.status(COMPILING):
                    if alone:
                        warm_up_with(pool, jobs[0].scenario, jobs[0].settings, jobs[0].seed)
                    else:
                        warm_up(
                            "mcrc", pool
                        )  # kernels do not depend on the model, and this one is always there
                paths, failures = run_jobs(jobs, order.out, pool, bars)
                if order.replicates or alone:
                    write_outcomes(order.out, [row_of_file(paths[job]) for job in jobs if job in paths])
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    for job, reason in failures:
        console.print(
            f"failed: {reason}\n  again: {command_of(job, order.out)}", markup=False, soft_wrap=True
        )
    if not order.quiet:
        done = f"{len(jobs) - len(failures)} of {len(jobs)} runs complete in {order.out}"
        console.print(done, markup=False, soft_wrap=True)
    return failures


def refuse(scenario: Scenario) -> None:
    """Refuse a scenario that would fail in every run.

    Raises
    ------
    InputError
    """
    if "body" in scenario.tables:
        variant_code(scenario.tables["body"]["variant"])
    body = known_parameters(scenario) - set(scenario.model_spec.parameters)
    route(scenario, {}, body)
    for problem in check_scenario(scenario):
        raise InputError(problem)


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
