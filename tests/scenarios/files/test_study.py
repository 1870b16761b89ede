"""A study with sweeps from file to outcomes: columns, parts, failures, damaged and foreign files, any executor."""

import csv
import fcntl
import os
import shlex
import sys

import h5py
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.store import find_runs, index, open_run
from oncolattice.scenarios.store.index import index_folder, read_index, write_index
from oncolattice.scenarios.store.replicates import read_replicates
from oncolattice.tests.helpers.race import write_race

SWEEP = '[[sweep]]\nparameters = { growth = [0.2, "0.15/d"], rows = [32, 40] }\n'


def batch(capfd, monkeypatch, *words):
    """Run the command in this process; return exit code, output and messages."""
    monkeypatch.setattr(sys, "argv", ["oncolattice", "batch", *map(str, words)])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    return (code, *capfd.readouterr())


@pytest.fixture
def command(capfd, monkeypatch):
    def run(*words):
        return batch(capfd, monkeypatch, *words, "--executor", "serial", "--set", "duration_days=10")

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = write_race(tmp_path_factory.mktemp("study"))
    text = (place / "race.toml").read_text()
    (place / "swept.toml").write_text(f"{text}replicates = 2\n{SWEEP}")
    (place / "plain.toml").write_text(text.replace("patients = 1", "patients = 2"))
    return place


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_study_with_sweeps_and_replicates_is_valid(folder):
    assert check_file(folder / "swept.toml") == []
    study = load_study(str(folder / "swept.toml"))
    assert (study.replicates, len(study.points)) == (2, 2)


def test_values_of_a_sweep_are_columns_and_were_used(folder, tmp_path, command):
    assert command(folder / "swept.toml", "--out", tmp_path, "--keep-runs")[0] == 0
    rows = rows_of(tmp_path / "outcomes.csv")
    assert list(rows[0])[:9] == [
        *("run", "scenario", "arm", "patient", "seed", "growth", "rows", "ttp_days", "ttp_event"),
    ]  # fmt: skip
    wanted = {
        (arm, seed, *point)
        for arm in ("continuous", "adaptive")
        for seed in ("3", "4")
        for point in (("0.2", "32"), ("0.15/d", "40"))
    }
    assert {(row["arm"], row["seed"], row["growth"], row["rows"]) for row in rows} == wanted
    for row in rows:
        record = open_run(tmp_path / f"{row['run']}.h5")
        growth = {entry["name"]: entry["value"] for entry in record.parameters}["growth"]
        assert growth == float(row["growth"].removesuffix("/d"))
        assert record.snapshots[0].layers["tissue"].shape[0] == int(row["rows"])
        assert (row["ttp_days"] == "") == (row["ttp_event"] == "0")


def test_replicates_of_a_sweep_share_one_file_and_are_the_runs(folder, tmp_path, command):
    assert command(folder / "swept.toml", "--out", tmp_path / "one")[0] == 0
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["outcomes.csv", "replicates.h5"]
    assert command(folder / "swept.toml", "--out", tmp_path / "each", "--keep-runs")[0] == 0
    assert (tmp_path / "one" / "outcomes.csv").read_bytes() == (
        tmp_path / "each" / "outcomes.csv"
    ).read_bytes()
    assert len(read_replicates(tmp_path / "one" / "replicates.h5")) == 4


@pytest.mark.parametrize("words", [(), ("--keep-runs",)])
def test_parts_of_a_study_make_the_whole(words, folder, tmp_path, command):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert command(folder / "swept.toml", "--out", whole, *words)[0] == 0
    for number in (1, 2, 3):
        code, _, err = command(folder / "swept.toml", "--out", parts, *words, "--index", number, "--of", 3)
        assert code == 0
        assert f"(part {number % 3 + 1}-of-3)" in err
    assert not (parts / "outcomes.csv").exists()
    before = {path: path.stat().st_mtime_ns for path in find_runs(parts)}
    assert command(folder / "swept.toml", "--out", parts, *words)[0] == 0
    assert {path: path.stat().st_mtime_ns for path in find_runs(parts)} == before  # merged, not run again
    assert sorted(path.name for path in parts.iterdir()) == sorted(path.name for path in whole.iterdir())
    assert (parts / "outcomes.csv").read_bytes() == (whole / "outcomes.csv").read_bytes()


