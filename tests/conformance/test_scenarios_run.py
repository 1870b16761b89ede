"""Every scenario of the library runs, keeps its books and records numbers."""

import numpy as np
import pytest

from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import library_scenarios, load_scenario
from oncolattice.scenarios.simulate.run import run
from oncolattice.scenarios.store import open_run

SMALL = ("rows=48", "columns=48", "duration_days=2", "snapshot_days=0,1")


def small(name):
    """Return a scenario of the library on a small lattice for two days."""
    tables = load_scenario(name).tables
    planes = ("planes=16",) if "planes" in tables["lattice"] else ()
    margin = ("margin_um=0",) if "margin_um" in tables["tissue"] else ()
    delay = ("controller.delay_days=1",) if "delay_days" in tables.get("controller", {}) else ()
    return load_scenario(name, (*SMALL, *planes, *margin, *delay))


@pytest.mark.parametrize("name", library_scenarios())
def test_two_days_of_every_scenario(name, tmp_path):
    scenario = small(name)
    path = run(scenario, 1, out=tmp_path)
    record = open_run(path)
    assert record.scenario == name
    assert record.time_days[-1] == 2.0
    assert bool(record.ledger) == bool(record.body) == ("body" in scenario.tables)
    for species, residual in record.ledger.items():
        assert len(residual) == len(record.time_days)
        assert residual.max() <= 1e-10, species
    for values in (record.body, record.field_mean, record.events):
        assert all(np.isfinite(series).all() for series in values.values())
    assert np.isfinite(record.tumour_volume_cm3).all()
    assert (record.tumour_volume_cm3 > 0).all()
    assert (record.count >= 0).all()
    assert [s.time_days for s in record.snapshots] == [0.0, 1.0, 2.0]
    for snapshot in record.snapshots:
        assert all(np.isfinite(values).all() for values in snapshot.fields.values())
        assert all((values >= 0).all() for values in snapshot.fields.values())
    assert check_file(path) == []
