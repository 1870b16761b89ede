"""The coupling loses nothing: residuals, debits and credits, limits, and the well-mixed bookkeeping."""

from dataclasses import replace

import numpy as np
import pytest
from tiny import behaviour, parameters, rule, scattered, tiny_model, tissue_of

from oncolattice.abm.errors import InputError
from oncolattice.abm.state import State
from oncolattice.ode_coupling.couple import CoupledRun
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.immune.qcic.model import VARIANTS, qcic
from oncolattice.ode_coupling.ports import CellPort, DrugAccount, Ports, ReleasePort, SignalPort
from oncolattice.ode_coupling.system import Body

NUMBERS = parameters(
    b=(0.004, "1/h"), d=(0.003, "1/h"), out=(0.08, "1/h"), k=(0.004, "1/h"), h=(2.0, "1/h"), kd=(1e9, "cells/L"),
    none=(0.0, "cells/L"),
)  # fmt: skip
SIGNAL = '\n[[body_signal]]\nname = "NK"\nunit = "cells/L"\ndefault = "none"\n'
RULES = (
    SIGNAL
    + behaviour("A", "divide", "b")
    + behaviour("A", "die apoptosis", "d")
    + rule("A", "die apoptosis", "body NK", "increases", "kd", fold="two")
    + behaviour("A", "become B", "d")
    + behaviour("B", "die apoptosis", "d")
    + behaviour("T", "kill tumour", "k")
    + behaviour("T", "die exhaustion", "d")
    + behaviour("T", "leave", "out")
    + behaviour("T", "migrate", "h")
    + behaviour("V", "admit T", "one")
)
MODEL = tiny_model(NUMBERS + parameters(two=(2.0, "1"), one=(1.0, "1")), RULES)


