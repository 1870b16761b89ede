"""Species that a lattice owns: nothing in the file changes them, rates of their reactions can still be read."""

import numpy as np
import pytest
import sbml_texts as s

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import read_sbml
from oncolattice.ode_coupling.system import Body

K, SUPPLY = 0.5, 3.0
MODIFIERS = '<listOfModifiers><modifierSpeciesReference species="tissue"/></listOfModifiers>'
LAW = s.apply("times", "k", "blood")


def text(extra_rules: str = "", extra: str = "") -> str:
    """blood -> tissue with k, tissue -> blood, supply of blood; a cell that tissue kills."""
    return s.model(
        s.compartments(room=1.0)
        + s.listed(
            "Species",
            s.species("blood", "room", 'initialAmount="8"', True),
            s.species("tissue", "room", 'initialAmount="2"', True),
            s.species("target", "room", 'initialAmount="5"', True),
        )
        + s.parameters(k=K, supply=SUPPLY)
        + extra_rules
        + s.listed(
            "Reactions",
            s.reaction("birth", "", "blood", s.atom("supply")),
            s.reaction("entry", "blood", "tissue", LAW),
            s.reaction("exit", "tissue", "blood", s.apply("times", "k", "tissue")),
            s.reaction("kill", "target", "", s.apply("times", "k", "tissue", "target")).replace(
                "<kineticLaw>", f"{MODIFIERS}<kineticLaw>"
            ),
        )
        + extra
    )


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "owned.xml"
    file.write_text(text())
    return file


def test_only_what_the_lattice_does_not_do_is_done(path):
    """Blood gets its supply alone; the target dies by the tissue as it is written; the entry can be read."""
    body = Body(read_sbml(path, owned=["tissue"]), rtol=1e-12)
    body.set_input("owned_tissue", 1.0)
    body.set("tissue", 0.0)
    body.advance_to(1.0)
    assert body.get("tissue") == 0.0
    assert body.get("blood") == pytest.approx(8.0 + SUPPLY, rel=1e-9)
    assert body.get("target") == pytest.approx(5.0, rel=1e-9)
    assert body.output("entry") == pytest.approx(K * (8.0 + SUPPLY), rel=1e-9)
    body.set("tissue", 0.8)
    body.advance_to(3.0)
    assert body.get("tissue") == 0.8
    assert body.get("blood") == pytest.approx(8.0 + 3 * SUPPLY, rel=1e-9)
    assert body.get("target") == pytest.approx(5.0 * np.exp(-K * 0.8 * 2.0), rel=1e-8)


def test_without_an_owner_all_is_done(path):
    """blood + tissue grows by the supply alone; with x = blood: x' = supply + k (total - 2 x)."""
    body = Body(read_sbml(path))
    body.advance_to(2.0)
    total = body.get("blood") + body.get("tissue")
    assert total == pytest.approx(10.0 + 2 * SUPPLY, rel=1e-9)
    b = SUPPLY / 2  # particular solution b t + a
    a = (SUPPLY + K * 10.0 - b) / (2 * K)
    assert body.get("blood") == pytest.approx(a + b * 2.0 + (8.0 - a) * np.exp(-2 * K * 2.0), rel=1e-8)


def test_a_rate_rule_of_an_owned_species_goes(tmp_path):
    rule = f'<rateRule variable="free">{s.math(s.atom("k"))}</rateRule>'
    file = tmp_path / "rule.xml"
    changed = text(s.listed("Rules", rule)).replace(
        "</listOfSpecies>",
        s.species("free", "room", 'initialAmount="1"', True, boundary=True) + "</listOfSpecies>",
    )
    file.write_text(changed)
    for owned, expected in (((), 1.0 + 2 * K), (("free",), 1.0)):
        body = Body(read_sbml(file, owned=owned))
        body.advance_to(2.0)
        assert body.get("free") == pytest.approx(expected, rel=1e-9)


def test_what_no_lattice_can_own_is_refused(tmp_path, path):
    with pytest.raises(
        InputError, match="owned by the lattice: unknown species 'tisue'; did you mean 'tissue'"
    ):
        read_sbml(path, owned=["tisue"])
    rule = f'<assignmentRule variable="fixed">{s.math(s.atom("k"))}</assignmentRule>'
    kept = s.species("fixed", "room", 'initialAmount="1"', True, boundary=True)
    still = s.species("still", "room", 'initialAmount="1"', True, boundary=True)
    struck = (
        '<listOfEvents><event id="e" useValuesFromTriggerTime="true"><trigger initialValue="true" persistent="true">'
        + s.math(s.apply("gt", "blood", "9"))
        + '</trigger><listOfEventAssignments><eventAssignment variable="target">'
        + s.math(s.atom("1"))
        + "</eventAssignment></listOfEventAssignments></event></listOfEvents>"
    )
    file = tmp_path / "refused.xml"
    file.write_text(
        text(s.listed("Rules", rule), struck).replace("</listOfSpecies>", kept + still + "</listOfSpecies>")
    )
    for name, reason in (
        ("fixed", "assignment rule"),
        ("target", "an event sets"),
        ("still", "never changes"),
    ):
        with pytest.raises(InputError, match=f"{reason}.*"):
            read_sbml(file, owned=[name])
