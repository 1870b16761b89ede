"""A body delivers its doses exactly, restarts bit for bit, and fails with names."""

import time

import numpy as np
import pytest
from numba import njit

from oncolattice.abm.errors import InputError
from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.dosing import Dose, cycle_doses
from oncolattice.ode_coupling.immune.qcic.arms import arm_doses
from oncolattice.ode_coupling.immune.qcic.model import qcic
from oncolattice.ode_coupling.integrate import ODE_SIGNATURE
from oncolattice.ode_coupling.ode_only import simulate
from oncolattice.ode_coupling.system import Body, BodyError

TAS102 = ("Chem_C", "Chem_P", "Chem_eliminated")
BEVACIZUMAB = ("Targ_C", "Targ_P", "Targ_eliminated")


@njit(ODE_SIGNATURE)
def runaway(t, y, p, u, dy):
    dy[0] = -y[0]
    dy[1] = p[0] * y[1] * y[1]


@njit(ODE_SIGNATURE)
def nothing(t, y, p, u, out):
    pass


RUNAWAY = OdeModel(
    name="runaway",
    time_unit="d",
    states=(Variable("calm", "1"), Variable("wild", "1")),
    inputs=(),
    outputs=(),
    parameters=(Parameter("gain", 0.0, "1/d", "assumed"), Parameter("spare", 1.0, "1", "assumed")),
    initial=np.ones(2),
    rhs=runaway,
    observe=nothing,
)


@pytest.mark.parametrize("duration", [0.0, 0.1])
@pytest.mark.parametrize("stops", [1, 7, 24 * 14])
@pytest.mark.parametrize("rtol", [1e-3, 1e-8])
def test_dose_is_delivered_to_1e_12_whatever_the_step(duration, stops, rtol):
    doses = cycle_doses("TAS102", 95.0, cycles=1, duration_days=duration)
    doses += [Dose(1.0, "bevacizumab", 280.0, 0.0625), Dose(1.03, "bevacizumab", 28.0, 0.0)]
    body = Body(qcic(), doses=doses, rtol=rtol)
    for t in np.linspace(0.0, 14.0, stops + 1):
        body.advance_to(t)
        for drug, states in (("TAS102", TAS102), ("bevacizumab", BEVACIZUMAB)):
            held = sum(body.get(name) for name in states)
            assert held == pytest.approx(body.dosed[drug], rel=1e-12, abs=1e-12)
    assert body.dosed == pytest.approx({"TAS102": 950.0, "bevacizumab": 308.0}, rel=1e-15)


def test_dosed_is_held_or_eliminated_through_a_treated_year():
    body = Body(qcic(), doses=arm_doses("tas102_bev", "clinical", 365.0))
    smallest = np.inf
    for day in range(366):
        body.advance_to(float(day))
        smallest = min(smallest, body.y.min())
        for drug, states in (("TAS102", TAS102), ("bevacizumab", BEVACIZUMAB)):
            assert sum(body.get(s) for s in states) == pytest.approx(body.dosed[drug], rel=1e-10)
    assert smallest >= 0.0


def test_a_restored_body_continues_bit_for_bit():
    def fresh() -> Body:
        body = Body(qcic(), {"beta_X1": 0.05}, arm_doses("tas102_bev"))
        body.set_input("variant", 1.0)
        return body

    through = fresh()
    through.advance_to(29.03)  # in the middle of an infusion
    through.stop_dosing(31.0)
    saved = through.state()
    through.advance_to(60.0)
    resumed = fresh()
    resumed.restore({key: value.copy() for key, value in saved.items()} | {"other": np.zeros(1)})
    resumed.advance_to(60.0)
    np.testing.assert_array_equal(resumed.y, through.y)
    assert (resumed.t, resumed.h, resumed.dosed) == (through.t, through.h, through.dosed)


def test_a_bolus_acts_after_the_time_at_which_it_falls():
    body = Body(qcic(), doses=[Dose(1.0, "TAS102", 95.0)])
    body.advance_to(1.0)
    assert (body.get("Chem_C"), body.dosed["TAS102"]) == (0.0, 0.0)
    body.advance_to(1.0 + 1e-9)
    assert body.get("Chem_C") == pytest.approx(95.0, rel=1e-6)


def test_stopping_drops_what_has_not_begun():
    body = Body(qcic(), doses=arm_doses("tas102"))
    body.advance_to(8.05)  # half of the sixth infusion
    body.stop_dosing(8.05)
    body.advance_to(40.0)
    assert body.dosed["TAS102"] == 6 * 95.0
    assert sum(body.get(name) for name in TAS102) == pytest.approx(6 * 95.0, rel=1e-12)


def test_a_lattice_may_write_states_and_inputs_by_name():
    body = Body(qcic())
    body.set("T8_C", 123.0)
    body.set_input("owned_T8_C", 1.0)
    body.advance_to(3.0)
    assert body.get("T8_C") == 123.0


def test_blow_up_names_state_time_and_changed_parameters():
    body = Body(RUNAWAY, {"gain": 0.5})
    with pytest.raises(BodyError, match=r"runaway: state wild .* at day 2\b.*: gain = 0\.5"):
        body.advance_to(10.0)
    assert np.all(np.isfinite(body.y))
    assert body.t == pytest.approx(2.0, abs=1e-3)  # y = 1 / (1 - t / 2)


