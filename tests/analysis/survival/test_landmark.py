"""Landmarks, splits by a biomarker, and events between visits."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.survival import (
    Curve,
    Intervals,
    Times,
    biomarker_split,
    intervals_from_columns,
    landmark,
    log_rank_test,
    progression_curve,
    survival_curve,
    turnbull,
    weighted_median,
)
from oncolattice.tests.helpers.trials import MAINTAINED, aml, lung, times

# Breast cosmesis after radiotherapy alone (months to deterioration): Finkelstein and Wolfe 1985, 10.2307/2530965
COSMESIS = """45- 25,37 37- 6,10 46- 0,5 0,7 26,40 18- 46- 46- 24- 46- 27,34 36- 7,16 36,44 5,11 17- 46- 19,35 7,14
36,48 17,25 37,44 37- 24- 0,8 40- 32- 4,11 17,25 33- 15- 46- 19,26 11,15 11,18 37- 22- 38- 34- 46- 5,12 36- 46-"""


def cosmesis():
    parts = [(word[:-1], math.inf) if word[-1] == "-" else word.split(",") for word in COSMESIS.split()]
    return Intervals(*np.array(parts, dtype=float).T)


def test_landmark_keeps_those_followed_beyond_it():
    found = landmark(times((3, -5, 10, 12, -20)), 10)
    assert (found.times.time.tolist(), found.times.observed.tolist()) == ([2, 10], [True, False])
    assert found.kept.tolist() == [False, False, False, True, True]
    assert (found.events_before, found.censored_before) == (2, 1)
    assert len(landmark(times((0.0, 1)), 0).times) == 2
    with pytest.raises(InputError, match="nobody is followed beyond the landmark, day 20"):
        landmark(times((3, -20)), 20)


def test_survival_from_a_landmark_is_conditional_survival():
    patients, _ = lung()
    whole = survival_curve(patients).at([200, 400])[:, 0]
    assert survival_curve(landmark(patients, 200).times).at([200])[0, 0] == pytest.approx(whole[1] / whole[0])


def test_immortal_time_is_refused_and_would_have_misled():
    rng = np.random.default_rng(7)
    time = rng.exponential(100.0, 2000)
    patients = Times(time, np.ones(2000))
    # a marker of day 56 that says nothing, but reads 0 in those who did not live to be measured
    marker = np.where(time > 56, rng.uniform(size=2000), 0.0)
    with pytest.raises(InputError, match=r"immortal time\); use landmark_day = 56"):
        biomarker_split(patients, marker, measured_day=56)
    naive = log_rank_test(patients, marker > np.median(marker))
    assert naive.p < 1e-20
    honest = biomarker_split(patients, marker, measured_day=56, landmark_day=56)
    assert honest.log_rank.p > 1e-4  # false alarm 1e-4
    assert honest.patients["event_before"] == np.count_nonzero(time <= 56)
    assert honest.patients["low"] == pytest.approx(honest.patients["high"], abs=1)


def test_a_death_weighs_one_patient_of_its_own_group():
    # 50 patients a group: each death costs its group 2 %, in both
    time = np.concatenate([np.arange(1, 51), np.arange(101, 151)])
    seen = np.arange(100) % 5 == 0
    follow = np.where(seen, time, 365.0)
    split = biomarker_split(Times(follow, seen), np.repeat([0.0, 1.0], 50), measured_day=0)
    assert split.cutoff == 0.5
    for curve in (split.low, split.high):
        assert curve.at([365])[0, 0] == pytest.approx(1 - 10 * 0.02, abs=1e-12)


def test_split_with_weights_of_a_population():
    patients, columns = lung()
    weights = 1.0 + np.arange(228) % 3
    split = biomarker_split(patients, columns["age"], 0, weights=weights)
    assert split.log_rank is None
    high = columns["age"] > split.cutoff
    expected = survival_curve(patients[high], weights=weights[high])
    assert split.high.survival.tolist() == expected.survival.tolist()
    assert weights[high].sum() <= weights.sum() / 2 <= weights[columns["age"] >= split.cutoff].sum()


def test_patients_without_a_measurement_are_counted_out():
    patients, columns = lung()
    marker = np.where(np.arange(228) < 28, math.nan, columns["age"])
    split = biomarker_split(patients, marker, 0, cutoff=60)
    assert split.patients["not_measured"] == 28
    expected = log_rank_test(patients[28:], columns["age"][28:] > 60)
    assert split.log_rank.chi_squared == pytest.approx(expected.chi_squared, rel=1e-12)
    with pytest.raises(InputError, match="leaves 200 patients low and 0 high"):
        biomarker_split(patients, marker, 0, cutoff=100)
    with pytest.raises(InputError, match="one length"):
        biomarker_split(patients, marker[1:], 0)


def test_weighted_median():
    assert weighted_median(np.array([3.0, 1, 2, 4]), np.ones(4)) == 2.5
    assert weighted_median(np.array([3.0, 1, 2]), np.ones(3)) == 2.0
    assert weighted_median(np.array([3.0, 1, 2]), np.array([5.0, 1, 1])) == 3.0


def test_turnbull_of_breast_cosmesis():
    # masses as tabulated by Fay and Shaw 2010, 10.18637/jss.v036.i02
    found = turnbull(cosmesis())
    given = found.mass > 1e-4
    assert found.left[given].tolist() == [4, 6, 7, 11, 24, 33, 38, 46]
    assert found.right[given].tolist() == [5, 7, 8, 12, 25, 34, 40, 48]
    expected = [0.0463, 0.0334, 0.0887, 0.0708, 0.0926, 0.0818, 0.1209, 0.4656]
    assert found.mass[given] == pytest.approx(expected, abs=5.1e-5)
    assert found.median() == (38, 40)
    low, high = found.at([39])[0]
    assert high - low == pytest.approx(0.1209, abs=5.1e-5)


def test_turnbull_of_exact_times_is_kaplan_meier():
    for patients in (times(MAINTAINED), aml()[0], lung()[0]):
        found = turnbull(Intervals(patients.time, np.where(patients.observed, patients.time, math.inf)))
        curve = survival_curve(patients)
        expected = np.column_stack([curve.survival, curve.survival])
        assert found.at(curve.time) == pytest.approx(expected, abs=2e-5)


def test_turnbull_maximises_the_likelihood():
    found, cases = turnbull(cosmesis(), tolerance=1e-10), cosmesis()
    inside = (cases.left[:, None] <= found.left) & (found.right <= cases.right[:, None])

    def likelihood(mass):
        return float(np.log(inside @ mass).sum())

    assert likelihood(found.mass) == pytest.approx(found.log_likelihood, abs=1e-9)
    rng = np.random.default_rng(3)
    for other in rng.dirichlet(np.ones(found.mass.size), 200):
        for step in (1e-3, 0.1, 1.0):
            assert likelihood((1 - step) * found.mass + step * other) <= found.log_likelihood + 1e-7


def test_weights_stand_for_copies():
    cases = cosmesis()
    weight = np.arange(46) % 3 + 1
    copied = turnbull(Intervals(np.repeat(cases.left, weight), np.repeat(cases.right, weight)))
    assert turnbull(cases, weight).mass == pytest.approx(copied.mass, abs=1e-12)


def test_the_shortcuts_have_the_bias_that_their_names_say():
    # exponential times seen at visits every 56 days: the right endpoint is late by about half an interval,
    # the midpoint hits the mean, Turnbull the survival at the visits. Standard error of a mean of 4000: 2.2
    true = np.random.default_rng(11).exponential(140.0, 4000)
    left = np.floor(true / 56) * 56
    cases = Intervals(left, left + 56)
    late, middle = (cases.times(method).time.mean() for method in ("right endpoint", "midpoint"))
    assert late - true.mean() == pytest.approx(28.0, abs=4.0)
    assert middle - true.mean() == pytest.approx(0.0, abs=4.0)
    found = turnbull(cases).at([56, 112, 280])
    expected = [np.mean(true > day) for day in (56, 112, 280)]
    assert found[:, 0] == pytest.approx(expected, abs=1e-9)
    assert found[:, 1] == pytest.approx(expected, abs=1e-9)


def test_progression_curve_by_name():
    cases = Intervals(np.array([0.0, 56, 56]), np.array([56, 112, math.inf]))
    assert isinstance(progression_curve(cases, "midpoint"), Curve)
    assert progression_curve(cases, "right endpoint").median().estimate == 112
    assert progression_curve(cases).median() == (56, 112)
    with pytest.raises(InputError, match="did you mean 'turnbull'"):
        progression_curve(cases, "turnbul")


def test_intervals_of_a_table_and_wrong_ones():
    found = intervals_from_columns(
        {"last_without": [0, 56], "first_with": ["56", ""]}, "last_without", "first_with"
    )
    assert (found.left.tolist(), found.right.tolist()) == ([0, 56], [56, math.inf])
    assert found.observed.tolist() == [True, False]
    with pytest.raises(InputError, match="row 0 holds 56 to 28"):
        Intervals(np.array([56.0]), np.array([28.0]))
    with pytest.raises(InputError, match="row 1 holds -1 to 3"):
        Intervals(np.array([0.0, -1.0]), np.array([2.0, 3.0]))
    with pytest.raises(InputError, match="at least one patient"):
        turnbull(Intervals(np.array([]), np.array([])))
