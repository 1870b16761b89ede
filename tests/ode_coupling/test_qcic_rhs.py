"""Variants and ownership of the QCIC right-hand side, against conservation laws and hand computation."""

import numpy as np
import pytest

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.immune.qcic.model import (
    CORRECTIONS,
    OWNABLE_IMMUNE,
    TUMOUR_TYPES,
    VARIANTS,
    qcic,
)
from oncolattice.ode_coupling.immune.qcic.tables import sampled_names
from oncolattice.ode_coupling.integrate import OK, advance
from oncolattice.ode_coupling.ode_only import simulate, simulate_population
from oncolattice.ode_coupling.system import Body

MODEL = qcic()
S = {state.name: i for i, state in enumerate(MODEL.states)}
U = {variable.name: i for i, variable in enumerate(MODEL.inputs)}
P = {parameter.name: i for i, parameter in enumerate(MODEL.parameters)}
OUT = {variable.name: i for i, variable in enumerate(MODEL.outputs)}
OF_TIME = ("beta_", "d_", "theta_", "kappa_T", "psi_", "rho_")  # proliferation, death, supply, conversion
MOLECULE_DECAY = {"d_" + output.name[:-2] for output in MODEL.outputs}
TRAVELLERS = ("T1", "T2", "T17", "Treg", "Tfh", "T8", "NK", "D")


def slopes(u: np.ndarray, y: np.ndarray | None = None, p: np.ndarray | None = None) -> np.ndarray:
    dy = np.full(len(S), np.nan)
    MODEL.rhs(0.0, MODEL.initial if y is None else y, MODEL.parameter_values() if p is None else p, u, dy)
    return dy


def inputs(**values: float) -> np.ndarray:
    u = np.zeros(len(U))
    for name, value in values.items():
        u[U[name]] = value
    return u


@pytest.fixture
def treated() -> np.ndarray:
    """A state in which every term counts."""
    y = MODEL.initial * np.random.default_rng(7).uniform(0.5, 2.0, len(S))
    y[S["X3_C"]], y[S["Chem_C"]], y[S["Targ_C"]] = 5e7, 40.0, 150.0
    return y


def travelling_only() -> np.ndarray:
    """Parameters with migration and chemotaxis on, and all that makes, ends or converts a cell off."""
    p = MODEL.parameter_values()
    for name, i in P.items():
        if name.startswith(OF_TIME) and name not in MOLECULE_DECAY:
            p[i] = 0.0
    assert p[P["d_T8"]] == p[P["rho_DD0"]] == p[P["kappa_T8"]] == 0.0
    assert p[P["d_L19"]] > 0.0
    return p


def totals(y: np.ndarray) -> np.ndarray:
    """Cells of each travelling type in the three compartments together."""
    v = {c: MODEL.parameter_values()[P[f"V_{c}"]] for c in "ABC"}
    return np.array([sum(v[c] * y[S[f"{z}_{c}"]] for c in "ABC") for z in TRAVELLERS])


@pytest.mark.parametrize(
    ("name", "conserves"), [("conservative", True), ("corrected", True), ("paper_exact", False)]
)
def test_travelling_cells_are_neither_made_nor_lost_but_as_published(name, conserves):
    variant = VARIANTS[name]
    y, p = MODEL.initial.copy(), travelling_only()
    before = totals(y)
    result = advance(MODEL.rhs, 0.0, 30.0, y, p, inputs(variant=variant, freeze_tumour=1.0))
    assert result.status == OK
    assert np.abs(y - MODEL.initial).max() > 1e6  # they did travel
    change = np.abs(totals(y) / before - 1.0)
    if conserves:
        assert change.max() < 1e-10
    else:  # chemotaxis as published loses cells of every type
        assert change.min() > 1e-6


def test_variants_differ_in_the_donor_of_chemotaxis_and_the_gain_of_x3_alone(treated):
    difference = slopes(inputs(variant=1.0), treated) - slopes(inputs(), treated)
    p, out = MODEL.parameter_values(), np.zeros(len(OUT))
    MODEL.observe(0.0, treated, p, inputs(), out)

    def gain(z: str) -> float:  # chemotactic arrivals per litre of tumour: all arrivals less migration
        migrating = p[P[f"V_{z}_BC"]] * p[P["V_B"]] * treated[S[f"{z}_B"]]
        return (out[OUT[f"arrival_{z}"]] - migrating) / p[P["V_C"]]

    for z in ("T1", "T2", "T17", "Treg", "Tfh", "T8"):
        assert difference[S[f"{z}_B"]] == pytest.approx(gain(z) * (1 - 0.8 / 4.5), rel=1e-6)
    pressure = 40.0**2 / (47.5**2 + 40.0**2)
    w1 = p[P["rho_X3X1"]] * pressure * treated[S["X1_C"]]
    w2 = p[P["rho_X3X2"]] * pressure * treated[S["X2_C"]]
    assert difference[S["X3_C"]] == pytest.approx(w2 - w1, rel=1e-9)
    ccl = {m: out[OUT[f"{m}_A"]] / (p[P[f"K_{m}"]] + out[OUT[f"{m}_A"]]) for m in ("L19", "L21")}
    called = (p[P["X_DL19_CA"]] * ccl["L19"] + p[P["X_DL21_CA"]] * ccl["L21"]) * treated[S["D_C"]]
    assert difference[S["D_C"]] == pytest.approx(called * (1 - 0.01 / 0.8), rel=1e-9)

    changed = {name for name, i in S.items() if difference[i] != 0.0}
    donors = {name for name in S if name.endswith("_B")} - {"TN4_B", "TN8_B", "D_B"}
    assert changed == donors | {"X3_C", "D_C"}


