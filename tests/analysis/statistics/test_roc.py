"""ROC curves, DeLong, cutoffs and their honesty. Expected values of the published patients: R, pROC 1.18.0."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.statistics.combined import combine, combined_auc, nested_cutoff
from oncolattice.analysis.statistics.roc import auc, compare_auc, roc_curve, youden_cutoff
from oncolattice.tests.helpers.trials import subarachnoid


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("s100b", (0.7313685637, 0.630118211762, 0.832618915610)),
        ("wfns", (0.8236788618, 0.748534887819, 0.898822835758)),
    ],
)
def test_area_of_the_published_patients(marker, expected):
    poor, wfns, s100b = subarachnoid()
    found = auc({"s100b": s100b, "wfns": wfns}[marker], poor)
    assert (found.value, found.lower, found.upper) == pytest.approx(expected, abs=1e-10)
    assert (found.positives, found.negatives) == (41, 72)


def test_paired_comparison_of_the_published_patients():
    poor, wfns, s100b = subarachnoid()
    found = compare_auc(s100b, wfns, poor)
    assert found.z == pytest.approx(-2.208983591, abs=1e-9)
    assert found.p == pytest.approx(0.0271757822, abs=1e-10)
    assert (found.lower, found.upper) == pytest.approx((-0.1742144192495, -0.0104061769565), abs=1e-12)


def test_delong_agrees_with_the_rank_comparison_of_statsmodels():
    nonparametric = pytest.importorskip("statsmodels.stats.nonparametric")
    poor, _, s100b = subarachnoid()
    found = nonparametric.rank_compare_2indep(s100b[poor == 1], s100b[poor == 0])
    mine = auc(s100b, poor)
    assert mine.value == pytest.approx(found.prob1, abs=1e-13)
    assert mine.standard_error == pytest.approx(math.sqrt(found.var_prob), rel=1e-12)


def test_youden_cutoff_of_the_published_patients():
    poor, wfns, s100b = subarachnoid()
    found = youden_cutoff(wfns, poor)
    assert (found.value, found.sensitivity) == pytest.approx((3.5, 0.634146341463))
    assert found.specificity == pytest.approx(0.833333333333)
    found = youden_cutoff(s100b, poor)
    assert (found.sensitivity, found.specificity) == pytest.approx((0.634146341463, 0.805555555556))


def test_area_is_the_share_of_pairs_in_order():
    rng = np.random.default_rng(5)
    score, label = rng.integers(0, 6, 60), rng.integers(0, 2, 60)
    gaps = np.subtract.outer(score[label == 1], score[label == 0])
    expected = np.mean(np.sign(gaps) / 2 + 0.5)
    assert auc(score, label).value == pytest.approx(expected, abs=1e-14)
    assert auc(score, label, higher=False).value == pytest.approx(1 - expected, abs=1e-14)


def test_curve_by_hand_and_its_area():
    curve = roc_curve([1, 2, 2, 3], [0, 0, 1, 1])
    assert curve.cutoff.tolist() == [math.inf, 2.5, 1.5, -math.inf]
    assert curve.sensitivity.tolist() == [0, 0.5, 1, 1]
    assert curve.specificity.tolist() == [1, 1, 0.5, 0]
    poor, wfns, _ = subarachnoid()
    curve = roc_curve(wfns, poor)
    assert np.trapezoid(curve.sensitivity, 1 - curve.specificity) == pytest.approx(
        auc(wfns, poor).value, abs=1e-13
    )
    # turned round: positive below the cutoff
    low = youden_cutoff(-wfns, poor, higher=False)
    assert (low.value, low.sensitivity) == pytest.approx((-3.5, 0.634146341463))


def test_coverage_of_delong_limits():
    # binormal AUC of Phi(1/sqrt 2) = .7602; 400 data sets: 95 % limits cover 88 % or less with chance < 1e-7
    rng = np.random.default_rng(9)
    label = np.repeat([0, 1], 40)
    found = [auc(rng.normal(size=80) + label, label) for _ in range(400)]
    covered = np.mean([f.lower <= 0.7602499 <= f.upper for f in found])
    assert 0.88 < covered < 0.99


def test_a_perfect_score_has_no_limits():
    found = auc([1, 2, 3, 4], [0, 0, 1, 1])
    assert found.value == 1.0
    assert math.isnan(found.lower)
    same = compare_auc([1, 3, 2, 4], [2, 6, 4, 8], [0, 0, 1, 1])
    assert (same.difference, math.isnan(same.p)) == (0.0, True)


@pytest.mark.parametrize(
    ("score", "label", "words"),
    [
        ([1, 2, 3, 4], [0, 1, 2, 1], "'label' must be 0 or 1 throughout, but row 2 holds 2"),
        ([1, 2, math.nan, 4], [0, 0, 1, 1], "'score' must hold finite numbers"),
        ([1, 2, 3, 4], [0, 0, 0, 1], "has 1 patients of class 1"),
        ([1, 2, 3], [0, 0, 1, 1], "one length"),
    ],
)
def test_wrong_columns_are_refused(score, label, words):
    with pytest.raises(InputError, match=words):
        auc(score, label)


def markers(n, effect, seed, noise=0):
    """Labels, and biomarkers of which the first two differ between classes by `effect` SD."""
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    columns = {name: rng.normal(size=n) + effect * label for name in ("a", "b")}
    return columns | {f"noise {k}": rng.normal(size=n) for k in range(noise)}, label


def test_logistic_score_agrees_with_statsmodels():
    regression = pytest.importorskip("statsmodels.api")
    columns, label = markers(400, 0.7, 1)
    columns["b"] = 1e3 + 50 * columns["b"]
    found = combine(columns, label)
    expected = regression.Logit(label, regression.add_constant(np.column_stack(list(columns.values())))).fit(
        disp=0
    )
    assert [found.intercept, *found.coefficient] == pytest.approx(expected.params, rel=2e-4)


def test_min_max_sum():
    found = combine({"a": [0, 1, 2, 4], "b": [10, 30, 20, 10]}, [0, 1, 0, 1], "min-max sum")
    assert found.score(np.array([[4.0, 10], [2, 20]])) == pytest.approx([1.0, 1.0])


def test_two_markers_do_what_theory_says():
    # two independent markers 1 SD apart: the best score has AUC Phi(sqrt(2)/sqrt(2)) = .8413; SE about .009
    columns, label = markers(2000, 1.0, 2)
    found = combined_auc(columns, label, repeats=2)
    assert found.held_out == pytest.approx(0.8413, abs=0.036)
    assert abs(found.optimism) < 0.005
    single = combined_auc({"a": columns["a"]}, label, repeats=2)
    assert single.held_out == pytest.approx(0.7602, abs=0.044)


def test_cross_validation_sees_through_noise():
    # twelve markers that say nothing, 60 patients: apparent AUC about .75, held out .5 (SD of a data set .07)
    rng = np.random.default_rng(3)
    columns = {f"m{k}": rng.normal(size=60) for k in range(12)}
    found = combined_auc(columns, np.arange(60) % 2)
    assert found.apparent > 0.68
    assert found.held_out == pytest.approx(0.5, abs=0.2)
    assert found.optimism == found.apparent - found.held_out > 0.1


def test_separated_data_have_a_finite_score():
    label = np.repeat([0, 1], 20)
    found = combined_auc({"a": label + np.linspace(0, 0.5, 40)}, label, repeats=1)
    assert (found.apparent, found.held_out) == (1.0, 1.0)


def test_nested_cutoff_is_humbler_than_the_apparent_one():
    optimism = []
    for seed in range(8):
        columns, label = markers(60, 0.5, seed, noise=3)
        found = nested_cutoff(columns, label, repeats=4)
        assert found.youden.apparent == pytest.approx(found.cutoff.youden)
        total = found.sensitivity.held_out + found.specificity.held_out - 1
        assert found.youden.held_out == pytest.approx(total, abs=1e-12)
        assert found.chosen.size == 20
        optimism.append(found.youden.optimism)
    assert min(optimism) > 0.0
    assert np.mean(optimism) > 0.1


def test_nested_cutoff_of_a_clear_marker():
    # 3 SD apart, 4000 patients: cutoff half-way, both shares Phi(1.5) = .9332
    columns, label = markers(4000, 3.0, 4)
    found = nested_cutoff({"a": columns["a"]}, label, repeats=1)
    level = (found.cutoff.value - found.combination.intercept) / found.combination.coefficient[0]
    assert level == pytest.approx(1.5, abs=0.3)
    assert found.youden.held_out == pytest.approx(2 * 0.9332 - 1, abs=0.04)
    assert found.youden.optimism < 0.02


def test_folds_and_settings_that_cannot_be():
    columns, label = markers(20, 1.0, 1)
    with pytest.raises(InputError, match="smaller class has 10; use fewer folds"):
        combined_auc(columns, label, folds=6)
    with pytest.raises(InputError, match="did you mean 'logistic'"):
        combine(columns, label, "logistics")
    with pytest.raises(InputError, match="'flat' is 1 for every patient"):
        combine(columns | {"flat": np.ones(20)}, label)
    with pytest.raises(InputError, match="at least one biomarker"):
        combine({}, label)


def test_folds_repeat_with_the_seed():
    columns, label = markers(40, 1.0, 1)
    assert combined_auc(columns, label, repeats=2) == combined_auc(columns, label, repeats=2)
    assert combined_auc(columns, label, repeats=2) != combined_auc(columns, label, repeats=2, seed=1)
