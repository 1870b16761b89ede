"""A lattice of three dimensions passes through scenario, run, segments, store and other readers."""

import numpy as np
import pytest
import xarray

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.pairs import pair_correlations
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.run import Run, run
from oncolattice.scenarios.store import open_run, read_checkpoint
from oncolattice.tests.helpers.race import MODEL, SCENARIO

SHAPE = (16, 20, 24)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("block")
    (folder / "race_model.toml").write_text(MODEL.replace("dimensions = 2", "dimensions = 3"))
    text = SCENARIO.format(arm="block").replace('pattern = "scattered"', 'kind = "scattered"')
    text = text.replace("rows = 32\ncolumns = 32", "planes = 16\nrows = 20\ncolumns = 24")
    (folder / "block.toml").write_text(text.replace("duration_days = 60", "duration_days = 12"))
    return str(folder / "block.toml")


@pytest.fixture(scope="module")
def path(file, tmp_path_factory):
    return run(file, 7, out=tmp_path_factory.mktemp("runs"))


def test_the_file_is_valid_and_holds_the_state(path):
    assert check_file(path) == []
    record, state = open_run(path), read_checkpoint(path)
    assert state["tissue_occupant"].shape == (1, *SHAPE)
    assert np.array_equal(record.snapshots[-1].layers["tissue"], state["tissue_occupant"][0])
    placed = round(0.3 * np.prod(SHAPE))
    assert record.count[0].sum() == placed
    assert record.count[0, 1] == round(0.03 * placed)
    assert record.area_mm2 == pytest.approx(20 * 24 * 0.02**2, rel=1e-12)


def test_xarray_sees_planes_rows_and_columns(path):
    data = xarray.open_dataset(path, group="snapshots", engine="h5netcdf")
    assert data["occupancy"].dims == ("time", "layer", "z_um", "y_um", "x_um")
    assert data["occupancy"].shape == (3, 1, *SHAPE)
    assert data["z_um"].values.tolist() == [20 * (k + 0.5) for k in range(16)]
    counts = open_run(path).count
    for row, day in ((0, 0.0), (-1, 12.0)):
        occupancy = data["occupancy"].sel(time=day).values
        assert [(occupancy == k).sum() for k in (1, 2)] == counts[row].tolist()


def test_pairs_are_counted_over_the_faces_of_cubes(path):
    pairs = xarray.open_dataset(path, group="pairs", engine="h5netcdf")
    found = pair_correlations(read_checkpoint(path)["tissue_occupant"], 2)
    assert found.links[0] == 15 * 20 * 24 + 16 * 19 * 24 + 16 * 20 * 23
    assert pairs["total"].values[-1, 0] == found.total[0]


def test_an_interrupted_block_goes_on_to_the_same_bits(file, path, tmp_path):
    broken = Run(load_scenario(file), 7, tmp_path)
    for step in broken.steps():
        if step.day >= 6:
            break
    resumed = open_run(run(file, 7, out=tmp_path, resume=True))
    assert resumed.attributes["digest"] == open_run(path).attributes["digest"]


@pytest.mark.parametrize("planes", ["1", "2000"])
def test_a_block_has_bounds(planes, file):
    with pytest.raises(InputError, match=r"lattice\.planes must be"):
        load_scenario(file, [f"planes={planes}"])


def test_a_section_has_no_planes():
    with pytest.raises(InputError, match="2 dimensions and the lattice 3"):
        load_scenario("mcrc_placebo", ["planes=16"])
