"""Plausibility, acceptance, weights and picks against analytic answers and statistical laws."""

import math

import numpy as np
import pytest
from scipy import special, stats

from oncolattice.abm.errors import InputError
from oncolattice.analysis.calibrate import (
    accept,
    density_ratio,
    effective_sample_size,
    plausible,
    prevalence_weights,
    response_classes,
    solve_factor,
    systematic_picks,
    week8_response,
    week8_targets,
)


def test_a_patient_is_plausible_within_all_ranges_and_nan_within_none():
    found = plausible(
        {"a": np.array([0.0, 1.0, 2.0, np.nan]), "b": np.array([5.0, 5.0, 9.0, 5.0])},
        {"a": (0.5, 2.0), "b": (0.0, 6.0)},
    )
    assert found.mask.tolist() == [False, True, False, False]
    assert found.outside == {"a": 2, "b": 1}
    assert (found.proposed, found.kept) == (4, 1)


def test_the_density_ratio_is_the_analytic_one():
    """Uniform proposals on a square, normal target of SD 0.1: the ratio is the normal density up to the noise of
    five neighbours (relative SD 1/sqrt(5)), which 4,000 patients average out."""
    outputs = np.random.default_rng(1).random((4000, 2))

    def target(y):
        return stats.multivariate_normal([0.5, 0.5], 0.01).pdf(y)

    ratio, exact = density_ratio(outputs, target), target(outputs)
    inner = (exact > 1.0) & (np.abs(outputs - 0.5) < 0.45).all(axis=1)
    log = np.log(ratio[inner] / exact[inner])
    # the volume up to the fifth neighbour is a Gamma variate of shape 5: variance of its logarithm
    assert np.std(log) == pytest.approx(math.sqrt(special.polygamma(1, 5)), rel=0.15)
    slope = stats.linregress(np.log(exact[inner]), np.log(ratio[inner])).slope
    assert abs(slope - 1.0) < 0.03


def test_accepted_patients_follow_the_target():
    """Normal target inside a wide uniform population: K-S of those taken against the law they should have, with
    one false alarm in 10,000 and the 0.01 of distortion that the choice of scale may cost."""
    rng = np.random.default_rng(2)
    outputs, target = rng.uniform(-4.0, 4.0, (6000, 1)), rng.normal(0.5, 0.7, (3000, 1))
    found = accept(outputs, target, seed=3)
    taken = outputs[found.taken, 0]
    distance = stats.kstest(taken, stats.norm(0.5, 0.7).cdf).statistic
    assert distance < stats.kstwo(taken.size).isf(1e-4) + 0.03
    assert stats.kstest(outputs[:, 0], stats.norm(0.5, 0.7).cdf).statistic > 0.2  # it had something to do
    spread = math.sqrt((found.chance * (1 - found.chance)).sum())
    assert abs(found.accepted - found.chance.sum()) < 4 * spread
    assert found.accepted < found.proposed
    assert found.effective <= found.proposed


def test_acceptance_refuses_what_it_cannot_use():
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match="more patients"):
        density_ratio(rng.random((4, 1)), rng.random((9, 1)))
    with pytest.raises(InputError, match="target has 2 outputs"):
        density_ratio(rng.random((40, 1)), rng.random((9, 2)))
    with pytest.raises(InputError, match="the same in all patients"):
        density_ratio(np.ones((40, 1)), rng.random((9, 1)))
    with pytest.raises(InputError, match="no plausible patient lies"):
        density_ratio(rng.random((40, 1)), lambda y: np.zeros(len(y)))


def test_weights_of_one_margin_are_the_ratio_of_shares():
    found = prevalence_weights({"arm": ["PD"] * 6 + ["SD"] * 4}, {"arm": {"PD": 3.0, "SD": 7.0}})
    np.testing.assert_allclose(found.weight, [0.5] * 6 + [1.75] * 4, rtol=1e-6)
    # Kish: (6 * .5 + 4 * 1.75)^2 / (6 * .25 + 4 * 3.0625)
    assert found.effective == pytest.approx(100.0 / 13.75)


