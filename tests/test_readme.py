"""The README is true: its Python runs, its commands exist, its picture is there."""

import re
from pathlib import Path

import pytest

from oncolattice.scenarios.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


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


def test_the_commands_of_the_readme_exist():
    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    used = set(re.findall(r"^oncolattice (\w+)", README, re.MULTILINE))
    assert used <= known
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n{target}:" in makefile for target in re.findall(r"^make (\w+)", README, re.MULTILINE))
