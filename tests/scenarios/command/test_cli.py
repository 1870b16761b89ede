"""The command line: what is refused and how, what is printed where, what is left on disk."""

import os
import re
import resource
import signal
import subprocess
import sys

import h5py
import pytest
from typer.main import get_command

from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.store import find_runs, parts_folder

SMALL = ("rows=48", "columns=48", "margin_um=0", "duration_days=2", "snapshot_days=0")
HEAD = "x_um,y_um,phenotype\n"
CELLS = HEAD + "".join(f"{16 * i},{16 * j},tumor cells\n" for i in range(9) for j in range(9))


def call(monkeypatch, capfd, *words):
    """Run the command line in this process; return exit code, standard output and standard error."""
    monkeypatch.setattr(sys, "argv", ["oncolattice", *map(str, words)])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    out, err = capfd.readouterr()
    return code, out, err


@pytest.fixture
def oncolattice(monkeypatch, capfd):
    return lambda *words: call(monkeypatch, capfd, *words)


def run_words(out, *settings, scenario="mcrc_tas102"):
    return ["run", scenario, "--out", out, *(word for s in (*SMALL, *settings) for word in ("--set", s))]


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def assert_refused(result, says, *, where=2):
    """Exit code 2, nothing on standard output (``where`` 1: there), one sentence, no traceback."""
    code, out, err = result
    told = (out, err)[where - 1]
    assert code == 2, result
    assert (err, out)[where - 1] == ""
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1, told
    assert re.search(says, told), told


# --- settings -----------------------------------------------------------------------------------------

SETTINGS = [
    ("beta_X9=1", r"unknown parameter or key 'beta_X9'; did you mean 'beta_X"),
    ("beta_X1=0.05um", r"beta_X1: wrong dimension, got um .*check the units"),
    ("beta_X1=0.05lightyear", r"unknown unit 'lightyear'"),
    ("beta_X1=fast", r"'fast' is not a number"),
    ("beta_X1=nan", r"'nan' is not a number"),
    ("beta_X1=-0.05/d", r"beta_X1.*from 0 on, not -0\.05"),
    ("beta_X1", r"write key=value"),
    ("beta_X1=1e6/d", r"DSTC: .* events a step of 1 h are too many.*time step of .* would do"),
    ("time_step=36h", r"not a multiple of the time step of 36 h"),
    ("time_step=0h", r"cannot be zero or negative"),
    ("site=-15um", r"cannot be zero or negative"),
    ("V_C=0", r"no longer finite at day 0 .*nearer to their defaults"),
    ("V_C=-1", r"'V_C' must be a finite number from 0 on"),
    ("W=0", r"divides by zero"),
    ("X0=0", r"divides by zero"),
    ("body.variant=paper_exact", r"\[body\] variant 'paper_exact' .* use 'conservative'"),
    ("body.variant=exact", r"unknown variant 'exact'.*conservative"),
    ("body.model=qcci", r"did you mean 'qcic'"),
    ("patient.number=0", r"patient\.number must be 1 to 10000 .*, got 0"),
    ("patient.number=1000000000", r"patient\.number must be 1 to .*population_seed"),
    ("population=nobody", r"unknown population 'nobody'"),
    ("record_every_hours=0", r"record_every_hours must be above 0"),
    ("record_every_hours=-3", r"record_every_hours must be above 0"),
    ("checkpoint_every_days=0", r"checkpoint_every_days must be above 0"),
    ("snapshot_days=a", r"not a list of numbers"),
    ("duration_days=0", r"duration_days must be above 0"),
    ("assessment_days=-56", r"assessment_days must be above 0"),
    ("margin_um=5000", r"leaves no core on a lattice 720 um wide; narrow the margin"),
    ("margin_um=-5", r"tissue.margin_um must be 0 or more .*, got -5"),
    ("scale_um=-5", r"tissue.scale_um must be above 0 .*, got -5"),
    ("rows=0", r"rows must be 16 to 8192"),
    ("rows=12.5", r"not a whole number"),
    ("columns=1e9", r"columns must be 16 to 8192"),
    ("least_immune=1000000", r"do not fit .* place fewer"),
    ("tissue.occupancy=1", r"occupancy must lie between 0 and 1"),
    ("pattern=stripes", r"unknown pattern 'stripes'"),
    ("burn_in_days=-1", r"burn_in_days must be 0 to 36500"),
    ("tolerance=0", r"tolerance must be 1e-13 to 1e-3"),
    ("treatment=never", r"unknown treatment 'never'"),
    ("composition=DSTC", r"this is a table; write it in a scenario file"),
    ("x[/red]=1", r"x\[/red\]=1"),  # brackets are no markup
]
# refused by the reader of scenarios
READER = [
    ("beta_X1=1e400/d", r"too large|finite"),
    ("snapshot_days=nan", r"snapshot_days"),
    ("snapshot_days=-1", r"snapshot_days"),
    ("scenario.name=../elsewhere", r"name"),
    ("scenario.name=a/b", r"name"),
    ("scale_um=1e9", r"scale_um"),
]


