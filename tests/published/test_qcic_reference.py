"""QCIC as published (10.1038/s41540-025-00513-1): trajectories, patients and week-8 classes reproduced.

The reference numbers come from the authors' own right-hand side, integrated with relative tolerance 1e-9
and absolute tolerance 1e-4 in steps that end at every dose edge. data/ holds three patients at four times;
the full tables lie beside the repository if at all.
"""

import csv
import json
import pathlib

import numpy as np
import pytest
from oncolattice.ode_coupling.immune.qcic.arms import arm_doses
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts

DATA = pathlib.Path(__file__).parent / "data"
SHARED = pathlib.Path(__file__).resolve().parents[2] / "../shared/reference/qcic"
STATES = [state.name for state in qcic().states][:57]
DRUGS = slice(53, 57)
ARMS = {"placebo": "placebo", "tas102": "tas102", "tas102bev": "tas102_bev"}
# Off drug, where amounts fall below this, the reference shows the noise of its own absolute tolerance.
DRUG_TOLERANCE, DRUG_SMALL = 1e-4, 1e-2

needs_tables = pytest.mark.skipif(not SHARED.is_dir(), reason="the full reference tables are not here")


def table(path: pathlib.Path) -> list[dict[str, str]]:
    with open(path, newline="") as lines:
        return list(csv.DictReader(lines))


def numbers(rows: list[dict[str, str]]) -> np.ndarray:
    return np.array([[float(row[name]) for name in STATES] for row in rows])


def assert_reproduced(patient: dict[str, float], arm: str, days: list[float], expected: np.ndarray) -> None:
    run = simulate(patient, arm_doses(arm), 365.0, 1.0, "paper_exact", rtol=1e-10)
    got = np.array([run[name] for name in STATES]).T[np.searchsorted(run["time_days"], days)]
    error = np.abs(got - expected)
    allowed = 1e-6 * np.abs(expected)
    allowed[:, DRUGS] = np.maximum(allowed[:, DRUGS], DRUG_TOLERANCE * (expected[:, DRUGS] < DRUG_SMALL))
    worst = np.unravel_index(np.argmax(error - allowed), error.shape)
    assert np.all(error <= allowed), (
        f"{STATES[worst[1]]} on day {days[worst[0]]}: {got[worst]} {expected[worst]}"
    )


@pytest.mark.parametrize("patient", table(DATA / "qcic_patients.csv"), ids=lambda row: row["patient"])
def test_three_patients_follow_the_published_trajectory(patient):
    rows = [row for row in table(DATA / "qcic_reference.csv") if row["patient"] == patient["patient"]]
    values = {name: float(value) for name, value in patient.items() if name not in ("patient", "arm")}
    assert len(values) == 21
    assert_reproduced(values, patient["arm"], [float(row["day"]) for row in rows], numbers(rows))


@needs_tables
@pytest.mark.parametrize(
    "name", ["placebo_VP1", "placebo_VP35", "tas102_VP1", "tas102_VP35", "tas102bev_VP1", "tas102bev_VP24"]
)
def test_every_reference_trajectory_weekly_for_a_year(name):
    about = json.loads((SHARED / f"reference_{name}.json").read_text())
    rows = table(SHARED / f"reference_{name}.csv")
    assert_reproduced(
        about["vp_parameters"], ARMS[about["arm"]], [float(row["day"]) for row in rows], numbers(rows)
    )


@pytest.mark.parametrize(
    ("drug", "states", "rates"),
    [
        ("TAS102", ("Chem_C", "Chem_P"), (3.64, 5.55, 7.81)),
        ("bevacizumab", ("Targ_C", "Targ_P"), (0.223, 0.215, 0.0779)),
    ],
)
def test_drug_amounts_equal_the_closed_form_through_a_year(drug, states, rates):
    doses = [dose for dose in arm_doses("tas102_bev") if dose.drug == drug]
    run = simulate({}, arm_doses("tas102_bev"), 365.0, 0.25, "paper_exact", rtol=1e-10)
    exact = exact_amounts(run["time_days"], doses, *rates)
    for k, state in enumerate(states):  # the integrator's absolute tolerance is 1e-4
        np.testing.assert_allclose(run[state], exact[:, k], rtol=1e-6, atol=1e-5)


@needs_tables
def test_molecules_of_the_reference_trajectories():
    names = [output.name for output in qcic().outputs][6:]
    out, u, p = np.zeros(48), np.zeros(14), qcic().parameter_values()
    about = json.loads((SHARED / "reference_tas102bev_VP24.json").read_text())
    for name, value in about["vp_parameters"].items():
        p[qcic().index("parameters", name)] = value
    for row in table(SHARED / "reference_tas102bev_VP24.csv"):
        y = np.append([float(row[name]) for name in STATES], [0.0, 0.0])
        qcic().observe(0.0, y, p, u, out)
        np.testing.assert_allclose(out[6:], [float(row[name]) for name in names], rtol=1e-8)


@needs_tables
def test_published_doses_are_those_of_the_dosing_table():
    expected = sorted(
        (float(r["start_day"]), r["drug"].replace("-", ""), float(r["amount_k_in"]), 0.1)
        for r in table(SHARED / "dosing.csv")
        if float(r["infusion_duration_days"]) == 0.1
    )
    got = [(d.time_days, d.drug, d.amount, d.duration_days) for d in arm_doses("tas102_bev")]
    assert got == expected


@needs_tables
@pytest.mark.slow
@pytest.mark.parametrize(
    ("arm", "counts"),
    [
        ("placebo", {"SD": 15, "PD": 85}),
        ("tas102", {"PR": 1, "SD": 44, "PD": 55}),
        ("tas102bev", {"PR": 3, "SD": 62, "PD": 35}),
    ],
)
def test_week_8_classes_of_the_benchmark_cohorts(arm, counts):
    expected = [row for row in table(SHARED / "tri_day56.csv") if row["arm"] == arm]
    classes = []
    for patient, row in zip(table(SHARED / f"vp_matrix_{arm}.csv"), expected, strict=True):
        assert patient.pop("vp") == row["vp"]
        values = {name: float(value) for name, value in patient.items()}
        tri = simulate(values, arm_doses(ARMS[arm]), 56.0, 56.0, "paper_exact", rtol=1e-8)["TRI"][-1]
        assert abs(tri - float(row["tri56_accurate"])) < 1e-6
        classes.append(["CR", "PR", "SD", "PD"][np.searchsorted([-0.8, -0.3, 0.2], tri, side="right")])
    assert {name: classes.count(name) for name in set(classes)} == counts
