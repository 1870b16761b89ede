"""A cohort: who is dropped and why, weights that meet the trials, picks that patient.number finds."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.calibrate import response_classes
from oncolattice.analysis.calibrate.endpoints import Courses
from oncolattice.analysis.outcomes.death import DeathLaw
from oncolattice.ode_coupling.immune.qcic.arms import arm_doses
from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.ode_coupling.system import BodyError
from oncolattice.scenarios.files.scenario import load_scenario
from oncolattice.scenarios.files.study import load_study
from oncolattice.scenarios.patients import ode_trial
from oncolattice.scenarios.patients.cohort import RANGES, judge, make_cohort, write_selection
from oncolattice.scenarios.patients.ode_trial import ARMS, OdeTrial, run_ode_trial
from oncolattice.scenarios.patients.sample import load_population, sample, sample_tissue
from oncolattice.scenarios.patients.trial_prediction import courses_of_trial, lattice_minus_ode, predict
from oncolattice.scenarios.simulate.body_side import patient_of, schedule_of
from oncolattice.scenarios.simulate.build import build, route
from oncolattice.scenarios.tissue.density import draw_densities


def made_up(tri, blown_up=()):
    """Return a trial whose tumours have these changes at week 8 (arm to values)."""
    n = len(tri["placebo"])
    time = np.array([0.0, 28.0, 56.0])
    course = {arm: np.outer(values, time / 56.0) for arm, values in tri.items()}
    baseline = {name: np.full(n, np.sqrt(low * high)) for name, (low, high) in RANGES.items() if "_" in name}
    numbers = np.array([k for k in range(1, n + len(blown_up) + 1) if k not in blown_up])
    return OdeTrial(
        "mcrc_week8", "iid", "conservative", "clinical", 2025, numbers, tuple(blown_up), [{}] * n, time,
        course, {arm: np.ones_like(v) for arm, v in course.items()}, baseline,
    )  # fmt: skip


@pytest.fixture
def trial():
    rng = np.random.default_rng(1)
    common = rng.normal(0.0, 0.2, 300)
    return made_up(
        {
            "placebo": np.maximum(0.35 + common, -0.09),
            "TAS-102": 0.2 + 1.2 * common,
            "TAS-102 + bevacizumab": -0.05 + 1.5 * common,
        },
        blown_up=(7, 9),
    )


def test_patients_are_dropped_for_growth_and_baseline():
    found = made_up({"placebo": np.array([-0.2, 0.0, 0.5, 6.0])})
    found.baseline["T8_C"][1] = 1e9
    judged = judge(found)
    # -0.2 shrinks untreated; 6.0 doubles in 56 ln 2 / ln 7 = 19.9 days
    assert judged.mask.tolist() == [False, False, True, False]
    gone = {name: k for name, k in judged.outside.items() if k}
    assert gone == {"untreated doubling time (d)": 1, "untreated change at week 8": 1, "T8_C": 1}
    with pytest.raises(InputError, match="run the arm 'placebo'"):
        judge(OdeTrial(**(vars(found) | {"tri": {"TAS-102": found.tri["placebo"]}})))


def test_weights_meet_the_trials_in_all_arms(trial):
    cohort = make_cohort(trial)
    for arm, pd, dcr in (
        ("placebo", 84.5, 15.5),
        ("TAS-102", 54.3, 45.7),
        ("TAS-102 + bevacizumab", 37.2, 62.8),
    ):
        found = cohort.response(arm, weighted=True)
        # published shares are rounded to 0.1 and add up to 99.9 to 100.1
        assert abs(found.PD - pd) <= 0.1
        assert abs(found.DCR - dcr) <= 0.1
        assert abs(cohort.response(arm, weighted=False).PD - pd) > 1.0
    assert 1 < cohort.weights.effective < cohort.plausibility.kept
    assert "proposed 302, blown up 2" in cohort.lines()[0]


def test_picked_patients_have_the_shares_of_the_trials(trial):
    cohort = make_cohort(trial)
    numbers = cohort.pick(100, 1)
    assert len(numbers) == 100
    assert not {7, 9} & set(numbers)
    assert numbers == cohort.pick(100, 1)
    row = {int(k): i for i, k in enumerate(trial.numbers)}
    for arm, pd in (("placebo", 84.5), ("TAS-102", 54.3), ("TAS-102 + bevacizumab", 37.2)):
        classes = response_classes(trial.week8(arm)[[row[k] for k in numbers]])
        assert abs(np.sum(classes == "PD") - pd) <= 4
        # the first sixteen stand for all: within two patients of their share
        assert abs(np.sum(classes[:16] == "PD") - 0.16 * pd) <= 2


def test_a_selection_is_a_population_that_patient_number_finds(trial, tmp_path):
    cohort = make_cohort(trial)
    numbers = cohort.pick(20, 1)
    path = write_selection(cohort, numbers, "twenty", "Twenty", "mcrc_week8", tmp_path / "twenty.toml")
    population = load_population(path)
    assert list(population.selection.numbers) == numbers
    scenario = load_scenario(
        "mcrc_trial_placebo", [f"population={path}", "patient.number=5", "population_seed=2025"]
    )
    _, values = patient_of(scenario)
    week8 = load_population("mcrc_week8")
    body, tissue = (draw(week8, numbers[4], 2025)[-1] for draw in (sample, sample_tissue))
    assert values == body | tissue


@pytest.mark.parametrize("name", ["mcrc_trial_placebo", "mcrc_trial_tas102_bev", "mcrc_trial_anti_pd1"])
def test_the_body_of_the_lattice_has_the_parameters_of_the_patient_and_no_others(name):
    """A tissue parameter that bore the name of a body parameter would change the body, and the calibration."""
    scenario = load_scenario(name)
    _, body = route(scenario, patient_of(scenario)[1])
    assert body == sample(load_population("mcrc_trial_100"), 1, 2025)[0]


def test_a_trial_without_a_lattice_has_the_doses_of_the_lattice_trial():
    """To week 8 the arms of both are the same doses; so one patient has the same course in both."""
    names = ("mcrc_trial_placebo", "mcrc_trial_tas102", "mcrc_trial_tas102_bev")
    for (arm, plain), name in zip(ARMS.items(), names, strict=True):
        scenario = load_scenario(name, ["duration_days=56"])
        assert scenario.tables["scenario"]["arm"] == arm
        assert scenario.tables["scenario"]["treatment"] == "until progression"
        ours = [(d.time_days, d.drug, d.amount, d.duration_days) for d in schedule_of(scenario.tables)]
        wanted = [
            (d.time_days, d.drug, d.amount, d.duration_days) for d in arm_doses(plain, "clinical", 56.0)
        ]
        assert sorted(ours) == sorted(wanted)


def test_patients_run_as_they_do_alone_with_their_own_kinetics():
    population = load_population("mcrc_week8")
    trial = run_ode_trial(population, 2, 5, days=56.0, every_days=28.0, workers=1)
    patient = sample(population, 2, 5)[1]
    doses = arm_doses("tas102_bev", "clinical", 56.0)
    alone = simulate(patient, doses, 56.0, 28.0, "conservative", burn_in_days=14.0)
    assert trial.week8("TAS-102 + bevacizumab")[1] == pytest.approx(alone["TRI"][-1], rel=1e-9)
    typical = {k: v for k, v in patient.items() if not k.startswith("k_")}
    other = simulate(typical, doses, 56.0, 28.0, "conservative", burn_in_days=14.0)
    assert abs(other["TRI"][-1] - alone["TRI"][-1]) > 1e-6


def test_patients_that_blow_up_are_counted_and_the_others_kept(monkeypatch):
    whole = ode_trial.simulate_population
    poison = sample(load_population("mcrc_week8"), 5, 5)[3]["K1"]

    def explode(table, *args, columns, **settings):
        if poison in table[:, list(columns).index("K1")]:
            raise BodyError("blown up")
        return whole(table, *args, columns=columns, **settings)

    monkeypatch.setattr(ode_trial, "simulate_population", explode)
    trial = run_ode_trial(load_population("mcrc_week8"), 5, 5, days=28.0, every_days=28.0, arms=("placebo",))
    assert trial.blown_up == (4,)
    assert trial.numbers.tolist() == [1, 2, 3, 5]
    assert trial.tri["placebo"].shape == (4, 2)


def test_predictions_say_hit_or_miss():
    """Tumours whose arms are alike: no benefit, so the hazard ratios miss and are near 1."""
    time = np.arange(0.0, 366.0, 5.0)
    growth = np.random.default_rng(3).gamma(4.0, 0.001, (400, 1))
    same = np.expm1(growth * time)
    courses = {arm: Courses(arm, time, same) for arm in ("placebo", "TAS-102")}
    rows = predict(courses, DeathLaw("one", "log volume", 1.6, 0.3, "assumed"))
    ratios = {row["endpoint"]: row for row in rows if row["quantity"].startswith("hazard ratio")}
    assert [ratios[e]["predicted"] for e in ("PFS", "OS")] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert [ratios[e]["verdict"] for e in ("PFS", "OS")] == ["miss", "miss"]
    assert {row["verdict"] for row in rows} <= {"hit", "miss", "calibrated"}


def test_a_cohort_of_other_patients_is_refused(trial):
    cohort = make_cohort(trial)
    other = OdeTrial(**(vars(trial) | {"seed": 1}))
    with pytest.raises(InputError, match="not of the same patients"):
        courses_of_trial(other, cohort, 50)
    found = courses_of_trial(trial, cohort, 50)
    assert found["placebo"].tri.shape == (50, 3)


def test_lattice_less_ode_is_paired_by_arm_and_patient():
    lattice = [{"arm": "a", "patient": "p-1", "seed": 3, "tri_week8": "0.5"}]
    twins = [
        {"arm": "a", "patient": "p-1", "tri_week8": 0.2},
        {"arm": "b", "patient": "p-1", "tri_week8": 9.0},
    ]
    assert lattice_minus_ode(lattice, twins)[0]["difference"] == pytest.approx(0.3)
    with pytest.raises(InputError, match="no twin"):
        lattice_minus_ode(lattice, twins[1:])


@pytest.mark.parametrize(
    ("name", "runs"), [("mcrc_trial", 300), ("mcrc_strata", 180), ("mcrc_sections", 180)]
)
def test_studies_cross_one_population_with_all_arms(name, runs):
    study = load_study(name)
    assert len(study.arms) * study.patients * len(study.points) == runs
    for arm in study.arms:
        assert load_scenario(arm, study.settings).tables["patient"]["population"] == "mcrc_trial_100"


def test_densities_of_a_patient_or_stratum_reach_the_tissue():
    settings = ["rows=64", "columns=96", "section_CTL=100", "margin_ratio_CTL=3", "stroma_share=0.2"]
    simulation = build(load_scenario("mcrc_trial_placebo", settings), 1)
    report = simulation.placement.report["immune"]["CTL"]
    assert report["asked_per_mm2"] == pytest.approx({"core": 164.0, "margin": 492.0})
    mm2 = 0.015**2
    margin = round(500 / 15)
    placed = 164.0 * 64 * (96 - margin) * mm2 + 492.0 * 64 * margin * mm2
    model = simulation.model
    names = [info.name for info in model.types]
    occupant = simulation.placement.occupant
    assert abs(np.count_nonzero(occupant == 1 + names.index("CTL")) - placed) <= 1
    assert np.count_nonzero(occupant == 1 + names.index("stroma")) == round(0.2 * 64 * 96)


def test_tissue_is_that_of_the_patient_unless_it_is_set():
    population = load_population("mcrc_trial_100")
    patients = sample_tissue(population, 2, 2025)
    for number, patient in enumerate(patients, start=1):
        settings = ["rows=48", "columns=96", f"patient.number={number}"]
        placement = build(load_scenario("mcrc_trial_placebo", settings), 1).placement
        asked = placement.report["immune"]["CTL"]["asked_per_mm2"]["core"]
        assert asked == pytest.approx(1.64 * patient["section_CTL"])
        assert placement.report["vessels"]["asked_per_mm2"] == pytest.approx(patient["vessel_density"])
        placement = build(load_scenario("mcrc_trial_placebo", [*settings, "vessel_density=99"]), 1).placement
        assert placement.report["vessels"]["asked_per_mm2"] == 99.0
    assert patients[0]["vessel_density"] != patients[1]["vessel_density"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"core": 1.0}, "'margin' is missing"),
        ({"core": 1.0, "edge": 1.0}, "region 'edge'"),
        ({"core": -1.0, "margin": 1.0}, "0 or more"),
    ],
)
def test_densities_that_are_none_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        draw_densities({"immune": {"CTL": table}}, 1)
