"""Batches: every arm for every patient, once, whatever is interrupted, killed or fails."""

import csv
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from oncolattice.abm.compile.model_file import LIBRARY
from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch.study import Order, command_of, jobs_of, notes_of, prepare_batch, run_job
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.simulate.replicate import run_seeds
from oncolattice.scenarios.simulate.run import Run
from oncolattice.scenarios.store import find_runs, open_run, parts_folder
from oncolattice.scenarios.store.index import index_folder, read_index
from oncolattice.tests.helpers.race import write_race

STUDY = """
[study]
name = "pair"
title = "Two arms"
arms = [{arms}]
patients = 2
seed = 5
[study.settings]
duration_days = 2
rows = 48
columns = 48
margin_um = 0
snapshot_days = [0]
checkpoint_every_days = 1
"""


def write_study(folder, *arms):
    path = folder / "pair.toml"
    path.write_text(STUDY.format(arms=", ".join(f'"{arm}"' for arm in arms)))
    return path


def batch(monkeypatch, capfd, *words):
    monkeypatch.setattr(sys, "argv", ["oncolattice", "batch", *map(str, words), "--workers", "2"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return (end.value.code or 0, *capfd.readouterr())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return study file and folder of a batch run as a command."""
    folder = tmp_path_factory.mktemp("batch")
    study = write_study(folder, "mcrc_placebo", "mcrc_tas102")
    command = [
        sys.executable,
        "-m",
        "oncolattice.scenarios.command.cli",
        "batch",
        str(study),
        "--workers",
        "2",
    ]
    done = subprocess.run([*command, "--out", str(folder / "runs")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "4 of 4 runs complete" in done.stderr
    return study, folder / "runs"


def test_arms_of_a_patient_share_values_seed_and_tissue(finished):
    records = [open_run(path) for path in find_runs(finished[1])]
    assert len(records) == 4
    patients = {}
    for record in records:
        given = {row["name"]: row["value"] for row in record.parameters if row["source"] == "virtual patient"}
        assert given
        patients.setdefault(record.patient, {})[record.arm] = (record.seed, given, record.snapshots[0])
    assert sorted(patients) == ["qcic_treated-1", "qcic_treated-2"]
    for number, (_, arms) in enumerate(sorted(patients.items())):
        (seed, values, first), (other_seed, other_values, other) = arms["placebo"], arms["TAS-102"]
        assert seed == other_seed == 5 + number
        assert values == other_values
        assert all((first.layers[name] == other.layers[name]).all() for name in first.layers)
    one, two = (arms["placebo"][1] for arms in patients.values())
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_a_second_call_runs_nothing(finished, monkeypatch, capfd):
    study, out = finished
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in find_runs(out)}
    assert batch(monkeypatch, capfd, study, "--out", out, "--quiet") == (0, "", "")
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in find_runs(out)} == before


def test_an_interrupted_job_goes_on_and_a_lost_one_is_run_again(finished, tmp_path):
    """One file missing, one run broken off at a segment: the same bits as the first time."""
    digests = {}
    for path in find_runs(finished[1]):
        with h5py.File(path) as file:
            digests[path.name] = file.attrs["digest"]
    first, second, *_ = jobs_of(load_study(str(finished[0])), ())
    broken = Run(load_scenario(first.scenario, first.settings), first.seed, tmp_path)
    for step in broken.steps():
        if step.day > 1.5:
            break  # the segment of day 1 is on disk
    parts = parts_folder(broken.path)
    assert [path.name for path in parts.glob("0*.h5")] == ["000000.h5"]
    for job in (first, second):
        path = run_job(job, str(tmp_path))
        with h5py.File(path) as file:
            assert file.attrs["digest"] == digests[Path(path).name]
    assert not parts.exists()


def test_a_failing_arm_is_told_with_its_command_and_the_others_complete(tmp_path, monkeypatch, capfd):
    """The arm stands at time 0; its drug, given on day 1, is eliminated faster than any step of the body follows."""
    arm = tmp_path / "the arm.toml"
    arm.write_text(
        '[scenario]\nextends = "mcrc_tas102"\nname = "never"\ntitle = "never"\narm = "never"\n'
        '[parameters]\nk_10_Chem = { value = 1e7, source = "assumed" }\n'
    )
    study = write_study(tmp_path, arm, "mcrc_placebo")
    code, out, err = batch(monkeypatch, capfd, study, "--out", tmp_path / "the runs", "--quiet")
    assert (code, out) == (1, "")
    complete = {open_run(path).patient for path in find_runs(tmp_path / "the runs")}
    assert complete == {"qcic_treated-1", "qcic_treated-2"}
    assert not list((tmp_path / "the runs").glob("*.parts"))
    assert len(re.findall("failed: BodyError: .*too many steps at day 1", err)) == 2
    assert "Traceback" not in err
    again = re.findall(r"again: (.*)", err)
    assert len(again) == 2
    monkeypatch.setattr(sys, "argv", shlex.split(again[0]))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    assert "too many steps at day 1" in capfd.readouterr().err


def test_an_arm_that_cannot_start_is_refused_before_any_run(tmp_path, monkeypatch, capfd):
    """Its body has no volume: its equations have no solution at time 0, in any run."""
    arm = tmp_path / "arm.toml"
    arm.write_text(
        '[scenario]\nextends = "mcrc_placebo"\nname = "never"\ntitle = "never"\narm = "never"\n'
        '[parameters]\nV_B = { value = 0, source = "assumed" }\n'
    )
    study = write_study(tmp_path, arm, "mcrc_placebo")
    code, out, err = batch(monkeypatch, capfd, study, "--out", tmp_path / "runs", "--quiet")
    assert (code, out) == (2, "")
    assert "no longer finite at day 0" in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("variant=paper_exact", "a lattice cannot own part of it"),
        ("V_B=4500mg", "V_B: wrong dimension"),
        ("beta_X1=1e6/d", "events a step of 1 h are too many"),
    ],
)
def test_what_fails_in_every_run_is_refused_before_any(setting, reason, tmp_path, monkeypatch, capfd):
    words = ["mcrc_placebo", "--out", tmp_path / "runs", "--set", setting]
    code, out, err = batch(monkeypatch, capfd, *words)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert reason in err
    assert not (tmp_path / "runs").exists()


def test_the_command_of_a_job_makes_the_file_of_the_job(finished, tmp_path, monkeypatch, capfd):
    job = jobs_of(load_study(str(finished[0])), ())[-1]
    monkeypatch.setattr(sys, "argv", shlex.split(command_of(job, tmp_path)))
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    path = capfd.readouterr().out.strip()
    names = {found.name for found in find_runs(finished[1])}
    assert Path(path).name in names  # the name holds the hash of all that decides the result


def test_settings_of_the_command_line_come_after_those_of_the_study(finished):
    jobs = jobs_of(load_study(str(finished[0])), ("duration_days=3",))
    assert [job.settings[-1] for job in jobs] == ["duration_days=3"] * 4
    assert load_scenario(jobs[0].scenario, jobs[0].settings).tables["scenario"]["duration_days"] == 3


def test_a_scenario_with_its_own_model_runs_from_anywhere(tmp_path, monkeypatch, capfd):
    """The model lies beside the scenario, the command is called elsewhere."""
    text = (LIBRARY / "mcrc.toml").read_text(encoding="utf-8")
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own_model.toml").write_text(text, encoding="utf-8")
    shutil.copytree(LIBRARY / "drugs", folder / "drugs")
    head = '[scenario]\nextends = "mcrc_placebo"\nname = "own"\ntitle = "own"\narm = "own"\n'
    (folder / "own.toml").write_text(f'{head}model = "own_model.toml"\n')
    words = [f"--set={key}" for key in ("rows=48", "columns=48", "margin_um=0", "duration_days=1")]
    monkeypatch.chdir(tmp_path)
    code, _, err = batch(
        monkeypatch, capfd, folder / "own.toml", "--out", tmp_path / "runs", "--quiet", *words
    )
    assert (code, err) == (0, "note: the run ends on day 1, before the snapshots of days 12.25, 56\n")
    (path,) = find_runs(tmp_path / "runs")
    assert open_run(path).scenario == "own"


def test_a_file_in_the_way_is_refused_before_anything_runs(tmp_path, monkeypatch, capfd):
    (tmp_path / "file").write_text("mine")
    code, out, err = batch(monkeypatch, capfd, "demo", "--out", tmp_path / "file")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "another --out folder" in err
    assert (tmp_path / "file").read_text() == "mine"


def test_a_job_that_cannot_be_built_leaves_nothing(tmp_path):
    (job, *_) = jobs_of(load_study("mcrc_placebo"), ("variant=paper_exact",))
    with pytest.raises(InputError, match="paper_exact"):
        run_job(job, str(tmp_path))
    assert list(tmp_path.iterdir()) == []


SEEDS = 30


def workers_of(parent):
    """Return the processes that a batch has started for its runs."""
    found = []
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with suppress(OSError):  # it may have ended meanwhile
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def done_in(out):
    return (
        {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in find_runs(out)}
        if out.is_dir()
        else {}
    )


def wait_for(process, out, runs):
    """Wait until so many runs are there, or the batch is at its end."""
    while process.poll() is None and len(done_in(out)) < runs:
        time.sleep(0.01)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are read from /proc")
def test_random_kills_of_workers_and_parent_leave_every_run_done_once(tmp_path):
    """Workers and parents are killed at random moments; the last call completes what the first began."""
    folder, out = write_race(tmp_path), tmp_path / "runs"
    command = [
        sys.executable,
        "-m",
        "oncolattice.scenarios.command.cli",
        "batch",
        folder / "race.toml",
        "--workers",
        "2",
    ]
    command += ["--replicates", str(SEEDS), "--keep-runs", "--out", out]
    luck = np.random.default_rng(11)
    kept = {}
    for aim in (15, 35):
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            wait_for(process, out, len(kept) + luck.integers(1, 10))
            time.sleep(luck.uniform(0, 0.05))
            os.kill(luck.choice(workers_of(process.pid)), signal.SIGKILL)
            wait_for(process, out, aim)
            time.sleep(luck.uniform(0, 0.05))
            process.kill()
        assert process.returncode == -signal.SIGKILL
        time.sleep(0.5)  # its workers end with it, and what they write is complete or absent
        now = done_in(out)
        assert kept.items() <= now.items()
        assert len(now) < 2 * SEEDS
        kept = now
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert f"{2 * SEEDS} of {2 * SEEDS} runs complete" in done.stderr
    assert kept.items() <= done_in(out).items()
    assert not [
        path for path in out.iterdir() if path.suffix not in (".csv", ".h5")
    ]  # no drafts, no segments
    expected = {
        f"{name}-{run.run_key[:12]}": (seed, run.digest, run.outcome)
        for name, arm in (("race_continuous", "continuous"), ("race_adaptive", "adaptive"))
        for run in run_seeds(str(folder / f"{arm}.toml"), (), range(3, 3 + SEEDS))[0]
        for seed in (run.seed,)
    }
    with (out / "outcomes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(expected) == len({row["run"] for row in rows})
    for row in rows:
        seed, digest, outcome = expected[row["run"]]
        assert (int(row["seed"]), float(row["days"])) == (seed, outcome["days"])
        with h5py.File(out / f"{row['run']}.h5") as file:
            assert file.attrs["digest"] == digest
    entries = read_index(out)
    assert {name.removesuffix(".h5") for name in entries} == expected.keys()
    (out / "index.csv").unlink()
    assert index_folder(out)[0] == entries


def test_what_all_runs_leave_out_or_round_is_said_once(tmp_path):
    settings = ("duration_days=2.01",)
    notes = notes_of(prepare_batch("demo", Order(tmp_path, settings)))
    assert notes == [
        "the run ends on day 2.01, before the snapshots of days 12.25, 56",
        "2.01 days are no whole number of steps of 1 h; 48 steps, 2 days, are run",
    ]


def test_a_size_of_an_array_that_is_no_number_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "many")
    with pytest.raises(InputError, match="SLURM_ARRAY_TASK_COUNT=many: not a whole number"):
        prepare_batch("demo", Order(tmp_path, index=1))
