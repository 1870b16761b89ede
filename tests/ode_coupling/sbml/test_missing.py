"""Without libRoadRunner the package works, and an SBML file says what to install."""

import sys

import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import read_sbml
from oncolattice.scenarios.command.describe import describe_text


def test_the_extra_is_named_where_it_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "roadrunner", None)
    for reader in (read_sbml, lambda path: describe_text(str(path), False)):
        with pytest.raises(InputError, match=r'install the extra: pip install "oncolattice\[sbml\]"'):
            reader(tmp_path / "model.xml")
