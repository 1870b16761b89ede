"""The README is true: its Python runs, its commands run, its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from oncolattice.scenarios.command import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    shlex.split(line, comments=True)
    for block in re.findall(r"```\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
MAKE = [words for words in LINES if words[0] == "make"]
OURS = [words for words in LINES if words[0] == "oncolattice"]
# What makes a line short, by its beginning; the other lines run as they stand. The last of two options counts.
SMALL = "--set duration_days=1 --set rows=64 --set columns=64"
SHORT = {
    "oncolattice run": SMALL,
    "oncolattice batch mcrc_trial --well-mixed": "--set duration_days=7",
    "oncolattice batch strobl2022": "--set duration_days=2 --set rows=32 --set columns=32 --replicates 2",
}
CELLS = "x_um,y_um,phenotype\n30,30,CD8+ T cells\n60,30,CD8+ T cells\n"
PROGRAM = (sys.executable, "-c", "from oncolattice.scenarios.command.cli import main; main()")


def short(words):
    added = [options for start, options in SHORT.items() if " ".join(words).startswith(start)]
    return [*words[1:], *shlex.split(" ".join(added))]


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 1
    assert len([line for line in blocks[0].splitlines() if line.strip()]) <= 10
    exec(compile(blocks[0], "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "TAS-102 qcic_treated-1 14.0 days" in out
    residual = float(out.split("largest ledger residual")[1])
    assert residual <= 1e-10


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_to_files(link):
    assert (ROOT / link).is_file()


def test_every_line_of_a_block_is_a_command_that_is_tried_here():
    assert [words[1] for words in MAKE] == ["demo", "test"]
    assert len(MAKE) + len(OURS) == len(LINES)
    assert {words[1] for words in OURS} >= {"run", "report", "batch", "describe", "body", "pk"}
    begun = [" ".join(words) for words in OURS]
    assert all(any(line.startswith(start) for line in begun) for start in SHORT)


def test_the_commands_run_in_the_order_of_the_readme(tmp_path, monkeypatch, capfd, unpainted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells.csv").write_text(CELLS)
    for words in OURS:
        monkeypatch.setattr(sys, "argv", ["oncolattice", *short(words)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        assert code == 0, (words, *capfd.readouterr())
    assert len(list(Path("runs").glob("*.h5"))) >= 3
    for made in ("runs/report/report.html", "trial", "traj.csv", "pk.csv"):
        assert Path(made).exists(), made


@pytest.mark.parametrize("target", [words[1] for words in MAKE])
def test_make_knows_the_targets(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a fresh clone, in the folder that `git clone` makes, whose package is the one imported."""
    if not (ROOT / ".git").exists():
        pytest.skip("the tree is no git repository")
    folder = tmp_path_factory.mktemp("fresh") / "oncolattice"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def in_clone(clone, words, cwd):
    environment = os.environ | {"PYTHONPATH": str(clone.parent)}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.slow
def test_the_commands_run_from_a_fresh_clone(clone, tmp_path):
    where = in_clone(
        clone, [sys.executable, "-c", "import oncolattice; print(*oncolattice.__path__)"], tmp_path
    )
    assert Path(where.strip()).samefile(clone)
    (tmp_path / "cells.csv").write_text(CELLS)
    for words in OURS:
        in_clone(clone, [*PROGRAM, *short(words)], tmp_path)


@pytest.mark.slow
def test_make_demo_in_a_fresh_clone_ends_with_its_report(clone):
    """What is installed stays: the rule that would install from the network is left out."""
    in_clone(clone, ["make", "-o", ".venv/.installed", "demo"], clone)
    assert (clone / "demo" / "report" / "report.html").is_file()