def test_weights_of_two_margins_keep_the_odds_ratio():
    """The answer of greatest entropy is a product of factors of the margins, so interaction stays as it was."""
    first, second = ["a"] * 50 + ["b"] * 50, (["x"] * 30 + ["y"] * 20) * 2
    second[50] = "y"
    found = prevalence_weights(
        {"1": first, "2": second}, {"1": {"a": 0.8, "b": 0.2}, "2": {"x": 0.3, "y": 0.7}}
    )
    cell = {k: sum(w for w, *key in zip(found.weight, first, second, strict=True) if tuple(key) == k) for k in
            [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]}  # fmt: skip
    assert (cell["a", "x"] + cell["a", "y"]) / 100 == pytest.approx(0.8, abs=1e-6)
    assert (cell["a", "x"] + cell["b", "x"]) / 100 == pytest.approx(0.3, abs=1e-6)
    odds = cell["a", "x"] * cell["b", "y"] / (cell["a", "y"] * cell["b", "x"])
    assert odds == pytest.approx(30 * 21 / (20 * 29))
    assert found.misfit <= 1e-6


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"arm": {"PD": 1.0}}, "class SD, and no target"),
        ({"arm": {"PD": 1.0, "SD": 1.0, "CR": 0.1}}, "should be CR, but no patient is"),
        ({"other": {"PD": 1.0}}, "name the same margins"),
        ({"arm": {"PD": -1.0, "SD": 1.0}}, "must be 0 or more"),
    ],
)
def test_targets_that_cannot_be_met(targets, message):
    with pytest.raises(InputError, match=message):
        prevalence_weights({"arm": ["PD", "SD"]}, targets)


def test_margins_that_exclude_one_another_are_refused():
    with pytest.raises(InputError, match="cannot be met together"):
        prevalence_weights(
            {"1": ["a", "b"], "2": ["x", "y"]}, {"1": {"a": 0.9, "b": 0.1}, "2": {"x": 0.1, "y": 0.9}}
        )


def test_picks_are_floor_or_ceil_of_their_expectation():
    weight = np.random.default_rng(4).exponential(size=500)
    counts = np.bincount(systematic_picks(weight, 200, 7), minlength=500)
    expected = 200 * weight / weight.sum()
    assert counts.sum() == 200
    assert (counts >= np.floor(expected)).all()
    assert (counts <= np.ceil(expected)).all()
    # along any order, neighbours are taken as often as they weigh, to within one
    order = np.argsort(weight)
    along = np.cumsum(np.bincount(systematic_picks(weight, 200, 7, order), minlength=500)[order])
    assert np.abs(along - np.cumsum(expected[order])).max() <= 1.0


def test_effective_sample_size():
    assert effective_sample_size(np.full(9, 3.0)) == pytest.approx(9.0)
    assert effective_sample_size(np.array([1.0, 0.0, 0.0])) == pytest.approx(1.0)


def test_week_8_counts_by_the_bounds_of_the_criterion():
    tri = np.array([-0.9, -0.5, -0.3, 0.0, 0.19, 0.2, 1.0, 3.0])
    assert response_classes(tri).tolist() == ["CR", "PR", "SD", "SD", "SD", "PD", "PD", "PD"]
    found = week8_response(tri)
    assert (found.CR, found.PR, found.SD, found.PD, found.DCR) == (12.5, 12.5, 37.5, 37.5, 62.5)
    assert week8_response(tri, np.array([0, 0, 0, 1, 0, 3, 0, 0])).PD == 75.0
    with pytest.raises(InputError, match="NaN"):
        week8_response(np.array([np.nan]))


@pytest.mark.parametrize(
    ("arm", "sd", "pd", "dcr"),
    [
        ("placebo", 15.3, 84.5, 15.5),
        ("TAS-102", 44.4, 54.3, 45.7),
        ("TAS-102 + bevacizumab", 58.9, 37.2, 62.8),
    ],
)
def test_targets_are_those_of_the_pooled_trials(arm, sd, pd, dcr):
    found = week8_targets(arm)
    assert pytest.approx([sd, pd, dcr]) == [found.SD, found.PD, found.DCR]


def test_an_arm_without_trials_has_no_target():
    with pytest.raises(InputError, match="no pooled trials"):
        week8_targets("pembrolizumab")


def test_a_factor_is_found_in_its_bracket():
    doses = np.linspace(0.5, 1.5, 2001)
    found = solve_factor(lambda f: 100.0 * float(np.mean(f * doses > 1.0)), 30.0, 0.5, 1.5)
    assert found == pytest.approx(1.0 / 1.2, abs=2e-3)  # 30 % of doses lie above 1.2
    with pytest.raises(InputError, match="none between"):
        solve_factor(lambda f: 10.0 * f, 90.0, 0.5, 1.5)
