"""Doses that are held and scaled while they run: amounts to the last bit, kinetics against the solution."""

import numpy as np
import pytest
from numba import njit

from oncolattice.abm.errors import InputError
from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.integrate import ODE_SIGNATURE
from oncolattice.ode_coupling.system import Body

RATE = 0.7


@njit(ODE_SIGNATURE)
def one_compartment(t, y, p, u, dy):
    dy[0] = u[0] + u[1] - p[0] * y[0]
    dy[1] = p[0] * y[0]
    dy[2] = u[2] - p[0] * y[2]


@njit(ODE_SIGNATURE)
def nothing(t, y, p, u, out):
    pass


MODEL = OdeModel(
    name="plasma",
    time_unit="d",
    states=(Variable("held", "mg"), Variable("gone", "mg"), Variable("other", "mg")),
    inputs=(
        Variable("dose_rate_a", "mg/d"), Variable("dose_rate_a_po", "mg/d"), Variable("dose_rate_b", "mg/d"),
    ),
    outputs=(),
    parameters=(Parameter("k", RATE, "1/d", "assumed"),),
    initial=np.zeros(3),
    rhs=one_compartment,
    observe=nothing,
)  # fmt: skip
PLAN = [Dose(day, "a", 10.0, 0.5) for day in (0.0, 1.0, 2.0, 3.0, 4.0)]
PLAN += [Dose(day, "a", 4.0) for day in (0.25, 2.25, 4.25)] + [Dose(2.0, "b", 7.0)]


def plasma(doses=PLAN):
    return Body(MODEL, doses=doses, rtol=1e-9, atol=1e-9)


def test_a_held_drug_is_not_given_and_a_running_infusion_goes_on():
    """Held from the middle of the infusion of day 1 on, three quarters from day 3 on."""
    body = plasma()
    body.advance_to(1.25)
    body.set_dose("a", 0.0, 1.25)
    body.advance_to(2.75)
    assert body.dosed["a"] == pytest.approx(10 + 4 + 10, rel=1e-15)
    body.set_dose("a", 0.75, 3.0)
    body.advance_to(10.0)
    assert body.dosed["a"] == pytest.approx(24 + 0.75 * (10 + 10 + 4), rel=1e-15)
    assert body.dosed["b"] == 7.0
    assert body.planned("a") == pytest.approx(62.0, rel=1e-15)
    assert body.get("held") + body.get("gone") == pytest.approx(body.dosed["a"], rel=1e-12)


@pytest.mark.parametrize("stops", [2, 7, 100])
def test_the_level_is_that_of_the_doses_given(stops):
    """Superposition: a bolus leaves D exp(-k t), an infusion R / k (exp(-k (t - e)) - exp(-k (t - s)))."""
    body = plasma()
    for time in np.linspace(0.0, 2.0, stops + 1):
        body.advance_to(time)
    body.set_dose("a", 0.5, 2.0)
    body.advance_to(5.0)
    expected = 0.0
    for dose in PLAN:
        if dose.drug == "a":
            amount = dose.amount * (1.0 if dose.time_days < 2 else 0.5)
            since, ended = 5.0 - dose.time_days, 5.0 - dose.end_days
            if dose.duration_days:
                gain = (np.exp(-RATE * ended) - np.exp(-RATE * since)) / (RATE * dose.duration_days)
            else:
                gain = np.exp(-RATE * since)
            expected += amount * gain
    assert body.get("held") == pytest.approx(expected, rel=1e-8)


def test_the_past_keeps_its_bits_and_the_full_dose_changes_nothing():
    straight, changed = plasma(), plasma()
    for body in (straight, changed):
        body.advance_to(2.1)
    given = changed.dosed
    changed.set_dose("a", 1.0, 2.1)
    assert changed.dosed == given
    for body in (straight, changed):
        body.advance_to(6.0)
    assert np.array_equal(straight.y, changed.y)
    changed = plasma()
    changed.advance_to(2.1)
    changed.set_dose("a", 0.0, 2.1)
    assert changed.dosed == given


def test_a_later_call_governs_from_its_own_time_on_and_stopping_is_for_good():
    body = plasma()
    body.set_dose("a", 0.5, 1.0)
    body.set_dose("a", 2.0, 3.0)
    body.set_dose("a", 0.1, 4.0)
    shares = [
        0.1 if d.time_days >= 4 else 2 if d.time_days >= 3 else 0.5 if d.time_days >= 1 else 1 for d in PLAN
    ]
    body.stop_dosing(4.2)
    body.set_dose("a", 1.0, 4.2)
    body.advance_to(9.0)
    expected = sum(
        d.amount * share for d, share in zip(PLAN, shares, strict=True) if d.drug == "a" and d.time_days < 4.2
    )
    assert body.dosed["a"] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("cut", [1.3, 2.1, 3.5])
def test_a_restored_body_knows_its_changes(cut):
    def change(body, time):
        if time == 1.25:
            body.set_dose("a", 0.0, 1.25)
        if time == 3.0:
            body.set_dose("a", 0.75, 3.0)
            body.set_dose("b", 0.5, 3.0)

    times = [1.25, cut, 3.0, 6.0] if cut < 3 else [1.25, 3.0, cut, 6.0]
    whole, saved = plasma(), None
    for time in times:
        whole.advance_to(time)
        change(whole, time)
        if time == cut:
            saved = whole.state()
    again = plasma()
    again.restore(saved)
    for time in times[times.index(cut) + 1 :]:
        again.advance_to(time)
        change(again, time)
    assert np.array_equal(whole.y, again.y)
    assert whole.dosed == again.dosed
    for key, value in whole.state().items():
        assert np.array_equal(value, again.state()[key])
    again.restore(plasma().state())
    assert "body_dose_changes" not in again.state()


def test_a_route_has_its_own_port_or_that_of_the_drug():
    """By mouth there is a port; iv and sc share one, and what overlaps adds up."""
    doses = [Dose(0.0, "a", 6.0, 1.0, "iv"), Dose(0.5, "a", 3.0, 1.0, "sc"), Dose(0.0, "a", 5.0, 0.5, "po")]
    body = plasma(doses)
    body.advance_to(0.25)
    assert body.u.tolist() == [6.0, 10.0, 0.0]
    body.advance_to(0.75)
    assert body.u.tolist() == [9.0, 0.0, 0.0]
    body.advance_to(3.0)
    assert body.get("held") + body.get("gone") == pytest.approx(14.0, rel=1e-12)
    assert body.dosed["a"] == pytest.approx(14.0, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("c", 0.5, 1.0), "unknown drug 'c'"),
        (("a", -0.1, 1.0), "must be a finite number from 0 on, not -0.1"),
        (("a", float("nan"), 1.0), "must be a finite number from 0 on"),
        (("a", 0.5, 0.5), "can change from day 1 on, not from 0.5"),
    ],
)
def test_a_change_that_cannot_be_is_refused(arguments, reason):
    body = plasma()
    body.advance_to(1.0)
    with pytest.raises(InputError, match=reason):
        body.set_dose(*arguments)
