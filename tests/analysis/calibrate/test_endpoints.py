"""Progression at visits, deaths by one law and hazard ratios, against closed forms."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.calibrate.endpoints import (
    Courses,
    death_times,
    expected_survival,
    fit_law,
    hazard_ratio,
    median_months,
    progression,
    progression_or_death,
    survival_at,
)
from oncolattice.analysis.outcomes.death import DeathLaw
from oncolattice.analysis.survival import Times

MONTH = 30.4375


def constant(rate, patients, days=365.0, arm="placebo"):
    """Return tumours that stand still and a law that gives them this hazard (1/d)."""
    z = math.log(math.expm1(rate))  # ln(1 + exp(z)) is the hazard
    law = DeathLaw("one", "log volume", -z, 1.0, "assumed")
    time = np.linspace(0.0, days, 74)
    return Courses(arm, time, np.zeros((patients, time.size))), law


def test_progression_is_seen_at_the_first_visit_that_finds_it():
    time = np.arange(0.0, 181.0)
    tri = np.array([time * 0.2 / 50, time * 0.2 / 60, np.zeros(181), np.where(time < 100, 0.0, 0.2)])
    found = progression(Courses("a", time, tri))
    assert found.time.tolist() == [56.0, 112.0, 168.0, 112.0]
    assert found.observed.tolist() == [True, True, False, True]
    with pytest.raises(InputError, match="before the first visit"):
        progression(Courses("a", time[:20], tri[:, :20]))


def test_expected_survival_of_a_constant_hazard_is_exponential():
    courses, law = constant(0.004, 3)
    np.testing.assert_allclose(expected_survival(courses, law), np.exp(-0.004 * courses.time_days), rtol=1e-9)
    assert median_months(courses.time_days, expected_survival(courses, law)) == pytest.approx(
        math.log(2) / 0.004 / MONTH, rel=1e-3
    )
    assert survival_at(courses.time_days, expected_survival(courses, law), 6.0) == pytest.approx(
        math.exp(-0.004 * 6 * MONTH), rel=1e-3
    )


def test_drawn_deaths_have_the_expected_survival():
    """4,000 draws: share alive within 4.5 SE at three times, a false alarm in 50,000."""
    courses, law = constant(0.005, 4000)
    drawn = death_times(courses, law, 1)
    for day in (60.0, 180.0, 300.0):
        alive = math.exp(-0.005 * day)
        assert abs(np.mean(drawn.time > day) - alive) < 4.5 * math.sqrt(alive * (1 - alive) / 4000)
    assert (death_times(courses, law, 1).time == drawn.time).all()
    assert (death_times(courses, law, 2).time != drawn.time).any()


def test_a_hazard_twice_as_high_has_a_hazard_ratio_of_two():
    """ln HR of 3,000 against 3,000: SE about 0.03; 4.5 SE."""
    slow, low = constant(0.003, 3000)
    fast, high = constant(0.006, 3000)
    found = hazard_ratio(death_times(fast, high, 1), death_times(slow, low, 2))
    assert abs(math.log(found / 2.0)) < 4.5 * 0.03


def test_the_earlier_of_progression_and_death_counts():
    progressed = Times(np.array([56.0, 112.0, 168.0]), np.array([1, 0, 0]))
    died = Times(np.array([80.0, 60.0, 300.0]), np.array([1, 1, 0]))
    found = progression_or_death(progressed, died)
    assert found.time.tolist() == [56.0, 60.0, 168.0]
    assert found.observed.tolist() == [True, True, False]


def test_a_fitted_law_returns_the_curve_that_a_known_law_made():
    rng = np.random.default_rng(5)
    time = np.linspace(0.0, 400.0, 81)
    tri = np.expm1(rng.normal(0.004, 0.002, (60, 1)) * time)
    courses, true = Courses("placebo", time, tri), DeathLaw("true", "log volume", 1.6, 0.3, "assumed")
    curve = {m: survival_at(time, expected_survival(courses, true), m) for m in (3, 6, 9, 12)}
    found = fit_law(courses, curve, start=(2.0, 0.5))
    for months, alive in curve.items():
        assert survival_at(time, expected_survival(courses, found), months) == pytest.approx(alive, abs=2e-3)
    with pytest.raises(InputError, match="two or more"):
        fit_law(courses, {6: 0.5})


def test_a_law_by_carrying_capacity_needs_it():
    courses, _ = constant(0.004, 2)
    with pytest.raises(InputError, match="which the courses of placebo lack"):
        expected_survival(courses, DeathLaw("chi", "carrying capacity", 0.5, 0.05, "assumed"))
