"""Submodels are written out: each closed form is that of the equations that the parts make together."""

import numpy as np
import pytest
import sbml_texts as s

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import flatten, simulate

pytest.importorskip("libsbml")
COMP = "http://www.sbml.org/sbml/level3/version1/comp/version1"
TIMES = np.array([0.0, 0.5, 1.0, 2.0, 4.0])


def document(model: str, definitions: str) -> str:
    """Return a document of Level 3 with submodels."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml {s.L3} xmlns:comp="{COMP}" comp:required="true">'
        f'<model id="whole">{model}</model><comp:listOfModelDefinitions>{definitions}'
        "</comp:listOfModelDefinitions></sbml>"
    )


def part(name: str, more: str = "", submodels: str = "") -> str:
    """A compartment of 2 L with S, 6 at first, that decays with k = 0.5."""
    law = s.apply("times", "k", "S", "c")
    return (
        f'<comp:modelDefinition id="{name}">{s.compartments(c=2.0)}'
        + s.listed(
            "Species", s.species("S", "c", 'initialAmount="6"', False).replace('substanceUnits="mg" ', "")
        )
        + s.parameters(k=0.5)
        + s.listed("Reactions", s.reaction("J", "S", "", law))
        + more
        + submodels
        + "</comp:modelDefinition>"
    )


def uses(*names: str, of: str = "decay", more: str = "") -> str:
    """Return the list of submodels of these names."""
    inner = "".join(f'<comp:submodel comp:id="{name}" comp:modelRef="{of}" {more}/>' for name in names)
    return f"<comp:listOfSubmodels>{inner}</comp:listOfSubmodels>"


def replacing(name: str, submodel: str) -> str:
    return (
        f'<comp:listOfReplacedElements><comp:replacedElement comp:idRef="{name}" comp:submodelRef="{submodel}"/>'
        "</comp:listOfReplacedElements>"
    )


@pytest.fixture
def run(tmp_path):
    def of(text, *names):
        path = tmp_path / "parts.xml"
        path.write_text(text)
        return simulate(path, TIMES, dict.fromkeys(names, "amount")).T

    return of


def test_two_of_a_kind(run):
    a, b = run(document(uses("A", "B"), part("decay")), "A__S", "B__S")
    assert a == pytest.approx(6 * np.exp(-0.5 * TIMES), rel=1e-7)
    assert np.array_equal(a, b)


def test_a_parameter_of_the_whole_replaces_that_of_a_part(run):
    own = s.parameters(fast=2.0).replace("/>", f">{replacing('k', 'A')}</parameter>")
    a, b = run(document(own + uses("A", "B"), part("decay")), "A__S", "B__S")
    assert a == pytest.approx(6 * np.exp(-2.0 * TIMES), rel=1e-7, abs=1e-9)
    assert b == pytest.approx(6 * np.exp(-0.5 * TIMES), rel=1e-7)


def test_one_species_in_two_parts_decays_by_both(run):
    shared = s.compartments(c=2.0).replace("/>", f">{replacing('c', 'A')}</compartment>").replace(
        "</comp:listOfReplacedElements>",
        '<comp:replacedElement comp:idRef="c" comp:submodelRef="B"/></comp:listOfReplacedElements>',
    ) + s.listed(
        "Species",
        s.species("S", "c", 'initialAmount="6"', False)
        .replace('substanceUnits="mg" ', "")
        .replace(
            "/>",
            ">"
            + replacing("S", "A").replace(
                "</comp:listOfReplacedElements>",
                '<comp:replacedElement comp:idRef="S" comp:submodelRef="B"/></comp:listOfReplacedElements>',
            )
            + "</species>",
        ),
    )
    (found,) = run(document(shared + uses("A", "B"), part("decay")), "S")
    assert found == pytest.approx(6 * np.exp(-1.0 * TIMES), rel=1e-7)


def test_what_a_part_loses_does_not_happen(run):
    without = (
        '<comp:listOfSubmodels><comp:submodel comp:id="A" comp:modelRef="decay"><comp:listOfDeletions>'
        '<comp:deletion comp:idRef="J"/></comp:listOfDeletions></comp:submodel></comp:listOfSubmodels>'
    )
    (found,) = run(document(without, part("decay")), "A__S")
    assert found == pytest.approx(np.full(5, 6.0), rel=1e-12)


def test_a_part_within_a_part(run):
    outer = f'<comp:modelDefinition id="outer">{uses("inner")}</comp:modelDefinition>'
    (found,) = run(document(uses("A", of="outer"), part("decay") + outer), "A__inner__S")
    assert found == pytest.approx(6 * np.exp(-0.5 * TIMES), rel=1e-7)


def test_a_part_with_a_clock_of_its_own(run):
    """A unit of time of the part is 4 of the whole: rates fall to a quarter."""
    factor = '<listOfParameters><parameter id="four" value="4" constant="true"/></listOfParameters>'
    text = document(factor + uses("A", more='comp:timeConversionFactor="four"'), part("decay"))
    (found,) = run(text, "A__S")
    assert found == pytest.approx(6 * np.exp(-0.125 * TIMES), rel=1e-7)


def test_what_cannot_be_written_out_is_told(run, monkeypatch):
    with pytest.raises(InputError, match=r"its submodels cannot be written out .*nowhere"):
        run(document(uses("A", of="nowhere"), part("decay")), "A__S")
    definition = '<comp:externalModelDefinition comp:id="x" comp:source="x.xml"/>'
    outside = f"<comp:listOfExternalModelDefinitions>{definition}</comp:listOfExternalModelDefinitions>"
    inside = "<comp:listOfModelDefinitions>"
    text = document(uses("A"), part("decay")).replace(inside, outside + inside)
    with pytest.raises(InputError, match="lies in another file"):
        run(text, "A__S")
    monkeypatch.setattr(flatten, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'install the extra: pip install "oncolattice\[sbml\]"'):
        run(document(uses("A"), part("decay")), "A__S")
