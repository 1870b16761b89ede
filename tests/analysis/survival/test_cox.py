"""Cox regression, the test of its assumption and the index of concordance.

Expected values without another source: R 4.2.2, survival 3.5-3, on the published patients of trials.py.
"""

import math
import sys

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.survival import (
    Times,
    concordance_index,
    cox,
    log_rank_test,
    proportional_hazards_test,
)
from oncolattice.tests.helpers.trials import aml, lung, recourse, times

pytest.importorskip("statsmodels", reason="Cox regression needs the extra 'stats'")


def lung_model(ties="efron", strata=False):
    patients, columns = lung(with_ecog=True)
    ecog = columns["ph_ecog"]
    if strata:
        columns.pop("ph_ecog")
    return cox(patients, columns, ties, ecog if strata else None)


@pytest.mark.parametrize(
    ("ties", "coefficient", "error"),
    [("efron", 0.915532575015, 0.511934275172), ("breslow", 0.904219723686, 0.512247907304)],
)
def test_aml(ties, coefficient, error):
    patients, group = aml()
    fit = cox(patients, {"not maintained": group}, ties)
    assert fit.coefficient == pytest.approx([coefficient], abs=1e-9)
    assert fit.standard_error == pytest.approx([error], abs=1e-9)
    z = 1.959963984540054
    expected = [coefficient, coefficient - z * error, coefficient + z * error]
    found = [fit.hazard_ratio[0], fit.lower[0], fit.upper[0]]
    assert found == pytest.approx(np.exp(expected), rel=1e-8)
    assert fit.p == pytest.approx([math.erfc(coefficient / error / math.sqrt(2))], rel=1e-7)


@pytest.mark.parametrize(
    ("ties", "coefficient", "error"),
    [
        (
            "efron",
            (0.0110667645601, -0.5526123957036, 0.4637284753704),
            (0.00926741101, 0.16773905379, 0.11357726612),
        ),
        (
            "breslow",
            (0.0110411363495, -0.5518895697876, 0.4629470405902),
            (0.00926677011, 0.16774244802, 0.11357405206),
        ),
    ],
)
def test_lung_cancer(ties, coefficient, error):
    fit = lung_model(ties)
    assert fit.names == ["age", "sex", "ph_ecog"]
    assert fit.coefficient == pytest.approx(coefficient, abs=1e-9)
    assert fit.standard_error == pytest.approx(error, abs=1e-9)
    if ties == "efron":
        found = (fit.log_likelihood_null, fit.log_likelihood)
        assert found == pytest.approx((-744.480455761, -729.230121375), abs=1e-8)


def test_lung_cancer_within_strata():
    fit = lung_model(strata=True)
    assert fit.coefficient == pytest.approx([0.0107721611223, -0.5535169257964], abs=1e-8)
    assert fit.standard_error == pytest.approx([0.00925380366, 0.17087281318], abs=1e-9)
    found = proportional_hazards_test(fit)
    assert found.chi_squared == pytest.approx([0.0161636324166, 2.2999485925927], abs=1e-8)
    assert found.chi_squared_global == pytest.approx(2.3143022029762, abs=1e-8)


@pytest.mark.parametrize(
    ("transform", "expected", "together"),
    [
        ("km", (0.187987673652, 2.305437227405, 2.054248774054), 4.463657588759),
        ("rank", (0.11729150699, 2.04469468024, 2.54487839263), 4.71068014129),
        ("identity", (0.152350317254, 2.491913217107, 1.578235238377), 4.119382951479),
        ("log", (3.373634010749, 2.034936878885, 0.370496324777), 5.389821428059),
    ],
)
def test_proportional_hazards_of_lung_cancer(transform, expected, together):
    found = proportional_hazards_test(lung_model(), transform)
    assert found.chi_squared == pytest.approx(expected, abs=1e-8)
    assert found.chi_squared_global == pytest.approx(together, abs=1e-8)
    # the likelihood is flat where the residuals add up to nothing
    assert np.abs(found.residual.sum(axis=0)).max() < 1e-6
    assert found.residual.shape == (164, 3)


def test_proportional_hazards_with_breslow_ties():
    found = proportional_hazards_test(lung_model("breslow"))
    assert found.chi_squared == pytest.approx([0.188085661154, 2.297197354934, 2.051708611740], abs=1e-8)


def test_a_hazard_ratio_that_turns_round_is_found():
    # hazards 2 and 1 until time 1, then 1/2 and 2 (false alarm of the threshold below 1e-6)
    rng = np.random.default_rng(4)
    group = np.repeat([0.0, 1.0], 400)
    early, late = np.where(group == 0, 2.0, 0.5), np.where(group == 0, 0.5, 2.0)
    hazard = rng.exponential(size=800)
    time = np.where(hazard < early * 0.5, hazard / early, 0.5 + (hazard - early * 0.5) / late)
    patients = Times(time, np.ones(800))
    assert proportional_hazards_test(cox(patients, {"group": group})).p_global < 1e-6


