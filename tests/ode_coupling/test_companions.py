"""A body with companions is one Body: order of the exchange, exact doses, restart, faces and refusals."""

import numpy as np
import pytest
from numba import njit
from scipy.integrate import solve_ivp

from oncolattice.abm.errors import InputError
from oncolattice.abm.ode_model import OdeModel, Parameter, Variable
from oncolattice.ode_coupling.companions import BodyWithCompanions
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.immune.qcic.model import VARIANTS, qcic
from oncolattice.ode_coupling.integrate import ODE_SIGNATURE
from oncolattice.ode_coupling.joint import Drive, Joint
from oncolattice.ode_coupling.pk import pk_model
from oncolattice.ode_coupling.pk.two_compartment import exact_amounts
from oncolattice.ode_coupling.system import Body

# Pembrolizumab of a typical patient (Ahamadi 2017): CL 0.22 L/d, Vc 3.48 L, Q 0.795 L/d, Vp 4.06 L
K12, K21, K10, VOLUME = 0.795 / 3.48, 0.795 / 4.06, 0.22 / 3.48, 3.48
OCCUPANCY = Drive("drug.concentration", "occupancy", half=20.0)
TIGHT = {"rtol": 1e-11, "atol": 1e-11}


@njit(ODE_SIGNATURE, cache=True)
def grow(t, y, p, u, dy) -> None:
    """Growth that occupancy slows down."""
    dy[0] = p[0] * (1.0 - 2.0 * u[0]) * y[0]


@njit(ODE_SIGNATURE, cache=True)
def show(t, y, p, u, out) -> None:
    """The net rate."""
    out[0] = p[0] * (1.0 - 2.0 * u[0])


@njit(ODE_SIGNATURE, cache=True)
def pool(t, y, p, u, dy) -> None:
    """A drug that a burden binds."""
    dy[0] = u[0] - (p[0] + p[1] * u[1]) * y[0]
    dy[1] = (p[0] + p[1] * u[1]) * y[0]


@njit(ODE_SIGNATURE, cache=True)
def level(t, y, p, u, out) -> None:
    """The amount itself."""
    out[0] = y[0]


def tumour() -> OdeModel:
    return OdeModel(
        "tumour", "d", (Variable("N", "cells"),), (Variable("occupancy", "1"),), (Variable("rate", "1/d"),),
        (Parameter("g", 0.1, "1/d", "assumed"),), np.array([10.0]), grow, show,
    )  # fmt: skip


def sink() -> OdeModel:
    return OdeModel(
        "sink", "d", (Variable("A", "mg"), Variable("gone", "mg")),
        (Variable("dose_rate_drug", "mg/d"), Variable("burden", "cells")), (Variable("concentration", "mg/L"),),
        (Parameter("k", 0.2, "1/d", "assumed"), Parameter("b", 0.02, "1/d", "assumed")), np.array([30.0, 0.0]),
        pool, level,
    )  # fmt: skip


def pembrolizumab(doses=(), **tolerances) -> Body:
    return Body(pk_model("pembrolizumab")[0], {}, doses, **tolerances)


def treated(exchange_days: float, doses=()) -> BodyWithCompanions:
    drives = [OCCUPANCY, Drive("N", "drug.burden")]
    parts = Body(tumour(), **TIGHT), {"drug": Body(sink(), {}, doses, **TIGHT)}
    return BodyWithCompanions(*parts, drives, exchange_days)


def reference(days: float, rate: float = 0.0, until: float = 0.0) -> np.ndarray:
    """Integrate the joint equations in one piece (SciPy), with an infusion up to a day."""
    joint = Joint({"": tumour(), "drug": sink()}, [OCCUPANCY, Drive("N", "drug.burden")])
    y, t = joint.model.initial, 0.0
    for end, dosed in ((until, rate), (days, 0.0)):
        if end > t:
            u = np.array([0.0, dosed, 0.0])

            def slope(time, state, u=u):
                dy = np.zeros(3)
                joint.rhs(time, np.ascontiguousarray(state), joint.model.parameter_values(), u, dy)
                return dy

            y, t = solve_ivp(slope, (t, end), y, rtol=1e-12, atol=1e-12, method="DOP853").y[:, -1], end
    return y


