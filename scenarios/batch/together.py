"""All replicates of a study in one file: idempotent, resumable and safe to kill."""

import json
import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ...abm.kernel_cache import source_hash
from ..files.scenario import Scenario
from ..simulate.contents import Known
from ..simulate.header import versions
from ..simulate.model import scenario_model
from ..simulate.replicate import arm_key, run_seeds
from ..store.index import tidy
from ..store.outcomes import OUTCOMES_FILE, outcome_row, write_outcomes
from ..store.replicates import REPLICATES_FILE, ArmRuns, read_replicates, write_replicates
from ..store.tables import to_json
from .executors import Workers
from .fan_out import Task, fan_out
from .follow import Follower
from .jobs import Job, as_set
from .warm import warm_up_with

MOST_SEEDS_A_JOB = 25
WRITING_SHARE = 0.05  # of the time since the last write may go into writing
SHARES = "replicates.parts"  # what calls with --index wrote; readers of runs pass over such folders
_SHARE = re.compile(r"\d+-of-\d+\.h5")


def run_together(
    jobs: Sequence[Job],
    scenarios: Mapping[str, Scenario],
    out: Path,
    executor: Executor | Workers,
    workers: int,
    console: Console | None,
    retries: int = 0,
    share: str = "",
) -> list[tuple[Job, str]]:
    """Run what replicates.h5 does not hold yet, many seeds a task; return what failed.

    Parameters
    ----------
    jobs : sequence of Job
    scenarios : mapping of str to Scenario
        Loaded with the settings that all runs share, by the name that the jobs use.
    out : Path
        Gets replicates.h5 and outcomes.csv.
    executor : Executor or Workers
    workers : int
        How many tasks run at a time.
    console : Console, optional
        Where progress is shown.
    retries : int
        How often a task that raised is tried again.
    share : str
        Name of a part of the study, such as 3-of-8: it goes to a file of its own in the folder
        replicates.parts, which the next call without a share merges and removes.

    Raises
    ------
    InputError
    """
    path = out / REPLICATES_FILE
    arms, merged = _read_all(out)
    given: dict[Mark, Scenario] = {}
    for job in jobs:
        if _mark(job) not in given:
            given[_mark(job)] = as_set(scenarios[job.scenario], job)
    known = Known()
    keys = {mark: arm_key(scenario, known) for mark, scenario in given.items()}
    missing: dict[Mark, list[Job]] = defaultdict(list)
    for job in jobs:
        key = keys[_mark(job)]
        if key not in arms:
            arms[key] = _new_arm(key, given[_mark(job)])
        if job.seed not in arms[key].runs:
            missing[_mark(job)].append(job)
    if share:
        path = out / SHARES / f"{share}.h5"
        own: dict[str, set[int]] = defaultdict(set)
        for job in jobs:
            own[keys[_mark(job)]].add(job.seed)
        arms = {key: _only(arms[key], seeds) for key, seeds in own.items()}
    most = max(1, min(MOST_SEEDS_A_JOB, -(-sum(map(len, missing.values())) // (4 * workers))))
    tasks = [
        _task(waiting[start : start + most])
        for waiting in missing.values()
        for start in range(0, len(waiting), most)
    ]
    pool = executor if isinstance(executor, Workers) else Workers(lambda: executor, workers, len(tasks) + 1)
    if tasks:
        first = tasks[0].about[0]
        warm_up_with(pool.executor, first.scenario, first.settings, first.seed)
    failures: list[tuple[Job, str]] = []
    written, spent = time.monotonic(), 0.0
    with Follower(console, sum(len(task.about) for task in tasks)) as follower:
        try:
            for task, result, reason in fan_out(run_seeds, tasks, pool, retries, _one_by_one):
                runs, failed = result or ((), {job.seed: reason for job in task.about})
                arms[keys[_mark(task.about[0])]].runs |= {run.seed: run for run in runs}
                failures += [(job, failed[job.seed]) for job in task.about if job.seed in failed]
                follower.advance(len(task.about), len(failed))
                if time.monotonic() - written > spent / WRITING_SHARE:
                    spent, written = _write(path, arms), time.monotonic()
        finally:
            if tasks or merged:
                _write(path, arms)
    if share:
        return failures
    tidy(out, (REPLICATES_FILE, OUTCOMES_FILE), ())
    for part in merged:
        part.unlink()
    if merged and not any((out / SHARES).iterdir()):
        (out / SHARES).rmdir()
    rows = [_row(arms[keys[_mark(job)]], job) for job in jobs if job.seed in arms[keys[_mark(job)]].runs]
    write_outcomes(out, rows, [name for name, _ in jobs[0].sweep])
    return failures


def seeds_done(jobs: Sequence[Job], scenarios: Mapping[str, Scenario], out: Path) -> set[Job]:
    """Return the jobs whose runs the files of a folder hold.

    Raises
    ------
    InputError
        A file is damaged, or of another version.
    """
    arms, _ = _read_all(out)
    one = {_mark(job): job for job in jobs} if arms else {}
    known = Known()
    keys = {mark: arm_key(as_set(scenarios[job.scenario], job), known) for mark, job in one.items()}
    return {job for job in jobs if arms and (arm := arms.get(keys[_mark(job)])) and job.seed in arm.runs}


Mark = tuple[str, tuple[str, ...]]


def _mark(job: Job) -> Mark:
    """Return what the replicates of an arm share."""
    return job.scenario, job.settings


def _task(part: Sequence[Job]) -> Task:
    return Task(part, (part[0].scenario, part[0].settings, [job.seed for job in part]))


def _one_by_one(task: Task) -> list[Task]:
    return [_task([job]) for job in task.about]


def _read_all(out: Path) -> tuple[dict[str, ArmRuns], list[Path]]:
    """Return the runs of replicates.h5 and of all shares, and the files of the shares."""
    arms = read_replicates(out / REPLICATES_FILE)
    folder = out / SHARES
    parts = sorted(p for p in folder.iterdir() if _SHARE.fullmatch(p.name)) if folder.is_dir() else []
    for part in parts:
        for key, arm in read_replicates(part).items():
            arms[key].runs.update(arm.runs) if key in arms else arms.update({key: arm})
    return arms, parts


def _only(arm: ArmRuns, seeds: set[int]) -> ArmRuns:
    """Return an arm with some of its seeds."""
    runs = {seed: run for seed, run in arm.runs.items() if seed in seeds}
    return ArmRuns(arm.key, arm.about, arm.types, arm.events, runs)


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


def _row(arm: ArmRuns, job: Job) -> dict[str, object]:
    run = arm.runs[job.seed]
    row = outcome_row(arm.about["scenario"], arm.about["arm"], job.seed, run.run_key, run.outcome)
    return row | dict(job.sweep)
