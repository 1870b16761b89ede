"""What once came out wrong: windows that are short, compartments that change, doses across a trigger."""

import math as m

import numpy as np
import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import assignments, event, formula, functions, initials, listed, quantities, rates

from oncolattice.ode_coupling.dosing import Dose
from oncolattice.ode_coupling.sbml import read_sbml, simulate
from oncolattice.ode_coupling.system import Body
from oncolattice.tests.ode_coupling.sbml.shapes import in_days, kind, room, turn

ROOT = m.sqrt(m.pi)
GROWING = listed("Compartments", room("c", 2.0, constant=False))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "written.xml"


def rules(*parts: str) -> str:
    return listed("Rules", *parts)


def events(*parts: str) -> str:
    return listed("Events", *parts)


def windows(law: str, *more: str, start: float = 50.0, x: str = "x") -> str:
    """A model whose x rises by law; parameters a and w are the start of a window and its width."""
    return in_days(*more, quantities(x=0.0, tick=0.0, a=start, w=1e-3), rules(*rates(x=law, tick="1")))


SHORT = {
    "in a function of several arguments": windows(
        "window(time, a, w) / w", functions(window="t, a, w: piecewise(1, t >= a and t <= a + w, 0)")
    ),
    "from a start time that is a parameter": windows("piecewise(1 / w, time >= a and time < a + w, 0)"),
    "by the square of time": windows("piecewise(1 / w, time ** 2 > 2500 and time ** 2 < (a + w) ** 2, 0)"),
    "by a state that is a clock": windows("piecewise(1 / w, tick >= a and tick < a + w, 0)"),
    "by the distance from its middle": windows("piecewise(1 / w, abs(time - a - w / 2) < w / 2, 0)"),
    "by the floor of time": windows("piecewise(1 / w, floor(time / w) == 50000, 0)"),
    "as a bell": windows(f"exp(-((time - a) / w) ** 2) / w / {ROOT!r}"),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_thousandth_of_a_day_in_a_hundred_is_not_stepped_over(path, name):
    path.write_text(SHORT[name])
    assert simulate(path, [100.0], ["x"])[0, 0] == pytest.approx(1.0, rel=1e-5)
    body = Body(read_sbml(path))
    body.advance_to(100.0)
    assert body.get("x") == pytest.approx(1.0, rel=1e-5)


def square(name: str) -> str:
    """The square of a distance, multiplied out so that nothing in it is linear and 0 in the middle."""
    return f"({name} * {name} - 66.74 * {name} + 1113.5569)"  # (t - 33.37)^2


@pytest.mark.parametrize(
    "law", ["piecewise(1 / w, {} < w ** 2 / 4, 0)", f"exp(-{{}} / w ** 2) / w / {ROOT!r}"]
)
def test_any_function_of_time_is_seen_down_to_a_share_of_an_exchange(path, law):
    """A 4,096th of it."""
    path.write_text(
        windows(law.format(square("time"))).replace('id="w" value="0.001"', f'id="w" value="{100 / 4096}"')
    )
    assert simulate(path, [100.0], ["x"])[0, 0] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.xfail(
    strict=True, reason="narrower than what is looked at, and no part of it is linear and 0 inside"
)
@pytest.mark.parametrize(
    "law",
    [
        f"piecewise(1 / w, {square('time')} < w ** 2 / 4, 0)",
        f"exp(-{square('time')} / w ** 2) / w / {ROOT!r}",
        f"exp(-1e-6 * {square('tick')} / w ** 2) / w / {1e3 * ROOT!r}",
        f"piecewise(1e-3 / w, {square('tick')} < 1e6 * w ** 2 / 4, 0)",
    ],
    ids=["a window of time", "a bell of time", "a bell of a state", "a window of a state"],
)
def test_what_is_narrower_is_stepped_over(path, law):
    """Of a state it is enough that a window of one day in a hundred opens and closes by one comparison."""
    path.write_text(windows(law))
    assert simulate(path, [100.0], ["x"])[0, 0] == pytest.approx(1.0, rel=1e-5)


def test_a_window_follows_a_parameter_that_is_changed(path):
    path.write_text(windows("piecewise(1 / w, time >= a and time < a + w, 0)").replace(
        'id="a" value="50.0" constant="false"', 'id="a" value="50.0" constant="true"'))  # fmt: skip
    body = Body(read_sbml(path), {"a": 150.0})
    for day, level in ((100.0, 0.0), (200.0, 1.0)):
        body.advance_to(day)
        assert body.get("x") == pytest.approx(level, rel=1e-5)


@pytest.mark.parametrize(
    ("trigger", "count"),
    [
        ("x > 50 and x < 50.001", 1),
        ("floor(4 * x) == 200", 1),
        ("sin(x) > 0.9999999", 16),
        ("abs(x - 50) < 1e-4", 1),
    ],
)
def test_events_happen_in_a_short_window_of_a_state(path, trigger, count):
    path.write_text(
        in_days(quantities(x=0.0, n=0.0), rules(*rates(x="1")), events(event(trigger, n="n + 1")))
    )
    assert simulate(path, [100.0], ["n"])[0, 0] == count
    body = Body(read_sbml(path))
    body.advance_to(100.0)
    assert body.get("n") == count


@pytest.mark.parametrize("states", [False, True])
def test_delayed_events_need_no_states(path, states):
    more = rules(*rates(x="1")) if states else ""
    trigger = event("time - floor(time) > 0.5", delay="0.3", n="n + 1")
    path.write_text(in_days(quantities(n=0.0, x=0.0), more, events(trigger)))
    assert waited_for(path, [0.7, 0.9, 1.7, 1.9]) == [0.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("early", [True, False])
def test_events_wait_longer_than_between_their_triggers(path, early):
    """Three wait at once: each counts from the value at its trigger or at its time, and keeps when that was."""
    trigger = event("time - floor(time) > 0.5", delay="2.2", early=early, n="n + 1", m="time")
    path.write_text(in_days(quantities(n=0.0, m=0.0), events(trigger)))
    found = simulate(path, [2.6, 2.8, 3.6, 3.8, 4.8, 5.8], ["n", "m"])
    counts, lag = ([0, 1, 1, 1, 1, 2], 2.2) if early else ([0, 1, 1, 2, 3, 4], 0.0)
    assert found[:, 0].tolist() == counts
    assert found[1:, 1] == pytest.approx(np.array([2.7, 2.7, 3.7, 4.7, 5.7]) - lag, rel=1e-9)
    assert waited_for(path, [2.6, 2.8, 3.6, 3.8, 4.8, 5.8]) == counts


def waited_for(path, days: list[float]) -> list[float]:
    """Return how often an event has happened by given days, as a body, which a run in one go has to agree with."""
    body, found = Body(read_sbml(path)), []
    for day in days:
        body.advance_to(day)
        found.append(body.get("n"))
    assert simulate(path, days, ["n"])[:, 0].tolist() == found
    return found


@pytest.mark.parametrize("boundary", [True, False])
@pytest.mark.parametrize("constant", [True, False])
def test_an_amount_that_nothing_changes_is_diluted_in_a_body(path, constant, boundary):
    law = "piecewise(1, time < 1.5, 2)"
    path.write_text(in_days(
        GROWING, listed("Species", kind("x", 3.0, constant=constant, boundary=boundary)), rules(*rates(c=law)),
    ))  # fmt: skip
    body = Body(read_sbml(path))
    for day in (0.3, 1.7, 4.0):
        body.advance_to(day)
        size = 2.0 + min(day, 1.5) + 2.0 * max(day - 1.5, 0.0)
        assert body.get("x") == pytest.approx(6.0 / size, rel=1e-8)


def test_a_bolus_enters_the_size_of_its_compartment_at_that_day(path):
    path.write_text(in_days(
        GROWING, listed("Species", kind("x", 0.0)), rules(*rates(c="1")),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("0.5 * x * c"))),
    ))  # fmt: skip
    body = Body(read_sbml(path, doses={"drug": "x"}), {}, [Dose(2.0, "drug", 8.0), Dose(6.0, "drug", 8.0)])
    for day in (2.5, 6.1, 7.0):
        body.advance_to(day)
        amount = sum(8.0 * m.exp(-0.5 * (day - given)) for given in (2.0, 6.0) if given < day)
        assert body.get("x") == pytest.approx(amount / (2.0 + day), rel=1e-6)


