"""Sizes and places are checked before memory or time is taken, and what is left out is said."""

import os
import resource
import subprocess
import sys

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.batch.jobs import jobs_of
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.command.places import LONGEST_NAME, check_file_place, check_folder_place
from oncolattice.scenarios.files.limits import check_size, duration_notes, memory_bytes
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study

CHILD = '[scenario]\nextends = "eden"\nname = "c"\ntitle = "t"\n'


def days_of(*settings, name="mcrc_tas102"):
    scenario = load_scenario(str(name), settings)
    return scenario.tables["output"]["snapshot_days"], scenario.notes


def test_snapshots_of_a_longer_run_are_left_out_with_a_note_and_those_of_its_own_must_fit(tmp_path):
    assert days_of() == ([0, 12.25, 56], [])
    days, (note,) = days_of("duration_days=14")
    assert days == [0, 12.25]
    assert "before the snapshots of days 56" in note
    for settings in (["snapshot_days=1e4"], ["snapshot_days=366"], ["duration_days=1", "snapshot_days=0,2"]):
        with pytest.raises(InputError, match=r"snapshot_days: day .* comes after the end"):
            days_of(*settings)
    child = tmp_path / "c.toml"
    child.write_text(CHILD + "duration_days = 2.5\n")
    assert days_of(name=child)[0] == [day for day in days_of(name="eden")[0] if day <= 2.5]
    child.write_text(CHILD + "duration_days = 2\n[output]\nsnapshot_days = [1, 3]\n")
    for settings in ([], ["duration_days=1"]):
        with pytest.raises(InputError, match="day 3 comes after the end"):
            days_of(*settings, name=child)
    assert days_of("duration_days=3", "snapshot_days=3", name="eden")[0] == [3]


def test_a_shorter_run_is_the_same_however_its_snapshots_are_written():
    short = load_scenario("mcrc_tas102", ["duration_days=14"])
    written = load_scenario("mcrc_tas102", ["duration_days=14", "snapshot_days=0,12.25"])
    assert short.tables == written.tables


@pytest.mark.parametrize(
    ("days", "step", "run"), [(0.33, 1, "8 steps, 0.333333 days"), (1, 36, "1 steps, 1.5 days")]
)
def test_a_duration_that_is_no_whole_number_of_steps_says_what_is_run(days, step, run):
    (note,) = duration_notes(days, step)
    assert run in note
    assert duration_notes(365, 1) == duration_notes(0.1, 0.1 * 24) == []


def test_a_lattice_larger_than_the_memory_is_refused():
    scenario = load_scenario("mcrc_tas102")
    there = memory_bytes()
    assert 0 < there <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    each = 136  # bytes a site of mcrc, as the README says
    side = int((there / each) ** 0.5)
    scenario.tables["lattice"] = {"rows": side // 2, "columns": side}
    check_size(scenario.tables, scenario.model_spec)
    scenario.tables["lattice"] = {"rows": 2 * side, "columns": side}
    with pytest.raises(InputError, match="GB of memory"):
        check_size(scenario.tables, scenario.model_spec)


def test_the_limit_of_the_process_counts_too(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_000_000, 1_000_000))
    assert memory_bytes() == 1_000_000


def test_runs_without_number_are_refused_before_they_are_listed(tmp_path):
    file = tmp_path / "s.toml"
    head = '[study]\nname = "s"\ntitle = "t"\narms = ["eden"]\npatients = 1000\nseed = 1\n'
    file.write_text(head)
    study = load_study(str(file))
    assert len(jobs_of(study, (), 3)) == 3000
    with pytest.raises(InputError, match=r"1,001,000 runs .* at most 1,000,000"):
        jobs_of(study, (), 1001)
    file.write_text(head + "replicates = 1001\n")
    with pytest.raises(InputError, match="1,001,000 runs"):
        load_study(str(file))


def test_places_that_cannot_be_are_refused(tmp_path):
    (file := tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "", "/"):
        with pytest.raises(InputError, match="is a folder"):
            check_file_place(tmp_path / path)
    for path in (file, file / "a" / "b"):
        with pytest.raises(InputError, match="is a file"):
            check_folder_place(path)
    for check in (check_file_place, check_folder_place):
        check(tmp_path / ("é" * (LONGEST_NAME // 2)))
        with pytest.raises(InputError, match="bytes is too long"):
            check(tmp_path / ("é" * (LONGEST_NAME // 2 + 1)))


def outcome_of(error, monkeypatch, capfd, *words):
    def command(**_):
        raise error

    monkeypatch.setattr(sys, "argv", ["oncolattice", *words])
    with pytest.raises(SystemExit) as end:
        cli.main(command)
    return end.value.code, capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (InputError("a mistake"), 2, "a mistake"),
        (MemoryError("8 GiB"), 2, "not enough memory (8 GiB)"),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x: Permission denied"),
        (KeyError("beta"), 1, "a defect of the program, KeyError: 'beta'; ONCOLATTICE_TRACEBACK=1"),
        (RecursionError("deep\ndeeper"), 1, "RecursionError: deep;"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence(error, code, says, monkeypatch, capfd):
    found, err = outcome_of(error, monkeypatch, capfd)
    assert found == code
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_a_defect_shows_where_it_is_if_asked(monkeypatch, capfd):
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(KeyError):
        outcome_of(KeyError("x"), monkeypatch, capfd)


def test_an_interruption_ends_with_130_and_no_word(monkeypatch, capfd):
    assert outcome_of(KeyboardInterrupt(), monkeypatch, capfd) == (130, "")


@pytest.mark.parametrize("word", ["\udcff", "a\ud800", "\x1b[31m", "a\0"])
def test_arguments_that_are_no_text_are_refused(word, monkeypatch, capfd):
    code, err = outcome_of(AssertionError("not reached"), monkeypatch, capfd, "run", word)
    assert code == 2
    assert "must be plain text" in err
    assert len(err.strip().splitlines()) == 1


def test_a_full_disk_behind_the_output_is_one_sentence(tmp_path):
    program = [
        sys.executable,
        "-c",
        "from oncolattice.scenarios.command.cli import main; main()",
        "--version",
    ]
    with open("/dev/full", "w") as full:
        done = subprocess.run(program, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
