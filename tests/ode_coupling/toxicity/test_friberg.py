"""Neutropenia: the undisturbed state, its linear response, and the nadirs computed elsewhere for docetaxel."""

import numpy as np
import pytest

from oncolattice.abm.compile.model_file import check_source
from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts
from oncolattice.ode_coupling.system import Body
from oncolattice.ode_coupling.toxicity.friberg import friberg, friberg_with_drug

# dose (mg): lowest count (per mm3), its day, count on day 21; an independent computation
DOCETAXEL = {
    50: (2555.9, 6.78, 5502),
    100: (1553.8, 7.14, 5850),
    135: (1175.5, 7.34, 6054),
    170: (925.9, 7.53, 6233),
}
PER_MM3 = 1e6  # cells/L


def counts(body: Body, days: np.ndarray) -> np.ndarray:
    found = []
    for day in days:
        body.advance_to(float(day))
        found.append(body.output("ANC"))
    return np.array(found)


@pytest.mark.parametrize("mg", DOCETAXEL)
def test_nadirs_after_docetaxel(mg):
    nadir, day, last = DOCETAXEL[mg]
    body = Body(friberg_with_drug(), doses=[Dose(0.0, "docetaxel", mg, 1 / 24)], rtol=1e-9)
    days = np.linspace(0.01, 21.0, 2100)
    anc = counts(body, days) / PER_MM3
    assert anc.min() == pytest.approx(nadir, rel=1e-4)
    assert days[anc.argmin()] == pytest.approx(day, abs=0.015)
    assert anc[-1] == pytest.approx(last, rel=2e-4)


def test_nothing_happens_without_drug():
    body = Body(friberg(), rtol=1e-9)
    body.advance_to(100.0)
    np.testing.assert_allclose(body.y, 5.05e9, rtol=1e-12)


def test_the_drug_of_the_model_is_a_two_compartment_drug():
    model = friberg_with_drug()
    dose = Dose(0.0, "docetaxel", 100.0, 1 / 24)
    body = Body(model, doses=[dose], rtol=1e-10)
    body.advance_to(0.5)
    clearance, exchange, central, peripheral = 24 * 32.6, 24 * 5.34, 5.77, 11.0
    exact = exact_amounts(
        np.array([0.5]), [dose], exchange / central, exchange / peripheral, clearance / central
    )
    np.testing.assert_allclose(body.y[:3], exact[0], rtol=1e-7)
    level = exact[0, 0] / central
    assert body.output("concentration") == pytest.approx(level, rel=1e-7)
    assert body.output("drug_effect") == pytest.approx(83.9 * level / (7.17 * 0.808 + level), rel=1e-7)


def test_a_constant_effect_leaves_the_count_that_balances_it():
    """Births balance losses where (1 - E) (Circ0 / Circ)^gamma = 1, so Circ = Circ0 (1 - E)^(1 / gamma)."""
    body = Body(friberg(), rtol=1e-9)
    body.set_input("drug_effect", 0.1)
    body.advance_to(2000.0)
    assert body.output("ANC") == pytest.approx(5.05e9 * 0.9 ** (1 / 0.163), rel=1e-6)


def test_a_linear_effect_equals_the_same_effect_given_from_outside():
    """At a level that no longer changes, slope x concentration is the effect."""
    drug = friberg_with_drug(slope_L_per_mg=0.5, most=0.0, exchange_L_per_h=0.0)
    body = Body(drug, doses=[Dose(0.0, "docetaxel", 24 * 32.6 * 0.2 * 60.0, 60.0)], rtol=1e-9)
    outside = Body(friberg(), rtol=1e-9)
    outside.set_input("drug_effect", 0.5 * 0.2)
    body.advance_to(60.0)
    outside.advance_to(60.0)
    assert body.output("concentration") == pytest.approx(0.2, rel=1e-5)
    assert body.output("ANC") == pytest.approx(outside.output("ANC"), rel=2e-3)  # 0.2 h to reach the level


def test_small_effects_obey_the_linearised_chain():
    """With y = (1 + x) Circ0: x_0' = k (-E - gamma x_4), x_i' = k (x_{i-1} - x_i); error is of order E^2."""
    effect, k, gamma = 1e-5, 4 / (89.3 / 24), 0.163
    matrix = k * (np.diag([0.0, -1, -1, -1, -1]) + np.diag(np.ones(4), -1))
    matrix[0, 4] = -k * gamma
    body = Body(friberg(), rtol=1e-12, atol=1e-4)
    body.set_input("drug_effect", effect)
    values, vectors = np.linalg.eig(matrix)
    source = np.linalg.solve(vectors, np.array([-k * effect, 0, 0, 0, 0], complex))
    for day in (1.0, 5.0, 12.0):
        body.advance_to(day)
        exact = (vectors @ (np.expm1(values * day) / values * source)).real
        np.testing.assert_allclose(body.y / 5.05e9 - 1, exact, rtol=2e-4, atol=1e-9)


def test_every_parameter_has_a_source():
    for model in (friberg(), friberg_with_drug()):
        assert model.parameters
        for parameter in model.parameters:
            check_source(parameter.source, parameter.name)
            assert parameter.unit
            assert parameter.description


@pytest.mark.parametrize(
    "wrong", [{"transit_time_h": 0.0}, {"feedback": -0.1}, {"baseline_cells_per_L": float("nan")}]
)
def test_bad_numbers_of_neutrophils(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        friberg(**wrong)
    with pytest.raises(InputError, match=next(iter(wrong))):
        friberg_with_drug(**wrong)


@pytest.mark.parametrize(
    "wrong", [{"clearance_L_per_h": 0.0}, {"half_mg_per_L": 0.0}, {"slope_L_per_mg": -1.0}]
)
def test_bad_numbers_of_the_drug(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        friberg_with_drug(**wrong)
