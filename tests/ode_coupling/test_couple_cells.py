"""Cells between blood and lattice: late arrivals are not lost, and every event of a model has its booking."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import attribute, behaviour, change, parameters, scattered, tiny_model, tissue_of

from oncolattice.abm.compile.events import TO_BODY
from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.ode_coupling.ports import CellPort, Ports
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.helpers.boxes import body_model

NUMBERS = parameters(b=(0.05, "1/h"), d=(0.03, "1/h"), half=(0.5, "1"), one=(1.0, "1"), soon=(0.2, "1/h"))


def test_arrivals_that_blood_cannot_supply_yet_are_not_lost():
    """One lattice cell is twice what blood holds in balance (supply / outflow). Were the demand that falls into
    empty-handed hours dropped, blood would have to fill to a whole lattice cell before any could leave."""
    model = tiny_model(NUMBERS, behaviour("T", "die exhaustion", "soon") + behaviour("V", "admit T", "one"))
    occupant = np.zeros((2, 16, 16), np.uint8)
    occupant[0, ::4, ::4] = 4
    supply, outflow = 1e6, 4.0  # cells/L/d into 1 L, L/d
    balance = supply / outflow
    body = Body(body_model(outflow=outflow, supply=supply))
    body.set("T_blood", balance)
    weight = 2.0 * balance
    port = CellPort("T", "T_tissue", weight, "T_blood", "arrival_T")
    run = CoupledRun(tissue_of(model, occupant), body, Ports((port,), (), (), (), 1.0, 1.0))
    run.open()
    held = []
    for _ in range(6000):
        run.step()
        held.append(body.get("T_blood"))
    assert min(held) >= 0.0
    assert run.ledger.worst.max() <= 1e-10
    arrived = run.tissue.state.events[model.events.index("T: die exhaustion")]
    arrived += run.tissue.state.number[3]
    assert arrived == pytest.approx(6000 / 24 * supply / weight, rel=0.02)
    assert np.mean(held) / balance == pytest.approx(1.0, abs=0.2)


BEGETTING = (
    behaviour("A", "divide", "b")
    + behaviour("A", "beget B", "half")
    + behaviour("A", "die_dividing mitosis", "half")
    + behaviour("A", "become B", "d")
    + behaviour("B", "die apoptosis", "d", leaves="V")
    + behaviour("T", "kill A", "d", leaves="V")
    + behaviour("T", "leave", "d")
    + behaviour("V", "divide", "d")
)


def test_every_event_of_a_model_has_its_booking():
    model = tiny_model(NUMBERS, BEGETTING)
    occupant = scattered((32, 32), 0.3, 1, 0)
    occupant[1] = scattered((32, 32), 0.2, 3, 1, seed=2)[1]
    cells = (CellPort("A", "A_tissue", 10.0), CellPort("T", "T_tissue", 5.0, "T_blood"))
    ports = Ports(cells, (), (), (), 1.0, 1.0)
    others = (CellPort("B", "A_tissue", 3.0), CellPort("V", "T_tissue", 7.0))
    for crossing in (ports, replace(ports, cells=others)):
        run = CoupledRun(tissue_of(model, occupant), Body(body_model()), crossing)
        run.open()
        for _ in range(100):
            run.step()
        assert run.ledger.worst.max() <= 1e-12
    assert run.tissue.state.events[[e != "A: division blocked" for e in model.events]].min() > 5


def test_what_an_event_takes_and_leaves():
    model = tiny_model(NUMBERS, BEGETTING)
    a, b, t, v = (model.type_id(name) for name in "ABTV")
    found = dict(zip(model.events, map(tuple, model.event_cells.tolist()), strict=True))
    assert found["A: divide"] == (0, a)
    assert found["A: beget B"] == found["A: become B"] == (a, b)
    assert found["A: die_dividing mitosis"] == (a, 0)
    assert found["B: die apoptosis"] == (b, v)
    assert found["A: killed by T"] == (a, v)
    assert found["T: leave"] == (t, TO_BODY)
    assert found["A: division blocked"] == (0, 0)


def test_a_death_that_follows_a_change_of_type_is_booked_under_the_new_type():
    """A becomes B, which falls to 0 at once and dies: A loses cells, B gains and loses as many."""
    model = tiny_model(
        NUMBERS + parameters(none=(0.0, "1")),
        attribute("life", "B", "one")
        + behaviour("A", "become B", "d")
        + change("life", "become B", cell="A", set="none", at_zero="die worn"),
    )
    cells = (CellPort("A", "A_tissue", 1.0), CellPort("B", "T_tissue", 1.0))
    run = CoupledRun(
        tissue_of(model, scattered((32, 32), 0.5, 1, 0)),
        Body(body_model()),
        Ports(cells, (), (), (), 1.0, 1.0),
    )
    run.open()
    before = np.bincount(run.tissue.state.occupant.ravel(), minlength=5)
    for _ in range(20):
        run.step()
    after = np.bincount(run.tissue.state.occupant.ravel(), minlength=5)
    assert run.ledger.booked.tolist() == [after[1] - before[1], 0.0]
    assert after[1] < before[1] - 100
    assert dict(zip(model.events, run.tissue.state.events.tolist(), strict=True)) == {
        "A: become B": before[1] - after[1], "B: die worn": before[1] - after[1],
    }  # fmt: skip
