"""Time of death: the integrated hazard in closed form, the law of the draws, and blindness to the step."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import spence
from scipy.stats import kstest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.outcomes.death import (
    FITS,
    LAWS,
    DeathLaw,
    burden_of,
    deaths,
    integrated_hazard,
    largest_over_capacity,
    law_of,
    time_of_death,
)
from oncolattice.tests.helpers.synthetic import run

LAW = DeathLaw("test", "carrying capacity", 0.5, 0.05, "assumed")


def line_integral(z0, slope, t):
    """Integral of ln(1 + exp(z0 + slope t)): dilogarithms, Li2(-e^z) = spence(1 + e^z)."""
    return -(spence(1 + np.exp(z0 + slope * t)) - spence(1 + math.exp(z0))) / slope


def course(step, rise=0.002, days=364.0):
    """chi rising from .1; hazard and its integral."""
    time = np.arange(0.0, days + 1e-9, step)
    return time, integrated_hazard(time, LAW.hazard(0.1 + rise * time))


def test_a_chance_a_day_becomes_its_hazard():
    # P = 1/2 at chi = mu: -ln(1 - P) = ln 2 a day
    assert LAW.hazard(np.array([0.5]))[0] == pytest.approx(math.log(2), rel=1e-14)
    chance = 1 / (1 + math.exp(-(0.45 - 0.5) / 0.05))
    assert LAW.hazard(np.array([0.45]))[0] == pytest.approx(-math.log1p(-chance), rel=1e-12)
    assert LAW.hazard(np.array([-np.inf]))[0] == 0.0


def test_the_integral_is_the_dilogarithm_and_halving_the_step_leaves_it():
    exact = line_integral((0.1 - 0.5) / 0.05, 0.002 / 0.05, 364.0)
    errors = [abs(course(step)[1][-1] / exact - 1.0) for step in (4.0, 2.0, 1.0)]
    assert errors[2] < 1e-4
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=0.3)  # second order
    # a chance a step of the same number would double the deaths where the step is halved
    a_step = [
        np.sum(-np.log1p(-1 / (1 + np.exp(-(0.1 + 0.002 * np.arange(0, 365, s) - 0.5) / 0.05))))
        for s in (2, 1)
    ]
    assert a_step[1] / a_step[0] == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("step", [1.0, 0.5])
def test_times_of_death_follow_the_law_whatever_the_step(step):
    # 4,000 draws against 1 - exp(-H), H exact; a false alarm has a chance of 1e-5
    time, integral = course(step)
    thresholds = -np.log(np.random.default_rng(7).random(4000))
    found = np.array([time_of_death(time, integral, u) for u in thresholds])
    seen = found[:, 1] == 1.0
    assert seen.all()

    def chance(t):
        return -np.expm1(-line_integral((0.1 - 0.5) / 0.05, 0.04, np.asarray(t)))

    assert kstest(found[:, 0], chance).pvalue > 1e-5
    assert kstest(found[:, 0], lambda t: chance(1.03 * np.asarray(t))).pvalue < 1e-5


def test_a_run_that_ends_before_is_censored_at_its_end():
    assert time_of_death(np.array([0.0, 10.0]), np.array([0.0, 0.3]), 0.31) == (10.0, False)
    assert time_of_death(np.array([0.0, 10.0]), np.array([0.0, 0.3]), 0.15) == (5.0, True)


def test_the_largest_type_counts_over_its_own_capacity():
    amounts = np.array([[3e9, 1e9, 1e9], [1e9, 2e9, 1e9], [1e9, 1e9, 1.2e9]])
    found = largest_over_capacity(amounts, np.array([6e9, 4e9, 1.5e9]))
    assert found == pytest.approx([0.5, 0.5, 0.8], rel=1e-14)


def coupled_run():
    """A run whose sensitive cells (weight 2.4e4) are half of K1 in .8 L, and no other tumour cell."""
    record = run(days=10.0, step=1.0, slope=0.0, sites=16, snapshot_days=())
    count = np.zeros_like(record.count)
    count[:, 0], count[:, 1] = 50_000, 40_000
    cells = [
        {"type": "DSTC", "tissue": "X1_C"},
        {"type": "DRTC", "tissue": "X2_C"},
        {"type": "CTL", "tissue": "T8_C"},
    ]
    own = [
        {"name": n, "value": v, "unit": u, "source": "virtual patient", "owner": "body"}
        for n, v, u in (("K1", 3e9, "cells/L"), ("K2", 1e9, "cells/L"), ("V_C", 0.8, "L"))
    ]
    attributes = record.attributes | {"scenario_text": {"coupling": {"cells": cells}}}
    return replace(record, count=count, parameters=own, attributes=attributes,
                   weights={"DSTC": 2.4e4, "DRTC": 2.4e4, "CTL": 1e3})  # fmt: skip


def test_chi_of_a_run_is_its_weighted_amount_over_tissue_volume_and_capacity():
    # 5e4 cells x 2.4e4 / .8 L = 1.5e9 cells/L, half of K1; the other type is fewer, though 1.2 of its K2
    assert burden_of(coupled_run(), "carrying capacity") == pytest.approx(np.full(11, 0.5), rel=1e-12)


def test_a_run_without_a_body_has_no_death():
    alone = replace(run(days=10.0, sites=16, snapshot_days=()), body={}, weights={})
    assert burden_of(alone, "log volume") is None
    assert deaths([alone]) is None


def patients(slope):
    record = run(slope=slope, days=300.0, step=1.0, sites=8, snapshot_days=())
    return [replace(record, patient=f"p{k}") for k in range(60)]


def test_luck_is_the_patients_and_a_smaller_tumour_never_dies_earlier():
    slow, fast = (patients(slope) for slope in (0.008, 0.012))
    late, early = deaths(slow), deaths(fast)
    assert (late.time >= early.time).all()
    assert early.observed.sum() > 50
    assert deaths(slow, seed=1).time.tolist() != late.time.tolist()


def test_the_law_of_an_arm_is_called_a_fit():
    assert all(not law.fit_arm for law in LAWS.values())
    assert law_of("fit", "TAS-102").label == "fit (TAS-102)"
    assert len({(law.mu, law.sigma) for law in FITS.values()}) == 3
    assert law_of("log volume", "TAS-102") is law_of("log volume", "placebo")


def test_unknown_laws_and_arms_are_refused():
    with pytest.raises(InputError, match="unknown law of death 'qcic'"):
        law_of("qcic", "placebo")
    with pytest.raises(InputError, match="none for arm 'new drug'"):
        law_of("fit", "new drug")