@pytest.mark.parametrize(("setting", "says"), SETTINGS + READER, ids=lambda value: value[:30])
def test_a_wrong_setting_is_one_sentence_and_leaves_nothing(setting, says, tmp_path, oncolattice):
    assert_refused(oncolattice(*run_words(tmp_path / "runs", setting)), says)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["mcrc_tas103", "nowhere.toml", "/"])
def test_an_unknown_scenario_is_named_with_the_choices(name, tmp_path, oncolattice):
    result = oncolattice(*run_words(tmp_path / "runs", scenario=name))
    assert_refused(result, rf"unknown scenario '{name}'.*mcrc_placebo, mcrc_tas102, mcrc_tas102_bev")
    assert ("did you mean 'mcrc_tas102'" in result[2]) == (name == "mcrc_tas103")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("seed", ["-1", str(2**63), str(2**80)])
def test_a_seed_out_of_range_is_refused(seed, tmp_path, oncolattice):
    says = rf"seed must be a whole number from 0 to {2**63 - 1}, got {seed}"
    assert_refused(oncolattice(*run_words(tmp_path / "runs"), "--seed", seed), says)
    assert files_in(tmp_path) == []


# --- cell tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, r"no such cell table"),
        ("", r"the cell table is empty"),
        (HEAD, r"a header but no cells"),
        (HEAD + "1,2,tumor cells\nabc,3,tumor cells\n", r"line 3: x_um is 'abc', not a finite number"),
        (HEAD + "nan,2,tumor cells\n", r"line 2: x_um is 'nan'"),
        (HEAD + "1,2\n", r"line 2: 2 values in 3 columns"),
        ("a,b,c\n1,2,3\n", r"no column for x in um"),
        (HEAD + "1,2,zzz\n30,40,qqq\n", r"no phenotype .* is mapped.*--map PHENOTYPE=TYPE: qqq \(1\), zzz"),
        (HEAD + "1,2,tumor cells\n1e9,2,tumor cells\n", r"66666667 columns.*raise lattice\.rows"),
    ],
    ids=["missing", "empty", "no cells", "words", "nan", "ragged", "columns", "unmapped", "too wide"],
)
def test_a_wrong_table_is_one_sentence_and_leaves_nothing(text, says, tmp_path, oncolattice):
    table = tmp_path / "cells.csv"
    if text is not None:
        table.write_text(text)
    assert_refused(oncolattice(*run_words(tmp_path / "runs"), "--tissue", table), says)
    assert files_in(tmp_path / "runs") == []


def test_a_table_that_is_no_text_is_refused(tmp_path, oncolattice):
    table = tmp_path / "cells.csv"
    table.write_bytes(bytes(range(256)))
    assert_refused(oncolattice(*run_words(tmp_path / "runs"), "--tissue", table), r"save the cells as CSV")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("tumor cells=tumour", r"unknown cell type 'tumour' \(valid: .*DSTC"),
        ("tumor cells", r"write PHENOTYPE=TYPE"),
        ("=CTL", r"write PHENOTYPE=TYPE"),
        ("tumor cells=", r"write PHENOTYPE=TYPE"),
        ("tumor cells=DSTC:x,DRTC:0.5", r"write PHENOTYPE=TYPE"),
        ("tumor cells=DSTC:nan,DRTC:1", r"DSTC|write PHENOTYPE=TYPE"),
        ("tumor cells=DSTC:0.5", r"shares add up to 0\.5"),
    ],
)
def test_a_wrong_mapping_is_one_sentence_and_leaves_nothing(entry, says, tmp_path, oncolattice):
    table = tmp_path / "cells.csv"
    table.write_text(CELLS)
    assert_refused(oncolattice(*run_words(tmp_path / "runs"), "--tissue", table, "--map", entry), says)
    assert files_in(tmp_path / "runs") == []


