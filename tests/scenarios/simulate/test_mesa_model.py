"""The Mesa shell: same engine, same numbers; and nothing heavy is imported without it."""

import subprocess
import sys

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.mesa_model import TumourModel
from oncolattice.scenarios.simulate.run import Run

SMALL = ("rows=48", "columns=48", "margin_um=0", "duration_days=2", "record_every_hours=6", "snapshot_days=0")


def test_the_frame_holds_the_counts_of_a_plain_run():
    model = TumourModel("mcrc_tas102", seed=7, settings=SMALL, hours=6)
    while model.running:
        model.step()
    frame = model.datacollector.get_model_vars_dataframe()
    plain = Run(load_scenario("mcrc_tas102", SMALL), 7)
    for _ in plain.steps():
        pass
    names = plain.recorder.columns["count"]
    rows, _ = plain.recorder.take()
    assert list(frame.columns) == [*names, "day", "tumour_volume_cm3"]
    assert len(frame) == 9
    assert np.array_equal(frame["day"], rows["time"])
    assert np.array_equal(frame[names].to_numpy(), rows["count"])
    assert np.array_equal(frame["tumour_volume_cm3"], rows["tumour_volume"])
    assert len(np.unique(rows["count"], axis=0)) > 1
    assert model.steps == 8
    assert (
        model.run.simulation.coupled.tissue.state.occupant.tobytes()
        == plain.simulation.coupled.tissue.state.occupant.tobytes()
    )


@pytest.mark.parametrize("hours", [0, 0.2, -6])
def test_a_step_that_advances_nothing_is_refused(hours):
    with pytest.raises(InputError, match="at least one time step"):
        TumourModel("mcrc_placebo", settings=SMALL, hours=hours)


def modules_after(code):
    """Return the names of all modules that a fresh interpreter holds after some code."""
    line = f"import sys\n{code}\nprint('modules', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_import_and_run_leave_heavy_packages_alone(tmp_path):
    heavy = {"mesa", "pandas", "matplotlib", "xarray", "solara"}
    loaded = modules_after("import oncolattice")
    assert "oncolattice" in loaded
    assert not loaded & (heavy | {"numpy", "numba", "h5py"})
    words = ["oncolattice", "run", "mcrc_tas102", "--quiet", "--out", str(tmp_path)]
    words += [word for setting in SMALL for word in ("--set", setting)]
    code = (
        f"sys.argv = {words!r}\nfrom oncolattice.scenarios.command.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )
    loaded = modules_after(code)
    assert {"numba", "h5py"} <= loaded
    assert len(list(tmp_path.glob("*.h5"))) == 1
    assert not loaded & heavy
