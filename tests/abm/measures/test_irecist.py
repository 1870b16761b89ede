"""iRECIST against the rules of its paper (10.1016/S1470-2045(17)30074-8) and the answers of its authors."""

import math

import numpy as np
import pytest

from oncolattice.abm.measures.irecist import assess_irecist
from oncolattice.abm.measures.recist import assess_recist11


def assess(sizes, every=42.0, **given):
    return assess_irecist(np.arange(len(sizes)) * every, np.array(sizes, dtype=float), **given)


@pytest.mark.parametrize(
    ("sizes", "new", "responses", "event"),
    [
        # progression confirmed by 5 mm more
        ([100, 125, 130], None, ("iUPD", "iCPD"), 42.0),
        # 4 mm more does not confirm, and small steps add up
        ([100, 125, 129, 131], None, ("iUPD", "iUPD", "iCPD"), 42.0),
        # pseudo-progression: the bar is reset, and the next one counts anew
        ([100, 125, 110, 90], None, ("iUPD", "iSD", "iSD"), math.nan),
        ([100, 125, 68, 60], None, ("iUPD", "iPR", "iPR"), math.nan),
        ([100, 125, 110, 130, 136], None, ("iUPD", "iSD", "iUPD", "iCPD"), 126.0),
        # never confirmed, never taken back: dated on the first iUPD
        ([100, 125, 125, 125], None, ("iUPD", "iUPD", "iUPD"), 42.0),
        # scenario B: a new lesion, then the targets shrink to iPR
        ([100, 100, 65], [0, 1, 1], ("iUPD", "iPR"), math.nan),
        # scenario F: iPR, then a new lesion and no change: iUPD stays
        ([100, 65, 65, 65], [0, 0, 1, 1], ("iPR", "iUPD", "iUPD"), 84.0),
        # another new lesion confirms
        ([100, 100, 100], [0, 1, 2], ("iUPD", "iCPD"), 42.0),
        # progression of the targets confirms one by a new lesion
        ([100, 100, 125], [0, 1, 1], ("iUPD", "iCPD"), 42.0),
    ],
)
def test_progression_is_confirmed_or_taken_back(sizes, new, responses, event):
    found = assess(sizes, new_lesions=new)
    assert found.responses == responses
    assert found.first_with == pytest.approx(event, nan_ok=True)
    assert found.progressed == (not math.isnan(event))


def test_growth_of_new_lesions_adds_up_to_confirmation():
    # "4 mm at one assessment, followed by a further 2 mm, meets the criteria for iCPD"
    found = assess([100, 100, 100, 100], new_lesions=[0, 1, 1, 1], new_sum_mm=[0, 12, 16, 18])
    assert found.responses == ("iUPD", "iUPD", "iCPD")


def test_a_scan_before_four_weeks_confirms_nothing():
    assert assess([100, 125, 140], every=27.0).responses == ("iUPD", "iUPD")
    assert assess([100, 125, 140], every=28.0).responses == ("iUPD", "iCPD")


def test_what_recist_calls_progression_may_be_a_response():
    days, size = np.arange(4) * 42.0, np.array([100.0, 130.0, 60.0, 55.0])
    assert assess_recist11(days, size).best == "PD"
    assert assess_irecist(days, size).best == "iPR"


def test_best_responses():
    assert assess([100, 90, 90]).best == "iSD"
    assert assess([100, 125, 131]).best == "iCPD"
    assert assess([100, 125, 125]).best == "iUPD"
    assert assess([100, 0, 0]).best == "iCR"
