"""Doses of an order reach a closed body to 1e-12, whatever the steps, by the input of their route."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.integrate import ODE_SIGNATURE
from oncolattice.ode_coupling.regimens import parse_plan
from oncolattice.ode_coupling.system import Body

ABSORPTION = 3.7  # 1/d, far from any dose interval


@njit(ODE_SIGNATURE)
def closed(t, y, p, u, dy):
    """Write gut and blood, from which nothing leaves."""
    dy[0] = u[0] - p[0] * y[0]
    dy[1] = u[1] + p[0] * y[0]


@njit(ODE_SIGNATURE)
def nothing(t, y, p, u, out):
    pass


CLOSED = OdeModel(
    name="closed",
    time_unit="d",
    states=(Variable("gut", "mg"), Variable("blood", "mg")),
    inputs=(Variable("dose_rate_A_po", "mg/d"), Variable("dose_rate_A", "mg/d")),
    outputs=(),
    parameters=(Parameter("absorption", ABSORPTION, "1/d", "assumed"),),
    initial=np.zeros(2),
    rhs=closed,
    observe=nothing,
)
PLAN = (
    "A: load 31 mg iv over 90 min, then 7 mg iv over 37 min d1,3 q7d x 3 + 3 mg po bid for 20 days "
    "+ 2 mg sc q5h for 9 days, delay cycle 2 by 11 h, reduce to 30% from cycle 3"
)
DOSES = parse_plan(PLAN).doses()
ORAL = [dose for dose in DOSES if dose.route == "po"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.0, 30.0).map(lambda day: round(day, 6)), min_size=1, max_size=40),
    st.sampled_from([1e-2, 1e-6, 1e-9]),
)
def test_a_dose_is_delivered_to_1e_12_whatever_the_step(stops, rtol):
    body = Body(CLOSED, doses=DOSES, rtol=rtol)
    for day in sorted(stops):
        body.advance_to(day)
        expected = 0.0
        for dose in DOSES:
            if dose.time_days < day:
                share = (day - dose.time_days) / dose.duration_days if dose.duration_days else 1.0
                expected += dose.amount * min(1.0, share)
        assert body.y.sum() == pytest.approx(expected, rel=1e-12)
        assert body.dosed["A"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("stops", [1, 30, 1000])
def test_what_is_in_the_gut_is_that_of_the_oral_doses_alone(stops):
    body = Body(CLOSED, doses=DOSES, rtol=1e-9, atol=1e-10)
    for day in np.linspace(0.0, 21.0, stops + 1):
        body.advance_to(day)
    left = sum(d.amount * np.exp(-ABSORPTION * (21.0 - d.time_days)) for d in ORAL)
    assert body.get("gut") == pytest.approx(left, rel=1e-6)
