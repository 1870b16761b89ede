"""A body that is saved in mid-run goes on in a fresh object bit for bit as if it had not been."""

import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import event, formula, listed, quantities, rates

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.sbml import read_sbml
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.ode_coupling.sbml.shapes import in_days, kind, room, turn

DAYS = (0.4, 1.1, 1.9, 2.2, 3.0, 3.7, 5.0)


def rules(**laws: str) -> str:
    return listed("Rules", *rates(**laws))


PULSED = "piecewise(3, time - floor(time) < 0.05, -y)"
TEXTS = {
    "growth": in_days(quantities(y=1.0, n=0.0), rules(y="y * (1 - y / 9)", n="sin(5 * y)")),
    "repeated pulses": in_days(quantities(y=1.0, n=0.0), rules(y=PULSED)),
    "an event that is armed": in_days(
        quantities(y=1.0, n=0.0), rules(y="y"), listed("Events", event("y > 5 or time < 1", n="n + 1", y="y / 2"))
    ),
    "an event that is met": in_days(
        quantities(y=9.0, n=0.0), rules(y="-y"), listed("Events", event("y > 0.5", n="n + 1"))
    ),
    "events that repeat": in_days(
        quantities(y=1.0, n=0.0), rules(y="y"), listed("Events", event("sin(9 * time) > 0.3", n="n + 1", y="1"))
    ),
    "a hysteresis": in_days(
        quantities(y=2.0, n=0.0), rules(y="4 * n - y"),
        listed("Events", event("y < 1", n="1"), event("y > 3", n="0")),
    ),
}  # fmt: skip


def resumed_everywhere(model, doses=()) -> None:
    """Save a body at every exchange and hold what a fresh one comes to from there against the whole run."""
    whole = Body(model, {}, doses)
    saved, reached = [], []
    for day in DAYS:
        whole.advance_to(day)
        saved.append(whole.state())
        reached.append(whole.y.tobytes())
    assert len(set(reached)) == len(DAYS)
    for k, state in enumerate(saved[:-1]):
        fresh = Body(model, {}, doses)
        fresh.restore(state)
        for day, y in zip(DAYS[k + 1 :], reached[k + 1 :], strict=True):
            fresh.advance_to(day)
            assert fresh.y.tobytes() == y


@pytest.mark.parametrize("name", TEXTS)
def test_a_body_is_resumed_bit_for_bit(tmp_path, name):
    path = tmp_path / "written.xml"
    path.write_text(TEXTS[name])
    resumed_everywhere(read_sbml(path))


def test_a_body_is_resumed_among_boluses_infusions_and_what_they_trigger(tmp_path):
    path = tmp_path / "written.xml"
    path.write_text(in_days(
        listed("Compartments", room("c", 2.0, constant=False)), listed("Species", kind("x", 0.0)), quantities(n=0.0),
        rules(c="0.1"), listed("Reactions", turn("r", {"x": 1}, {}, formula("x * c"))),
        listed("Events", event("x > 2", n="n + 1")),
    ))  # fmt: skip
    doses = [
        Dose(1.1, "drug", 9.0),
        Dose(2.0, "drug", 5.0, 1.5),
        Dose(3.0, "drug", 9.0),
        Dose(3.9, "drug", 9.0),
    ]
    resumed_everywhere(read_sbml(path, doses={"drug": "x"}), doses)


def test_a_body_whose_events_wait_refuses_to_be_saved(tmp_path):
    path = tmp_path / "written.xml"
    path.write_text(in_days(quantities(n=0.0), listed("Events", event("time > 1", delay="1", n="1"))))
    with pytest.raises(
        InputError, match="has events with a delay, which a saved state cannot hold; run it in one go"
    ):
        Body(read_sbml(path)).state()
