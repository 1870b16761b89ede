"""Each tumour model against its solution in closed form, an invariant or a published number."""

import math

import numpy as np
import pytest

from oncolattice.ode_coupling.system import Body
from oncolattice.ode_coupling.tumour.catalogue import tumour_model
from oncolattice.ode_coupling.tumour.claret import claret_size, time_to_growth_days
from oncolattice.ode_coupling.tumour.stein import nadir_days, stein_share

DAYS = (0.5, 3.0, 20.0, 90.0)


def advanced(name, day, drug, parameters=None, initial=None):
    body = Body(tumour_model(name, parameters, initial), rtol=1e-11, atol=1e-12)
    body.set_input("drug", drug)
    body.advance_to(day)
    return body


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("drug", [0.0, 0.3, 1.0])
def test_exponential_and_log_kill(day, drug):
    slowed = advanced("exponential", day, drug, {"r": 0.05, "d": 0.01})
    assert slowed.output("burden") == pytest.approx(
        1e9 * math.exp((0.05 * (1 - drug) - 0.01) * day), rel=1e-9
    )
    killed = advanced("log_kill", day, drug, {"r": 0.02, "k": 0.1})
    assert killed.output("burden") == pytest.approx(1e9 * math.exp((0.02 - 0.1 * drug) * day), rel=1e-9)


@pytest.mark.parametrize("size", [1e3, 1e9, 1e12])
def test_a_dose_kills_the_same_share_of_any_tumour(size):
    """Skipper's law: ten days at the full dose divide what would have been by exp(10 k)."""
    with_drug, without = (
        advanced("log_kill", 10.0, d, {"k": 0.2}, {"tumour": size}).output("burden") for d in (1.0, 0.0)
    )
    assert with_drug / without == pytest.approx(math.exp(-2.0), rel=1e-9)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("drug", [0.0, 0.5, 1.0])
def test_logistic(day, drug):
    """With kill c the equation is logistic again, of rate a = r - c and capacity K a / r."""
    r, capacity, k, start = 0.1, 1e10, 0.06, 5e9
    a = r - k * drug
    plateau = capacity * a / r
    exact = plateau / (1 + (plateau / start - 1) * math.exp(-a * day))
    got = advanced("logistic", day, drug, {"r": r, "K": capacity, "k": k}).output("burden")
    assert got == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("drug", [0.0, 0.5, 1.0])
def test_gompertz_with_norton_simon(day, drug):
    b, capacity, kill, start = 0.01, 1e12, 2.0, 1e9
    exact = capacity * math.exp(-math.log(capacity / start) * math.exp(-b * (1 - kill * drug) * day))
    got = advanced("gompertz", day, drug, {"b": b, "K": capacity, "L": kill}, {"tumour": start})
    assert got.output("burden") == pytest.approx(exact, rel=1e-7)


def test_norton_simon_regression_is_proportional_to_growth():
    """What treatment takes from tumours of two sizes goes with their growth, not with their size."""
    lost = []
    for size in (1e11, 3.1e12 / math.e):
        ends = [advanced("gompertz", 1e-3, d, None, {"tumour": size}).output("burden") for d in (0.0, 1.0)]
        lost.append((ends[0] - ends[1]) / (ends[0] - size))
    assert lost == pytest.approx([5.0, 5.0], rel=1e-3)


def test_lotka_volterra_keeps_the_ratio_of_equal_types():
    """Without drug, cost and turnover both types have one growth rate, and the total is logistic."""
    body = advanced("lotka_volterra", 100.0, 0.0, None, {"sensitive": 0.1, "resistant": 0.02})
    total = 1 / (1 + (1 / 0.12 - 1) * math.exp(-0.027 * 100))
    assert body.output("burden") == pytest.approx(total, rel=1e-9)
    assert body.get("sensitive") / body.get("resistant") == pytest.approx(5.0, rel=1e-9)


def test_lotka_volterra_under_drug_has_an_invariant():
    """S'/S = -0.5 R'/R under the full dose without turnover, so S R^0.5 stays what it was."""
    start = {"sensitive": 0.5, "resistant": 0.01}
    body = advanced("lotka_volterra", 200.0, 1.0, None, start)
    product = body.get("sensitive") * math.sqrt(body.get("resistant"))
    assert product == pytest.approx(0.5 * math.sqrt(0.01), rel=1e-9)
    assert body.get("resistant") > 0.1  # it has moved