def test_a_parameter_that_makes_no_sense_is_an_error_not_a_nan():
    body = Body(qcic(), {"K_Chem": 0.0})  # 0 / 0 while there is no drug
    with pytest.raises(BodyError, match=r"is no longer finite at day 0 .*K_Chem = 0"):
        body.advance_to(1.0)
    np.testing.assert_array_equal(body.y, qcic().initial)


def test_what_is_too_stiff_ends_soon_with_state_time_and_parameter():
    """Elimination a million times faster than published: an explicit step cannot follow it, and says so."""
    body = Body(qcic(), {"k_10_Chem": 7.81e6, "beta_X1": 0.011}, [Dose(1.0, "TAS102", 95.0, 0.1)])
    began = time.monotonic()
    body.advance_to(1.0)  # nothing to eliminate yet
    said = r"state Chem_C .*too many steps at day 1\.0.*changed: k_10_Chem = 7.81e\+06"
    with pytest.raises(BodyError, match=said):
        body.advance_to(25.0 / 24.0)
    assert time.monotonic() - began < 5.0
    assert np.all(np.isfinite(body.y))
    assert body.t == pytest.approx(1.0, abs=0.05)


def test_time_constants_of_a_minute_are_followed():
    body = Body(qcic(), {"k_10_Chem": 1440.0}, [Dose(1.0, "TAS102", 95.0)])
    for hour in range(1, 49):
        body.advance_to(hour / 24.0)
    assert sum(body.get(name) for name in TAS102) == pytest.approx(95.0, rel=1e-12)


def test_outputs_have_the_published_baseline():
    body = Body(qcic())
    assert body.output("I2_A") == pytest.approx(11554.62185, rel=1e-9)
    assert body.output("L22_C") == pytest.approx(848585.5753, rel=1e-9)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Body(qcic(), {"beta_x1": 0.1}), "did you mean 'beta_X1'"),
        (lambda: Body(qcic(), {"beta_X1": -0.1}), "'beta_X1' must be a finite number from 0 on"),
        (lambda: Body(qcic(), {"beta_X1": float("nan")}), "'beta_X1' must be a finite number"),
        (lambda: Body(qcic(), doses=[Dose(1.0, "TAS-102", 95.0)]), "did you mean 'TAS102'"),
        (lambda: Body(qcic(), doses=[Dose(-1.0, "TAS102", 95.0)]), "before the start"),
        (lambda: Body(qcic(), start_days=2.0).advance_to(1.0), "cannot go from day 2 to day 1"),
        (lambda: Body(qcic()).advance_to(float("nan")), "cannot go"),
        (lambda: Body(qcic()).set_input("dose_rate_TAS102", 1.0), "governed by the doses"),
        (lambda: Body(qcic()).set_input("varient", 1.0), "did you mean 'variant'"),
        (lambda: Body(qcic()).set("T8_C", -1.0), "finite number from 0 on, not -1"),
        (lambda: Body(qcic()).restore(Body(RUNAWAY).state()), "another model"),
        (lambda: simulate({}, [], 10.0, variant="paper"), "did you mean 'paper_exact'"),
        (lambda: simulate({}, [], 10.0, every_days=0.0), "every_days positive"),
        (lambda: arm_doses("tas"), "unknown arm 'tas'"),
        (lambda: arm_doses("tas102", "weekly"), "unknown schedule"),
    ],
)
def test_bad_input_is_one_clear_sentence(act, message):
    with pytest.raises(InputError, match=message):
        act()


def test_burn_in_settles_the_immune_cells_around_a_tumour_that_waits():
    cold = simulate({}, [], 7.0, variant="paper_exact")
    warm = simulate({}, [], 7.0, variant="paper_exact", burn_in_days=14.0)
    assert warm["X1_C"][0] == cold["X1_C"][0] == 1e8
    assert cold["T8_C"][0] == 5e6
    assert warm["T8_C"][0] / 5e6 == pytest.approx(0.14, abs=0.01)  # CTL fall by 86 % in every published arm
    assert abs(warm["T8_C"][-1] / warm["T8_C"][0] - 1.0) < 0.05
    assert warm["TRI"][0] == 0.0
    assert warm["tumour_volume_cm3"][0] == pytest.approx(2.224, abs=5e-4)  # published baseline


def test_records_hold_the_horizon_and_do_not_change_the_patient():
    often, once = simulate({}, arm_doses("tas102"), 10.0, 0.5), simulate({}, arm_doses("tas102"), 10.0, 10.0)
    assert once["time_days"].tolist() == [0.0, 10.0]
    for name in ("X1_C", "T8_C", "D_A"):
        assert often[name][-1] == pytest.approx(once[name][-1], rel=1e-4)


def test_a_placebo_dose_list_is_empty_and_clinical_bevacizumab_falls_on_days_1_and_15():
    assert arm_doses("placebo") == []
    starts = [d.time_days for d in arm_doses("tas102_bev", "clinical") if d.drug == "bevacizumab"]
    assert starts[:4] == [1, 15, 29, 43]
    assert len(starts) == 12
    open_ended = arm_doses("tas102_bev", "clinical", 365.0)
    assert max(d.time_days for d in open_ended) < 365.0
