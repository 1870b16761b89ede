"""The linear-quadratic law against quadrature, closed forms and textbook doses; fractions as jumps of a tumour."""

import math

import numpy as np
import pytest
from scipy.integrate import dblquad

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.system import Body
from oncolattice.ode_coupling.tumour.catalogue import tumour_model, tumour_models
from oncolattice.ode_coupling.tumour.irradiate import irradiate
from oncolattice.ode_coupling.tumour.linear_quadratic import (
    Fraction,
    LinearQuadratic,
    bed_Gy,
    eqd2_Gy,
    incomplete_repair,
    oxygen_factor,
    protraction,
    squares,
)
from oncolattice.ode_coupling.tumour.schedule import fractions_of

CONVENTIONAL = fractions_of(2.0, 30)


def test_conventional_course():
    """30 x 2 Gy on weekdays from a Monday: six weeks, BED 72 Gy and EQD2 60 Gy at alpha/beta = 10 Gy."""
    days = [f.time_days for f in CONVENTIONAL]
    assert days == [7 * week + day for week in range(6) for day in range(5)]
    assert bed_Gy(30, 2.0, 10.0) == pytest.approx(72.0)
    assert eqd2_Gy(72.0, 10.0) == pytest.approx(60.0)
    # 5 x 7 Gy at 10 Gy: 35 (1 + 0.7); RTOG 90-03 hyperfractionation 68 x 1.2 Gy: 81.6 x 1.12
    assert bed_Gy(5, 7.0, 10.0) == pytest.approx(59.5)
    assert bed_Gy(68, 1.2, 10.0) == pytest.approx(91.392)
    # repopulation from day 21 of 39 with a doubling in 3 d at 0.35 / Gy takes ln 2 x 18 / 1.05
    lost = bed_Gy(35, 2.0, 10.0) - bed_Gy(35, 2.0, 10.0, repopulation_days=18.0)
    assert lost == pytest.approx(11.8825, abs=1e-4)


def test_survival_in_closed_form():
    law = LinearQuadratic(0.3, 0.03, 0.0)
    assert law.survival(CONVENTIONAL) == pytest.approx(math.exp(-30 * (0.3 * 2 + 0.03 * 4)), rel=1e-12)
    # -ln S / alpha is the biologically effective dose
    assert -math.log(law.survival(CONVENTIONAL)) / 0.3 == pytest.approx(72.0)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 70])
@pytest.mark.parametrize("interval_h", [0.5, 6.0, 24.0])
@pytest.mark.parametrize("half_time_h", [0.28, 1.5, 4.0])
def test_equally_spaced_fractions_are_those_of_thames(n, interval_h, half_time_h):
    course = [Fraction(i * interval_h / 24, 1.7) for i in range(n)]
    total = squares(course, half_time_h).sum()
    assert total == pytest.approx(n * 1.7**2 * (1 + incomplete_repair(n, interval_h, half_time_h)), rel=1e-12)


def test_thames_of_two_and_three_fractions():
    """h of two is the share left, of three (2/3)(2 x + x^2) (10.1080/09553008514550461)."""
    left = 2 ** (-6 / 1.5)
    assert incomplete_repair(1, 6.0, 1.5) == 0.0
    assert incomplete_repair(2, 6.0, 1.5) == pytest.approx(left)
    assert incomplete_repair(3, 6.0, 1.5) == pytest.approx(2 / 3 * (2 * left + left**2))


def test_protracted_fractions_against_quadrature():
    """Lea-Catcheside by definition: twice the integral of both dose rates over pairs of instants."""
    half_time_h = 1.1
    rate = math.log(2) * 24 / half_time_h
    course = [Fraction(0.0, 2.0, 0.03), Fraction(0.10, 1.5, 0.05), Fraction(0.22, 2.5, 0.01)]
    added = squares(course, half_time_h)
    for j, later in enumerate(course):
        a, b = later.time_days, later.time_days + later.duration_days
        own, _ = dblquad(lambda s, t: math.exp(-rate * (t - s)), a, b, a, lambda t: t)
        expected = 2 * own * (later.dose_Gy / later.duration_days) ** 2
        for earlier in course[:j]:
            c, d = earlier.time_days, earlier.time_days + earlier.duration_days
            both, _ = dblquad(lambda s, t: math.exp(-rate * (t - s)), a, b, c, d)
            expected += (
                2 * both * later.dose_Gy * earlier.dose_Gy / (later.duration_days * earlier.duration_days)
            )
        assert added[j] == pytest.approx(expected, rel=1e-8)


def test_limits_of_repair():
    """No time to repair: one big dose; all the time: fractions on their own; the series meets the closed form."""
    together = [Fraction(0.0, 2.0), Fraction(1e-9, 3.0)]
    assert squares(together, 4.0).sum() == pytest.approx(25.0, rel=1e-6)
    assert squares(together, 0.0).tolist() == [4.0, 9.0]
    assert protraction(0.0, 1.0) == protraction(1.0, 0.0) == 1.0
    x = 1.0001e-4
    assert protraction(x / math.log(2) / 24, 1.0) == pytest.approx(1 - x / 3, abs=1e-7)
    assert protraction(0.9998e-4 / math.log(2) / 24, 1.0) == pytest.approx(1 - x / 3, abs=1e-7)
    slow = 1e4
    assert protraction(slow / math.log(2) / 24, 1.0) == pytest.approx(2 / slow, rel=2e-4)


