"""What the engine rejects or gets wrong is said in another way: closed forms of each."""

import numpy as np
import pytest
import sbml_texts as s

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import read_sbml, simulate
from oncolattice.ode_coupling.system import Body

TIMES = np.linspace(0.0, 4.0, 17)
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'
LATE = s.apply("gt", TIME, "1.3")
ROOM = s.compartments(c=2.0).replace('constant="true"', 'constant="false"')
SPECIES = s.listed("Species", s.species("S", "c", 'initialAmount="6"', False))
KINDS = {"S": "concentration", "c": "symbol"}


def rule(kind, name, formula):
    return f'<{kind}Rule variable="{name}">{s.math(formula)}</{kind}Rule>'


def event(*assignments, delay="", from_trigger="true"):
    listed = "".join(f'<eventAssignment variable="{n}">{s.math(f)}</eventAssignment>' for n, f in assignments)
    return (
        f'<listOfEvents><event id="e" useValuesFromTriggerTime="{from_trigger}"><trigger initialValue="true" '
        f'persistent="true">{s.math(LATE)}</trigger>{delay}<listOfEventAssignments>{listed}'
        "</listOfEventAssignments></event></listOfEvents>"
    )


@pytest.fixture
def run(tmp_path):
    def of(text, kinds):
        path = tmp_path / "prepared.xml"
        path.write_text(text)
        return simulate(path, TIMES, kinds).T

    return of


def stepped(before, after, at=1.3):
    return np.where(at < TIMES, after, before)


@pytest.mark.parametrize("turned", [False, True])
def test_an_event_sets_a_concentration_and_the_size_of_its_room(run, turned):
    """The concentration is what the event says, in the new size: the amount is 1 x 4."""
    pairs = [("c", s.atom("4")), ("S", s.atom("1"))]
    found, size = run(s.model(ROOM + SPECIES + event(*(pairs[::-1] if turned else pairs))), KINDS)
    assert found == pytest.approx(stepped(3.0, 1.0), rel=1e-9)
    assert size == pytest.approx(stepped(2.0, 4.0), rel=1e-9)


def test_both_are_worked_out_from_the_values_before(run):
    pairs = [("S", s.apply("times", "S", "c")), ("c", s.apply("plus", "S", "c"))]
    found, size = run(s.model(ROOM + SPECIES + event(*pairs)), KINDS)
    assert found == pytest.approx(stepped(3.0, 6.0), rel=1e-9)
    assert size == pytest.approx(stepped(2.0, 5.0), rel=1e-9)


def test_after_a_delay_both_are_set_from_the_values_of_then_or_refused(run):
    delay = f"<delay>{s.math(s.atom('0.5'))}</delay>"
    pairs = [("c", s.apply("times", "c", "2")), ("S", s.apply("plus", "S", "1"))]
    growing = s.listed("Rules", rule("rate", "c", s.atom("1")))
    text = s.model(ROOM + SPECIES + growing + event(*pairs, delay=delay, from_trigger="false"))
    found, _ = run(text, KINDS)
    then = 6.0 / 3.8 + 1.0  # c is 3.8 at 1.8
    exact = np.where(TIMES > 1.8, then * 7.6 / (7.6 + TIMES - 1.8), 6.0 / (2.0 + TIMES))
    assert found == pytest.approx(exact, rel=1e-7)
    with pytest.raises(InputError, match='useValuesFromTriggerTime="false"'):
        run(text.replace('useValuesFromTriggerTime="false"', 'useValuesFromTriggerTime="true"'), KINDS)


@pytest.mark.parametrize("start", ['initialAmount="6"', 'initialConcentration="3"'])
def test_a_concentration_keeps_its_own_rate_in_a_room_with_a_rule(run, start):
    """S' = -S/2 whatever the room does; an event sets it to 5 at 1.3."""
    rules = s.listed(
        "Rules",
        rule("assignment", "c", s.apply("plus", "2", TIME)),
        rule("rate", "S", s.apply("times", "-0.5", "S")),
    )
    text = s.model(ROOM + SPECIES.replace('initialAmount="6"', start) + rules)
    found, size = run(text, KINDS)
    assert found == pytest.approx(3.0 * np.exp(-0.5 * TIMES), rel=1e-7)
    assert size == pytest.approx(2.0 + TIMES, rel=1e-12)
    (found,) = run(text.replace("</model>", event(("S", s.atom("5"))) + "</model>"), {"S": "concentration"})
    after = 5.0 * np.exp(-0.5 * (TIMES - 1.3))
    assert found == pytest.approx(stepped(3.0 * np.exp(-0.5 * TIMES), after), rel=1e-7)


def test_it_serves_as_a_body_too(tmp_path):
    rules = s.listed(
        "Rules",
        rule("assignment", "c", s.apply("plus", "2", TIME)),
        rule("rate", "S", s.apply("times", "-0.5", "S")),
    )
    path = tmp_path / "body.xml"
    path.write_text(s.model(ROOM + SPECIES + rules))
    body = Body(read_sbml(path), rtol=1e-11)
    for day in (0.3, 1.0, 2.5):
        body.advance_to(day)
    assert body.output("S") == pytest.approx(3.0 * np.exp(-1.25), rel=1e-8)
    other = Body(read_sbml(path), rtol=1e-11)
    other.restore(body.state())
    other.advance_to(4.0)
    body.advance_to(4.0)
    assert other.output("S") == body.output("S") == pytest.approx(3.0 * np.exp(-2.0), rel=1e-8)


def test_a_kinetic_law_without_a_formula_is_no_rate(run):
    reactions = s.listed(
        "Reactions",
        s.reaction("J", "S", "", s.apply("times", "0.5", "S", "c")),
        s.reaction("K", "S", "", "").replace(s.math(""), ""),
    )
    text = s.model(ROOM + SPECIES + reactions).replace(' fast="false"', "")
    text = text.replace("level3/version1/core", "level3/version2/core").replace(
        'version="1">', 'version="2">'
    )
    (found,) = run(text, {"S": "amount"})
    assert found == pytest.approx(6.0 * np.exp(-0.5 * TIMES), rel=1e-7)


def test_a_parameter_has_no_value_until_an_event_gives_it_one(run, tmp_path):
    text = s.model(ROOM + SPECIES + s.parameters(q=None) + event(("q", s.atom("4"))))
    (found,) = run(text, {"q": "symbol"})
    assert np.isnan(found[TIMES < 1.3]).all()
    assert (found[TIMES > 1.3] == 4.0).all()
    with pytest.raises(InputError, match="'q' has no finite value at time 0"):
        read_sbml(tmp_path / "prepared.xml")


def test_infinity_may_be_a_value_where_no_body_is_made_of_it(run, tmp_path):
    text = s.model(s.parameters(q=1.0).replace("1.0", "INF"))
    assert run(text, {"q": "symbol"}).tolist() == [[np.inf] * len(TIMES)]
    with pytest.raises(InputError, match="'q': value = \"INF\" is no finite number"):
        read_sbml(tmp_path / "prepared.xml")