@pytest.fixture
def counting(path):
    """Counts each time that a decaying amount comes above 5."""
    path.write_text(in_days(
        listed("Compartments", room("c", 1.0)), listed("Species", kind("x", 0.0, amount=True)), quantities(n=0.0),
        listed("Reactions", turn("r", {"x": 1}, {}, formula("x"))), events(event("x > 5", n="n + 1")),
    ))  # fmt: skip
    return read_sbml(path, doses={"drug": "x"})


def test_doses_across_a_trigger_are_counted(counting):
    body = Body(counting, {}, [Dose(float(day), "drug", 8.0) for day in (1, 2, 3)])
    for day, count in ((0.5, 0.0), (1.1, 1.0), (1.9, 1.0), (2.1, 2.0), (3.5, 3.0)):
        body.advance_to(day)
        assert body.get("n") == count


def test_writes_across_a_trigger_are_counted(counting):
    body = Body(counting)
    body.advance_to(1.0)
    for day, count in ((2.0, 1.0), (3.0, 2.0)):
        body.set("x", 8.0)
        body.advance_to(day)
        assert body.get("n") == count
        assert body.get("x") == pytest.approx(8.0 * m.exp(-1.0), rel=1e-6)


def test_a_species_named_twice_moves_by_the_sum_of_its_stoichiometries(path):
    twice = turn("r", {"a": 1}, {"b": 1}, formula("0.5")).replace(
        "</listOfProducts>", '<speciesReference id="s" species="b" constant="false"/></listOfProducts>'
    )
    both = [kind(n, 4.0, amount=True) for n in "ab"]
    path.write_text(in_days(
        listed("Compartments", room("c", 1.0)), listed("Species", *both),
        rules(*assignments(s="2 * time")), listed("Reactions", twice),
    ))  # fmt: skip
    found = simulate(path, [1.0, 3.0], ["a", "b"])
    np.testing.assert_allclose(found, [[3.5, 4.0 + 0.5 + 0.5], [2.5, 4.0 + 1.5 + 4.5]], rtol=1e-7)


def test_a_number_of_an_initial_assignment_can_be_changed(path):
    """And what initial assignments make of it follows: a state, and a rate."""
    start = listed(
        "Parameters",
        '<parameter id="half" value="9" constant="true"/><parameter id="k" value="9" constant="true"/>',
        '<parameter id="x" value="0" constant="false"/>',
    )
    path.write_text(
        in_days(start, initials(half="1 / 2", x="8 * half", k="2 * half"), rules(*rates(x="-k * x")))
    )
    model = read_sbml(path)
    for changed, half in (({}, 0.5), ({"half": 2.0}, 2.0), ({"half": 0.1}, 0.1)):
        body = Body(model, changed)
        body.advance_to(1.0)
        assert body.get("x") == pytest.approx(8.0 * half * m.exp(-2.0 * half), rel=3e-7)
