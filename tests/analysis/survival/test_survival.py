"""Survival against closed forms, R's survival package and the published trial."""

import math

import numpy as np
import pytest

from oncolattice.analysis.survival import arm_survival, kaplan_meier, log_rank, median_time
from oncolattice.tests.helpers.trials import MAINTAINED, NOT_MAINTAINED, recourse, times


def recourse_times(curve, arm):
    patients, treated = recourse(curve)
    return patients[treated == (arm == "tas")]


def test_arm_is_the_plain_mean_while_all_are_followed():
    curves = [np.array([1, 0.9, 0.5]), np.array([1, 0.7, 0.1])]
    assert arm_survival(curves) == pytest.approx([1, 0.8, 0.3], rel=1e-14)


def test_arm_censors_a_run_that_ends():
    curves = [np.array([1, 0.8, 0.4]), np.array([1, 0.6])]
    # day 2: only the first is followed, 0.4 / 0.8 of the survivors live on
    assert arm_survival(curves) == pytest.approx([1, 0.7, 0.35], rel=1e-14)


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
