"""Two tumour models written down from their papers hold what the papers derive."""

import math as m

import numpy as np
import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import assignments, formula, listed, parameters, quantities, rates, sbml
from scipy.integrate import quad, solve_ivp

from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.sbml import read_sbml
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.ode_coupling.sbml.shapes import in_days, kind, room, turn

# Simeoni et al. 2004 (10.1158/0008-5472.CAN-03-2524), table 2, first experiment with paclitaxel, as the R package
# nlmixr2lib gives it: k1 (1/d), k2 (1/d per ng/mL), lambda0 (1/d), lambda1 (g/d). Their psi is 20.
K1, K2, LAMBDA0, LAMBDA1, PSI = 0.968, 0.000629, 0.273, 0.814, 20.0
KE, START_G = 2.0, 0.01  # assumed: elimination (1/d) from 1 L, and the tumour at day 0
THRESHOLD = LAMBDA0 / K2


@pytest.fixture(scope="module")
def simeoni(tmp_path_factory):
    """Cycling cells x1, and damaged ones on their way out through three compartments."""
    grown = "lambda0 * x1 / (1 + (lambda0 / lambda1 * w) ** psi) ** (1 / psi)"
    rules = assignments(w="x1 + x2 + x3 + x4") + rates(
        x1=f"{grown} - k2 * c * x1", x2="k2 * c * x1 - k1 * x2", x3="k1 * (x2 - x3)", x4="k1 * (x3 - x4)"
    )
    constants = parameters(k1=K1, k2=K2, lambda0=LAMBDA0, lambda1=LAMBDA1, psi=PSI, ke=KE)
    states = quantities(x1=START_G, x2=0.0, x3=0.0, x4=0.0, w=None)
    both = listed("Parameters", *(part.split(">", 1)[1].rsplit("<", 1)[0] for part in (constants, states)))
    path = tmp_path_factory.mktemp("simeoni") / "simeoni.xml"
    path.write_text(in_days(
        listed("Compartments", room("plasma", 1.0)), listed("Species", kind("c", 0.0, "plasma")), both,
        listed("Rules", *rules),
        listed("Reactions", turn("elimination", {"c": 1}, {}, formula("ke * c * plasma"))),
    ))  # fmt: skip
    return read_sbml(path, doses={"drug": "c"})


def weight(body: Body, day: float) -> float:
    body.advance_to(day)
    return body.output("w")


def test_an_untreated_tumour_grows_by_a_share_first_and_by_an_amount_later(simeoni):
    body = Body(simeoni)
    for day in (1.0, 5.0, 12.0):
        assert weight(body, day) == pytest.approx(START_G * m.exp(LAMBDA0 * day), rel=3e-7)
    at_60, at_75 = weight(body, 60.0), weight(body, 75.0)
    assert (at_75 - at_60) / 15.0 == pytest.approx(LAMBDA1, rel=1e-8)
    needed, _ = quad(lambda u: (1.0 + (LAMBDA0 / LAMBDA1 * m.exp(u)) ** PSI) ** (1.0 / PSI) / LAMBDA0,
                     m.log(START_G), m.log(at_60), epsabs=1e-12, epsrel=1e-12, limit=200)  # fmt: skip
    assert needed == pytest.approx(60.0, rel=3e-8)


def test_a_constant_concentration_at_the_threshold_holds_a_tumour(simeoni):
    """It shrinks above lambda0 / k2 and grows below."""
    for share in (0.9, 1.0, 1.1):
        body = Body(simeoni, {"ke": 0.0}, [Dose(0.0, "drug", share * THRESHOLD)])
        rate, lost = LAMBDA0 * (1.0 - share), LAMBDA0 * share
        passed = lost / (rate + K1)
        damaged = sum(passed * (K1 / (rate + K1)) ** k for k in range(3))
        exact = START_G * m.exp(rate * 40.0) * (1.0 + damaged)
        assert weight(body, 40.0) == pytest.approx(exact, rel=1e-6)


def test_a_dose_delays_a_tumour_by_its_area_under_the_curve(simeoni):
    """By k2 * AUC / lambda0, in the linear phase too."""
    dose = 5.0 * LAMBDA0 / K2 * KE  # five days
    treated = Body(simeoni, {}, [Dose(1.0, "drug", 0.5 * dose), Dose(3.0, "drug", 0.5 * dose, 0.5)])
    untreated = Body(simeoni)
    for day in (45.0, 60.0):
        assert weight(treated, day) == pytest.approx(weight(untreated, day - 5.0), rel=1e-6)


