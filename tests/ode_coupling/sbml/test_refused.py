"""What is refused is named, with what to write instead."""

import pytest

pytest.importorskip("roadrunner", reason="the extra oncolattice[sbml] is not installed")

from sbml_texts import event, formula, functions, listed, parameters, quantities, rates, sbml

from oncolattice.abm.errors import InputError
from oncolattice.ode_coupling.sbml import read_sbml, shield
from oncolattice.ode_coupling.sbml.document import open_document
from oncolattice.scenarios.command.cli import main
from oncolattice.tests.ode_coupling.sbml.shapes import in_days, kind, room, turn

GROWING = listed("Compartments", room("c", 2.0, constant=False))
ONE = in_days(quantities(x=1.0), listed("Rules", *rates(x="-x")))
PACKAGE = "http://www.sbml.org/sbml/level3/version1/fbc/version2"
DELAYED = formula("x").replace("<ci> x </ci>", (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> delay </csymbol>'
    "<ci> x </ci><cn> 1 </cn></apply>"
))  # fmt: skip


def rules(*parts: str) -> str:
    return listed("Rules", *parts)


def decayed(fast: str = "false", **words: float | None) -> str:
    reaction = turn("loss", {"x": 1}, {}, formula("x")).replace('fast="false"', f'fast="{fast}"')
    return in_days(
        listed("Compartments", room("c", 2.0)),
        listed("Species", kind("x", **words)),
        listed("Reactions", reaction),
    )


def stuck(trigger: str, **values: str) -> str:
    more = (GROWING, listed("Species", kind("x", 1.0))) if "c" in values else ()
    start = quantities(y=0.0) if more else quantities(x=1.0, y=0.0)
    return in_days(*more, start, rules(*rates(y="1")), listed("Events", event(trigger, **values)))


def deep(levels: int) -> str:
    return ONE.replace("<ci> x </ci>", "<apply><minus/>" * levels + "<ci> x </ci>" + "</apply>" * levels)


def wide(terms: int) -> str:
    return ONE.replace("<ci> x </ci>", f"<apply><plus/>{'<cn> 1 </cn>' * terms}</apply>")


UNIT = (
    '<listOfUnitDefinitions><unitDefinition id="u"><listOfUnits>{}</listOfUnits></unitDefinition>'
    "</listOfUnitDefinitions>"
)
SECOND = '<unit kind="second" exponent="{}" scale="{}" multiplier="{}"/>'


def clocked(exponent: object = 1, scale: object = 0, multiplier: object = 60) -> str:
    units = UNIT.format(SECOND.format(exponent, scale, multiplier))
    return sbml(3, 1, units, quantities(x=1.0), rules(*rates(x="-x")), attributes='timeUnits="u"')


REFUSED = {
    "an algebraic rule": (
        in_days(quantities(x=1.0), rules(f"<algebraicRule>{formula('x - 1')}</algebraicRule>")),
        "algebraic rule is not solved; solve it for one variable and write an assignment rule",
    ),
    "a fast reaction": (decayed("true", start=1.0), "reaction 'loss': fast reactions.*write the equilibrium as an"),
    "a delay of a value": (
        in_days(quantities(x=1.0), rules(f'<rateRule variable="x">{DELAYED}</rateRule>')),
        r"delay\(\) is not integrated; write the delay as a chain of states",
    ),
    "a package": (
        ONE.replace(' level="3"', f' xmlns:fbc="{PACKAGE}" fbc:required="true" level="3"', 1),
        "needs the SBML package 'fbc', which is not read; flatten the model",
    ),
    "an entity": (
        ONE.replace("?>", '?><!DOCTYPE sbml [<!ENTITY a "b">]>', 1), "declares an entity or a document type.*remove it",
    ),
    "a document type": (ONE.replace("?>", "?><!DOCTYPE sbml>", 1), "a document type, which no SBML needs; remove it"),
    "too deep": (deep(1200), "nests more than 1,000 deep; write its formulae flatter"),
    "too wide": (wide(2100), "more than 2,000 terms side by side; split it over several rules"),
    "functions that call themselves": (
        in_days(functions(f="a: f(a)"), quantities(x=1.0), rules(*rates(x="f(x)"))),
        "call themselves; write them shorter",
    ),
    "a number that is none": (
        ONE.replace('value="1.0"', 'value="NaN"'), "<parameter> 'x': value = \"NaN\" is no finite"),
    "a number in a formula": (
        ONE.replace("<ci> x </ci>", "<cn> one </cn>"), "(<cn> 'one' is no number; write one|not valid SBML)",
    ),
    "a unit of size 0": (clocked(multiplier=0), "unit 'u': multiplier, scale and exponent must.*above 0, not 0"),
    "a unit beyond numbers": (
        clocked(scale=400), "unit 'u': multiplier, scale and exponent must make a size that is finite"),
    "a unit of time squared": (clocked(exponent=2), "unit of time 'u' is no multiple of a second; give it kind second"),
    "an instant": (stuck("y == x", x="2"), "equal to another.*an instant only; ask with <geq/> or <leq/>"),
    "a species without a start": (decayed(), "species 'x': has no value at time 0; give it an initialAmount or"),
    "a parameter without a start": (
        in_days(quantities(x=1.0), parameters(k=1.0).replace(' value="1.0"', ""), rules(*rates(x="-k * x"))).replace(
            "</listOfParameters><listOfParameters>", ""), "'k' has no finite value at time 0; give it one",
    ),
    "a name that is not there": (ONE.replace("<ci> x </ci>", "<ci> lost </ci>"), "not valid SBML, line 2: .*'lost'"),
    "no model": ("<html/>", "is no SBML: its first element is <html>; give a file that holds <sbml>"),
    "a level of the future": (ONE.replace('level="3"', 'level="4"'), "Level 4 .*write it as Level 1, 2 or 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_the_offender_and_the_cure_are_named(tmp_path, name):
    text, message = REFUSED[name]
    path = tmp_path / "written.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_sbml(path)
    assert "written.xml" in str(refused.value)


def test_what_is_refused_differs_from_what_is_not_by_the_offender_alone(tmp_path):
    for text in (ONE, decayed(start=1.0), clocked(), deep(600), wide(300), stuck("y >= x", x="2")):
        path = tmp_path / "written.xml"
        path.write_text(text)
        assert read_sbml(path).states


def test_the_command_to_check_ends_with_2_and_says_why(tmp_path, monkeypatch, capsys):
    path = tmp_path / "written.xml"
    path.write_text(REFUSED["a fast reaction"][0])
    monkeypatch.setattr("sys.argv", ["oncolattice", "check", str(path)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    said = capsys.readouterr()
    assert "reaction 'loss': fast reactions are not solved" in said.out + said.err


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ("import os; os.abort()", "libRoadRunner dies of it; write its formulae flatter and shorter"),
        (
            "import time; time.sleep(60)",
            "libRoadRunner does not compile it in 1 s; write its formulae simpler",
        ),
        ("print('it says no'); raise SystemExit(3)", "it says no"),
    ],
)
def test_an_engine_that_dies_or_hangs_beside_this_process_is_a_sentence(
    tmp_path, monkeypatch, probe, message
):
    program = tmp_path / "probe.py"
    program.write_text(probe)
    monkeypatch.setattr(shield, "_PROBE", program)
    monkeypatch.setattr(shield, "SECONDS", 1.0)
    path = tmp_path / "written.xml"
    path.write_text(
        ONE.replace("written", program.read_text()[-9:-1].translate({ord(c): "_" for c in "(). '"}))
    )
    with pytest.raises(InputError, match=message):
        shield.refuse_deadly(open_document(path), probe)