def test_arrivals_of_ctl_equal_the_published_formula(treated):
    p, out = MODEL.parameter_values(), np.zeros(len(OUT))
    MODEL.observe(0.0, treated, p, inputs(variant=1.0), out)
    c = sum(
        p[P[f"X_T8{m}_BC"]] * out[OUT[f"{m}_C"]] / (p[P[f"K_{m}"]] + out[OUT[f"{m}_C"]])
        for m in ("C9", "C10", "C12")
    )
    expected = (p[P["V_T8_BC"]] * 4.5 + c * 0.8) * treated[S["T8_B"]]
    assert out[OUT["arrival_T8"]] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("variant", [0.0, 1.0])
def test_an_owned_type_stands_still_and_blood_keeps_its_cells(treated, variant):
    p, out = MODEL.parameter_values(), np.zeros(len(OUT))
    free = inputs(variant=variant)
    MODEL.observe(0.0, treated, p, free, out)
    owned = {f"owned_{name}": 1.0 for name in TUMOUR_TYPES + OWNABLE_IMMUNE}
    antigen = out[OUT["TA_C"]] * p[P["d_TA"]]  # the release that the tumour's own formula gives
    change = slopes(inputs(variant=variant, antigen_rate=antigen, **owned), treated) - slopes(free, treated)
    standing = slopes(inputs(variant=variant, antigen_rate=antigen, **owned), treated)
    debit = 0.8 / 4.5 if variant else 1.0
    expected = np.zeros(len(S))
    for name in TUMOUR_TYPES + OWNABLE_IMMUNE:
        assert standing[S[name]] == 0.0
        expected[S[name]] = -slopes(free, treated)[S[name]]
    for name in OWNABLE_IMMUNE:
        z = name.removesuffix("_C")
        migrating = p[P[f"V_{z}_BC"]] * treated[S[f"{z}_B"]]
        chemotaxis = (out[OUT[f"arrival_{z}"]] - migrating * 4.5) / 0.8
        returning = p[P[f"V_{z}_CB"]] * treated[S[name]] * 0.8 / 4.5
        expected[S[f"{z}_B"]] = migrating + debit * chemotaxis - returning
    np.testing.assert_allclose(change, expected, rtol=1e-9, atol=1e-6)


def test_antigen_released_outside_activates_dendritic_cells(treated):
    out = np.zeros(len(OUT))
    MODEL.observe(0.0, treated, MODEL.parameter_values(), inputs(owned_X1_C=1.0, antigen_rate=3e6), out)
    assert out[OUT["TA_C"]] == pytest.approx(3e6 / MODEL.parameter_values()[P["d_TA"]], rel=1e-15)


def test_a_frozen_tumour_does_not_change_and_all_else_does_as_before(treated):
    frozen, free = slopes(inputs(freeze_tumour=1.0), treated), slopes(inputs(), treated)
    tumour = [S[name] for name in TUMOUR_TYPES]
    assert np.all(frozen[tumour] == 0.0)
    assert np.all(free[tumour] != 0.0)
    np.testing.assert_array_equal(np.delete(frozen, tumour), np.delete(free, tumour))


