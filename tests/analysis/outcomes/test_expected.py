"""Survival that a law lets expect: closed forms, and the deaths that the same law draws."""

import math
from dataclasses import replace

import numpy as np
import pytest

from oncolattice.analysis.outcomes.death import LAWS, DeathLaw, deaths, until_death
from oncolattice.analysis.outcomes.expected import arm_curves, expected_survival
from oncolattice.analysis.series import daily
from oncolattice.tests.helpers.synthetic import run

LAW = LAWS["log volume"]


def patients(number, slope=0.02, days=60.0, step=1.0):
    record = run(days=days, step=step, slope=slope, sites=8, snapshot_days=())
    # the same run under many names: only the luck differs
    return [replace(record, patient=f"p{k}") for k in range(number)]


def test_a_constant_burden_gives_geometric_survival():
    law = DeathLaw("test", "log volume", 0.0, 1.0, "assumed")  # one half dies in a day at the baseline
    (record,) = patients(1, slope=0.0, days=5.0, step=0.25)
    assert expected_survival(record, law) == pytest.approx(0.5 ** np.arange(6), rel=1e-12)


def test_drawn_deaths_follow_the_expected_curve():
    # |z| < 4.5: false alarm below 1e-5; a chance of survival wrong by 10 % is seen
    records = patients(4000)
    alive, dead = expected_survival(records[0], LAW)[55], deaths(records)
    assert 0.2 < alive < 0.8
    number = np.count_nonzero(dead.observed & (dead.time <= 55))

    def z(expected):
        return (number - 4000 * (1 - expected)) / math.sqrt(4000 * expected * (1 - expected))

    assert abs(z(alive)) < 4.5 < min(abs(z(1.1 * alive)), abs(z(0.9 * alive)))


def test_a_run_has_the_same_death_in_full_and_thinned():
    records = patients(50, step=0.25)
    thin = [
        replace(
            r, time_days=r.time_days[keep], count=r.count[keep], tumour_volume_cm3=r.tumour_volume_cm3[keep]
        )
        for r in records
        for keep in [daily(r)]
    ]
    whole = deaths(records)
    assert 0 < whole.observed.sum() < 50
    assert whole.time.tolist() == deaths(thin).time.tolist()


def test_a_volume_that_is_no_number_ends_the_follow_up_before_it():
    (record,) = patients(1, slope=0.0)
    volume = record.tumour_volume_cm3.copy()
    volume[40:] = math.nan
    dead = deaths([replace(record, tumour_volume_cm3=volume)])
    assert (dead.time.tolist(), dead.observed.tolist()) == ([39.0], [False])


def test_runs_without_a_body_expect_nothing():
    alone = replace(run(days=3.0, sites=8), body={}, weights={})
    assert expected_survival(alone, LAW) is None
    assert arm_curves([alone]) == {}


def test_after_death_nothing_is_left_to_see():
    record = run("TAS-102", days=112.0, slope=0.03, sites=16)
    (seen,) = until_death([record], deaths([record]))
    (day,) = deaths([record]).time
    assert day < 112.0
    assert [s.time_days for s in seen.snapshots] == [
        s.time_days for s in record.snapshots if s.time_days <= day
    ]
    assert len(seen.snapshots) < len(record.snapshots)
    assert max(when for when, _, _ in seen.doses) <= day < max(when for when, _, _ in record.doses)
    assert until_death([record], None) == [record]