@pytest.mark.parametrize("doses", [(), (Dose(0.0, "drug", 60.0, 2.0),)])
def test_exchange_in_both_directions_is_of_second_order(doses):
    truth = reference(8.0, *((30.0, 2.0) if doses else ()))
    errors = []
    for exchange_days in (1.0, 0.5, 0.25):
        body = treated(exchange_days, doses)
        body.advance_to(8.0)
        errors.append(np.abs(body.y - truth).max())
    ratios = np.array(errors[:-1]) / np.array(errors[1:])
    assert np.all(np.abs(ratios - 4.0) < 0.4), (errors, ratios)
    assert errors[-1] < 0.05


def test_the_order_does_not_drop_where_a_dose_edge_lies_inside_an_interval():
    """A bolus within what would be one interval: the error still falls four times."""
    joint = Joint({"": tumour(), "drug": sink()}, [OCCUPANCY])
    ends = []
    for exchange_days in (1.0, 0.5, 0.25, 0.03125):
        parts = Body(tumour(), **TIGHT), {"drug": Body(sink(), {}, [Dose(3.3, "drug", 90.0)], **TIGHT)}
        body = BodyWithCompanions(*parts, joint.drives, exchange_days)
        body.advance_to(8.0)
        ends.append(body.get("N"))
    errors = np.abs(np.array(ends[:3]) - ends[3])
    assert np.all(errors[:-1] / errors[1:] > 3.6), errors


def test_a_companion_keeps_its_own_solution_and_loses_nothing():
    doses = [Dose(1.0 + 21.0 * k, "pembrolizumab", 200.0, 1.0 / 48.0) for k in range(3)]
    systemic = Body(qcic(), {}, [Dose(1.0, "TAS102", 95.0, 0.1)])
    systemic.set_input("variant", VARIANTS["conservative"])
    drive = Drive("pembrolizumab.concentration", "PD1_occupancy", half=1.0)
    companion = pembrolizumab(doses, rtol=1e-10, atol=1e-10)
    body = BodyWithCompanions(systemic, {"pembrolizumab": companion}, [drive])
    states = [f"pembrolizumab.{name}" for name in ("central", "peripheral", "eliminated")]
    for day in (0.3, 1.01, 1.5, 9.0, 30.0):
        body.advance_to(day)
        exact = exact_amounts(np.array([day]), doses, K12, K21, K10)[0]
        held = np.array([body.get(name) for name in states])
        np.testing.assert_allclose(held, exact, rtol=1e-7, atol=1e-7)
        assert body.dosed["pembrolizumab"] == pytest.approx(held.sum(), rel=1e-12)
        assert body.output("PD1_occupancy") == pytest.approx(
            exact[0] / VOLUME / (exact[0] / VOLUME + 1.0), rel=1e-7
        )
    assert body.dosed["TAS102"] == pytest.approx(95.0, rel=1e-12)
    assert sum(body.get(s) for s in ("Chem_C", "Chem_P", "Chem_eliminated")) == pytest.approx(95.0, rel=1e-10)


def test_an_idle_companion_leaves_the_systemic_model_as_it_is():
    alone, beside = (Body(qcic(), {}, rtol=1e-9) for _ in range(2))
    drive = Drive("pembrolizumab.concentration", "PD1_occupancy", half=1.0)
    body = BodyWithCompanions(beside, {"pembrolizumab": pembrolizumab()}, [drive])
    for day in (0.25, 5.0):
        alone.advance_to(day)
        body.advance_to(day)
    np.testing.assert_allclose(body.y[: alone.y.size], alone.y, rtol=1e-7, atol=1e-3)


def test_occupancy_removes_its_share_of_the_complex():
    body = BodyWithCompanions(
        Body(qcic()), {"drug": pembrolizumab()}, [Drive("drug.concentration", "PD1_occupancy", half=1.0)]
    )
    bare = body.output("PL_C")
    body.set("drug.central", 3.0 * VOLUME)  # three times the constant: three quarters are taken
    assert body.output("PL_C") == pytest.approx(0.25 * bare, rel=1e-12)
    assert body.output("P_C") == pytest.approx(qcic_output("P_C"), rel=1e-12)