def coupled(
    weight: float = 3000.0, seed: int = 1, doses=(), vessels: int = 60, size: int = 48, **changes
) -> CoupledRun:
    occupant = scattered((size, size), 0.3, 1, 0)
    free = np.argwhere(occupant[0] == 0)
    for y, x in free[:: max(1, len(free) // max(vessels, 1))][:vessels]:
        occupant[0, y, x] = 4
    occupant[1] = scattered((size, size), 0.05, 3, 1, seed=2)[1]
    tissue = tissue_of(MODEL, occupant, seed=seed)
    body = Body(qcic(), {}, doses)
    body.set_input("variant", VARIANTS["conservative"])
    n = tissue.state.counts(MODEL)
    tumour_weight = 4e8 * 0.8 / n[0]
    ports = Ports(
        cells=(
            CellPort("A", "X1_C", tumour_weight),
            CellPort("B", "X2_C", tumour_weight),
            CellPort("T", "T8_C", weight, "T8_B", "arrival_T8"),
        ),
        signals=(SignalPort("NK", "NK_C"),),
        releases=(ReleasePort("A: die apoptosis", 0.1), ReleasePort("A: killed by T", 0.3)),
        drugs=(DrugAccount("TAS102", ("Chem_C", "Chem_P", "Chem_eliminated")),),
        blood_volume_L=4.5,
        tissue_volume_L=0.8,
    )
    run = CoupledRun(tissue, body, replace(ports, **changes))
    run.open()
    return run


@pytest.mark.parametrize("weight", [1.0, 3000.0, 1e6])
def test_nothing_is_lost_whatever_the_weight(weight):
    run = coupled(weight, doses=[Dose(0.5, "TAS102", 95.0, 0.1), Dose(1.2, "TAS102", 95.0)])
    for _ in range(60):
        run.step()
        assert run.residuals().max() <= 1e-10
    assert 0.0 < run.ledger.worst.max() <= 1e-10
    events = dict(zip(MODEL.events, run.tissue.state.events, strict=True))
    assert events["A: divide"] > 0
    assert events["A: killed by T"] + events["A: die apoptosis"] > 0
    if weight == 3000.0:
        assert events["T: leave"] > 100


def test_clipping_would_be_seen():
    """A test of the test: cells that vanish from blood show in the residual."""
    run = coupled()
    for _ in range(5):
        run.step()
    run.body.y[run.body.model.index("states", "T8_B")] *= 1 - 1e-6
    assert run.residuals()[2] > 1e-10


def test_without_entry_points_arrivals_stay_in_blood_and_are_counted():
    run = coupled(vessels=0)
    for _ in range(24):
        run.step()
    assert run.refused[2] > 50
    assert run.residuals().max() <= 1e-10


def test_arrivals_never_exceed_what_blood_holds():
    run = coupled(weight=1e7)  # one lattice cell is more than blood holds
    for _ in range(24):
        run.step()
    assert run.refused[2] == 0
    assert run.body.get("T8_B") >= 0


def test_the_lattice_replaces_the_density_of_the_body():
    run = coupled()
    for _ in range(10):
        run.step()
    counts = run.tissue.state.counts(MODEL)
    for port, state in ((0, "X1_C"), (2, "T8_C")):
        amount = run.ports.cells[port].weight * counts[MODEL.type_id(run.ports.cells[port].type) - 1]
        assert run.body.get(state) == pytest.approx(amount / 0.8, rel=1e-12)


def test_mean_arrivals_follow_the_flux():
    """Poisson arrivals: |z| < 4.5 of the number entered against the flux of blood over 48 h."""
    run = coupled()
    expected, before = 0.0, int(run.tissue.state.counts(MODEL)[2])
    for _ in range(48):
        expected += run.body.output("arrival_T8") / 24 / 3000.0
        run.step()
    events = dict(zip(MODEL.events, run.tissue.state.events, strict=True))
    came = int(run.tissue.state.counts(MODEL)[2]) - before + events["T: leave"] + events["T: die exhaustion"]
    came += int(run.refused[2])
    assert abs(came - expected) / np.sqrt(expected) < 4.5
    assert abs(came - 1.25 * expected) / np.sqrt(expected) > 4.5


def test_goes_on_from_its_arrays_to_the_last_bit():
    doses = [Dose(0.25, "TAS102", 95.0, 0.1), Dose(2.0, "TAS102", 95.0, 0.1)]
    straight, first = coupled(doses=doses), coupled(doses=doses)
    for _ in range(30):
        straight.step()
    for _ in range(13):
        first.step()
    arrays = {key: np.array(value) for key, value in first.to_arrays().items()}
    second = coupled(doses=doses)
    second.tissue.state = State.from_arrays(arrays)
    second.restore(arrays)
    for _ in range(17):
        second.step()
    a, b = straight.to_arrays(), second.to_arrays()
    assert a.keys() == b.keys() > {"tissue_occupant"}
    assert all(np.array_equal(a[key], b[key]) for key in a)


def test_doses_that_a_controller_changes_reach_the_books():
    run = coupled(doses=[Dose(d, "TAS102", 95.0, 0.1) for d in (0.2, 0.6, 1.0)] + [Dose(1.4, "TAS102", 50.0)])
    for step in range(48):
        if step == 9:
            run.body.set_dose("TAS102", 0.5, 0.375)
        if step == 30:
            run.body.stop_dosing(1.3)
        run.step()
        assert run.residuals().max() <= 1e-12
    assert run.ledger.booked[4] == pytest.approx(95.0 + 47.5 + 47.5, rel=1e-12)


def test_wrong_ports_are_refused():
    run = coupled()
    for bad in (CellPort("nobody", "T8_C", 1.0), CellPort("T", "nothing", 1.0), CellPort("T", "T8_C", 0.0)):
        with pytest.raises(InputError):
            CoupledRun(run.tissue, run.body, Ports((bad,), (), (), (), 4.5, 0.8))
    with pytest.raises(InputError, match="unknown body signal 'oxygen'"):
        CoupledRun(run.tissue, run.body, Ports((), (SignalPort("oxygen", "NK_C"),), (), (), 4.5, 0.8))
    with pytest.raises(InputError, match="did you mean 'strang'"):
        replace(run.ports, splitting="strong")
    with pytest.raises(InputError, match="unknown event"):
        CoupledRun(run.tissue, run.body, replace(run.ports, releases=(ReleasePort("A: die NK", 0.1),)))
    with pytest.raises(InputError, match="above 0 d"):
        replace(run.ports, buffer_days=0.0)


def test_lie_splitting_keeps_the_books_and_gives_other_numbers():
    lie, strang = coupled(splitting="lie"), coupled()
    for _ in range(30):
        lie.step()
        strang.step()
    assert lie.ledger.worst.max() <= 1e-10
    assert lie.body.t == strang.body.t
    assert lie.body.get("T8_B") != strang.body.get("T8_B")


def test_antigen_that_was_on_its_way_at_time_0_reaches_the_body_and_the_books():
    """A buffer in balance with a constant release passes on what it receives, from the first step."""
    run = coupled(release_at_start=3e6, buffer_days=0.25)
    assert run.buffer == pytest.approx(0.75e6)
    rate = run.body.model.index("inputs", "antigen_rate")
    assert run.body.u[rate] == pytest.approx(3e6 / 0.8)
    run.step()
    start, released = 0.75e6, run.ledger.booked[3]
    passing = (start + released) * -np.expm1(-1.0 / 24.0 / 0.25)
    assert run.passed == pytest.approx(passing, rel=1e-12)
    assert run.residuals().max() <= 1e-10