def test_a_part_takes_its_number_of_parts_from_the_array(folder, tmp_path, command, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_COUNT", "4")
    code, _, err = command(folder / "plain.toml", "--out", tmp_path, "--index", 2)
    assert code == 0
    assert "1 of 1 runs complete" in err
    monkeypatch.delenv("SLURM_ARRAY_TASK_COUNT")
    code, _, err = command(folder / "plain.toml", "--out", tmp_path, "--of", 2)
    assert code == 2
    assert "say which one this is with --index" in err


def test_a_damaged_file_is_named_and_run_again_on_request(folder, tmp_path, command):
    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    before = digests(tmp_path)
    first, *_ = find_runs(tmp_path)
    broken = first.read_bytes()[:-5000]
    first.write_bytes(broken)
    rows = rows_of(tmp_path / "outcomes.csv")
    code, _, err = command(folder / "plain.toml", "--out", tmp_path)
    assert code == 1
    assert f"{first}: not a readable run file" in err
    assert "3 of 4 runs complete" in err
    (failure,) = rows_of(tmp_path / "failures.csv")
    assert failure["run"] == first.stem
    assert "--rerun-corrupt" in failure["reason"]
    assert shlex.split(failure["command"])[:2] == ["oncolattice", "run"]
    assert len(rows_of(tmp_path / "outcomes.csv")) == 3
    with first.open("rb+") as writer:  # somebody is writing it just now: it stays where it is
        fcntl.flock(writer, fcntl.LOCK_EX)
        code, _, err = command(folder / "plain.toml", "--out", tmp_path, "--rerun-corrupt")
    assert code == 1
    assert "open in another program" in err
    assert first.read_bytes() == broken
    assert not (tmp_path / "quarantine").exists()
    code, _, err = command(folder / "plain.toml", "--out", tmp_path, "--rerun-corrupt")
    assert code == 0
    moved = tmp_path / "quarantine" / f"{first.name}.damaged"
    assert f"moved to {moved}" in err
    assert moved.read_bytes() == broken
    assert len(find_runs(tmp_path)) == 4  # what is in quarantine is no run
    assert not (tmp_path / "failures.csv").exists()
    assert rows_of(tmp_path / "outcomes.csv") == rows
    assert digests(tmp_path) == before


def test_damage_within_the_data_is_found_on_request(folder, tmp_path, command):
    """The size, the time and the head of the file are as before: only reading it whole shows it."""
    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    before = digests(tmp_path)
    path = find_runs(tmp_path)[2]
    with h5py.File(path) as file:
        count = file["series"]["count"].id
        place = count.get_chunk_info(0).byte_offset
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[place + 3] ^= 0xFF
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    code, _, err = command(folder / "plain.toml", "--out", tmp_path, "--rerun-corrupt")
    assert code == 0
    assert f"{path.name}.damaged" in " ".join(err.split())
    assert digests(tmp_path) == before
    with h5py.File(path) as file:
        assert file["series"]["count"][...].sum() > 0


def test_another_schema_version_is_refused_by_name(folder, tmp_path, command):
    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    path = find_runs(tmp_path)[1]
    with h5py.File(path, "a") as file:
        file.attrs["schema_version"] = 99
    code, out, err = command(folder / "plain.toml", "--out", tmp_path)
    assert (code, out) == (2, "")
    assert f"{path.name} (version 99)" in " ".join(err.split())


def test_a_run_that_fails_is_recorded_and_the_others_complete(folder, tmp_path, command):
    """At one point of the sweep the rates are too high for the time step."""
    text = (folder / "race.toml").read_text()
    (folder / "fails.toml").write_text(f"{text}[[sweep]]\nparameters = {{ growth = [0.2, 50] }}\n")
    code, _, err = command(folder / "fails.toml", "--out", tmp_path, "--retries", "1")
    assert code == 1
    assert "2 of 4 runs complete" in err
    failures = rows_of(tmp_path / "failures.csv")
    assert len(failures) == 2
    for failure in failures:
        assert "too many" in failure["reason"]
        assert "growth=50" in failure["command"]
    assert {row["growth"] for row in rows_of(tmp_path / "outcomes.csv")} == {"0.2"}


def test_the_index_is_what_the_files_say_and_opens_them_once(folder, tmp_path, command, monkeypatch):
    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    entries = read_index(tmp_path)
    assert sorted(entries) == [path.name for path in find_runs(tmp_path)]
    for name, entry in entries.items():
        record = open_run(tmp_path / name)
        assert (entry.arm, entry.seed, entry.patient) == (record.arm, record.seed, record.patient)
        assert entry.run_key == record.attributes["run_key"]
        assert entry.outcome == record.attributes["outcome"]
    opened = []
    read = index.read_entry
    monkeypatch.setattr(index, "read_entry", lambda path: opened.append(path.name) or read(path))
    assert index_folder(tmp_path) == (entries, {})
    assert opened == []
    touched = find_runs(tmp_path)[0]
    touched.write_bytes(touched.read_bytes())
    assert index_folder(tmp_path)[0].keys() == entries.keys()
    assert opened == [touched.name]
    (tmp_path / "index.csv").write_text("spoilt,\n1,2,3\n")
    assert index_folder(tmp_path)[0].keys() == entries.keys()
    assert len(opened) == 5


@pytest.mark.slow
def test_ten_thousand_runs_are_indexed_within_the_aim(folder, tmp_path, command):
    """1,000 copies of a run file, drawn out to 10,000: within 60 s and 2 GB with the report."""
    import time

    from oncolattice.scenarios.batch.pilot import peak_memory

    assert command(folder / "plain.toml", "--out", tmp_path)[0] == 0
    data = find_runs(tmp_path)[0].read_bytes()
    for i in range(1000):
        (tmp_path / f"copy-{i:012x}.h5").write_bytes(data)
    began = time.process_time()
    entries, damaged = index_folder(tmp_path)
    write_index(tmp_path, entries.values())
    first = time.process_time() - began
    assert (len(entries), damaged) == (1004, {})
    began = time.process_time()
    assert index_folder(tmp_path)[0] == entries
    assert first * 10 < 40
    assert (time.process_time() - began) * 10 < 5
    assert peak_memory() < 1e9


def test_dask_makes_the_files_of_the_serial_executor(folder, tmp_path, command):
    import subprocess

    pytest.importorskip("distributed")
    words = [folder / "plain.toml", "--set", "duration_days=10", "--workers", "2", "--quiet"]
    start = [sys.executable, "-m", "oncolattice.scenarios.command.cli", "batch"]
    words += ["--out", tmp_path / "dask", "--executor", "dask"]
    done = subprocess.run([*start, *words], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert command(folder / "plain.toml", "--out", tmp_path / "serial")[0] == 0
    assert digests(tmp_path / "dask") == digests(tmp_path / "serial")
    tables = [(tmp_path / name / "outcomes.csv").read_bytes() for name in ("dask", "serial")]
    assert tables[0] == tables[1]


def digests(folder):
    found = {}
    for path in find_runs(folder):
        with h5py.File(path) as file:
            found[path.name] = file.attrs["digest"]
    return found


def test_a_study_that_the_disk_cannot_hold_is_refused_with_the_number(folder, tmp_path, command, monkeypatch):
    from oncolattice.scenarios.batch import pilot

    monkeypatch.setattr(pilot, "free_bytes", lambda _: 50_000.0)
    code, out, err = command(folder / "plain.toml", "--out", tmp_path)
    assert (code, out) == (2, "")
    assert "4 runs need about" in err
    assert "the disk has 50 kB free" in " ".join(err.split())
    assert find_runs(tmp_path) == []


def test_a_dotted_setting_may_not_be_swept_too(folder):
    text = (folder / "race.toml").read_text() + "settings = { growth = 0.1 }\n"
    (folder / "both.toml").write_text(f"{text}{SWEEP}")
    with pytest.raises(InputError, match="'growth' is set in"):
        load_study(str(folder / "both.toml"))
