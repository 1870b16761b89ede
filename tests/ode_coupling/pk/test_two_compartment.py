"""The two-compartment model against its closed form, the matrix exponential and published half-lives."""

import numpy as np
import pytest
from scipy.linalg import expm

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose, cycle_doses
from oncolattice.ode_coupling.pk import load_drug
from oncolattice.ode_coupling.pk.plasma import plasma_concentration
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts, two_compartment
from oncolattice.ode_coupling.system import Body

TAS102, BEVACIZUMAB = (3.64, 5.55, 7.81), (0.223, 0.215, 0.0779)


@pytest.mark.parametrize("rates", [TAS102, BEVACIZUMAB])
def test_closed_form_equals_the_matrix_exponential(rates):
    k12, k21, k10 = rates
    flow = np.array([[-k12 - k10, k21, 0.0], [k12, -k21, 0.0], [k10, 0.0, 0.0]])
    # an infusion: augment with a constant source for its duration, then let go
    infusing = np.zeros((4, 4))
    infusing[:3, :3], infusing[0, 3] = flow, 5.0 / 0.3
    for t in (0.05, 0.3, 1.0, 4.0):
        bolus = expm(flow * t) @ [7.0, 0.0, 0.0]
        during = (expm(infusing * min(t, 0.3)) @ [0.0, 0.0, 0.0, 1.0])[:3]
        infusion = expm(flow * max(0.0, t - 0.3)) @ during
        got = exact_amounts(np.array([2.0 + t]), [Dose(2.0, "d", 7.0), Dose(2.0, "d", 5.0, 0.3)], *rates)[0]
        np.testing.assert_allclose(got, bolus + infusion, rtol=1e-11)


@pytest.mark.parametrize("rates", [TAS102, BEVACIZUMAB])
@pytest.mark.parametrize("duration", [0.0, 0.1, 1.5])
def test_ode_equals_closed_form(rates, duration):
    doses = cycle_doses("d", 95.0, cycles=1, duration_days=duration)  # of 1.5 d they overlap
    body = Body(two_compartment("d", *rates, volume_L=3.0), doses=doses, rtol=1e-10, atol=1e-12)
    times = np.linspace(0.0, 20.0, 67)
    exact = exact_amounts(times, doses, *rates)
    for t, expected in zip(times, exact, strict=True):
        body.advance_to(t)
        np.testing.assert_allclose(body.y, expected, rtol=1e-7, atol=1e-8)
    assert body.output("concentration") == pytest.approx(exact[-1, 0] / 3.0, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize(("rates", "half_life_days"), [(TAS102, 5.3 / 24), (BEVACIZUMAB, 19.9)])
def test_terminal_half_lives_are_the_published_ones(rates, half_life_days):
    start = 20.0 * half_life_days
    late = exact_amounts(np.array([start, start + half_life_days]), [Dose(0.0, "d", 1.0)], *rates)[:, 0]
    assert late[1] / late[0] == pytest.approx(0.5, rel=0.01)


def test_plasma_concentrations():
    assert plasma_concentration(296.2, 1.0, 296.2) == pytest.approx(1e6)  # 1 mmol in 1 L
    tas102 = load_drug("tas102").parameters
    volume, mass = (tas102[name].parameter.value for name in ("volume", "molar_mass"))
    assert plasma_concentration(95.0, volume, mass) == pytest.approx(15_273, rel=1e-4)


def test_numbers_that_are_not_positive_are_refused():
    with pytest.raises(InputError, match="k21 must be positive"):
        two_compartment("d", 1.0, 0.0, 1.0, 3.0)
