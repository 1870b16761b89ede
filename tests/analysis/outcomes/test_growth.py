"""Growth metrics against published numbers, exact curves and hand-computed changes."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.outcomes.growth import (
    depth_of_response,
    early_shrinkage,
    fit_stein,
    stein,
    stein_nadir_days,
)


def test_nadir_and_week_8_of_the_closed_form():
    # g = .004, d = .02 per day: computed apart, t = ln(5) / .024
    assert stein_nadir_days(0.004, 0.02) == pytest.approx(67.05991, abs=5e-6)
    assert stein(np.array([67.05991, 56.0]), 0.004, 0.02) == pytest.approx([0.569193, 0.577351], abs=5e-7)
    assert stein_nadir_days(0.02, 0.004) == 0.0


def test_rates_of_exact_curves_are_found():
    days = np.arange(9) * 42.0
    rng = np.random.default_rng(5)
    g, d = np.exp(rng.uniform(math.log(0.001), math.log(0.012), 200)), rng.uniform(0.004, 0.04, 200)
    found = fit_stein(days, 80.0 * stein(days, g[:, None], d[:, None]))
    assert found.g == pytest.approx(g, rel=1e-5)
    assert found.d == pytest.approx(d, rel=1e-5)
    assert (found.rms < 1e-8).all()


def test_missed_visits_do_not_matter_and_too_few_give_no_rate():
    days = np.arange(6) * 56.0
    size = np.tile(50.0 * stein(days, 0.005, 0.015), (3, 1))
    size[1, [2, 4]] = np.nan
    size[2, 2:] = np.nan
    found = fit_stein(days, size)
    assert found.g[:2] == pytest.approx([0.005] * 2, rel=1e-5)
    assert math.isnan(found.g[2])
    assert math.isnan(found.d[2])


def test_pure_growth_has_next_to_no_decay():
    days = np.arange(6) * 56.0
    found = fit_stein(days, 30.0 * np.exp(0.004 * days)[np.newaxis])
    assert found.g[0] == pytest.approx(0.004, rel=2e-3)
    assert found.d[0] < 2e-5


def test_rates_are_right_on_average_under_measurement_error():
    # 5 % error, 400 patients: the mean of ln g within 4.5 standard errors of ln .004, plus its curvature bias
    # (second order in the error, below .01); false alarm below 1e-5
    days, rng = np.arange(10) * 28.0, np.random.default_rng(8)
    true = stein(days, 0.004, 0.02)
    size = true * np.exp(0.05 * rng.standard_normal((400, days.size)))
    log_g = np.log(fit_stein(days, size).g)
    assert abs(log_g.mean() - math.log(0.004)) < 4.5 * log_g.std(ddof=1) / 20.0 + 0.01


def test_shapes_must_fit():
    with pytest.raises(InputError, match="3 sizes for 2 visits"):
        fit_stein(np.array([0.0, 56.0]), np.ones((1, 3)))


def test_depth_and_early_shrinkage_by_hand():
    days, change = np.array([28.0, 56.0, 84.0]), np.array([-0.1, -0.2, -0.5])
    assert depth_of_response(change) == -0.5
    assert early_shrinkage(days, change) == 1.0
    assert early_shrinkage(days, np.array([-0.3, -0.1, -0.5])) == 0.0  # the last visit up to week 8 decides
    assert early_shrinkage(days, np.array([-0.3, math.nan, -0.5])) == 1.0
    assert math.isnan(early_shrinkage(np.array([84.0]), np.array([-0.5])))
    assert math.isnan(depth_of_response(np.array([math.nan])))