def test_a_mapping_without_a_table_is_refused(tmp_path, oncolattice):
    assert_refused(oncolattice(*run_words(tmp_path / "runs"), "--map", "a=CTL"), r"--tissue FILE")


# --- places and files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_in_the_way_of_the_folder_is_refused(below, tmp_path, oncolattice):
    (tmp_path / "file").write_text("mine")
    assert_refused(oncolattice(*run_words(tmp_path / "file" / below)), r"cannot be written.*--out")
    assert (tmp_path / "file").read_text() == "mine"


def test_resume_without_anything_to_resume_is_refused(tmp_path, oncolattice):
    assert_refused(oncolattice(*run_words(tmp_path), "--resume"), r"run without --resume")
    assert files_in(tmp_path) == []


def test_a_file_that_is_no_run_is_refused_by_every_command(tmp_path, oncolattice):
    """Truncated anywhere, foreign HDF5, text, empty, a folder: in place of a finished file."""
    assert oncolattice(*run_words(tmp_path / "runs"), "--quiet")[0] == 0
    (path,) = find_runs(tmp_path / "runs")
    whole = path.read_bytes()
    cases = {size: whole[:size] for size in (0, 10, 1000, len(whole) // 2, len(whole) - 1)}
    cases |= {"text": b"not a run", "foreign": None}
    for name, data in cases.items():
        if data is None:
            with h5py.File(path, "w") as file:
                file["x"] = 1
        else:
            path.write_bytes(data)
        says = r"not a readable run file|not an oncolattice run file"
        for more in ([], ["--resume"]):
            assert_refused(oncolattice(*run_words(tmp_path / "runs"), *more), says)
        assert_refused(oncolattice("report", tmp_path / "runs"), says)
        assert_refused(oncolattice("check", path), says, where=1)
        assert files_in(tmp_path) == [path], name
    path.unlink()
    path.mkdir()
    assert_refused(oncolattice(*run_words(tmp_path / "runs")), r"is a folder")


def test_a_folder_without_runs_gives_no_report(tmp_path, oncolattice):
    (tmp_path / "notes.txt").write_text("")
    assert_refused(oncolattice("report", tmp_path), r"no finished run; make one with: oncolattice run")
    assert_refused(oncolattice("report", tmp_path / "nowhere"), r"no such folder")
    assert [path.name for path in files_in(tmp_path)] == ["notes.txt"]


def test_check_names_garbage_and_goes_on_to_the_next_file(tmp_path, oncolattice):
    path = tmp_path / "garbage.toml"
    path.write_text("][")
    code, out, err = oncolattice("check", path, "mcrc")
    assert (code, err) == (2, "")
    assert "not valid TOML" in out.splitlines()[0]
    assert out.splitlines()[1] == "mcrc: ok"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["schema", "run"], r"unknown kind of file 'run' \(valid: model, scenario, study\)"),
        (["describe", "mcr"], r"unknown name 'mcr'; did you mean 'mcrc'"),
        (["batch", "dem"], r"unknown study or scenario 'dem'; did you mean 'demo'"),
        (["batch", "demo", "--set", "betaX1=3"], r"did you mean 'beta_X1'"),
    ],
)
def test_wrong_words_are_refused(words, says, tmp_path, oncolattice, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_refused(oncolattice(*words), says)
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("words", [["rum"], ["run"], ["run", "mcrc_tas102", "--sed", "1"], ["check"]])
def test_a_wrong_command_line_exits_with_2(words, oncolattice):
    code, out, err = oncolattice(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "--help" in err


def command(words):
    return [sys.executable, "-m", "oncolattice.scenarios.command.cli", *map(str, words)]


def test_a_full_disk_leaves_nothing(tmp_path):
    """No file of the process may grow beyond 64 kB: less than a run file needs."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    done = subprocess.run(
        command(run_words(tmp_path / "runs")), preexec_fn=limit, capture_output=True, text=True, cwd=tmp_path
    )
    # kernels that no test has needed before cannot be kept either, and one note says so
    _, told = re.fullmatch(r"(note: compiled kernels [^\n]*\n)?(.*)", done.stderr, re.DOTALL).groups()
    assert_refused((done.returncode, done.stdout, told), r"cannot be written \(File too large\)")
    assert files_in(tmp_path) == []
    assert not list(tmp_path.glob("runs/*.parts"))


# --- what goes well -----------------------------------------------------------------------------------


def test_a_run_prints_its_path_alone_and_a_second_call_says_complete(tmp_path):
    done = subprocess.run(command(run_words(tmp_path)), capture_output=True, text=True, check=True)
    (path,) = find_runs(tmp_path)
    assert done.stdout == f"{path}\n"
    assert not parts_folder(path).exists()
    before = path.stat().st_mtime_ns, path.read_bytes()
    again = subprocess.run(command(run_words(tmp_path)), capture_output=True, text=True, check=True)
    assert again.stdout == f"{path}\n"
    assert again.stderr == f"{path}: already complete, nothing to do\n"
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_quiet_is_silent_and_the_bar_goes_to_standard_error(tmp_path, oncolattice, monkeypatch):
    code, out, err = oncolattice(*run_words(tmp_path / "a"), "--quiet")
    assert (code, err) == (0, "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, as far as the bar can tell
    monkeypatch.setenv("COLUMNS", "160")
    code, loud, err = oncolattice(*run_words(tmp_path / "b"))
    assert code == 0
    assert loud.replace(f"{tmp_path}/b", f"{tmp_path}/a") == out
    assert "day 2/2" in re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", err)


def test_list_describe_check_and_schema_print(oncolattice):
    code, out, err = oncolattice("list")
    assert (code, err) == (0, "")
    for word in ("scenarios", "mcrc_tas102_bev", "demo", "qcic_treated", "trifluridine"):
        assert word in out
    for words, found in (
        (["describe", "mcrc_tas102"], "TAS102"),
        (["describe", "mcrc", "--assumed"], "assumed"),
        (["check", "mcrc", "mcrc_tas102", "demo"], "demo: ok"),
        (["schema", "scenario"], '"required"'),
    ):
        code, out, err = oncolattice(*words)
        assert (code, err) == (0, "")
        assert found in out


COMMANDS = ("run", "batch", "report", "list", "describe", "check", "schema", "body", "pk")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(name, oncolattice, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert name in get_command(cli.app).commands
    code, out, _ = oncolattice(name, "--help")
    assert code == 0
    assert f"Example: oncolattice {name}" in out


def test_every_command_is_tested_for_its_example():
    assert set(get_command(cli.app).commands) == set(COMMANDS)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_falls_between_two_steps(tmp_path, oncolattice, monkeypatch):
    """A signal inside a step stops the run after it; --resume ends with the bits of the straight run."""
    code, straight, _ = oncolattice(*run_words(tmp_path / "a"), "--quiet")
    assert code == 0
    step, seen = CoupledRun.step, []

    def interrupted(self):
        seen.append(self)
        half = self.body.advance_to

        def advance(time):
            self.body.advance_to = half
            half(time)
            os.kill(os.getpid(), signal.SIGINT)

        if len(seen) == 20:
            self.body.advance_to = advance
        step(self)

    monkeypatch.setattr(CoupledRun, "step", interrupted)
    code, out, err = oncolattice(*run_words(tmp_path / "b"), "--quiet")
    assert (code, out) == (130, "")
    assert "--resume" in err
    assert len(seen) >= 20
    monkeypatch.setattr(CoupledRun, "step", step)
    code, resumed, _ = oncolattice(*run_words(tmp_path / "b"), "--quiet", "--resume")
    assert code == 0
    with h5py.File(straight.strip()) as a, h5py.File(resumed.strip()) as b:
        assert a.attrs["digest"] == b.attrs["digest"]
        assert (a["series/body"][...] == b["series/body"][...]).all()


def test_names_in_messages_are_shown_and_not_obeyed(oncolattice, tmp_path):
    path = tmp_path / "\x1b[31m[red]$x$.toml"
    path.write_text('[study]\nname = "\\u001b[2J[/bold]"\narms = ["\\u001b[5m[x]"]\n')
    for words in (
        ("check", path),
        ("describe", path),
        ("run", path),
        ("batch", path, "--out", tmp_path / "out"),
    ):
        code, out, err = oncolattice(*words)
        assert code == 2
        assert "\x1b[2J" not in out + err
        assert "\x1b[5m" not in out + err
        assert "\x1b[31m" not in re.sub(r"\x1b\[\d*;?31m(?=error)", "", out + err)
