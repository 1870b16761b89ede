"""RECIST 1.1 against the rules of its paper (10.1016/j.ejca.2008.10.026) and the examples of its authors."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.recist import (
    assess_recist11,
    measured_mm,
    point_response,
    sum_of_diameters,
    target_lesions,
)

NAN = math.nan


def assess(sizes, days=None, **given):
    days = np.arange(len(sizes)) * 56.0 if days is None else np.array(days, dtype=float)
    return assess_recist11(days, np.array(sizes, dtype=float), **given)


@pytest.mark.parametrize(
    ("sld", "baseline", "nadir", "expected"),
    [
        (70.0, 100.0, 100.0, "PR"),  # "at least a 30 % decrease": the edge counts
        (70.1, 100.0, 100.0, "SD"),
        (120.0, 100.0, 100.0, "PD"),  # "at least a 20 % increase"
        (119.9, 100.0, 100.0, "SD"),
        (24.0, 100.0, 20.0, "PR"),  # +20 % of 20 mm is 4 mm: below the absolute 5 mm
        (25.0, 100.0, 20.0, "PD"),  # +25 % and 5 mm: progression, though 75 % below the baseline
        (60.0, 100.0, 50.0, "PD"),
        (0.0, 100.0, 40.0, "CR"),
        (NAN, 100.0, 100.0, "NE"),
    ],
)
def test_response_at_one_visit(sld, baseline, nadir, expected):
    assert point_response(sld, baseline, nadir, sld == 0.0, False) == expected


def test_a_new_lesion_is_progression_whatever_the_targets_do():
    assert point_response(0.0, 100.0, 50.0, True, True) == "PD"
    assert point_response(NAN, 100.0, 50.0, False, True) == "PD"


def test_volume_thresholds_are_not_those_of_diameters():
    # +20 % in diameter is 1.2^3 in volume; 1.2 in volume is 6.27 % in diameter, which is SD
    diameter = 100.0 * 1.2 ** (1 / 3)
    assert diameter == pytest.approx(106.266, abs=1e-3)
    assert point_response(diameter, 100.0, 100.0, False, False) == "SD"


@pytest.mark.parametrize(
    ("sizes", "responses"),
    [
        # worked examples of the RECIST working group (recist.eortc.org, "the definition of SD", "managing PR")
        ([165, 63, 65], ("PR", "PR")),
        ([100, 70, 70, 80, 80, 80], ("PR", "PR", "PR", "PR", "PR")),
    ],
)
def test_a_confirmed_response_goes_on_until_progression(sizes, responses):
    found = assess(sizes)
    assert found.responses == responses
    assert (found.best, found.response_day) == ("PR", 56.0)


# Table 3 of the paper: two visits, best response when CR and PR must be confirmed; sizes from 100 mm,
# 0 = CR, 60 = PR, 90 = SD, 130 = PD, NaN = NE. The second column is early, before the minimum of SD.
TABLE_3 = [
    ((0, 0), "CR", "CR"),
    ((0, 130), "SD", "PD"),
    ((0, NAN), "SD", "NE"),
    ((60, 0), "PR", "PR"),
    ((60, 60), "PR", "PR"),
    ((60, 130), "SD", "PD"),
    ((60, NAN), "SD", "NE"),
    ((NAN, NAN), "NE", "NE"),
]


@pytest.mark.parametrize(("sizes", "late", "early"), TABLE_3)
def test_best_response_of_two_visits(sizes, late, early):
    assert assess([100, *sizes], [0, 42, 70], minimum_sd_days=42).best == late
    assert assess([100, *sizes], [0, 14, 42], minimum_sd_days=48).best == early


def test_a_tumour_that_comes_back_after_a_complete_response_progresses():
    # footnote a of table 3: after CR any disease, even 95 % below the baseline, is PD
    found = assess([100, 0, 5], [0, 42, 70])
    assert found.responses == ("CR", "PD")
    assert found.best == "SD"


def test_confirmation_wants_four_weeks():
    assert assess([100, 60, 60], [0, 56, 83]).best == "SD"
    assert assess([100, 60, 60], [0, 56, 84]).best == "PR"
    assert assess([100, 60, 130], [0, 56, 112], confirm_days=0.0).best == "PR"


def test_a_missed_visit_does_not_prevent_confirmation_but_stable_disease_does():
    assert assess([100, 60, NAN, 60]).best == "PR"
    assert assess([100, 60, 90, 60], confirm_days=57).best == "SD"


def test_progression_lies_between_the_last_visit_without_and_the_first_with():
    found = assess([100, 95, NAN, 125, 80])
    assert found.responses == ("SD", "NE", "PD")
    assert (found.progressed, found.last_without, found.first_with) == (True, 56.0, 168.0)
    censored = assess([100, 95, NAN])
    assert (censored.progressed, censored.last_without, censored.until) == (False, 56.0, 56.0)
    assert math.isnan(censored.first_with)


def test_progression_is_measured_from_the_nadir():
    assert assess([100, 60, 71]).responses == ("PR", "SD")  # +18 %
    assert assess([100, 60, 72]).responses == ("PR", "PD")  # +20 % and 12 mm, 28 % below the baseline


def test_too_small_to_measure_counts_as_5_mm():
    assert measured_mm([12.0, 4.9, 0.3, 0.0, NAN]).tolist()[:4] == [12.0, 5.0, 5.0, 0.0]
    assert measured_mm([2.0], gone_below_mm=2.0).tolist() == [0.0]


def test_targets_are_the_largest_five_and_two_an_organ():
    size = [50, 40, 30, 12, 9, 14, 16, 11, 20]
    organ = ["liver", "liver", "liver", "lung", "lung", "node", "node", "skin", "bone"]
    node = [False] * 5 + [True, True] + [False] * 2
    # liver: 50, 40; bone 20; node 16 (14 is below 15); lung 12; skin 11 would be the sixth
    assert target_lesions(size, organ, node).tolist() == [0, 1, 3, 6, 8]
    with pytest.raises(InputError, match="no lesion is measurable"):
        target_lesions([9.0], ["lung"])


def test_a_normal_node_is_complete_and_still_counts_in_the_sum():
    total, complete = sum_of_diameters(np.array([[20.0, 18.0], [0.0, 9.0], [0.0, 10.0]]), [False, True])
    assert total.tolist() == [38.0, 9.0, 10.0]
    assert complete.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("days", "sizes", "words"),
    [
        ([0, 56], [100], "as many sizes as days"),
        ([7, 56], [100, 90], "rise from 0"),
        ([0, 56], [0, 90], "baseline must be a size above 0"),
        ([0, 56], [100, -1], "cannot be negative"),
    ],
)
def test_wrong_visits_are_refused(days, sizes, words):
    with pytest.raises(InputError, match=words):
        assess_recist11(np.array(days, dtype=float), np.array(sizes, dtype=float))
