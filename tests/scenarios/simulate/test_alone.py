"""Scenarios without a body: the whole path from file to file."""

import h5py
import numpy as np
import pytest
import xarray

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.pairs import pair_correlations
from oncolattice.scenarios.command.check import check_file
from oncolattice.scenarios.command.describe import describe_text
from oncolattice.scenarios.command.reporting import report_folder
from oncolattice.scenarios.files.scenario import Scenario, load_scenario
from oncolattice.scenarios.simulate.mesa_model import TumourModel
from oncolattice.scenarios.simulate.run import Run, run
from oncolattice.scenarios.store import find_runs, open_run, read_checkpoint
from oncolattice.tests.helpers.race import SCENARIO, write_race


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files of a study, and one run of each scenario in ``runs``."""
    folder = write_race(tmp_path_factory.mktemp("alone"))
    for name in ("untreated", "continuous", "adaptive"):
        run(str(folder / f"{name}.toml"), 5, out=folder / "runs")
    return folder


def test_what_only_some_runs_record_is_read_back_with_its_times_and_units(folder):
    path, record = record_of(folder, "adaptive")
    with h5py.File(path) as file:
        assert np.array_equal(record.more["control"].time_days, file["series/time"][...])
        assert np.array_equal(record.more["pair_correlation"].time_days, file["pairs/time"][...])
        columns = np.array(list(record.more["pair_correlation"].values.values())).T
        assert np.array_equal(columns, file["pairs/correlation"][...])
        assert set(record.more["pair_correlation"].units.values()) == {"1"}
    assert record.more["visit"].units["visit_day"] == "d"
    assert "control" not in record_of(folder, "untreated")[1].more


def record_of(folder, arm):
    (path,) = (folder / "runs").glob(f"race_{arm}-*.h5")
    return path, open_run(path)


@pytest.mark.parametrize("arm", ["untreated", "continuous", "adaptive"])
def test_a_run_file_is_valid_and_says_what_the_state_says(arm, folder):
    path, record = record_of(folder, arm)
    assert check_file(path) == []
    assert (record.body, record.ledger, record.doses, record.weights) == ({}, {}, [], {})
    assert record.patient == "tissue alone"
    state = read_checkpoint(path)
    counted = np.bincount(state["tissue_occupant"].reshape(-1), minlength=3)[1:]
    assert np.array_equal(record.count[-1], counted)
    site_cm = 20e-4
    assert record.tumour_volume_cm3 == pytest.approx(record.count.sum(axis=1) * site_cm**3, rel=1e-12)
    series = xarray.open_dataset(path, group="series", engine="h5netcdf")
    assert series["tumour_fraction"].values == pytest.approx(record.count.sum(axis=1) / 32**2, rel=1e-12)
    assert np.allclose(np.diff(record.time_days), 1.0)


@pytest.mark.parametrize("arm", ["untreated", "continuous", "adaptive"])
def test_counts_change_by_the_events_alone(arm, folder):
    _, record = record_of(folder, arm)
    for i, name in enumerate(("S", "R")):
        gained = record.events[f"{name}: divide"]
        lost = sum(
            record.events[f"{name}: die {cause}"]
            for cause in ("age", "drug")
            if name == "S" or cause == "age"
        )
        assert np.array_equal(record.count[:, i] - record.count[0, i], gained - lost)


def test_the_drug_kills_the_sensitive_under_treatment_alone(folder):
    _, untreated = record_of(folder, "untreated")
    assert untreated.events["S: die drug"][-1] == 0
    path, adaptive = record_of(folder, "adaptive")
    control = xarray.open_dataset(path, group="series", engine="h5netcdf")["control"].values[:, 0]
    killed = np.diff(adaptive.events["S: die drug"])
    assert (killed[control[:-1] == 0] == 0).all()
    assert killed[control[:-1] == 1].sum() > 0


def test_decisions_and_progression_follow_from_the_recorded_counts(folder):
    """The series is daily, as the visits are: decide again by hand from what was written."""
    path, record = record_of(folder, "adaptive")
    control = xarray.open_dataset(path, group="series", engine="h5netcdf")["control"].values[:, 0]
    relative = record.count.sum(axis=1) / record.count[0].sum()
    dose, expected = 1.0, []
    for value in relative:
        dose = 0.0 if value < 0.5 else 1.0 if value > 1.0 else dose
        expected.append(dose)
    assert control.tolist() == expected
    above = relative > 1.2
    both = np.flatnonzero(above[:-1] & above[1:])
    outcome = record.attributes["outcome"]
    assert outcome["ttp_event"] == 1
    assert outcome["ttp_days"] == both[0] == record.time_days[-2]
    assert record.attributes["stop_reason"] == "progression"
    assert outcome["treated_days"] == sum(expected[:-1])


def test_pair_correlations_are_those_of_the_snapshots(folder):
    path, record = record_of(folder, "untreated")
    pairs = xarray.open_dataset(path, group="pairs", engine="h5netcdf")
    assert pairs["pair"].values.tolist() == ["S S", "S R", "R R"]
    assert pairs["time"].values.tolist() == [*np.arange(0.0, 60.0, 6.0), 60.0]
    for day in (0.0, 60.0):
        (snapshot,) = [s for s in record.snapshots if s.time_days == day]
        found = pair_correlations(np.array([snapshot.layers["tissue"]]), 2)
        measured = pairs.sel(time=day)
        assert measured["total"].values[0] == found.total[0]
        assert measured["correlation"].values.tolist() == [found.by_type[k] for k in ((0, 0), (0, 1), (1, 1))]
        assert measured["mean_field_valid"].values == (abs(found.total[0] - 1) < 0.05)


@pytest.mark.parametrize("days", [3.2, 7.7])
def test_an_interrupted_run_goes_on_to_the_same_bits(days, folder, tmp_path):
    """The controller's memory, the streak and the baseline come back from the segment."""
    _, straight = record_of(folder, "adaptive")
    scenario = load_scenario(str(folder / "adaptive.toml"), ["checkpoint_every_days=0.5"])
    broken = Run(scenario, 5, tmp_path)
    for step in broken.steps():
        if step.day >= days:
            break
    resumed = open_run(run(scenario, 5, out=tmp_path, resume=True))
    assert resumed.attributes["digest"] == straight.attributes["digest"]
    assert resumed.attributes["outcome"] == straight.attributes["outcome"]
    assert np.array_equal(resumed.count, straight.count)