def qcic_output(name: str) -> float:
    return Body(qcic()).output(name)


def test_restart_is_exact_between_doses():
    doses = [Dose(0.5, "drug", 60.0, 1.0), Dose(4.0, "drug", 10.0)]
    body = treated(0.3, doses)
    body.advance_to(1.1)
    again = treated(0.3, doses)
    again.restore({**body.state(), "couple_refused": np.zeros(1)})
    for each in (body, again):
        each.advance_to(6.0)
    assert body.state().keys() == again.state().keys()
    for key, value in body.state().items():
        np.testing.assert_array_equal(value, again.state()[key])


def test_stopping_drops_later_doses_of_every_part_also_after_a_restart():
    doses = [Dose(1.0, "drug", 60.0), Dose(4.0, "drug", 10.0)]
    body = treated(0.5, doses)
    body.advance_to(2.0)
    body.stop_dosing(2.0)
    again = treated(0.5, doses)
    again.restore(body.state())
    again.advance_to(6.0)
    assert again.dosed == {"drug": 60.0}
    assert [dose.time_days for dose in again.regimen.doses] == [1.0]


def test_doses_of_a_companion_can_be_changed_and_stay_so_after_a_restart():
    doses = [Dose(1.0, "drug", 60.0), Dose(4.0, "drug", 10.0)]
    body = treated(0.5, doses)
    body.advance_to(2.0)
    body.set_dose("drug", 0.5, 3.0)
    again = treated(0.5, doses)
    again.restore(body.state())
    for each in (body, again):
        each.advance_to(6.0)
        assert each.dosed == {"drug": pytest.approx(65.0, rel=1e-12)}
        assert each.planned("drug") == pytest.approx(70.0, rel=1e-12)
        assert each.get("drug.A") + each.get("drug.gone") == pytest.approx(30.0 + 65.0, rel=1e-10)
    with pytest.raises(InputError, match=r"unknown drug 'drag'.*did you mean 'drug'"):
        body.set_dose("drag", 0.5, 7.0)


def test_names_of_the_parts_stand_side_by_side():
    model = treated(0.5).model
    assert [v.name for v in model.states] == ["N", "drug.A", "drug.gone"]
    assert [v.name for v in model.inputs] == ["occupancy", "dose_rate_drug", "drug.burden"]
    assert [v.name for v in model.outputs] == ["rate", "drug.concentration", "occupancy", "drug.burden"]
    assert [p.name for p in model.parameters] == ["g", "drug.k", "drug.b"]
    assert model.name == "tumour with drug"


@pytest.mark.parametrize(
    ("drive", "message"),
    [
        (Drive("drug.level", "occupancy"), "unknown state or output 'drug.level'"),
        (Drive("drug.concentration", "occupency"), "did you mean 'occupancy'"),
        (Drive("N", "dose_rate_drug"), "the doses govern it"),
        (Drive("drug.A", "occupancy", half=-1.0), "half must be a finite number from 0 on"),
        (Drive("drug.A", "occupancy", factor=float("nan")), "factor must be a finite number"),
    ],
)
def test_a_wrong_drive_is_refused(drive, message):
    with pytest.raises(InputError, match=message):
        BodyWithCompanions(Body(tumour()), {"drug": Body(sink())}, [drive])


def test_wrong_companions_are_refused():
    with pytest.raises(InputError, match="driven twice"):
        BodyWithCompanions(Body(tumour()), {"drug": Body(sink())}, [OCCUPANCY, OCCUPANCY])
    with pytest.raises(InputError, match="'drug' is taken by one already"):
        BodyWithCompanions(Body(tumour()), {"one": Body(sink()), "two": Body(sink())})
    with pytest.raises(InputError, match="start them together"):
        BodyWithCompanions(Body(tumour()), {"drug": Body(sink(), start_days=-1.0)})
    with pytest.raises(InputError, match="exchange_days must be above 0"):
        treated(0.0)
    body = treated(0.5)
    with pytest.raises(InputError, match="driven by a companion"):
        body.set_input("occupancy", 0.5)
    with pytest.raises(InputError, match="holds no companion 'drug'"):
        body.restore(Body(tumour()).state())
    with pytest.raises(InputError, match="cannot go from"):
        body.advance_to(-1.0)
