"""Outcomes of runs whose volume is known in closed form."""

import math

import numpy as np
import pytest

from oncolattice.analysis.outcomes.table import class_counts, disease_control, outcome, progression, visits
from oncolattice.analysis.series import arms, daily, exemplars, snapshot_on, tri, week8_tri
from oncolattice.tests.helpers.synthetic import run, trial


@pytest.mark.parametrize(
    ("slope", "days", "expected"),
    [
        # V reaches 1.2 V0 on day ln(1.2) / slope
        (0.004, 200.0, (56.0, True)),  # day 45.6
        (0.002, 200.0, (112.0, True)),  # day 91.2
        (0.0012, 200.0, (168.0, True)),  # day 151.9
        (0.001, 200.0, (168.0, False)),  # day 182.3, after the last visit
        (-0.01, 100.0, (56.0, False)),
        (0.05, 55.0, (0.0, False)),  # never seen at a visit
    ],
)
def test_progression_is_dated_on_the_visit_that_sees_it(slope, days, expected):
    seen = progression(run(days=days, slope=slope))
    assert (seen.days, seen.event) == expected


def test_visits_reached():
    assert visits(run(days=55.75)).size == 0
    assert visits(run(days=56.0)).tolist() == [56.0]
    assert visits(run(days=182.0)).tolist() == [56.0, 112.0, 168.0]


def test_a_row_of_a_long_run():
    row = outcome(run("TAS-102", "p003", seed=3, days=112.0, slope=-0.004))
    assert list(row)[:5] == ["run", "scenario", "arm", "patient", "seed"]
    assert (row["arm"], row["patient"], row["seed"]) == ("TAS-102", "p003", 3)
    assert row["tri_week8"] == pytest.approx(math.exp(-0.224) - 1, rel=1e-9)
    assert row["class_week8"] == "SD"
    assert row["tri_end"] == row["tri_best"] == pytest.approx(math.exp(-0.448) - 1, rel=1e-9)
    assert (row["pfs_event"], row["last_visit_days"]) == (0, 112.0)
    assert math.isnan(row["pfs_days"])


def test_a_row_of_a_run_shorter_than_8_weeks():
    row = outcome(run(days=20.0))
    assert row["class_week8"] == "NE"
    assert all(math.isnan(row[k]) for k in ("tri_week8", "tri_best", "pfs_days", "CTL_density_week8"))
    assert row["CTL_density_day0"] > 0


def test_biomarkers_of_a_row_are_those_of_its_snapshots():
    record = run(days=60.0)
    row, area = outcome(record), (64 * 0.015) ** 2
    for label, index in (("day0", 0), ("week8", 56 * 4)):
        ctl, treg = record.count[index, 5], record.count[index, 7]
        assert row[f"CTL_density_{label}"] == pytest.approx(ctl / area)
        assert row[f"CTL_per_Treg_{label}"] == pytest.approx(ctl / treg)


def test_class_counts():
    counts = class_counts([-0.9, -0.5, -0.31, 0.0, 0.19, 0.2, 3.0, math.nan])
    assert counts == {"CR": 1, "PR": 2, "SD": 2, "PD": 2, "NE": 1}
    assert disease_control(counts) == 5


def test_daily_takes_the_first_record_of_each_day_and_the_last():
    record = run(days=2.75)
    assert record.time_days[daily(record)].tolist() == [0.0, 1.0, 2.0, 2.75]


def test_snapshots_are_found_within_half_a_day():
    record = run(days=60.0)
    assert snapshot_on(record, 56.4).time_days == 56.0
    assert snapshot_on(record, 57.0) is None


def test_arms_keep_their_order_and_tri_starts_at_zero():
    records = trial(2)
    assert list(arms(records)) == ["placebo", "TAS-102", "TAS-102 + bevacizumab"]
    assert all(tri(r)[0] == 0.0 for r in records)


def test_the_exemplary_patient_is_the_median_one_and_the_same_in_every_arm():
    records = trial(3, days=60.0)  # slopes rise with the patient's number, so p002 is the median
    chosen = exemplars(records)
    assert {r.patient for r in chosen.values()} == {"p002"}
    for arm, runs in arms(records).items():
        assert week8_tri(chosen[arm]) == np.median([week8_tri(r) for r in runs])


def test_arms_without_a_common_patient_have_their_own_exemplar():
    records = [run("placebo", "p001", 1), run("TAS-102", "p002", 2)]
    assert {arm: r.patient for arm, r in exemplars(records).items()} == {"placebo": "p001", "TAS-102": "p002"}
