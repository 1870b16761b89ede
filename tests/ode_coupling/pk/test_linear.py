"""The matrix exponential against closed forms, an independent exponential and the integrator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.pk.linear import amounts, flow_matrices, transitions
from oncolattice.ode_coupling.pk.structures import structural_model
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts
from oncolattice.ode_coupling.system import Body

ONE = {"molar_mass": 300.0, "volume": 10.0, "clearance": 13.863}
TWO = ONE | {"flow": 7.0, "peripheral_volume": 22.0}
THREE = TWO | {"deep_flow": 0.4, "deep_volume": 130.0}
DEPOT = {"absorption": 16.6355, "bioavailability": 0.7, "lag": 0.02}
LAYOUTS = [(values, routes) for values in (ONE, TWO, THREE) for routes in (("iv",), ("po",), ("iv", "sc"))]


def layout(values, routes):
    return structural_model("linear", "d", values | (DEPOT if routes != ("iv",) else {}), routes)


def some_doses(routes):
    """Boluses, infusions that overlap, and doses into the depot, whichever the routes allow."""
    plan = [(0.0, 100.0, 0.0), (1.5, 40.0, 2.0), (2.0, 30.0, 1.0), (2.0, 5.0, 0.0), (9.0, 60.0, 0.1)]
    return [Dose(*(t, "d", amount, length), route) for t, amount, length in plan for route in routes]


def by_hand(values, routes):
    """Return the matrix of depot, central, peripheral, deep, eliminated, written out."""
    v, size = values["volume"], 5
    a = np.zeros((size, size))
    a[1, 1] -= values["clearance"] / v
    a[4, 1] += values["clearance"] / v
    for here, name in ((2, ""), (3, "deep_")):
        if name + "flow" in values:
            other = values["peripheral_volume" if here == 2 else "deep_volume"]
            a[1, 1] -= values[name + "flow"] / v
            a[here, 1] += values[name + "flow"] / v
            a[1, here] += values[name + "flow"] / other
            a[here, here] -= values[name + "flow"] / other
    a[0, 0], a[1, 0] = -DEPOT["absorption"], DEPOT["absorption"]
    kept = [routes != ("iv",), True, "flow" in values, "deep_flow" in values, True]
    return a[np.ix_(kept, kept)]


@pytest.mark.parametrize(("values", "routes"), LAYOUTS)
def test_the_right_hand_side_is_the_matrix_written_by_hand(values, routes):
    flows, inflows = flow_matrices(layout(values, routes))
    np.testing.assert_allclose(flows, by_hand(values, routes), rtol=1e-14, atol=1e-15)
    depot = [0.7] + [0.0] * (len(flows) - 2) + [0.3]
    central = np.eye(len(flows))[1 if routes != ("iv",) else 0]
    expected = {("iv",): [central], ("po",): [depot], ("iv", "sc"): [central, depot]}[routes]
    np.testing.assert_allclose(inflows.T, expected, rtol=1e-14)


@pytest.mark.parametrize("rates", [(3.64, 5.55, 7.81), (0.223, 0.215, 0.0779)])
@pytest.mark.parametrize("length", [0.0, 0.1, 1.5])
def test_two_compartments_equal_the_biexponential(rates, length):
    k12, k21, k10 = rates
    values = {"volume": 3.0, "clearance": 3 * k10, "flow": 3 * k12, "peripheral_volume": 3 * k12 / k21}
    model = structural_model("linear", "d", values | {"molar_mass": 300.0})
    doses = [Dose(float(day), "d", 95.0, length) for day in range(5)]  # of 1.5 d they overlap
    times = np.concatenate([np.linspace(0.0, 30.0, 301), [364.0]])
    got, expected = amounts(times, doses, model), exact_amounts(times, doses, *rates)
    np.testing.assert_allclose(
        got, expected, rtol=1e-8, atol=0.0
    )  # relative, even where all but nothing is left


def test_one_compartment_by_mouth_equals_the_closed_form_and_the_published_numbers():
    ka, ke = 24.0 * np.log(2.0), 2.0 * np.log(2.0)  # 16.6355 and 1.3863 a day
    values = {"molar_mass": 300.0, "volume": 10.0, "clearance": 10.0 * ke}
    values |= {"absorption": ka, "bioavailability": 0.7, "lag": 0.0}
    model = structural_model("linear", "d", values, ("po",))
    times = np.array([0.05, 0.1, 0.25, 0.5, 1.0])
    got = amounts(times, [Dose(0.0, "d", 100.0, route="po")], model)[:, 1] / 10.0
    closed = 0.7 * 100.0 / 10.0 * ka / (ka - ke) * (np.exp(-ke * times) - np.exp(-ka * times))
    np.testing.assert_allclose(got, closed, rtol=1e-12)
    np.testing.assert_allclose(got, [3.801059, 5.201020, 5.280406, 3.816317, 1.909090], rtol=0, atol=6e-7)


def test_absorption_as_fast_as_elimination_has_a_limit_that_is_met():
    values = {"molar_mass": 300.0, "volume": 10.0, "clearance": 20.0}  # ke = ka = 2: no two exponentials
    depot = {"absorption": 2.0, "bioavailability": 1.0, "lag": 0.0}
    model = structural_model("linear", "d", values | depot, ("po",))
    times = np.array([0.01, 0.5, 3.0, 40.0])
    got = amounts(times, [Dose(0.0, "d", 5.0, route="po")], model)[:, 1]
    np.testing.assert_allclose(got, 5.0 * 2.0 * times * np.exp(-2.0 * times), rtol=1e-12)


def test_transitions_equal_the_exponential_of_the_augmented_matrix():
    flows, inflow = by_hand(THREE, ("po",)), np.array([3.0, 0.5, 0.0, 0.0, 0.2])
    augmented = np.zeros((6, 6))
    augmented[:5, :5], augmented[:5, 5] = flows, inflow
    durations = np.array([0.0, 1e-9, 0.02, 1.0, 17.0])
    got = transitions(flows, inflow, durations)
    for one, duration in zip(got, durations, strict=True):
        np.testing.assert_allclose(one, expm(augmented * duration), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(("values", "routes"), LAYOUTS)
def test_the_integrator_agrees(values, routes):
    model, doses = layout(values, routes), some_doses(routes)
    body = Body(model, doses=doses, rtol=1e-10, atol=1e-10)
    times = np.linspace(0.25, 20.0, 80)
    exact = amounts(times, doses, model)
    for t, expected in zip(times, exact, strict=True):
        body.advance_to(t)
        np.testing.assert_allclose(body.y, expected, rtol=1e-6, atol=1e-7)
    assert body.halved == 0  # nothing had to be kept from turning negative


@pytest.mark.parametrize(("values", "routes"), LAYOUTS)
@pytest.mark.parametrize("every", [0.003, 0.5, 20.0])
def test_a_dose_is_delivered_whatever_the_step(values, routes, every):
    model, doses = layout(values, routes), some_doses(routes)
    total = sum(dose.amount for dose in doses)
    body = Body(model, doses=doses)  # tolerances as they come
    for t in np.append(np.arange(every, 20.0, every), 20.0):
        body.advance_to(float(t))
    assert body.y.sum() == pytest.approx(total, rel=1e-12)
    exact = amounts(np.arange(0.0, 20.0 + every, every), doses, model)
    assert exact[-1].sum() == pytest.approx(total, rel=1e-12)
    assert exact.min() >= 0.0
    assert body.y.min() >= 0.0


rate = st.floats(1e-3, 300.0)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(rate, rate, rate),
    st.tuples(*[st.floats(0.5, 2000.0)] * 3),
    st.floats(0.01, 50.0),
    st.floats(0.0, 1.0),
)
def test_any_three_compartments_lose_nothing_and_owe_nothing(flows, volumes, absorption, share):
    names = ("clearance", "flow", "deep_flow"), ("volume", "peripheral_volume", "deep_volume")
    values = dict(zip(names[0], flows, strict=True)) | dict(zip(names[1], volumes, strict=True))
    values |= {"molar_mass": 300.0, "absorption": absorption, "bioavailability": share, "lag": 0.0}
    model = structural_model("linear", "d", values, ("iv", "im"))
    doses = [Dose(0.5, "d", 100.0, 0.3, "iv"), Dose(1.0, "d", 50.0, route="im"), Dose(200.0, "d", 7.0)]
    got = amounts(np.array([0.5, 0.65, 1.0, 1.5, 30.0, 200.0, 365.0]), doses, model)
    np.testing.assert_allclose(got.sum(axis=1), [0.0, 50.0, 100.0, 150.0, 150.0, 150.0, 157.0], rtol=1e-12)
    assert got.min() >= 0.0


def test_the_order_of_times_and_a_late_start_do_not_matter():
    model, doses = layout(TWO, ("iv",)), some_doses(("iv",))
    times = np.array([7.0, 0.0, 9.0, 2.0, 2.5])
    forwards = amounts(np.sort(times), doses, model)
    np.testing.assert_allclose(
        amounts(times, doses, model), forwards[np.argsort(np.argsort(times))], rtol=1e-13
    )
    later = [Dose(dose.time_days + 5.0, dose.drug, dose.amount, dose.duration_days) for dose in doses]
    np.testing.assert_allclose(
        amounts(times + 5.0, later, model, start_days=5.0), amounts(times, doses, model), rtol=1e-12
    )
    assert amounts(np.array([3.0]), [], model).max() == 0.0


def test_parameters_can_be_changed_by_name():
    other = structural_model("linear", "d", TWO | {"clearance": 1.0})
    dose = [Dose(0.0, "d", 1.0)]
    got = amounts(np.array([2.0]), dose, layout(TWO, ("iv",)), {"clearance": 1.0})
    np.testing.assert_allclose(got, amounts(np.array([2.0]), dose, other), rtol=1e-14)


def test_what_is_not_linear_is_refused():
    saturable = structural_model(
        "michaelis_menten", "d", TWO | {"maximal_rate": 5.0, "half_rate_concentration": 1.0}
    )
    drifting = structural_model(
        "sigmoid_clearance", "d", TWO | {"late_ratio": 0.7, "half_time": 5.0, "steepness": 3.0}
    )
    late = {"late_ratio": 0.7, "half_time": 5.0, "steepness": 3.0, "treatment_start": 200.0}
    drifting_late = structural_model("sigmoid_clearance", "d", TWO | late)
    for model in (saturable, drifting, drifting_late):
        with pytest.raises(InputError, match="not linear with constant rates"):
            amounts(np.array([1.0]), [Dose(0.0, "d", 1.0)], model)
    with pytest.raises(InputError, match="unknown drug 'e'"):
        amounts(np.array([1.0]), [Dose(0.0, "e", 1.0)], layout(ONE, ("iv",)))
    with pytest.raises(InputError, match="before the start"):
        amounts(np.array([1.0]), [Dose(0.0, "d", 1.0)], layout(ONE, ("iv",)), start_days=0.5)
