"""Two groups by ranks, and many biomarkers at once. Expected values: R 4.2.2, wilcox.test and p.adjust."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.statistics.group_tests import adjust, compare_biomarkers, compare_two_groups
from oncolattice.tests.helpers.trials import lung

# permeability of term and early placentae: Hollander and Wolfe 1973, table 4.1
TERM = (0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
EARLY = (1.15, 0.88, 0.90, 0.74, 1.21)


def test_exact_comparison_of_placentae():
    found = compare_two_groups(TERM, EARLY)
    assert (found.u, found.exact) == (35, True)
    assert found.p == pytest.approx(0.254412254412, abs=1e-12)
    assert (found.shift, found.lower, found.upper) == pytest.approx((0.305, -0.15, 0.76), abs=1e-12)
    assert found.superiority == 0.7


def test_exact_limits_of_unequal_groups():
    x = (12.1, 3.3, 15.2, 7.7, 22.4, 9.1, 18.3, 4.5, 11.9, 30.2, 6.6, 8.8)
    y = (5.1, 2.2, 9.9, 1.7, 14.3, 3.9, 6.1, 10.4, 0.8)
    found = compare_two_groups(x, y)
    assert found.p == pytest.approx(0.0408940904297, abs=1e-12)
    assert (found.shift, found.lower, found.upper) == pytest.approx((5.4, 0.6, 11.3), abs=1e-12)


def test_ties_and_large_groups():
    found = compare_two_groups((0.8, 0.8, 1.9, 1.0, 1.4, 1.4, 1.9, 1.6, 0.7, 1.5), (1.2, 0.9, 0.9, 0.7, 1.2))
    assert not found.exact
    assert found.p == pytest.approx(0.218188548266, abs=1e-12)
    # R solves for a root of a step function: its limits are .0001 off the differences of the data
    assert (found.shift, found.lower, found.upper) == pytest.approx((0.3, -0.2, 0.7), abs=1e-12)
    _, columns = lung()
    age, sex = columns["age"], columns["sex"]
    found = compare_two_groups(age[sex == 1], age[sex == 2])
    assert (found.u, found.p) == pytest.approx((7136.5, 0.0570062815), abs=1e-10)
    assert (found.shift, found.lower, found.upper) == (2, 0, 5)


def test_shift_is_the_median_of_all_differences():
    rng = np.random.default_rng(1)
    for n, m in ((7, 8), (61, 40), (300, 200)):
        x, y = rng.normal(size=n), rng.normal(size=m) + 100
        found = compare_two_groups(x, y)
        assert found.shift == pytest.approx(np.median(np.subtract.outer(x, y)), rel=1e-12)
        assert found.lower in np.subtract.outer(x, y)


def test_coverage_of_the_shift():
    # 500 exact 95 % intervals (attained level .953): 91 % or less with chance < 1e-4
    rng = np.random.default_rng(2)
    found = [compare_two_groups(rng.normal(size=12) + 1, rng.normal(size=10)) for _ in range(500)]
    assert 0.91 < np.mean([f.lower <= 1 <= f.upper for f in found]) < 0.99


def test_groups_that_are_too_small_or_equal():
    found = compare_two_groups([1, 2], [3, 4])
    assert (found.lower, found.upper) == (-math.inf, math.inf), "two against two cannot give 95 %"
    equal = compare_two_groups([1, 1, 1], [1, 1])
    assert (equal.p, equal.shift, equal.superiority) == (1.0, 0.0, 0.5)
    with pytest.raises(InputError, match="group 'second' has 1 patients"):
        compare_two_groups([1, 2], [3])


def test_adjusted_p():
    # p.adjust
    assert adjust([0.03, 0.001, 0.2, 0.011], "holm") == pytest.approx([0.06, 0.004, 0.2, 0.033])
    assert adjust([0.01, 0.02, 0.03, 0.04, 0.05], "benjamini-hochberg") == pytest.approx([0.05] * 5)
    assert adjust([0.6, 0.9], "holm").tolist() == [1.0, 1.0]
    assert adjust([], "holm").size == 0
    with pytest.raises(InputError, match="between 0 and 1"):
        adjust([0.1, 1.2], "holm")
    with pytest.raises(InputError, match="unknown adjustment 'bonferroni'"):
        adjust([0.1], "bonferroni")


def test_biomarkers_of_responders():
    rng = np.random.default_rng(3)
    responder = np.arange(60) % 2
    columns = {"CTL": rng.normal(size=60) + 3 * responder, "Treg": rng.normal(size=60)}
    columns["Treg"][:5] = math.nan
    found = {row["biomarker"]: row for row in compare_biomarkers(columns, responder)}
    assert found["CTL"]["p_holm"] == 2 * found["CTL"]["p"] < 1e-8
    assert found["Treg"]["p_holm"] == found["Treg"]["p"] > 1e-3
    assert (found["Treg"]["not_measured"], found["Treg"]["responders"], found["Treg"]["others"]) == (
        5,
        28,
        27,
    )
    assert found["CTL"]["shift_low"] < 3 < found["CTL"]["shift_high"]
    with pytest.raises(InputError, match="'CTL' is measured in 1 responders and 1 others"):
        compare_biomarkers({"CTL": [1.0, 2.0]}, [0, 1])
