"""Response classes: the edges of the criterion and the published counts."""

import csv
import math
from collections import Counter

import numpy as np
import pytest
from shared import beside

from oncolattice.abm.errors import InputError
from oncolattice.abm.measures.response import (
    assess_qcic_tri,
    classify,
    tri_at,
    tumour_response_index,
    week8_class,
)


@pytest.mark.parametrize(
    ("tri", "expected"),
    [
        (-1.0, "CR"),
        (np.nextafter(-0.8, -1), "CR"),
        (-0.8, "PR"),
        (np.nextafter(-0.3, -1), "PR"),
        (-0.3, "SD"),
        (0.0, "SD"),
        (np.nextafter(0.2, 0), "SD"),
        (0.2, "PD"),
        (50.0, "PD"),
        (math.inf, "PD"),
        (math.nan, "NE"),
    ],
)
def test_classes_are_half_open(tri, expected):
    assert classify(tri) == expected


def test_unknown_criterion_is_refused_with_the_choices():
    with pytest.raises(InputError, match=r"unknown criterion 'recist'.*qcic_tri"):
        classify(0.0, "recist")


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("placebo", {"SD": 15, "PD": 85}),
        ("tas102", {"PR": 1, "SD": 44, "PD": 55}),
        ("tas102bev", {"PR": 3, "SD": 61, "PD": 36}),
    ],
)
def test_published_patients_fall_in_the_published_classes(arm, expected):
    with beside("reference/qcic/tri_day56.csv").open() as file:
        values = [float(r["tri56_default_ode45"]) for r in csv.DictReader(file) if r["arm"] == arm]
    assert Counter(classify(v) for v in values) == expected  # Li 2025, Fig. 3


def test_response_index_of_numbers_and_arrays():
    assert tumour_response_index(3.0, 2.0) == 0.5
    assert tumour_response_index(np.array([2.0, 1.0]), 2.0).tolist() == [0.0, -0.5]
    assert math.isnan(tumour_response_index(1.0, 0.0))


def test_week_8_is_read_between_records_and_not_beyond_the_end():
    days, volume = np.array([0.0, 50.0, 60.0]), np.array([2.0, 2.0, 3.0])
    assert tri_at(days, volume, 56.0) == pytest.approx(0.3)
    assert week8_class(days, volume) == "PD"
    assert week8_class(days[:2], volume[:2]) == "NE"
    assert week8_class(np.array([0.0, 56.0]), np.array([2.0, 0.3])) == "CR"


def test_visits_by_volume_end_at_progression_from_the_baseline():
    days = np.arange(5) * 56.0
    # 0.6 of the baseline, then 1.19: doubled since the nadir, but QCIC knows no nadir
    found = assess_qcic_tri(days, np.array([2.0, 1.2, 2.38, 2.5, 1.0]))
    assert found.responses == ("PR", "SD", "PD")
    assert (found.best, found.response_day) == ("PR", 56.0)
    assert (found.progressed, found.last_without, found.first_with) == (True, 112.0, 168.0)
    assert found.change == pytest.approx([-0.4, 0.19, 0.25], abs=1e-12)


def test_a_missed_visit_widens_the_interval():
    found = assess_qcic_tri(np.arange(4) * 56.0, np.array([2.0, 2.1, math.nan, 3.0]))
    assert found.responses == ("SD", "NE", "PD")
    assert (found.last_without, found.first_with) == (56.0, 168.0)