def test_each_correction_changes_its_own_terms_alone(treated):
    p, out = MODEL.parameter_values(), np.zeros(len(OUT))
    MODEL.observe(0.0, treated, p, inputs(), out)

    def sat(molecule: str, half: str) -> float:
        return out[OUT[molecule]] / (p[P[half]] + out[OUT[molecule]])

    differences = {
        name: slopes(inputs(variant=float(code)), treated) - slopes(inputs(), treated)
        for name, code in CORRECTIONS.items()
    }
    changed = {name: {state for state, i in S.items() if d[i] != 0.0} for name, d in differences.items()}

    assert changed["D1"] == {"X3_C"}
    assert changed["D2"] == {"T8_A"}
    i2, i21 = sat("I2_A", "K_I2"), sat("I21_A", "K_I21")
    rate = p[P["beta_T8"]] * (1.0 + p[P["lambda_T8I2"]] * i2 + p[P["lambda_T8I21"]] * i21)
    more = rate * (treated[S["T8_A"]] - treated[S["T1_A"]])
    assert differences["D2"][S["T8_A"]] == pytest.approx(more, rel=1e-6)

    assert changed["D3"] == {"D0_C", "D_C"}  # less antigen activates fewer dendritic cells
    assert differences["D3"][S["D_C"]] < 0.0
    assert differences["D3"][S["D0_C"]] == pytest.approx(-differences["D3"][S["D_C"]], rel=1e-9)

    assert changed["D4"] == {"Tfh_A"}
    fewer = p[P["beta_Tfh"]] * (0.1 - 0.4) * i21 * treated[S["Tfh_A"]]
    assert differences["D4"][S["Tfh_A"]] == pytest.approx(fewer, rel=1e-6)

    in_tumour = {state for state in S if state.endswith("_C")} - {
        "X1_C",
        "X2_C",
        "X3_C",
        "D_C",
        "Chem_C",
        "Targ_C",
    }
    assert changed["D5"] == in_tumour | {"D_A", "TN4_A", "TN8_A"}
    called = sum(p[P[f"X_TN4{c}_BA"]] * sat(f"{c}_A", f"K_{c}") for c in ("L19", "L21")) * treated[S["TN4_B"]]
    assert differences["D5"][S["TN4_A"]] == pytest.approx(449.0 * called, rel=1e-6)


def test_arrivals_follow_the_volume_ratio_where_it_is_corrected(treated):
    p, out = MODEL.parameter_values(), np.zeros((2, len(OUT)))
    for row, variant in zip(out, (0.0, float(CORRECTIONS["D5"])), strict=True):
        MODEL.observe(0.0, treated, p, inputs(variant=variant), row)
    for z in ("T1", "T8"):
        migrating = p[P[f"V_{z}_BC"]] * 4.5 * treated[S[f"{z}_B"]]
        called = out[:, OUT[f"arrival_{z}"]] - migrating
        assert called[1] == pytest.approx(4.5 / 0.8 * called[0], rel=1e-9)


def test_an_antibody_frees_the_killers_by_the_shares_it_occupies(treated):
    def seen(**shares: float) -> np.ndarray:
        out = np.zeros(len(OUT))
        MODEL.observe(0.0, treated, MODEL.parameter_values(), inputs(**shares), out)
        return out

    bare, both = seen(), seen(PD1_occupancy=0.6, PDL1_occupancy=0.25)
    assert both[OUT["PL_C"]] == pytest.approx(0.4 * 0.75 * bare[OUT["PL_C"]], rel=1e-14)
    assert seen(PD1_occupancy=1.0)[OUT["PL_C"]] == 0.0
    for molecule in ("P_C", "L_C"):  # what the cells carry
        assert both[OUT[molecule]] == bare[OUT[molecule]]
    p = MODEL.parameter_values()
    left = [1.0 - p[P["lambda_PL"]] * x / (p[P["K_PL"]] + x) for x in (0.0, bare[OUT["PL_C"]])]
    killers = sum(p[P[f"eta_X3{z}"]] * treated[S[f"{z}_C"]] for z in ("T1", "T8", "NK"))
    gain = slopes(inputs(), treated) - slopes(inputs(PD1_occupancy=1.0), treated)
    assert gain[S["X3_C"]] == pytest.approx((left[0] - left[1]) * killers * treated[S["X3_C"]], rel=1e-6)


@pytest.mark.parametrize(
    ("share", "sensitive", "resistant"), [(0.75, 1e8, 3e8), (0.0, 4e8, 0.0), (1.0, 0.0, 4e8)]
)
def test_the_resistant_share_divides_the_tumour_at_the_start(share, sensitive, resistant):
    body = Body(MODEL, {"resistant_share": share})
    assert (body.get("X1_C"), body.get("X2_C")) == (sensitive, resistant)
    others = [i for i, state in enumerate(MODEL.states) if state.name not in ("X1_C", "X2_C")]
    np.testing.assert_array_equal(body.y[others], MODEL.initial[others])


def test_a_cohort_starts_as_its_patients_do_one_by_one():
    names = (*sampled_names(), "resistant_share")
    values = {q.name: q.value for q in MODEL.parameters}
    rows = np.array([[values[name] for name in names[:-1]] + [share] for share in (0.5, 0.9)])
    run = simulate_population(
        rows, "placebo", 14.0, columns=names, states=("X1_C", "X2_C"), variant="conservative"
    )
    for k, share in enumerate((0.5, 0.9)):
        alone = simulate({"resistant_share": share}, (), 14.0)
        np.testing.assert_allclose(run.values[k, :, 1], alone["X2_C"], rtol=1e-12)
        assert run.values[k, 0].tolist() == [4e8 * (1.0 - share), 4e8 * share]


def test_more_than_all_cells_cannot_be_resistant():
    with pytest.raises(InputError, match=r"'resistant_share' must be 0 to 1, not 1\.5"):
        Body(MODEL, {"resistant_share": 1.5})
