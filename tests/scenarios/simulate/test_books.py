"""A run whose books do not close says so wherever anyone looks at it; one whose books close says nothing."""

import re
import warnings

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from oncolattice.scenarios.command import cli
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store.index import read_entry

SMALL = ("rows=48", "columns=48", "margin_um=0", "duration_days=2", "snapshot_days=0")
# One-way exchange makes drug in the tissue that blood does not lose: the one way to open the books on purpose.
ONE_WAY = """
[scenario]
extends = "mcrc_anti_pd1_field"
name = "one_way"

[coupling]
drugs = [{ drug = "pembrolizumab", states = ["pembrolizumab.central", "pembrolizumab.peripheral", "pembrolizumab.eliminated"], exchange = "WORD", field = "anti_PD1", central = "pembrolizumab.central", volume = "pembrolizumab.volume", molar_mass = "MW_pembrolizumab", partition = "partition_IgG" }]
"""  # noqa: E501
OPEN = r"the books of pembrolizumab do not close: from day 1\.\d+ on, the residual is up to"


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """One run whose books close and one whose do not, by word, with what Python was told."""
    folder, found = tmp_path_factory.mktemp("books"), {}
    for word in ("exchanged", "dirichlet"):
        (folder / word).mkdir()
        scenario = folder / word / "one_way.toml"
        scenario.write_text(ONE_WAY.replace("WORD", word))
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            path = run(str(scenario), 1, SMALL, out=folder / word)
        found[word] = path, scenario, [str(w.message) for w in told if w.category is RuntimeWarning]
    return found


def invoke(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_python_and_check_tell_open_books(paths):
    path, _, told = paths["dirichlet"]
    assert len(told) == 1
    assert re.search(OPEN, told[0])
    assert re.search(OPEN, " ".join(check_file(path)))
    assert invoke("check", path).exit_code == 2
    with h5py.File(path) as file:  # what it says is what the file holds
        k = file["series/species"].asstr()[...].tolist().index("pembrolizumab")
        residual, time = file["series/ledger"][:, k], file["series/time"][...]
    first = time[np.argmax(residual > 1e-10)]
    assert f"from day {first:g} on, the residual is up to {residual.max():.3g} of" in told[0]


def test_closed_books_are_not_talked_about(paths):
    path, scenario, told = paths["exchanged"]
    assert told == []
    assert check_file(path) == []
    done = invoke("run", scenario, "--out", path.parent, *(w for s in SMALL for w in ("--set", s)))
    assert done.exit_code == 0
    assert "the books of" not in done.output


def test_run_and_batch_end_with_code_1_and_keep_the_file(paths, tmp_path):
    _, scenario, _ = paths["dirichlet"]
    settings = [word for setting in SMALL for word in ("--set", setting)]
    for again in range(2):  # the second finds the run complete, and says so no less
        done = invoke("run", scenario, "--out", tmp_path / "run", "--quiet", *settings)
        assert done.exit_code == 1, again
        assert re.search(OPEN, done.output.replace("\n", " "))
        assert len(list((tmp_path / "run").glob("*.h5"))) == 1
    batch = tmp_path / "batch"
    for index in (True, True, False):  # the second finds it in the index, the third without
        if not index:
            (batch / "index.csv").unlink()
        done = invoke("batch", scenario, "--out", batch, "--quiet", "--executor", "serial", *settings)
        assert done.exit_code == 1
        assert re.search(OPEN, (batch / "failures.csv").read_text())
        assert len(list(batch.glob("*.h5"))) == 1
        assert "one_way" not in (batch / "outcomes.csv").read_text()


def test_the_outcome_of_a_run_has_its_largest_residual(paths):
    for word, closes in (("exchanged", True), ("dirichlet", False)):
        path = paths[word][0]
        with h5py.File(path) as file:
            largest = np.abs(file["series/ledger"][...]).max()
        entry = read_entry(path)
        assert entry.outcome["ledger_residual"] == largest
        assert entry.closes is closes is bool(largest <= 1e-10)
