"""Whole runs: same seed same bits, resume after any kill, threads, progression, re-run from the file."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import Scenario, load_scenario
from oncolattice.scenarios.simulate.run import Run, prepare, run
from oncolattice.scenarios.store import check_run, find_runs, open_run, parts_folder, read_checkpoint

SMALL = ("rows=48", "columns=48", "duration_days=3", "snapshot_days=0,2", "checkpoint_every_days=1")


def small(scenario: str = "mcrc_tas102_bev", *more: str) -> Scenario:
    return load_scenario(scenario, (*SMALL, *more))


def digest_of(scenario: Scenario, **options) -> str:
    current = Run(scenario, **{"seed": 3, **options})
    for _ in current.steps():
        pass
    return current.digest()


def test_same_seed_same_bits_and_another_seed_others():
    first = digest_of(small())
    assert digest_of(small()) == first
    assert digest_of(small(), seed=4) != first


def test_output_and_threads_do_not_change_the_numbers():
    first = digest_of(small())
    assert digest_of(small("mcrc_tas102_bev", "record_every_hours=1", "checkpoint_every_days=0.5")) == first
    assert digest_of(small(), threads=2) == first


def test_arms_share_luck_until_the_first_dose():
    """Identical to the last bit up to day 1, different after it."""
    runs = [Run(small(name), 3) for name in ("mcrc_placebo", "mcrc_tas102")]
    for day, same in ((24, True), (48, False)):
        for current in runs:
            while current.simulation.coupled.tissue.state.step < day:
                current.simulation.coupled.step()
        a, b = (current.simulation.coupled.tissue.state.occupant for current in runs)
        assert np.array_equal(a, b) == same


def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path):
    straight = run(small(), seed=3, out=tmp_path / "a")
    broken = Run(small(), 3, tmp_path / "b")
    for step in broken.steps():
        if step.day >= 1.75:
            break  # the segment of day 1 is on disk, three quarters of a day are lost
    with pytest.raises(InputError, match="--resume"):
        run(small(), seed=3, out=tmp_path / "b")
    resumed = run(small(), seed=3, out=tmp_path / "b", resume=True)
    assert resumed.name == straight.name
    with h5py.File(straight) as a, h5py.File(resumed) as b:
        assert a.attrs["digest"] == b.attrs["digest"]
        for name in ("series/count", "series/body", "series/ledger", "series/events", "series/time"):
            assert np.array_equal(a[name][...], b[name][...])
        assert np.array_equal(a["snapshots/occupancy"][...], b["snapshots/occupancy"][...])
    assert not parts_folder(resumed).exists()
    assert run(small(), seed=3, out=tmp_path / "b") == resumed  # a complete run is not run again


def test_a_killed_process_leaves_something_to_resume_or_nothing(tmp_path):
    """Kill the command at a time nobody chose; --resume ends with the bits of the uninterrupted run."""
    straight = run(small(), seed=3, out=tmp_path / "a")
    arguments = ["run", "mcrc_tas102_bev", "--seed", "3", "--out", str(tmp_path / "b"), "--quiet"]
    for setting in SMALL:
        arguments += ["--set", setting]
    command = [sys.executable, "-m", "oncolattice.scenarios.command.cli", *arguments]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=tmp_path, **silent)
    parts = tmp_path / "b" / f"{straight.stem}.parts"
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline and not list(parts.glob("0*.h5")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = find_runs(tmp_path / "b")
    if not finished:
        done = subprocess.run(
            [*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        finished = [Path(done.stdout.strip())]
    with h5py.File(straight) as a, h5py.File(finished[0]) as b:
        assert a.attrs["digest"] == b.attrs["digest"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_checkpoints_and_says_how_to_go_on(tmp_path):
    command = [
        sys.executable,
        "-m",
        "oncolattice.scenarios.command.cli",
        "run",
        "mcrc_placebo",
        "--out",
        str(tmp_path),
    ]
    command += ["--set", "rows=48", "--set", "columns=48", "--set", "checkpoint_every_days=5", "--quiet"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*.parts/000000.h5")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in told
    assert "Traceback" not in told
    assert not find_runs(tmp_path)


def test_the_run_file_tells_the_whole_story(tmp_path):
    path = run(small(), seed=3, out=tmp_path)
    record = open_run(path)
    assert record.arm == "TAS-102 + bevacizumab"
    assert [s.time_days for s in record.snapshots] == [0.0, 2.0, 3.0]
    assert record.time_days[0] == 0.0
    assert np.allclose(np.diff(record.time_days), 0.125)
    assert record.time_days[-1] == 3.0
    assert max(values.max() for values in record.ledger.values()) <= 1e-10
    assert record.body["plasma trifluridine"].max() > 1000  # nM, after a dose
    assert record.body["plasma bevacizumab"].max() > 500
    assert all(row["unit"] and row["source"] for row in record.parameters)
    assert record.tumour_volume_cm3[0] == pytest.approx(2.224, rel=1e-3)
    state = read_checkpoint(path)
    counted = np.bincount(state["tissue_occupant"].reshape(-1), minlength=9)[1:]
    assert np.array_equal(record.count[-1], counted)


def test_a_run_is_rerun_from_its_own_file(tmp_path):
    path = run(small(), seed=3, out=tmp_path)
    attributes = open_run(path).attributes
    scenario = Scenario(attributes["scenario_text"], small().model_spec)
    scenario.user_parameters = {k: tuple(v) for k, v in attributes["user_parameters"].items()}
    assert scenario.model_spec.text == attributes["model_text"]
    current = Run(scenario, attributes["seed"])
    for _ in current.steps():
        pass
    assert current.digest() == attributes["digest"]


def test_treatment_stops_at_progression():
    """At the first assessment with PD the remaining doses are dropped; without PD they go on."""
    growing = ("assessment_days=1", "treatment=until progression", "d_X1=0.02", "d_X2=0.001", "beta_X2=0.06")
    current = Run(small("mcrc_tas102", *growing, "duration_days=30", "sigma_X1=0", "sigma_X2=0"), 3)
    planned = len(current.simulation.doses)
    for _ in current.steps():
        pass
    assert 1 <= current.progressed_on < 30
    given = current.simulation.coupled.body.regimen.doses
    assert len(given) < planned
    assert all(d.time_days < current.progressed_on for d in given)


def test_a_real_table_must_exist_and_hold_cells(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        prepare(small(), 1, tmp_path, tmp_path / "nowhere.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("x_um,y_um,phenotype\n")
    with pytest.raises(InputError):
        prepare(small(), 1, tmp_path, empty)
    assert not list(tmp_path.glob("*.h5"))
    assert not list(tmp_path.glob("*.parts"))


def test_an_unwritable_folder_is_refused_before_anything_runs(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match="cannot"):
        run(small(), seed=3, out=blocked / "runs")


def test_a_run_says_what_became_of_its_volume(tmp_path):
    settings = ("rows=48", "columns=48", "margin_um=0", "duration_days=112.5", "snapshot_days=0")
    record = open_run(run(load_scenario("mcrc_placebo", settings), 1, out=tmp_path))
    found, volume = record.attributes["outcome"], record.tumour_volume_cm3
    (week8,), (week16,) = (volume[record.time_days == day] / volume[0] - 1.0 for day in (56.0, 112.0))
    assert found["tri_week8"] == pytest.approx(week8, rel=1e-12)
    assert found["best_tri"] == pytest.approx(min(week8, week16), rel=1e-12)
    assert (found["volume_start_cm3"], found["volume_end_cm3"]) == (volume[0], volume[-1])


def test_a_run_that_ends_before_week_8_has_no_response(tmp_path):
    settings = ("rows=48", "columns=48", "margin_um=0", "duration_days=2", "snapshot_days=0")
    found = open_run(run(load_scenario("mcrc_placebo", settings), 1, out=tmp_path)).attributes["outcome"]
    assert found["tri_week8"] is found["best_tri"] is None


def test_eight_threads_write_the_files_that_one_would(tmp_path):
    """Bodies and tissues alone, with checkpoints, at the same time: each file is that of the same run by itself."""
    small = ("rows=24", "columns=24", "duration_days=1", "checkpoint_every_days=0.25", "snapshot_days=0")
    asked = [(name, seed) for seed in (1, 2, 3, 4) for name in ("strobl2022_adaptive", "mcrc_tas102")]

    def made(job: tuple[str, int], out: Path) -> Path:
        more = ("margin_um=0",) if job[0].startswith("mcrc") else ()
        return run(job[0], job[1], (*small, *more), out=out)

    with ThreadPoolExecutor(8) as pool:
        beside = [*pool.map(lambda job: made(job, tmp_path / "beside"), asked)]
    alone = [made(job, tmp_path / "alone") for job in asked]
    assert [path.name for path in beside] == [path.name for path in alone]
    assert len({path.name for path in beside}) == 8
    for left, right in zip(beside, alone, strict=True):
        assert check_run(left) == []
        assert open_run(left).attributes["digest"] == open_run(right).attributes["digest"]
    assert sorted((tmp_path / "beside").iterdir()) == sorted(beside)  # no segments, no drafts


def test_a_complete_run_tidies_what_a_kill_left(tmp_path):
    """Killed between the publication of the file and the removal of the segments, or while publishing."""
    path = run("eden", 1, ("rows=16", "columns=16", "duration_days=0.5"), out=tmp_path)
    parts_folder(path).mkdir()
    (parts_folder(path) / "000000.h5").touch()
    (tmp_path / f".{path.name}.1-deadbeef.tmp").touch()
    other = tmp_path / ".other.h5.1-deadbeef.tmp"  # of a run that may be writing
    other.touch()
    assert run("eden", 1, ("rows=16", "columns=16", "duration_days=0.5"), out=tmp_path) == path
    assert sorted(tmp_path.iterdir()) == sorted([path, other])
