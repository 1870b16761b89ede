"""Every structural model against a solution of its own, and the laws that all of them obey."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm
from scipy.special import lambertw

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.pk import library_drugs, load_drug, pk_model, sample_patients, simulate_pk
from oncolattice.ode_coupling.pk.linear import amounts
from oncolattice.ode_coupling.pk.structures import STRUCTURES, structural_model
from oncolattice.ode_coupling.system import Body

ONE = {"molar_mass": 150_000.0, "volume": 3.0, "clearance": 0.25}
TWO = ONE | {"flow": 0.5, "peripheral_volume": 2.5}


def run(model, doses, times, rtol=1e-9, start=0.0):
    body = Body(model, doses=doses, rtol=rtol, atol=1e-10, start_days=start)
    states = []
    for t in times:
        body.advance_to(float(t))
        states.append(body.y.copy())
    return np.array(states)


def test_sigmoid_clearance_is_the_integral_of_the_published_form():
    values = {"late_ratio": 0.6, "half_time": 20.0, "steepness": 3.15, "treatment_start": 4.0}
    model = structural_model("sigmoid_clearance", "d", ONE | values)
    times = np.array([5.0, 20.0, 60.0, 200.0])

    def clearance(t):
        s = (t - 4.0) ** 3.15
        return 0.25 * np.exp(np.log(0.6) * s / (20.0**3.15 + s))

    exposure = [quad(clearance, 4.0, t, epsabs=1e-12, epsrel=1e-12)[0] for t in times]
    got = run(model, [Dose(4.0, "d", 300.0)], times)[:, 0]
    np.testing.assert_allclose(got, 300.0 * np.exp(-np.array(exposure) / 3.0), rtol=1e-6)


def test_decaying_clearance_is_its_closed_form():
    values = {"early_clearance": 0.5, "early_decay": 0.05, "treatment_start": 1.0}
    model = structural_model("decaying_clearance", "d", ONE | values)
    since = np.array([0.5, 3.0, 30.0, 90.0])
    exposure = 0.25 * since + 0.5 * -np.expm1(-0.05 * since) / 0.05
    got = run(model, [Dose(1.0, "d", 80.0)], since + 1.0)[:, 0]
    np.testing.assert_allclose(got, 80.0 * np.exp(-exposure / 3.0), rtol=1e-6)


def test_saturable_elimination_alone_is_lamberts_function():
    values = ONE | {"clearance": 0.0, "maximal_rate": 6.0, "half_rate_concentration": 2.0}
    model = structural_model("michaelis_menten", "d", values)
    times = np.array([1.0, 5.0, 10.0, 15.0, 20.0])
    start = 60.0 / 3.0 / 2.0  # in half-rate concentrations
    expected = 2.0 * lambertw(start * np.exp(start - 6.0 / 3.0 / 2.0 * times)).real * 3.0
    np.testing.assert_allclose(run(model, [Dose(0.0, "d", 60.0)], times)[:, 0], expected, rtol=1e-6)


def test_saturable_elimination_far_below_saturation_is_linear():
    values = {"maximal_rate": 6.0, "half_rate_concentration": 2e6}
    model = structural_model("michaelis_menten", "d", TWO | values)
    linear = structural_model("linear", "d", TWO | {"clearance": 0.25 + 6.0 / 2e6})
    dose, times = [Dose(0.0, "d", 60.0, 0.1)], np.array([1.0, 30.0])
    np.testing.assert_allclose(run(model, dose, times), amounts(times, dose, linear), rtol=1e-5)


TARGET = {"half_binding": 2.0, "internalisation": 0.3, "synthesis": 6.0, "degradation": 0.5}


def full_binding(dose_nM, times, kon=3000.0):
    """Return total drug, peripheral drug and total target of the model with explicit binding (nM x L, nM)."""
    v, cl, q, v2 = (TWO[name] for name in ("volume", "clearance", "flow", "peripheral_volume"))
    koff = TARGET["half_binding"] * kon - TARGET["internalisation"]

    def rates(t, y):
        free, complexes, target, other = y
        bind = kon * free * target - koff * complexes
        return [
            -bind - (cl + q) / v * free + q / v * other / v2,
            bind - TARGET["internalisation"] * complexes,
            TARGET["synthesis"] - TARGET["degradation"] * target - bind,
            q * free - q * other / v2,
        ]

    start = [dose_nM, 0.0, TARGET["synthesis"] / TARGET["degradation"], 0.0]
    y = solve_ivp(rates, (0.0, times[-1]), start, "LSODA", times, rtol=1e-10, atol=1e-12).y
    return y[0] + y[1], y[3], y[2] + y[1]


@pytest.mark.parametrize("dose_nM", [5.0, 100.0])
def test_target_mediated_disposition_is_the_limit_of_explicit_binding(dose_nM):
    model = structural_model("target_mediated", "d", TWO | TARGET)
    per_nM = 0.15  # mg/L
    times = np.array([0.5, 2.0, 7.0, 21.0, 60.0])
    got = run(model, [Dose(0.0, "d", dose_nM * per_nM * 3.0)], times)
    drug, other, target = full_binding(dose_nM, times)
    np.testing.assert_allclose(got[:, 0] / 3.0 / per_nM, drug, rtol=0.01, atol=1e-4 * dose_nM)
    np.testing.assert_allclose(got[:, 1] / per_nM, other, rtol=0.01, atol=1e-4 * dose_nM)
    np.testing.assert_allclose(got[:, 3], target, rtol=0.01)


def test_target_without_drug_stays_and_without_target_the_drug_is_linear():
    model = structural_model("target_mediated", "d", TWO | TARGET)
    assert run(model, [], [50.0])[-1, 3] == pytest.approx(12.0, rel=1e-12)
    empty = structural_model("target_mediated", "d", TWO | TARGET | {"synthesis": 0.0})
    dose, times = [Dose(0.0, "d", 60.0)], np.array([1.0, 30.0])
    expected = amounts(times, dose, structural_model("linear", "d", TWO))
    np.testing.assert_allclose(run(empty, dose, times)[:, :3], expected, rtol=1e-7)


def test_occupancy_and_free_drug_solve_the_binding_equation():
    model = structural_model("target_mediated", "d", TWO | TARGET)
    body = Body(model, doses=[Dose(0.0, "d", 5.0)], rtol=1e-9, atol=1e-9)
    body.advance_to(2.0)
    out = {variable.name: body.output(variable.name) for variable in model.outputs}
    bound = out["concentration_nM"] - out["free_concentration_nM"]
    assert bound * 2.0 == pytest.approx(out["free_concentration_nM"] * out["free_target_nM"], rel=1e-9)
    assert out["occupancy"] == pytest.approx(bound / body.get("target"), rel=1e-12)


def test_parent_and_metabolite_are_the_exponential_of_a_matrix_written_by_hand():
    own = {"formed_fraction": 0.2, "metabolite_volume": 11.0, "metabolite_clearance": 40.0}
    own |= {"metabolite_flow": 9.0, "metabolite_peripheral_volume": 70.0, "metabolite_molar_mass": 390.0}
    model = structural_model("metabolite", "d", TWO | {"molar_mass": 580.0} | own)
    a = np.zeros((5, 5))  # central, peripheral, eliminated, metabolite, its periphery
    for source, sink, k in ((0, 1, 0.5 / 3), (1, 0, 0.5 / 2.5), (0, 3, 0.2 * 0.25 / 3), (0, 2, 0.8 * 0.25 / 3),
                            (3, 2, 40 / 11), (3, 4, 9 / 11), (4, 3, 9 / 70)):  # fmt: skip
        a[source, source] -= k
        a[sink, source] += k
    dose, times = [Dose(0.0, "d", 100.0)], np.array([0.1, 1.0, 20.0])
    expected = [expm(a * t)[:, 0] * 100.0 for t in times]
    np.testing.assert_allclose(amounts(times, dose, model), expected, rtol=1e-9)
    body = Body(model, doses=dose)
    body.advance_to(1.0)
    level = body.get("metabolite") / 11.0 / 580.0 * 1e6
    assert body.output("metabolite_concentration_nM") == pytest.approx(level, rel=1e-12)
    assert body.output("metabolite_concentration") == pytest.approx(level * 390.0 / 1e6, rel=1e-12)


def test_car_t_cells_follow_the_published_curve():
    fold, peak, top, alpha, f, beta = 3900.0, 9.3, 24_000.0, 0.16, 0.0079, 0.0032
    times = np.array([2.0, 9.3, 10.0, 28.0, 90.0, 365.0])
    rising = top / fold * np.exp(np.log(fold) / peak * times)
    falling = (1 - f) * top * np.exp(-alpha * (times - peak)) + f * top * np.exp(-beta * (times - peak))
    expected = np.where(times < peak, rising, falling)
    got = simulate_pk("car_t", [Dose(3.0, "car_t", 1e8)], times + 3.0)  # an infusion on day 3
    np.testing.assert_allclose(got["transgene_copies_per_ug"], expected, rtol=1e-6)
    slow = simulate_pk("car_t", [Dose(0.0, "car_t", 1e8, 0.02)], np.array([0.02]))  # half an hour
    assert slow["transgene_copies_per_ug"][0] == pytest.approx(top / fold, rel=0.01)


def example_doses(drug):
    """A loading bolus, then infusions or doses by every route."""
    amount = 1e8 if drug.structure == "car_t" else 100.0
    doses = [Dose(2.0, drug.name, amount, 0.0, route) for route in drug.routes]
    late = [Dose(10.0, drug.name, amount, 0.0 if r != "iv" else 0.06, r) for r in drug.routes]
    return doses + (late if drug.structure != "car_t" else [])


def given_and_found(drug, states):
    """Return what was put in (with cells born) and where it is, at every time."""
    born = states.get("expanded_cells", 0.0)
    found = sum(v for k, v in states.items() if k.endswith(("_mg", "_cells")) and k != "expanded_cells")
    return born, found


@pytest.mark.parametrize("name", library_drugs())
def test_nothing_is_lost_and_nothing_negative_in_any_drug_and_patient(name):
    drug = load_drug(name)
    doses, times = example_doses(drug), np.linspace(0.0, 60.0, 121)
    delivered = sum(
        d.amount * np.clip((times - d.time_days) / d.duration_days, 0, 1) if d.duration_days
        else d.amount * (times > d.time_days) for d in doses
    )  # fmt: skip
    for eta in [{}, *sample_patients(drug, 4, 7)]:
        got = simulate_pk(drug, doses, times, eta=eta)
        born, found = given_and_found(drug, got)
        np.testing.assert_allclose(found, delivered + born, rtol=1e-12, atol=1e-12)
        assert min(column.min() for column in got.values()) >= 0.0


@pytest.mark.parametrize("name", library_drugs())
def test_no_dose_is_no_drug_and_amounts_scale_with_the_dose_where_linear(name):
    drug, times = load_drug(name), np.array([0.0, 5.0, 30.0])
    nothing = simulate_pk(drug, [], times)
    words = ("_mg", "_cells", "concentration", "transgene")
    of_drug = [key for key in nothing if any(word in key for word in words)]
    assert len(of_drug) >= 4
    assert all((nothing[key] == 0.0).all() for key in of_drug)
    if drug.structure in ("michaelis_menten", "target_mediated"):
        return
    doses = example_doses(drug)
    double = [Dose(d.time_days, d.drug, 2.0 * d.amount, d.duration_days, d.route) for d in doses]
    once, twice = simulate_pk(drug, doses, times), simulate_pk(drug, double, times)
    for key in once.keys() - {"time_days"}:
        np.testing.assert_allclose(twice[key], 2.0 * once[key], rtol=1e-7)


@pytest.mark.parametrize("name", [n for n in library_drugs() if load_drug(n).structure != "car_t"])
def test_concentrations_in_nM_are_those_in_mg_per_L(name):
    drug = load_drug(name)
    got = simulate_pk(drug, example_doses(drug), np.array([3.0, 12.0]))
    mass = drug.parameters["molar_mass"].parameter.value
    np.testing.assert_allclose(
        got["concentration_nM"], got["concentration_mg_per_L"] / mass * 1e6, rtol=1e-13
    )


def test_a_lag_is_a_later_dose_and_a_late_dose_is_a_shifted_curve():
    times = np.linspace(0.0, 3.0, 61)
    got = simulate_pk("abiraterone", [Dose(1.0, "abiraterone", 1000.0, route="po")], times)
    lag = pk_model("abiraterone")[1]["lag"]
    assert lag == pytest.approx(0.5 / 24)
    assert got["concentration_mg_per_L"][times <= 1.0 + lag].max() == 0.0
    later = simulate_pk("abiraterone", [Dose(1.5, "abiraterone", 1000.0, route="po")], times + 0.5)
    np.testing.assert_allclose(later["central_mg"], got["central_mg"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["nivolumab", "teclistamab", "car_t"])
def test_time_on_treatment_counts_from_the_first_dose(name):
    drug, times = load_drug(name), np.linspace(0.0, 100.0, 21)
    doses = example_doses(drug)
    later = [Dose(d.time_days + 33.0, d.drug, d.amount, d.duration_days, d.route) for d in doses]
    early, late = simulate_pk(drug, doses, times), simulate_pk(drug, later, times + 33.0)
    for key in early.keys() - {"time_days"}:
        np.testing.assert_allclose(late[key], early[key], rtol=1e-6, atol=1e-9)


def test_every_structure_has_a_drug():
    assert {load_drug(name).structure for name in library_drugs()} == set(STRUCTURES)


@pytest.mark.parametrize(
    ("structure", "values", "routes", "says"),
    [
        ("liner", ONE, ("iv",), "unknown structural model 'liner'; did you mean 'linear'"),
        ("linear", ONE, ("oral",), "unknown route 'oral'"),
        ("linear", ONE, ("po", "sc"), "at most|or both"),
        ("linear", ONE, (), "'routes' must hold"),
        ("linear", ONE | {"volum": 1.0}, ("iv",), "unknown parameter 'volum'; did you mean 'volume'"),
        ("linear", {"volume": 1.0, "clearance": 1.0}, ("iv",), "'molar_mass' is missing"),
        ("linear", ONE | {"flow": 1.0}, ("iv",), "'peripheral_volume' is missing"),
        ("linear", ONE, ("po",), "'absorption' is missing"),
        ("linear", ONE | {"absorption": 1.0}, ("iv",), "'absorption' stands alone"),
        ("linear", ONE | {"deep_flow": 1.0, "deep_volume": 1.0}, ("iv",), "comes after a peripheral one"),
        ("linear", ONE | {"volume": 0.0}, ("iv",), "volume must be positive, it is 0"),
        ("linear", ONE | {"clearance": -1.0}, ("iv",), "clearance must be not negative"),
        ("linear", ONE | {"volume": np.nan}, ("iv",), "volume must be positive"),
        ("car_t", {}, ("sc",), "no depot"),
    ],
)
def test_models_that_cannot_be_are_refused(structure, values, routes, says):
    with pytest.raises(InputError, match=says):
        structural_model(structure, "d", values, routes)


def test_doses_that_the_drug_cannot_take_are_refused():
    with pytest.raises(InputError, match="unknown route 'po'"):
        simulate_pk("nivolumab", [Dose(0.0, "nivolumab", 1.0, route="po")], np.array([1.0]))
    with pytest.raises(InputError, match="unknown drug 'nivolumub'; did you mean 'nivolumab'"):
        simulate_pk("nivolumab", [Dose(0.0, "nivolumub", 1.0)], np.array([1.0]))
    with pytest.raises(InputError, match="ascending"):
        simulate_pk("nivolumab", [], np.array([1.0, 0.0]))
