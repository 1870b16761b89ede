"""Published and agreed numbers: half-lives, troughs and peaks of the drugs of the library."""

import numpy as np
import pytest

from oncolattice.ode_coupling.dosing import Dose, cycle_doses
from oncolattice.ode_coupling.pk import load_drug, pk_model, simulate_pk
from oncolattice.ode_coupling.pk.linear import amounts, flow_matrices
from oncolattice.ode_coupling.pk.structures import structural_model
from oncolattice.ode_coupling.system import Body

SOON = 1e-10  # d after a bolus


def every(drug, amount, days, cycles, duration=0.0):
    return cycle_doses(drug, amount, (1,), days, cycles, duration, first_day=0.0)


def levels(drug, doses, times, **covariates):
    return simulate_pk(drug, doses, np.array(times, dtype=float), covariates)["concentration_mg_per_L"]


def integrated(drug, doses, times):
    body = Body(pk_model(drug)[0], doses=doses, rtol=1e-10, atol=1e-9)
    result = []
    for t in times:
        body.advance_to(t)
        result.append(body.output("concentration"))
    return np.array(result)


def half_lives(model, without=("eliminated",)):
    """Return the half-lives (d) of a linear model, longest first, from the eigenvalues of its matrix."""
    flows, _ = flow_matrices(model)
    kept = [i for i, state in enumerate(model.states) if state.name not in without]
    return np.log(2.0) / np.sort(-np.linalg.eigvals(flows[np.ix_(kept, kept)]).real)


def test_bevacizumab():
    bolus, q2w = every("bevacizumab", 350.0, 14.0, 1), every("bevacizumab", 350.0, 14.0, 80)
    model, p = pk_model("bevacizumab")
    assert (p["clearance"], p["volume"]) == pytest.approx((8.6 * 0.024, 2.678), rel=1e-14)
    assert half_lives(model)[0] == pytest.approx(19.1235, abs=5e-5)
    expected = [130.69455, 47.12809, 33.07022]
    np.testing.assert_allclose(levels("bevacizumab", bolus, [SOON, 7.0, 14.0]), expected, rtol=2e-7)
    np.testing.assert_allclose(integrated("bevacizumab", bolus, [SOON, 7.0, 14.0]), expected, rtol=1e-6)
    troughs = levels("bevacizumab", q2w, [84.0, 79 * 14.0])
    np.testing.assert_allclose(troughs, [78.70172, 82.62039], rtol=1e-7)
    grid = np.concatenate([np.linspace(SOON, 60.0, 6001), np.linspace(60.0, 900.0, 8401)[1:]])
    curve = levels("bevacizumab", bolus, grid)
    area = sum(  # Simpson on both pieces
        h / 3 * (c[0] + 4 * c[1:-1:2].sum() + 2 * c[2:-1:2].sum() + c[-1])
        for h, c in ((0.01, curve[:6001]), (0.1, curve[6000:]))
    )
    assert area == pytest.approx(1695.7364, rel=1e-6)


def test_pembrolizumab():
    doses = every("pembrolizumab", 200.0, 21.0, 60)
    assert half_lives(pk_model("pembrolizumab")[0])[0] == pytest.approx(25.7910, abs=5e-5)
    trough, peak = levels("pembrolizumab", doses, [59 * 21.0, 59 * 21.0 + SOON])
    assert trough == pytest.approx(29.51964, rel=2e-7)
    assert peak == pytest.approx(trough + 200.0 / 3.48, rel=1e-8)
    assert peak == pytest.approx(86.98691, rel=5e-5)  # the agreed number is one of 20 s after the bolus


def test_six_infusions_into_two_compartments():
    values = {
        "molar_mass": 146_000.0,
        "volume": 3.6,
        "clearance": 0.228,
        "flow": 0.77,
        "peripheral_volume": 2.8,
    }
    model = structural_model("linear", "d", values)
    doses = every("d", 240.0, 14.0, 6, 1 / 24)
    times = [1 / 24, 1.0, 14.0, 28.0, 84.0, 98.0]
    expected = [66.284239, 52.259509, 20.773371, 33.740127, 52.048920, 32.511317]
    np.testing.assert_allclose(amounts(np.array(times), doses, model)[:, 0] / 3.6, expected, rtol=1.5e-8)
    body = Body(model, doses=doses, rtol=1e-9, atol=1e-8)
    for t, level in zip(times, expected, strict=True):
        body.advance_to(t)
        assert body.output("concentration") == pytest.approx(level, rel=1e-6)


