"""Cohorts agree with single bodies, whatever the number of threads; treatment stops at progression."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.immune.qcic.arms import arm_doses
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.immune.qcic.tables import sampled_names
from oncolattice.ode_coupling.ode_only import simulate, simulate_population
from oncolattice.ode_coupling.system import Body, BodyError

BASE = np.array([q.value for q in qcic().parameters if q.name in sampled_names()])


def patients(n: int, seed: int = 1) -> np.ndarray:
    return BASE * np.random.default_rng(seed).uniform(0.7, 1.3, (n, BASE.size))


def named(row: np.ndarray) -> dict[str, float]:
    return dict(zip(sampled_names(), row.tolist(), strict=True))


def test_numbers_do_not_depend_on_the_number_of_threads():
    table = patients(7)
    one, three = (simulate_population(table, "tas102_bev", 40.0, 5.0, workers=n) for n in (1, 3))
    np.testing.assert_array_equal(one.values, three.values)
    alone = simulate_population(table[4:5], "tas102_bev", 40.0, 5.0)
    np.testing.assert_array_equal(alone.values[0], one.values[4])


def test_a_member_of_a_cohort_is_the_patient_alone():
    table = patients(3)
    run = simulate_population(table, "tas102", 70.0, 7.0, variant="conservative", burn_in_days=14.0)
    assert len(run.values) == 3
    for row, values, tri in zip(table, run.values, run.TRI, strict=True):
        doses = arm_doses("tas102")
        single = simulate(named(row), doses, 70.0, 7.0, "conservative", burn_in_days=14.0)
        np.testing.assert_array_equal(values, np.array([single[name] for name in run.states]).T)
        np.testing.assert_array_equal(tri, single["TRI"])


@pytest.mark.parametrize("arm", ["placebo", "tas102", "tas102_bev"])
def test_a_course_agrees_with_a_body_that_stops_at_every_edge(arm):
    doses = [*arm_doses(arm), Dose(10.0, "bevacizumab", 28.0), Dose(9.95, "TAS102", 40.0, 0.2)]
    body = Body(qcic(), {}, doses, rtol=1e-10, atol=1e-6)
    run = simulate({}, doses, 60.0, 5.0, "paper_exact", rtol=1e-11)
    assert len(run["time_days"]) == 13
    for k, time in enumerate(run["time_days"]):
        body.advance_to(time)
        held = np.array([run[state.name][k] for state in qcic().states])
        np.testing.assert_allclose(held, body.y, rtol=1e-7, atol=1e-5)


def test_every_dose_of_a_course_arrives():
    doses = [*arm_doses("tas102_bev"), Dose(10.0, "bevacizumab", 28.0), Dose(9.95, "TAS102", 40.0, 0.2)]
    run = simulate({}, doses, 200.0, 1.0, rtol=1e-4)
    for drug, states in (("TAS102", "Chem"), ("bevacizumab", "Targ")):
        held = sum(run[f"{states}_{place}"] for place in ("C", "P", "eliminated"))
        given = sum(dose.amount for dose in doses if dose.drug == drug)
        assert held[-1] == pytest.approx(given, rel=1e-12)
        assert min(run[f"{states}_{place}"].min() for place in ("C", "P")) >= 0.0


def test_treatment_stops_at_the_assessment_that_shows_progression():
    doses = arm_doses("tas102", "clinical", 200.0)
    run = simulate({}, doses, 200.0, 1.0, "paper_exact", until_progression=True)
    visits = [day for day in (56, 112, 168) if run["TRI"][day] >= 0.2]
    assert visits, "the baseline patient never progresses, so this test shows nothing"
    given = sum(run[f"Chem_{place}"] for place in ("C", "P", "eliminated"))
    due = sum(dose.amount for dose in doses if dose.time_days < visits[0])
    assert given[-1] == pytest.approx(due, rel=1e-9)
    assert due < sum(dose.amount for dose in doses)
    whole = simulate({}, doses, 200.0, 1.0, "paper_exact")
    before = slice(0, visits[0] + 1)
    np.testing.assert_allclose(run["X1_C"][before], whole["X1_C"][before], rtol=1e-5)
    assert run["Chem_C"][visits[0] + 2] < whole["Chem_C"][visits[0] + 2]


def test_patients_of_a_clinical_cohort_stop_each_at_their_own_time():
    table = patients(12, seed=4)
    run = simulate_population(
        table, "tas102", 180.0, 4.0, schedule="clinical",
        states=["Chem_C", "Chem_P", "Chem_eliminated"],
    )  # fmt: skip
    doses = arm_doses("tas102", "clinical", 180.0)
    stops = set()
    for values, tri in zip(run.values, run.TRI, strict=True):
        late = [day for day in (56.0, 112.0, 168.0) if tri[run.time_days == day][0] >= 0.2]
        stop = late[0] if late else np.inf
        stops.add(stop)
        due = sum(dose.amount for dose in doses if dose.time_days < stop)
        assert values[-1].sum() == pytest.approx(due, rel=1e-9)
    assert len(stops) > 1


def test_the_patient_that_blows_up_is_named():
    table = patients(3)
    table[1, sampled_names().index("K1")] = 0.0
    with pytest.raises(BodyError, match=r"patient in row 1: qcic: state X1_C .* at day 0 .*K1 = 0"):
        simulate_population(table, "placebo", 10.0)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: simulate_population(np.ones((2, 20)), "placebo", 1.0), "21 columns"),
        (lambda: simulate_population(-patients(2), "placebo", 1.0), "row 0: 'K_TN4' must be"),
        (lambda: simulate_population(patients(2), "tas", 1.0), "unknown arm 'tas'"),
        (lambda: simulate_population(patients(2), "tas102", 1.0, states=["X_C"]), "unknown qcic state 'X_C'"),
        (lambda: simulate_population(patients(2), "tas102", 1.0, workers=0), "workers must be 1"),
        (lambda: simulate_population(patients(2), "tas102", -1.0), "must not be negative"),
        (
            lambda: simulate_population(patients(2), "tas102", 1.0, variant="paper"),
            "did you mean 'paper_exact'",
        ),
    ],
)
def test_bad_input_is_one_clear_sentence(act, message):
    with pytest.raises(InputError, match=message):
        act()
