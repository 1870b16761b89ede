"""The runs of a study: which they are, what each is called, and how one is done."""

import copy
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...abm.errors import InputError
from ...ode_coupling.system import BodyError
from ..files.inputs import settle_setting
from ..files.limits import check_runs
from ..files.scenario import Scenario, apply_setting, load_scenario
from ..files.study import Study
from ..files.sweep import Point
from ..simulate.contents import Known
from ..store import discard_segments, parts_folder, run_path
from ..store.index import Entry, read_entry
from .fan_out import attempt


@dataclass(frozen=True)
class Job:
    """One run of a study.

    Attributes
    ----------
    scenario : str
        Library name or path.
    patient : int
        Number in the study.
    seed : int
    settings : tuple of str
        All that is set, the values of the sweeps included.
    sweep : Point
        Names and values of the sweeps, for the columns of outcomes.csv.
    """

    scenario: str
    patient: int
    seed: int
    settings: tuple[str, ...]
    sweep: Point = ()


def is_alone(scenario: Scenario) -> bool:
    """Return whether a scenario is a tissue without a body."""
    return "body" not in scenario.tables


def jobs_of(study: Study, settings: Sequence[str], replicates: int = 1) -> list[Job]:
    """Return the runs of a study; arms and points of a sweep share patients and seeds, so they share luck.

    Replicate i of patient k runs with seed + (k - 1) * replicates + i - 1. A tissue alone has no patients:
    there a patient is one more seed.

    Raises
    ------
    InputError
        A setting names what a sweep varies, or there are too many runs.
    """
    check_runs(study.patients, replicates, len(study.points), len(study.arms))
    swept = {name for name, _ in study.points[0]}
    for setting in settings:
        if (name := setting.partition("=")[0].strip().removeprefix("parameters.")) in swept:
            raise InputError(f"--set {name}: the study sweeps it; take it out of one of them")
    # a worker may be called elsewhere: what is named from here is named by its whole path
    settings = (*study.settings, *(settle_setting(setting, Path()) for setting in settings))
    alone = {arm: is_alone(load_scenario(arm, settings)) for arm in study.arms}
    values = [tuple(f"{name}={value}" for name, value in point) for point in study.points]
    return [
        Job(
            arm,
            patient,
            study.seed + (patient - 1) * replicates + i,
            (*(() if alone[arm] else (f"patient.number={patient}",)), *settings, *varied),
            point,
        )
        for patient in range(1, study.patients + 1)
        for i in range(replicates)
        for point, varied in zip(study.points, values, strict=True)
        for arm in study.arms
    ]


def share_of(jobs: Sequence[Job], index: int, of: int) -> list[Job]:
    """Return the part of the jobs that one of several calls does; any ``of`` numbers in a row share all.

    Raises
    ------
    InputError
        There is no such part.
    """
    if of < 1:
        raise InputError("--index says which part of the study to do; say of how many parts with --of")
    if not 0 <= index <= of:
        raise InputError(
            f"--index must be 0 to {of} (--of), got {index}; number the calls 0-{of - 1} or 1-{of}"
        )
    part = index % of
    return list(jobs[len(jobs) * part // of : len(jobs) * (part + 1) // of])


def paths_of(jobs: Sequence[Job], scenarios: Mapping[str, Scenario], out: Path) -> dict[Job, Path]:
    """Return where the run file of every job belongs.

    Parameters
    ----------
    jobs : sequence of Job
    scenarios : mapping of str to Scenario
        Loaded with the settings that all runs share; what differs is set on copies, which is a
        hundred times faster than to read the files again.
    out : Path

    Raises
    ------
    InputError
        A value of a sweep is of the wrong kind.
    """
    from ..simulate.run import key_of

    made: dict[tuple[str, tuple[str, ...]], Scenario] = {}
    paths, known = {}, Known()
    for job in jobs:
        mark = (job.scenario, job.settings)
        if mark not in made:
            made[mark] = as_set(scenarios[job.scenario], job)
        paths[job] = run_path(out, made[mark].name, key_of(made[mark], job.seed, known=known))
    return paths


def as_set(scenario: Scenario, job: Job) -> Scenario:
    """Return a copy of a scenario in which patient and values of the sweeps are those of a job.

    Raises
    ------
    InputError
        A value of the wrong kind.
    """
    own = Scenario(copy.deepcopy(scenario.tables), scenario.model_spec, dict(scenario.user_parameters))
    if not is_alone(scenario):
        apply_setting(own, f"patient.number={job.patient}")
    for name, value in job.sweep:
        apply_setting(own, f"{name}={value}")
    return own


def run_job(job: Job, out: str) -> str:
    """Run one job to its file and return the path; what is there already is not run again.

    Raises
    ------
    InputError, BodyError
    """
    from ..simulate.run import key_of, prepare

    scenario = load_scenario(job.scenario, job.settings)
    path = run_path(out, scenario.name, key_of(scenario, job.seed))
    # a run that was killed before its first segment has left a folder, and nothing to go on from
    resume = any(parts_folder(path).glob("[0-9]*.h5"))
    current = prepare(scenario, job.seed, Path(out), resume=resume)
    if isinstance(current, Path):
        return str(current)
    try:
        for _ in current.steps():
            pass
    except BodyError:
        discard_segments(parts_folder(path))  # going on would end at the same point
        raise
    return str(current.finish())


def recorded_job(job: Job, out: str) -> Entry:
    """Run one job to its file and return what the index keeps of it.

    Raises
    ------
    InputError
        The job fails.
    """
    return read_entry(Path(run_job(job, out)))


def recorded_jobs(jobs: Sequence[Job], out: str) -> list[tuple[Entry | None, str]]:
    """Run jobs to their files; return for each what the index keeps of it, or why it failed.

    Raises
    ------
    InputError
        The only job failed: among several, those that fail are told apart by their reasons.
    """
    if len(jobs) == 1:
        return [(recorded_job(jobs[0], out), "")]
    return [attempt(recorded_job, job, out) for job in jobs]


def command_of(job: Job, out: Path) -> str:
    """Return the command line that repeats one job alone."""
    words = ["oncolattice", "run", job.scenario, "--seed", str(job.seed), "--out", str(out)]
    for setting in job.settings:
        words += ["--set", setting]
    return shlex.join(words)
