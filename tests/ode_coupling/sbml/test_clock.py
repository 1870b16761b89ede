"""Formulae of time are worth what Python says, and peaks of any width are stopped at."""

import math as m
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sbml_texts import apply, math, model

from oncolattice.ode_coupling.sbml.contents import Contents
from oncolattice.ode_coupling.sbml.document import open_document
from oncolattice.ode_coupling.sbml.formulae import Formulae
from oncolattice.ode_coupling.sbml.runnable import Runnable
from oncolattice.ode_coupling.sbml.timed import Timed

NOW = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> t </csymbol>'
ONE = {
    "sin": m.sin,
    "cos": m.cos,
    "exp": m.exp,
    "abs": abs,
    "floor": m.floor,
    "ceiling": m.ceil,
    "arctan": m.atan,
}
TWO = {"plus": lambda a, b: a + b, "minus": lambda a, b: a - b, "times": lambda a, b: a * b, "max": max, "min": min,
       "gt": lambda a, b: float(a > b), "leq": lambda a, b: float(a <= b)}  # fmt: skip


def written(tmp_path, law: str):
    path = tmp_path / "written.xml"
    path.write_text(model(
        '<listOfParameters><parameter id="x" value="0" constant="false"/>'
        '<parameter id="k" value="2" constant="true"/></listOfParameters>'
        f'<listOfRules><rateRule variable="x">{math(law)}</rateRule></listOfRules>'
    ))  # fmt: skip
    return open_document(path)


formulae = st.recursive(
    st.sampled_from([(NOW, lambda t: t), ("<ci> k </ci>", lambda t: 2.0), ("<cn> 0.5 </cn>", lambda t: 0.5)]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(ONE)), inner).map(
            lambda p: (apply(p[0], p[1][0]), lambda t: ONE[p[0]](p[1][1](t)))
        ),
        st.tuples(st.sampled_from(sorted(TWO)), inner, inner).map(
            lambda p: (apply(p[0], p[1][0], p[2][0]), lambda t: TWO[p[0]](p[1][1](t), p[2][1](t)))
        ),
    ),
    max_leaves=6,
)


@given(formulae)
def test_formulae_of_time_are_worth_what_python_says(tmp_path_factory, formula):
    text, oracle = formula
    document = written(tmp_path_factory.mktemp("formula"), text)
    written_out = Formulae(document)
    timed = Timed(written_out, Contents(document))
    rule = written_out.all[0]
    assert timed.alone(rule)
    times = [0.0, 0.3, 1.0, 2.5]
    found = timed.at(rule, times, {"k": 2.0}.__getitem__)
    try:
        exact = np.array([float(oracle(t)) for t in times])
    except OverflowError:
        return
    np.testing.assert_allclose(found, exact, rtol=1e-13, atol=1e-13)
    if timed.is_linear(rule):
        assert exact[3] - exact[2] == pytest.approx(1.5 / 0.7 * (exact[2] - exact[1]), abs=1e-9)


def stops(tmp_path, law: str, start: float, end: float) -> list[float]:
    runnable = Runnable(written(tmp_path, law))
    return [time for time, _ in runnable.clock.stops(start, end, {"k": 2.0}.__getitem__)]


def test_comparisons_of_periodic_functions_are_stopped_at_when_they_change(tmp_path):
    law = (
        f"<piecewise><piece><cn>1</cn>{apply('gt', apply('sin', NOW), '<cn>0.9999</cn>')}</piece></piecewise>"
    )
    found = stops(tmp_path, law, 0.0, 20.0)
    half = m.acos(0.9999)
    for peak in (0.5 * m.pi, 2.5 * m.pi, 4.5 * m.pi):
        for time in (peak - half, peak + half):
            assert min(abs(t - time) for t in found) < 1e-12


@pytest.mark.parametrize("width", [1.0, 1e-3, 1e-6])
def test_a_bell_is_stopped_at_in_its_middle_and_on_both_flanks(tmp_path, width):
    away = apply("divide", apply("minus", NOW, "<cn>50</cn>"), f"<cn>{width}</cn>")
    bell = apply("exp", apply("minus", apply("times", away, away)))
    found = np.array(stops(tmp_path, apply("times", "k", bell), 0.0, 1000.0))
    assert np.abs(found - 50.0).min() < 1e-9
    for side in (-1.0, 1.0):
        assert np.any((0.1 * width < side * (found - 50.0)) & (side * (found - 50.0) < 10.0 * width))


def test_what_is_linear_or_moves_by_states_is_not_stopped_at(tmp_path):
    for law in (apply("times", "k", NOW), apply("sin", "x"), apply("exp", apply("times", "x", NOW))):
        assert stops(tmp_path, law, 0.0, 100.0) == []


def test_the_windows_that_stops_come_from_do_not_depend_on_what_was_asked_before(tmp_path):
    law = apply("gt", apply("sin", apply("times", "<cn>40</cn>", NOW)), "<cn>0.5</cn>")
    fresh = stops(tmp_path, law, 3.0, 3.5)
    runnable = Runnable(written(tmp_path, law))
    for start in np.arange(0.0, 3.0, 0.5):
        runnable.clock.stops(start, start + 0.5, {"k": 2.0}.__getitem__)
    assert [t for t, _ in runnable.clock.stops(3.0, 3.5, {"k": 2.0}.__getitem__)] == fresh != []


def test_the_model_for_the_engine_says_what_the_file_says(tmp_path):
    """Written out again, its own rule is unchanged, and only what begins with an underscore is new."""
    law = apply("times", "k", apply("exp", apply("minus", "x")))
    document = written(tmp_path, law)
    again = ElementTree.fromstring(Runnable(document).text.encode())
    space = "{http://www.w3.org/1998/Math/MathML}"
    names = [e.text.strip() for e in again.iter(f"{space}ci")]
    assert names == ["k", "x"]
    own = [e.get("id") for e in again.iter() if e.get("id")]
    assert [name for name in own if not name.startswith("_")] == [
        e.get("id") for e in document.model.iter() if e.get("id")
    ]
