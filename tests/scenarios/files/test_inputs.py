"""A drug that a scenario names by its file is the drug of the library in every way but its place."""

import shutil
import sys

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.pk.drug_file import LIBRARY as DRUGS
from oncolattice.scenarios.batch.jobs import Job, jobs_of, run_job
from oncolattice.scenarios.command import cli
from oncolattice.scenarios.files.inputs import settle_setting
from oncolattice.scenarios.files.scenario import LIBRARY, load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import find_runs, open_run

SMALL = ("rows=32", "columns=32", "margin_um=0", "duration_days=2", "snapshot_days=0", "body.burn_in_days=1")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """The library's scenario with its drug in a file beside it, called elsewhere."""
    folder = tmp_path_factory.mktemp("own")
    text = (LIBRARY / "mcrc_nivolumab.toml").read_text(encoding="utf-8")
    text = text.replace('drug = "nivolumab"\n', 'drug = "antibody.toml"\n')
    assert text.count("antibody.toml") == 2  # companion and regimen
    (folder / "own.toml").write_text(text, encoding="utf-8")
    shutil.copy(DRUGS / "nivolumab.toml", folder / "antibody.toml")
    return folder / "own.toml"


def test_the_numbers_are_those_of_the_library_drug(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = open_run(run(str(own), 3, SMALL, out="here"))
    library = open_run(run("mcrc_nivolumab", 3, SMALL, out="library"))
    assert here.attributes["digest"] == library.attributes["digest"]
    assert here.body.keys() == library.body.keys()
    assert here.doses == library.doses


@pytest.mark.parametrize(
    "words",
    [
        ("check", "{own}"),
        ("describe", "{own}"),
        ("batch", "{own}", "--well-mixed", "--out", "w", "--set", "duration_days=56"),
        ("batch", "{own}", "--out", "b", "--executor", "serial", "-q", *(f"--set={s}" for s in SMALL)),
    ],
    ids=["check", "describe", "well-mixed", "batch"],
)
def test_every_command_takes_it(own, tmp_path, monkeypatch, capfd, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["oncolattice", *(word.format(own=own) for word in words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capfd.readouterr()
    assert (end.value.code or 0, err) == (0, "")
    if words[0] == "describe":
        assert "companion nivolumab with kinetics of its own" in out


def test_a_worker_that_is_called_elsewhere_finds_every_file(own, tmp_path, monkeypatch):
    """Scenario and settings name files from where the command was called; the job goes to another folder."""
    shutil.copy(LIBRARY / "populations" / "qcic_treated.toml", tmp_path / "p.toml")
    shutil.copy(own, tmp_path / "own.toml")
    shutil.copy(own.with_name("antibody.toml"), tmp_path)
    monkeypatch.chdir(tmp_path)
    (job,) = jobs_of(load_study("own.toml"), [*SMALL, "patient.population=p.toml"])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run_job(job, str(tmp_path / "out"))
    (path,) = find_runs(tmp_path / "out")
    assert open_run(path).patient == "qcic_treated-1"
    assert isinstance(job, Job)


def test_a_study_names_files_from_where_it_lies(own, tmp_path, monkeypatch):
    """In its arms, its settings and its sweeps."""
    for name in ("p", "q"):
        shutil.copy(LIBRARY / "populations" / "mcrc_week8.toml", tmp_path / f"{name}.toml")
    (tmp_path / "s.toml").write_text(
        f'[study]\nname = "s"\ntitle = "s"\narms = ["{own}"]\npatients = 1\nseed = 1\n'
        'settings = { "patient.population" = "p.toml" }\n'
    )
    (tmp_path / "t.toml").write_text(
        f'[study]\nname = "t"\ntitle = "t"\narms = ["{own}"]\npatients = 1\nseed = 1\n'
        '[[sweep]]\ndesign = "values"\nparameters = { "patient.population" = ["p.toml", "q.toml"] }\n'
    )
    monkeypatch.chdir(own.parent)
    assert load_study(str(tmp_path / "s.toml")).settings == [f"patient.population={tmp_path / 'p.toml'}"]
    found = [job.settings[-1] for job in jobs_of(load_study(str(tmp_path / "t.toml")), ())]
    assert found == [f"patient.population={tmp_path / name}.toml" for name in ("p", "q")]


def test_a_setting_that_names_no_file_is_as_it_was(tmp_path):
    for setting in ("duration_days=5", "model=mcrc", "beta_X1=0.05/d", "file=none.csv", "nonsense"):
        assert settle_setting(setting, tmp_path) == setting


def test_a_file_of_another_drug_is_refused(own, tmp_path):
    text = own.read_text().replace(
        'drug = "antibody.toml"', 'drug = "pembrolizumab"\nfile = "antibody.toml"', 1
    )
    (tmp_path / "own.toml").write_text(text)
    shutil.copy(own.with_name("antibody.toml"), tmp_path)
    with pytest.raises(InputError, match="its file is of the drug 'nivolumab'; give them one name"):
        run(load_scenario(str(tmp_path / "own.toml"), SMALL))