def test_oxygen_factor():
    """Without oxygen a dose counts as a third, at K as the mean of a third and 1, with much as itself."""
    np.testing.assert_allclose(oxygen_factor(np.array([0.0, 3.0, 1e9])), [1 / 3, 2 / 3, 1.0], rtol=1e-8)


@pytest.mark.parametrize("name", tumour_models())
def test_fractions_on_any_tumour(name):
    """A fraction leaves exactly S of every cell, between fractions the tumour grows as it always does."""
    law = LinearQuadratic(0.3, 0.03, 1.5)
    course = fractions_of(2.0, 3, first_day=0.25, per_day=2)
    body, free = (Body(tumour_model(name), rtol=1e-9, atol=1e-9) for _ in range(2))
    irradiate(body, course, 5.0, law)
    cells = [i for i, s in enumerate(free.model.states) if s.unit == free.model.outputs[0].unit]
    for fraction, kill in zip(course, law.log_kills(course), strict=True):
        free.advance_to(fraction.time_days)
        free.y[cells] *= math.exp(-kill)
    free.advance_to(5.0)
    np.testing.assert_allclose(body.y, free.y, rtol=1e-12)


def test_exponential_tumour_under_a_course_is_a_product():
    law = LinearQuadratic(0.22, 0.22 / 8.1, 0.0)
    body = Body(tumour_model("exponential", {"r": 0.2, "d": 0.03}), rtol=1e-11)
    found = irradiate(body, CONVENTIONAL, 60.0, law, at_days=[0.0, 4.5, 60.0])
    kill = 0.22 * 2 + 0.22 / 8.1 * 4
    exact = [1.0, math.exp(0.17 * 4.5 - 5 * kill), math.exp(0.17 * 60 - 30 * kill)]
    np.testing.assert_allclose(found / 1e9, exact, rtol=1e-8)


def test_proliferation_saturation():
    """V+ = V (1 - gamma (1 - V/K)) with gamma = 1 - S, logistic between the fractions, step by step by hand."""
    gamma, growth, capacity = 0.25, 0.1, 1e10
    law = LinearQuadratic(-math.log(1 - gamma) / 2.0, 0.0, 0.0)
    for saturation in (0.5, 0.9, 0.99):
        volume = saturation
        body = Body(tumour_model("logistic", None, {"tumour": saturation * capacity}), rtol=1e-10)
        found = irradiate(body, CONVENTIONAL, 39.0, law, saturation="K", at_days=range(40))
        for day in range(39):
            assert found[day] / capacity == pytest.approx(volume, rel=1e-8)
            if day % 7 < 5:
                volume -= gamma * volume * (1 - volume)
            volume = 1 / (1 + (1 / volume - 1) * math.exp(-growth))


def test_saturated_tumours_respond_less():
    """Six weeks of treatment shrink the less saturated tumour more (10.1186/s13014-015-0465-x, figure 1)."""
    law = LinearQuadratic(-math.log(0.75) / 2.0, 0.0, 0.0)
    left = []
    for saturation in (0.5, 0.7, 0.9, 0.99):
        body = Body(tumour_model("logistic", None, {"tumour": saturation * 1e10}), rtol=1e-9)
        irradiate(body, CONVENTIONAL, 42.0, law, saturation="K")
        left.append(body.output("burden") / (saturation * 1e10))
    assert left == sorted(left)
    assert left[-1] > 3 * left[0]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"dose_Gy": 0.0}, "dose_Gy"),
        ({"fractions": 0}, "fractions"),
        ({"week": (0, 1)}, "1 to 7"),
        ({"week": ()}, "1 to 7"),
        ({"per_day": 4, "interval_h": 8.0}, "do not fit"),
        ({"per_day": 2, "interval_h": 0.5, "duration_h": 1.0}, "overlap"),
        ({"first_day": -1.0}, "negative"),
    ],
)
def test_bad_schedules(settings, says):
    with pytest.raises(InputError, match=says):
        fractions_of(**({"dose_Gy": 2.0, "fractions": 5} | settings))


def test_bad_courses():
    with pytest.raises(InputError, match="overlaps"):
        squares([Fraction(0.0, 2.0, 0.5), Fraction(0.1, 2.0)], 1.0)
    with pytest.raises(InputError, match="alpha_per_Gy"):
        LinearQuadratic(-0.1)
    with pytest.raises(InputError, match="dose_Gy"):
        Fraction(0.0, -2.0)
    with pytest.raises(InputError, match="alpha_beta_Gy"):
        bed_Gy(30, 2.0, 0.0)
    body = Body(tumour_model("logistic"))
    body.advance_to(2.0)
    with pytest.raises(InputError, match="before day 2"):
        irradiate(body, [Fraction(1.0, 2.0)], 5.0)
    with pytest.raises(InputError, match="records"):
        irradiate(body, [], 5.0, at_days=[6.0])
