"""Statistics are right or say what does not fit: nothing is left out, joined or made NaN in silence."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.columns import groups
from oncolattice.analysis.outcomes.growth import fit_stein
from oncolattice.analysis.statistics.effects import paired_effects, paired_times
from oncolattice.analysis.statistics.roc import auc
from oncolattice.analysis.statistics.sensitivity import replicate_means
from oncolattice.analysis.survival import (
    Intervals,
    Times,
    concordance_index,
    cox,
    kaplan_meier,
    landmark,
    log_rank,
    log_rank_test,
    restricted_mean,
    survival_curve,
    turnbull,
)

DAYS = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
TIMES = Times(DAYS, np.ones(6, dtype=bool))
NOBODY = Times(np.zeros(0), np.zeros(0, dtype=bool))
CENSORED = Times(DAYS, np.zeros(6, dtype=bool))
ARMS = ["a", "b"] * 3


def patients(**changed):
    table = {
        "patient": np.repeat(["p", "q", "r", "s"], 2).astype(object),
        "arm": np.array(["a", "b"] * 4, dtype=object),
        "seed": np.ones(8),
        "value": np.arange(8.0),
        "weight": np.ones(8),
    }
    for name, (row, value) in changed.items():
        table[name] = table[name].copy()
        table[name][row] = value
    return table


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: log_rank_test(TIMES, ARMS, strata=[1, 1, 1, 2, 2, math.nan]), "'strata' must name a group"),
        (lambda: log_rank_test(TIMES, ["a", "b", "a", "b", "a", None]), "'group' must name a group"),
        (lambda: log_rank_test(TIMES, [0, 1, 0, 1, 0, math.nan]), "'group' must name a group"),
        (lambda: log_rank_test(TIMES, ["a"] * 6), "at least two groups"),
        (lambda: log_rank_test(TIMES, ARMS, gamma=-1.0), "rho and gamma must be 0 or more"),
        (lambda: log_rank_test(TIMES, ARMS, rho=math.nan), "rho and gamma must be 0 or more"),
        (lambda: log_rank_test(CENSORED, ARMS), "at least one event"),
        (lambda: log_rank(TIMES, NOBODY), "patients in both groups"),
        (lambda: kaplan_meier(NOBODY), "at least one patient"),
        (lambda: survival_curve(TIMES, weights=[1, 1, 1, 1, 1, -1]), "0 or more"),
        (lambda: Times([-1.0, 2.0], [1, 1]), "must be 0 or more"),
        (lambda: Times([math.nan, 2.0], [1, 1]), "finite numbers"),
        (lambda: landmark(TIMES, 6.0), "nobody is followed beyond"),
        (lambda: restricted_mean(TIMES, math.inf), "must be positive, finite"),
        (lambda: cox(CENSORED, {"x": DAYS}), "at least one event"),
        (lambda: cox(TIMES, {"x": np.array(["u", None, "u", "v", "v", "u"], dtype=object)}), "'x' must name"),
        (lambda: cox(TIMES, {"x": DAYS % 2}, strata=[1, 1, 1, 2, 2, math.nan]), "'strata' must name a group"),
        (lambda: cox(TIMES, {"x": [0, math.nan, 1, 0, 1, 1]}), "finite numbers"),
        (lambda: concordance_index(CENSORED, DAYS), "no pair of patients"),
        (lambda: Intervals([3.0], [2.0]), "0 <= left <= right"),
        (lambda: turnbull(Intervals([1.0, 2.0], [3.0, math.inf]), tolerance=1e10), "tolerance must be above 0"),
        (lambda: auc([1.0, math.nan, 2.0, 3.0], [0, 1, 0, 1]), "finite numbers"),
        (lambda: auc([1.0, 2.0, 2.0, 3.0], [1, 1, 1, 1]), "each class needs two"),
        (lambda: paired_times(TIMES, TIMES[:4]), "one length"),
        (lambda: paired_effects(patients(patient=(0, None)), "value", "lower"), "'patient' must name"),
        (lambda: paired_effects(patients(weight=(0, 2.0)), "value", "lower", weight="weight"), "one weight"),
        (lambda: paired_effects(patients(value=(0, math.nan)), "value", "lower"), "share 3 patients"),
        (lambda: replicate_means({"p": [1.0, math.nan], "x": [1, 2], "y": [1, 2]}, "p", ["x"], "y"), "'p' must name"),
        (lambda: fit_stein(np.array([5.0, 10.0, 15.0]), np.ones((1, 3))), "rise from 0"),
        (lambda: fit_stein(np.array([0.0, 10.0, 15.0]), np.array([[1.0, -1.0, 2.0]])), "finite and 0 or more"),
    ],
)  # fmt: skip
def test_a_misfit_is_said(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_groups_may_be_of_any_kind_of_name():
    number, names = groups(np.array([1, "x", 1, "x"], dtype=object), "arm")
    assert (number.tolist(), names) == ([0, 1, 0, 1], ["1", "x"])
    assert groups([2.0, 1.0, 2.0, 1.0], "arm")[1] == [1.0, 2.0]
