"""Survival against closed forms, R's survival package and the published trial."""

import math
from dataclasses import replace

import numpy as np
import pytest
from oncolattice.analysis.survival import (
    DEATH,
    DeathFunction,
    arm_survival,
    draw_deaths,
    expected_survival,
    kaplan_meier,
    log_rank,
    median_time,
    relative_burden,
)
from oncolattice.tests.analysis.synthetic import run
from oncolattice.tests.analysis.trials import MAINTAINED, NOT_MAINTAINED, recourse, times


def recourse_times(curve, arm):
    patients, treated = recourse(curve)
    return patients[treated == (arm == "tas")]


def test_death_function_is_one_half_at_mu_and_the_hand_computed_value_at_baseline():
    assert DEATH.probability(np.exp([1.60])) == pytest.approx([0.5], rel=1e-12)
    assert DEATH.probability([1.0])[0] == pytest.approx(1 / (1 + math.exp(1.60 / 0.195)), rel=1e-12)
    assert DEATH.probability([0.0])[0] == 0.0
    assert math.isnan(DEATH.probability([math.nan])[0])


def test_constant_burden_gives_geometric_survival():
    death = DeathFunction(mu=0.0, sigma=1.0)  # one half a day at baseline
    assert expected_survival(np.ones(6), death).tolist() == [1, 0.5, 0.25, 0.125, 0.0625, 0.03125]


def test_each_day_uses_the_burden_at_its_start():
    death = DeathFunction(mu=0.0, sigma=1.0)
    # odds of death equal X/X0, so survival of a day is 1 / (1 + X/X0)
    assert expected_survival([0.0, 1.0, 3.0, 99.0], death) == pytest.approx([1, 1, 1 / 2, 1 / 8], rel=1e-14)


def test_arm_is_the_plain_mean_while_all_are_followed():
    curves = [np.array([1, 0.9, 0.5]), np.array([1, 0.7, 0.1])]
    assert arm_survival(curves) == pytest.approx([1, 0.8, 0.3], rel=1e-14)


def test_arm_censors_a_run_that_ends():
    curves = [np.array([1, 0.8, 0.4]), np.array([1, 0.6])]
    # day 2: only the first is followed, 0.4 / 0.8 of the survivors live on
    assert arm_survival(curves) == pytest.approx([1, 0.7, 0.35], rel=1e-14)


def test_burden_on_whole_days():
    record = run(days=20.5, slope=0.01)
    assert relative_burden(record) == pytest.approx(np.exp(0.01 * np.arange(21)), rel=1e-6)


def patients(number, slope=0.02, arm="placebo"):
    record = run(days=60.0, step=1.0, slope=slope, sites=8, snapshot_days=())
    # the same run under many names: only the luck differs
    return [_named(record, f"p{k}", arm) for k in range(number)]


def _named(record, patient, arm):
    return replace(record, patient=patient, arm=arm, snapshots=())


def deaths_z(records, expected):
    """z of the deaths seen by day 55 against a binomial with the expected chance."""
    found, n = draw_deaths(records), len(records)
    dead = np.count_nonzero(found.observed & (found.time <= 55))
    return (dead - n * (1 - expected)) / math.sqrt(n * expected * (1 - expected))


def test_drawn_deaths_follow_the_expected_curve():
    # |z| < 4.5: false alarm below 1e-5; a chance of survival wrong by 10 % is seen
    records = patients(4000)
    alive = expected_survival(np.exp(0.02 * np.arange(61)))[55]
    assert 0.2 < alive < 0.8
    assert abs(deaths_z(records, alive)) < 4.5
    assert abs(deaths_z(records, 1.1 * alive)) > 4.5
    assert abs(deaths_z(records, 0.9 * alive)) > 4.5


def test_luck_belongs_to_the_patient_and_is_reproducible():
    a, b = patients(50), patients(50, arm="TAS-102")[::-1]
    first, second = draw_deaths(a), draw_deaths(b)
    assert first.time.tolist() == second.time[::-1].tolist()
    assert draw_deaths(a, seed=1).time.tolist() != first.time.tolist()
    gentle = draw_deaths(patients(50, slope=0.01))
    assert (gentle.time >= first.time).all(), "a smaller tumour never dies earlier with the same luck"


def test_a_run_that_ends_before_death_is_censored_at_its_end():
    record = run(days=30.0, slope=-0.02)
    found = draw_deaths([record])
    assert (found.time.tolist(), found.observed.tolist()) == ([30.0], [False])


def test_kaplan_meier_and_log_rank_of_the_aml_trial():
    # R 4.2.2, survival 3.5-3
    first, second = times(MAINTAINED), times(NOT_MAINTAINED)
    assert median_time(*kaplan_meier(first)) == 31
    assert median_time(*kaplan_meier(second)) == 23
    chi2, p = log_rank(first, second)
    assert chi2 == pytest.approx(3.396388699, abs=1e-9)
    assert p == pytest.approx(math.erfc(math.sqrt(chi2 / 2)), rel=1e-9)
    assert first.at_risk([0, 13, 13.5, 31, 200]).tolist() == [11, 10, 8, 5, 0]


def test_nobody_dies():
    nobody = times((-5, -6))
    at, survival = kaplan_meier(nobody)
    assert survival.tolist() == [1.0] * at.size
    assert math.isnan(median_time(at, survival))
    assert all(math.isnan(v) for v in log_rank(nobody, nobody))


@pytest.mark.parametrize(
    ("curve", "arm", "median", "fractions"),
    [
        ("RECOURSE_1A", "placebo", 5.27, (0.757, 0.439, 0.241, 0.175)),
        ("RECOURSE_1A", "tas", 7.04, (0.861, 0.582, 0.400, 0.268)),
        ("RECOURSE_2A", "placebo", 1.74, (0.131, 0.0106, 0.0106, 0.0053)),
        ("RECOURSE_2A", "tas", 1.98, (0.411, 0.150, 0.0793, 0.0294)),
    ],
)
def test_kaplan_meier_of_recourse(curve, arm, median, fractions):
    at, survival = kaplan_meier(recourse_times(curve, arm))
    assert median_time(at, survival) == pytest.approx(median, abs=0.006)
    found = [survival[np.searchsorted(at, m, side="right") - 1] for m in (3, 6, 9, 12)]
    assert found == pytest.approx(fractions, abs=0.0006)


def test_log_rank_of_recourse():
    chi2, _ = log_rank(recourse_times("RECOURSE_1A", "placebo"), recourse_times("RECOURSE_1A", "tas"))
    assert chi2 == pytest.approx(19.90, abs=0.005)  # R
