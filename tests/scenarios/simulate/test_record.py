"""What a run records: rows that say what the state says."""

import numpy as np
import pytest

from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.simulate.build import build
from oncolattice.scenarios.simulate.record import Recorder, take_snapshot
from oncolattice.scenarios.simulate.run import Run

SMALL = ("rows=48", "columns=48", "margin_um=0")


@pytest.fixture(scope="module")
def recorder():
    """A recorder with two rows: day 0, and day 2 with drug in the blood."""
    recorder = Recorder(build(load_scenario("mcrc_tas102_bev", SMALL), 2))
    recorder.record(pairs=True)
    recorder.first_y = recorder.simulation.coupled.body.y.copy()
    for _ in range(48):
        recorder.simulation.coupled.step()
    recorder.record()
    recorder.snapshot()
    recorder.now = recorder.take()
    return recorder


def test_the_first_volume_is_the_published_one(recorder):
    """2.224 cm3 at 4e8 cells/L (10.1038/s41540-025-00513-1); 2.572e-9 x 4e8 x 0.8 / 0.37."""
    rows, _ = recorder.now
    assert rows["tumour_volume"][0] == pytest.approx(2.224, abs=5e-4)
    assert rows["tumour_volume"][0] == pytest.approx(2.572e-9 * 4e8 * 0.8 / 0.37, rel=1e-12)


def test_volume_follows_the_counts(recorder):
    rows, _ = recorder.now
    tumour = [i for i, t in enumerate(recorder.simulation.model.types) if t.group == "tumour"]
    counted = rows["count"][:, tumour].sum(axis=1)
    assert counted[0] != counted[1]
    ratio = rows["tumour_volume"][1] / rows["tumour_volume"][0]
    assert ratio == pytest.approx(counted[1] / counted[0], rel=1e-12)


def test_rows_hold_the_state_at_their_time(recorder):
    rows, _ = recorder.now
    coupled, model = recorder.simulation.coupled, recorder.simulation.model
    names = recorder.columns["body"]
    states = len(coupled.body.model.states)
    assert rows["time"].tolist() == [0.0, 2.0]
    assert np.array_equal(rows["body"][0, :states], recorder.first_y)
    assert np.array_equal(rows["body"][1, :states], coupled.body.y)
    assert np.array_equal(
        rows["body"][1, states : states + len(coupled.body.model.outputs)], coupled.body.outputs()
    )
    counted = np.bincount(coupled.tissue.state.occupant.reshape(-1), minlength=len(model.types) + 1)[1:]
    assert np.array_equal(rows["count"][1], counted)
    assert rows["count"].dtype == np.int64
    plasma = rows["body"][:, [names.index("plasma trifluridine"), names.index("plasma bevacizumab")]]
    assert (plasma[0] == 0).all()
    assert (plasma[1] > 0).all()
    per_dose = next(p.value for p in model.parameters if p.name == "nM_per_dose_bevacizumab")
    assert plasma[1, 1] == pytest.approx(rows["body"][1, names.index("Targ_C")] * per_dose, rel=1e-12)


def test_every_column_has_a_width_and_a_unit(recorder):
    rows, _ = recorder.now
    for key, names in recorder.columns.items():
        assert rows[key].shape == (1 if key.startswith("pair") else 2, len(names))
        assert len(set(names)) == len(names)
    assert len(recorder.units["body"]) == len(recorder.columns["body"])
    assert all(recorder.units["body"])


def test_a_body_density_is_what_the_lattice_holds(recorder):
    """Density x volume of the tissue = weight x count, for every type that the lattice owns."""
    rows, _ = recorder.now
    ports = recorder.simulation.coupled.ports
    assert {"CTL", "DSTC"} <= {port.type for port in ports.cells}
    for port in ports.cells:
        amount = rows["body"][:, recorder.columns["body"].index(port.tissue)] * ports.tissue_volume_L
        counted = rows["count"][:, recorder.columns["count"].index(port.type)]
        assert amount == pytest.approx(port.weight * counted, rel=1e-12)


def test_a_snapshot_is_a_copy_of_the_state(recorder):
    _, (snapshot,) = recorder.now
    state, model = recorder.simulation.coupled.tissue.state, recorder.simulation.model
    for i, name in enumerate(model.layers):
        assert np.array_equal(snapshot.layers[name], state.occupant[i])
        assert not np.shares_memory(snapshot.layers[name], state.occupant)
    assert list(snapshot.fields) == [f.name for f in model.fields]
    rows, _ = recorder.now
    for i, name in enumerate(recorder.columns["field_mean"]):
        assert snapshot.fields[name].dtype == np.float32
        assert snapshot.fields[name].mean(dtype=float) == pytest.approx(
            rows["field_mean"][1, i], rel=1e-5, abs=1e-12
        )
    assert snapshot.time_days == 2.0
    assert snapshot.weights == {port.type: port.weight for port in recorder.simulation.coupled.ports.cells}
    again = take_snapshot(recorder.simulation)
    assert all(np.array_equal(again.fields[name], values) for name, values in snapshot.fields.items())


def test_rows_after_take_are_empty_and_keep_their_shape(recorder):
    rows, snapshots = recorder.take()
    assert snapshots == []
    for key, values in rows.items():
        assert values.shape == ((0, len(recorder.columns[key])) if key in recorder.columns else (0,))
        assert values.dtype == recorder.now[0][key].dtype


def test_accounts_are_amounts_and_an_undosed_patient_has_none_of_the_drug():
    """Placebo shows 0 of the drug; under treatment what vessels deliver is what the mean level, step by step, loses."""
    found = {}
    for name in ("mcrc_placebo", "mcrc_tas102"):
        run = Run(load_scenario(name, (*SMALL, "record_every_hours=1", "duration_days=2")), 2)
        for _ in run.steps():
            pass
        run.checkpoint()
        found[name] = run, run._done[-1][0]
    run, rows = found["mcrc_placebo"]
    at = {name: k for k, name in enumerate(run.recorder.columns["account"])}
    assert run.recorder.units["account"][at["trifluridine: delivered"]] == "fmol"
    assert run.recorder.units["account"][at["oxygen: delivered"]] == "mmHg mm3"
    assert not rows["account"][:, [k for name, k in at.items() if name.startswith("trifluridine")]].any()
    assert rows["account"][-1, at["oxygen: delivered"]] > 0.0
    run, rows = found["mcrc_tas102"]
    flows = {
        name: rows["account"][-1, at[f"trifluridine: {name}"]]
        for name in ("delivered", "taken up", "decayed")
    }
    assert flows["delivered"] == pytest.approx(flows["taken up"] + flows["decayed"], rel=1e-2)
    decay = run.simulation.model.tables.fields[
        [f.name for f in run.simulation.model.fields].index("trifluridine")
    ]
    level = rows["field_mean"][:, [f.name for f in run.simulation.model.fields].index("trifluridine")]
    femtolitres = run.simulation.tissue.state.region.size * run.simulation.model.site_um**3
    lost = decay["decay"] * level[1:].sum() * femtolitres * 1e-9  # nM um^3 are 1e-9 fmol
    assert flows["decayed"] == pytest.approx(lost, rel=1e-9)
