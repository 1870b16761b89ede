"""Many seeds of paired arms in one file: the same numbers as single runs, once, whatever interrupts."""

import csv
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch.study import jobs_of
from oncolattice.scenarios.batch.together import run_together
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.simulate.replicate import run_seeds
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import find_runs, open_run
from oncolattice.scenarios.store.replicates import read_replicates, write_replicates
from oncolattice.tests.helpers.race import write_race


def batch(folder, out, *words):
    """Run the command and return what it printed on standard error."""
    command = [sys.executable, "-m", "oncolattice.scenarios.command.cli", "batch", str(folder / "race.toml")]
    done = subprocess.run([*command, "--out", str(out), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def together(folder, out, replicates, seed=3, *settings):
    """Do in this process what the command does on several."""
    out.mkdir(exist_ok=True)
    study = replace(load_study(str(folder / "race.toml")), seed=seed)
    jobs = jobs_of(study, settings, replicates)
    scenarios = {arm: load_scenario(arm, settings) for arm in study.arms}
    with ThreadPoolExecutor(1) as pool:
        assert run_together(jobs, scenarios, out, pool, 1, None) == []


def rows_of(out):
    with (out / "outcomes.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_race(tmp_path_factory.mktemp("replicates"))


@pytest.fixture(scope="module")
def done(folder):
    out = folder / "out"
    assert "24 of 24 runs complete" in batch(folder, out, "--replicates", "12", "--seed", "20")
    return out


def test_outcomes_name_arms_seeds_and_times(done):
    rows = rows_of(done)
    assert list(rows[0])[:7] == ["run", "scenario", "arm", "patient", "seed", "ttp_days", "ttp_event"]
    pairs = [(row["arm"], int(row["seed"])) for row in rows]
    assert sorted(pairs) == [(arm, seed) for arm in ("adaptive", "continuous") for seed in range(20, 32)]
    for row in rows:
        assert (row["ttp_days"] == "") == (row["ttp_event"] == "0")
    assert {row["ttp_event"] for row in rows} == {"1"}


def test_no_run_file_is_written_and_the_file_is_valid(done):
    assert sorted(path.name for path in done.iterdir()) == ["outcomes.csv", "replicates.h5"]
    assert find_runs(done) == []
    assert check_file(done / "replicates.h5") == []


@pytest.mark.parametrize("arm", ["continuous", "adaptive"])
def test_a_replicate_is_the_run_of_its_seed(arm, folder, done, tmp_path):
    """Name, digest, counts and outcome are those of the run file, which another path of the code writes."""
    path = run(str(folder / f"{arm}.toml"), 23, out=tmp_path)
    record = open_run(path)
    (row,) = [row for row in rows_of(done) if (row["arm"], row["seed"]) == (arm, "23")]
    assert row["run"] == path.stem
    (found,) = [a for a in read_replicates(done / "replicates.h5").values() if a.about["arm"] == arm]
    replicate = found.runs[23]
    assert replicate.digest == record.attributes["digest"]
    assert replicate.outcome == record.attributes["outcome"]
    assert np.array_equal(replicate.time_days, record.time_days)
    assert np.array_equal(replicate.count, record.count)
    assert dict(zip(found.events, replicate.events, strict=True)) == {
        name: values[-1] for name, values in record.events.items()
    }


def test_other_readers_open_the_file(done):
    with h5py.File(done / "replicates.h5") as file:
        (name,) = [name for name in file if name.startswith("race_adaptive")]
    data = xarray.open_dataset(done / "replicates.h5", group=name, engine="h5netcdf")
    assert data["count"].dims == ("seed", "time", "type")
    total = data["count"].sum("type", skipna=False)
    ends = xarray.open_dataset(
        done / "replicates.h5", group=f"{name}/outcome", engine="h5netcdf", phony_dims="sort"
    )
    for i, day in enumerate(ends["days"].values):
        assert np.isfinite(total.isel(seed=i).sel(time=slice(None, day))).all()
        assert np.isnan(total.isel(seed=i).sel(time=slice(day + 0.5, None))).all()


def test_a_second_call_runs_nothing_and_a_longer_one_the_rest(folder, done):
    before = (done / "outcomes.csv").read_bytes()
    first = {key: arm.runs for key, arm in read_replicates(done / "replicates.h5").items()}
    together(folder, done, 12, 20)
    assert (done / "outcomes.csv").read_bytes() == before
    together(folder, done, 15, 20)
    again = read_replicates(done / "replicates.h5")
    assert all(sorted(arm.runs) == list(range(20, 35)) for arm in again.values())
    for key, runs in first.items():
        assert all(again[key].runs[seed].digest == run.digest for seed, run in runs.items())
    together(folder, done, 12, 20)
    assert (done / "outcomes.csv").read_bytes() == before


def test_what_is_in_the_file_is_believed_and_not_run_again(folder, tmp_path):
    """A digest planted in the file survives: that seed was not simulated."""
    together(folder, tmp_path, 2)
    arms = read_replicates(tmp_path / "replicates.h5")
    assert len(arms) == 2
    for arm in arms.values():
        arm.runs[3] = replace(arm.runs[3], digest="0" * 64)
        del arm.runs[4]
    write_replicates(tmp_path / "replicates.h5", arms)
    together(folder, tmp_path, 2)
    again = read_replicates(tmp_path / "replicates.h5")
    assert again.keys() == arms.keys()
    for arm in again.values():
        assert arm.runs[3].digest == "0" * 64
        assert len(arm.runs[4].digest) == 64
        assert arm.runs[4].digest != "0" * 64


def test_settings_make_another_arm_in_the_same_file(folder, tmp_path):
    for growth in ("0.2", "0.15"):
        together(folder, tmp_path, 3, 3, f"growth={growth}/d")
    arms = read_replicates(tmp_path / "replicates.h5")
    assert len(arms) == 4
    assert len(rows_of(tmp_path)) == 6
    keys = {run.run_key for arm in arms.values() for run in arm.runs.values()}
    assert len(keys) == 12


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_batch_goes_on_where_its_file_stands(folder, tmp_path):
    words = ["batch", str(folder / "race.toml"), "--out", str(tmp_path), "--replicates", "120", "--quiet"]
    command = [sys.executable, "-m", "oncolattice.scenarios.command.cli", *words]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while (
        not (tmp_path / "replicates.h5").exists() and process.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    kept = read_replicates(tmp_path / "replicates.h5")
    digests = {(key, seed): run.digest for key, arm in kept.items() for seed, run in arm.runs.items()}
    assert digests
    together(folder, tmp_path, 120)
    now = read_replicates(tmp_path / "replicates.h5")
    assert sum(len(arm.runs) for arm in now.values()) == 240
    assert all(now[key].runs[seed].digest == digest for (key, seed), digest in digests.items())
    assert not list(tmp_path.glob("*.tmp"))


def test_keep_runs_writes_the_files_and_the_same_table(folder, tmp_path):
    batch(folder, tmp_path, "--replicates", "3", "--seed", "20", "--keep-runs", "--quiet")
    assert len(find_runs(tmp_path)) == 6
    assert not (tmp_path / "replicates.h5").exists()
    together(folder, tmp_path / "one", 3, 20)
    assert (tmp_path / "outcomes.csv").read_bytes() == (tmp_path / "one" / "outcomes.csv").read_bytes()


def test_arms_of_a_seed_start_alike(done):
    one, two = read_replicates(done / "replicates.h5").values()
    for seed in range(20, 32):
        assert np.array_equal(one.runs[seed].count[0], two.runs[seed].count[0])


def test_a_seed_that_fails_does_not_take_the_others_along(folder, monkeypatch):
    from oncolattice.scenarios.simulate import replicate

    whole = replicate.replicate

    def breaks(simulation):
        if simulation.seed == 8:
            raise InputError("no solution")
        return whole(simulation)

    monkeypatch.setattr(replicate, "replicate", breaks)
    runs, failed = run_seeds(str(folder / "adaptive.toml"), (), [7, 8, 9])
    assert [run.seed for run in runs] == [7, 9]
    assert failed == {8: "InputError: no solution"}


def test_a_foreign_file_is_refused_and_kept(folder, tmp_path):
    (tmp_path / "replicates.h5").write_text("mine")
    command = [sys.executable, "-m", "oncolattice.scenarios.command.cli", "batch", str(folder / "race.toml")]
    words = ["--out", str(tmp_path), "--replicates", "2", "--quiet"]
    done = subprocess.run([*command, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert "not an oncolattice" in done.stderr
    assert (tmp_path / "replicates.h5").read_text() == "mine"