def test_nivolumab_clearance_falls_by_a_quarter():
    # clearance is what leaves per concentration, here in the second week of the first and of the last cycle
    got = simulate_pk("nivolumab", every("nivolumab", 240.0, 14.0, 78, 1 / 24), np.arange(0.0, 1092.0, 0.5))
    lost, level = got["eliminated_mg"], got["concentration_mg_per_L"]
    trapezia = 0.25 * (level[1:] + level[:-1])
    clearance = np.diff(lost) / trapezia
    first, last = clearance[16:27].mean(), clearance[77 * 28 + 16 : 77 * 28 + 27].mean()  # days 8 to 13.5
    assert last / first == pytest.approx(1.0 - 0.255, abs=0.005)  # published: 0.745 of the baseline
    assert first == pytest.approx(9.4 * 0.024, rel=0.01)


def test_atezolizumab():
    model, p = pk_model("atezolizumab")
    assert p["volume"] + p["peripheral_volume"] == pytest.approx(6.91)  # label
    assert half_lives(model)[0] == pytest.approx(27.0, abs=0.5)  # label
    doses = every("atezolizumab", 1200.0, 21.0, 40, 1 / 24)
    assert levels("atezolizumab", doses, [39 * 21.0])[0] == pytest.approx(
        179.0, rel=0.1
    )  # label: mean of patients


def test_small_molecules_have_their_published_half_lives():
    assert half_lives(pk_model("fluorouracil")[0])[0] * 24 == pytest.approx(0.25, abs=0.01)
    base = dict(zip(("clearance", "volume", "flow", "peripheral_volume", "deep_flow", "deep_volume"),
                    (8.15 * 24, 44.7, 118 * 24, 161.0, 3.35 * 24, 1510.0), strict=True))  # fmt: skip
    published = half_lives(structural_model("linear", "oxaliplatin", base | {"molar_mass": 397.29})) * 24
    np.testing.assert_allclose(published, [446.0, 13.0, 0.19], rtol=0.03)  # of the paper's base model
    final = half_lives(pk_model("oxaliplatin")[0]) * 24
    np.testing.assert_allclose(final, published, rtol=0.25)
    assert half_lives(pk_model("tas102")[0])[0] * 24 == pytest.approx(5.3, rel=0.01)


def test_bispecifics():
    daily = [Dose(float(day), "blinatumomab", 0.028, 1.0) for day in range(28)]
    level = simulate_pk("blinatumomab", daily, np.array([28.0]), {"bsa": 1.876})
    assert level["concentration_mg_per_L"][0] * 1e6 == pytest.approx(0.028e6 / (2.22 * 24), rel=1e-9)  # ng/L
    share = 0.0  # of the clearance at the start that dies away, over the cohort's stages and types of myeloma
    for stage, patients in (("I", 165), ("II", 109), ("III", 59)):
        for kind, others in (("igg", 173), ("other", 165)):
            _, p = pk_model("teclistamab", {"iss_stage": stage, "myeloma": kind})
            early = p["early_clearance"] / (p["early_clearance"] + p["clearance"])
            share += early * patients / 333 * others / 338
    assert share == pytest.approx(0.43, abs=0.04)  # published: 43 %
    assert load_drug("teclistamab").routes == ("iv", "sc")


def test_sn38_is_a_few_per_cent_of_irinotecan():
    got = simulate_pk("irinotecan", [Dose(0.0, "irinotecan", 630.0, 1 / 16)], np.linspace(0.0, 30.0, 30_001))
    ratio = got["metabolite_concentration_nM"].sum() / got["concentration_nM"].sum()
    assert ratio == pytest.approx(
        0.06098684 * 22.8 / 42.8, rel=1e-4
    )  # areas: formed share x the clearances' ratio


def test_tas102_says_what_it_is_not():
    drug = load_drug("tas102")
    assert "No structural population model" in drug.note
    assert drug.random_effects == ()
    assert [drug.parameters[name].parameter.value for name in ("k12", "k21", "k10")] == [3.64, 5.55, 7.81]
