"""Dry runs: what they say is near what the runs then take, and they write nothing."""

import re
import sys
from pathlib import Path

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch import pilot
from oncolattice.scenarios.batch.follow import duration, size
from oncolattice.scenarios.batch.jobs import Job, jobs_of, run_job
from oncolattice.scenarios.batch.pilot import Measured, Plan, measure
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.store import find_runs
from oncolattice.tests.helpers.race import write_race


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_race(tmp_path_factory.mktemp("pilot"))


def test_size_drawn_out_from_the_first_steps_is_near_that_of_the_run(folder, tmp_path):
    job = Job(str(folder / "untreated.toml"), 1, 1, ("rows=128", "columns=128", "duration_days=120"))
    guess = measure(job, together=False, seconds=0.0)
    actual = Path(run_job(job, str(tmp_path))).stat().st_size
    assert guess.file_bytes == pytest.approx(actual, rel=0.3)
    assert guess.parts_bytes > 0


def test_a_run_that_ends_in_the_pilot_is_measured_whole(folder, tmp_path):
    job = Job(str(folder / "adaptive.toml"), 1, 1, ())
    whole = measure(job, together=False, seconds=60.0)
    path = run_job(job, str(tmp_path))
    assert whole.file_bytes == pytest.approx(Path(path).stat().st_size, rel=0.05)
    assert whole.parts_bytes == 0
    assert measure(job, together=True, seconds=60.0).file_bytes < whole.file_bytes / 10


def test_a_plain_bound_is_above_the_size_of_a_file(folder, tmp_path):
    job = Job(str(folder / "untreated.toml"), 1, 1, ("record_every_hours=6",))
    bound = pilot._at_most(load_scenario(job.scenario, job.settings))
    assert bound > Path(run_job(job, str(tmp_path))).stat().st_size


def test_a_dry_run_counts_and_writes_nothing(folder, tmp_path, monkeypatch, capfd):
    out = tmp_path / "runs"
    study = load_study(str(folder / "race.toml"))
    words = ["--set", "duration_days=10", "--workers", "1"]
    for done in (0, 1):
        if done:
            run_job(jobs_of(study, ("duration_days=10",))[0], str(out))
        before = sorted(out.rglob("*")) if out.exists() else []
        monkeypatch.setattr(
            sys,
            "argv",
            ["oncolattice", "batch", str(folder / "race.toml"), "--out", str(out), "--dry-run", *words],
        )
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        text = capfd.readouterr().out
        assert f"2 ({done} done, {2 - done} to do)" in text
        assert re.search(r"time +about [\d.]+ s with 1 at a time \(.*adaptive [\d.]+ s", text)
        assert re.search(r"memory +about \d+ MB", text)
        assert re.search(r"disk +about [\d.]+ kB of [\d.]+ [GT]B free", text)
        assert (sorted(out.rglob("*")) if out.exists() else []) == before
    assert len(find_runs(out)) == 1


def test_a_plan_that_does_not_fit_is_refused(tmp_path):
    plan = Plan(30, 10, 2, 60.0, 1e9, 5e9, 4e9, {"arm": Measured(6.0, 5e8, 2.5e8, 0.0)}, tmp_path)
    assert "20 to do" in plan.text()
    with pytest.raises(InputError, match=r"20 runs need about 5\.0 GB, the disk has 4\.0 GB free"):
        plan.refuse()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.25, "0.2 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (180_000, "2 d 2 h")],
)
def test_durations_are_in_words(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(12, "12 bytes"), (1500, "1.5 kB"), (99_000_000, "99 MB"), (2.5e12, "2.5 TB")]
)
def test_sizes_are_in_words(count, text):
    assert size(count) == text