def test_a_course_follows_an_independent_integration(simeoni):
    days, dose = (8.0, 12.0, 16.0), 3000.0
    body = Body(simeoni, {}, [Dose(day, "drug", dose) for day in days])

    def slope(_: float, y: np.ndarray) -> list[float]:
        c, x1, x2, x3, x4 = y
        grown = LAMBDA0 * x1 / (1.0 + (LAMBDA0 / LAMBDA1 * (x1 + x2 + x3 + x4)) ** PSI) ** (1.0 / PSI)
        return [-KE * c, grown - K2 * c * x1, K2 * c * x1 - K1 * x2, K1 * (x2 - x3), K1 * (x3 - x4)]

    y, start = np.array([0.0, START_G, 0.0, 0.0, 0.0]), 0.0
    for end in (*days, 17.0, 40.0):
        y = solve_ivp(slope, (start, end), y, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
        body.advance_to(end)
        assert body.output("w") == pytest.approx(y[1:].sum(), rel=1e-6)
        y[0] += dose if end in days else 0.0
        start = end


# Kuznetsov et al. 1994 (10.1007/BF02460644), without dimension.
SIGMA, RHO, ETA, MU, DELTA, ALPHA, BETA = 0.1181, 1.131, 20.19, 0.00311, 0.3743, 1.636, 0.002


@pytest.fixture(scope="module")
def kuznetsov(tmp_path_factory):
    path = tmp_path_factory.mktemp("kuznetsov") / "kuznetsov.xml"
    law = f"{SIGMA} + {RHO} * x * y / ({ETA} + y) - {MU} * x * y - {DELTA} * x"
    states = quantities(x=1.0, y=1.0)
    path.write_text(sbml(
        3, 2, states, listed("Rules", *rates(x=law, y=f"{ALPHA} * y * (1 - {BETA} * y) - x * y"))
    ))  # fmt: skip
    return read_sbml(path)


def flow(_: float, z: np.ndarray) -> list[float]:
    x, y = z
    return [SIGMA + RHO * x * y / (ETA + y) - MU * x * y - DELTA * x, ALPHA * y * (1.0 - BETA * y) - x * y]


def jacobian(x: float, y: float) -> np.ndarray:
    return np.array([[RHO * y / (ETA + y) - MU * y - DELTA, RHO * x * ETA / (ETA + y) ** 2 - MU * x],
                     [-y, ALPHA * (1.0 - 2.0 * BETA * y) - x]])  # fmt: skip


def steady_states() -> list[tuple[float, float]]:
    """A without tumour; B, C and D with more and more of it, from the cubic that x = alpha (1 - beta y) leaves."""
    x, y = np.poly1d([-ALPHA * BETA, ALPHA]), np.poly1d([1.0, 0.0])
    cubic = SIGMA * (ETA + y) + RHO * x * y - (MU * y + DELTA) * x * (ETA + y)
    tumours = sorted(root.real for root in cubic.roots if abs(root.imag) < 1e-9 and root.real > 0.0)
    return [(SIGMA / DELTA, 0.0), *((float(x(t)), t) for t in tumours)]


def derivatives(model, state: tuple[float, float]) -> np.ndarray:
    """Return the Jacobian of a model as read, by central differences."""
    columns = []
    for k in range(2):
        sides = []
        for sign in (1.0, -1.0):
            y, dy = np.array(state), np.zeros(2)
            y[k] += sign * 1e-5
            model.rhs(0.0, y, model.parameter_values(), np.zeros(0), dy)
            sides.append(dy)
        columns.append((sides[0] - sides[1]) / 2e-5)
    return np.array(columns).T


def test_the_four_steady_states_are_as_stable_as_in_the_paper(kuznetsov):
    """A and C are saddles; B, the dormant tumour, is a stable spiral and D, the large one, a stable node."""
    states = steady_states()
    assert len(states) == 4
    for (x, y), stable, turning in zip(
        states, (False, True, False, True), (False, True, False, False), strict=True
    ):
        dy = np.ones(2)
        kuznetsov.rhs(0.0, np.array([x, y]), kuznetsov.parameter_values(), np.zeros(0), dy)
        np.testing.assert_allclose(dy, 0.0, atol=1e-12)
        found = np.linalg.eigvals(derivatives(kuznetsov, (x, y)))
        exact = np.linalg.eigvals(jacobian(x, y))
        np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(exact), rtol=1e-6)
        assert (found.real < 0.0).all() == stable
        assert (not stable) == (np.sign(found.real).sum() == 0.0)
        assert (abs(found.imag) > 0.0).all() == turning


def test_either_side_of_the_saddle_leads_to_dormancy_or_escape(kuznetsov):
    _, dormant, saddle, large = steady_states()
    values, vectors = np.linalg.eig(jacobian(*saddle))
    out = vectors[:, values.argmax()] * np.sign(vectors[1, values.argmax()])
    for side, end in ((-1.0, dormant), (1.0, large)):
        body = Body(kuznetsov)
        for name, value in zip("xy", np.array(saddle) + side * 1e-3 * out, strict=True):
            body.set(name, float(value))
        body.advance_to(5.0)
        away = np.array([body.get("x"), body.get("y")]) - saddle
        np.testing.assert_allclose(away, side * 1e-3 * out * m.exp(5.0 * values.max()), rtol=1e-3)
        body.advance_to(2000.0)
        np.testing.assert_allclose([body.get("x"), body.get("y")], end, rtol=1e-6)


@pytest.mark.parametrize("start", [(0.5, 5.0), (3.0, 350.0), (1.0, 480.0)])
def test_trajectories_follow_an_independent_integration(kuznetsov, start):
    body = Body(kuznetsov)
    for name, value in zip("xy", start, strict=True):
        body.set(name, value)
    days = np.array([0.5, 3.0, 11.0, 40.0])
    truth = solve_ivp(flow, (0.0, 40.0), start, method="DOP853", t_eval=days, rtol=1e-12, atol=1e-12).y.T
    found = []
    for day in days:
        body.advance_to(day)
        found.append([body.get("x"), body.get("y")])
    np.testing.assert_allclose(found, truth, rtol=1e-6)