@pytest.mark.parametrize(
    ("curve", "expected", "low", "high"),
    [("RECOURSE_1A", 0.6813, 0.5749, 0.8074), ("RECOURSE_2A", 0.4728, 0.4023, 0.5556)],
)
def test_recourse(curve, expected, low, high):
    patients, arm = recourse(curve)
    fit = cox(patients, {"TAS-102": arm})
    found = [fit.hazard_ratio[0], fit.lower[0], fit.upper[0]]
    assert found == pytest.approx([expected, low, high], abs=6e-5)


def test_score_test_of_cox_is_the_log_rank_test_without_ties():
    # distinct times: chi-squared of the two differ only by the test used (likelihood ratio here)
    rng = np.random.default_rng(2)
    group = np.repeat([0.0, 1.0], 500)
    patients = Times(rng.exponential(1.0 / np.exp(0.2 * group)), np.ones(1000))
    fit = cox(patients, {"group": group})
    ratio = 2.0 * (fit.log_likelihood - fit.log_likelihood_null)
    assert ratio == pytest.approx(log_rank_test(patients, group).chi_squared, rel=0.01)


def test_text_is_compared_with_its_first_value():
    patients, group = aml()
    words = np.array(["maintained", "not"])[group]
    fit = cox(patients, {"arm": words})
    assert fit.names == ["arm: not"]
    assert fit.coefficient == pytest.approx([0.915532575015], abs=1e-9)
    turned = cox(patients[::-1], {"arm": words[::-1]})
    assert turned.names == ["arm: maintained"]
    assert turned.coefficient == pytest.approx([-0.915532575015], abs=1e-9)


def test_units_of_a_covariate_do_not_matter():
    patients, columns = lung(with_ecog=True)
    fit = cox(patients, columns | {"age": 1e6 * columns["age"] + 1e9})
    assert fit.coefficient * [1e6, 1, 1] == pytest.approx(lung_model().coefficient, abs=1e-7)


def test_concordance_of_lung_cancer():
    found = concordance_index(lung(with_ecog=True)[0], lung_model().risk)
    assert found.index == pytest.approx(0.637135493, abs=5e-10)
    assert found.standard_error == pytest.approx(0.0250679738531, abs=1e-10)
    assert found.pairs == 12544 + 7117 + 126


def test_concordance_of_aml_has_ties():
    patients, group = aml()
    found = concordance_index(patients, group)
    assert (found.index, found.standard_error) == pytest.approx((0.619047619, 0.063184996), abs=1e-9)


def test_concordance_by_hand():
    # pairs: (1,2) right, (1,3) right, (2,3): 2 is censored first, not comparable
    found = concordance_index(times((1, -2, 3)), [3.0, 1.0, 2.0])
    assert (found.index, found.pairs) == (1.0, 2)
    with pytest.raises(InputError, match="no pair of patients"):
        concordance_index(times((-1, -2)), [1, 2])


@pytest.mark.parametrize(
    ("covariates", "words"),
    [
        ({"x": [1, 1, 1, 1, 1, 1]}, "'x' is 1 for every patient"),
        ({"x": [1, 2, 3, 4, 5, 7], "y": [2, 4, 6, 8, 10, 14]}, "'y' follows from x"),
        ({"x": [1, 2, math.nan, 4, 5, 6]}, "'x' must hold finite numbers, but 1 of 6"),
        ({"x": [1, 2, 3]}, "one length"),
        ({"x": list("aaabbc")}, "'c' is the value of one patient"),
        ({"x": [0, 0, 0, 1, 1, 1]}, "'x' separates the events"),
        ({}, "at least one covariate"),
    ],
)
def test_covariates_that_cannot_be_fitted_are_refused(covariates, words):
    with pytest.raises(InputError, match=words):
        cox(times((1, 2, 3, -4, -5, -6)), covariates)


def test_without_events_or_with_unknown_ties():
    with pytest.raises(InputError, match="at least one event"):
        cox(times((-1, -2, -3)), {"x": [1, 2, 3]})
    with pytest.raises(InputError, match="did you mean 'efron'"):
        cox(times((1, 2, 3)), {"x": [1, 2, 3]}, ties="effron")


def test_a_missing_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.duration.hazard_regression", None)
    with pytest.raises(InputError, match=r"a Cox model needs statsmodels.*oncolattice\[stats\]"):
        cox(times((1, 2, 3, 4)), {"x": [1, 3, 2, 4]})
