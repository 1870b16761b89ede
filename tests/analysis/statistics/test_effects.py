"""Effects within virtual patients, against simulations of known effect."""

import math

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.analysis.statistics.effects import effect_rows, paired_effects, paired_times
from oncolattice.tests.helpers.trials import times


def study(patients=60, seeds=2, effect=-0.5, noise=0.2, spread=2.0, rng_seed=1):
    """Outcome of each run: patient's own level + effect of the arm + chance of the run."""
    rng = np.random.default_rng(rng_seed)
    level = rng.normal(scale=spread, size=patients)
    rows = [
        (f"p{p}", arm, s, level[p] + gain + rng.normal(scale=noise))
        for p in range(patients)
        for arm, gain in (("placebo", 0.0), ("drug", effect))
        for s in range(seeds)
    ]
    return {
        key: np.array(values)
        for key, values in zip(("patient", "arm", "seed", "tri"), zip(*rows, strict=True), strict=True)
    }


def test_effect_within_patients_and_of_a_randomised_trial():
    (found,) = paired_effects(study(patients=400), "tri", "lower")
    assert (found.first, found.second, found.patients, found.unpaired) == ("drug", "placebo", 400, 0)
    # SE of the paired mean: .2 sqrt(2 / 2) / sqrt(400) = .01; of the randomised one: 2 sqrt(2 / 200) = .2
    assert found.mean.value == pytest.approx(-0.5, abs=0.05)
    assert (found.mean.upper - found.mean.lower) / 2 == pytest.approx(1.96 * 0.01, rel=0.15)
    assert found.randomised.value == pytest.approx(-0.5, abs=1.0)
    assert (found.randomised.upper - found.randomised.lower) / 2 == pytest.approx(1.97 * 0.2, rel=0.15)
    assert found.variance_ratio == pytest.approx(400, rel=0.35)
    # all of the spread is the runs' chance here
    assert found.monte_carlo_error == pytest.approx(0.01, rel=0.2)
    # chance that N(-.5, .2^2) is below 0: .9938
    assert found.benefit.value == pytest.approx(0.9938, abs=0.02)
    assert found.benefit.value + found.harm == pytest.approx(1.0)


def test_effects_by_hand():
    table = {
        "patient": list("aabbccdd"),
        "arm": ["x", "y"] * 4,
        "seed": [0] * 8,
        "days": [10, 13, 10, 12, 10, 10, 10, 4],
    }
    (found,) = paired_effects(table, "days", "higher")
    assert (found.first, found.second) == ("y", "x")
    assert (found.mean.value, found.median.value) == (-0.25, 1.0)
    assert (found.benefit.value, found.harm) == (0.5, 0.25)
    assert math.isnan(found.monte_carlo_error)
    assert found.spread == pytest.approx(np.std([3, 2, 0, -6], ddof=1))
    (turned,) = paired_effects(table, "days", "higher", pairs=[("x", "y")])
    assert (turned.mean.value, turned.benefit.value) == (0.25, 0.25)


def test_weights_stand_for_patients():
    table = study(patients=6, seeds=1)
    weight = np.array([1 + int(p[1:]) % 3 for p in table["patient"]], dtype=float)
    (found,) = paired_effects(table | {"w": weight}, "tri", "lower", weight="w")
    gaps = np.array([table["tri"][2 * p + 1] - table["tri"][2 * p] for p in range(6)])
    assert found.mean.value == pytest.approx(np.average(gaps, weights=1 + np.arange(6) % 3))


def test_coverage_of_the_bootstrap():
    # effects differ between patients; 200 studies of 40: 95 % limits cover 86 % or less with chance < 1e-4
    hits = 0
    for k in range(200):
        (found,) = paired_effects(study(40, 1, noise=0.5, rng_seed=k), "tri", "lower", draws=300)
        hits += found.mean.lower <= -0.5 <= found.mean.upper
    assert 0.86 < hits / 200 < 0.995


def test_patients_of_one_arm_are_counted_out_and_all_pairs_are_made():
    table = study(patients=8, seeds=1)
    more = {
        key: np.append(values, new)
        for (key, values), new in zip(table.items(), ("q", "drug", 0, 1.0), strict=True)
    }
    (found,) = paired_effects(more, "tri", "lower")
    assert (found.patients, found.unpaired) == (8, 1)
    third = {k: np.concatenate([v, v[v.size // 2 :]]) for k, v in table.items()}
    third["arm"] = np.concatenate([table["arm"], np.where(table["arm"][8:] == "drug", "both", "other")])
    chosen = paired_effects(third, "tri", "lower", pairs=[("both", "drug")])
    assert (chosen[0].mean.value, chosen[0].benefit.value, chosen[0].harm) == (0.0, 0.0, 0.0)


def test_bad_tables_are_refused():
    table = study(patients=6, seeds=1)
    with pytest.raises(InputError, match="'p0', arm 'placebo', seed 0 has two rows"):
        paired_effects({k: np.append(v, v[0]) for k, v in table.items()}, "tri", "lower")
    with pytest.raises(InputError, match="unknown arm 'drugs'; did you mean 'drug'"):
        paired_effects(table, "tri", "lower", pairs=[("drugs", "placebo")])
    with pytest.raises(InputError, match="share 3 patients"):
        paired_effects({k: v[:6] for k, v in table.items()}, "tri", "lower")
    with pytest.raises(InputError, match="unknown direction 'less'"):
        paired_effects(table, "tri", "less")
    with pytest.raises(InputError, match="unknown column 'TRI'"):
        paired_effects(table, "TRI", "lower")


def test_rows_have_columns_for_limits():
    (row,) = effect_rows(paired_effects(study(patients=6), "tri", "lower"))
    assert row["first"] == "drug"
    assert row["mean_low"] <= row["mean"] <= row["mean_high"]


def test_paired_times_decide_only_what_is_known():
    first = times((5, -5, 5, -5, 7, 7, 7))
    second = times((4, 4, -6, -6, 7, -7, -3))
    found = paired_times(first, second)
    # longer; longer; shorter; hidden; equal; shorter (censored at 7 lives on); hidden
    assert (found.first_longer, found.second_longer, found.undecided) == (2, 2, 3)
    turned = paired_times(second, first)
    assert (turned.first_longer, turned.second_longer) == (2, 2)


def test_win_ratio():
    # 12 wins, 3 losses; Wilson's interval of .8 by hand
    first, second = times([5.0] * 15), times([4.0] * 12 + [6.0] * 3)
    found = paired_times(first, second)
    z2 = 1.959963984540054**2
    centre, reach = (0.8 + z2 / 30) / (1 + z2 / 15), math.sqrt(z2 * (0.16 / 15 + z2 / 900)) / (1 + z2 / 15)
    assert (found.benefit.lower, found.benefit.upper) == pytest.approx((centre - reach, centre + reach))
    assert found.win_ratio.value == pytest.approx(4.0)
    assert found.win_ratio.lower == pytest.approx((centre - reach) / (1 - centre + reach))
    hidden = paired_times(times((-1, -2)), times((-1, -3)))
    assert (hidden.undecided, math.isnan(hidden.benefit.value)) == (2, True)
    with pytest.raises(InputError, match="one length"):
        paired_times(first, second[:3])
