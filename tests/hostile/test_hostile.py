"""Hostile files are refused in a sentence by every reader, and the script that tries them sees what goes wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

from oncolattice.scenarios.command import cli
from oncolattice.tests.hostile.made import REFUSED, make
from oncolattice.tests.hostile.patterns import PROGRAM, Trial, of_file, trials
from oncolattice.tests.hostile.sandbox import ROOT, attempt


@pytest.mark.parametrize("name", REFUSED)
def test_every_reader_refuses_in_one_sentence_and_leaves_nothing(name, tmp_path, monkeypatch, capfd):
    (folder := tmp_path / "files").mkdir()
    (file,) = make(folder, (name,)).iterdir()
    monkeypatch.chdir(tmp_path)
    for trial in of_file(file):
        monkeypatch.setattr(sys, "argv", ["oncolattice", *trial.words[1:]])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capfd.readouterr()
        assert end.value.code in trial.right, (trial.label, out, err)
        if end.value.code == 2:
            assert len((out + err).strip().splitlines()) == 1, (trial.label, out, err)
        assert "Traceback" not in out + err
    assert list(tmp_path.iterdir()) == [folder]


def python(code, right=(2,)):
    return Trial(Path(__file__), "python", (sys.executable, "-I", "-c", code), right)


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import sys; sys.exit(2)", None),
        ("import sys; sys.exit(0)", "exit code 0, not 2"),
        ("import sys; sys.exit(1)", "exit code 1, not 2"),
        ("1/0", "Traceback"),
        ("import time; time.sleep(60)", "hung"),
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        ("import sys; open('x.tmp', 'w'); sys.exit(2)", "left x.tmp"),
        ("import sys\ntry:\n bytearray(2**34)\nexcept MemoryError:\n sys.exit(2)", None),
    ],
)
def test_the_script_sees_what_is_wrong(code, fault):
    faults = attempt(python(code), seconds=3).faults
    if fault is None:
        assert faults == ()
    else:
        assert any(found.startswith(fault) for found in faults), faults


def test_every_call_of_a_shell_script_is_judged(tmp_path):
    script = tmp_path / "two.sh"
    script.write_text("oncolattice --version; oncolattice check no.toml; true\n")
    outcome = attempt(Trial(script, "bash", ("bash", str(script)), (2,), script=True))
    assert (outcome.code, outcome.faults) == (0, ("exit code 0, not 2 (--version)",))


def test_the_command_ends_with_one_where_a_hostile_file_is_accepted(tmp_path):
    make(tmp_path, ("nan",))
    assert {trial.label for trial in trials(tmp_path)} == {"check", "run", "batch", "describe", "pk"}
    (tmp_path / "toml_nan.toml").rename(tmp_path / "tiles_nan.toml")  # tried with one command alone
    call = [sys.executable, "-m", "tests.hostile", str(tmp_path)]
    good = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "1 commands, 0 with faults" in good.stdout
    text = '[scenario]\nextends = "eden"\nname = "h"\ntitle = "t"\nduration_days = 1\n[lattice]\nrows = 16\n'
    (tmp_path / "tiles_nan.toml").write_text(text)
    bad = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert bad.returncode == 1
    assert "exit code 0, not 2" in bad.stdout


def test_the_program_that_is_tried_is_there():
    assert Path(PROGRAM[0]).is_file()