def test_lotka_volterra_settles_where_turnover_balances_division():
    """A tumour of resistant cells settles at 1 - turnover / (1 - cost)."""
    body = advanced(
        "lotka_volterra", 5000.0, 1.0, {"cost": 0.2, "turnover": 0.3}, {"sensitive": 0.2, "resistant": 0.2}
    )
    assert body.output("burden") == pytest.approx(1 - 0.3 / 0.8, rel=1e-6)


def test_three_types_without_producers_of_resistance_settle_as_the_line_system_says():
    """T+ and TP alone, untreated: T+ + 0.7 TP = 1.5 TP and 0.4 T+ + TP = 1e4, so TP = 1e4 / 1.32."""
    start = {"T_plus": 5000.0, "T_producer": 5000.0, "T_minus": 0.0}
    body = advanced("three_types", 40000.0, 0.0, None, start)
    producers = 1e4 / (0.4 * 0.8 + 1.0)
    assert body.get("T_producer") == pytest.approx(producers, rel=1e-7)
    assert body.get("T_plus") == pytest.approx(0.8 * producers, rel=1e-7)
    # every cell makes one unit of PSA a day, of which half is lost in one
    assert body.output("PSA") == pytest.approx(2 * 1.8 * producers, rel=1e-7)


def test_abiraterone_turns_the_capacities_down():
    """T- alone fills its capacity; TP alone falls to 100 under treatment; T+ need TP."""
    alone = dict.fromkeys(("T_plus", "T_producer", "T_minus"), 0.0)
    minus = advanced("three_types", 6000.0, 1.0, None, alone | {"T_minus": 5.0})
    assert minus.output("burden") == pytest.approx(1e4, rel=1e-6)
    producers = advanced("three_types", 20000.0, 1.0, None, alone | {"T_producer": 9000.0})
    assert producers.output("burden") == pytest.approx(100.0, rel=1e-6)
    plus = advanced("three_types", 3000.0, 0.0, None, alone | {"T_plus": 9000.0})
    assert plus.output("burden") < 10.0


def test_published_order_of_the_competition_coefficients():
    a = {p.name: p.value for p in tumour_model("three_types").parameters}
    assert sorted(a[k] for k in ("a12", "a13", "a21", "a23", "a31", "a32")) == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    larger = [("a31", "a21"), ("a32", "a12"), ("a13", "a23"), ("a13", "a12"), ("a23", "a21"), ("a32", "a31")]
    assert all(a[x] > a[y] for x, y in larger)


def test_claret():
    """KL 0.021, KD 0.06, lambda 0.053 a week: nadir 72.62349 of 100 at 19.80796 weeks, 0.79994 at week 8."""
    week = 7.0
    rates = (0.021 / week, 0.06 / week, 0.053 / week)
    assert time_to_growth_days(*rates) / week == pytest.approx(19.80796, abs=5e-6)
    assert claret_size(19.80796 * week, 100.0, *rates) == pytest.approx(72.62349, abs=5e-6)
    assert claret_size(8 * week, 1.0, *rates) == pytest.approx(0.79994, abs=5e-6)
    for day in (10.0, 56.0, 19.80796 * week, 400.0):
        got = advanced("claret", day, 1.0).output("burden")
        assert got == pytest.approx(claret_size(day, 100.0, *rates), rel=1e-8)
    assert time_to_growth_days(0.06, 0.021, 0.053) == 0.0


def test_stein():
    """g 0.004, d 0.02 a day: nadir 0.569193 at 67.05991 d, 0.577351 on day 56."""
    assert nadir_days(0.004, 0.02) == pytest.approx(67.05991, abs=5e-6)
    assert stein_share(67.05991, 0.004, 0.02) == pytest.approx(0.569193, abs=5e-7)
    assert stein_share(56.0, 0.004, 0.02) == pytest.approx(0.577351, abs=5e-7)
    for day in (5.0, 56.0, 67.05991, 300.0):
        got = advanced("stein", day, 1.0).output("burden")
        assert got == pytest.approx(100 * stein_share(day, 0.004, 0.02), rel=1e-8)
    slopes = np.diff([stein_share(d, 0.004, 0.02) for d in (66.95991, 67.05991, 67.15991)])
    assert slopes[0] < 0.0 < slopes[1]
    assert nadir_days(0.02, 0.004) == 0.0