def test_output_does_not_change_the_numbers(folder):
    _, straight = record_of(folder, "adaptive")
    settings = ["record_every_hours=6", "checkpoint_every_days=0.25", "snapshot_days=1,2,3.5"]
    current = Run(load_scenario(str(folder / "adaptive.toml"), settings), 5)
    for _ in current.steps():
        pass
    assert current.digest() == straight.attributes["digest"]


def test_a_run_is_rerun_from_its_own_file(folder):
    _, record = record_of(folder, "continuous")
    spec = load_scenario(str(folder / "continuous.toml")).model_spec
    assert spec.text == record.attributes["model_text"]
    current = Run(Scenario(record.attributes["scenario_text"], spec), 5)
    for _ in current.steps():
        pass
    assert current.digest() == record.attributes["digest"]


def test_arms_share_their_luck_until_they_differ(folder):
    """Continuous and adaptive are one until the first pause; the untreated arm differs from day 1 on."""
    (_, untreated), (_, continuous), (path, adaptive) = (
        record_of(folder, arm) for arm in ("untreated", "continuous", "adaptive")
    )
    assert np.array_equal(untreated.count[0], continuous.count[0])
    assert not np.array_equal(untreated.count[1], continuous.count[1])
    control = xarray.open_dataset(path, group="series", engine="h5netcdf")["control"].values[:, 0]
    pause = int(np.argmin(control))
    assert control[pause] == 0
    assert np.array_equal(continuous.count[: pause + 1], adaptive.count[: pause + 1])
    assert not np.array_equal(continuous.count[pause + 1], adaptive.count[pause + 1])


def test_mesa_drives_it_with_its_trial(folder):
    _, record = record_of(folder, "adaptive")
    model = TumourModel(str(folder / "adaptive.toml"), seed=5)
    while model.running:
        model.step()
    frame = model.datacollector.get_model_vars_dataframe()
    assert np.array_equal(frame[["S", "R"]].to_numpy(), record.count)
    assert np.array_equal(frame["day"], record.time_days)


def test_describe_and_report_know_it(folder, tmp_path):
    text = describe_text(str(folder / "adaptive.toml"), False)
    assert "a tissue alone: no body, no patient" in text
    assert "off_below = 0.5" in text
    assert "regimen" not in text
    page = report_folder(folder / "runs", tmp_path)
    words = page.read_text(encoding="utf-8")
    assert len(find_runs(folder / "runs")) == 3
    for line in ("No dose was given in these runs", "These runs hold no ledger", "no map of a field"):
        assert line in words


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '[body]\nmodel = "qcic"\nvariant = "conservative"\nburn_in_days = 1\ntolerance = 1e-6\n',
            r"section \[coupling\]",
        ),
        ('[patient]\npopulation = "qcic_treated"\n', r"\[patient\] belongs to a body"),
        ("[stop]\nprogression = { abov = 1.2 }\n", "unknown key 'abov'; did you mean 'above'"),
        ('[controller]\nkind = "adaptive"\nsignal = "drug"\non_above = 1\n', "'off_below' is missing"),
        ('[parameters]\nfresh = { value = 1, source = "assumed", description = "own" }\n', "needs a unit"),
    ],
)
def test_what_needs_a_body_or_a_key_says_so(text, reason, folder):
    path = folder / "wrong.toml"
    path.write_text(SCENARIO.format(arm="wrong") + text)
    with pytest.raises(InputError, match=reason):
        load_scenario(str(path))


def test_a_scenario_may_declare_parameters_of_its_own(folder):
    """Declared with a description it can be set and is stored; without one it is a spelling mistake."""
    text = SCENARIO.format(arm="own") + '[parameters]\nfresh = { value = 1, unit = "um", source = "assumed"'
    (folder / "own.toml").write_text(text + ', description = "a length" }\n')
    scenario = load_scenario(str(folder / "own.toml"), ["fresh=2mm"])
    path = run(scenario, 1, out=folder / "own")
    row = next(p for p in open_run(path).parameters if p["name"] == "fresh")
    assert (row["value"], row["unit"], row["source"]) == (2000.0, "um", "user")
    (folder / "typo.toml").write_text(text + " }\n")
    assert "unknown parameter 'fresh'" in check_file(folder / "typo.toml")[0]


def test_a_body_still_has_no_controller_for_a_signal_it_supplies(tmp_path):
    path = tmp_path / "twice.toml"
    path.write_text(
        '[scenario]\nextends = "mcrc_placebo"\nname = "twice"\ntitle = "twice"\n'
        '[controller]\nkind = "continuous"\nsignal = "trifluridine"\n'
    )
    with pytest.raises(InputError, match="the body supplies signal 'trifluridine' already"):
        load_scenario(str(path))


def test_the_control_of_a_run_is_in_its_file(folder):
    path, _ = record_of(folder, "continuous")
    with h5py.File(path) as file:
        assert file["series/control"].attrs["units"] == "1"
        assert set(np.unique(file["series/control"][...])) == {1.0}
