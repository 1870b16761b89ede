"""Schedules become the doses a clinic would count, and their edges carry exactly the dosed amounts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose, Regimen, cycle_doses

doses = st.lists(
    st.builds(
        Dose,
        st.floats(0.0, 300.0),
        st.sampled_from(["a", "b"]),
        st.floats(0.0, 500.0),
        st.sampled_from([0.0, 0.0625, 0.1, 3.0]),
    ),
    max_size=12,
)


def test_six_cycles_of_tas102():
    given = cycle_doses("TAS102", 95.0)
    starts = [dose.time_days for dose in given]
    assert starts[:10] == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    assert (len(given), starts[10], starts[-1]) == (60, 29, 152)
    assert sum(dose.amount for dose in given) == 60 * 95.0


def test_until_a_day_missed_days_and_another_first_day():
    kwargs = {"days": (1, 15), "cycles": None, "duration_days": 0.0}
    starts = [d.time_days for d in cycle_doses("b", 1.0, until_days=57.0, **kwargs)]
    assert starts == [1, 15, 29, 43]  # the dose due on day 57 is not given
    starts = [d.time_days for d in cycle_doses("b", 1.0, until_days=60.0, missed=(15, 43), **kwargs)]
    assert starts == [1, 29, 57]
    assert [d.time_days for d in cycle_doses("b", 1.0, (1, 3), 7.0, 2, first_day=10.0)] == [10, 12, 17, 19]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"days": (0,)}, "outside days 1 to 28"),
        ({"days": (29,)}, "outside days 1 to 28"),
        ({"cycle_days": 0.0}, "cycle_days must be positive"),
        ({"cycles": None}, "until_days"),
        ({"cycles": -1}, "whole number"),
        ({"cycles": 1.5}, "whole number"),
        ({"missed": (6,)}, "no dose is due on missed day 6"),
        ({"duration_days": -0.1}, "duration_days must not be negative"),
    ],
)
def test_bad_schedules_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        cycle_doses("TAS102", 95.0, **arguments)


@pytest.mark.parametrize("bad", [(math.nan, 1.0), (1.0, math.inf), (1.0, -1.0)])
def test_bad_doses_are_refused(bad):
    with pytest.raises(InputError, match="dose of a"):
        Dose(bad[0], "a", bad[1])


def test_overlapping_infusions_add_up_and_return_to_zero():
    regimen = Regimen([Dose(0.0, "a", 10.0, 1.0), Dose(0.5, "a", 3.0, 1.0), Dose(0.5, "b", 7.0, 0.0)])
    assert regimen.edges == [0.0, 0.5, 1.0, 1.5]
    np.testing.assert_array_equal(regimen.rates[:, 0], [10.0, 13.0, 3.0, 0.0])
    np.testing.assert_array_equal(regimen.boluses[:, 1], [0.0, 7.0, 0.0, 0.0])
    assert regimen.delivered("a", 0.75) == 7.5 + 0.75


def test_routes_have_columns_of_their_own_and_add_up():
    regimen = Regimen(
        [Dose(0.0, "a", 10.0, 1.0), Dose(0.5, "a", 3.0, 0.0, "po"), Dose(0.5, "b", 7.0, 0.0, "sc")]
    )
    assert (regimen.drugs, regimen.columns) == (("a", "b"), (("a", "iv"), ("a", "po"), ("b", "sc")))
    np.testing.assert_array_equal(regimen.rates, [[10.0, 0.0, 0.0], [10.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(regimen.boluses[1], [0.0, 3.0, 7.0])
    assert regimen.delivered("a", 0.75) == 7.5 + 3.0
    assert regimen.delivered("c", 0.75) == 0.0


@pytest.mark.parametrize("hours", [1, 2, 4, 6, 8])
def test_an_infusion_without_a_pause_has_one_edge_a_dose(hours):
    given = [Dose(1.0 + k * hours / 24, "a", 3.0, hours / 24) for k in range(200)]
    regimen = Regimen(given)
    assert regimen.edges == [dose.time_days for dose in given] + [given[-1].end_days]
    assert regimen.delivered("a", 1e3) == pytest.approx(600.0, rel=1e-12)
    assert regimen.rates[:-1, 0] == pytest.approx(3.0 * 24 / hours, rel=1e-9)


def test_an_unknown_route():
    with pytest.raises(InputError, match=r"dose of a: unknown route 'vi'.*valid: im, iv, po, sc"):
        Dose(0.0, "a", 1.0, route="vi")


@given(doses)
def test_the_edges_carry_exactly_the_dosed_amounts(listed):
    regimen = Regimen(listed)
    lengths = np.diff(regimen.edges, append=regimen.edges[-1:])
    assert all(lengths[:-1] > 1e-9)
    for k, drug in enumerate(regimen.drugs):
        total = math.fsum(dose.amount for dose in listed if dose.drug == drug)
        assert regimen.boluses[:, k].sum() + regimen.rates[:, k] @ lengths == pytest.approx(total, rel=1e-12)
        assert regimen.delivered(drug, 1e4) == pytest.approx(total, rel=1e-15)
        assert regimen.rates[-1, k] == 0.0


@given(doses, st.floats(0.0, 300.0))
def test_stopping_drops_later_starts_only(listed, day):
    stopped = Regimen(listed).stopped(day)
    assert all(dose.time_days < day for dose in stopped.doses)
    assert len(stopped.doses) == sum(dose.time_days < day for dose in listed)
