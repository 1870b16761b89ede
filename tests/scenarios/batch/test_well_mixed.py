"""The well-mixed twin: the patients, doses and parameters of the lattice runs, in the ODE alone."""

import csv

import h5py
import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.ode_only import follow_body, simulate
from oncolattice.scenarios.batch.well_mixed import run_well_mixed, simulate_twin, twin_outcome
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.patients.sample import load_population, sample
from oncolattice.scenarios.simulate.build import Builder
from oncolattice.scenarios.store import find_runs

STUDY = """
[study]
name = "twin"
title = "Two arms"
arms = ["mcrc_placebo", "mcrc_tas102"]
patients = 2
seed = 1
settings = { duration_days = 112 }
[[sweep]]
parameters = { beta_X1 = ["0.06/d", "0.07/d"] }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("twin")
    (place / "twin.toml").write_text(STUDY)
    run_well_mixed(str(place / "twin.toml"), (), place)
    return place


def rows_of(folder):
    with (folder / "well_mixed.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_arm_patient_and_point_has_a_line(folder):
    found = [(row["arm"], row["patient"], row["beta_X1"]) for row in rows_of(folder)]
    assert sorted(found) == sorted(
        (arm, f"qcic_treated-{k}", beta)
        for arm in ("placebo", "TAS-102")
        for k in (1, 2)
        for beta in ("0.06/d", "0.07/d")
    )


@pytest.mark.parametrize("arm", ["placebo", "TAS-102"])
def test_a_line_is_the_patient_of_the_population_in_the_ode(arm, folder):
    """By hand: patient 2 of the scenarios' population (seed 2025) with the growth of the point."""
    patient = sample(load_population("qcic_treated"), 2, 2025)[1] | {"beta_X1": 0.06}
    row = next(
        row
        for row in rows_of(folder)
        if (row["arm"], row["patient"], row["beta_X1"]) == (arm, "qcic_treated-2", "0.06/d")
    )
    with h5py.File(folder / "well_mixed.h5") as file:
        arms = file["arm"].asstr()[...]
        assert file["body"].shape == (8, 17, len(file["state"]))
        (i,) = [i for i in range(8) if rows_of(folder)[i] == row]
        assert arms[i] == arm
        volume = file["tumour_volume"][i]
    assert float(row["tri_week8"]) == pytest.approx(volume[8] / volume[0] - 1, rel=1e-9)
    untreated = simulate(patient, [], 112.0, burn_in_days=14, rtol=1e-6)["tumour_volume_cm3"]
    if arm == "placebo":
        assert np.allclose(volume, untreated, rtol=1e-6)
    else:
        assert (volume[1:] < 0.99 * untreated[1:]).all()


def test_progression_is_the_first_visit_with_a_fifth_more():
    days = np.arange(0.0, 169.0, 7.0)
    course = {"time_days": days, "TRI": days / 400, "tumour_volume_cm3": 1 + days / 400}
    found = twin_outcome(course, 168.0)
    assert (found["ttp_days"], found["ttp_event"]) == (112.0, 1)  # 56 / 400 < 0.2 <= 112 / 400
    assert (found["tri_week8"], found["best_tri"]) == (0.14, 0.14)
    still = twin_outcome(course | {"TRI": np.zeros(days.size)}, 168.0)
    assert (still["ttp_days"], still["ttp_event"]) == (None, 0)


@pytest.mark.parametrize(
    ("scenario", "settings", "reason"),
    [
        ("strobl2022_adaptive", (), "--well-mixed needs a body"),
        ("mcrc_adaptive", (), r"\[controller\] works through the lattice"),
        ("mcrc_anti_pd1_field", (), r"pembrolizumab acts on the lattice alone"),
        ("mcrc_placebo", ("assessment_days=42",), "assessed every 56 days, not every 42"),
    ],
)
def test_an_arm_without_a_twin_is_refused(scenario, settings, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        run_well_mixed(scenario, settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_twin_is_no_run(folder):
    """A report of the folder must pass it over."""
    assert (folder / "well_mixed.h5").is_file()
    assert find_runs(folder) == []


def test_a_companion_that_is_not_given_changes_nothing():
    """Two integrators, one with exchanges every six hours, agree to their tolerance."""
    settings = ("duration_days=120", "patient.number=2")
    _, plain = simulate_twin(load_scenario("mcrc_placebo", settings))
    scenario = load_scenario("mcrc_anti_pd1", settings)
    scenario.tables["regimen"] = []
    _, beside = simulate_twin(scenario)
    np.testing.assert_array_equal(beside["time_days"], plain["time_days"])
    for name in ("X1_C", "X2_C", "T8_C", "tumour_volume_cm3"):
        np.testing.assert_allclose(beside[name], plain[name], rtol=1e-7, err_msg=name)


def test_the_twin_of_a_checkpoint_arm_has_the_antibody(tmp_path):
    path = run_well_mixed("mcrc_trial_anti_pd1", ("duration_days=168", "patient.number=5"), tmp_path)
    with path.open(newline="") as file:
        (treated,) = csv.DictReader(file)
    run_well_mixed("mcrc_trial_placebo", ("duration_days=168", "patient.number=5"), tmp_path)
    with path.open(newline="") as file:
        (untreated,) = csv.DictReader(file)
    assert treated["arm"] == "pembrolizumab"
    assert float(treated["tri_week8"]) < float(untreated["tri_week8"]) - 0.02


def test_treatment_until_progression_ends_at_the_visit_that_finds_it():
    """As the compiled cohort does: the same doses, the same course."""
    settings = ("duration_days=224", "patient.number=3")
    scenario = load_scenario("mcrc_trial_tas102", settings)
    _, cohort = simulate_twin(scenario)
    assert cohort["TRI"][cohort["time_days"] == 56.0] >= 0.2, "this patient progresses at once"
    alone = follow_body(Builder(scenario).body(), 224.0, 7.0, until_progression=True)
    for name in ("X2_C", "X3_C", "TRI"):
        np.testing.assert_allclose(alone[name], cohort[name], rtol=1e-5, atol=1e-5, err_msg=name)
    onward = follow_body(Builder(scenario).body(), 224.0, 7.0)
    assert abs(onward["X3_C"][-1] / cohort["X3_C"][-1] - 1.0) > 0.01
