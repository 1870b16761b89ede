"""All replicates of a study in one file: idempotent, resumable and safe to kill."""

import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from ..abm.kernel_cache import source_hash
from .header import versions
from .listing import scenario_model
from .outcomes import outcome_row, write_outcomes
from .replicate import arm_key, run_seeds
from .scenario import Scenario
from .store.replicates import REPLICATES_FILE, ArmRuns, Replicate, read_replicates, write_replicates
from .store.tables import to_json
from .warm import warm_up_with

if TYPE_CHECKING:
    from .batch import Job

MOST_SEEDS_A_JOB = 25
WRITING_SHARE = 0.05  # of the time since the last write may go into writing


def run_together(
    jobs: "Sequence[Job]",
    scenarios: Mapping[str, Scenario],
    out: Path,
    executor: Executor,
    workers: int,
    console: Console | None,
) -> "list[tuple[Job, str]]":
    """Run what replicates.h5 does not hold yet, many seeds a task; return what failed.

    Parameters
    ----------
    jobs : sequence of Job
    scenarios : mapping of str to Scenario
        Loaded, by the name that the jobs use.
    out : Path
        Gets replicates.h5 and outcomes.csv.
    executor : Executor
    workers : int
        How many tasks run at a time.
    console : Console, optional
        Where progress is shown.

    Raises
    ------
    InputError
    """
    path = out / REPLICATES_FILE
    arms = read_replicates(path)
    keys = {name: arm_key(scenario) for name, scenario in scenarios.items()}
    missing: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        arm = arms.setdefault(keys[job.scenario], _new_arm(keys[job.scenario], scenarios[job.scenario]))
        if job.seed not in arm.runs:
            missing[job.scenario].append(job)
    failures: list[tuple[Job, str]] = []
    most = max(1, min(MOST_SEEDS_A_JOB, -(-sum(map(len, missing.values())) // (4 * workers))))
    futures: dict[Future[tuple[list[Replicate], dict[int, str]]], list[Job]] = {}
    if missing:
        name, (first, *_) = next(iter(missing.items()))
        warm_up_with(executor, name, first.settings, first.seed)
    for name, waiting in missing.items():
        for start in range(0, len(waiting), most):
            part = waiting[start : start + most]
            seeds = [job.seed for job in part]
            futures[executor.submit(run_seeds, name, part[0].settings, seeds)] = part
    written, spent = time.monotonic(), 0.0
    with Progress(console=console, disable=console is None) as bar:
        task = bar.add_task("replicates", total=sum(map(len, futures.values())))
        try:
            for future in as_completed(futures):
                part, error = futures[future], future.exception()
                if error is None:
                    runs, failed = future.result()
                    arms[keys[part[0].scenario]].runs |= {run.seed: run for run in runs}
                    failures += [(job, failed[job.seed]) for job in part if job.seed in failed]
                else:
                    failures += [(job, f"{type(error).__name__}: {error}") for job in part]
                bar.advance(task, len(part))
                if time.monotonic() - written > spent / WRITING_SHARE:
                    spent, written = _write(path, arms), time.monotonic()
        finally:
            _write(path, arms)
    rows = [
        _row(arms[keys[job.scenario]], job.seed) for job in jobs if job.seed in arms[keys[job.scenario]].runs
    ]
    write_outcomes(out, rows)
    return failures


def _write(path: Path, arms: Mapping[str, ArmRuns]) -> float:
    """Write the file and return the seconds it took."""
    began = time.monotonic()
    write_replicates(path, arms)
    return time.monotonic() - began


def _new_arm(key: str, scenario: Scenario) -> ArmRuns:
    model, head = scenario_model(scenario), scenario.tables["scenario"]
    about = {
        "scenario": scenario.name,
        "arm": head["arm"],
        "title": head["title"],
        "scenario_text": to_json(scenario.tables),
        "user_parameters": to_json({k: list(v) for k, v in scenario.user_parameters.items()}),
        "model_text": scenario.model_spec.text,
        "versions": json.dumps(versions()),
        "source_hash": source_hash(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return ArmRuns(key, about, [info.name for info in model.types], list(model.events), {})


def _row(arm: ArmRuns, seed: int) -> dict[str, object]:
    run = arm.runs[seed]
    return outcome_row(arm.about["scenario"], arm.about["arm"], seed, run.run_key, run.outcome)
